"""What the events of dispatch say about conditions: couriers, numbers, confirmations.

Promises: pure; a courier is one condition however many parcels wait for it, and so is a
marketplace that does not answer; a parcel's condition is cleared by what ends it.
Called by `decide.py`. Source: design 8, 10.
"""

from datetime import datetime

from kcjl.dispatch import events as dispatch
from kcjl.dispatch import policy_events as policy
from kcjl.dispatch.unwanted_events import UnwantedUnitsSent
from kcjl.exceptions.conditions import Clear, Condition, Raise, clear
from kcjl.vocabulary import Event

__all__ = ["conditions"]

MARKETPLACE = "marketplace"
"""The subject of what concerns all parcels."""


def conditions(event: Event) -> tuple[Condition, ...]:
    """Of parcels, and of what they wait for."""
    return _couriers(event) or _numbers(event) or _confirmations(event) or _ended(event)


def _couriers(event: Event) -> tuple[Condition, ...]:
    match event:
        case dispatch.CourierUnmapped() if not event.courier_name:
            message = "the parcel was shipped, and Khaos Control shows no courier on it"
            return (_raised("courier_unmapped", _subject(event), message, event.deadline),)
        case dispatch.CourierUnmapped():
            seen = dispatch.CourierSeen(
                courier_name=event.courier_name,
                courier_code=event.courier_code,
                nearest=event.nearest,
            )
            named = clear(_subject(event), "courier_unmapped", "its courier is named")
            return (named, _unmapped(seen, event.deadline))
        case dispatch.UnmappedCouriersSeen():
            by_name = {each.courier_name.casefold(): each for each in event.couriers}
            return tuple(_unmapped(each, event.deadline) for each in by_name.values())
        case dispatch.CourierAwaitedNoMore():
            return (
                clear(event.courier, "courier_unmapped", "no parcel waits for it any more"),
            )
        case dispatch.CarrierMapped():
            kinds = ("courier_unmapped", "carrier_gone")
            return (Clear(subject=event.courier.casefold(), kinds=kinds, reason="mapped"),)
        case policy.CarrierMapWithdrawn():
            return (clear(event.courier.casefold(), "carrier_gone", "mapped no more"),)
        case policy.MappedCarrierGone():
            message = (
                f"{event.courier!r} is mapped to {event.carrier_code}, which the marketplace "
                f"does not list any more{_near(event.nearest)}"
            )
            return (Raise(kind="carrier_gone", subject=event.courier, message=message),)
        case policy.MappedCarrierBack():
            reason = "the marketplace lists the carrier again"
            return (clear(event.courier, "carrier_gone", reason),)
        case _:
            return ()


def _unmapped(seen: dispatch.CourierSeen, deadline: datetime | None) -> Condition:
    code = f" ({seen.courier_code})" if seen.courier_code else ""
    message = (
        f"no carrier of the marketplace is known for {seen.courier_name!r}{code}: its parcels "
        f"wait{_near(seen.nearest)}"
    )
    subject = seen.courier_name.casefold()
    return Raise(kind="courier_unmapped", subject=subject, message=message, deadline=deadline)


def _near(nearest: tuple[str, ...]) -> str:
    return f"; near to its name: {', '.join(nearest)}" if nearest else ""


def _numbers(event: Event) -> tuple[Condition, ...]:
    match event:
        case dispatch.ParcelShipped():
            kinds = ("tracking_missing", "tracking_malformed")
            return (
                Clear(
                    subject=_subject(event),
                    kinds=kinds if event.tracking_number else kinds[1:],
                    reason="the ERP shows it anew",
                ),
            )
        case dispatch.TrackingAwaited():
            courier = f" with {event.courier_name}" if event.courier_name else ""
            message = f"shipped{courier} without a tracking number"
            return (_raised("tracking_missing", _subject(event), message, event.deadline),)
        case dispatch.TrackingMalformed():
            message = (
                f"{event.tracking_number!r} has no form that a number of {event.carrier} has: "
                "it is not sent"
            )
            return (_raised("tracking_malformed", _subject(event), message, event.deadline),)
        case dispatch.TrackingLetThrough():
            return (
                clear(_subject(event), "tracking_malformed", event.reason or "let through"),
            )
        case dispatch.TrackingRefused() if event.answered or event.given_up:
            message = f"the number {event.tracking_number} is not taken: {event.message}"
            return (_raised("tracking_not_sent", _subject(event), message, None),)
        case dispatch.TrackingChanged() | dispatch.TrackingSent():
            kinds = ("tracking_not_sent", "tracking_malformed")
            return (Clear(subject=_subject(event), kinds=kinds, reason="another number"),)
        case _:
            return ()


def _confirmations(event: Event) -> tuple[Condition, ...]:
    match event:
        case dispatch.ParcelUnmatched():
            return (
                _raised("parcel_unmatched", _subject(event), event.message, event.deadline),
            )
        case dispatch.ConfirmationRefused() if event.answered:
            return (_not_confirmed(event, event.message),)
        case dispatch.ConfirmationUnknown() if event.lasting:
            message = f"no look at the marketplace settles it: {event.message}"
            return (_not_confirmed(event, message),)
        case dispatch.ConfirmationGivenUp():
            message = (
                f"given up after {event.attempts} attempts since {event.since:%d %b %H:%M} "
                f"UTC; the last answer: {event.message}"
            )
            return (_not_confirmed(event, message),)
        case dispatch.ConfirmationIntended():
            courier = clear(
                event.courier_name.casefold(), "courier_unmapped", "its parcels go out"
            )
            return (_settled(event, "it is sent"), courier)
        case dispatch.ParcelConfirmed():
            return (_settled(event, "confirmed", "confirmation_refused"),)
        case dispatch.ConfirmationsStopped() if event.told:
            message = (
                f"{event.waiting} parcels wait: the marketplace has answered no confirmation "
                f"since {event.since:%d %b %H:%M} UTC; the last answer: {event.message}"
            )
            return (Raise(kind="confirmations_stopped", subject=MARKETPLACE, message=message),)
        case dispatch.ConfirmationsResumed():
            reason = "it answers again, or nothing waits for it any more"
            return (clear(MARKETPLACE, "confirmations_stopped", reason),)
        case _:
            return ()


def _settled(event: dispatch.ParcelEvent, reason: str, *more: str) -> Condition:
    """What was wrong with the parcel itself is mended."""
    kinds = (
        "tracking_missing",
        "tracking_malformed",
        "parcel_unmatched",
        "courier_unmapped",
        *more,
    )
    return Clear(subject=_subject(event), kinds=kinds, reason=reason)


def _not_confirmed(
    event: dispatch.ConfirmationRefused
    | dispatch.ConfirmationUnknown
    | dispatch.ConfirmationGivenUp,
    message: str,
) -> Condition:
    return _raised("confirmation_refused", _subject(event), message, event.deadline)


def _ended(event: Event) -> tuple[Condition, ...]:
    match event:
        case UnwantedUnitsSent():
            return (_unwanted(event),)
        case dispatch.SalesOrderCancelled() if event.still_wanted:
            message = f"the ERP shows {event.reference} as cancelled: {event.reason}"
            return (_raised("cancelled_in_erp", event.order_id, message, event.deadline),)
        case dispatch.ParcelsUnshipped():
            reason = "the ERP does not show it as shipped any more"
            unwanted = clear(event.order_id, "unwanted_units_sent", reason)
            return (unwanted, *_gone(event.order_id, event.parcel_keys, reason))
        case dispatch.ParcelsLeft():
            return _gone(event.order_id, event.parcel_keys, event.reason)
        case dispatch.DispatchClosed():
            kinds = ("cancelled_in_erp", "cancelled_after_posting")
            closed = Clear(subject=event.order_id, kinds=kinds, reason=event.reason)
            return (closed, *_gone(event.order_id, event.left, event.reason))
        case _:
            return ()


def _unwanted(event: UnwantedUnitsSent) -> Condition:
    units = ", ".join(f"{each.quantity} × {each.stock_code}" for each in event.units)
    message = (
        f"{units} went in parcel {event.parcel_key} of {event.reference}, though refunded "
        "as not to ship: the customer gets the goods and the money"
    )
    return _raised("unwanted_units_sent", event.order_id, message, None)


def _gone(order_id: str, parcel_keys: tuple[str, ...], reason: str) -> tuple[Condition, ...]:
    keys = dict.fromkeys(parcel_keys)  # one that is told twice has gone once
    return tuple(Clear(subject=f"{order_id}/{each}", reason=reason) for each in keys)


def _subject(event: dispatch.ParcelEvent) -> str:
    return f"{event.order_id}/{event.parcel_key}"


def _raised(kind: str, subject: str, message: str, deadline: datetime | None) -> Condition:
    return Raise(kind=kind, subject=subject, message=message, deadline=deadline)
