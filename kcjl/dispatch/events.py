"""What can happen to a parcel: shipped in the warehouse, confirmed at the marketplace.

Stream: dispatch-<order id>; the carrier map: dispatch-policy; reads: dispatch-reads.
"""

from datetime import date, datetime

import msgspec

from kcjl.vocabulary import Event

__all__ = [
    "CarrierMapped",
    "CarriersRead",
    "ConfirmationIntended",
    "ConfirmationRefused",
    "ConfirmationUnknown",
    "ConfirmedLine",
    "CourierAwaitedNoMore",
    "CourierUnmapped",
    "DispatchClosed",
    "LineNotShown",
    "ParcelConfirmed",
    "ParcelItem",
    "ParcelShipped",
    "ParcelUnmatched",
    "ParcelsLeft",
    "SalesOrderCancelled",
    "SalesOrderNotShown",
    "SalesOrdersKept",
    "ShipmentsRead",
    "TrackingAwaited",
]


class ParcelItem(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    stock_code: str
    quantity: int
    line_id: str = ""
    """The order line, where the ERP names it."""


class ConfirmedLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    line_id: str
    quantity: int


class DispatchEvent(Event, frozen=True, kw_only=True):
    """Base of the events of one order's parcels."""

    order_id: str

    @property
    def stream(self) -> str:
        return f"dispatch-{self.order_id}"


class ParcelEvent(DispatchEvent, frozen=True, kw_only=True):
    parcel_key: str
    """Invoice code and box number in the ERP."""


class ParcelShipped(ParcelEvent, frozen=True, kw_only=True):
    """The ERP shows the parcel as shipped, or shows its tracking number later."""

    reference: str
    erp_complete: bool
    """The ERP shows the whole sales order as shipped."""
    courier_name: str
    courier_code: str | None
    tracking_number: str
    shipped_on: date | None
    items: tuple[ParcelItem, ...]
    deadline: datetime | None


class CourierUnmapped(ParcelEvent, frozen=True, kw_only=True):
    """No carrier code of the marketplace is known for this courier: the parcel waits."""

    courier_name: str
    courier_code: str | None
    deadline: datetime | None


class TrackingAwaited(ParcelEvent, frozen=True, kw_only=True):
    """Shipped without a tracking number: we wait for one."""

    until: datetime
    deadline: datetime | None


class ParcelUnmatched(ParcelEvent, frozen=True, kw_only=True):
    """The parcel holds what no open line of the order asks for."""

    message: str
    deadline: datetime | None


class ConfirmationIntended(ParcelEvent, frozen=True, kw_only=True):
    """We are about to confirm the parcel at the marketplace (ST01, or OR23 and OR24)."""

    attempt: int
    lines: tuple[ConfirmedLine, ...]
    courier_name: str
    carrier_code: str
    tracking_number: str
    by_shipment: bool
    """ST01; else tracking and ship of the whole order."""


class ParcelConfirmed(ParcelEvent, frozen=True, kw_only=True):
    """The marketplace shows the parcel as shipped."""

    lines: tuple[ConfirmedLine, ...]
    shipment_id: str
    already: bool
    """True: it was confirmed there before we asked (by an answer we lost, or by others)."""


class ConfirmationRefused(ParcelEvent, frozen=True, kw_only=True):
    message: str
    attempt: int
    deadline: datetime | None


class ConfirmationUnknown(ParcelEvent, frozen=True, kw_only=True):
    """The answer was lost: the shipments there are looked up before anything else."""

    message: str
    attempt: int
    deadline: datetime | None


class SalesOrderCancelled(DispatchEvent, frozen=True, kw_only=True):
    """The ERP shows the sales order as cancelled."""

    reference: str
    reason: str
    deadline: datetime | None
    still_wanted: bool = True
    """The marketplace still waits for the order."""


class LineNotShown(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line that is still wanted, of a sales order that is not shown."""

    line_id: str
    sku: str
    quantity: int


class SalesOrderNotShown(DispatchEvent, frozen=True, kw_only=True):
    """A clean answer of the ERP leaves out a sales order that it had: it is looked up next.

    Until that is settled, its units count as in flight again.
    """

    reference: str
    last_seen_at: datetime
    """The last time that we know of at which the ERP had it."""
    lines: tuple[LineNotShown, ...]


class ParcelsLeft(DispatchEvent, frozen=True, kw_only=True):
    """The marketplace has ended the order: these parcels need no confirmation any more."""

    parcel_keys: tuple[str, ...]
    reason: str


class DispatchClosed(DispatchEvent, frozen=True, kw_only=True):
    """Nothing more is to be confirmed for this order."""

    reason: str
    left: tuple[str, ...] = ()
    """Keys of the parcels that were not confirmed, and need not be any more."""


class CarrierMapped(Event, frozen=True, kw_only=True):
    """Policy: this courier of the ERP is this carrier of the marketplace."""

    courier: str
    """Its name or its code in the ERP, compared without case."""
    carrier_code: str
    version: int

    @property
    def stream(self) -> str:
        return "dispatch-policy"


class CourierAwaitedNoMore(Event, frozen=True, kw_only=True):
    """No parcel waits any more for this courier to be mapped."""

    courier: str
    """Its name in the ERP, in folded case."""

    @property
    def stream(self) -> str:
        return "dispatch-policy"


class CarriersRead(Event, frozen=True, kw_only=True):
    """The carriers that the marketplace accepts, and how it wants to be told (SH21, PC01)."""

    carriers: tuple[tuple[str, str], ...]
    """(code, label)"""
    multi_shipment: bool

    @property
    def stream(self) -> str:
        return "dispatch-policy"


class SalesOrdersKept(Event, frozen=True, kw_only=True):
    """These are done, and older than any backup that would be restored: asked for no more."""

    order_ids: tuple[str, ...]

    @property
    def stream(self) -> str:
        return "dispatch-reads"


class ShipmentsRead(Event, frozen=True, kw_only=True):
    """The open sales orders were looked at in the ERP. Occurred when the read began."""

    asked: int
    found: int

    @property
    def stream(self) -> str:
        return "dispatch-reads"
