"""A month's end, the rules: closed once, in turn, when it is over; and nothing dated before."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Refused
from kcjl.settlement.closing import (
    MONTHS,
    MONTHS_KEY,
    ClosedMonths,
    MonthClosing,
    decide_close,
    ends_at,
    next_month,
)
from kcjl.settlement.events import JournalFile, JournalIntended, PayoutHeld
from kcjl.settlement.journal import decide_correction, decide_journals
from kcjl.settlement.month_events import MonthClosed, MonthKnown
from kcjl.settlement.state import CYCLES, Cycle, CycleState
from kcjl.vocabulary import Event
from tests.patience import unhurried
from tests.settlement.payouts import HOUSE, closed_cycle, cycle, reconciled, tied
from tests.settlement.test_behind import moved
from tests.trade import at, cycle_seen, gbp, made_of

replace = msgspec.structs.replace
SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
IN_NOVEMBER = datetime(2026, 11, 5, 9, tzinfo=UTC)
KNOWN = MonthKnown(
    position=100,
    looked_from=90,
    lines=2,
    total=gbp(2_000),
    by_kind=(),
    brought_forward=gbp(0),
    paid=gbp(2_000),
    carried_forward=gbp(0),
    journals=(),
)
FILES = (JournalFile(name="close-2026-10-100.xlsx", sha256="0" * 64),)
HELD = PayoutHeld(
    cycle_id="CY1",
    stated=gbp(500),
    lines_total=gbp(0),
    residue=gbp(500),
    lines=0,
    untied=(),
    reason="the stated amount and the lines differ by 5.00 GBP",
    occurred_at=at(200),
)


def closed(month: date) -> ClosedMonths:
    event = MonthClosed(month=month, known=KNOWN, files=FILES, occurred_at=IN_NOVEMBER)
    return made_of(MONTHS, MONTHS_KEY, event)


def close(
    *cycles: Cycle,
    month: date = OCTOBER,
    known: MonthKnown = KNOWN,
    before: ClosedMonths | None = None,
    reason: str = "",
    read: datetime | None = IN_NOVEMBER,
    now: datetime = IN_NOVEMBER,
) -> tuple[Event, ...]:
    asked = MonthClosing(month=month, known=known, files=FILES, reason=reason)
    return decide_close(before, cycles, asked, lines_read_at=read, now=now)


def test_month_that_is_over_is_closed_with_what_was_known_of_it() -> None:
    """Who says it is the event's envelope; what was known, and the files, are in it."""
    (event,) = close()

    assert isinstance(event, MonthClosed)
    assert (OCTOBER, KNOWN, FILES) == (event.month, event.known, event.files)
    assert "settlement-month-2026-10" == event.stream


def test_month_is_closed_after_the_one_before_it() -> None:
    """In order, none left out."""
    (event,) = close(before=closed(SEPTEMBER))

    assert isinstance(event, MonthClosed)
    with pytest.raises(Refused, match="October 2026 comes first, and is not closed"):
        close(
            before=closed(SEPTEMBER),
            month=NOVEMBER,
            now=IN_NOVEMBER + timedelta(days=40),
            read=IN_NOVEMBER + timedelta(days=40),
        )


@pytest.mark.parametrize("month", [OCTOBER, SEPTEMBER])
def test_month_is_not_closed_twice(month: date) -> None:
    """Nor one before it: it is closed with it."""
    with pytest.raises(Refused, match="a month is closed once"):
        close(month=month, known=replace(KNOWN, position=101), before=closed(OCTOBER))


def test_same_word_again_is_nothing_new() -> None:
    """A crash before the answer: the command is carried out again."""
    assert () == close(before=closed(OCTOBER))


@pytest.mark.parametrize(
    ("now", "open_still"),
    [
        (datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 1, tzinfo=UTC), False),
    ],
)
def test_month_is_over_at_midnight_in_london(now: datetime, *, open_still: bool) -> None:
    """In winter London's midnight is that of UTC; in summer it is an hour earlier."""
    assert datetime(2026, 7, 31, 23, tzinfo=UTC) == ends_at(date(2026, 7, 1))
    if open_still:
        with pytest.raises(Refused, match="it is over at 01/11/2026 00:00"):
            close(now=now)
    else:
        assert close(now=now)


@pytest.mark.parametrize("read", [None, datetime(2026, 10, 31, 23, 59, tzinfo=UTC)])
def test_month_is_not_closed_before_its_last_lines_were_read(read: datetime | None) -> None:
    """A line of the last hour would be late from the start."""
    with pytest.raises(Refused, match="wait for the next read"):
        close(read=read)


def test_month_with_a_held_payout_is_closed_for_a_reason_only() -> None:
    """Which ones were open stands in the event; those of later months do not count."""
    held = cycle(HELD, seen=cycle_seen(500))
    waiting = replace(cycle(seen=cycle_seen(700, "PENDING")), cycle_id="CY0")
    later = replace(held, seen=replace(held.seen, paid_at=IN_NOVEMBER), cycle_id="CY9")

    with pytest.raises(Refused, match=r"payouts are not closed \(CY0, CY1\)"):
        close(held, waiting, later)
    (event,) = close(held, waiting, later, reason="agreed")
    assert isinstance(event, MonthClosed)
    assert (("CY0", "CY1"), "agreed") == (event.open_payouts, event.reason)


def test_month_with_lines_in_another_currency_is_closed_for_a_reason_only() -> None:
    """They are in none of the figures: somebody has to know."""
    with pytest.raises(Refused, match="3 lines are in another currency"):
        close(known=replace(KNOWN, other_currencies=3))


def test_month_whose_journals_changed_meanwhile_is_not_closed() -> None:
    """A journal that the files lack: they are made again first."""
    booked = closed_cycle()
    for event in decide_journals(booked, [tied(2_000)], HOUSE, at(201), cycle_days=11):
        booked = CYCLES.evolve(booked, event, "CY1") or booked
    references = tuple(each.intended.reference for each in booked.journals)

    with pytest.raises(Refused, match="1 are dated in it, and the files have 0"):
        close(booked)
    assert close(booked, known=replace(KNOWN, journals=references))
    assert close(replace(booked, journals=()))


def test_next_month_follows_at_the_years_end() -> None:
    """And after a month of 31 days."""
    assert date(2027, 1, 1) == next_month(date(2026, 12, 31))
    assert date(2026, 2, 1) == next_month(date(2026, 1, 31))


# ── what is dated afterwards ────────────────────────────────────────────────────────────────

DAYS = st.datetimes(
    datetime(2026, 8, 1),  # noqa: DTZ001 - hypothesis wants them naive, and adds the zone
    datetime(2026, 11, 20),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@unhurried
@given(
    st.lists(st.tuples(st.integers(-5_000, 5_000), DAYS), min_size=1, max_size=8),
    DAYS,
    st.sampled_from([date(2026, 9, 1), OCTOBER, NOVEMBER]),
)
def test_no_journal_is_dated_in_a_closed_month(
    moves: list[tuple[int, datetime]], paid_at: datetime, open_from: date
) -> None:
    """Straddling cycles, payouts that close late: the money is all booked, and later."""
    lines = [
        moved(amount, "ORDER_AMOUNT", f"L{number}", day)
        for number, (amount, day) in enumerate(moves)
    ]
    total = sum(amount for amount, _ in moves)
    entry = closed_cycle(total)
    entry = replace(entry, seen=replace(entry.seen, paid_at=paid_at), created_at=paid_at)
    now = max(paid_at, IN_NOVEMBER)
    events = decide_journals(entry, lines, HOUSE, now, cycle_days=60, open_from=open_from)
    for event in events:
        entry = CYCLES.evolve(entry, event, "CY1") or entry

    journals = [each.intended for each in entry.journals]
    assert all(each.posting_date >= open_from for each in journals)
    clearing = sum(
        each.credit.amount_minor - each.debit.amount_minor
        for journal in journals
        for each in journal.lines
        if each.account == "John Lewis Clearing"
    )
    assert total == clearing


def test_payout_of_a_closed_month_says_where_it_belongs() -> None:
    """Booked on the first open day; the narrative keeps the day on which it was paid."""
    (journal,) = decide_journals(
        closed_cycle(), [tied(2_000)], HOUSE, IN_NOVEMBER, cycle_days=11, open_from=NOVEMBER
    )

    assert isinstance(journal, JournalIntended)
    assert NOVEMBER == journal.posting_date
    assert "payout of 01/10/2026, BACS 1; October 2026 is closed" in journal.narrative


def test_correction_is_dated_in_an_open_month_whatever_the_clock_says() -> None:
    """A clock that went back does not write into a closed month."""
    entry = closed_cycle()
    for event in decide_journals(entry, [tied(2_000)], HOUSE, at(201), cycle_days=11):
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    lines = [tied(1_900), tied(100, "NEW_FEE", "L2")]
    done = replace(entry, state=CycleState.DONE, reconciled=reconciled(lines))
    made = decide_correction(
        done,
        "CY1",
        HOUSE,
        reason="so",
        now=at(300),
        open_from=NOVEMBER,
    )

    dates = {each.posting_date for each in made if isinstance(each, JournalIntended)}
    assert {NOVEMBER} == dates
