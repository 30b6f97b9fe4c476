"""Dispatch, the fold: per order which lines are to be confirmed and what became of each parcel.

Promises: pure; the same events give the same entries. It decides nothing.
Invariant: a parcel is OPEN from the intention until an outcome is known.
Called by the rules beside it, the shell and `projection.py`. The carrier map stands in
`carriers_state.py`.
"""

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import get_args

import msgspec

from kcjl.dispatch.events import (
    ConfirmationGivenUp,
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmationRetried,
    ConfirmationUnknown,
    ConfirmedLine,
    CourierSeen,
    CourierUnmapped,
    DispatchClosed,
    DispatchEvent,
    ParcelConfirmed,
    ParcelEvent,
    ParcelItem,
    ParcelShipped,
    ParcelsLeft,
    ParcelsUnshipped,
    ParcelUnmatched,
    SalesOrderCancelled,
    SalesOrderNotShown,
    SalesOrdersKept,
    TrackingAwaited,
    TrackingChanged,
    TrackingIntended,
    TrackingLetThrough,
    TrackingMalformed,
    TrackingRefused,
    TrackingSent,
    UnmappedCouriersSeen,
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
from kcjl.vocabulary import Event

__all__ = [
    "DISPATCHES",
    "Dispatch",
    "DispatchLine",
    "NumberState",
    "Parcel",
    "ParcelState",
]


class ParcelState(StrEnum):
    SHIPPED = "shipped"
    """Seen, nothing done yet."""
    UNMAPPED = "unmapped"
    NO_TRACKING = "no_tracking"
    MALFORMED = "malformed"
    """Its number has no form that the carrier's numbers have."""
    UNMATCHED = "unmatched"
    OPEN = "open"
    """Intended or unknown: look at the marketplace's shipments before anything else."""
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    """No answer came, and the marketplace does not have it: it is sent again, with pauses."""
    GIVEN_UP = "given_up"
    """The time for trying again is over."""
    CONFIRMED = "confirmed"
    LEFT = "left"
    """Its order was ended at the marketplace: it needs no confirmation any more."""


class NumberState(StrEnum):
    """Of a confirmed parcel: where its tracking number is."""

    TOLD = "told"
    """As it was confirmed, or sent on since; also where there is none."""
    CHANGED = "changed"
    """The ERP shows another one than the marketplace has: it is to be sent on."""
    REFUSED = "refused"
    GIVEN_UP = "given_up"


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
    more_tracking_numbers: tuple[str, ...] = ()
    first_tried_at: datetime | None = None
    """Since it was seen like this, or a person wanted it tried again."""
    lasting: bool = False
    """Of an open one: somebody was told that looks do not settle it."""
    by_shipment: bool = True
    """Of one that was tried: as a shipment of its own; else with the whole order."""
    number_told: str | None = None
    """What we have told the marketplace as its number; None: nothing yet."""
    number_let_through: str = ""
    """A number that is right as it is, as a person has said."""
    number_malformed: str = ""
    """A number of which somebody was told that it has no form of the carrier's."""
    number_state: NumberState = NumberState.TOLD
    number_attempts: int = 0
    number_first_at: datetime | None = None
    number_tried_at: datetime | None = None


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
        case ParcelsUnshipped():
            kept = (each for each in entry.parcels if each.parcel_key not in event.parcel_keys)
            return replace(entry, parcels=tuple(kept))
        case ParcelsLeft():
            left = {"state": ParcelState.LEFT}
            return _with(entry, event.parcel_keys, lambda each: replace(each, **left))
        case UnmappedCouriersSeen():
            return replace(entry, couriers_seen=event.couriers)
        case ParcelEvent():
            return _with(entry, (event.parcel_key,), lambda each: _changed(each, event))
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
        more_tracking_numbers=event.more_tracking_numbers,
        by_shipment=known.by_shipment if known else True,
        number_told=known.number_told if known else None,
        number_let_through=known.number_let_through if known else "",
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
        case TrackingLetThrough():
            return {"number_let_through": event.tracking_number}
        case _:
            return _confirmation_change(event) or _number_change(event)


def _confirmation_change(event: ParcelEvent) -> dict[str, object]:
    match event:
        case ConfirmationIntended():
            return {
                "state": ParcelState.OPEN,
                "lines": event.lines,
                "carrier_code": event.carrier_code,
                "attempts": event.attempt,
                "tried_at": event.occurred_at,
                "by_shipment": event.by_shipment,
                "number_told": event.tracking_number,
                "lasting": False,
            }
        case ConfirmationUnknown():
            tried: dict[str, object] = {} if event.lasting else {"tried_at": event.occurred_at}
            return {"state": ParcelState.OPEN, "lasting": event.lasting, **tried}
        case ConfirmationRefused():
            if not event.answered:  # a look is no attempt
                return {"state": ParcelState.UNANSWERED, "message": event.message}
            return {
                "state": ParcelState.REFUSED,
                "tried_at": event.occurred_at,
                "message": event.message,
            }
        case ConfirmationGivenUp():
            return {"state": ParcelState.GIVEN_UP, "message": event.message}
        case ConfirmationRetried():
            return {"state": ParcelState.SHIPPED, "first_tried_at": None, "tried_at": None}
        case ParcelConfirmed():
            return {
                "state": ParcelState.CONFIRMED,
                "lines": event.lines,
                "message": "",
                "shipment_id": event.shipment_id,
            }
        case _:
            return {}


def _number_change(event: ParcelEvent) -> dict[str, object]:
    match event:
        case TrackingChanged():
            return {
                "tracking_number": event.tracking_number,
                "courier_name": event.courier_name,
                "courier_code": event.courier_code,
                "number_state": NumberState.CHANGED,
                "number_first_at": None,
                "number_tried_at": None,
            }
        case TrackingIntended():
            return {
                "number_attempts": event.attempt,
                "number_tried_at": event.occurred_at,
            }
        case TrackingRefused():
            given_up = NumberState.GIVEN_UP if event.given_up else NumberState.REFUSED
            return {"number_state": given_up, "number_tried_at": event.occurred_at}
        case TrackingSent():
            return {"number_state": NumberState.TOLD, "number_told": event.tracking_number}
        case _:
            return {}


def _changed(parcel: Parcel, event: ParcelEvent) -> Parcel:
    change = _parcel_change(event)
    match event:
        case TrackingMalformed():
            change["number_malformed"] = event.tracking_number
            if parcel.state != ParcelState.CONFIRMED:
                change["state"] = ParcelState.MALFORMED
        case ConfirmationIntended() if parcel.first_tried_at is None:
            change["first_tried_at"] = event.occurred_at
        case TrackingIntended() if parcel.number_first_at is None:
            change["number_first_at"] = event.occurred_at
        case ConfirmationRetried() if parcel.state == ParcelState.CONFIRMED:
            change = {"number_state": NumberState.CHANGED, "number_first_at": None}
            change["number_tried_at"] = None
        case _:
            pass
    return msgspec.structs.replace(parcel, **change)


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
