"""Folds: entries made of events, watched and grouped, and nothing but events."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Contents, Fold, Table
from kcjl.packed import Packed
from kcjl.vocabulary import Event
from tests.clockwork import MORNING
from tests.patience import unhurried


class Counted(Event, frozen=True, kw_only=True):
    """So many units of these SKUs were on this shelf; none: the shelf is gone."""

    skus: tuple[str, ...]
    units: int
    shelf: str = "left"

    @property
    def stream(self) -> str:
        return "count"


class Shelf(Event, frozen=True, kw_only=True):
    """Nothing that the fold knows."""

    @property
    def stream(self) -> str:
        return "shelf"


Entry = tuple[str, int]


def _keys(event: Event) -> tuple[str, ...]:
    return event.skus if isinstance(event, Counted) else ()


def _evolve(entry: Entry | None, event: Event, _key: str) -> Entry | None:
    if not isinstance(event, Counted):
        return entry
    before = entry[1] if entry else 0
    return (event.shelf, before + event.units) if event.units else None


COUNTS: Fold[Entry] = Fold(_keys, _evolve, tuple[str, int])


def counted(units: int, *skus: str, shelf: str = "left") -> Counted:
    return Counted(skus=skus or ("A",), units=units, shelf=shelf, occurred_at=MORNING)


def table(warm: int | None = None) -> Table[Entry]:
    return Table(
        COUNTS,
        watch=lambda entry: entry[1] > 2,
        group=lambda entry: entry[0] or None,
        warm=warm,
    )


def packed(counts: Table[Entry]) -> list[str]:
    return [key for key, held in counts.contents().entries.items() if isinstance(held, Packed)]


def test_event_touches_its_keys_and_no_others() -> None:
    """An event changes the entries that it names."""
    counts = table()

    assert ("A", "B") == counts.apply(counted(1, "A", "B"))
    assert () == counts.apply(Shelf(occurred_at=MORNING))
    assert {"A": ("left", 1), "B": ("left", 1)} == dict(counts.items())


def test_entry_that_becomes_nothing_is_gone() -> None:
    """None means: no such entry, not in the list, the watch or a group."""
    counts = table()
    counts.apply(counted(5))
    counts.apply(counted(0))

    assert "A" not in counts
    assert counts.get("A") is None
    assert ([], [], 0) == (counts.watched(), counts.grouped("left"), len(counts))


def test_watched_are_those_for_which_the_watch_holds_oldest_first() -> None:
    """Where work may be due; no more of it, and it is not looked at."""
    counts = table()
    for sku in ("B", "A"):
        counts.apply(counted(3, sku))
    counts.apply(counted(1, "C"))
    counts.apply(counted(4, "B"))

    assert ["B", "A"] == [key for key, _ in counts.watched()]
    counts.apply(counted(-9, "B"))
    assert ["A"] == [key for key, _ in counts.watched()]


def test_entry_that_moves_is_in_its_new_group_only() -> None:
    """A line that moves to another cycle is counted there, and no longer here."""
    counts = table()
    counts.apply(counted(1, "A", shelf="left"))
    counts.apply(counted(1, "A", shelf="right"))
    counts.apply(counted(1, "B", shelf=""))

    assert [] == counts.grouped("left")
    assert [("right", 2)] == counts.grouped("right")
    assert [] == counts.grouped("")


def test_table_can_be_changed_while_it_is_walked() -> None:
    """Who walks the entries may decide, and what was decided is folded at once."""
    counts = table()
    counts.apply(counted(1, "A", "B"))
    for key, (shelf, _) in counts.items():
        counts.apply(counted(1, f"{key}{key}", shelf=shelf))
    for _ in counts.values():
        counts.apply(counted(1, "C"))

    assert {"A", "B", "AA", "BB", "C"} == set(counts)
    assert ("left", 1) == counts["AA"]


EVENTS = st.lists(
    st.builds(
        counted,
        st.integers(-2, 4),
        st.sampled_from("ABC"),
        shelf=st.sampled_from(["left", "right", ""]),
    )
)


@unhurried
@given(EVENTS)
def test_watch_and_groups_are_what_a_full_look_would_find(events: list[Counted]) -> None:
    """The short cuts say what the entries say."""
    counts = table()
    for event in events:
        counts.apply(event)

    entries = dict(counts.items())
    assert {key for key, entry in entries.items() if entry[1] > 2} == {
        key for key, _ in counts.watched()
    }
    for shelf in ("left", "right"):
        mine = sorted(entry for entry in entries.values() if entry[0] == shelf)
        assert mine == sorted(counts.grouped(shelf))


@unhurried
@given(EVENTS, st.integers(0, 20))
def test_same_events_make_the_same_entries(events: list[Counted], cut: int) -> None:
    """State is a fold: cut anywhere, it goes on to the same end."""
    whole, parts = table(), table()
    for event in events:
        whole.apply(event)
    for part in (events[:cut], events[cut:]):
        for event in part:
            parts.apply(event)

    assert list(whole.items()) == list(parts.items())


def test_group_of_one_that_is_joined_and_left_holds_what_is_there() -> None:
    """A group is held as its only key, as its keys, and not at all when the last has left."""
    counts = table()
    counts.apply(counted(1, "A"))
    assert [("left", 1)] == counts.grouped("left")
    counts.apply(counted(2, "B"))
    assert [("left", 1), ("left", 2)] == counts.grouped("left")
    counts.apply(counted(1, "A", shelf="right"))
    assert [("left", 2)] == counts.grouped("left")
    counts.apply(counted(1, "B", shelf="right"))

    assert [] == counts.grouped("left")
    assert {"right": ["A", "B"]} == counts.contents().groups


def test_groups_that_are_put_back_are_joined_and_left_as_before() -> None:
    """A table out of a snapshot goes on as the one that it was taken from."""
    before, after = table(), table()
    before.apply(counted(1, "A"))
    before.apply(counted(1, "B", "C", shelf="right"))
    after.put_back(before.contents())
    for counts in (before, after):
        counts.apply(counted(0, "B"))
        counts.apply(counted(1, "A", shelf="right"))

    assert {"right": ["C", "A"]} == before.contents().groups
    assert before.contents().groups == after.contents().groups


def test_what_was_not_asked_for_in_a_while_is_packed_and_read_again_as_it_was() -> None:
    """But for what is watched: there is work on it."""
    counts = table(warm=2)
    counts.apply(counted(9, "watched"))
    counts.apply(counted(1, "A", "B", "C", "D"))
    assert ["A", "B"] == packed(counts)
    assert ("left", 1) == counts["A"]
    assert ["B", "C"] == packed(counts)
    counts.apply(counted(2, "B"))

    assert ["C", "D"] == packed(counts)
    assert [("watched", ("left", 9)), ("B", ("left", 3))] == counts.watched()
    assert [("left", 9), ("left", 1), ("left", 3), ("left", 1), ("left", 1)] == list(
        counts.values()
    )
    assert ["C", "D"] == packed(counts)


def test_what_is_put_back_as_json_is_packed_bit_by_bit() -> None:
    """Each time that anything is asked for, one more: nobody waits for all of them."""
    counts = table(warm=2)
    counts.put_back(
        Contents(
            entries={
                **{key: msgspec.Raw(b'["left",1]') for key in "ABCDE"},
                "W": msgspec.Raw(b'["left",3]'),
            },
            watched=["W"],
        )
    )
    for _ in range(6):
        assert counts.get("A") == ("left", 1)

    assert ["B", "C", "D", "E"] == packed(counts)
    assert [("W", ("left", 3))] == counts.watched()


@given(
    st.lists(
        st.builds(
            lambda units, skus, shelf: counted(units, *skus, shelf=shelf),
            st.integers(min_value=0, max_value=4),
            st.sets(st.sampled_from("ABCDEF"), min_size=1).map(sorted),
            st.sampled_from(["left", "right", ""]),
        ),
        max_size=20,
    ),
    st.integers(min_value=1, max_value=3),
    st.integers(min_value=0, max_value=20),
)
@unhurried
def test_packing_changes_nothing_that_can_be_asked(
    events: list[Counted], warm: int, put_back_after: int
) -> None:
    """Whatever happens, in whatever order, and whenever it is kept and put back."""
    plain, small = table(), table(warm)
    for number, event in enumerate(events):
        if number == put_back_after:
            again = table(warm)
            again.put_back(small.contents())
            small = again
        assert plain.apply(event) == small.apply(event)
        assert plain.get("C") == small.get("C")
        assert plain.watched() == small.watched()
        for shelf in ("left", "right"):
            assert plain.grouped(shelf) == small.grouped(shelf)
        assert list(plain.items()) == list(small.items())
        assert plain.contents().groups == small.contents().groups
