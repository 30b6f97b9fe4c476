"""Dispatch, the read models: an order with its parcels, by the least advanced; and its time."""

from kcjl.dispatch.parcel import ParcelState
from kcjl.dispatch.state import DISPATCHES, Dispatch
from kcjl.dispatch.timekeeping import TIMINGS
from kcjl.projections.projection import Projection

__all__ = ["DISPATCHES_SHOWN", "TIMINGS_SHOWN"]

TROUBLE = frozenset(
    {
        ParcelState.UNMAPPED,
        ParcelState.NO_TRACKING,
        ParcelState.MALFORMED,
        ParcelState.UNMATCHED,
        ParcelState.REFUSED,
        ParcelState.GIVEN_UP,
    }
)


def _state(entry: Dispatch) -> str:
    if entry.closed:
        return "closed"
    if not entry.reference:
        return "not_posted"
    states = {parcel.state for parcel in entry.parcels}
    if entry.cancelled_in_erp or states & TROUBLE:
        return "excepted"
    if ParcelState.OPEN in states:
        return "unknown_outcome"
    if states & {ParcelState.SHIPPED, ParcelState.UNANSWERED}:
        return "to_confirm"
    return "in_warehouse"


DISPATCHES_SHOWN = Projection("dispatch", DISPATCHES, _state)
TIMINGS_SHOWN = Projection("timings", TIMINGS, lambda timing: timing.stage.value)
