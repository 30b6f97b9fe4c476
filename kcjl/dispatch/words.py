"""What a person says of a parcel, the rules: try it again, or send its number as it is.

Promises: pure; said of what does not wait for it, it is refused with what the parcels wait for.
Called by `asked.py`. Source: design 8.
"""

from datetime import datetime

from kcjl.dispatch.events import ConfirmationRetried, TrackingLetThrough
from kcjl.dispatch.parcel import NumberState, Parcel, ParcelState
from kcjl.dispatch.sending_on import TAKES_NO_MORE
from kcjl.dispatch.state import Dispatch
from kcjl.errors import NotFound, Refused
from kcjl.vocabulary import Event

__all__ = ["decide_as_is", "decide_retry"]

FAILED = frozenset({ParcelState.REFUSED, ParcelState.UNANSWERED, ParcelState.GIVEN_UP})


def decide_retry(
    entry: Dispatch | None, order_id: str, parcel_key: str, *, reason: str, now: datetime
) -> tuple[Event, ...]:
    """Try again what the marketplace has not taken. `parcel_key`: one parcel, or "" for all."""
    found = [each for each in _parcels(entry, order_id, parcel_key) if _may_be_retried(each)]
    state = entry.marketplace_state if entry is not None else ""
    if found and state in TAKES_NO_MORE:
        raise Refused(
            f"order {order_id} is {state}: the marketplace takes numbers until it is SHIPPED, "
            "so nothing is sent; see its exception for what to do"
        )
    if not found:
        raise Refused(_nothing(entry, order_id, "none of its parcels was refused"))
    return tuple(
        ConfirmationRetried(
            order_id=order_id, parcel_key=each.parcel_key, reason=reason, occurred_at=now
        )
        for each in found
    )


def decide_as_is(
    entry: Dispatch | None, order_id: str, parcel_key: str, *, reason: str, now: datetime
) -> tuple[Event, ...]:
    """A number that has no form of its carrier's is right as it is."""
    found = [each for each in _parcels(entry, order_id, parcel_key) if _is_doubted(each)]
    if not found:
        raise Refused(_nothing(entry, order_id, "no number of its parcels is in doubt"))
    return tuple(
        TrackingLetThrough(
            order_id=order_id,
            parcel_key=each.parcel_key,
            tracking_number=each.tracking_number,
            reason=reason,
            occurred_at=now,
        )
        for each in found
    )


def _parcels(entry: Dispatch | None, order_id: str, parcel_key: str) -> tuple[Parcel, ...]:
    if entry is None or not entry.parcels:
        raise NotFound(f"no parcel of order {order_id} is known: the ERP has shown none yet")
    if not parcel_key:
        return entry.parcels
    parcel = entry.parcel(parcel_key)
    if parcel is None:
        known = ", ".join(each.parcel_key for each in entry.parcels)
        raise NotFound(f"order {order_id} has no parcel {parcel_key}: it has {known}")
    return (parcel,)


def _may_be_retried(parcel: Parcel) -> bool:
    if parcel.state == ParcelState.CONFIRMED:
        return parcel.number_state in (NumberState.REFUSED, NumberState.GIVEN_UP)
    return parcel.state in FAILED


def _is_doubted(parcel: Parcel) -> bool:
    number = parcel.tracking_number
    is_held = parcel.state in (ParcelState.MALFORMED, ParcelState.CONFIRMED)
    is_settled = number in (parcel.number_let_through, parcel.number_told)
    return is_held and number == parcel.number_malformed and not is_settled


def _nothing(entry: Dispatch | None, order_id: str, why: str) -> str:
    parcels = entry.parcels if entry is not None else ()
    states = ", ".join(f"{each.parcel_key} is {each.state.value}" for each in parcels)
    return f"nothing of order {order_id} waits for that: {why}; {states}"
