"""Incidents hold a line and its billing until they are ended (johnlewis c.2, OR64)."""

import pytest

from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiError, Order
from tests.sandbox.marketplace_shop import Shop, quick, refund_of


def states_of(shop: Shop, order: Order, index: int) -> set[str]:
    """Payment states of an order line's transaction lines."""
    line_id = order.lines[index].line_id
    lines = shop.marketplace.transactions.values()
    return {line.payment_state for line in lines if line.order_line_id == line_id}


def test_incident_shows_on_its_line_and_holds_its_billing_alone() -> None:
    """The line is INCIDENT_OPEN, its money PENDING; the other line is paid at the cycle."""
    shop = Shop()
    order = shop.received_order()
    shop.marketplace.open_incident(order.lines[0].line_id)
    cycle = shop.marketplace.run_cycle()

    assert ["INCIDENT_OPEN", "RECEIVED"] == [line.state for line in order.lines]
    assert order.has_incident
    assert order.lines[0].reason is not None
    assert {"PENDING"} == states_of(shop, order, 0)
    assert {"PAID"} == states_of(shop, order, 1)
    assert cycle is not None
    assert Money(1550 - 310 - 62) == cycle.amount_to_seller


def test_incident_before_delivery_keeps_its_line_pending_when_the_order_is_received() -> None:
    """The order goes on; the line shows its incident, and is RECEIVED once it is resolved."""
    shop = Shop()
    order = shop.order_to_ship()
    shop.marketplace.ship(order.order_id)
    shop.marketplace.open_incident(order.lines[0].line_id)
    shop.wait(hours=24)
    seen = (order.state, order.lines[0].state, states_of(shop, order, 0))
    shop.marketplace.resolve_incident(order.order_id, order.lines[0].line_id, "21")

    assert ("RECEIVED", "INCIDENT_OPEN", {"PENDING"}) == seen
    assert ("RECEIVED", {"PAYABLE"}) == (order.lines[0].state, states_of(shop, order, 0))
    assert not order.has_incident


def test_incident_is_ended_by_a_refund_on_its_line() -> None:
    """Money given back settles the complaint; a full refund makes the line REFUNDED."""
    shop = Shop()
    order = shop.received_order()
    for line in order.lines:
        shop.marketplace.open_incident(line.line_id)
    shop.marketplace.refund(
        [refund_of(order), refund_of(order, 1, amount="15.50", shipping_taxes=[])]
    )
    before = [line.state for line in order.lines]
    shop.wait(seconds=30)

    assert ["INCIDENT_OPEN", "INCIDENT_OPEN"] == before
    assert ["RECEIVED", "REFUNDED"] == [line.state for line in order.lines]
    assert {"PAYABLE"} == states_of(shop, order, 0) | states_of(shop, order, 1)


def test_order_with_an_open_incident_is_not_closed() -> None:
    """The timer that closes orders waits for the incident's end."""
    shop = Shop(quick(closed_after_hours=10))
    order = shop.received_order()
    shop.marketplace.open_incident(order.lines[0].line_id)
    shop.wait(hours=25)
    held = order.state
    shop.marketplace.close_incident(order.lines[0].line_id)
    shop.wait(hours=10)

    assert ("RECEIVED", "CLOSED") == (held, order.state)


def test_incident_where_billing_is_not_held_is_paid_all_the_same() -> None:
    """Holding the billing is the tenant's choice."""
    shop = Shop(quick(incident_holds_billing=False))
    order = shop.received_order()
    shop.marketplace.open_incident(order.lines[0].line_id)

    assert {"PAYABLE"} == states_of(shop, order, 0)


def test_incident_that_is_not_possible_is_refused_and_changes_nothing() -> None:
    """Not before shipping, not twice; only an open one ends, for a reason of the shop's."""
    shop = Shop()
    order = shop.order_to_ship()
    line_id = order.lines[0].line_id
    with pytest.raises(ApiError):
        shop.marketplace.open_incident(line_id)
    shop.marketplace.ship(order.order_id)
    with pytest.raises(ApiError):
        shop.marketplace.resolve_incident(order.order_id, line_id, "21")
    shop.marketplace.open_incident(line_id)
    before = shop.marketplace.picture()
    for wrong in ("17", "23", "nothing"):
        with pytest.raises(ApiError):
            shop.marketplace.resolve_incident(order.order_id, line_id, wrong)
    with pytest.raises(ApiError):
        shop.marketplace.open_incident(line_id)

    assert before == shop.marketplace.picture()
