"""Numbers of what is confirmed already, the rules: one that comes late, one that was changed.

Promises: pure; a number is sent on only to what we have confirmed ourselves, while the
marketplace takes numbers for the order; said twice it is as said once (ST23, OR23 overwrite).
One that comes when the marketplace takes none any more is given up at once, with what to do.
Called by `decide.py` and the shell. Source: johnlewis b.3, b.4, c.1, d.5.
"""

from datetime import datetime

from kcjl.dispatch.carrier_map import carrier_code_for
from kcjl.dispatch.carriers_state import Carriers
from kcjl.dispatch.events import (
    ParcelShipped,
    TrackingChanged,
    TrackingIntended,
    TrackingMalformed,
    TrackingRefused,
)
from kcjl.dispatch.parcel import NumberState, Parcel, ParcelState
from kcjl.dispatch.state import Dispatch
from kcjl.dispatch.terms import Terms
from kcjl.dispatch.tracking_forms import is_malformed
from kcjl.vocabulary import Event

__all__ = [
    "TAKES_NO_MORE",
    "decide_changed",
    "decide_number",
    "lacks_its_number",
    "waits_to_send_on",
]

TAKES_NUMBERS = frozenset({"SHIPPING", "SHIPPED"})
TAKES_NO_MORE = frozenset({"TO_COLLECT", "RECEIVED", "CLOSED"})
"""States in which OR23 is refused: the customer has the parcel, or can fetch it."""


def lacks_its_number(parcel: Parcel) -> bool:
    """It was confirmed by us without a number, and none has come."""
    return parcel.state == ParcelState.CONFIRMED and parcel.number_told == ""


def waits_to_send_on(entry: Dispatch, parcel: Parcel) -> bool:
    """Its number is to be told, and can be; or it can't be any more, and nobody was told."""
    return (
        parcel.state == ParcelState.CONFIRMED
        and parcel.number_state in (NumberState.CHANGED, NumberState.REFUSED)
        and entry.marketplace_state in TAKES_NUMBERS | TAKES_NO_MORE
    )


def decide_changed(known: Parcel, seen: ParcelShipped) -> tuple[Event, ...]:
    """What the ERP shows of a parcel that is confirmed: only its number can be news."""
    number = seen.tracking_number
    can_be_told = known.number_told is not None and (
        bool(known.shipment_id) or not known.by_shipment
    )
    if not number or number == known.tracking_number or not can_be_told:
        return ()
    return (
        TrackingChanged(
            order_id=seen.order_id,
            parcel_key=seen.parcel_key,
            tracking_number=number,
            courier_name=seen.courier_name,
            courier_code=seen.courier_code,
            occurred_at=seen.occurred_at,
        ),
    )


def decide_number(
    entry: Dispatch, parcel: Parcel, carriers: Carriers, terms: Terms, now: datetime
) -> tuple[Event, ...]:
    """The next step for a number that is to be sent on; () when it has to wait."""
    if not waits_to_send_on(entry, parcel):
        return ()
    number, carrier = parcel.tracking_number, parcel.carrier_code
    carrier = carrier_code_for(carriers, parcel.courier_name, parcel.courier_code) or carrier
    if whose := is_malformed(parcel, carriers, carrier, terms):
        if parcel.number_malformed == number:
            return ()
        return (
            TrackingMalformed(
                order_id=entry.order_id,
                parcel_key=parcel.parcel_key,
                tracking_number=number,
                carrier=whose,
                deadline=entry.deadline,
                occurred_at=now,
            ),
        )
    if entry.marketplace_state in TAKES_NO_MORE:
        return (_given_up(entry, parcel, _too_late(entry, parcel), now),)
    if parcel.number_first_at is not None and parcel.number_tried_at is not None:
        if terms.is_over(parcel.number_first_at, now):
            message = f"given up after {parcel.number_attempts} attempts"
            return (_given_up(entry, parcel, message, now),)
        if terms.may_try_at(parcel.number_attempts, parcel.number_tried_at) > now:
            return ()
    return (
        TrackingIntended(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            attempt=parcel.number_attempts + 1,
            shipment_id=parcel.shipment_id,
            carrier_code=carrier,
            tracking_number=number,
            policy_version=carriers.version,
            occurred_at=now,
        ),
    )


def _too_late(entry: Dispatch, parcel: Parcel) -> str:
    """Why nothing is sent, and what a person can do instead."""
    shipment = f", shipment {parcel.shipment_id}" if parcel.shipment_id else ""
    return (
        f"the order is {entry.marketplace_state}, and the marketplace takes numbers until it "
        f"is SHIPPED; it has {parcel.number_told or 'none'}. If the customer misses the "
        f"parcel, give them the new number ({parcel.courier_name}); to have it shown, send it "
        f"to the marketplace's support: order {entry.order_id}{shipment}"
    )


def _given_up(entry: Dispatch, parcel: Parcel, message: str, now: datetime) -> Event:
    return TrackingRefused(
        order_id=entry.order_id,
        parcel_key=parcel.parcel_key,
        tracking_number=parcel.tracking_number,
        message=message,
        attempt=parcel.number_attempts,
        answered=parcel.number_state == NumberState.REFUSED,
        given_up=True,
        occurred_at=now,
    )
