"""Dispatch, the rules: which sales orders the ERP is asked for, and what it shows no more.

Promises: pure; what a clean answer leaves out is said once, and judged by orders, which looks
it up by itself. What is done is asked for until every backup has it.
Called by `reading.py`. Source: design 7; an ERP set back to a backup.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kcjl.dispatch.events import LineNotShown, SalesOrderNotShown, SalesOrdersKept
from kcjl.dispatch.sending_on import lacks_its_number, waits_to_send_on
from kcjl.dispatch.state import Dispatch
from kcjl.vocabulary import Event

__all__ = ["decide_kept", "decide_not_shown", "is_looked_for"]

KEPT_MAX = 500
"""Orders named in one event; the rest follows in the next round."""
ENDED = frozenset({"REFUSED", "CANCELED"})


def is_looked_for(entry: Dispatch) -> bool:
    """It is asked for in the ERP: it is open, or done so lately that a backup may lack it.

    Or a number of it is to be sent on.
    """
    is_past = entry.closed and (entry.kept or entry.vanished)
    return bool(entry.reference) and (not is_past or _sends_on(entry))


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
    entries: Sequence[Dispatch],
    *,
    backup_age: timedelta,
    late_tracking: timedelta = timedelta(),
    now: datetime,
) -> tuple[Event, ...]:
    """Which of those that are done need not be asked for any more, as one event.

    One that was confirmed without its number is asked for longer, and named where none came.
    """
    old = [
        each
        for each in entries
        if each.closed
        and not each.not_shown
        and not _sends_on(each)
        and (
            each.posted_at is None
            or each.posted_at + _asked_for(each, backup_age, late_tracking) < now
        )
    ][:KEPT_MAX]
    if not old:
        return ()
    return (
        SalesOrdersKept(
            order_ids=tuple(each.order_id for each in old),
            without_tracking=tuple(each.order_id for each in old if _lacks_a_number(each)),
            occurred_at=now,
        ),
    )


def _asked_for(entry: Dispatch, backup_age: timedelta, late_tracking: timedelta) -> timedelta:
    return max(backup_age, late_tracking) if _lacks_a_number(entry) else backup_age


def _lacks_a_number(entry: Dispatch) -> bool:
    return any(map(lacks_its_number, entry.parcels))


def _sends_on(entry: Dispatch) -> bool:
    return any(waits_to_send_on(entry, parcel) for parcel in entry.parcels)
