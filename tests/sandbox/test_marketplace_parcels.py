"""Parcels, tracking and cancelling keep the contract's states and switches (johnlewis c.3)."""

import pytest

from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiError
from tests.sandbox.marketplace_shop import SHIRT, Shop, parcel_of, quick


def test_order_when_shipped_in_parcels_is_shipped_when_nothing_is_left() -> None:
    """Units are counted per line; the order stays SHIPPING until the last one has left."""
    shop = Shop()
    order = shop.order_to_ship()
    first = shop.marketplace.create_shipments([parcel_of(order, {0: 1})])
    states = [(order.state, *(line.state for line in order.lines))]
    second = shop.marketplace.create_shipments([parcel_of(order, {0: 1, 1: 1})])
    states.append((order.state, *(line.state for line in order.lines)))

    assert states == [("SHIPPING", "SHIPPING", "SHIPPING"), ("SHIPPED", "SHIPPED", "SHIPPED")]
    assert [first[0].message, second[0].message] == [None, None]


def test_shipment_of_more_than_is_left_is_refused_for_itself() -> None:
    """Each item of ST01 stands for itself: a wrong one has a message, the others are done."""
    shop = Shop()
    order, other = shop.order_to_ship(), shop.order_to_ship()
    unready = shop.order()
    outcomes = shop.marketplace.create_shipments(
        [parcel_of(order, {0: 3}), parcel_of(other, {0: 2, 1: 1}), parcel_of(unready, {0: 1})]
    )

    assert [outcome.shipment is None for outcome in outcomes] == [True, False, True]
    assert "WAITING_ACCEPTANCE" in (outcomes[2].message or "")
    assert (order.state, other.state) == ("SHIPPING", "SHIPPED")


def test_shipment_when_made_first_and_shipped_later_holds_its_units() -> None:
    """Units in a parcel that has not left can't be put into another one."""
    shop = Shop()
    order = shop.order_to_ship()
    made = shop.marketplace.create_shipments([parcel_of(order, {0: 2, 1: 1}, shipped=False)])
    again = shop.marketplace.create_shipments([parcel_of(order, {0: 1})])
    shipment = made[0].shipment
    assert shipment is not None
    assert (order.state, shipment.status) == ("SHIPPING", "SHIPPING")
    shop.marketplace.ship_shipments([shipment.shipment_id])

    assert again[0].shipment is None
    assert (order.state, shipment.status) == ("SHIPPED", "SHIPPED")


def test_shipments_where_multi_shipment_is_off_are_not_found() -> None:
    """Without the feature ST01 answers 404, and OR23 with OR24 is the way."""
    shop = Shop(quick(multi_shipment=False))
    order = shop.order_to_ship()
    with pytest.raises(ApiError) as refused:
        shop.marketplace.create_shipments([parcel_of(order, {0: 1})])
    shop.marketplace.set_tracking(
        order.order_id, {"carrier_code": "RM", "tracking_number": "AB1"}
    )
    shop.marketplace.ship(order.order_id)

    assert refused.value.status == 404
    assert order.state == "SHIPPED"
    assert not shop.marketplace.shipments


def test_ship_without_tracking_where_it_is_mandatory_is_refused() -> None:
    """A shipping type may ask for tracking; then OR24 without OR23 fails."""
    shop = Shop(quick(mandatory_tracking=True))
    order = shop.order_to_ship()
    with pytest.raises(ApiError):
        shop.marketplace.ship(order.order_id)
    outcomes = shop.marketplace.create_shipments([parcel_of(order, {0: 1}, tracking=None)])

    assert order.state == "SHIPPING"
    assert outcomes[0].shipment is None


@pytest.mark.parametrize(
    ("tracking", "listed_only", "taken"),
    [
        ({"carrier_code": "RM", "tracking_number": "AB1"}, True, True),
        ({"carrier_code": "RM"}, True, False),
        ({"carrier_code": "YODEL"}, True, True),
        ({"carrier_code": "NOBODY", "tracking_number": "AB1"}, True, False),
        ({"carrier_standard_code": "evri", "tracking_number": "AB1"}, True, True),
        ({"carrier_name": "Our van", "tracking_number": "AB1"}, True, False),
        ({"carrier_name": "Our van", "tracking_number": "AB1"}, False, True),
        ({"tracking_number": "AB1"}, False, False),
    ],
)
def test_tracking_is_taken_by_the_rules_of_the_carrier_list(
    tracking: dict[str, str | None], *, listed_only: bool, taken: bool
) -> None:
    """A registered carrier by code, with a number where its URL needs one; or a free name."""
    shop = Shop(quick(listed_carriers_only=listed_only))
    order = shop.order_to_ship()
    outcome = True
    try:
        shop.marketplace.set_tracking(order.order_id, tracking)
    except ApiError:
        outcome = False

    assert taken == outcome
    assert taken == (order.tracking is not None)


def test_order_not_shipped_in_time_is_cancelled_where_the_operator_says_so() -> None:
    """The late-shipment rule cancels what has not left, and reverses what was paid."""
    shop = Shop(quick(late_shipment_cancel_hours=1))
    order = shop.order_to_ship()
    shop.marketplace.create_shipments([parcel_of(order, {0: 1})])
    shop.wait(hours=70)

    assert [line.cancelations and line.state for line in order.lines] == ["SHIPPED", "CANCELED"]
    assert [line.cancelations[0].quantity for line in order.lines] == [1, 1]
    assert order.lines[0].price == Money(2400)
    assert order.state == "SHIPPED"


def test_order_cancelled_by_the_operator_before_the_debit_leaves_no_line() -> None:
    """Amounts cancelled before the debit never reach the account; the amounts fall to 0."""
    shop = Shop()
    order = shop.order()
    shop.marketplace.operator_cancels(order.order_id)
    shop.wait(hours=100)

    assert order.state == "CANCELED"
    assert {Money(0)} == {line.price for line in order.lines}
    assert not shop.marketplace.transactions
    assert shop.marketplace.offered(SHIRT) == 8


def test_order_cancelled_by_the_operator_after_the_debit_comes_to_nothing() -> None:
    """What was paid is reversed to the penny, and both sides become payable."""
    shop = Shop()
    order = shop.order_to_ship()
    shop.marketplace.operator_cancels(order.order_id)
    lines = shop.marketplace.transactions.values()

    assert order.state == "CANCELED"
    assert sum(line.amount.amount_minor for line in lines) == 0
    assert {"PAYABLE"} == {line.payment_state for line in lines}


def test_cancel_by_the_shop_depends_on_the_payment_workflow() -> None:
    """Under PAY_ON_ACCEPTANCE a shop must refund; before a later debit it may cancel."""
    paid, unpaid = Shop(), Shop(quick(payment_workflow="PAY_ON_SHIPMENT"))
    paid_order, unpaid_order = paid.order_to_ship(), unpaid.order_to_ship()
    with pytest.raises(ApiError):
        paid.marketplace.cancel(paid_order.order_id)
    unpaid.marketplace.cancel(unpaid_order.order_id)

    assert (paid_order.state, unpaid_order.state) == ("SHIPPING", "CANCELED")
