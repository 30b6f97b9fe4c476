"""A storm of parcels with the same trouble: some named, the others counted in one exception."""

from hypothesis import given
from hypothesis import strategies as st

from kcjl.dispatch.events import ConfirmationRefused, ParcelConfirmed
from kcjl.exceptions.decide import OPEN, decide_desk
from kcjl.exceptions.events import ExceptionRaised
from kcjl.exceptions.folding import MANY, NAMED_MAX, crowd_of
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN
from kcjl.fold import Table
from kcjl.vocabulary import Event
from tests.patience import unhurried
from tests.trade import at

COUNT = f"confirmation_refused:{MANY}"


class Desk:
    """What lies on the desk, and what was said to whoever looks at it."""

    def __init__(self) -> None:
        self.open = Table(OPEN, group=lambda each: each.raised.subject)
        self.crowds = Table(OPEN, group=crowd_of)
        self.told: list[ExceptionRaised] = []

    def hear(self, event: Event) -> None:
        for said in decide_desk(event, self.open.grouped, self.crowds):
            self.open.apply(said)
            self.crowds.apply(said)
            if isinstance(said, ExceptionRaised) and not said.folded:
                self.told.append(said)

    @property
    def shown(self) -> set[str]:
        """What a person sees as open."""
        return {
            each.raised.exception_id for each in self.open.values() if not each.raised.folded
        }

    @property
    def counts(self) -> list[int]:
        """How many it was said to be, each time that it was said."""
        return [each.counts for each in self.told if each.exception_id == COUNT]


def refused(number: int, message: str = "no such carrier") -> ConfirmationRefused:
    return ConfirmationRefused(
        order_id=f"O{number}",
        parcel_key="B1",
        message=message,
        attempt=1,
        deadline=at(99),
        occurred_at=at(number / 100),
    )


def confirmed(number: int) -> ParcelConfirmed:
    return ParcelConfirmed(
        order_id=f"O{number}",
        parcel_key="B1",
        lines=(),
        shipment_id="S",
        already=False,
        occurred_at=at(100),
    )


def test_storm_of_5000_is_25_names_and_one_count_that_is_said_as_it_doubles() -> None:
    """5,000 alarms tell nobody anything; each of the parcels is on the desk all the same."""
    desk = Desk()
    for number in range(5_000):
        desk.hear(refused(number))

    assert NAMED_MAX + 1 == len(desk.shown)
    assert [26, 52, 104, 208, 416, 832, 1_664, 3_328] == desk.counts
    assert 5_001 == len(desk.open)
    assert desk.told[-1].message == (
        "3,328 parcels have this trouble, 3,303 of them not named one by one "
        "(kcjl dispatch list --waiting), such as O3327/B1: no such carrier"
    )


def test_storm_that_is_over_leaves_an_empty_desk() -> None:
    """The count shrinks with it, and goes when each can be named again."""
    desk = Desk()
    for number in range(200):
        desk.hear(refused(number))
    for number in range(175):
        desk.hear(confirmed(number))
    assert {f"confirmation_refused:O{number}/B1" for number in range(175, 200)} == desk.shown
    for number in range(175, 200):
        desk.hear(confirmed(number))

    assert set() == desk.shown
    assert 0 == len(desk.open)
    assert [26, 52, 104, 52, 26] == desk.counts


def test_parcel_that_is_folded_says_nothing_new_of_itself() -> None:
    """Refused again, in other words: it stays with the others."""
    desk = Desk()
    for number in range(40):
        desk.hear(refused(number))
    before = len(desk.told)
    desk.hear(refused(39, "not now"))
    assert before == len(desk.told)
    desk.hear(refused(3, "not now"))

    assert "not now" == desk.told[-1].message


def test_row_of_a_folded_exception_is_not_among_the_open_ones() -> None:
    """What a person looks through are the named ones and the count."""
    desk = Desk()
    for number in range(40):
        desk.hear(refused(number))
    entry = next(desk.open.values())
    row = EXCEPTIONS_SHOWN.evolve(None, entry.raised, "x")
    last = [each.raised for each in desk.open.values() if each.raised.folded][-1]
    folded_row = EXCEPTIONS_SHOWN.evolve(None, last, "y")

    assert b'"state":"open"' in (row or b"")
    assert b'"state":"folded"' in (folded_row or b"")


@unhurried
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=300))
def test_nobody_is_left_out_of_the_desk(steps: list[tuple[bool, int]]) -> None:
    """Whatever comes and goes: each is open, named or counted, beside a count."""
    desk = Desk()
    trouble: set[int] = set()
    for is_refused, number in steps:
        desk.hear(refused(number) if is_refused else confirmed(number))
        if is_refused:
            trouble.add(number)
        else:
            trouble.discard(number)

        open_now = [each.raised for each in desk.open.values()]
        open_ones = {each.subject for each in open_now if not each.counts}
        folded = [each for each in open_now if each.folded]
        assert {f"O{each}/B1" for each in trouble} == open_ones
        assert len(open_ones) - len(folded) <= NAMED_MAX
        assert bool(folded) == (COUNT in desk.open)
