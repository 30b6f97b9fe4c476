"""Units in flight, the fold: of one SKU, what orders hold that the ERP's level lacks not yet.

Promises: pure; the same events give the same units. It decides nothing.
Invariant: units are in flight from the first sight of an order until a level read that began
after the ERP took it (design 6), and again from when the ERP no longer shows it; what is
cancelled, refused or withdrawn leaves at once, unless the ERP has taken it.
Called by the folds of what is offered (`stock/state.py`) and of what can be accepted
(`orders/shelf.py`): the two rooms count the same units.
"""

from datetime import datetime

import msgspec

from kcjl.dispatch.events import SalesOrderNotShown
from kcjl.orders.events import (
    OrderChanged,
    OrderPassedOver,
    OrderReceived,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderPosted,
)
from kcjl.orders.events_changes import LineWithdrawn
from kcjl.stock.events import LevelRead, stock_key
from kcjl.vocabulary import Event

__all__ = ["IN_FLIGHT_EVENTS", "LINE_ENDED", "InFlight", "after", "is_sold", "skus_of"]

NOT_LIVE = frozenset({"REFUSED", "CANCELED", "SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})
LINE_ENDED = frozenset({"REFUSED", "CANCELED"})

IN_FLIGHT_EVENTS = (
    LevelRead,
    OrderReceived,
    OrderChanged,
    OrderPassedOver,
    LineWithdrawn,
    SalesOrderPosted,
    SalesOrderNotShown,
    SalesOrderFoundAgain,
    SalesOrderForgone,
)


class InFlight(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Units of an order line that the ERP has not yet taken off its level."""

    order_id: str
    line_id: str
    units: int
    taken_by: datetime | None = None
    """The ERP had the order at this time at the latest; None while it does not."""


def skus_of(event: Event) -> tuple[str, ...]:
    """The SKUs of which such an event tells; of any other event none."""
    match event:
        case LevelRead() | LineWithdrawn():
            return (event.sku,)
        case OrderPassedOver():
            return event.skus
        case (
            OrderReceived()
            | OrderChanged()
            | SalesOrderPosted()
            | SalesOrderNotShown()
            | SalesOrderFoundAgain()
            | SalesOrderForgone()
        ):
            return tuple(line.sku for line in event.lines)
        case _:
            return ()


def is_sold(order: OrderReceived) -> bool:
    """Seen first like this, its units are to come off our level."""
    return order.state not in NOT_LIVE and order.fulfilled_by_us


def after(known: tuple[InFlight, ...], event: Event, key: str) -> tuple[InFlight, ...]:
    """The units in flight of the SKU with this stock key."""
    match event:
        case LevelRead():
            return tuple(
                each
                for each in known
                if each.taken_by is None or each.taken_by >= event.occurred_at
            )
        case OrderReceived():
            return (*known, *_ordered(event, key)) if is_sold(event) else known
        case OrderChanged():
            ended = {line.line_id for line in event.lines if line.state in LINE_ENDED}
            return _without(known, ended)
        case LineWithdrawn():
            left = tuple(
                msgspec.structs.replace(each, units=each.units - event.units)
                if each.line_id == event.line_id and each.taken_by is None
                else each
                for each in known
            )
            return tuple(each for each in left if each.units > 0)
        case OrderPassedOver():
            gone = {each.line_id for each in known if each.order_id == event.order_id}
            return _without(known, gone)
        case _:
            return _taken(known, event, key)


def _taken(known: tuple[InFlight, ...], event: Event, key: str) -> tuple[InFlight, ...]:
    """After what the ERP took, lost, and has again."""
    match event:
        case SalesOrderPosted() | SalesOrderFoundAgain():
            taken = {line.line_id for line in event.lines}
            return tuple(
                msgspec.structs.replace(each, taken_by=event.taken_by)
                if each.line_id in taken
                else each
                for each in known
            )
        case SalesOrderNotShown():
            # No level that is read from now on holds it: its units are in flight once more.
            again = _ordered(event, key)
            lost = {each.line_id for each in again}
            return (*(each for each in known if each.line_id not in lost), *again)
        case SalesOrderForgone():
            return _without(known, {line.line_id for line in event.lines})
        case _:
            return known


def _ordered(order: OrderReceived | SalesOrderNotShown, key: str) -> list[InFlight]:
    return [
        InFlight(order_id=order.order_id, line_id=line.line_id, units=line.quantity)
        for line in order.lines
        if stock_key(line.sku) == key
    ]


def _without(known: tuple[InFlight, ...], lines: set[str]) -> tuple[InFlight, ...]:
    """Lines that the ERP will never take leave; what it took stays until it is read again."""
    return tuple(
        each for each in known if each.line_id not in lines or each.taken_by is not None
    )
