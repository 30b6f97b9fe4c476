"""Dispatch, the laws: each parcel once, and never more units than were ordered."""

from collections import Counter
from datetime import timedelta
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from kcjl.dispatch.carriers_state import CARRIERS
from kcjl.dispatch.closing import decide_shipped_there
from kcjl.dispatch.decide import decide_confirmation, decide_parcels
from kcjl.dispatch.events import (
    CarriersRead,
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmedLine,
    ParcelConfirmed,
)
from kcjl.dispatch.matching import settle_open
from kcjl.dispatch.parcel import ParcelState
from kcjl.dispatch.sending_on import decide_number
from kcjl.dispatch.state import DISPATCHES, Dispatch
from kcjl.dispatch.terms import Terms
from kcjl.fold import Table
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.patience import unhurried
from tests.trade import (
    SHIPPING,
    at,
    changed,
    folded,
    made_of,
    ordered,
    posted,
    received,
    shipped,
)

ORDER = received("O1", ordered("O1-1", "A-1", 2), ordered("O1-2", "a-1", 1), state=SHIPPING)
UNITS = {"O1-1": 2, "O1-2": 1}
READ = CarriersRead(carriers=(("dpd", "DPD"),), multi_shipment=True, occurred_at=at(0))

TERMS = Terms(tracking_wait=timedelta(), retry_for=timedelta(days=9))

Answer = Literal[
    "taken", "taken, answer lost", "lost", "refused", "crash before", "crash after"
]
Move = tuple[str, str, int, Answer]
MOVES: st.SearchStrategy[list[Move]] = st.lists(
    st.tuples(
        st.sampled_from(["box", "confirm", "shipped there", "confirm", "box"]),
        st.sampled_from(["INV1/1", "INV1/2", "INV1/3"]),
        st.integers(1, 3),
        st.sampled_from(
            ["taken", "taken, answer lost", "lost", "refused", "crash before", "crash after"]
        ),
    ),
    max_size=30,
)


class Bay:
    """One order's parcels, a marketplace that counts, and a worker that follows the rules."""

    def __init__(self) -> None:
        self.entry: Dispatch = made_of(DISPATCHES, "O1", ORDER, posted(ORDER))
        self.carriers = made_of(CARRIERS, "carriers", READ)
        self.there: list[tuple[str, str, tuple[tuple[str, int], ...]]] = []
        self.sent: Counter[str] = Counter()
        self.minutes = 100.0

    def say(self, event: Event) -> None:
        after = DISPATCHES.evolve(self.entry, event, "O1")
        assert after is not None
        self.entry = after

    def do(self, move: Move) -> None:
        kind, key, units, answer = move
        self.minutes += 200
        if kind == "box":
            seen = shipped("O1", key, ("A-1", units), minutes=self.minutes)
            for event in decide_parcels(
                self.entry, [seen], cancelled=None, now=at(self.minutes)
            ):
                self.say(event)
        elif kind == "shipped there":
            self.say(changed(ORDER, "SHIPPED", minutes=self.minutes))
            for event in decide_shipped_there(self.entry, at(self.minutes)):
                self.say(event)
        else:
            self.confirm(key, answer)

    def confirm(self, key: str, answer: Answer) -> None:
        parcel = self.entry.parcel(key)
        if parcel is None or self.entry.closed:
            return
        if parcel.state == ParcelState.OPEN:
            self.settle(key)
            return
        for event in decide_confirmation(
            self.entry, parcel, self.carriers, TERMS, at(self.minutes)
        ):
            self.say(event)
            if isinstance(event, ConfirmationIntended):
                self.send(event, answer)

    def send(self, intended: ConfirmationIntended, answer: Answer) -> None:
        if answer in ("taken", "taken, answer lost", "crash after"):
            self.sent[intended.parcel_key] += 1
            lines = tuple((line.line_id, line.quantity) for line in intended.lines)
            self.there.append((f"S{len(self.there)}", intended.tracking_number, lines))
        if answer == "taken":
            self.say(self.confirmed(intended.parcel_key, intended.lines, self.there[-1][0]))
        elif not answer.startswith("crash"):
            self.settle(intended.parcel_key)

    def settle(self, key: str) -> None:
        parcel = self.entry.parcel(key)
        assert parcel is not None
        found = settle_open(self.entry, parcel, self.there, now=at(self.minutes))
        self.say(
            found
            or ConfirmationRefused(
                order_id="O1",
                parcel_key=key,
                message="not there",
                attempt=parcel.attempts,
                deadline=None,
                occurred_at=at(self.minutes),
            )
        )

    def confirmed(
        self, key: str, lines: tuple[ConfirmedLine, ...], shipment: str
    ) -> ParcelConfirmed:
        return ParcelConfirmed(
            order_id="O1",
            parcel_key=key,
            lines=lines,
            shipment_id=shipment,
            already=False,
            occurred_at=at(self.minutes),
        )


def bay_after(moves: list[Move]) -> Bay:
    bay = Bay()
    for move in moves:
        bay.do(move)
    return bay


@unhurried
@given(MOVES)
def test_each_parcel_is_sent_once(moves: list[Move]) -> None:
    """Law 2: one confirmation a parcel, whatever answer is lost and whatever crashes."""
    assert all(times == 1 for times in bay_after(moves).sent.values())


@unhurried
@given(MOVES)
def test_units_there_never_exceed_units_ordered(moves: list[Move]) -> None:
    """What the marketplace was told to be shipped is never more than was ordered."""
    told: Counter[str] = Counter()
    for _, _, lines in bay_after(moves).there:
        told.update(dict(lines))

    assert all(told[line] <= UNITS[line] for line in told)


@unhurried
@given(MOVES)
def test_units_confirmed_never_exceed_units_ordered(moves: list[Move]) -> None:
    """Nor is what our own books say, also of parcels that others confirmed."""
    counted: Counter[str] = Counter()
    for parcel in bay_after(moves).entry.parcels:
        if parcel.state in (ParcelState.CONFIRMED, ParcelState.OPEN):
            for line in parcel.lines:
                counted[line.line_id] += line.quantity

    assert all(counted[line] <= UNITS[line] for line in counted)


@unhurried
@given(any_events())
def test_evolve_is_total(events: list[Event]) -> None:
    """Any event on any state makes a state: replay never stops half-way."""
    dispatches, carriers = Table(DISPATCHES), Table(CARRIERS)
    for event in events:
        dispatches.apply(event)
        carriers.apply(event)

    for entry in dispatches.values():
        keys = [parcel.parcel_key for parcel in entry.parcels]
        assert len(set(keys)) == len(keys)


@unhurried
@given(any_events())
def test_rules_have_a_word_for_every_state(events: list[Event]) -> None:
    """Whatever has come, the rules decide: they never fall over."""
    dispatches, carriers = Table(DISPATCHES), Table(CARRIERS)
    for event in events:
        dispatches.apply(event)
        carriers.apply(event)
    known = carriers.get("carriers")
    if known is None:
        return

    for entry in dispatches.values():
        for parcel in entry.parcels:
            decide_confirmation(entry, parcel, known, TERMS, at(99))
            decide_number(entry, parcel, known, TERMS, at(99))
            settle_open(entry, parcel, [], now=at(99))
        decide_shipped_there(entry, at(99))


@unhurried
@given(any_events(), st.integers(0, 25))
def test_replay_of_a_part_and_then_the_rest_is_the_whole(events: list[Event], cut: int) -> None:
    """A restart in the middle of the log changes nothing."""
    for key in ("O1", "O2"):
        part = folded(DISPATCHES, key, events[:cut])
        for event in events[cut:]:
            if key in DISPATCHES.keys(event):
                part = DISPATCHES.evolve(part, event, key)

        assert folded(DISPATCHES, key, events) == part
