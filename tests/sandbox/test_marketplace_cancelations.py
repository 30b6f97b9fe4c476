"""What a shop may cancel, line by line, by the payment workflow (johnlewis b.3, OR30)."""

import pytest

from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiError, Order
from tests.sandbox.marketplace_shop import SHIRT, Shop, parcel_of, quick

LATER = ("PAY_ON_SHIPMENT", "PAY_ON_DELIVERY", "PAY_ON_DUE_DATE")
UNPAID = (*LATER, "NO_CUSTOMER_PAYMENT_CONFIRMATION")


def part_of(order: Order, index: int = 0, **fields: object) -> dict[str, object]:
    """One shirt's cancelation, as a client writes it."""
    written: dict[str, object] = {
        "order_line_id": order.lines[index].line_id,
        "amount": "24.00",
        "shipping_amount": "0",
        "quantity": 1,
        "reason_code": "34",
        "taxes": [{"code": "VAT20", "amount": "4.00"}],
    }
    return {**written, **fields}


@pytest.mark.parametrize("workflow", UNPAID)
def test_units_can_be_cancelled_before_the_debit_and_the_amounts_fall(workflow: str) -> None:
    """One of two shirts: price, tax and commission fall; what is left is shipped and billed."""
    shop = Shop(quick(payment_workflow=workflow, due_date_days=1))
    order = shop.order_to_ship()
    (made,) = shop.marketplace.cancel_lines([part_of(order)])
    line = order.lines[0]

    assert (Money(2400), Money(559), Money(112)) == (
        line.price,
        line.commission_fee,
        line.commission_vat,
    )
    assert Money(400) == line.taxes[0].amount
    assert (2, 1, "SHIPPING") == (line.quantity, line.to_ship, line.state)
    assert [made] == line.cancelations
    shop.marketplace.ship(order.order_id)
    shop.wait(hours=24 * 3)
    goods = [
        each.amount
        for each in shop.marketplace.transactions.values()
        if each.kind == "ORDER_AMOUNT"
    ]
    assert [Money(2400), Money(1550)] == goods


def test_nothing_can_be_cancelled_where_the_customer_pays_on_acceptance() -> None:
    """Under PAY_ON_ACCEPTANCE the shop refunds; OR29 and OR30 are refused."""
    shop = Shop()
    order = shop.order_to_ship()
    before = shop.marketplace.picture()
    with pytest.raises(ApiError):
        shop.marketplace.cancel_lines([part_of(order)])
    with pytest.raises(ApiError):
        shop.marketplace.cancel(order.order_id)

    assert before == shop.marketplace.picture()
    assert not shop.marketplace.counter.can_cancel(order)


def test_order_of_which_all_is_cancelled_is_cancelled() -> None:
    """All units of all lines: CANCELED, amounts 0, and no line ever in the account."""
    shop = Shop(quick(payment_workflow="PAY_ON_SHIPMENT"))
    order = shop.order_to_ship()
    shop.marketplace.cancel_lines(
        [
            part_of(
                order,
                amount="48.00",
                shipping_amount="3.95",
                quantity=2,
                taxes=[{"code": "VAT20", "amount": "8.00"}],
                shipping_taxes=[{"code": "VAT20", "amount": "0.66"}],
            ),
            part_of(order, 1, amount="15.50", taxes=[{"code": "VAT20", "amount": "2.58"}]),
        ]
    )

    assert "CANCELED" == order.state
    assert {("CANCELED", Money(0), Money(0), Money(0))} == {
        (line.state, line.price, line.shipping_price, line.commission_fee)
        for line in order.lines
    }
    assert not shop.marketplace.transactions


def test_units_cancelled_after_the_others_left_end_the_order_as_shipped() -> None:
    """One shirt left in a parcel: cancelling the rest leaves nothing to ship."""
    shop = Shop(quick(payment_workflow="PAY_ON_DELIVERY"))
    order = shop.order_to_ship(shirts=2, socks=0)
    shop.marketplace.create_shipments([parcel_of(order, {0: 1})])
    shop.marketplace.cancel_lines([part_of(order)])

    assert ("SHIPPED", "SHIPPED") == (order.state, order.lines[0].state)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 0},
        {"quantity": 3},
        {"amount": "48.01"},
        {"amount": "0"},
        {"taxes": []},
        {"reason_code": "35"},
        {"reason_code": "17"},
        {"order_line_id": "nobody's"},
        {"currency_iso_code": "EUR"},
    ],
)
def test_cancelation_when_it_is_wrong_changes_nothing(wrong: dict[str, object]) -> None:
    """A call of several is taken whole or not at all; so is one without its quantity."""
    shop = Shop(quick(payment_workflow="PAY_ON_SHIPMENT"))
    order = shop.order_to_ship()
    before = shop.marketplace.picture()
    with pytest.raises(ApiError) as refused:
        shop.marketplace.cancel_lines([part_of(order), {**part_of(order), **wrong}])

    assert 400 == refused.value.status
    assert before == shop.marketplace.picture()


def test_cancelation_without_a_quantity_is_refused() -> None:
    """The quantity is mandatory here, unlike in a refund."""
    shop = Shop(quick(payment_workflow="PAY_ON_SHIPMENT"))
    order = shop.order_to_ship()
    part = part_of(order)
    del part["quantity"]
    with pytest.raises(ApiError):
        shop.marketplace.cancel_lines([part])

    assert not order.lines[0].cancelations


def test_cancelled_units_go_back_on_the_offer_where_the_tenant_has_it_so() -> None:
    """As a rule the quantity stays down; a tenant may put it back."""
    figures = {}
    for put_back in (False, True):
        shop = Shop(quick(payment_workflow="PAY_ON_SHIPMENT", offer_put_back=put_back))
        order = shop.order_to_ship()
        shop.marketplace.cancel_lines([part_of(order)])
        figures[put_back] = shop.marketplace.offered(SHIRT)

    assert {False: 8, True: 9} == figures


def test_rest_of_a_line_cancelled_with_its_order_takes_its_shipping_along() -> None:
    """After OR30 of one unit OR29 leaves nothing on the line."""
    shop = Shop(quick(payment_workflow="PAY_ON_SHIPMENT"))
    order = shop.order_to_ship()
    shop.marketplace.cancel_lines([part_of(order)])
    shop.marketplace.cancel(order.order_id)

    assert "CANCELED" == order.state
    assert {Money(0)} == {
        amount
        for line in order.lines
        for amount in (
            line.price,
            line.shipping_price,
            line.commission_fee,
            line.commission_vat,
        )
    }
