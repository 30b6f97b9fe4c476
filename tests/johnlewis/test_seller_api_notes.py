"""The seller API and the sync log: each request is noted once, over real HTTP."""

import email.utils
from datetime import timedelta

import anyio
import anyio.lowlevel
import pytest

from kcjl.calls.correlation import correlated
from kcjl.calls.memory import MemoryCalls
from kcjl.calls.port import Asked, CallOutcome, CallRecord, Side
from kcjl.calls.sync_log import SyncLog
from kcjl.clock import real_now
from kcjl.errors import CredentialsRefused, KcjlError
from kcjl.johnlewis.port import StockFigure
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.conftest import JumpingClock, MakeApi
from tests.johnlewis.samples import ORDER
from tests.johnlewis.server import CUT, SILENT, ScriptedServer, half_of, said

pytestmark = pytest.mark.anyio

KEEPER_ROWS = 100


@pytest.fixture
def kept() -> MemoryCalls:
    return MemoryCalls()


@pytest.fixture
def notes(kept: MemoryCalls, clock: JumpingClock) -> SyncLog:
    return SyncLog(kept, clock)


@pytest.fixture
def api(make_api: MakeApi, notes: SyncLog) -> SellerApi:
    return make_api(sync_log=notes, connect_timeout_s=0.2, read_timeout_s=0.2)


async def _noted(notes: SyncLog, kept: MemoryCalls) -> list[CallRecord]:
    await notes.flush()
    return [each.call for each in await kept.newest(Asked(), KEEPER_ROWS)]


async def test_request_is_noted_with_its_size_and_status(
    market: ScriptedServer, api: SellerApi, notes: SyncLog, kept: MemoryCalls
) -> None:
    """What was asked about, how much went and came, and for which unit of work."""
    answer = said(200, {"shop_id": 4021})
    market.will_say(answer, said(201, {"import_id": "u"}))
    with correlated("publish-7"):
        await api.account()
        await api.publish_stock([StockFigure(sku="A", quantity=1)])

    read, write = await _noted(notes, kept)
    assert ("A01", 200, CallOutcome.DONE) == (read.operation, read.status, read.outcome)
    assert (0, len(answer.partition(b"\r\n\r\n")[2])) == (read.bytes_sent, read.bytes_received)
    assert ("STO01", "1 lines", "publish-7") == (
        write.operation,
        write.subject,
        write.correlation_id,
    )
    assert write.bytes_sent > 0
    assert {Side.JOHNLEWIS} == {read.side, write.side}


async def test_each_page_is_a_note_of_its_own(
    market: ScriptedServer, api: SellerApi, notes: SyncLog, kept: MemoryCalls
) -> None:
    """One read of three pages is three requests, numbered."""
    pages = [{"orders": [{**ORDER, "order_id": f"{n}-A"}], "total_count": 3} for n in range(3)]
    market.will_say(*(said(200, page) for page in pages))
    await api.orders_by_id(["0-A", "1-A", "2-A"])

    assert [1, 2, 3] == [call.page for call in await _noted(notes, kept)]


@pytest.mark.parametrize(
    ("answer", "outcome", "status", "reason_code"),
    [
        (said(400, {"code": "BAD_STATE", "message": "no"}), "refused", 400, "BAD_STATE"),
        (said(404), "refused", 404, "KCJL-2004"),
        (said(403), "refused", 403, "KCJL-2005"),
        (said(429), "rate_limited", 429, "KCJL-3002"),
        (said(503), "unknown", 503, "KCJL-4001"),
        (CUT, "unknown", None, "KCJL-4001"),
        (half_of(said(200, {"far": "too long"})), "unknown", 200, "KCJL-4001"),
        (SILENT, "unknown", None, "KCJL-4001"),
    ],
)
async def test_write_that_fails_is_noted_by_what_is_certain(
    market: ScriptedServer,
    api: SellerApi,
    notes: SyncLog,
    kept: MemoryCalls,
    answer: bytes | None,
    outcome: str,
    status: int | None,
    reason_code: str,
) -> None:
    """Refused, turned away, or unknown: as the caller was told."""
    market.will_say(answer)
    with pytest.raises(KcjlError):
        await api.ship("700-A")

    (noted,) = await _noted(notes, kept)
    assert (outcome, status, reason_code) == (noted.outcome, noted.status, noted.reason_code)
    assert ("OR24", "order 700-A") == (noted.operation, noted.subject)


async def test_wait_for_the_turn_is_not_part_of_the_call(
    market: ScriptedServer,
    api: SellerApi,
    notes: SyncLog,
    kept: MemoryCalls,
    clock: JumpingClock,
) -> None:
    """A note begins when the request does, not when somebody wanted it."""
    market.by = lambda _: said(201, {"import_id": "u"})
    began = clock.at
    await api.publish_stock([StockFigure(sku="A", quantity=1)])
    await api.publish_stock([StockFigure(sku="A", quantity=2)])

    noted = await _noted(notes, kept)
    waited_s = [(call.attempted_at - began).total_seconds() for call in noted]
    assert [0, 60] == waited_s


async def test_caller_that_gives_up_leaves_an_unknown_write(
    market: ScriptedServer, api: SellerApi, notes: SyncLog, kept: MemoryCalls
) -> None:
    """A stop in the middle of a write: it may have been done, and the note says so."""
    market.will_say(SILENT)
    async with anyio.create_task_group() as group:
        group.start_soon(api.ship, "700-A")
        while not market.asked:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()

    (noted,) = await _noted(notes, kept)
    assert (CallOutcome.UNKNOWN, "CUT_OFF") == (noted.outcome, noted.reason_code)


async def test_answer_tells_the_time_there_and_an_error_its_side(
    market: ScriptedServer, api: SellerApi, notes: SyncLog
) -> None:
    """By the Date of the answer, refused or not; and whoever catches it knows whose it is."""
    there = email.utils.format_datetime(real_now() + timedelta(hours=1), usegmt=True)
    market.will_say(said(403, headers={"Date": there}))

    assert notes.clocks.ahead_s(Side.JOHNLEWIS) is None
    with pytest.raises(CredentialsRefused) as refused:
        await api.account()
    ahead_s = notes.clocks.ahead_s(Side.JOHNLEWIS)
    assert ahead_s is not None
    assert 3_590 < ahead_s < 3_610
    assert "johnlewis" == refused.value.side
