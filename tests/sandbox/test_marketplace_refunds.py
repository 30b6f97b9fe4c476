"""Refunds keep the contract's states, amounts and refusals (johnlewis b.3, c.3)."""

import pytest

from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiError
from tests.sandbox.marketplace_shop import Shop, parcel_of, quick, refund_of


def test_refund_goes_through_its_states_and_then_makes_its_lines() -> None:
    """WAITING_REFUND, WAITING_REFUND_PAYMENT, REFUNDED; the price and quantity stay."""
    shop = Shop()
    order = shop.received_order()
    (refund,) = shop.marketplace.refund([refund_of(order)])
    states = [refund.state]
    for seconds in (10, 20):
        shop.wait(seconds=seconds)
        states.append(refund.state)
    line = order.lines[0]

    assert states == ["WAITING_REFUND", "WAITING_REFUND_PAYMENT", "REFUNDED"]
    assert (Money(4800), 2, "RECEIVED") == (line.price, line.quantity, line.state)
    made = [each for each in shop.marketplace.transactions.values() if each.refund_id]
    assert [each.amount.amount_minor for each in made] == [-2400, 0, 480, 96]
    assert {"PAYABLE"} == {each.payment_state for each in made}


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "48.01"},
        {"amount": "0", "shipping_amount": "4.00"},
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "1.005"},
        {"amount": "1e99"},
        {"taxes": []},
        {"taxes": [{"code": "VAT5", "amount": "1"}]},
        {"reason_code": "14"},
        {"reason_code": "34"},
        {"reason_code": "99"},
        {"currency_iso_code": "EUR"},
        {"order_line_id": "nobody's"},
    ],
)
def test_refund_when_it_is_wrong_changes_nothing(wrong: dict[str, object]) -> None:
    """A call of several refunds is taken whole or not at all."""
    shop = Shop()
    order = shop.received_order()
    before = shop.marketplace.picture()
    with pytest.raises(ApiError) as refused:
        shop.marketplace.refund([refund_of(order), {**refund_of(order), **wrong}])

    assert refused.value.status == 400
    assert before == shop.marketplace.picture()


def test_refunds_together_cannot_exceed_the_line() -> None:
    """What is left to refund falls with each refund, also within one call."""
    shop = Shop()
    order = shop.received_order()
    with pytest.raises(ApiError):
        shop.marketplace.refund([refund_of(order)] * 3)
    shop.marketplace.refund([refund_of(order)] * 2)
    with pytest.raises(ApiError):
        shop.marketplace.refund([refund_of(order)])

    assert not order.lines[0].refundable


def test_refund_of_a_closed_order_is_refused() -> None:
    """Once an order is CLOSED nothing can be refunded."""
    shop = Shop(quick(closed_after_hours=1))
    order = shop.received_order()
    shop.wait(hours=1)
    with pytest.raises(ApiError):
        shop.marketplace.refund([refund_of(order)])

    assert order.state == "CLOSED"


def test_order_when_every_line_is_refunded_before_shipping_needs_no_parcel() -> None:
    """Out of stock after acceptance: a full refund ends the lines, and the order."""
    shop = Shop()
    order = shop.order_to_ship()
    shop.marketplace.refund(
        [
            refund_of(
                order,
                amount="48.00",
                shipping_amount="3.95",
                quantity=2,
                excluded_from_shipment=True,
                reason_code="15",
            ),
            refund_of(order, 1, amount="15.50", excluded_from_shipment=True, reason_code="15"),
        ]
    )
    to_ship = [line.to_ship for line in order.lines]
    shop.wait(seconds=30)

    assert to_ship == [0, 0]
    assert [line.state for line in order.lines] == ["REFUNDED", "REFUNDED"]
    assert order.state == "CLOSED"
    lines = shop.marketplace.transactions.values()
    assert sum(line.amount.amount_minor for line in lines) == 0
    assert {"PAYABLE"} == {line.payment_state for line in lines}


def test_order_when_one_line_is_refunded_is_shipped_with_the_other() -> None:
    """A unit that was taken out of the shipment is not waited for."""
    shop = Shop()
    order = shop.order_to_ship()
    shop.marketplace.refund([refund_of(order, excluded_from_shipment=True)])
    shop.marketplace.create_shipments([parcel_of(order, {0: 1, 1: 1})])

    assert order.state == "SHIPPED"


def test_refund_where_the_payable_balance_is_too_low_is_refused() -> None:
    """A tenant may refuse refunds that the shop's payable balance can't cover."""
    shop = Shop(quick(refund_needs_payable_balance=True))
    order = shop.order_to_ship()
    with pytest.raises(ApiError):
        shop.marketplace.refund([refund_of(order)])

    assert not order.lines[0].refunds


def test_return_is_refunded_by_the_operator_without_the_shop() -> None:
    """The customer brings units back: their price is refunded, once."""
    shop = Shop()
    order = shop.received_order()
    refund = shop.marketplace.customer_returns(order.lines[0].line_id, 2)
    with pytest.raises(ApiError):
        shop.marketplace.customer_returns(order.lines[0].line_id, 1)

    assert Money(4800) == refund.charge.amount
    assert [Money(800)] == [tax.amount for tax in refund.charge.taxes]
