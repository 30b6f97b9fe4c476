"""Whom a secret is sent to: to a server whose certificate is good, and to nobody else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import aiohttp.connector
import pytest

from kcjl.alerts.webhook import WebhookAccess, WebhookAlerts
from kcjl.calls.sync_log import SyncLog
from kcjl.clock import RealClock
from kcjl.discretion import Secret
from kcjl.errors import KcjlError, Unavailable
from kcjl.johnlewis.seller_api import SellerApi, SellerApiSettings
from kcjl.khaos.kws import KwsSoapAdapter
from tests.certificates import Authority, own_certificate, serving
from tests.johnlewis.server import ScriptedServer, said
from tests.khaos.conftest import settings_for

pytestmark = pytest.mark.anyio

YESTERDAY = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)

Certificate = Callable[[Authority, Path], Path]

WRONG: dict[str, Certificate] = {
    "of another host": lambda by, path: by.issue(path, host="elsewhere.example"),
    "expired": lambda by, path: by.issue(path, ends=YESTERDAY),
    "not valid yet": lambda by, path: by.issue(path, starts=LATER),
    "signed by itself": lambda _, path: own_certificate(path),
    "of an unknown authority": lambda _, path: _stranger(path).issue(path),
}


def _stranger(path: Path) -> Authority:
    folder = path.parent / "stranger"
    folder.mkdir()
    return Authority(folder)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The one that this machine trusts."""
    made = Authority(tmp_path)
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", made.trusted())
    return made


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


Client = Callable[[aiohttp.ClientSession, str], Awaitable[object]]


async def _marketplace(session: aiohttp.ClientSession, url: str) -> object:
    settings = SellerApiSettings(base_url=url, api_key=Secret("k3y"))
    return await SellerApi(settings, clock=RealClock(), session=session).account()


async def _erp(session: aiohttp.ClientSession, url: str) -> object:
    settings = settings_for(f"{url}/KhaosKSD.exe")
    return await KwsSoapAdapter(settings, clock=RealClock(), session=session).ping()


async def _web_hook(session: aiohttp.ClientSession, url: str) -> object:
    access = WebhookAccess(url=Secret(f"{url}/hook"), secret=Secret("hush"))
    clock = RealClock()
    return await WebhookAlerts(
        access, clock=clock, session=session, sync_log=SyncLog(None, clock)
    ).look()


CLIENTS: dict[str, Client] = {"marketplace": _marketplace, "ERP": _erp, "web hook": _web_hook}


@asynccontextmanager
async def _listening(pem: Path) -> AsyncIterator[tuple[ScriptedServer, str]]:
    """A server that shows this certificate, and its address."""
    server = ScriptedServer(by=lambda _: said(500))
    listening = await server.start(serving(pem))
    try:
        yield server, server.base_url.replace("http:", "https:")
    finally:
        server.stop()
        listening.close()
        await listening.wait_closed()


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
async def test_server_with_a_good_certificate_is_asked(
    client: Client, authority: Authority, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The control: what is refused below is refused for its certificate alone."""
    async with _listening(authority.issue(tmp_path / "good.pem")) as (server, url):
        with pytest.raises(KcjlError):  # it answers 500
            await client(session, url)

    assert server.asked


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
async def test_server_with_a_wrong_certificate_is_told_nothing(
    client: Client,
    wrong: Certificate,
    authority: Authority,
    session: aiohttp.ClientSession,
    tmp_path: Path,
) -> None:
    """Neither a key nor a word reaches it, and it is no outcome that is unknown."""
    async with _listening(wrong(authority, tmp_path / "wrong.pem")) as (server, url):
        with pytest.raises(Unavailable):
            await client(session, url)

    assert not server.asked
