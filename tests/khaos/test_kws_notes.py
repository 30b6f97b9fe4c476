"""The ERP adapter and the sync log: each request is noted once, over real HTTP."""

import pytest

from kcjl.calls.memory import MemoryCalls
from kcjl.calls.port import Asked, CallOutcome, CallRecord, Side
from kcjl.calls.sync_log import SyncLog
from kcjl.errors import KcjlError
from kcjl.khaos.kws import KwsSoapAdapter
from tests.khaos.conftest import HandClock, MakeAdapter
from tests.khaos.samples import REF, imported, order, skipped
from tests.khaos.server import CUT, ScriptedErp, fault, http, string

pytestmark = pytest.mark.anyio


@pytest.fixture
def kept() -> MemoryCalls:
    return MemoryCalls()


@pytest.fixture
def notes(kept: MemoryCalls, clock: HandClock) -> SyncLog:
    return SyncLog(kept, clock)


@pytest.fixture
def erp_api(make: MakeAdapter, notes: SyncLog) -> KwsSoapAdapter:
    return make(sync_log=notes)


async def _noted(notes: SyncLog, kept: MemoryCalls) -> list[CallRecord]:
    await notes.flush()
    return [each.call for each in await kept.newest(Asked(), 100)]


async def test_call_and_its_wsdl_are_noted_apart(
    erp: ScriptedErp, erp_api: KwsSoapAdapter, notes: SyncLog, kept: MemoryCalls
) -> None:
    """The WSDL is a request of its own; that it could not be had is no error to the caller."""
    erp.will_say("GetVersion", string("GetVersion", "8.1"))
    await erp_api.ping()

    wsdl, ping = await _noted(notes, kept)
    assert ("WSDL", 404, CallOutcome.UNAVAILABLE) == (wsdl.operation, wsdl.status, wsdl.outcome)
    assert ("GetVersion", 200, CallOutcome.DONE) == (ping.operation, ping.status, ping.outcome)
    assert {Side.KHAOS} == {wsdl.side, ping.side}
    assert ping.bytes_sent == len(erp.called("GetVersion")[0].body)
    assert ping.bytes_received > 0


@pytest.mark.parametrize(
    ("answer", "outcome", "status", "reason_code"),
    [
        (imported(), "done", 200, ""),
        (fault("Order of Ada Lovelace is barred", "EOrder"), "refused", 500, "EOrder"),
        (http(401, ""), "refused", 401, "KCJL-2005"),
        (http(503, "<html>"), "unknown", 503, "KCJL-4001"),
        (CUT, "unknown", None, "KCJL-4001"),
    ],
)
async def test_posting_is_noted_by_its_reference_and_how_it_ended(
    erp: ScriptedErp,
    erp_api: KwsSoapAdapter,
    notes: SyncLog,
    kept: MemoryCalls,
    answer: bytes,
    outcome: str,
    status: int | None,
    reason_code: str,
) -> None:
    """The order's number is there, the buyer is not."""
    erp.will_say("ImportOrders", answer)
    try:
        await erp_api.create_order(order())
    except KcjlError:
        assert outcome != "done"

    noted = (await _noted(notes, kept))[-1]
    assert ("ImportOrders", f"order {REF}") == (noted.operation, noted.subject)
    assert (outcome, status, reason_code) == (noted.outcome, noted.status, noted.reason_code)
    assert "Lovelace" not in repr(noted)


async def test_order_that_is_skipped_in_a_good_answer_is_noted_as_refused(
    erp: ScriptedErp, erp_api: KwsSoapAdapter, notes: SyncLog, kept: MemoryCalls
) -> None:
    """One order was asked for, and the answer says no: whoever looks for refusals finds it."""
    erp.will_say("ImportOrders", skipped("barred"))
    with pytest.raises(KcjlError):
        await erp_api.create_order(order())

    noted = (await _noted(notes, kept))[-1]
    assert (CallOutcome.REFUSED, 200, "SKIPPED") == (
        noted.outcome,
        noted.status,
        noted.reason_code,
    )


async def test_nobody_listening_is_noted_without_a_status(
    make: MakeAdapter, notes: SyncLog, kept: MemoryCalls
) -> None:
    """What could not be sent was certainly not done."""
    with pytest.raises(KcjlError):
        await make(sync_log=notes, url="http://127.0.0.1:9/Live").ping()

    (noted,) = await _noted(notes, kept)
    assert (CallOutcome.UNAVAILABLE, None, 0) == (
        noted.outcome,
        noted.status,
        noted.bytes_received,
    )
