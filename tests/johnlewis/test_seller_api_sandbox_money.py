"""Refunds and cancelations against the sandbox, with answers that are lost on the way.

What an actor will do: read the order, send, and where the outcome is open read it again and
let `find_reversal` say whether it may be sent once more.
"""

from datetime import timedelta

import pytest

from kcjl.errors import KcjlError, OutcomeUnknown, Refused, ShopModelNotServed
from kcjl.johnlewis.order_port import Order, OrderState
from kcjl.johnlewis.reversal_lookup import (
    Finding,
    Found,
    ReversalIntention,
    find_order_cancelation,
    find_reversal,
    refund_of,
)
from kcjl.johnlewis.reversal_port import RefundRequest
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.johnlewis.tenant_port import check_shop_model
from kcjl.money import Money
from kcjl.sandbox.faults import Fault
from tests.johnlewis.test_seller_api_sandbox import World, one, serving
from tests.sandbox.marketplace_shop import quick

pytestmark = pytest.mark.anyio


def one_shirt(order: Order) -> RefundRequest:
    line = order.lines[0]
    return refund_of(
        order,
        line,
        amount=line.unit_price,
        shipping_amount=Money(0),
        reason_code="17",
        quantity=1,
    )


async def look(world: World, api: SellerApi, before: Order, sent: ReversalIntention) -> Finding:
    world.shop.wait(seconds=240)
    read_at = world.shop.agenda.now
    return find_reversal(before, await one(api, before.order_id), sent, read_at=read_at)


async def test_refunds_to_the_last_penny_carry_the_taxes_of_the_line() -> None:
    """OR28 twice, a shirt each: the marketplace takes the taxes as we share them out."""
    async with serving() as world:
        api = world.api()
        order = await one(api, world.shop.order_to_ship().order_id)
        first = await api.refund(one_shirt(order))
        order = await one(api, order.order_id)
        second = await api.refund(one_shirt(order))
        after = await one(api, order.order_id)
        refunds = after.lines[0].refunds

    assert [first.reversal_id, second.reversal_id] == [each.refund_id for each in refunds]
    assert first.as_asked
    assert second.as_asked
    assert Money(4800) == sum((each.amount for each in refunds), Money(0))
    assert after.lines[0].taxes[0].amount == sum(
        (each.taxes[0].amount for each in refunds), Money(0)
    )
    assert refunds[0].commission is not None


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (Fault(kind="lost_before", operation="OR28"), Found.NOT_THERE),
        (Fault(kind="status", status=503, operation="OR28"), Found.NOT_THERE),
        (Fault(kind="lost_after", operation="OR28"), Found.THERE),
        (Fault(kind="truncated", operation="OR28"), Found.THERE),
        (Fault(kind="empty", operation="OR28"), Found.THERE),
    ],
)
async def test_refund_whose_answer_is_lost_is_paid_once(fault: Fault, found: Found) -> None:
    """Looked for before it is sent again: one refund, whatever was lost (d.5)."""
    async with serving() as world:
        api = world.api()
        before = await one(api, world.shop.order_to_ship().order_id)
        sent = ReversalIntention(request=one_shirt(before), intended_at=world.shop.agenda.now)
        assert isinstance(sent.request, RefundRequest)
        world.faults.add([fault])
        with pytest.raises(OutcomeUnknown):
            await api.refund(sent.request)
        finding = await look(world, api, before, sent)
        if finding.found is Found.NOT_THERE:
            await api.refund(sent.request)
        after = await one(api, before.order_id)

    assert found == finding.found
    assert [Money(2400)] == [each.amount for each in after.lines[0].refunds]


async def test_refund_looked_for_at_once_is_too_early_to_send_again() -> None:
    """A request may be on its way when the order is read."""
    async with serving() as world:
        api = world.api()
        before = await one(api, world.shop.order_to_ship().order_id)
        now = world.shop.agenda.now
        sent = ReversalIntention(request=one_shirt(before), intended_at=now)
        finding = find_reversal(before, before, sent, read_at=now + timedelta(seconds=20))

    assert Found.TOO_EARLY == finding.found


async def test_refund_beyond_the_line_is_refused_and_nothing_is_done() -> None:
    """400 is nothing done (b.0)."""
    async with serving() as world:
        api = world.api()
        order = await one(api, world.shop.order_to_ship().order_id)
        too_much = refund_of(
            order,
            order.lines[0],
            amount=Money(4801),
            shipping_amount=Money(0),
            reason_code="17",
        )
        with pytest.raises(Refused):
            await api.refund(too_much)
        after = await one(api, order.order_id)

    assert () == after.lines[0].refunds


@pytest.mark.parametrize("kind", ["lost_before", "lost_after"])
async def test_order_whose_cancelation_is_lost_is_looked_at(kind: str) -> None:
    """OR29: the state says whether it was done (d.5)."""
    async with serving(quick(payment_workflow="PAY_ON_SHIPMENT", call_limits=True)) as world:
        api = world.api()
        placed = world.shop.order()
        world.shop.decide(placed)
        world.shop.wait(seconds=60)
        order = await one(api, placed.order_id)
        assert order.can_cancel
        intended_at = world.shop.agenda.now
        world.faults.add([Fault(kind=kind, operation="OR29")])  # type: ignore[arg-type] # a kind
        with pytest.raises(OutcomeUnknown):
            await api.cancel_order(order.order_id)
        world.shop.wait(seconds=240)
        after = await one(api, order.order_id)
        finding = find_order_cancelation(
            after, intended_at=intended_at, read_at=world.shop.agenda.now
        )

    is_done = kind == "lost_after"
    assert (Found.THERE if is_done else Found.NOT_THERE) == finding.found
    assert is_done == (after.state is OrderState.CANCELED)
    assert is_done == bool(after.lines[0].cancelations)


async def test_order_that_was_paid_can_not_be_cancelled() -> None:
    """PAY_ON_ACCEPTANCE: what can't be supplied is refunded (b.3)."""
    async with serving() as world:
        api = world.api()
        order = await one(api, world.shop.order_to_ship().order_id)
        assert not order.can_cancel
        with pytest.raises(Refused):
            await api.cancel_order(order.order_id)


async def test_profile_of_the_sandbox_is_what_its_settings_say() -> None:
    """One reading in the place of guesses (a.6)."""
    async with serving(quick(mandatory_tracking=True, auto_accept=True)) as world:
        profile = await world.api().tenant_profile()

    check_shop_model(profile.account, profile.platform)
    assert profile.platform.acceptance_is_automatic
    assert profile.tracking_mandatory(profile.shipping_types[0].code)
    assert {"17", "15"} <= {each.code for each in profile.reasons_for("REFUND")}
    assert ("Europe/London", "TAX_INCLUDED") == (
        profile.platform.timezone,
        profile.platform.tax_mode,
    )
    assert profile.account.balances.payable is not None


async def test_profile_of_a_dropship_sandbox_is_not_served() -> None:
    """Its offer prices are purchase prices (e.8)."""
    async with serving(quick(shop_model="DROPSHIP")) as world:
        api = world.api()
        account, platform = await api.account(), await api.platform()

        with pytest.raises(ShopModelNotServed, match="of model DROPSHIP") as refusal:
            check_shop_model(account, platform)
    error: KcjlError = refusal.value
    assert "KCJL-1004" == error.code
