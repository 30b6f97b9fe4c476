"""Settlement, the rules of intake: what to read again, what is news, which cycle is overdue.

Promises: pure; a line, cycle or invoice that comes as it was is nothing new; a daily sweep goes
further back than the overlap; no cycle that is still open falls out of what is read.
It does not judge amounts. Invariant: the newest update of a line stands.
Called by `actor.py`. Source: design 9; contract johnlewis b.6, d.1, e.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from kcjl.money import Money
from kcjl.settlement.events import (
    PAYMENT,
    BillingCycleSeen,
    LateLineFound,
    SettlementLineSeen,
)
from kcjl.settlement.intake_events import (
    BillingCycleCame,
    BillingCycleOverdue,
    InvoiceDocumentKept,
    InvoiceDocumentMissing,
    InvoiceSeen,
)
from kcjl.settlement.state import CLOSED_STATES, Cycle, Invoiced, Line, Reads
from kcjl.vocabulary import Event

__all__ = [
    "LONDON",
    "ReadPlan",
    "cycles_due_at",
    "cycles_since",
    "decide_cycle",
    "decide_document",
    "decide_invoice",
    "decide_late",
    "decide_line",
    "decide_overdue",
    "lines_plan",
]

LONDON = ZoneInfo("Europe/London")
OVERLAP = timedelta(hours=1)
FIRST_BACK = timedelta(days=90)
SWEEP_EVERY = timedelta(days=1)
CYCLES_BACK = timedelta(days=60)
CYCLE_GRACE = timedelta(days=2)
"""A cycle may come so much after its time before anybody is told."""
PAYABLE = "PAYABLE"


class ReadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """From which update on lines are read, and whether this is the daily sweep."""

    since: datetime
    swept: bool


def lines_plan(reads: Reads | None, now: datetime, *, sweep_back: timedelta) -> ReadPlan:
    """The hour before the last read; once a day further back: a slip of theirs is found so."""
    if reads is None or reads.transactions_cursor is None:
        return ReadPlan(since=now - FIRST_BACK, swept=True)
    since = reads.transactions_cursor - OVERLAP
    swept = reads.swept_at is None or now - reads.swept_at >= SWEEP_EVERY
    return ReadPlan(since=min(since, now - sweep_back) if swept else since, swept=swept)


def cycles_since(open_cycles: Iterable[Cycle], now: datetime) -> datetime:
    """From which creation on cycles are read: 60 days, and to the oldest that is not done."""
    oldest = min((each.created_at for each in open_cycles), default=now)
    return min(oldest, now - CYCLES_BACK)


def cycles_due_at(last: datetime, times: Sequence[str]) -> datetime:
    """The first of the London times of day that comes after `last`."""
    start = last.astimezone(LONDON)
    candidates = [
        datetime.combine(start.date() + timedelta(days=days), time.fromisoformat(each), LONDON)
        for days in (0, 1)
        for each in times
    ]
    return min(each for each in candidates if each > start)


# ── what is news ────────────────────────────────────────────────────────────────────────────


def decide_line(entry: Line | None, seen: SettlementLineSeen) -> tuple[Event, ...]:
    """A line that came: news when it is new, or not as it was."""
    if entry is None:
        return (seen,)
    if seen.occurred_at < entry.seen.occurred_at:
        return ()
    same = _but_time(seen) == _but_time(entry.seen)
    return () if same else (seen,)


def _but_time(seen: SettlementLineSeen) -> tuple[object, ...]:
    return (
        seen.kind,
        seen.amount,
        seen.payment_state,
        seen.cycle_id,
        seen.voucher,
        seen.document_number,
    )


def decide_late(
    before: Line | None, seen: SettlementLineSeen, cycle_of: dict[str, Cycle]
) -> tuple[Event, ...]:
    """What a line that is news does to payouts that are closed already: come, gone, changed.

    `cycle_of`: the cycles that the line was on and is on, by id.
    """
    if seen.kind == PAYMENT:
        return ()
    was = before.seen if before is not None else None
    effects: dict[tuple[str, str, str], Money] = {}
    for known, amount in ((was, -was.amount if was else seen.amount), (seen, seen.amount)):
        if known is not None and known.cycle_id is not None:
            of = (known.cycle_id, known.kind, amount.currency)
            effects[of] = effects[of] + amount if of in effects else amount
    return tuple(
        LateLineFound(
            cycle_id=cycle_id,
            line_id=seen.line_id,
            kind=kind,
            amount=amount,
            occurred_at=seen.occurred_at,
        )
        for (cycle_id, kind, _), amount in effects.items()
        if amount and cycle_id in cycle_of and cycle_of[cycle_id].state in CLOSED_STATES
    )


def decide_cycle(entry: Cycle | None, seen: BillingCycleSeen) -> tuple[Event, ...]:
    return () if entry is not None and entry.seen == seen else (seen,)


def decide_invoice(entry: Invoiced | None, seen: InvoiceSeen) -> tuple[Event, ...]:
    return () if entry is not None and entry.seen == seen else (seen,)


def decide_document(
    entry: Invoiced, outcome: InvoiceDocumentKept | InvoiceDocumentMissing
) -> tuple[Event, ...]:
    """Kept is said once; missing once until it is there."""
    if entry.document is not None:
        return ()
    if isinstance(outcome, InvoiceDocumentMissing) and entry.missing:
        return ()
    return (outcome,)


# ── a cycle that does not come ──────────────────────────────────────────────────────────────


def decide_overdue(
    unpaid: Sequence[Line],
    cycles: Iterable[Cycle],
    *,
    said: bool,
    cycle_days: float,
    now: datetime,
) -> tuple[Event, ...]:
    """Money that is payable for longer than a cycle lasts, while none came, is raised once.

    Nothing or less is payable: no cycle is due, the balance is carried over (contract e.4).
    """
    due_before = now - timedelta(days=cycle_days) - CYCLE_GRACE
    ripe = [
        line.seen
        for line in unpaid
        if line.seen.payment_state == PAYABLE and line.seen.occurred_at <= due_before
    ]
    last = max((cycle.created_at for cycle in cycles), default=None)
    total = _positive_total(ripe)
    if total is None or (last is not None and last > due_before):
        return (BillingCycleCame(occurred_at=now),) if said else ()
    if said:
        return ()
    return (
        BillingCycleOverdue(
            payable=total,
            lines=len(ripe),
            payable_since=min(seen.occurred_at for seen in ripe),
            last_cycle_at=last,
            occurred_at=now,
        ),
    )


def _positive_total(ripe: Sequence[SettlementLineSeen]) -> Money | None:
    """The largest sum of one currency, if it is above nothing."""
    sums: dict[str, Money] = {}
    for seen in ripe:
        currency = seen.amount.currency
        sums[currency] = sums.get(currency, Money(0, currency)) + seen.amount
    best = max(sums.values(), key=lambda each: each.amount_minor, default=None)
    return best if best is not None and best.amount_minor > 0 else None
