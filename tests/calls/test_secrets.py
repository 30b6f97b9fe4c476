"""Secrets are sent and never shown: in no error, traceback with locals, log line or note.

Each call is made over real HTTP against a server that echoes all it heard, or says nothing.
"""

import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import msgspec
import pytest
import structlog
import structlog.testing

from kcjl.calls.memory import MemoryCalls
from kcjl.calls.sync_log import SyncLog
from kcjl.clock import RealClock
from kcjl.discretion import Hidden, Secret
from kcjl.errors import KcjlError, SettingsUnusable
from kcjl.johnlewis.seller_api import SellerApi, SellerApiSettings
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.settings import secret
from tests.calls.laws import ALL
from tests.johnlewis.server import CUT, SILENT, Asked, ScriptedServer, half_of, said
from tests.khaos.conftest import settings_for
from tests.khaos.samples import order

pytestmark = pytest.mark.anyio

KEY = "k3y-of-the-shop-9f2c"
PASSWORD = "pa55-of-the-erp-77d1"
BASIC = b64encode(f"kcjl:{PASSWORD}".encode()).decode()


def _echo(asked: Asked) -> bytes:
    heard = f"{asked.headers} {asked.target} {asked.body.decode('latin-1')}"
    return said(400, {"message": heard, "code": asked.headers.get("authorization", "")})


ANSWERS: dict[str, Callable[[Asked], bytes | None]] = {
    "echo": _echo,
    "echo in an error of theirs": lambda asked: said(500, str(asked).encode()),
    "not let in": lambda _: said(401),
    "turned away": lambda _: said(429),
    "redirect": lambda _: said(302, Location="http://127.0.0.1:9/"),
    "cut": lambda _: CUT,
    "half": lambda _: half_of(said(200, {"far": "too long"})),
    "silence": lambda _: SILENT,
    "nonsense": lambda _: b"nonsense\r\n\r\n",
    "a success that can't be read": lambda asked: said(200, str(asked).encode()),
}


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    listening = await scripted.start()
    yield scripted
    scripted.stop()
    listening.close()
    await listening.wait_closed()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and all that led to it, also what `from None` hides."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _shown(error: BaseException, *more: object) -> str:
    """All that a log or a debugger's report could show of it; the tests' own frames apart."""
    parts = [repr(each) for each in more]
    for each in _chain(error):
        parts += [str(each), repr(each), repr(vars(each))]
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "/tests/" not in frame.f_code.co_filename:
                parts += [f"{frame.f_code.co_qualname}: {frame.f_locals!r}"]
    return "\n".join(parts)


async def _noted(notes: SyncLog, kept: MemoryCalls) -> str:
    await notes.flush()
    found = await kept.newest(ALL, 100)
    assert found
    return msgspec.json.encode(found).decode()


@pytest.mark.parametrize("authorization", ["key", "bearer"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_api_key_is_sent_and_never_shown(
    server: ScriptedServer,
    session: aiohttp.ClientSession,
    answer: Callable[[Asked], bytes | None],
    authorization: str,
) -> None:
    """Reads and writes, whatever the marketplace answers."""
    server.by = answer
    settings = msgspec.convert(
        {
            "base_url": server.base_url,
            "api_key": KEY,
            "authorization": authorization,
            "connect_timeout_s": 0.1,
            "read_timeout_s": 0.1,
        },
        SellerApiSettings,
    )
    kept = MemoryCalls()
    notes = SyncLog(kept, RealClock())
    api = SellerApi(settings, clock=RealClock(), session=session, sync_log=notes)
    with structlog.testing.capture_logs() as lines:
        for call in (api.account, lambda: api.ship("700-A")):
            try:
                await call()
            except KcjlError as error:
                shown = _shown(error, settings, vars(api), vars(api._http))
                assert KEY not in shown
    noted = await _noted(notes, kept)

    assert all(KEY in each.headers["authorization"] for each in server.asked)
    assert KEY not in f"{lines}{noted}"


@pytest.mark.parametrize("auth", ["basic", "body"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_erp_password_is_sent_and_never_shown(
    server: ScriptedServer,
    session: aiohttp.ClientSession,
    answer: Callable[[Asked], bytes | None],
    auth: str,
) -> None:
    """As a header or as a part of the body; reads and writes, whatever the ERP answers."""
    server.by = lambda asked: said(404) if asked.method == "GET" else answer(asked)
    settings = settings_for(
        f"{server.base_url}/Live",
        auth=auth,
        user="kcjl",
        password=PASSWORD,
        connect_timeout_s=0.1,
        read_timeout_s=0.1,
    )
    kept = MemoryCalls()
    notes = SyncLog(kept, RealClock())
    erp = KwsSoapAdapter(settings, clock=RealClock(), session=session, sync_log=notes)
    with structlog.testing.capture_logs() as lines:
        for call in (erp.ping, lambda: erp.create_order(order())):
            with pytest.raises(KcjlError) as told:
                await call()
            shown = _shown(told.value, settings, vars(erp), vars(erp._service))
            assert PASSWORD not in shown
            assert BASIC not in shown
    noted = await _noted(notes, kept)

    sent = "".join(f"{each.headers}{each.body.decode()}" for each in server.asked)
    assert PASSWORD in sent or BASIC in sent
    assert PASSWORD not in f"{lines}{noted}"
    assert BASIC not in f"{lines}{noted}"


@pytest.mark.parametrize(
    "make",
    [
        lambda: SellerApiSettings(base_url="ftp://tenant.example", api_key=KEY),
        lambda: SellerApiSettings(base_url="https://tenant.example", api_key=f"{KEY}\n"),
        lambda: settings_for("http://erp.example", auth="basic", user="", password=KEY),
        lambda: settings_for("http://u:p@erp.example", password=KEY),
    ],
)
def test_settings_that_are_refused_show_no_secret(make: Callable[[], object]) -> None:
    """The mistake is told, the secret beside it is not."""
    with pytest.raises(SettingsUnusable) as refusal:
        make()

    assert KEY not in _shown(refusal.value)


def test_secret_from_the_environment_shows_in_no_structure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the moment when it is read, in whatever it is put."""
    monkeypatch.setenv("KCJL_TEST_KEY", KEY)
    read = secret(env="KCJL_TEST_KEY", what="key")

    assert KEY == read
    assert KEY not in repr([read, {"key": read}, (read,)])
    assert KEY not in f"{Hidden(KEY.encode())!r}"
    assert KEY in f"Bearer {read}"
    assert isinstance(read, Secret)
    assert isinstance(settings_for("https://e.example", password=KEY).password, Secret)


def test_settings_hold_a_secret_however_they_are_made() -> None:
    """From a plain text, by conversion or by replacing a field."""
    plain = SellerApiSettings(base_url="https://tenant.example", api_key=KEY)
    converted = msgspec.convert(
        {"base_url": "https://tenant.example", "api_key": KEY}, SellerApiSettings
    )
    replaced = msgspec.structs.replace(plain, shop_id=7)

    assert {"Secret"} == {type(each.api_key).__name__ for each in (plain, converted, replaced)}
