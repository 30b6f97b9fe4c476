"""Orders, the rules after intake: what has changed of an order's lines since it was received.

Promises: pure; each refusal, cancelation, refund and incident is said once, in whatever order
the pages of the order come; units that were taken off before the posting are withdrawn, so
that they are never posted. It does no I/O, and knows of the ERP only whether it was sent.
Invariant: what is withdrawn never comes back. Called by the orders room for every order that
is read; `corrections.py` says what the ERP lacks. Source: contract johnlewis b.3, c.2.
"""

from collections.abc import Iterator

import msgspec

from kcjl.money import Money
from kcjl.orders.changes_state import (
    DEAD,
    AfterIntake,
    CancelationSeen,
    LineSeen,
    OrderSeen,
    ReturnSeen,
)
from kcjl.orders.events import (
    LineOrdered,
)
from kcjl.orders.events_changes import (
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
)
from kcjl.orders.state import OrderEntry, Posting, lines_to_post
from kcjl.vocabulary import Event

__all__ = ["decide_changes", "decide_return"]

INCIDENT = "INCIDENT_OPEN"
PAID_BACK = "REFUNDED"
GOODS_BACK = frozenset({"RECEIVED", "CLOSED"})
RETURN_OVER = frozenset({"REFUSED", "NO_RECEPTION", "CLOSED", "CANCELED"})
UNPOSTED = (Posting.NONE, Posting.REFUSED)


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
