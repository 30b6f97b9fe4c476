"""Stock, the laws: never offer what is not there, and never forget what is on its way."""

import math
from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.orders.events import (
    OrderChanged,
    OrderPassedOver,
    OrderReceived,
    OrdersRead,
    SalesOrderPosted,
)
from kcjl.stock import events as stock
from kcjl.stock.conditions import group_key
from kcjl.stock.decide import decide_figures, decide_level, decide_zeros
from kcjl.stock.events import LevelRead, StockImportIntended, StockRead
from kcjl.stock.policy_book import POLICY_BOOK
from kcjl.stock.publishing_state import PUBLISHES
from kcjl.stock.reads import READS, Reads
from kcjl.stock.state import PRODUCTS, Product
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.patience import unhurried
from tests.stock.under import under
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
)

PRODUCT_EVENTS = (
    stock.OfferListed,
    stock.SkuConfirmed,
    stock.SkuUnmatched,
    stock.SkuAliasApproved,
    stock.SkuAliasWithdrawn,
    stock.LevelRead,
    stock.StockImportIntended,
    stock.StockImportFailed,
    stock.StockImportFinished,
    OrderReceived,
    OrderChanged,
    OrderPassedOver,
    SalesOrderPosted,
)
READINGS = st.builds(
    Reads,
    stock_finished_at=st.one_of(st.none(), st.integers(0, 40).map(at)),
    orders_began_at=st.one_of(st.none(), st.integers(0, 40).map(at)),
)


def shelves_of(events: list[Event]) -> list[list[Product]]:
    """The products of each stock code."""
    table = Table(PRODUCTS, group=group_key)
    for event in events:
        table.apply(event)
    return [table.grouped(group) for group in {group_key(each): 0 for each in table.values()}]


@unhurried
@given(any_events(*PRODUCT_EVENTS), st.integers(0, 4), READINGS)
def test_never_offered_what_is_not_there(
    events: list[Event], buffer: int, reads: Reads
) -> None:
    """Law 4: all offers of a stock code together, once published, are within what is there."""
    shelves = shelves_of(events)
    figures = decide_figures(shelves, under(buffer=buffer), reads)
    sent = {figure.sku: figure.quantity for figure in figures}

    for shelf in shelves:
        offers = [shown for product in shelf for shown in product.shown]
        if not any(each.sku in sent for each in offers):
            continue
        shown = sum(sent.get(each.sku, each.quantity or 0) for each in offers)
        level = max(shelf, key=lambda each: (each.level_read_at or at(-1), each.key)).level
        flying = sum(each.units_in_flight for each in shelf)
        assert 0 <= shown <= max(0, math.floor(level) - flying - buffer)


@unhurried
@given(any_events(*PRODUCT_EVENTS), READINGS)
def test_no_figure_from_orders_older_than_the_stock(events: list[Event], reads: Reads) -> None:
    """Law 4: an order read that is older than the stock read it is combined with is no base."""
    shelves = shelves_of(events)
    figures = decide_figures(shelves, under(), reads)

    for figure in figures:
        assert reads.stock_finished_at is not None
        assert figure.orders_read_at >= reads.stock_finished_at
        if figure.level_read_at is not None:
            shelf = next(
                each
                for each in shelves
                if any(s.sku == figure.sku for product in each for s in product.shown)
            )
            for product in shelf:
                if product.level_read_at is None:
                    continue
                assert product.level_read_by is not None
                assert figure.orders_read_at >= product.level_read_by >= product.level_read_at


@unhurried
@given(any_events(*PRODUCT_EVENTS), READINGS)
def test_what_goes_without_newer_orders_is_nothing_but_0(
    events: list[Event], reads: Reads
) -> None:
    """Law 4: no order that nobody has read makes it too much; and no such figure stays out."""
    shelves = shelves_of(events)
    alone = decide_zeros(shelves, under(), reads)
    figures = decide_figures(shelves, under(), reads)

    assert {0} >= {each.quantity for each in alone}
    assert {each.sku for each in alone} >= {each.sku for each in figures if not each.quantity}


@unhurried
@given(any_events(*PRODUCT_EVENTS), READINGS)
def test_what_was_published_is_not_published_again(events: list[Event], reads: Reads) -> None:
    """Only what changed is sent: right after an import there is nothing to send."""
    figures = decide_figures(shelves_of(events), under(), reads)
    sent = StockImportIntended(
        publish_id="P9", figures=figures, policy_version=1, occurred_at=at(50)
    )

    assert () == decide_figures(shelves_of([*events, sent]), under(), reads)


LINE = ordered("O1-1", "A-1", 2)
ORDER = received("O1", LINE, state=SHIPPING)


class Warehouse:
    """One order line, and the plain truth about it beside the fold."""

    def __init__(self) -> None:
        self.product = made_of(PRODUCTS, "a-1", listed(), confirmed(), level(9), ORDER)
        self.minute = 10.0
        self.taken_at: float | None = None
        self.cancelled_first = False
        self.read_after = False

    def say(self, event: Event) -> None:
        self.product = made_of_more(self.product, event)

    def do(self, move: str, minutes: int) -> None:
        self.minute += minutes
        if move == "taken" and self.taken_at is None and not self.cancelled_first:
            self.taken_at = self.minute
            self.say(posted(ORDER, self.minute))
        elif move == "cancelled":
            self.cancelled_first = self.cancelled_first or self.taken_at is None
            self.say(changed(ORDER, "CANCELED", minutes=self.minute))
        elif move == "seen again":
            self.say(changed(ORDER, SHIPPING, stands(LINE), minutes=self.minute))
        elif move == "level":
            began = self.minute - minutes  # it began before, and comes in now
            for event in decide_level(self.product, level(9, minutes=began)):
                self.say(event)
            self.read_after = self.read_after or (
                self.taken_at is not None and began > self.taken_at
            )


def made_of_more(product: Product, event: Event) -> Product:
    after = PRODUCTS.evolve(product, event, "a-1")
    assert after is not None
    return after


@unhurried
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["taken", "cancelled", "seen again", "level"]), st.integers(0, 9)
        )
    )
)
def test_units_leave_flight_only_by_a_later_level_or_a_cancellation(
    moves: list[tuple[str, int]],
) -> None:
    """In flight until a level read that began after the ERP took it, or cancelled before."""
    warehouse = Warehouse()

    for move, minutes in moves:
        warehouse.do(move, minutes)
        gone = warehouse.cancelled_first or warehouse.read_after
        assert (0 if gone else 2) == warehouse.product.units_in_flight


@unhurried
@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.permutations(range(6)))
def test_units_in_flight_are_those_of_all_orders_whatever_their_turn(
    units: list[int], turn: list[int]
) -> None:
    """Orders may come in any order: what is in flight is the sum of them."""
    flying = [
        received(f"O{n}", ordered(f"O{n}-1", quantity=each), state=SHIPPING)
        for n, each in enumerate(units)
    ]
    in_turn = [flying[n] for n in turn if n < len(flying)]

    assert sum(units) == made_of(PRODUCTS, "a-1", *in_turn).units_in_flight


@unhurried
@given(any_events())
def test_evolve_is_total(events: list[Event]) -> None:
    """Any event on any state makes a state: replay never stops half-way."""
    products, publishes = Table(PRODUCTS), Table(PUBLISHES)
    policy, reads = Table(POLICY_BOOK), Table(READS)
    for event in events:
        products.apply(event)
        publishes.apply(event)
        policy.apply(event)
        reads.apply(event)

    for product in products.values():
        assert product.units_in_flight >= 0
        assert product.spelling


@unhurried
@given(any_events(), st.integers(0, 25))
def test_replay_of_a_part_and_then_the_rest_is_the_whole(events: list[Event], cut: int) -> None:
    """A restart in the middle of the log changes nothing."""
    for key in ("a-1", "b-2"):
        part = folded(PRODUCTS, key, events[:cut])
        for event in events[cut:]:
            if key in PRODUCTS.keys(event):
                part = PRODUCTS.evolve(part, event, key)

        assert folded(PRODUCTS, key, events) == part


@unhurried
@given(any_events(StockRead, OrdersRead))
def test_reads_are_the_last_of_each(events: list[Event]) -> None:
    """Of each side, the last read counts."""
    reads = folded(READS, "reads", events)
    last: dict[type, Event] = defaultdict()
    for event in events:
        last[type(event)] = event

    stock_last, orders_last = last.get(StockRead), last.get(OrdersRead)
    assert (stock_last.occurred_at if stock_last else None) == (
        reads.stock_began_at if reads else None
    )
    assert (orders_last.occurred_at if orders_last else None) == (
        reads.orders_began_at if reads else None
    )


@unhurried
@given(any_events(LevelRead, max_size=6))
def test_level_is_the_sum_of_the_sites(events: list[Event]) -> None:
    """What all the sites have of it, no float in between."""
    for key in ("a-1", "b-2"):
        product = folded(PRODUCTS, key, events)
        if product is not None:
            assert isinstance(product.level, Decimal)
            assert sum(units for _, units in product.levels or ()) == product.level
