"""Offers, baskets and acceptance keep the contract's states and switches (johnlewis c.3)."""

from datetime import timedelta

import pytest

from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiError, BasketLine, MarketplaceSettings
from tests.sandbox.marketplace_shop import (
    ADA,
    SHIRT,
    SOCKS,
    Shop,
    parcel_of,
    quick,
)

# ── offers and baskets ────────────────────────────────────────────────────────────────────────


def test_offer_when_listed_shows_nothing_until_the_seller_publishes() -> None:
    """A new offer has quantity 0: there is nothing to sell before the seller says so."""
    shop = Shop()
    shop.marketplace.list_offer("NEW", price=Money(100), title="New")

    assert shop.marketplace.offered("NEW") == 0


def test_order_when_placed_lowers_the_offer_and_has_the_ids_of_the_contract() -> None:
    """An order lowers the shown quantity at creation; its ids have the platform's forms."""
    shop = Shop()
    order = shop.order(shirts=2, socks=1)

    assert (shop.marketplace.offered(SHIRT), shop.marketplace.offered(SOCKS)) == (8, 9)
    assert (order.commercial_id, order.order_id) == ("700000001", "700000001-A")
    assert [line.line_id for line in order.lines] == ["700000001-A-1", "700000001-A-2"]
    assert order.customer_order_number.startswith("JL")
    assert len(order.customer_order_number) == 11


def test_basket_when_one_line_is_short_sells_the_others() -> None:
    """A line of which less is shown than wanted is not sold, and is named."""
    shop = Shop()
    basket = [
        BasketLine(sku=SHIRT, quantity=11, unit_price=Money(2400)),
        BasketLine(sku=SOCKS, quantity=1, unit_price=Money(1550)),
    ]
    placed = shop.marketplace.place_order(basket, ADA)

    assert placed is not None
    assert [line.sku for line in placed.lines] == [SOCKS]
    assert [line.sku for line in placed.unsold] == [SHIRT]
    assert shop.marketplace.offered(SHIRT) == 10


def test_basket_when_the_same_sku_is_twice_counts_both_lines() -> None:
    """Two lines of one SKU can't sell the same units."""
    shop = Shop()
    line = BasketLine(sku=SHIRT, quantity=6, unit_price=Money(2400))
    placed = shop.marketplace.place_order([line, line], ADA)

    assert placed is not None
    assert (len(placed.lines), len(placed.unsold)) == (1, 1)


@pytest.mark.parametrize("quantity", [0, -3])
def test_basket_with_no_units_places_no_order(quantity: int) -> None:
    """Nothing, or less, can't be ordered."""
    shop = Shop()
    basket = [BasketLine(sku=SHIRT, quantity=quantity, unit_price=Money(2400))]

    assert shop.marketplace.place_order(basket, ADA, beyond_the_window=True) is None


def test_order_beyond_the_window_is_sold_and_the_offer_stays_at_zero() -> None:
    """A basket filled before the offer ran out is an oversell; a quantity is never below 0."""
    shop = Shop()
    order = shop.order(shirts=12, beyond_the_window=True)

    assert order.lines[0].quantity == 12
    assert shop.marketplace.offered(SHIRT) == 0


# ── acceptance ────────────────────────────────────────────────────────────────────────────────


def test_order_when_accepted_is_debited_and_then_ready_to_ship() -> None:
    """Accepted, waiting for the debit, waiting for its payment, shipping: in this order."""
    shop = Shop()
    seen: list[str] = []
    shop.marketplace.on_order_state.append(lambda _, state: seen.append(state))
    order = shop.order()
    shop.wait(seconds=30)
    before = order.updated_at
    shop.decide(order)
    shop.wait(seconds=60)

    assert seen == ["WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING"]
    assert {"SHIPPING"} == {line.state for line in order.lines}
    assert order.decided_at is not None
    assert order.debited_at is not None
    assert order.updated_at > before


def test_accept_when_a_line_is_refused_empties_its_offer() -> None:
    """A refused line is REFUSED, its offer shows 0, and the rest of the order goes on."""
    shop = Shop()
    order = shop.order()
    shop.decide(order, False, True)
    shop.wait(seconds=60)

    assert [line.state for line in order.lines] == ["REFUSED", "SHIPPING"]
    assert (shop.marketplace.offered(SHIRT), shop.marketplace.offered(SOCKS)) == (0, 9)
    amounts = [
        line for line in shop.marketplace.transactions.values() if line.kind == "ORDER_AMOUNT"
    ]
    assert [Money(1550)] == [line.amount for line in amounts]


def test_accept_when_all_lines_are_refused_ends_the_order() -> None:
    """An order with no accepted line is REFUSED, and makes no transaction line."""
    shop = Shop()
    order = shop.order()
    shop.decide(order, False, False)
    shop.wait(hours=100)

    assert order.state == "REFUSED"
    assert not shop.marketplace.transactions


def test_order_without_a_decision_in_time_is_refused_by_the_platform() -> None:
    """After the acceptance time-out an order is refused; nobody decided it."""
    shop = Shop(quick(acceptance_timeout_hours=4))
    order = shop.order()
    shop.wait(hours=4)

    assert order.state == "REFUSED"
    assert order.decided_at is None
    assert order.reason is not None


@pytest.mark.parametrize(
    ("decisions", "code"),
    [
        ([{"id": "700000001-A-1", "accepted": True}], "ORDER_LINE_ACCEPTANCE_DECISION_MISSING"),
        (
            [{"id": "700000001-A-1", "accepted": True}, {"id": "700000001-A-2"}],
            "ORDER_LINE_ACCEPTANCE_DECISION_MISSING",
        ),
        ([{"id": "700000001-A-1", "accepted": True}] * 2, "ORDER_LINE_DUPLICATE_ID"),
        ([{"id": "700000001-A-9", "accepted": True}], "ORDER_LINE_NOT_FOUND"),
        ([None], "ORDER_LINE_NULL_ELEMENT"),
    ],
)
def test_accept_when_the_decisions_are_wrong_changes_nothing(
    decisions: list[dict[str, object] | None], code: str
) -> None:
    """Every line is decided once, in the one call, or the call is refused with its code."""
    shop = Shop()
    order = shop.order()
    before = shop.marketplace.picture()
    with pytest.raises(ApiError) as refused:
        shop.marketplace.accept(order.order_id, decisions)

    assert (400, code) == (refused.value.status, refused.value.code)
    assert before == shop.marketplace.picture()


def test_accept_a_second_time_is_refused_by_state() -> None:
    """OR21 is possible in WAITING_ACCEPTANCE only."""
    shop = Shop()
    order = shop.order()
    shop.decide(order)
    with pytest.raises(ApiError) as refused:
        shop.decide(order)

    assert refused.value.code == "ORDER_INVALID_STATE"


def test_accept_in_part_where_it_is_off_is_refused() -> None:
    """The tenant may allow whole orders only."""
    shop = Shop(quick(partial_acceptance=False))
    order = shop.order()
    with pytest.raises(ApiError) as refused:
        shop.decide(order, True, False)

    assert refused.value.code == "ORDER_PARTIAL_ACCEPTANCE_DISABLED"
    assert {"WAITING_ACCEPTANCE"} == {line.state for line in order.lines}


def test_order_where_acceptance_is_automatic_needs_no_decision() -> None:
    """With auto-accept an order comes to SHIPPING by itself, with no decision date."""
    shop = Shop(quick(auto_accept=True))
    order = shop.order_to_ship()

    assert order.decided_at is None


def test_order_when_the_debit_fails_is_cancelled_and_the_stock_stays_down() -> None:
    """A failed payment is waited for, then the order is cancelled; the quantity stays down."""
    shop = Shop(quick(failing_debit_share=1))
    order = shop.order()
    shop.decide(order)
    shop.wait(hours=30 * 24 - 1)

    assert order.state == "WAITING_DEBIT_PAYMENT"
    shop.wait(hours=1)

    assert order.state == "CANCELED"
    assert {Money(0)} == {line.price for line in order.lines}
    assert shop.marketplace.offered(SHIRT) == 8
    assert not shop.marketplace.transactions


# ── settings ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_keys": ()},
        {"shipping_types": ()},
        {"failing_debit_share": 1.5},
        {"cycle_every_days": 0},
        {"cycle_every_hours": 0.0},
        {"cycle_days_of_month": ()},
        {"cycle_days_of_month": (31,)},
        {"cycle_time": "25:00"},
        {"debit_delay_s_min": 5, "debit_delay_s_max": 4},
    ],
)
def test_settings_with_which_no_world_can_run_are_refused(wrong: dict[str, object]) -> None:
    """A tenant that can't work is refused when it is set up, not days later."""
    with pytest.raises(ValueError, match=r".+"):
        quick(**wrong)


# ── the world again ───────────────────────────────────────────────────────────────────────────


def a_month(*, step: timedelta) -> bytes:
    """A month of trade with chance in it, the world moved on in steps of one size."""
    shop = Shop(
        MarketplaceSettings(
            failing_debit_share=0.2,
            subscription_fee=Money(100),
            acceptance_timeout_hours=30,
            cycle_every_days=3,
        )
    )
    begin = shop.agenda.now
    for hour in range(0, 30 * 24, 12):
        until = begin + timedelta(hours=hour)
        while shop.agenda.now < until:
            shop.agenda.advance(min(until, shop.agenda.now + step))
        if hour % 48 == 0:
            shop.marketplace.import_stock(f"offer-sku;quantity\n{SHIRT};9\n{SOCKS};9")
        shop.order(shirts=1 + hour % 3, beyond_the_window=True)
        for order in list(shop.marketplace.orders.values()):
            if order.state == "WAITING_ACCEPTANCE" and hour % 36:
                shop.decide(order)
            elif order.state == "SHIPPING":
                shop.marketplace.create_shipments([parcel_of(order, {0: 1})])
    return shop.marketplace.picture()


def test_world_of_the_same_calls_at_the_same_times_is_the_same_byte_for_byte() -> None:
    """Replaying a journal gives the world again, however often the clock is looked at."""
    assert a_month(step=timedelta(hours=12)) == a_month(step=timedelta(minutes=47))
