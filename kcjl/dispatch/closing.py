"""Dispatch, the rules: when nothing more of an order is to be confirmed.

Promises: pure; what others confirmed is done, with a note; what we may have confirmed ourselves
is looked up before; an order that was ended there is closed only when the ERP has stopped it
too.
Called by the shell. Source: design 8.
"""

from datetime import datetime

import msgspec

from kcjl.dispatch.events import DispatchClosed, ParcelsLeft
from kcjl.dispatch.matching import (
    ENDED,
    confirmed,
    is_open,
    matched_lines,
    unwanted_units,
)
from kcjl.dispatch.parcel import Parcel, ParcelState
from kcjl.dispatch.state import DISPATCHES, Dispatch
from kcjl.vocabulary import Event

__all__ = ["SHIPPED_THERE", "decide_shipped_there", "done_there", "is_looked_up_first"]

TROUBLED = frozenset(
    {
        ParcelState.UNMAPPED,
        ParcelState.NO_TRACKING,
        ParcelState.MALFORMED,
        ParcelState.UNMATCHED,
        ParcelState.REFUSED,
        ParcelState.UNANSWERED,
        ParcelState.GIVEN_UP,
    }
)
"""Somebody was told of such a parcel, or would be."""
SHIPPED_THERE = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})


def decide_shipped_there(entry: Dispatch, now: datetime) -> tuple[Event, ...]:
    """Close what needs no more confirmation; what others confirmed is done, with a note."""
    if not is_open(entry):
        return ()
    waiting = [each for each in entry.parcels if each.state != ParcelState.CONFIRMED]
    if entry.marketplace_state in ENDED or entry.forgone:
        if not (entry.cancelled_in_erp or entry.vanished):
            return _left(entry, now)  # looked at until somebody has cancelled it there too
        there = "gone from the ERP" if entry.vanished else "cancelled in the ERP"
        reason = f"{entry.marketplace_state} at the marketplace, and {there}"
        left = tuple(each.parcel_key for each in waiting)
        return (
            DispatchClosed(order_id=entry.order_id, reason=reason, left=left, occurred_at=now),
        )
    events: list[Event] = []
    if entry.marketplace_state in SHIPPED_THERE:
        open_ones = [each for each in waiting if is_looked_up_first(each)]
        for parcel in waiting:
            if parcel in open_ones:
                continue
            for event in done_there(entry, parcel, now):
                events.append(event)
                entry = DISPATCHES.evolve(entry, event, entry.order_id) or entry
        waiting = open_ones
    sent = sum(line.quantity for parcel in entry.parcels for line in parcel.lines)
    ordered = sum(line.quantity for line in entry.lines)
    done = sent >= ordered or entry.marketplace_state in SHIPPED_THERE
    if not waiting and done and (entry.parcels or entry.marketplace_state in SHIPPED_THERE):
        reason = "every parcel is confirmed"
        events.append(DispatchClosed(order_id=entry.order_id, reason=reason, occurred_at=now))
    return tuple(events)


def is_looked_up_first(parcel: Parcel) -> bool:
    """It was sent as a shipment of its own, and may be one there: its number goes to that."""
    if parcel.state == ParcelState.OPEN:
        return True
    is_over = parcel.state in (ParcelState.CONFIRMED, ParcelState.LEFT)
    return parcel.attempts > 0 and parcel.by_shipment and not is_over


def done_there(entry: Dispatch, parcel: Parcel, now: datetime) -> tuple[Event, ...]:
    """Others have shipped it there.

    For what still fits: lines of an attempt that was refused may have gone elsewhere.
    """
    lines = matched_lines(entry, parcel) or ()
    mine = msgspec.structs.replace(parcel, lines=lines)
    return (
        *unwanted_units(entry, parcel, lines, now),
        confirmed(entry, mine, "", already=True, now=now),
    )


def _left(entry: Dispatch, now: datetime) -> tuple[Event, ...]:
    """What was raised of parcels that need no confirmation any more."""
    troubled = tuple(each.parcel_key for each in entry.parcels if each.state in TROUBLED)
    if not troubled:
        return ()
    return (
        ParcelsLeft(
            order_id=entry.order_id,
            parcel_keys=troubled,
            reason=f"the marketplace shows the order as {entry.marketplace_state}",
            occurred_at=now,
        ),
    )
