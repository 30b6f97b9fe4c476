"""Parcels as the rest of kcjl sees them, beyond the making of one.

Promises: a write on several parcels says for each of them how it ended; one that the answer
does not name is UNKNOWN, never done. It decides nothing about a parcel.
Invariant: an address is personal data, for the vault and never for the log.
Called by who follows parcels; implemented by `parcel_calls.py`. Source: contract johnlewis b.4.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.johnlewis.port import Address, Shipment, Tracking

__all__ = [
    "ItemToShip",
    "OrderToShip",
    "ParcelPort",
    "ShipmentOutcome",
    "ShipmentOutcomeKind",
]


class ItemToShip(msgspec.Struct, frozen=True, kw_only=True):
    """ST12: units of an order line that still have to go."""

    line_id: str
    sku: str
    quantity: int
    title: str = ""
    package_reference: str | None = None


class OrderToShip(msgspec.Struct, frozen=True, kw_only=True):
    """ST12: what of one order is still to ship."""

    order_id: str
    items: tuple[ItemToShip, ...]
    customer_order_number: str | None = None
    seller_reference: str | None = None
    delivery_address: Address | None = None
    shipping_at: datetime | None = None
    ship_by: datetime | None = None
    shipping_type_code: str = ""
    fulfilled_by_us: bool = True


class ShipmentOutcomeKind(StrEnum):
    """How a write on one of several parcels ended."""

    DONE = "DONE"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    """The answer does not name it: read ST11 before writing again."""


class ShipmentOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """ST23, ST24: one parcel's outcome."""

    shipment_id: str
    kind: ShipmentOutcomeKind
    message: str = ""
    reason_code: str = ""


class ParcelPort(Protocol):
    """What can be asked about parcels."""

    async def shipments_of(self, order_ids: Sequence[str]) -> Sequence[Shipment]: ...  # ST11

    async def shipments_updated(
        self, since: datetime, until: datetime | None = None
    ) -> Sequence[Shipment]: ...  # ST11

    async def orders_to_ship(
        self,
        order_ids: Sequence[str] = (),
        *,
        shipping_since: datetime | None = None,
        shipping_until: datetime | None = None,
    ) -> Sequence[OrderToShip]: ...  # ST12

    async def set_shipment_tracking(
        self, trackings: Mapping[str, Tracking]
    ) -> Sequence[ShipmentOutcome]: ...  # ST23

    async def ship_shipments(
        self, shipment_ids: Sequence[str]
    ) -> Sequence[ShipmentOutcome]: ...  # ST24
