"""OR28, OR29 and OR30, client against sandbox, happy and failing."""

import pytest

from kcjl.errors import NotFound, Refused
from kcjl.johnlewis.order_port import Order
from kcjl.johnlewis.reversal_lookup import cancelation_of, refund_of
from kcjl.johnlewis.reversal_port import CancelationRequest, ItemResult, RefundRequest
from kcjl.money import Money
from tests.johnlewis.test_seller_api_sandbox import one, serving
from tests.sandbox.marketplace_shop import quick

pytestmark = pytest.mark.anyio


def a_shirt_back(order: Order, *, reason_code: str = "17") -> RefundRequest:
    line = order.lines[0]
    return refund_of(
        order,
        line,
        amount=line.unit_price,
        shipping_amount=Money(0),
        reason_code=reason_code,
        quantity=1,
    )


def a_shirt_less(
    order: Order, *, quantity: int = 1, reason_code: str = "34"
) -> CancelationRequest:
    line = order.lines[0]
    return cancelation_of(
        order,
        line,
        amount=line.unit_price,
        shipping_amount=Money(0),
        reason_code=reason_code,
        quantity=quantity,
    )


async def test_refund_is_in_the_truth_and_on_the_account() -> None:
    """OR28: the line's refund, and its lines in the transaction log, bear one id."""
    async with serving() as world:
        api, kept = world.api(), world.shop.order_to_ship()
        made = await api.refund(a_shirt_back(await one(api, kept.order_id)))
        world.shop.wait(hours=2)
        (refund,) = kept.lines[0].refunds
        booked = [
            line for line in world.shop.marketplace.transactions.values() if line.refund_id
        ]

    assert (made.reversal_id, "17", "REFUNDED") == (
        refund.refund_id,
        refund.reason_code,
        refund.state,
    )
    assert Money(2400) == refund.charge.amount
    assert {made.reversal_id} == {line.refund_id for line in booked}
    assert Money(-2400) == sum(
        (line.amount for line in booked if line.kind == "REFUND_ORDER_AMOUNT"), Money(0)
    )


async def test_refund_for_a_reason_that_shops_do_not_have_is_refused() -> None:
    """OR28: 14 is the operator's own; the lines after it are sent all the same."""
    async with serving() as world:
        api, kept = world.api(), world.shop.order_to_ship()
        order = await one(api, kept.order_id)
        not_ours, fine = await api.refund_lines(
            [a_shirt_back(order, reason_code="14"), a_shirt_back(order)]
        )

    assert (ItemResult.REFUSED, ItemResult.DONE) == (not_ours.result, fine.result)
    assert ["17"] == [refund.reason_code for refund in kept.lines[0].refunds]


@pytest.mark.parametrize(
    ("settings", "hours"),
    [({"closed_after_hours": 1}, 26), ({"refund_needs_payable_balance": True}, 0)],
)
async def test_refund_that_can_not_be_is_refused(
    settings: dict[str, object], hours: int
) -> None:
    """OR28: of a CLOSED order (f.20), or from an empty account (f.19); nothing was done."""
    async with serving(quick(call_limits=True, **settings)) as world:
        api, kept = world.api(), world.shop.order_to_ship()
        order = await one(api, kept.order_id)
        if hours:
            world.shop.marketplace.ship(kept.order_id)
            world.shop.wait(hours=hours)
        with pytest.raises(Refused) as refusal:
            await api.refund(a_shirt_back(order))

    assert (Refused, 400) == (type(refusal.value), refusal.value.status)
    assert [] == kept.lines[0].refunds


async def test_order_before_its_debit_is_cancelled_whole() -> None:
    """OR29: every line is cancelled, and nobody pays."""
    async with serving(quick(call_limits=True, payment_workflow="PAY_ON_SHIPMENT")) as world:
        kept = world.shop.order_to_ship()
        await world.api().cancel_order(kept.order_id)

    assert "CANCELED" == kept.state
    assert [2, 1] == [line.cancelations[0].quantity for line in kept.lines]
    assert {} == dict(world.shop.marketplace.transactions)


async def test_order_after_its_debit_is_not_cancelled() -> None:
    """OR29 under PAY_ON_ACCEPTANCE: refused; one that nobody knows is not found."""
    async with serving() as world:
        api, kept = world.api(), world.shop.order_to_ship()
        with pytest.raises(Refused) as refusal:
            await api.cancel_order(kept.order_id)
        with pytest.raises(NotFound):
            await api.cancel_order("700-B")

    assert 400 == refusal.value.status
    assert ("SHIPPING", []) == (kept.state, kept.lines[0].cancelations)


async def test_units_before_the_debit_are_cancelled_by_line() -> None:
    """OR30: the amounts of the line fall, what is left can still be shipped."""
    async with serving(quick(call_limits=True, payment_workflow="PAY_ON_SHIPMENT")) as world:
        api, kept = world.api(), world.shop.order_to_ship()
        made = await api.cancel_line(a_shirt_less(await one(api, kept.order_id)))
        after = await one(api, kept.order_id)

    line = kept.lines[0]
    assert [made.reversal_id] == [each.cancelation_id for each in line.cancelations]
    assert made.as_asked
    assert (Money(2400), 1) == (line.price, line.to_ship)
    assert [made.reversal_id] == [each.cancelation_id for each in after.lines[0].cancelations]
    assert (2, Money(2400)) == (after.lines[0].quantity, after.lines[0].price)


@pytest.mark.parametrize(
    ("settings", "quantity", "reason_code"),
    [
        ({}, 1, "34"),
        ({"payment_workflow": "PAY_ON_SHIPMENT"}, 3, "34"),
        ({"payment_workflow": "PAY_ON_SHIPMENT"}, 1, "17"),
    ],
)
async def test_cancelation_that_can_not_be_is_refused(
    settings: dict[str, object], quantity: int, reason_code: str
) -> None:
    """OR30: after the debit, of more units than there are, for a refund's reason."""
    async with serving(quick(call_limits=True, **settings)) as world:
        api, kept = world.api(), world.shop.order_to_ship()
        wanted = a_shirt_less(
            await one(api, kept.order_id), quantity=quantity, reason_code=reason_code
        )
        with pytest.raises(Refused) as refusal:
            await api.cancel_line(wanted)

    assert (Refused, 400) == (type(refusal.value), refusal.value.status)
    assert [] == kept.lines[0].cancelations
    assert Money(4800) == kept.lines[0].price


async def test_cancelation_by_line_that_the_tenant_lacks_is_not_found() -> None:
    """OR30 needs a feature of the tenant's (b.3)."""
    chosen = quick(call_limits=True, payment_workflow="PAY_ON_SHIPMENT", line_cancelation=False)
    async with serving(chosen) as world:
        api, kept = world.api(), world.shop.order_to_ship()
        with pytest.raises(NotFound):
            await api.cancel_line(a_shirt_less(await one(api, kept.order_id)))

    assert [] == kept.lines[0].cancelations
