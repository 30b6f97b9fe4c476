"""Dispatch, the rules: which parcel is confirmed, how, and when not.

Promises: pure; a parcel is confirmed once, for the lines that it holds, under a carrier code
that the marketplace lists; what can't be matched or mapped is said, never guessed.
Called by the shell. Source: design 8; khaos c, johnlewis b.4, d.5.
"""

from collections.abc import Sequence
from datetime import datetime

from kcjl.dispatch.carrier_map import carrier_code_for
from kcjl.dispatch.carriers_state import Carriers
from kcjl.dispatch.events import (
    ConfirmationGivenUp,
    ConfirmationIntended,
    CourierUnmapped,
    ParcelConfirmed,
    ParcelShipped,
    ParcelsUnshipped,
    ParcelUnmatched,
    SalesOrderCancelled,
    TrackingAwaited,
    TrackingMalformed,
)
from kcjl.dispatch.matching import ENDED, matched_lines, unwanted_units
from kcjl.dispatch.parcel import Parcel, ParcelState
from kcjl.dispatch.sending_on import decide_changed
from kcjl.dispatch.state import DISPATCHES, Dispatch
from kcjl.dispatch.terms import LAST_CALL, Terms
from kcjl.dispatch.tracking_forms import is_malformed
from kcjl.vocabulary import Event

__all__ = ["decide_confirmation", "decide_parcels"]

UNTRIED = frozenset(
    {
        ParcelState.SHIPPED,
        ParcelState.UNMAPPED,
        ParcelState.NO_TRACKING,
        ParcelState.MALFORMED,
        ParcelState.UNMATCHED,
    }
)
"""Nothing was sent of these parcels yet."""
FAILED = frozenset({ParcelState.REFUSED, ParcelState.UNANSWERED, ParcelState.GIVEN_UP})
SETTLED = frozenset({ParcelState.CONFIRMED, ParcelState.OPEN, ParcelState.LEFT})
"""Nothing is decided on these: done, or looked up first."""


def decide_parcels(
    entry: Dispatch, seen: Sequence[ParcelShipped], *, cancelled: str | None, now: datetime
) -> tuple[Event, ...]:
    """What the ERP shows of an order's parcels, as far as it is news.

    `cancelled`: the ERP's reason when it shows the sales order as cancelled, else None.
    """
    events: list[Event] = []
    complete = entry.erp_complete
    for shipped in seen:
        known = entry.parcel(shipped.parcel_key)
        if known is None:
            news = True
        elif known.state in SETTLED:
            news = False
            if known.state == ParcelState.CONFIRMED:
                events.extend(decide_changed(known, shipped))
        else:  # or nothing about it, but the order is whole now (or not any more): said once
            news = _differs(known, shipped) or shipped.erp_complete != complete
        if news:
            events.append(shipped)
            complete = shipped.erp_complete
            if entry.closed and known is None:
                events.extend(_sent_after_all(entry, shipped, now))
    shown = {each.parcel_key for each in seen}
    gone = tuple(
        each.parcel_key
        for each in entry.parcels
        if each.state in UNTRIED and each.parcel_key not in shown
    )
    if gone and not entry.closed:
        events.append(
            ParcelsUnshipped(order_id=entry.order_id, parcel_keys=gone, occurred_at=now)
        )
    if cancelled is not None and not entry.cancelled_in_erp:
        events.append(
            SalesOrderCancelled(
                order_id=entry.order_id,
                reference=entry.reference,
                reason=cancelled,
                deadline=entry.deadline,
                still_wanted=entry.marketplace_state not in ENDED,
                occurred_at=now,
            )
        )
    return tuple(events)


def _sent_after_all(
    entry: Dispatch, shipped: ParcelShipped, now: datetime
) -> tuple[Event, ...]:
    """Nothing of the order was to be confirmed any more, and yet a parcel of it went."""
    seen = DISPATCHES.evolve(entry, shipped, entry.order_id) or entry
    parcel = seen.parcel(shipped.parcel_key)
    if parcel is None:
        return ()
    return unwanted_units(seen, parcel, matched_lines(seen, parcel) or (), now)


def _differs(known: Parcel, shipped: ParcelShipped) -> bool:
    return (
        known.tracking_number != shipped.tracking_number
        or known.courier_name != shipped.courier_name
        or known.courier_code != shipped.courier_code
        or known.items != shipped.items
        or known.more_tracking_numbers != shipped.more_tracking_numbers
    )


def decide_confirmation(
    entry: Dispatch, parcel: Parcel, carriers: Carriers, terms: Terms, now: datetime
) -> tuple[Event, ...]:
    """The next step for a parcel that is shipped and not confirmed; () when it has to wait."""
    if parcel.state in SETTLED or entry.marketplace_state in ENDED:
        return ()
    if not carriers.multi_shipment and (whole := _shipped_with(entry)):
        return (_confirmed_with(entry, parcel, whole, now),)
    carrier = carrier_code_for(carriers, parcel.courier_name, parcel.courier_code)
    if not carrier:
        return () if parcel.state == ParcelState.UNMAPPED else (_unmapped(entry, parcel, now),)
    if parcel.state in FAILED and carrier == parcel.carrier_code:
        waits = _before_the_next(entry, parcel, terms, now)
        if waits is not None:
            return waits
    if not parcel.tracking_number and not _goes_without_number(
        entry, parcel, carriers, terms, now
    ):
        return _awaited(entry, parcel, terms, now)
    if whose := is_malformed(parcel, carriers, carrier, terms):
        return _malformed(entry, parcel, whose, now)
    lines = matched_lines(entry, parcel)
    if lines is None:
        return _unmatched(entry, parcel, now)
    if not carriers.multi_shipment and (
        not entry.erp_complete or _is_in_doubt(entry) or _leaves_the_number(entry, parcel)
    ):
        # The whole order is shipped in one call: wait for its last parcel, for the outcome
        # of the call that another one began, and for the one that has the number.
        return ()
    return (
        *unwanted_units(entry, parcel, lines, now),
        ConfirmationIntended(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            attempt=parcel.attempts + 1,
            lines=lines,
            courier_name=parcel.courier_name,
            carrier_code=carrier,
            tracking_number=parcel.tracking_number,
            by_shipment=carriers.multi_shipment,
            policy_version=carriers.version,
            numbers_left=_numbers_left(entry, parcel, carriers),
            occurred_at=now,
        ),
    )


def _shipped_with(entry: Dispatch) -> Parcel | None:
    """The parcel with whose number we have shipped the order as a whole."""
    return next(
        (
            each
            for each in entry.parcels
            if each.state == ParcelState.CONFIRMED and each.attempts and not each.by_shipment
        ),
        None,
    )


def _is_in_doubt(entry: Dispatch) -> bool:
    return any(each.state == ParcelState.OPEN for each in entry.parcels)


def _leaves_the_number(entry: Dispatch, parcel: Parcel) -> bool:
    """It has no number, and another one of the order has: also one that is to be corrected."""
    return not parcel.tracking_number and any(
        each.tracking_number for each in entry.parcels if each.state not in SETTLED
    )


def _confirmed_with(entry: Dispatch, parcel: Parcel, whole: Parcel, now: datetime) -> Event:
    return ParcelConfirmed(
        order_id=entry.order_id,
        parcel_key=parcel.parcel_key,
        lines=matched_lines(entry, parcel) or (),
        shipment_id="",
        already=False,
        with_parcel=whole.parcel_key,
        occurred_at=now,
    )


def _numbers_left(entry: Dispatch, parcel: Parcel, carriers: Carriers) -> tuple[str, ...]:
    """Where the order has one number only, those of its other parcels are not told."""
    others = () if carriers.multi_shipment else entry.parcels
    numbers = [
        *parcel.more_tracking_numbers,
        *(
            number
            for each in others
            if each.parcel_key != parcel.parcel_key
            for number in (each.tracking_number, *each.more_tracking_numbers)
        ),
    ]
    return tuple(
        number
        for number in dict.fromkeys(numbers)
        if number not in ("", parcel.tracking_number)
    )


def _before_the_next(
    entry: Dispatch, parcel: Parcel, terms: Terms, now: datetime
) -> tuple[Event, ...] | None:
    """What is said, or nothing, while the next attempt is not due; None when it is."""
    if parcel.first_tried_at is None or parcel.tried_at is None:
        return None
    came_back = terms.resumed_at is not None and terms.resumed_at > parcel.tried_at
    if came_back and parcel.state != ParcelState.REFUSED:
        return None
    if parcel.state == ParcelState.GIVEN_UP:
        return ()
    if terms.is_over(parcel.first_tried_at, now):
        given_up = ConfirmationGivenUp(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            attempts=parcel.attempts,
            since=terms.tried_since(parcel.first_tried_at),
            message=parcel.message,
            deadline=entry.deadline,
            occurred_at=now,
        )
        return (given_up,)
    return () if terms.may_try_at(parcel.attempts, parcel.tried_at) > now else None


def _goes_without_number(
    entry: Dispatch, parcel: Parcel, carriers: Carriers, terms: Terms, now: datetime
) -> bool:
    """Where the shipping type allows it (SH12): as the merchant has it."""
    if entry.shipping_type_code not in carriers.tracking_optional:
        return False
    has_waited = now >= parcel.first_seen_at + terms.tracking_wait
    is_nearly_late = entry.deadline is not None and now >= entry.deadline - LAST_CALL
    match terms.without_tracking:
        case "wait":
            return is_nearly_late
        case "confirm":
            return has_waited or is_nearly_late
        case "raise":
            return False


def _unmapped(entry: Dispatch, parcel: Parcel, now: datetime) -> Event:
    return CourierUnmapped(
        order_id=entry.order_id,
        parcel_key=parcel.parcel_key,
        courier_name=parcel.courier_name,
        courier_code=parcel.courier_code,
        deadline=entry.deadline,
        occurred_at=now,
    )


def _malformed(entry: Dispatch, parcel: Parcel, whose: str, now: datetime) -> tuple[Event, ...]:
    if parcel.state == ParcelState.MALFORMED:
        return ()
    return (
        TrackingMalformed(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            tracking_number=parcel.tracking_number,
            carrier=whose,
            deadline=entry.deadline,
            occurred_at=now,
        ),
    )


def _awaited(entry: Dispatch, parcel: Parcel, terms: Terms, now: datetime) -> tuple[Event, ...]:
    until = parcel.first_seen_at + terms.tracking_wait
    if parcel.state == ParcelState.NO_TRACKING or now < until:
        return ()
    return (
        TrackingAwaited(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            until=until,
            deadline=entry.deadline,
            courier_name=parcel.courier_name,
            occurred_at=now,
        ),
    )


def _unmatched(entry: Dispatch, parcel: Parcel, now: datetime) -> tuple[Event, ...]:
    held = ", ".join(f"{item.quantity} × {item.stock_code}" for item in parcel.items)
    message = (
        f"parcel {parcel.parcel_key} holds {held}: the order's open lines don't ask for it"
    )
    if parcel.state == ParcelState.UNMATCHED and parcel.message == message:
        return ()
    return (
        ParcelUnmatched(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            message=message,
            deadline=entry.deadline,
            occurred_at=now,
        ),
    )
