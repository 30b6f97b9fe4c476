"""Parcels as the marketplace keeps them.

Promises: what is kept changes only in the marketplace's own rooms. Times are aware UTC, to the
millisecond. Invariant: a parcel that was deleted is kept, and shown to nobody.
Called through the records, by the parcels' room, the order book and the HTTP face.
"""

from dataclasses import dataclass, field
from datetime import datetime

from kcjl.sandbox.marketplace.inputs import Tracking

__all__ = ["Shipment", "ShipmentField", "ShipmentLine", "ShipmentOutcome"]


@dataclass(slots=True, kw_only=True)
class ShipmentLine:
    """Units of an order line in one parcel."""

    order_line_id: str
    sku: str
    quantity: int
    package_reference: str | None = None


@dataclass(slots=True, kw_only=True)
class ShipmentField:
    """ST31: something more about a parcel."""

    code: str
    value: str
    type: str = "STRING"


@dataclass(slots=True, kw_only=True)
class Shipment:
    """ST01: one parcel."""

    shipment_id: str
    order_id: str
    status: str
    created_at: datetime
    updated_at: datetime
    shipped_at: datetime | None = None
    invoice_reference: str | None = None
    tracking: Tracking | None = None
    lines: list[ShipmentLine]
    additional: list[ShipmentField] = field(default_factory=list)
    warehouse: str | None = None
    """Where it was sent from, as the shop said."""
    is_deleted: bool = False


@dataclass(slots=True, kw_only=True)
class ShipmentOutcome:
    """What became of one item of a shipment call: a shipment, or a message why not."""

    key: str
    """The order id (ST01) or the shipment id (ST23, ST24)."""
    shipment: Shipment | None = None
    message: str | None = None
