"""The newest events in memory: a run without a gap, bounded by number and by bytes."""

from kcjl.log.port import Recorded
from kcjl.log.tail import Tail
from tests.log.keepers import MERCHANT, MORNING, noted


def recorded(position: int, text: str) -> Recorded:
    draft = noted("stock", text)
    return Recorded(
        merchant=MERCHANT,
        position=position,
        stream=draft.event.stream,
        revision=position,
        type="Noted",
        schema=1,
        occurred_at=MORNING,
        recorded_at=MORNING,
        correlation_id=draft.correlation_id,
        causation=None,
        by=draft.by,
        data=text.encode(),
        hash=b"",
        event=draft.event,
    )


def held(tail: Tail) -> list[int]:
    """The positions that are held."""
    first = next(
        after for after in range(tail.last + 1) if tail.after(after, to=tail.last) is not None
    )
    return [each.position for each in tail.after(first, to=tail.last) or ()]


def test_tail_of_many_events_lets_the_oldest_go() -> None:
    """No more than twice the bound is held; what is cut is cut to the bound."""
    tail = Tail(0, events_max=3)
    tail.extend([recorded(position, "x") for position in range(1, 7)])
    assert [1, 2, 3, 4, 5, 6] == held(tail)
    tail.extend([recorded(7, "x")])

    assert [5, 6, 7] == held(tail)


def test_tail_of_large_events_lets_the_oldest_go() -> None:
    """A stock import of thousands of figures counts by its bytes, not as one event."""
    tail = Tail(0, bytes_max=10)
    tail.extend([recorded(1, "x" * 10), recorded(2, "x" * 6), recorded(3, "x" * 4)])
    assert [1, 2, 3] == held(tail)
    tail.extend([recorded(4, "x")])
    assert [3, 4] == held(tail)
    tail.extend([recorded(5, "x" * 15)])
    assert [3, 4, 5] == held(tail)
    tail.extend([recorded(6, "x")])

    assert [6] == held(tail)


def test_tail_with_one_event_above_its_bytes_holds_none_of_it() -> None:
    """Who follows reads such an event from the database; what comes next is held again."""
    tail = Tail(0, bytes_max=10)
    tail.extend([recorded(1, "x" * 21)])
    assert [] == held(tail)
    assert tail.after(0, to=1) is None
    tail.extend([recorded(2, "x")])

    assert [2] == held(tail)
