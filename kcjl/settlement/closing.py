"""Settlement, the rules of a month's end: when a month may be closed, and what is open then.

Promises: pure; a month is closed once, when it is over and all of it has been read, after the
month before it; closing says which payouts were still open. What is dated later than the last
closed month is all that may be dated.
Called by `actor.py`, `journal.py` and the CLI. Source: design 9.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

import msgspec

from kcjl.errors import Refused
from kcjl.fold import Fold
from kcjl.settlement.events import JournalFile
from kcjl.settlement.intake import LONDON
from kcjl.settlement.month_events import MonthClosed, MonthKnown
from kcjl.settlement.state import Cycle, CycleState
from kcjl.vocabulary import Event

__all__ = [
    "MONTHS",
    "MONTHS_KEY",
    "ClosedMonths",
    "decide_close",
    "ends_at",
    "is_open_in",
    "next_month",
    "refuse_out_of_turn",
    "starts_at",
]

MONTHS_KEY = "months"


class ClosedMonths(msgspec.Struct, frozen=True, kw_only=True):
    """All months up to the last one that was closed."""

    last: MonthClosed

    @property
    def open_from(self) -> date:
        """The first day that may still be posted to."""
        return next_month(self.last.month)


def _keys(event: Event) -> tuple[str, ...]:
    return (MONTHS_KEY,) if isinstance(event, MonthClosed) else ()


def _evolve(entry: ClosedMonths | None, event: Event, _key: str) -> ClosedMonths | None:
    return ClosedMonths(last=event) if isinstance(event, MonthClosed) else entry


MONTHS: Fold[ClosedMonths] = Fold(_keys, _evolve, ClosedMonths, hears=(MonthClosed,))


def next_month(month: date) -> date:
    """Its first day."""
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def starts_at(month: date) -> datetime:
    """Its first moment, in London."""
    return datetime.combine(month, time(), LONDON)


def ends_at(month: date) -> datetime:
    """The moment at which it is over, in London."""
    return starts_at(next_month(month))


class MonthClosing(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks: the month is closed, and was this."""

    month: date
    known: MonthKnown
    files: tuple[JournalFile, ...]
    reason: str = ""


def decide_close(
    closed: ClosedMonths | None,
    cycles: Iterable[Cycle],
    asked: MonthClosing,
    *,
    lines_read_at: datetime | None,
    now: datetime,
) -> tuple[Event, ...]:
    """Close it. Raises Refused with what has to happen first."""
    month, known = asked.month, asked.known
    if closed is not None and _is_repeat(closed.last, asked):
        return ()
    refuse_out_of_turn(closed, month, lines_read_at, now)
    of_month = list(cycles)
    _refuse_changed(of_month, month, known)
    waiting = sorted(each.cycle_id for each in of_month if is_open_in(each, month))
    if (waiting or known.other_currencies) and not asked.reason:
        raise Refused(_held(month, waiting, known.other_currencies))
    return (
        MonthClosed(
            month=month,
            known=known,
            files=asked.files,
            open_payouts=tuple(waiting),
            reason=asked.reason,
            occurred_at=now,
        ),
    )


def _is_repeat(last: MonthClosed, asked: MonthClosing) -> bool:
    """The same word again: nobody had heard the answer."""
    return (last.month, last.known, last.files) == (asked.month, asked.known, asked.files)


def refuse_out_of_turn(
    closed: ClosedMonths | None, month: date, lines_read_at: datetime | None, now: datetime
) -> None:
    """Raises Refused when it is not this month's turn."""
    end = ends_at(month)
    asked = f"closing {month:%B %Y}"
    if closed is not None and month <= closed.last.month:
        raise Refused(
            f"{asked}: {closed.last.month:%B %Y} and all before it are closed, and a month is "
            "closed once; what comes late goes to the open month"
        )
    if closed is not None and month > closed.open_from:
        raise Refused(f"{asked}: {closed.open_from:%B %Y} comes first, and is not closed")
    if now < end:
        raise Refused(f"{asked}: it is over at {end:%d/%m/%Y %H:%M}, and not before")
    if lines_read_at is None or lines_read_at < end:
        read = "never" if lines_read_at is None else f"at {lines_read_at:%d/%m/%Y %H:%M} UTC"
        raise Refused(
            f"{asked}: transaction lines were read last {read}, so its last ones may be "
            "missing: wait for the next read"
        )


def _refuse_changed(cycles: Iterable[Cycle], month: date, known: MonthKnown) -> None:
    end = next_month(month)
    dated = sorted(
        each.intended.reference
        for cycle in cycles
        for each in cycle.journals
        if month <= each.intended.posting_date < end
    )
    if tuple(dated) != known.journals:
        raise Refused(
            f"closing {month:%B %Y}: a journal was made while the files were written "
            f"({len(dated)} are dated in it, and the files have {len(known.journals)}): "
            "run it again"
        )


def is_open_in(cycle: Cycle, month: date) -> bool:
    """Whether a payout of the month or of one before it is not closed yet."""
    if cycle.state not in (CycleState.WAITING, CycleState.HELD):
        return False
    return (cycle.seen.paid_at or cycle.created_at) < ends_at(month)


def _held(month: date, waiting: list[str], other_currencies: int) -> str:
    parts = []
    if waiting:
        parts.append(f"payouts are not closed ({', '.join(waiting)})")
    if other_currencies:
        parts.append(f"{other_currencies:,} lines are in another currency")
    return (
        f"closing {month:%B %Y}: {' and '.join(parts)}; settle that first (kcjl payouts list), "
        "or say with --reason why it is closed without"
    )
