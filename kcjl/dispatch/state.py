"""Dispatch, the fold: per order which lines are to be confirmed and what became of each parcel.

Promises: pure; the same events give the same entries. It decides nothing.
Invariant: an entry begins with its order, and takes parcels once the ERP has it.
Called by the rules beside it, the shell and `projection.py`. A parcel stands in `parcel.py`,
the carrier map in `carriers_state.py`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import get_args

import msgspec

from kcjl.dispatch.events import (
    CourierSeen,
    DispatchClosed,
    DispatchEvent,
    ParcelEvent,
    ParcelShipped,
    ParcelsLeft,
    ParcelsUnshipped,
    SalesOrderCancelled,
    SalesOrderNotShown,
    SalesOrdersKept,
    UnmappedCouriersSeen,
)
from kcjl.dispatch.parcel import Parcel, ParcelState, changed
from kcjl.fold import Fold
from kcjl.orders.events import (
    OrderChanged,
    OrderReceived,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderPosted,
    SalesOrderVanished,
)
from kcjl.orders.events_changes import LineCancelled, LineWithdrawn
from kcjl.orders.reversal_events import ReversalOrdered, ReversalTaken
from kcjl.vocabulary import Event

__all__ = [
    "DISPATCHES",
    "Dispatch",
    "DispatchLine",
]


class DispatchLine(msgspec.Struct, frozen=True, kw_only=True):
    line_id: str
    sku: str
    stock_code: str
    quantity: int


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """One sales order on its way to the customer."""

    order_id: str
    deadline: datetime | None
    reference: str = ""
    erp_order_code: str = ""
    shipping_type_code: str = ""
    lines: tuple[DispatchLine, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    marketplace_state: str = ""
    erp_complete: bool = False
    cancelled_in_erp: bool = False
    closed: bool = False
    posted_at: datetime | None = None
    """The ERP had it at this time at the latest."""
    ended_lines: tuple[str, ...] = ()
    """Lines that the marketplace has ended."""
    refunded_lines: tuple[str, ...] = ()
    """Lines whose money is back with the customer: no parcel of them is asked for any more."""
    cancelled_units: dict[str, int] = {}
    """By line: units that were cancelled, and that the ERP was posted all the same."""
    to_stay: dict[str, dict[str, int]] = {}
    """By reversal, units by line that we have asked to refund as not to ship."""
    not_to_ship: dict[str, int] = {}
    """By line: units of these that the marketplace has refunded so."""
    not_shown: bool = False
    """A clean answer of the ERP left it out, and no look has settled it yet."""
    vanished: bool = False
    """The ERP has lost it. Orders looks for it now."""
    forgone: bool = False
    """It had vanished, and nobody needs it any more."""
    kept: bool = False
    """Older than any backup that would be restored: not asked for any more."""
    couriers_seen: tuple[CourierSeen, ...] = ()
    """Couriers without a carrier that boxes name which are not shipped yet."""

    def parcel(self, parcel_key: str) -> Parcel | None:
        return next((each for each in self.parcels if each.parcel_key == parcel_key), None)


_ORDER_EVENTS = (
    OrderReceived
    | OrderChanged
    | SalesOrderPosted
    | SalesOrderVanished
    | SalesOrderFoundAgain
    | SalesOrderForgone
    | LineCancelled
    | LineWithdrawn
    | ReversalOrdered
    | ReversalTaken
)
_ENDED = frozenset({"REFUSED", "CANCELED"})


def _dispatch_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, DispatchEvent | _ORDER_EVENTS):
        return (event.order_id,)
    return event.order_ids if isinstance(event, SalesOrdersKept) else ()


def _evolve_dispatch(entry: Dispatch | None, event: Event, key: str) -> Dispatch | None:
    replace = msgspec.structs.replace
    if isinstance(event, OrderReceived):
        return Dispatch(
            order_id=key,
            deadline=event.ship_by,
            shipping_type_code=event.shipping_type_code,
            marketplace_state=event.state,
        )
    if entry is None:
        return None
    match event:
        case ParcelShipped():
            return _seen(entry, event)
        case SalesOrderCancelled():
            return replace(entry, cancelled_in_erp=True)
        case DispatchClosed():
            return replace(entry, closed=True)
        case ParcelsUnshipped():
            kept = (each for each in entry.parcels if each.parcel_key not in event.parcel_keys)
            return replace(entry, parcels=tuple(kept))
        case ParcelsLeft():
            left = {"state": ParcelState.LEFT}
            return _with(entry, event.parcel_keys, lambda each: replace(each, **left))
        case UnmappedCouriersSeen():
            return replace(entry, couriers_seen=event.couriers)
        case ParcelEvent():
            return _with(entry, (event.parcel_key,), lambda each: changed(each, event))
        case _:
            return replace(entry, **_order_change(entry, event))


def _order_change(entry: Dispatch, event: Event) -> dict[str, object]:
    """What the marketplace asks for, and what the ERP was posted of it."""
    match event:
        case OrderChanged():
            states = [(line.line_id, line.state) for line in event.lines]
            return {
                "marketplace_state": event.state,
                "deadline": event.ship_by or entry.deadline,
                "ended_lines": tuple(each for each, state in states if state in _ENDED),
                "refunded_lines": tuple(each for each, state in states if state == "REFUNDED"),
            }
        case LineCancelled():
            return _cancelled(entry, event.line_id, event.units or 0)
        case LineWithdrawn():
            return _cancelled(entry, event.line_id, -event.units)
        case ReversalOrdered() if event.not_to_ship:
            units = {each.line_id: each.quantity for each in event.items}
            return {"to_stay": entry.to_stay | {event.reversal_id: units}}
        case ReversalTaken():
            units_there = entry.to_stay.get(event.reversal_id, {}).get(event.line_id, 0)
            before = entry.not_to_ship
            stays = before.get(event.line_id, 0) + units_there
            return {"not_to_ship": before | {event.line_id: stays}} if units_there else {}
        case SalesOrderPosted():
            return {
                "reference": event.reference,
                "erp_order_code": event.erp_order_code,
                "posted_at": event.taken_by,
                "vanished": False,
                "not_shown": False,
                "cancelled_in_erp": False,
                "lines": tuple(
                    DispatchLine(
                        line_id=line.line_id,
                        sku=line.sku,
                        stock_code=line.stock_code,
                        quantity=line.quantity,
                    )
                    for line in event.lines
                ),
            }
        case _:
            return _there_change(event)


def _cancelled(entry: Dispatch, line_id: str, units: int) -> dict[str, object]:
    before = entry.cancelled_units
    return {"cancelled_units": before | {line_id: before.get(line_id, 0) + units}}


def _there_change(event: Event) -> dict[str, object]:
    """Whether the ERP has the sales order."""
    match event:
        case SalesOrderNotShown():
            return {"not_shown": True}
        case SalesOrderVanished():
            return {"not_shown": False, "vanished": True}
        case SalesOrderFoundAgain():
            code = event.erp_order_code
            return {"not_shown": False, "vanished": False, "erp_order_code": code}
        case SalesOrderForgone():
            return {"forgone": True}
        case SalesOrdersKept():
            return {"kept": True}
        case _:
            return {}


def _seen(entry: Dispatch, event: ParcelShipped) -> Dispatch:
    known = entry.parcel(event.parcel_key)
    parcel = Parcel(
        parcel_key=event.parcel_key,
        courier_name=event.courier_name,
        courier_code=event.courier_code,
        tracking_number=event.tracking_number,
        shipped_on=event.shipped_on,
        first_seen_at=known.first_seen_at if known else event.occurred_at,
        items=event.items,
        attempts=known.attempts if known else 0,
        more_tracking_numbers=event.more_tracking_numbers,
        by_shipment=known.by_shipment if known else True,
        unwanted=known.unwanted if known and known.items == event.items else (),
        number_told=known.number_told if known else None,
        number_let_through=known.number_let_through if known else "",
    )
    others = tuple(each for each in entry.parcels if each.parcel_key != event.parcel_key)
    return msgspec.structs.replace(
        entry, parcels=(*others, parcel), erp_complete=event.erp_complete
    )


def _with(
    entry: Dispatch, parcel_keys: tuple[str, ...], change: Callable[[Parcel], Parcel]
) -> Dispatch:
    parcels = tuple(
        change(each) if each.parcel_key in parcel_keys else each for each in entry.parcels
    )
    return msgspec.structs.replace(entry, parcels=parcels)


DISPATCHES: Fold[Dispatch] = Fold(
    _dispatch_keys,
    _evolve_dispatch,
    Dispatch,
    hears=(DispatchEvent, SalesOrdersKept, *get_args(_ORDER_EVENTS)),
)
