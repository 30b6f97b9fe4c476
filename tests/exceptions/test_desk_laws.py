"""The desk, the laws: whatever it hears, it says each thing once and never falls over."""

from hypothesis import given
from hypothesis import strategies as st

from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.decide import OPEN, SAYS_NOTHING, OpenException, conditions, decide_desk
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN, READS_SHOWN
from kcjl.fold import Table
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.patience import unhurried


def desk() -> Table[OpenException]:
    return Table(OPEN, group=lambda each: each.raised.subject)


@unhurried
@given(any_events())
def test_desk_has_a_word_for_every_event(events: list[Event]) -> None:
    """Any event at all: the desk decides, and each kind that it raises is in the catalogue."""
    table = desk()
    for event in events:
        for said in decide_desk(event, table.grouped):
            table.apply(said)
            assert isinstance(said, ExceptionRaised | ExceptionCleared)
            assert said.kind in KINDS


@unhurried
@given(any_events())
def test_desk_hears_the_same_event_twice_and_has_nothing_to_add(events: list[Event]) -> None:
    """The same condition again is the same exception."""
    table = desk()
    for event in events:
        for said in decide_desk(event, table.grouped):
            table.apply(said)

        raised = [
            each
            for each in decide_desk(event, table.grouped)
            if isinstance(each, ExceptionRaised)
        ]
        assert [] == raised


@unhurried
@given(any_events(*SAYS_NOTHING))
def test_desk_sleeps_through_what_says_nothing(events: list[Event]) -> None:
    """The table has no line for an event that the desk does not even wake for."""
    assert [()] * len(events) == [conditions(event) for event in events]


@unhurried
@given(any_events())
def test_desk_clears_only_what_is_open(events: list[Event]) -> None:
    """What is closed was open: no exception is closed twice."""
    table = desk()
    for event in events:
        for said in decide_desk(event, table.grouped):
            if isinstance(said, ExceptionCleared):
                assert said.exception_id in table
            table.apply(said)


@unhurried
@given(any_events(ExceptionRaised, ExceptionCleared), st.integers(0, 25))
def test_row_of_an_exception_is_the_same_after_a_restart(events: list[Event], cut: int) -> None:
    """Row by row, through its bytes: first seen, last seen, how often, open or cleared."""
    live: dict[str, bytes | None] = {}
    again: dict[str, bytes | None] = {}
    for number, event in enumerate(events):
        for key in EXCEPTIONS_SHOWN.keys(event):
            live[key] = EXCEPTIONS_SHOWN.evolve(live.get(key), event, key)
            before = again.get(key)
            if number == cut and before is not None:
                before = EXCEPTIONS_SHOWN.encode(EXCEPTIONS_SHOWN.entry(before))
            again[key] = EXCEPTIONS_SHOWN.evolve(before, event, key)

    assert live == again


@unhurried
@given(any_events(ExceptionRaised, ExceptionCleared))
def test_row_counts_how_often_it_was_raised(events: list[Event]) -> None:
    """First seen stays, last seen moves, seen counts; cleared is cleared until raised again."""
    rows: dict[str, bytes | None] = {}
    raised: dict[str, list[ExceptionRaised]] = {}
    last: dict[str, Event] = {}
    for event in events:
        for key in EXCEPTIONS_SHOWN.keys(event):
            rows[key] = EXCEPTIONS_SHOWN.evolve(rows.get(key), event, key)
            last[key] = event
            if isinstance(event, ExceptionRaised):
                raised.setdefault(key, []).append(event)

    for key, row in rows.items():
        assert (row is None) == (key not in raised)
        if row is not None:
            life = EXCEPTIONS_SHOWN.entry(row)
            assert len(raised[key]) == life.seen
            assert raised[key][0].occurred_at == life.first_seen_at
            assert raised[key][-1].occurred_at == life.last_seen_at
            assert isinstance(last[key], ExceptionCleared) == (life.cleared_at is not None)


@unhurried
@given(any_events())
def test_last_reads_have_a_row_a_lane(events: list[Event]) -> None:
    """When each side was last read is known, for the four lanes and nothing else."""
    keys = {key for event in events for key in READS_SHOWN.keys(event)}

    assert keys <= {"Stock", "Orders", "Dispatch", "Money"}
    for event in events:
        for key in READS_SHOWN.keys(event):
            row = READS_SHOWN.evolve(None, event, key)
            assert row is not None
            assert event.occurred_at == READS_SHOWN.entry(row).at
