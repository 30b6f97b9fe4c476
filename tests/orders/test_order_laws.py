"""Orders, the laws: they hold whatever comes, and in whatever order it comes."""

from collections.abc import Sequence
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.orders import events as orders
from kcjl.orders.decide import decide_seen, standing
from kcjl.orders.decide_posting import decide_missing, wants_lookup, wants_posting, wants_work
from kcjl.orders.events import PostingIntended, SalesOrderPosted
from kcjl.orders.intake import INTAKE
from kcjl.orders.state import CATALOGUE, ORDERS, Catalogued, OrderEntry, Posting
from kcjl.stock.events import SkuConfirmed, SkuUnmatched
from kcjl.vocabulary import Event
from tests.any_event import STATES, any_events
from tests.patience import unhurried
from tests.trade import (
    SHIPPING,
    at,
    changed,
    folded,
    intended,
    posted,
    received,
    sealed,
    unknown,
)

KNOWN: dict[str, Catalogued | None] = {"a-1": Catalogued(stock_code="A-1")}

Answer = Literal["taken", "taken, answer lost", "lost", "no answer, and then a crash"]
Move = tuple[Literal["page", "work"], int, str, Answer]

MOVES: st.SearchStrategy[list[Move]] = st.lists(
    st.tuples(
        st.sampled_from(["page", "work"]),
        st.integers(0, 400),
        st.sampled_from(STATES),
        st.sampled_from(["taken", "taken, answer lost", "lost", "no answer, and then a crash"]),
    ),
    max_size=40,
)

ORDER = received(state=SHIPPING)


class Till:
    """One order, an ERP that counts what it was sent, and a worker that follows the rules."""

    def __init__(self) -> None:
        self.entry: OrderEntry | None = None
        self.said: list[Event] = []
        self.sales_orders = 0
        self.now = 0.0

    def say(self, events: Sequence[Event]) -> None:
        for event in events:
            self.entry = ORDERS.evolve(self.entry, event, "O1")
            self.said.append(event)

    def page(self, minute: int, state: str) -> None:
        order = received(state=state, updated=minute)
        self.say(
            decide_seen(
                self.entry,
                received=order,
                changed=changed(order, state, minutes=minute),
                start_at=None,
            )
        )

    def work(self, answer: Answer) -> None:
        self.now += 30
        entry = self.entry
        if entry is None or not wants_work(entry):
            return
        if not entry.vault_ref:
            self.say((sealed(),))
        elif wants_lookup(entry):
            self.look_up(entry)
        elif wants_posting(entry, KNOWN, at(self.now)):
            self.post(entry, answer)

    def look_up(self, entry: OrderEntry) -> None:
        if self.sales_orders:
            self.say((posted(ORDER, self.now),))
        else:
            self.say(decide_missing(entry, refused="", now=at(self.now)))

    def post(self, entry: OrderEntry, answer: Answer) -> None:
        attempt = entry.posting_attempts + 1
        self.say((intended(ORDER, attempt, self.now),))
        self.sales_orders += answer.startswith("taken")
        if answer == "taken":
            self.say((posted(ORDER, self.now),))
        elif answer != "no answer, and then a crash":
            self.say((unknown(ORDER, attempt, self.now),))


@unhurried
@given(MOVES)
def test_one_sales_order_whatever_happens(moves: list[Move]) -> None:
    """One sales order per marketplace order, whatever answer is lost and whatever crashes."""
    till = Till()
    till.page(0, SHIPPING)

    for kind, minute, state, answer in moves:
        if kind == "page":
            till.page(minute, state)
        else:
            till.work(answer)

    assert till.sales_orders <= 1


@unhurried
@given(MOVES)
def test_never_two_open_postings(moves: list[Move]) -> None:
    """Between an intention and the next there is an outcome; after a sales order, none."""
    till = Till()
    till.page(0, SHIPPING)

    for kind, minute, state, answer in moves:
        if kind == "page":
            till.page(minute, state)
        else:
            till.work(answer)

    open_now = done = False
    for event in till.said:
        if isinstance(event, PostingIntended):
            assert not open_now
            assert not done
        done = done or isinstance(event, SalesOrderPosted)
        if event.__class__.__name__.startswith(("Posting", "SalesOrder")):
            open_now = isinstance(event, PostingIntended | orders.PostingUnknown)


@unhurried
@given(st.permutations(range(len(STATES))), st.lists(st.integers(0, len(STATES) - 1)))
def test_pages_in_any_order_end_at_the_newest(first: list[int], again: list[int]) -> None:
    """Offset pages move under us: what stands at the end is what was updated last."""
    till = Till()

    for moment in (*first, *again):  # the order's history is one state a minute
        till.page(moment, STATES[moment])

    assert till.entry is not None
    assert STATES[-1] == till.entry.state


@unhurried
@given(st.permutations(range(len(STATES))), st.permutations(range(len(STATES))))
def test_pages_seen_again_are_nothing_new(first: list[int], again: list[int]) -> None:
    """A daily sweep over what is known writes nothing."""
    till = Till()
    for moment in first:
        till.page(moment, STATES[moment])
    said = list(till.said)

    for moment in again:
        till.page(moment, STATES[moment])

    assert said == till.said


@unhurried
@given(any_events())
def test_evolve_is_total(events: list[Event]) -> None:
    """Any event on any state makes a state: replay never stops half-way."""
    orders_now, catalogue, intake = Table(ORDERS), Table(CATALOGUE), Table(INTAKE)
    for event in events:
        orders_now.apply(event)
        catalogue.apply(event)
        intake.apply(event)


@unhurried
@given(any_events(*(getattr(orders, name) for name in ("OrderReceived", "OrderChanged"))))
def test_standing_is_always_one_word(events: list[Event]) -> None:
    """Law 3: whatever has come, an order stands somewhere."""
    for key in ("O1", "O2"):
        entry = folded(ORDERS, key, events)
        if entry is not None:
            assert standing(entry).value


@unhurried
@given(any_events(), st.integers(0, 25))
def test_replay_of_a_part_and_then_the_rest_is_the_whole(events: list[Event], cut: int) -> None:
    """A restart in the middle of the log changes nothing."""
    for key in ("O1", "O2"):
        part = folded(ORDERS, key, events[:cut])
        for event in events[cut:]:
            if key in ORDERS.keys(event):
                part = ORDERS.evolve(part, event, key)

        assert folded(ORDERS, key, events) == part


@unhurried
@given(any_events(SkuConfirmed, SkuUnmatched))
def test_catalogue_holds_the_last_answer(events: list[Event]) -> None:
    """Of what the ERP said about a code, the last word counts."""
    for key in ("a-1", "b-2"):
        last = [event for event in events if key in CATALOGUE.keys(event)][-1:]
        found = folded(CATALOGUE, key, events)

        assert bool(last) == (found is not None)
        if found is not None:
            assert isinstance(last[0], SkuConfirmed | SkuUnmatched)
            known = last[0].stock_code if isinstance(last[0], SkuConfirmed) else ""
            assert known == found.stock_code


@unhurried
@given(any_events(orders.OrdersRead, max_size=6))
def test_intake_cursor_is_where_the_last_read_began(events: list[Event]) -> None:
    """The next read starts from the last one; the sweep's clock only from a sweep."""
    reads = [event for event in events if isinstance(event, orders.OrdersRead)]
    found = folded(INTAKE, "intake", events)

    assert (reads[-1].cursor if reads else None) == (found.cursor if found else None)
    sweeps = [read for read in reads[1:] if read.swept]
    first = reads[0].occurred_at if reads else None
    swept = sweeps[-1].occurred_at if sweeps else first
    assert swept == (found.swept_at if found else None)


def test_open_posting_is_what_the_intention_leaves() -> None:
    """From the intention on the outcome is open."""
    entry = folded(ORDERS, "O1", [ORDER, intended(ORDER)])

    assert entry is not None
    assert Posting.OPEN == entry.posting
    assert "REF-O1" == entry.reference
