"""ST01, OR28 and OR30 that say no, also inside a 2xx: so they stand in the sync log."""

from collections.abc import Awaitable, Callable

import pytest

from kcjl.calls.memory import MemoryCalls
from kcjl.calls.port import Asked, CallOutcome
from kcjl.calls.sync_log import SyncLog
from kcjl.errors import Refused
from kcjl.johnlewis.order_port import Order
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.conftest import JumpingClock, MakeApi
from tests.johnlewis.conversations.test_reversals import a_shirt_back, a_shirt_less
from tests.johnlewis.server import ScriptedServer, said
from tests.johnlewis.test_seller_api_sandbox import AgendaClock, one, parcel, serving
from tests.sandbox.marketplace_shop import quick

pytestmark = pytest.mark.anyio

Write = Callable[[SellerApi, Order], Awaitable[object]]

WRITES: dict[str, tuple[Write, Write]] = {
    "ST01": (
        lambda api, order: api.create_shipment(parcel(order, 3, 0)),
        lambda api, order: api.create_shipment(parcel(order, 1, 0)),
    ),
    "OR28": (
        lambda api, order: api.refund(a_shirt_back(order, reason_code="14")),
        lambda api, order: api.refund(a_shirt_back(order)),
    ),
    "OR30": (
        lambda api, order: api.cancel_line(a_shirt_less(order, quantity=9)),
        lambda api, order: api.cancel_line(a_shirt_less(order)),
    ),
}
"""By operation: one that is refused, and one that is done."""


@pytest.mark.parametrize("operation", sorted(WRITES))
async def test_write_that_is_refused_is_noted_as_refused_whatever_its_status(
    operation: str,
) -> None:
    """What the marketplace did not do is nowhere "done"; what it did is."""
    workflow = "PAY_ON_SHIPMENT" if operation == "OR30" else "PAY_ON_ACCEPTANCE"
    refused, done = WRITES[operation]
    async with serving(quick(call_limits=True, payment_workflow=workflow)) as world:
        kept = MemoryCalls()
        notes = SyncLog(kept, AgendaClock(world.shop.agenda))
        api, there = world.api(sync_log=notes), world.shop.order_to_ship()
        order = await one(api, there.order_id)
        with pytest.raises(Refused) as refusal:
            await refused(api, order)
        await done(api, await one(api, there.order_id))
        await notes.flush()
        noted = [row.call for row in await kept.newest(Asked(operation=operation), 10)]

    assert [
        (CallOutcome.REFUSED, refusal.value.status),
        (CallOutcome.DONE, 201 if operation == "ST01" else 200),
    ] == sorted(((each.outcome, each.status) for each in noted), reverse=True)


@pytest.mark.parametrize(
    ("operation", "field"), [("OR28", "refund_errors"), ("OR30", "cancelation_errors")]
)
async def test_no_inside_a_200_is_a_refusal(
    operation: str, field: str, market: ScriptedServer, make_api: MakeApi, clock: JumpingClock
) -> None:
    """The sandbox answers 400 here; a tenant that says it with a 200 is understood as well."""
    kept = MemoryCalls()
    notes = SyncLog(kept, clock)
    workflow = "PAY_ON_SHIPMENT" if operation == "OR30" else "PAY_ON_ACCEPTANCE"
    async with serving(quick(call_limits=True, payment_workflow=workflow)) as world:
        there = world.shop.order_to_ship()
        order = await one(world.api(), there.order_id)
    _, write = WRITES[operation]
    market.will_say(said(200, {field: [{"message": "the balance is empty"}]}))
    with pytest.raises(Refused, match="the balance is empty"):
        await write(make_api(sync_log=notes), order)
    await notes.flush()
    (noted,) = [row.call for row in await kept.newest(Asked(), 10)]

    assert (operation, 200, CallOutcome.REFUSED) == (
        noted.operation,
        noted.status,
        noted.outcome,
    )
