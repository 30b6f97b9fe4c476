"""Dispatch, the rules: which sales orders the ERP is asked for, and what it shows no more.

Promises: pure; what a clean answer leaves out is said once, and judged by orders, which looks
it up by itself. What is done is asked for until every backup has it.
Called by `actor.py`. Source: design 7; an ERP set back to a backup.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kcjl.dispatch.events import LineNotShown, SalesOrderNotShown, SalesOrdersKept
from kcjl.dispatch.state import Dispatch
from kcjl.vocabulary import Event

__all__ = ["decide_kept", "decide_not_shown", "is_looked_for"]

KEPT_MAX = 500
"""Orders named in one event; the rest follows in the next round."""
ENDED = frozenset({"REFUSED", "CANCELED"})


def is_looked_for(entry: Dispatch) -> bool:
    """It is asked for in the ERP: it is open, or done so lately that a backup may lack it."""
    return bool(entry.reference) and not (entry.closed and (entry.kept or entry.vanished))


def decide_not_shown(
    entry: Dispatch, *, last_seen_at: datetime | None, now: datetime
) -> tuple[Event, ...]:
    """A clean answer left the sales order out: said once. Orders looks it up, and judges."""
    if entry.not_shown or entry.vanished:
        return ()
    dead = set(entry.ended_lines)
    live = () if entry.marketplace_state in ENDED else entry.lines
    return (
        SalesOrderNotShown(
            order_id=entry.order_id,
            reference=entry.reference,
            last_seen_at=last_seen_at or entry.posted_at or now,
            lines=tuple(
                LineNotShown(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
                for line in live
                if line.line_id not in dead
            ),
            occurred_at=now,
        ),
    )


def decide_kept(
    entries: Sequence[Dispatch], *, backup_age: timedelta, now: datetime
) -> tuple[Event, ...]:
    """Which of those that are done need not be asked for any more, as one event."""
    old = tuple(
        each.order_id
        for each in entries
        if each.closed
        and not each.not_shown
        and (each.posted_at is None or each.posted_at + backup_age < now)
    )[:KEPT_MAX]
    return (SalesOrdersKept(order_ids=old, occurred_at=now),) if old else ()
