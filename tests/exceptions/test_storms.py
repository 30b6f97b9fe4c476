"""Storms: many of one kind in a short time are shown as one, and none of them is lost."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from kcjl.exceptions.desk_events import ExceptionAccepted, StormBegan, StormEnded
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.exceptions.storms import TALLIES, Tally, decide_storms
from kcjl.fold import Table
from kcjl.vocabulary import Event
from tests.audit.handmade import raised
from tests.clockwork import MORNING
from tests.patience import unhurried
from tests.trade import at

THRESHOLD, WINDOW = 5, 10


class Sky:
    """What is on the desk, and which storms are on."""

    def __init__(self) -> None:
        self.tallies: Table[Tally] = Table(TALLIES)
        self.open: dict[str, bool] = {}
        """By exception: whether it is on the desk (accepted ones are not)."""
        self.said: list[Event] = []

    def hear(self, *events: ExceptionRaised | ExceptionCleared | ExceptionAccepted) -> None:
        self.said = list(
            decide_storms(
                events,
                self.tallies.get,
                threshold=THRESHOLD,
                window_minutes=WINDOW,
                at=events[-1].occurred_at,
            )
        )
        for event in (*events, *self.said):
            self.tallies.apply(event)

    def raise_(self, subject: str, minutes: float = 0) -> None:
        again = self.open.get(subject, False)
        self.open[subject] = True
        event = raised("order_held", subject, minutes=minutes)
        self.hear(_replace(event, again=again))

    def clear(self, subject: str, minutes: float = 0) -> None:
        on_desk = self.open.pop(subject)
        self.hear(
            ExceptionCleared(
                kind="order_held",
                subject=subject,
                reason="gone",
                accepted=not on_desk,
                occurred_at=at(minutes),
            )
        )

    def accept(self, subject: str, minutes: float = 0) -> None:
        self.open[subject] = False
        self.hear(
            ExceptionAccepted(
                kind="order_held",
                subject=subject,
                by="jo",
                reason="so be it",
                occurred_at=at(minutes),
            )
        )

    @property
    def tally(self) -> Tally:
        return self.tallies.get("order_held") or Tally()


def _replace(event: ExceptionRaised, *, again: bool) -> ExceptionRaised:
    return ExceptionRaised(
        **{
            **{name: getattr(event, name) for name in event.__struct_fields__},
            "again": again,
        }
    )


def test_so_many_of_one_kind_in_the_window_begin_a_storm_once() -> None:
    """The fifth begins it, the sixth and seventh add nothing."""
    sky = Sky()
    began = []
    for number in range(7):
        sky.raise_(f"O{number}", minutes=number)
        began.append([type(each) for each in sky.said])

    assert [[], [], [], [], [StormBegan], [], []] == began
    assert 7 == sky.tally.open


def test_as_many_over_a_longer_time_are_no_storm() -> None:
    """Four in any ten minutes are a busy day."""
    sky = Sky()
    for number in range(20):
        sky.raise_(f"O{number}", minutes=3 * number)

    assert 20 == sky.tally.open
    assert sky.tally.storm_since is None


def test_one_exception_that_is_told_anew_is_no_storm() -> None:
    """The same condition again is the same exception, however often it says something new."""
    sky = Sky()
    for number in range(20):
        sky.raise_("O1", minutes=number / 10)

    assert 1 == sky.tally.open
    assert sky.tally.storm_since is None


def test_those_that_were_cleared_at_once_are_no_storm() -> None:
    """Raised and gone again: nothing is there to be folded."""
    sky = Sky()
    for number in range(20):
        sky.raise_(f"O{number}")
        sky.clear(f"O{number}")

    assert sky.tally.storm_since is None


def test_storm_ends_when_few_are_left() -> None:
    """Fewer than half of what began it: each stands by itself again."""
    sky = Sky()
    for number in range(5):
        sky.raise_(f"O{number}")
    sky.accept("O0")
    sky.clear("O1")
    still = sky.tally.storm_since
    sky.clear("O2", minutes=40)

    assert still is not None
    assert [StormEnded(kind="order_held", exceptions=2, occurred_at=at(40))] == sky.said
    assert sky.tally.storm_since is None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("raise", "raise", "raise", "clear", "accept")), st.integers(0, 11)
    ),
    max_size=80,
)


@unhurried
@given(STEPS)
def test_tally_is_what_is_on_the_desk_and_a_storm_is_what_the_rule_says(
    steps: list[tuple[str, int]],
) -> None:
    """Whatever is raised, told anew, accepted and cleared, in whatever order."""
    sky = Sky()
    for minute, (step, number) in enumerate(steps):
        subject = f"O{number}"
        if step == "raise":
            sky.raise_(subject, minutes=minute / 2)
        elif step == "clear" and subject in sky.open:
            sky.clear(subject, minutes=minute / 2)
        elif step == "accept" and sky.open.get(subject):
            sky.accept(subject, minutes=minute / 2)
        now = MORNING + timedelta(minutes=minute / 2)

        assert sum(sky.open.values()) == sky.tally.open
        if sky.tally.storm_since is None:
            within = sky.tally.raised_within(WINDOW, now)
            assert step != "raise" or min(sky.tally.open, within) < THRESHOLD
        else:
            assert sky.tally.open * 2 >= THRESHOLD
