"""Who is told of what and when, the rules: once in each life of an exception, and no storm."""

from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.alerts.decide import (
    NAMED_MAX,
    TOLD_MAX,
    decide_alert,
    decide_digest,
    decide_repeat,
    digest_day,
    may_try,
    of_digest,
)
from kcjl.alerts.events import AlertFailed, AlertIntended, AlertSent, AlertUnknown
from kcjl.alerts.message import message_of
from kcjl.alerts.plan import LONDON, Plan
from kcjl.alerts.state import CHANNELS, ROUTES, Failing, RouteState, route_of
from kcjl.exceptions.desk_events import (
    ExceptionAccepted,
    ExceptionAssigned,
    ExceptionParked,
    ExceptionUnparked,
    StormBegan,
    StormEnded,
)
from kcjl.vocabulary import Event
from tests.alerts.words import MAIL, PLAN, Board, over, raised, taken
from tests.clockwork import MORNING
from tests.patience import unhurried
from tests.trade import at, made_of

WAY = (MAIL, "operations")
replace = msgspec.structs.replace


def meant_of(
    board: Board,
    now: datetime,
    state: RouteState | None = None,
    *,
    since: datetime = MORNING - timedelta(hours=1),
) -> AlertIntended | None:
    told = board.waiting(now).get(WAY, [])
    state = state or RouteState()
    return decide_alert(board.plan, WAY, state, told, since=since, alert_id="a1", now=now)


# ── once in each life ───────────────────────────────────────────────────────────────────────


def test_exception_is_told_once() -> None:
    """Told, it does not wait any more, whatever else is said of it while it is open."""
    board = Board()
    board.hear(raised())
    assert ["posting_refused:O1"] == board.ids()
    board.tell()
    board.hear(raised(at=at(5), again=True))

    assert [] == board.ids(at(6))


def test_exception_that_opens_again_is_told_again() -> None:
    """It is another life of it."""
    board = Board()
    board.hear(raised())
    board.tell()
    board.hear(over(at=at(1)))
    assert [] == board.ids(at(1))
    board.hear(raised(at=at(2)))

    assert ["posting_refused:O1"] == board.ids(at(2))


def test_message_of_an_earlier_life_tells_nothing_of_the_new_one() -> None:
    """It closed and opened again while the message was under way."""
    board = Board()
    board.hear(raised())
    meant = meant_of(board, at(1))
    assert meant is not None
    board.hear(over(at=at(2)), raised(at=at(3)), taken(meant, at(4)))

    assert ["posting_refused:O1"] == board.ids(at(4))


@pytest.mark.parametrize(
    "word",
    [
        ExceptionParked(
            kind="posting_refused",
            subject="O1",
            by="jo",
            until=at(60),
            reason="waits",
            occurred_at=at(1),
        ),
        ExceptionAccepted(
            kind="posting_refused", subject="O1", by="jo", reason="fine", occurred_at=at(1)
        ),
        over(at=at(1)),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_is_parked_accepted_or_cleared_is_not_told(word: Event) -> None:
    """Nobody is told of what is off the desk."""
    board = Board()
    board.hear(raised(), word)

    assert [] == board.ids(at(2))


def test_accepted_exception_of_which_something_new_is_said_is_told() -> None:
    """It is on the desk again, as if for the first time."""
    board = Board()
    board.hear(raised())
    board.tell()
    word = ExceptionAccepted(
        kind="posting_refused", subject="O1", by="jo", reason="fine", occurred_at=at(1)
    )
    board.hear(word, raised(at=at(2)))

    assert ["posting_refused:O1"] == board.ids(at(2))


def test_exception_that_is_given_to_somebody_is_told_to_them() -> None:
    """Whoever has it now was not told; whoever has no name in the settings is told under *."""
    board = Board()
    board.hear(raised())
    board.tell()
    given_to = {
        name: ExceptionAssigned(
            kind="posting_refused", subject="O1", by="jo", owner=name, occurred_at=at(1)
        )
        for name in ("lead", "somebody else")
    }
    board.hear(given_to["lead"])
    assert ["posting_refused:O1"] == board.ids(at(2), "lead")
    board.hear(given_to["somebody else"])

    assert ["posting_refused:O1"] == board.ids(at(2), "*")
    assert [] == board.ids(at(2)) == board.ids(at(2), "lead")


def test_what_is_hardly_severe_is_in_the_digest_only() -> None:
    """A low one is told with the day's list."""
    board = Board()
    board.hear(raised(severity="low"))

    assert [] == board.ids()
    assert 1 == len(of_digest(PLAN, "operations", board.episodes.values(), MORNING))


WORDS = st.lists(
    st.tuples(
        st.sampled_from(("raise", "clear", "tell", "park", "unpark", "accept")),
        st.sampled_from(("O1", "O2", "O3")),
    ),
    max_size=60,
)


@unhurried
@given(words=WORDS)
def test_each_life_is_told_once_whatever_the_order(words: list[tuple[str, str]]) -> None:
    """Alerts never outnumber the lives of an exception, and none on the desk stays untold."""
    board, told, lives = Board(), dict[str, int](), dict[str, int]()
    state = dict[str, str]()
    for minute, (word, subject) in enumerate((*words, ("tell", ""))):
        now = at(minute)
        kind = "posting_refused"
        event: Event | None = None
        standing = state.get(subject, "")
        if word == "raise":
            lives[subject] = lives.get(subject, 0) + (standing in ("", "accepted"))
            state[subject] = standing if standing == "parked" else "open"
            event = raised(subject, now, again=standing in ("open", "parked"))
        elif word == "tell":
            for each in board.tell(now):
                for one in each.told:
                    name = one.exception_id.partition(":")[2]
                    assert "open" == state[name]
                    told[name] = told.get(name, 0) + 1
        elif standing and word == "clear":
            state[subject], event = "", over(subject, now)
        elif standing == "open" and word == "park":
            state[subject] = "parked"
            event = ExceptionParked(
                kind=kind, subject=subject, by="jo", until=at(999), reason="-", occurred_at=now
            )
        elif standing == "parked" and word == "unpark":
            state[subject], event = (
                "open",
                ExceptionUnparked(kind=kind, subject=subject, occurred_at=now),
            )
        elif standing == "open" and word == "accept":
            state[subject] = "accepted"
            event = ExceptionAccepted(
                kind=kind, subject=subject, by="jo", reason="-", occurred_at=now
            )
        if event is not None:
            board.hear(event)

    assert all(told.get(subject, 0) <= lives.get(subject, 0) for subject in told)
    assert [] == board.ids(at(len(words) + 1))
    assert all(told.get(subject, 0) for subject, now in state.items() if now == "open")


# ── near a deadline ─────────────────────────────────────────────────────────────────────────


def test_exception_is_told_again_at_each_share_of_its_time_and_to_the_one_above() -> None:
    """Four hours: at the start, with two left, with one left, and no more."""
    board = Board(replace(PLAN, escalate_to="lead"))
    board.hear(raised(hours=4))
    told = []
    for minute in range(0, 360, 10):
        sent = board.tell(at(minute))
        told += [(minute, each.owner, each.told[0].step) for each in sent]

    assert [
        (0, "operations", 0),
        (120, "operations", 1),
        (120, "lead", 1),
        (180, "operations", 2),
        (180, "lead", 2),
    ] == told


def test_times_that_passed_together_are_told_once() -> None:
    """A night of quiet hours: the morning has one message, of the nearest."""
    board = Board()
    board.hear(raised(hours=4))
    (first,) = board.tell(at(230))

    assert [2] == [each.step for each in first.told]
    assert [] == board.tell(at(240))


# ── storms ──────────────────────────────────────────────────────────────────────────────────


def began(minutes: float, kind: str = "posting_refused") -> StormBegan:
    return StormBegan(
        kind=kind, exceptions=50, raised=50, window_minutes=15, occurred_at=at(minutes)
    )


def ended(minutes: float, kind: str = "posting_refused") -> StormEnded:
    return StormEnded(kind=kind, exceptions=20, occurred_at=at(minutes))


def test_storm_is_told_once_for_all_of_its_kind() -> None:
    """Ten thousand orders: one line, with the count and the money of all of them."""
    board = Board()
    board.hear(*(raised(f"O{number}") for number in range(50)), began(1))
    board.hear(*(raised(f"P{number}") for number in range(9_950)))
    meant = meant_of(board, at(2))

    assert meant is not None
    (named,) = meant.named
    assert (10_000, "200,000.00 GBP") == (named.exceptions, str(named.money_at_risk[0]))
    board.hear(taken(meant, at(2)))
    board.hear(raised("Q1", at(3)))
    assert [] == board.ids(at(3))


def test_what_a_storm_has_told_is_not_told_one_by_one_when_it_is_over() -> None:
    """What comes after it is told by itself; another storm is told again."""
    board = Board()
    board.hear(*(raised(f"O{number}") for number in range(50)), began(1))
    board.tell(at(2))
    board.hear(ended(3))
    assert [] == board.ids(at(3))
    board.hear(raised("P1", at(4)))
    assert ["posting_refused:P1"] == board.ids(at(4))
    board.tell(at(4))
    board.hear(began(5))

    assert ["storm:posting_refused"] == board.ids(at(6))


def test_storm_that_nobody_was_told_of_leaves_its_exceptions_to_be_told() -> None:
    """It came and went within a quiet hour: what is left of it is told."""
    board = Board()
    board.hear(raised(), began(1), ended(2))

    assert ["posting_refused:O1"] == board.ids(at(3))


def test_storm_is_told_to_everybody_whose_exceptions_are_in_it() -> None:
    """Rules may give one kind to several."""
    board = Board()
    board.hear(raised("O1"), raised("O2", owner="lead"), began(1))

    assert ["storm:posting_refused"] == board.ids(at(2)) == board.ids(at(2), "lead")


# ── one message ─────────────────────────────────────────────────────────────────────────────


def test_what_comes_within_a_minute_is_one_message() -> None:
    """It waits for the minute to be over; then all of it goes, the most urgent first."""
    board = Board()
    board.hear(raised("O1"), raised("O2", hours=2), raised("O3", severity="critical"))

    assert meant_of(board, at(0.5), since=MORNING) is None
    meant = meant_of(board, at(1), since=MORNING)
    assert meant is not None
    assert ["O2", "O3", "O1"] == [each.subject for each in meant.named]


def test_message_names_some_and_counts_the_others_and_what_does_not_fit_goes_next() -> None:
    """Nothing is left out: what no message was about waits for the next."""
    board = Board()
    board.hear(*(raised(f"O{number}") for number in range(TOLD_MAX + 7)))
    meant = meant_of(board, at(5))

    assert meant is not None
    assert (NAMED_MAX, TOLD_MAX) == (len(meant.named), len(meant.told))
    assert [TOLD_MAX - NAMED_MAX] == [each.exceptions for each in meant.others]
    assert f"{TOLD_MAX - NAMED_MAX:,} posting_refused" not in message_of(meant, "acme").title
    assert f"{TOLD_MAX - NAMED_MAX:,} posting_refused" in message_of(meant, "acme").text
    board.hear(taken(meant, at(5)))
    assert 7 == len(board.ids(at(6)))


def test_messages_to_one_owner_keep_a_pause_but_for_critical_ones() -> None:
    """Five minutes after the last one; what is critical goes at once, and takes the rest."""
    board, state = Board(), RouteState(sent_at=MORNING)
    board.hear(raised())

    assert meant_of(board, at(4), state) is None
    assert meant_of(board, at(5), state) is not None
    board.hear(raised("O2", severity="critical"))
    meant = meant_of(board, at(2), state)
    assert meant is not None
    assert 2 == len(meant.told)


def test_nothing_new_goes_while_an_answer_is_awaited() -> None:
    """One message at a time on one way."""
    board = Board()
    board.hear(raised())
    meant = meant_of(board, at(1))

    assert meant is not None
    assert meant_of(board, at(9), RouteState(open=meant)) is None


def test_message_says_codes_and_what_to_type_and_not_what_others_wrote() -> None:
    """No buyer is in an alert, whatever a side has written into its refusal."""
    board = Board()
    board.hear(raised("700123456-A", hours=4))
    board.tell()
    meant = meant_of(board, at(121))
    assert meant is not None
    message = message_of(meant, "acme")

    assert "Larkspur" not in message.text + message.title
    assert "[kcjl acme] deadline near: high: posting_refused 700123456-A" == message.title
    for said in (
        "20.00 GBP at risk, until 2026-10-01 12:00 UTC",
        "type: kcjl exceptions show posting_refused:700123456-A",
        "manual page: posting-refused",
    ):
        assert said in message.text


def test_subject_cant_steer_a_mail_program() -> None:
    """A name from outside stays on its line."""
    board = Board()
    board.hear(raised("O1\r\nBcc: all@example.org"))
    meant = meant_of(board, at(1))
    assert meant is not None

    assert message_of(meant, "acme").title.isprintable()


def test_channel_is_not_told_of_its_own_failing() -> None:
    """Over another channel it is, and over itself when it is of another one."""
    both = replace(PLAN, channels_of={"*": (MAIL, "webhook")})
    board = Board(both)
    board.hear(raised("email", kind="alert_channel_down", owner="engineering"))
    board.hear(raised("email/lead", kind="alert_channel_down", owner="engineering"))

    assert {("webhook", "*")} == set(board.waiting())


# ── quiet hours ─────────────────────────────────────────────────────────────────────────────


QUIET = replace(PLAN, quiet=(time(20), time(7)))


def test_quiet_hours_let_only_critical_ones_through() -> None:
    """The others wait for the morning, and go as one message."""
    board = Board(QUIET)
    night = datetime(2026, 10, 1, 22, 0, tzinfo=UTC)
    board.hear(raised("O1"), raised("O2"), raised("O3", severity="critical"))
    meant = meant_of(board, night)

    assert meant is not None
    assert ["posting_refused:O3"] == [each.exception_id for each in meant.told]
    board.hear(taken(meant, night))
    assert meant_of(board, night + timedelta(minutes=9)) is None
    morning = meant_of(board, datetime(2026, 10, 2, 6, 0, tzinfo=UTC))
    assert morning is not None
    assert 2 == len(morning.told)


@pytest.mark.parametrize(
    ("utc", "is_quiet"),
    [
        ("2026-03-29T05:59:00+00:00", True),  # the clocks went forward: 06:59 in London
        ("2026-03-29T06:00:00+00:00", False),
        ("2026-10-25T06:30:00+00:00", True),  # they went back: 06:30
        ("2026-10-25T07:00:00+00:00", False),
        ("2026-07-01T18:59:00+00:00", False),
        ("2026-07-01T19:00:00+00:00", True),
    ],
)
def test_quiet_hours_are_londons_wall_clock(utc: str, *, is_quiet: bool) -> None:
    """Also on the days on which the clocks change."""
    assert is_quiet == QUIET.is_quiet(datetime.fromisoformat(utc))


MOMENTS = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
TIMES = st.times().map(lambda each: each.replace(second=0, microsecond=0))


@unhurried
@given(now=MOMENTS, begins=TIMES, ends=TIMES)
def test_quiet_hours_and_the_others_are_the_whole_day(
    now: datetime, begins: time, ends: time
) -> None:
    """What is quiet by these hours is not by the hours from their end to their begin."""
    one, other = (replace(PLAN, quiet=hours) for hours in ((begins, ends), (ends, begins)))
    if begins != ends:
        assert one.is_quiet(now) != other.is_quiet(now)


# ── the digest ──────────────────────────────────────────────────────────────────────────────


@unhurried
@given(
    begins=MOMENTS,
    digest_at=TIMES,
    looks=st.lists(st.integers(1, 600), min_size=1, max_size=80),
)
def test_digest_goes_once_a_day(begins: datetime, digest_at: time, looks: list[int]) -> None:
    """However often it is looked, and over the changes of the clocks: once for a day of London,
    at its time or later, never before.
    """
    plan: Plan = replace(PLAN, digest_at=digest_at)
    state, now, days = RouteState(), begins, []
    for minutes in looks:
        now += timedelta(minutes=minutes)
        due = digest_day(plan, state, now)
        if due is None:
            continue
        day, moment = due
        days.append(day)
        state = replace(state, digest_day=day)
        assert moment <= now < moment + timedelta(hours=6, seconds=1)
        assert moment.astimezone(LONDON).date() in (day, day + timedelta(days=1))

    assert sorted(set(days)) == days


def test_digest_has_all_that_is_open_of_its_owner_since_before_its_time() -> None:
    """What came later is in the next one; what is parked is not on the desk."""
    board = Board()
    board.hear(raised("O1"), raised("O2", severity="low"), raised("O3", owner="lead"))
    board.hear(raised("O4", at(60)), raised("O5"))
    board.hear(
        ExceptionParked(
            kind="posting_refused",
            subject="O5",
            by="jo",
            until=at(99),
            reason="-",
            occurred_at=at(1),
        )
    )
    board.tell()
    listed = of_digest(PLAN, "operations", board.episodes.values(), at(30))

    assert ["O1", "O2"] == [each.subject for each in listed]
    meant = decide_digest(WAY, RouteState(), listed, None, alert_id="d1", now=at(30))
    assert meant is not None
    assert ("digest", (), "[kcjl acme] the day's list: 2 exceptions") == (
        meant.purpose,
        meant.told,
        message_of(meant, "acme").title,
    )
    assert decide_digest(WAY, RouteState(), (), None, alert_id="d1", now=at(30)) is None


# ── what came of it ─────────────────────────────────────────────────────────────────────────

INTENDED = AlertIntended(
    channel=MAIL,
    owner="operations",
    alert_id="a1",
    purpose="alert",
    written_at=MORNING,
    named=(),
    occurred_at=MORNING,
)


def lost(minutes: float) -> AlertUnknown:
    return AlertUnknown(
        channel=MAIL,
        owner="operations",
        alert_id="a1",
        code="KCJL-4001",
        message="-",
        occurred_at=at(minutes),
    )


def failed(minutes: float, rest_s: int = 0) -> AlertFailed:
    return AlertFailed(
        channel=MAIL,
        owner="operations",
        alert_id="a1",
        scope="channel",
        code="KCJL-3001",
        message="-",
        retry_after_s=rest_s,
        occurred_at=at(minutes),
    )


def test_lost_answer_lets_it_go_once_more_under_its_id_and_then_never() -> None:
    """The second time too the answer is lost: it is taken for sent, and says so."""
    route = route_of(*WAY)
    state = made_of(ROUTES, route, INTENDED, lost(1))
    again = decide_repeat(state, at(2))

    assert isinstance(again, AlertIntended)
    assert ("a1", 2, MORNING) == (again.alert_id, again.attempt, again.written_at)
    state = made_of(ROUTES, route, INTENDED, lost(1), again, lost(3))
    end = decide_repeat(state, at(4))
    assert isinstance(end, AlertSent)
    assert not end.certain
    assert made_of(ROUTES, route, INTENDED, lost(1), again, lost(3), end).open is None


def test_repeat_that_did_not_go_is_made_later() -> None:
    """It has not been sent a second time."""
    again = replace(INTENDED, attempt=2)
    state = made_of(ROUTES, route_of(*WAY), INTENDED, lost(1), again, failed(2))

    assert again == decide_repeat(state, MORNING)


def test_message_that_did_not_go_leaves_its_exceptions_waiting() -> None:
    """They go with whatever has come meanwhile."""
    board = Board()
    board.hear(raised("O1"), failed(1), raised("O2", at(2)))

    assert RouteState(open=None) == made_of(ROUTES, route_of(*WAY), INTENDED, failed(1))
    assert 2 == len(board.ids(at(3)))


def test_channel_that_does_not_work_is_asked_with_growing_pauses() -> None:
    """1, 2, 4, … 30 minutes; longer where the other side asks for it."""
    pauses = []
    for tries in range(1, 9):
        failing = Failing(tries=tries, tried_at=MORNING)
        pauses.append(next(n for n in range(1, 999) if may_try(failing, at(n))))
    asked = made_of(CHANNELS, MAIL, failed(0, rest_s=3_600))

    assert [1, 2, 4, 8, 16, 30, 30, 30] == pauses
    assert may_try(None, MORNING)
    assert not may_try(asked, at(59))
    assert may_try(asked, at(60))
