"""What else can happen to the carrier map: taken back, overtaken by the marketplace's own list.

Promises: no personal data. Who said it is the log's `by`. Stream: dispatch-policy.
"""

from kcjl.vocabulary import Event

__all__ = ["CarrierMapWithdrawn", "CouriersListed", "MappedCarrierBack", "MappedCarrierGone"]


class CarrierMapEvent(Event, frozen=True, kw_only=True):
    """Base of what is said of the carrier map."""

    @property
    def stream(self) -> str:
        return "dispatch-policy"


class CarrierMapWithdrawn(CarrierMapEvent, frozen=True, kw_only=True):
    """Policy: this courier of the ERP is mapped no more."""

    courier: str
    """Its name or its code in the ERP, compared without case."""
    carrier_code: str
    """What it was mapped to."""
    version: int
    reason: str = ""


class MappedCarrierGone(CarrierMapEvent, frozen=True, kw_only=True):
    """The marketplace lists a carrier no more that a courier is mapped to (SH21)."""

    courier: str
    """As the map has it, in folded case."""
    carrier_code: str
    nearest: tuple[str, ...] = ()
    """Carrier codes whose names are near, nearest first."""


class MappedCarrierBack(CarrierMapEvent, frozen=True, kw_only=True):
    """The marketplace lists the carrier again."""

    courier: str
    carrier_code: str


class CouriersListed(CarrierMapEvent, frozen=True, kw_only=True):
    """The couriers that the ERP has; said when the list has changed."""

    couriers: tuple[tuple[str, str], ...]
    """(name, code or "")"""
