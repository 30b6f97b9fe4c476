"""Dispatch, the fold: per order which lines are to be confirmed and what became of each parcel.

Promises: pure; the same events give the same entries. It decides nothing.
Invariant: a parcel is OPEN from the intention until an outcome is known.
Called by `decide.py`, `actor.py`, `projection.py`.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import get_args

import msgspec

from kcjl.dispatch.events import (
    CarrierMapped,
    CarriersRead,
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmationUnknown,
    ConfirmedLine,
    CourierAwaitedNoMore,
    CourierUnmapped,
    DispatchClosed,
    DispatchEvent,
    ParcelConfirmed,
    ParcelEvent,
    ParcelItem,
    ParcelShipped,
    ParcelsLeft,
    ParcelUnmatched,
    SalesOrderCancelled,
    SalesOrderNotShown,
    SalesOrdersKept,
    TrackingAwaited,
)
from kcjl.fold import Fold
from kcjl.orders.events import (
    OrderChanged,
    OrderReceived,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderPosted,
    SalesOrderVanished,
)
from kcjl.tenant.events import TenantRead
from kcjl.vocabulary import Event

__all__ = [
    "CARRIERS",
    "DISPATCHES",
    "Carriers",
    "Dispatch",
    "DispatchLine",
    "Parcel",
    "ParcelState",
]


class ParcelState(StrEnum):
    SHIPPED = "shipped"
    """Seen, nothing done yet."""
    UNMAPPED = "unmapped"
    NO_TRACKING = "no_tracking"
    UNMATCHED = "unmatched"
    OPEN = "open"
    """Intended or unknown: look at the marketplace's shipments before anything else."""
    REFUSED = "refused"
    CONFIRMED = "confirmed"
    LEFT = "left"
    """Its order was ended at the marketplace: it needs no confirmation any more."""


class DispatchLine(msgspec.Struct, frozen=True, kw_only=True):
    line_id: str
    sku: str
    stock_code: str
    quantity: int


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    parcel_key: str
    courier_name: str
    courier_code: str | None
    tracking_number: str
    shipped_on: date | None
    first_seen_at: datetime
    items: tuple[ParcelItem, ...]
    state: ParcelState = ParcelState.SHIPPED
    lines: tuple[ConfirmedLine, ...] = ()
    carrier_code: str = ""
    attempts: int = 0
    tried_at: datetime | None = None
    message: str = ""
    shipment_id: str = ""
    """The marketplace's shipment that this parcel is."""


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
    not_shown: bool = False
    """A clean answer of the ERP left it out, and no look has settled it yet."""
    vanished: bool = False
    """The ERP has lost it. Orders looks for it now."""
    forgone: bool = False
    """It had vanished, and nobody needs it any more."""
    kept: bool = False
    """Older than any backup that would be restored: not asked for any more."""

    def parcel(self, parcel_key: str) -> Parcel | None:
        return next((each for each in self.parcels if each.parcel_key == parcel_key), None)


class Carriers(msgspec.Struct, frozen=True, kw_only=True):
    """What the marketplace accepts, and our map onto it."""

    codes: tuple[tuple[str, str], ...] = ()
    """(code, label)"""
    multi_shipment: bool = True
    mapped: tuple[tuple[str, str], ...] = ()
    """(courier in folded case, carrier code)"""
    version: int = 0
    read_at: datetime | None = None
    read_with_tenant: bool = False
    """The tenant's own room reads them every day: dispatch need not."""
    unmapped: tuple[str, ...] = ()
    """Couriers, in folded case, of which it was said that no carrier is known."""
    tracking_optional: tuple[str, ...] = ()
    """Shipping types that may be confirmed without a tracking number; others may not."""


_ORDER_EVENTS = (
    OrderReceived
    | OrderChanged
    | SalesOrderPosted
    | SalesOrderVanished
    | SalesOrderFoundAgain
    | SalesOrderForgone
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
        case OrderChanged():
            return replace(
                entry,
                marketplace_state=event.state,
                deadline=event.ship_by or entry.deadline,
                ended_lines=tuple(line.line_id for line in event.lines if line.state in _ENDED),
            )
        case SalesOrderPosted():
            return replace(
                entry,
                reference=event.reference,
                erp_order_code=event.erp_order_code,
                posted_at=event.taken_by,
                vanished=False,
                not_shown=False,
                lines=tuple(
                    DispatchLine(
                        line_id=line.line_id,
                        sku=line.sku,
                        stock_code=line.stock_code,
                        quantity=line.quantity,
                    )
                    for line in event.lines
                ),
            )
        case ParcelShipped():
            return _seen(entry, event)
        case SalesOrderCancelled():
            return replace(entry, cancelled_in_erp=True)
        case DispatchClosed():
            return replace(entry, closed=True)
        case ParcelsLeft():
            for parcel_key in event.parcel_keys:
                entry = _with(entry, parcel_key, {"state": ParcelState.LEFT})
            return entry
        case ParcelEvent():
            return _with(entry, event.parcel_key, _parcel_change(event))
        case _:
            return replace(entry, **_there_change(event))


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
    )
    others = tuple(each for each in entry.parcels if each.parcel_key != event.parcel_key)
    return msgspec.structs.replace(
        entry, parcels=(*others, parcel), erp_complete=event.erp_complete
    )


def _parcel_change(event: ParcelEvent) -> dict[str, object]:
    match event:
        case CourierUnmapped():
            return {"state": ParcelState.UNMAPPED}
        case TrackingAwaited():
            return {"state": ParcelState.NO_TRACKING}
        case ParcelUnmatched():
            return {"state": ParcelState.UNMATCHED, "message": event.message}
        case ConfirmationIntended():
            return {
                "state": ParcelState.OPEN,
                "lines": event.lines,
                "carrier_code": event.carrier_code,
                "attempts": event.attempt,
                "tried_at": event.occurred_at,
            }
        case ConfirmationUnknown():
            return {"state": ParcelState.OPEN, "tried_at": event.occurred_at}
        case ConfirmationRefused():
            return {
                "state": ParcelState.REFUSED,
                "tried_at": event.occurred_at,
                "message": event.message,
            }
        case ParcelConfirmed():
            return {
                "state": ParcelState.CONFIRMED,
                "lines": event.lines,
                "message": "",
                "shipment_id": event.shipment_id,
            }
        case _:
            return {}


def _with(entry: Dispatch, parcel_key: str, change: dict[str, object]) -> Dispatch:
    parcels = tuple(
        msgspec.structs.replace(each, **change) if each.parcel_key == parcel_key else each
        for each in entry.parcels
    )
    return msgspec.structs.replace(entry, parcels=parcels)


DISPATCHES: Fold[Dispatch] = Fold(
    _dispatch_keys,
    _evolve_dispatch,
    Dispatch,
    hears=(DispatchEvent, SalesOrdersKept, *get_args(_ORDER_EVENTS)),
)


_CARRIER_EVENTS = (
    CarrierMapped,
    CarriersRead,
    TenantRead,
    CourierUnmapped,
    CourierAwaitedNoMore,
)


def _carrier_keys(event: Event) -> tuple[str, ...]:
    return ("carriers",) if isinstance(event, _CARRIER_EVENTS) else ()


def _evolve_carriers(entry: Carriers | None, event: Event, _key: str) -> Carriers:
    carriers = entry or Carriers()
    match event:
        case CarriersRead():
            return msgspec.structs.replace(
                carriers,
                codes=event.carriers,
                multi_shipment=event.multi_shipment,
                read_at=event.occurred_at,
                read_with_tenant=False,
            )
        case TenantRead():
            return msgspec.structs.replace(
                carriers,
                codes=event.carriers,
                multi_shipment=event.multi_shipment,
                read_at=event.occurred_at,
                read_with_tenant=True,
                tracking_optional=tuple(
                    code for code, mandatory in event.shipping_types if not mandatory
                ),
            )
        case CourierUnmapped():
            unmapped = {*carriers.unmapped, event.courier_name.casefold()}
            return msgspec.structs.replace(carriers, unmapped=tuple(sorted(unmapped)))
        case CourierAwaitedNoMore():
            unmapped = set(carriers.unmapped) - {event.courier}
            return msgspec.structs.replace(carriers, unmapped=tuple(sorted(unmapped)))
        case CarrierMapped():
            courier = event.courier.casefold()
            kept = tuple(pair for pair in carriers.mapped if pair[0] != courier)
            return msgspec.structs.replace(
                carriers,
                mapped=tuple(sorted((*kept, (courier, event.carrier_code)))),
                version=event.version,
            )
        case _:
            return carriers


CARRIERS: Fold[Carriers] = Fold(
    _carrier_keys,
    _evolve_carriers,
    Carriers,
    hears=_CARRIER_EVENTS,
)
