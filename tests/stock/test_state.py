"""Stock, the fold: what is in flight, what is shown, and which imports are on their way."""

import pytest

from kcjl.in_flight import InFlight
from kcjl.orders.events import OrderPassedOver
from kcjl.stock.events import (
    Figure,
    ImportLineRefused,
    StockImportFailed,
    StockImportFinished,
    StockImportIntended,
    StockImportSent,
    StockImportUnknown,
)
from kcjl.stock.policy_book import POLICY_BOOK
from kcjl.stock.publishing_state import PUBLISHES, Publish
from kcjl.stock.state import PRODUCTS, Match, Product
from kcjl.vocabulary import Event
from tests.trade import (
    SHIPPING,
    at,
    changed,
    confirmed,
    folded,
    level,
    listed,
    made_of,
    ordered,
    posted,
    received,
    stands,
    unmatched,
)

ORDER = received("O1", ordered("O1-1", "A-1", 2), ordered("O1-2", "a-1", 1), state=SHIPPING)


def product(*events: Event) -> Product:
    return made_of(PRODUCTS, "a-1", *events)


def figure(sku: str, quantity: int) -> Figure:
    return Figure(
        sku=sku,
        quantity=quantity,
        level=made_of(PRODUCTS, "a-1", level(quantity)).level,
        in_flight=0,
        buffer=0,
        level_read_at=at(1),
        orders_read_at=at(2),
    )


INTENDED = StockImportIntended(
    publish_id="P1",
    figures=(figure("A-1", 3), figure("a-1", 2)),
    policy_version=1,
    occurred_at=at(3),
)
SENT = StockImportSent(publish_id="P1", import_id="77", skus=("A-1", "a-1"), occurred_at=at(3))
UNKNOWN = StockImportUnknown(
    publish_id="P1", message="no answer", skus=("A-1", "a-1"), occurred_at=at(4)
)
FAILED = StockImportFailed(
    publish_id="P1", message="gave up", skus=("A-1", "a-1"), occurred_at=at(4)
)
FINISHED = StockImportFinished(
    publish_id="P1",
    import_id="77",
    skus=("A-1", "a-1"),
    refused=(ImportLineRefused(sku="a-1", message="no such offer"),),
    occurred_at=at(4),
)


def test_two_spellings_are_one_product() -> None:
    """The ERP compares codes without case, and so does the shelf."""
    entry = product(listed("A-1"), listed("a-1"), listed("A-1"))

    assert ("A-1", "a-1") == tuple(each.sku for each in entry.shown)
    assert "A-1" == entry.spelling


def test_spelling_is_the_erps_then_the_offers_then_the_orders() -> None:
    """The ERP is asked by the best spelling that there is."""
    assert "a-1" == Product(key="a-1").spelling
    assert "A-1" == product(received(state=SHIPPING)).spelling
    assert "A-1" == product(confirmed("a-1")).spelling


def test_received_order_is_in_flight_at_once() -> None:
    """From first sight on an order's units are not offered again."""
    assert (
        InFlight(order_id="O1", line_id="O1-1", units=2),
        InFlight(order_id="O1", line_id="O1-2", units=1),
    ) == product(ORDER).in_flight


@pytest.mark.parametrize("state", ["SHIPPED", "CLOSED", "CANCELED", "REFUSED"])
def test_received_order_that_is_over_is_not_in_flight(state: str) -> None:
    """What was shipped or ended before we saw it takes nothing from the shelf."""
    assert () == product(received(state=state)).in_flight


def test_received_order_of_another_warehouse_is_not_in_flight() -> None:
    """What others ship comes off their shelf."""
    assert () == product(received(state=SHIPPING, fulfilled_by_us=False)).in_flight


def test_order_passed_over_leaves_flight() -> None:
    """An order that is never posted by us holds nothing back."""
    passed = OrderPassedOver(
        order_id="O1", reason="too old", skus=("A-1", "a-1"), occurred_at=at(1)
    )
    other = received("O2", state=SHIPPING)

    assert ("O2",) == tuple(each.order_id for each in product(ORDER, other, passed).in_flight)


def test_cancelled_line_leaves_flight_before_posting() -> None:
    """A line that is cancelled before the ERP has it is on the shelf again."""
    one, other = ORDER.lines
    change = changed(ORDER, SHIPPING, stands(one, "CANCELED"), stands(other))

    assert 1 == product(ORDER, change).units_in_flight


def test_cancelled_line_stays_in_flight_after_posting() -> None:
    """What the ERP has taken is only given back by what the ERP then shows."""
    cancelled = changed(ORDER, "CANCELED", minutes=9)

    assert 3 == product(ORDER, posted(ORDER), cancelled).units_in_flight


def test_level_lets_go_only_what_was_taken_before_it_began() -> None:
    """Units leave flight by a level that was read after the ERP had them."""
    taken = (ORDER, posted(ORDER, minutes=8))

    assert 3 == product(ORDER, level(9, minutes=20)).units_in_flight
    assert 3 == product(*taken, level(9, minutes=7)).units_in_flight
    assert 3 == product(*taken, level(9, minutes=8)).units_in_flight
    assert 0 == product(*taken, level(9, minutes=9)).units_in_flight


def test_refused_line_makes_what_is_shown_unknown() -> None:
    """The marketplace puts a refused line's offer to 0 itself: the figure is said again."""
    one, other = ORDER.lines
    change = changed(ORDER, SHIPPING, stands(one, "REFUSED"), stands(other))
    entry = product(listed(), INTENDED, ORDER, change)

    assert (None,) == tuple(each.quantity for each in entry.shown)


@pytest.mark.parametrize("state", ["CANCELED", "WAITING_DEBIT", "SHIPPING"])
def test_line_that_moves_the_offer_there_makes_what_is_shown_unknown(state: str) -> None:
    """Units that a cancelation put back were shown and not there: the simulation, seed 1.

    An acceptance may take them off the offer likewise (issue 6): the figure is said again.
    """
    one, other = ORDER.lines
    change = changed(ORDER, SHIPPING, stands(one, state), stands(other, "SHIPPED"))
    entry = product(listed(), INTENDED, ORDER, change)

    assert (None,) == tuple(each.quantity for each in entry.shown)


def test_unmatched_sku_has_no_level() -> None:
    """A code that is gone from the ERP has no stock any more."""
    entry = product(confirmed(), level(9), unmatched("A-1", "A-11"))

    assert (Match.UNMATCHED, "", ("A-11",), None) == (
        entry.match,
        entry.stock_code,
        entry.nearest,
        entry.levels,
    )


def test_import_intended_is_what_is_shown_from_then_on() -> None:
    """What was sent is taken as shown until the import says otherwise."""
    entry = product(listed("A-1"), listed("a-1"), listed("A-1 "), INTENDED)

    assert (3, 2) == tuple(each.quantity for each in entry.shown)


@pytest.mark.parametrize("outcome", [UNKNOWN, FAILED])
def test_import_without_success_makes_what_is_shown_unknown(outcome: Event) -> None:
    """A lost answer and a failed import are followed by fresh figures."""
    entry = product(listed("A-1"), listed("a-1"), INTENDED, outcome)

    assert (None, None) == tuple(each.quantity for each in entry.shown)


def test_import_finished_names_the_refused_lines_and_clears_the_others() -> None:
    """A line that the marketplace refused is marked until it is taken."""
    entry = product(listed("A-1"), listed("a-1"), INTENDED, FINISHED)

    assert ("", "no such offer") == tuple(each.refused for each in entry.shown)


def test_publish_is_on_its_way_until_it_has_an_outcome() -> None:
    """Intended, then sent under the marketplace's number, then gone."""
    skus = ("A-1", "a-1")

    assert Publish(publish_id="P1", skus=skus, intended_at=at(3)) == folded(
        PUBLISHES, "P1", [INTENDED]
    )
    assert Publish(publish_id="P1", skus=skus, import_id="77", intended_at=at(3)) == folded(
        PUBLISHES, "P1", [INTENDED, SENT]
    )
    for outcome in (UNKNOWN, FAILED, FINISHED):
        assert folded(PUBLISHES, "P1", [INTENDED, SENT, outcome]) is None


def test_policy_has_no_entry_before_a_buffer_is_set() -> None:
    """No policy is known before one was said."""
    assert folded(POLICY_BOOK, "policy", [listed()]) is None
