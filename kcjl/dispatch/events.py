"""What can happen to a parcel: shipped in the warehouse, confirmed at the marketplace.

Streams: dispatch-<order id>; the carrier map: dispatch-policy; reads: dispatch-reads; whether
the marketplace answers: dispatch-confirmations. More of the map: `policy_events.py`.
"""

from datetime import date, datetime

import msgspec

from kcjl.vocabulary import Event

__all__ = [
    "CarrierMapped",
    "CarriersRead",
    "ConfirmationGivenUp",
    "ConfirmationIntended",
    "ConfirmationRefused",
    "ConfirmationRetried",
    "ConfirmationUnknown",
    "ConfirmationsResumed",
    "ConfirmationsStopped",
    "ConfirmedLine",
    "CourierAwaitedNoMore",
    "CourierSeen",
    "CourierUnmapped",
    "DispatchClosed",
    "LineNotShown",
    "ParcelConfirmed",
    "ParcelItem",
    "ParcelShipped",
    "ParcelUnmatched",
    "ParcelsLeft",
    "ParcelsUnshipped",
    "SalesOrderCancelled",
    "SalesOrderNotShown",
    "SalesOrdersKept",
    "ShipmentsRead",
    "TrackingAwaited",
    "TrackingChanged",
    "TrackingIntended",
    "TrackingLetThrough",
    "TrackingMalformed",
    "TrackingRefused",
    "TrackingSent",
    "UnmappedCouriersSeen",
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
    more_tracking_numbers: tuple[str, ...] = ()
    """Where the ERP lists several, those after the first; sent are they only where each can be
    a shipment of its own, and then they are parcels of their own."""


class CourierUnmapped(ParcelEvent, frozen=True, kw_only=True):
    """No carrier code of the marketplace is known for this courier: the parcel waits."""

    courier_name: str
    """Empty: the ERP shows the parcel without a courier."""
    courier_code: str | None
    deadline: datetime | None
    nearest: tuple[str, ...] = ()
    """Carrier codes whose names are near, nearest first."""


class CourierSeen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A courier of the ERP's, as a box names it, for which no carrier is known."""

    courier_name: str
    courier_code: str | None
    nearest: tuple[str, ...] = ()


class UnmappedCouriersSeen(DispatchEvent, frozen=True, kw_only=True):
    """Boxes that are not shipped yet name these couriers, for which no carrier is known.

    All of the order's; none: its boxes name others now, or have been shipped.
    """

    couriers: tuple[CourierSeen, ...]
    deadline: datetime | None


class TrackingAwaited(ParcelEvent, frozen=True, kw_only=True):
    """Shipped without a tracking number: we wait for one."""

    until: datetime
    deadline: datetime | None
    courier_name: str = ""
    """With whom it went, as the ERP says."""


class TrackingMalformed(ParcelEvent, frozen=True, kw_only=True):
    """The number has no form that the carrier's numbers have: a person has to look at it."""

    tracking_number: str
    carrier: str
    """Whose forms it was held against."""
    deadline: datetime | None


class TrackingLetThrough(ParcelEvent, frozen=True, kw_only=True):
    """A person has said that this number is right as it is."""

    tracking_number: str
    reason: str


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
    policy_version: int = 0
    """Of the carrier map."""
    numbers_left: tuple[str, ...] = ()
    """Other tracking numbers of the same goods, for which the call has no room."""


class ParcelConfirmed(ParcelEvent, frozen=True, kw_only=True):
    """The marketplace shows the parcel as shipped."""

    lines: tuple[ConfirmedLine, ...]
    shipment_id: str
    already: bool
    """True: it was confirmed there before we asked (by an answer we lost, or by others)."""
    with_parcel: str = ""
    """The parcel whose confirmation has shipped the whole order, where that was another."""


class ConfirmationRefused(ParcelEvent, frozen=True, kw_only=True):
    """The marketplace does not have the parcel; it is tried again, with pauses."""

    message: str
    attempt: int
    deadline: datetime | None
    answered: bool = True
    """It said no; else no answer came, and a look has shown that the parcel is not there."""


class ConfirmationUnknown(ParcelEvent, frozen=True, kw_only=True):
    """The answer was lost: the shipments there are looked up before anything else."""

    message: str
    attempt: int
    deadline: datetime | None
    lasting: bool = False
    """Looks have not settled it for long, while others went through: somebody is told."""


class ConfirmationGivenUp(ParcelEvent, frozen=True, kw_only=True):
    """The time for trying again is over: a person has to look, and may say "retry"."""

    attempts: int
    since: datetime
    """The first attempt, or when the marketplace began to answer again."""
    message: str
    """The last answer."""
    deadline: datetime | None


class ConfirmationRetried(ParcelEvent, frozen=True, kw_only=True):
    """A person wants the parcel tried again at once; it is looked up before."""

    reason: str


class TrackingChanged(ParcelEvent, frozen=True, kw_only=True):
    """The ERP shows another number on a parcel that was confirmed: it is sent on."""

    tracking_number: str
    courier_name: str
    courier_code: str | None


class TrackingIntended(ParcelEvent, frozen=True, kw_only=True):
    """We are about to set the number of what is confirmed (ST23, or OR23); it overwrites."""

    attempt: int
    shipment_id: str
    """Empty: the order has one number."""
    carrier_code: str
    tracking_number: str
    policy_version: int


class TrackingSent(ParcelEvent, frozen=True, kw_only=True):
    """The marketplace has the number."""

    tracking_number: str


class TrackingRefused(ParcelEvent, frozen=True, kw_only=True):
    """The marketplace does not take the number; it is tried again, with pauses."""

    tracking_number: str
    message: str
    attempt: int
    answered: bool
    """It said no; else no answer came."""
    given_up: bool = False
    """The time for trying again is over."""


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


class ParcelsUnshipped(DispatchEvent, frozen=True, kw_only=True):
    """The ERP shows these parcels as shipped no more: unpacked, packed anew, or set back."""

    parcel_keys: tuple[str, ...]


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
    reason: str = ""

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
    without_tracking: tuple[str, ...] = ()
    """Those of them that were confirmed without a number, which has not come."""

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


class ConfirmationsStopped(Event, frozen=True, kw_only=True):
    """The marketplace answers no confirmation: one parcel at a time is tried, with pauses.

    Said when it begins, when it has lasted for so long that a person is told, and then once an
    hour while the count changes.
    """

    since: datetime
    waiting: int
    """Parcels that wait for it."""
    message: str
    """The last answer."""
    told: bool
    """It has lasted: a person is told."""

    @property
    def stream(self) -> str:
        return "dispatch-confirmations"


class ConfirmationsResumed(Event, frozen=True, kw_only=True):
    """The marketplace answers confirmations again, or nothing waits for it any more."""

    since: datetime
    """When it had stopped."""

    @property
    def stream(self) -> str:
        return "dispatch-confirmations"
