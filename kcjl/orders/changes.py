"""Orders, the rules after intake: what has changed of an order's lines since it was received.

Promises: pure; each refusal, cancelation, refund and incident is said once, in whatever order
the pages of the order come; units that were taken off before the posting are withdrawn, so
that they are never posted. It does no I/O, and knows of the ERP only whether it was sent.
Invariant: what is withdrawn never comes back. Called by the orders room for every order that
is read; `corrections.py` says what the ERP lacks. Source: contract johnlewis b.3, c.2.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from kcjl.dispatch.events import ParcelShipped
from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.orders.events import (
    LineOrdered,
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
    LineWithdrawn,
    RefundSettled,
    ReturnClosed,
    ReturnedLine,
    ReturnOpened,
    ReturnReceived,
    ReturnsRead,
)
from kcjl.orders.state import OrderEntry, Posting, lines_to_post
from kcjl.vocabulary import Event

__all__ = [
    "AFTER_INTAKE",
    "CORRECTING",
    "RETURNS_READ",
    "AfterIntake",
    "CancelationSeen",
    "LineSeen",
    "OrderSeen",
    "RefundSeen",
    "ReturnSeen",
    "Task",
    "decide_changes",
    "decide_return",
    "has_open_tasks",
]

DEAD = frozenset({"REFUSED", "CANCELED"})
INCIDENT = "INCIDENT_OPEN"
PAID_BACK = "REFUNDED"
GOODS_BACK = frozenset({"RECEIVED", "CLOSED"})
RETURN_OVER = frozenset({"REFUSED", "NO_RECEPTION", "CLOSED", "CANCELED"})
UNPOSTED = (Posting.NONE, Posting.REFUSED)


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
    SalesOrderFoundAgain,
    PostingApproved,
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
        case CorrectionDue():
            others = tuple(task for task in after.tasks if task.due.task != event.task)
            yield "tasks", (*others, Task(due=event))
        case CorrectionDone():
            yield (
                "tasks",
                tuple(
                    msgspec.structs.replace(task, done=task.done or task.due.task == event.task)
                    for task in after.tasks
                ),
            )
        case _:
            return


AFTER_INTAKE: Fold[AfterIntake] = Fold(_keys, _evolve, AfterIntake, hears=HEARD)


CORRECTING: tuple[type[Event], ...] = (
    LineRefused,
    LineCancelled,
    LineRefunded,
    ReturnReceived,
    SalesOrderPosted,
    SalesOrderVanished,
    ParcelShipped,
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


# ── decide: returns ──────────────────────────────────────────────────────────────────────────


def decide_return(
    entry: OrderEntry, after: AfterIntake | None, seen: ReturnSeen
) -> tuple[Event, ...]:
    """What a read of a return shows that had not been said; read late, it is said at once."""
    known = after or AfterIntake()
    events: list[Event] = []
    if all(each.return_id != seen.return_id for each in known.returns):
        events.append(
            ReturnOpened(
                order_id=entry.order_id,
                return_id=seen.return_id,
                state=seen.state,
                rma=seen.rma,
                lines=seen.lines,
                money=_worth(entry, seen.lines),
                occurred_at=seen.opened_at,
            )
        )
    is_back = seen.state in GOODS_BACK and seen.return_id not in known.received
    if is_back:
        events.append(
            ReturnReceived(
                order_id=entry.order_id, return_id=seen.return_id, occurred_at=seen.updated_at
            )
        )
    if seen.state in RETURN_OVER and seen.return_id not in known.ended:
        events.append(
            ReturnClosed(
                order_id=entry.order_id,
                return_id=seen.return_id,
                state=seen.state,
                occurred_at=seen.updated_at,
            )
        )
    return tuple(events)


def _worth(entry: OrderEntry, lines: tuple[ReturnedLine, ...]) -> Money:
    prices: dict[str, LineOrdered] = {line.line_id: line for line in entry.lines}
    worth = Money(0, entry.total_price.currency)
    for line in lines:
        if line.line_id in prices:
            worth += prices[line.line_id].unit_price.times(line.quantity)
    return worth


# ── decide: orders ──────────────────────────────────────────────────────────────────────────


def decide_changes(
    entry: OrderEntry | None, after: AfterIntake | None, seen: OrderSeen
) -> tuple[Event, ...]:
    """What a read of the order shows that had not been said.

    `entry`: the order as it was before this read; None: it is seen for the first time.
    """
    known = after or AfterIntake()
    events: list[Event] = []
    for line in seen.lines:
        events.extend(_refusals(known, seen, line))
        events.extend(_cancelations(known, seen, line))
        events.extend(_refunds(known, seen, line))
        events.extend(_incidents(known, seen, line))
        events.extend(_withdrawn(entry, seen, line))
    return tuple(events)


def _refusals(known: AfterIntake, seen: OrderSeen, line: LineSeen) -> Iterator[Event]:
    if line.state == "REFUSED" and line.line_id not in known.refused:
        yield LineRefused(
            order_id=seen.order_id,
            line_id=line.line_id,
            sku=line.sku,
            units=line.quantity,
            money=line.paid,
            occurred_at=seen.updated_at,
        )


def _cancelations(known: AfterIntake, seen: OrderSeen, line: LineSeen) -> Iterator[Event]:
    said = {each.cancelation_id for each in known.cancelled if each.line_id == line.line_id}
    listed = line.cancelations
    if line.state == "CANCELED" and not listed:
        whole = CancelationSeen(
            cancelation_id="",
            units=line.quantity,
            amount=line.price,
            shipping_amount=line.shipping_price,
            reason_code=line.reason_code,
        )
        listed = (whole,)
    for each in listed:
        if each.cancelation_id not in said:
            yield LineCancelled(
                order_id=seen.order_id,
                line_id=line.line_id,
                sku=line.sku,
                cancelation_id=each.cancelation_id,
                units=each.units,
                amount=each.amount,
                shipping_amount=each.shipping_amount,
                reason_code=each.reason_code,
                occurred_at=seen.updated_at,
            )


def _refunds(known: AfterIntake, seen: OrderSeen, line: LineSeen) -> Iterator[Event]:
    said = {each.refund_id for each in known.refunds}
    for each in line.refunds:
        if each.refund_id not in said:
            yield LineRefunded(
                order_id=seen.order_id,
                line_id=line.line_id,
                sku=line.sku,
                refund_id=each.refund_id,
                units=each.units,
                amount=each.amount,
                shipping_amount=each.shipping_amount,
                state=each.state,
                reason_code=each.reason_code,
                whole=_is_refunded(line),
                occurred_at=seen.updated_at,
            )
        if each.state == PAID_BACK and each.refund_id not in known.settled:
            yield RefundSettled(
                order_id=seen.order_id, refund_id=each.refund_id, occurred_at=seen.updated_at
            )


def _is_refunded(line: LineSeen) -> bool:
    """Nothing of what was paid for the line is left."""
    given_back = sum(
        (each.amount + each.shipping_amount for each in line.refunds),
        Money(0, line.paid.currency),
    )
    return bool(line.refunds) and given_back.amount_minor >= line.paid.amount_minor


def _incidents(known: AfterIntake, seen: OrderSeen, line: LineSeen) -> Iterator[Event]:
    """An older page of the order says nothing about an incident that came or went since."""
    if known.incidents_at is not None and seen.updated_at < known.incidents_at:
        return
    is_open = line.line_id in known.incidents
    if line.state == INCIDENT and not is_open:
        yield IncidentOpened(
            order_id=seen.order_id,
            line_id=line.line_id,
            sku=line.sku,
            money=line.paid,
            reason_code=line.reason_code,
            occurred_at=seen.updated_at,
        )
    elif is_open and line.state != INCIDENT:
        yield IncidentClosed(
            order_id=seen.order_id,
            line_id=line.line_id,
            sku=line.sku,
            state=line.state,
            occurred_at=seen.updated_at,
        )


def _withdrawn(entry: OrderEntry | None, seen: OrderSeen, line: LineSeen) -> Iterator[Event]:
    """What is not to be posted any more, of a line that the ERP has not been sent."""
    if line.state in DEAD or (entry is not None and entry.posting not in UNPOSTED):
        return
    cancelled = sum(each.units or 0 for each in line.cancelations)
    units, price, shipping = line.quantity - cancelled, line.price, line.shipping_price
    if _is_refunded(line):
        units, price, shipping = 0, price - price, shipping - shipping
    due = _to_post(entry, line)
    if due.units <= units and due.price.amount_minor <= price.amount_minor:
        return  # nothing less than before; an older page gives nothing back
    yield LineWithdrawn(
        order_id=seen.order_id,
        line_id=line.line_id,
        sku=line.sku,
        units=max(due.units - units, 0),
        amount=due.price - price,
        shipping_amount=due.shipping - shipping,
        occurred_at=seen.updated_at,
    )


class _ToPost(msgspec.Struct, frozen=True):
    units: int
    price: Money
    shipping: Money


def _to_post(entry: OrderEntry | None, line: LineSeen) -> _ToPost:
    """Of a new order: as ordered, at the price that this read shows."""
    for known in lines_to_post(entry) if entry is not None else ():
        if known.line_id == line.line_id:
            return _ToPost(known.quantity, known.price, known.shipping_price)
    if entry is not None:
        return _ToPost(0, line.price - line.price, line.shipping_price - line.shipping_price)
    return _ToPost(line.quantity, line.price, line.shipping_price)
