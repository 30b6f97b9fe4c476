"""Orders, the fold after intake: what has happened to an order since it was received.

Promises: pure; the same events give the same entry; and the records of what a read showed. It
decides nothing. Invariant: an order to which nothing has happened has no entry.
Called by `changes.py`, `corrections.py` and the orders room.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from kcjl.dispatch.events import ParcelShipped, SalesOrderCancelled
from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.orders.events import (
    PostingApproved,
    SalesOrderFoundAgain,
    SalesOrderPosted,
    SalesOrderVanished,
)
from kcjl.orders.events_changes import (
    CorrectionDone,
    CorrectionDue,
    IncidentClosed,
    IncidentOpened,
    LineCancelled,
    LineRefunded,
    LineRefused,
    RefundSettled,
    ReturnClosed,
    ReturnedLine,
    ReturnHandedOver,
    ReturnOpened,
    ReturnReceived,
    ReturnsRead,
)
from kcjl.orders.reversal_events import ReversalOrdered, ReversalTaken
from kcjl.vocabulary import Event

__all__ = [
    "AFTER_INTAKE",
    "CORRECTING",
    "DEAD",
    "RETURNS_READ",
    "AfterIntake",
    "CancelationSeen",
    "LineSeen",
    "OrderSeen",
    "RefundSeen",
    "ReturnSeen",
    "Task",
    "has_open_tasks",
]

DEAD = frozenset({"REFUSED", "CANCELED"})


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of what a read of an order showed."""


class RefundSeen(Seen, frozen=True, kw_only=True):
    refund_id: str
    units: int | None
    amount: Money
    shipping_amount: Money
    state: str
    reason_code: str


class CancelationSeen(Seen, frozen=True, kw_only=True):
    cancelation_id: str
    units: int | None
    amount: Money
    shipping_amount: Money
    reason_code: str


class LineSeen(Seen, frozen=True, kw_only=True):
    line_id: str
    sku: str
    state: str
    reason_code: str
    quantity: int
    paid: Money
    """Price and shipping as they stand: lowered by cancelations, not by refunds."""
    price: Money
    shipping_price: Money
    refunds: tuple[RefundSeen, ...] = ()
    cancelations: tuple[CancelationSeen, ...] = ()


class OrderSeen(Seen, frozen=True, kw_only=True):
    """An order as it was read."""

    order_id: str
    state: str
    updated_at: datetime
    lines: tuple[LineSeen, ...]


class ReturnSeen(Seen, frozen=True, kw_only=True):
    """A return as it was read."""

    return_id: str
    order_id: str
    state: str
    opened_at: datetime
    updated_at: datetime
    rma: str
    lines: tuple[ReturnedLine, ...]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A correction, and whether it is done."""

    due: CorrectionDue
    done: bool = False
    handed_over: bool = False
    """A return that the ERP can fetch."""


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line that are not to be shipped any more."""

    line_id: str
    units: int


class AfterIntake(msgspec.Struct, frozen=True, kw_only=True):
    """What has happened to an order since it was received."""

    refused: tuple[str, ...] = ()
    """Line ids."""
    cancelled: tuple[LineCancelled, ...] = ()
    refunds: tuple[LineRefunded, ...] = ()
    settled: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    """Line ids with an open one."""
    incidents_at: datetime | None = None
    returns: tuple[ReturnOpened, ...] = ()
    received: tuple[str, ...] = ()
    """Ids of returns whose goods are back."""
    ended: tuple[str, ...] = ()
    """Ids of returns that are over."""
    tasks: tuple[Task, ...] = ()
    to_stay: dict[str, dict[str, int]] = {}
    """By reversal, units by line that we have asked to refund as not to ship."""
    stays: dict[str, Stay] = {}
    """Of these by refund, what the marketplace has refunded so."""


def has_open_tasks(after: AfterIntake) -> bool:
    return any(not task.done for task in after.tasks)


# ── evolve ──────────────────────────────────────────────────────────────────────────────────

HEARD = (
    LineRefused,
    LineCancelled,
    LineRefunded,
    RefundSettled,
    IncidentOpened,
    IncidentClosed,
    ReturnOpened,
    ReturnReceived,
    ReturnClosed,
    CorrectionDue,
    CorrectionDone,
    ReturnHandedOver,
    SalesOrderFoundAgain,
    PostingApproved,
    ReversalOrdered,
    ReversalTaken,
)


def _keys(event: Event) -> tuple[str, ...]:
    return (event.order_id,) if isinstance(event, HEARD) else ()


def _evolve(entry: AfterIntake | None, event: Event, _key: str) -> AfterIntake | None:
    if isinstance(event, SalesOrderFoundAgain | PostingApproved):
        # The ERP was set back: what had been corrected in it is asked for anew.
        return entry and msgspec.structs.replace(entry, tasks=())
    after = entry or AfterIntake()
    return msgspec.structs.replace(after, **dict(_change(after, event)))


def _change(after: AfterIntake, event: Event) -> Iterator[tuple[str, object]]:
    match event:
        case LineRefused():
            yield "refused", (*after.refused, event.line_id)
        case LineCancelled():
            yield "cancelled", (*after.cancelled, event)
        case LineRefunded():
            yield "refunds", (*after.refunds, event)
        case RefundSettled():
            yield "settled", (*after.settled, event.refund_id)
        case IncidentOpened():
            yield "incidents", (*after.incidents, event.line_id)
            yield "incidents_at", event.occurred_at
        case IncidentClosed():
            yield "incidents", tuple(e for e in after.incidents if e != event.line_id)
            yield "incidents_at", event.occurred_at
        case ReturnOpened():
            yield "returns", (*after.returns, event)
        case ReturnReceived():
            yield "received", (*after.received, event.return_id)
        case ReturnClosed():
            yield "ended", (*after.ended, event.return_id)
        case CorrectionDue() | ReturnHandedOver() | CorrectionDone():
            yield "tasks", tuple(_tasks(after, event))
        case _:
            yield from _reversal_change(after, event)


def _reversal_change(after: AfterIntake, event: Event) -> Iterator[tuple[str, object]]:
    """Units that a refund of ours keeps here."""
    match event:
        case ReversalOrdered() if event.not_to_ship:
            units = {each.line_id: each.quantity for each in event.items}
            yield "to_stay", after.to_stay | {event.reversal_id: units}
        case ReversalTaken():
            if units_there := after.to_stay.get(event.reversal_id, {}).get(event.line_id, 0):
                stay = Stay(line_id=event.line_id, units=units_there)
                yield "stays", after.stays | {event.marketplace_id: stay}
        case _:
            return


def _tasks(
    after: AfterIntake, event: CorrectionDue | ReturnHandedOver | CorrectionDone
) -> Iterator[Task]:
    """A correction that is asked for again is the same task, with other figures; one that is
    moot is forgotten: it may be due again with the same figures.
    """
    for task in after.tasks:
        if task.due.task != event.task:
            yield task
        elif isinstance(event, ReturnHandedOver):
            yield msgspec.structs.replace(task, handed_over=True)
        elif isinstance(event, CorrectionDone) and not event.moot:
            yield msgspec.structs.replace(task, done=True)
    if isinstance(event, CorrectionDue):
        yield Task(due=event)


AFTER_INTAKE: Fold[AfterIntake] = Fold(_keys, _evolve, AfterIntake, hears=HEARD)


CORRECTING: tuple[type[Event], ...] = (
    LineRefused,
    LineCancelled,
    LineRefunded,
    ReturnReceived,
    SalesOrderPosted,
    SalesOrderVanished,
    SalesOrderCancelled,
    ParcelShipped,
    ReversalTaken,
)
"""What may make a correction due, or moot."""


def _returns_keys(event: Event) -> tuple[str, ...]:
    return ("returns",) if isinstance(event, ReturnsRead) else ()


def _evolve_returns(entry: ReturnsRead | None, event: Event, _key: str) -> ReturnsRead | None:
    return event if isinstance(event, ReturnsRead) else entry


RETURNS_READ: Fold[ReturnsRead] = Fold(
    _returns_keys, _evolve_returns, ReturnsRead, hears=(ReturnsRead,)
)
"""How far returns have been read."""
