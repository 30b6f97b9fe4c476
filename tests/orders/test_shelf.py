"""What there is for an order: counted as the stock room counts, less what stands in front."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.dispatch.events import SalesOrderNotShown
from kcjl.fold import Table
from kcjl.orders.events import (
    OrderChanged,
    OrderPassedOver,
    OrderReceived,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderPosted,
)
from kcjl.orders.events_changes import LineWithdrawn
from kcjl.orders.shelf import SHELVES, Short
from kcjl.stock.events import LevelRead, SkuConfirmed, SkuUnmatched
from kcjl.stock.state import PRODUCTS
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.orders.test_acceptance import shelves
from tests.patience import unhurried
from tests.trade import at, changed, confirmed, gbp, level, not_shown, ordered, posted, received

TWO = received("O1", minutes=5)
OLDER = received("O0", ordered("O0-1"), minutes=0)
YOUNGER = received("O2", ordered("O2-1"), minutes=9)


def short_of_two(*events: Event) -> tuple[Short, ...] | None:
    """What is not there of the two A-1 of order O1."""
    return shelves(*events).short_of("O1", TWO.lines)


@pytest.mark.parametrize(
    ("events", "there"),
    [
        ((confirmed(), level(2), TWO), True),
        ((confirmed(), level(1), TWO), False),
        ((confirmed(), level("2.75"), TWO), True),
        ((confirmed(), level(3), OLDER, TWO), False),
        ((confirmed(), level(3), TWO, OLDER), False),
        ((confirmed(), level(2), TWO, YOUNGER), True),
        ((confirmed(), level(2), OLDER, changed(OLDER, "REFUSED"), TWO), True),
        ((confirmed(), level(2), OLDER, posted(OLDER), level(2, minutes=9), TWO), True),
        ((confirmed(), level(2), OLDER, posted(OLDER), level(2, minutes=7), TWO), False),
        ((confirmed(stock_controlled=False), TWO), True),
        ((confirmed(), level(0, status=5), TWO), True),
        (
            (
                confirmed(),
                level(2),
                OLDER,
                posted(OLDER),
                level(2, minutes=9),
                not_shown(OLDER),
                TWO,
            ),
            False,
        ),
        (
            (
                confirmed(),
                level(2),
                YOUNGER,
                posted(YOUNGER),
                level(2, minutes=19),
                not_shown(YOUNGER),
                TWO,
            ),
            True,
        ),
    ],
)
def test_stock_is_there_when_the_level_covers_it_after_older_orders(
    events: tuple[Event, ...],
    *,
    there: bool,
) -> None:
    """Younger orders wait; refused ones, and what the level lacks already, do not count."""
    assert there == (short_of_two(*events) == ())


def test_lines_of_one_sku_are_added_up() -> None:
    """Two lines of two each need four."""
    order = received("O1", ordered("O1-1", "A-1"), ordered("O1-2", "a-1"))

    (short,) = shelves(confirmed(), level(3), order).short_of("O1", order.lines) or ()

    assert (4, 3, 0) == (short.wanted, short.level, short.in_front)


def test_skus_of_one_stock_code_share_its_level() -> None:
    """An alias is no second heap of stock: an older order under the other name is in front."""
    alias = SkuConfirmed(
        sku="JL-1",
        stock_code="A-1",
        discontinued=False,
        run_to_zero=False,
        stock_controlled=True,
        sales_multiple=None,
        display_cap=None,
        occurred_at=at(),
    )
    older = received("O0", ordered("O0-1", "JL-1", 3))

    (short,) = short_of_two(confirmed(), alias, level(4), level(4, "JL-1"), older, TWO) or ()

    assert (4, 3) == (short.level, short.in_front)


def test_what_is_in_front_follows_what_happens() -> None:
    """A cancelled order makes room at once: nothing is remembered of a former answer."""
    levels = (confirmed(), level(3), OLDER, TWO)
    kept = shelves(*levels)
    before = kept.short_of("O1", TWO.lines)
    kept._shelves.apply(changed(OLDER, "CANCELED"))

    assert before
    assert () == kept.short_of("O1", TWO.lines)


def test_units_withdrawn_of_an_older_order_make_room() -> None:
    """What was paid back before the posting is never posted: the next order has it."""
    withdrawn = LineWithdrawn(
        order_id="O0",
        line_id="O0-1",
        sku="A-1",
        units=1,
        amount=gbp(1_000),
        shipping_amount=gbp(0),
        occurred_at=at(3),
    )

    assert short_of_two(confirmed(), level(3), OLDER, TWO)
    assert () == short_of_two(confirmed(), level(3), OLDER, withdrawn, TWO)


HEARD = (
    SkuConfirmed,
    SkuUnmatched,
    LevelRead,
    OrderReceived,
    OrderChanged,
    OrderPassedOver,
    LineWithdrawn,
    SalesOrderPosted,
    SalesOrderNotShown,
    SalesOrderFoundAgain,
    SalesOrderForgone,
)


@given(st.lists(any_events(*HEARD), max_size=30))
@unhurried
def test_units_are_in_flight_as_the_stock_room_has_them(events: list[Event]) -> None:
    """Two rooms count the same units, whatever happens: what we offer is what we accept."""
    ours, theirs = Table(SHELVES), Table(PRODUCTS)
    for event in events:
        ours.apply(event)
        theirs.apply(event)

    for key, product in theirs.items():
        shelf = ours[key]
        assert [
            (each.order_id, each.line_id, each.units, each.taken_by)
            for each in product.in_flight
        ] == [
            (each.order_id, each.line_id, each.units, each.taken_by) for each in shelf.in_flight
        ]
        if product.levels is not None and shelf.level is not None:
            assert product.level == shelf.level
