"""Dispatch, the fold of one parcel: what was seen of it, and what became of its confirmation.

Promises: pure; the same events give the same parcel. It decides nothing.
Invariant: a parcel is OPEN from the intention until an outcome is known.
Called by `state.py`, whose entries hold the parcels.
"""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from kcjl.dispatch.events import (
    ConfirmationGivenUp,
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmationRetried,
    ConfirmationUnknown,
    ConfirmedLine,
    CourierUnmapped,
    ParcelConfirmed,
    ParcelEvent,
    ParcelItem,
    ParcelUnmatched,
    TrackingAwaited,
    TrackingChanged,
    TrackingIntended,
    TrackingLetThrough,
    TrackingMalformed,
    TrackingRefused,
    TrackingSent,
)
from kcjl.dispatch.unwanted_events import UnwantedUnits, UnwantedUnitsSent

__all__ = ["NumberState", "Parcel", "ParcelState", "changed"]


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
    unwanted: tuple[UnwantedUnits, ...] = ()
    """Units in it that were to stay, and of which somebody was told."""
    number_state: NumberState = NumberState.TOLD
    number_attempts: int = 0
    number_first_at: datetime | None = None
    number_tried_at: datetime | None = None


def changed(parcel: Parcel, event: ParcelEvent) -> Parcel:
    change = _parcel_change(event)
    match event:
        case TrackingMalformed():
            change["number_malformed"] = event.tracking_number
            if parcel.state != ParcelState.CONFIRMED:
                change["state"] = ParcelState.MALFORMED
        case ConfirmationIntended() if parcel.first_tried_at is None:
            change["first_tried_at"] = event.occurred_at
        case ParcelConfirmed() if _has_another_number(parcel, event):
            change["number_state"] = NumberState.CHANGED
        case TrackingChanged() if _is_told(parcel, event.tracking_number):
            change["number_state"] = NumberState.TOLD
        case TrackingIntended() if parcel.number_first_at is None:
            change["number_first_at"] = event.occurred_at
        case ConfirmationRetried() if parcel.state == ParcelState.CONFIRMED:
            change = {"number_state": NumberState.CHANGED, "number_first_at": None}
            change["number_tried_at"] = None
        case _:
            pass
    return msgspec.structs.replace(parcel, **change)


def _has_another_number(parcel: Parcel, event: ParcelConfirmed) -> bool:
    """It was found there as it was sent, and the ERP has shown another number since."""
    told, can_be_told = parcel.number_told, bool(event.shipment_id) or not parcel.by_shipment
    return can_be_told and told is not None and parcel.tracking_number not in ("", told)


def _is_told(parcel: Parcel, number: str) -> bool:
    """The ERP shows again what was confirmed, and no other number was sent on meanwhile."""
    return number == parcel.number_told and parcel.number_attempts == 0


def _parcel_change(event: ParcelEvent) -> dict[str, object]:
    match event:
        case CourierUnmapped():
            return {"state": ParcelState.UNMAPPED}
        case TrackingAwaited():
            return {"state": ParcelState.NO_TRACKING}
        case UnwantedUnitsSent():
            return {"unwanted": event.units}
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
