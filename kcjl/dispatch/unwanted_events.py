"""What can happen to units that nobody wants any more: they were sent all the same.

Promises: codes and counts; nothing of the buyer. Stream: dispatch-<order id>.
"""

import msgspec

from kcjl.dispatch.events import ParcelEvent

__all__ = ["UnwantedUnits", "UnwantedUnitsSent"]


class UnwantedUnits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    line_id: str
    stock_code: str
    quantity: int


class UnwantedUnitsSent(ParcelEvent, frozen=True, kw_only=True):
    """The parcel holds units whose money is back with the customer, and that were to stay."""

    units: tuple[UnwantedUnits, ...]
    """They are not confirmed."""
    reference: str
