"""The marketplace as the rest of kcjl sees it: records in the trade's words, and one protocol.

Promises: money is `Money`, times are aware UTC, absent and null are both None. Mirakl's words
stop in the adapter. Every write raises `Refused` (nothing was done), `Unavailable` (certainly
not sent or not taken) or `OutcomeUnknown` (look before writing again). The records of orders
and of the tenant stand in `order_port.py` and `tenant_port.py`, and are named here too.
Called by the actors; implemented by `seller_api.py`. Source: contract johnlewis b, c, d.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.johnlewis.export_port import ExportMemory
from kcjl.johnlewis.order_port import (
    Address,
    Order,
    OrderLine,
    OrderState,
    OrdersUnreadable,
    Refund,
)
from kcjl.johnlewis.parts import (
    AdditionalField,
    ChannelPrice,
    CycleSummary,
    Discount,
    Labelled,
    OfferChange,
    OneOffItem,
    ProductReference,
    TaxRate,
    WarehouseStock,
)
from kcjl.johnlewis.returns_port import Return, ReturnFilter
from kcjl.johnlewis.tenant_port import Account, Carrier, Platform, ShippingType, TenantPort
from kcjl.money import Money

__all__ = [
    "Account",
    "Address",
    "BillingCycle",
    "Carrier",
    "MarketplacePort",
    "Offer",
    "OfferChange",
    "Order",
    "OrderLine",
    "OrderState",
    "OrdersUnreadable",
    "Platform",
    "Refund",
    "Return",
    "ReturnFilter",
    "Shipment",
    "ShipmentRequest",
    "ShippingType",
    "StockFigure",
    "StockImport",
    "StockImportError",
    "StockImportStatus",
    "Tracking",
    "TransactionLine",
]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the records that cross this port."""


class Offer(Record, frozen=True, kw_only=True, gc=False):
    """OF21: one of our SKUs as the marketplace shows it."""

    offer_id: int
    sku: str
    quantity: int
    price: Money | None
    active: bool
    product_title: str = ""
    category_code: str = ""
    product_sku: str = ""
    product_references: tuple[ProductReference, ...] = ()
    currency: str = ""
    origin_price: Money | None = None
    """Before any discount."""
    discount: Discount | None = None
    prices: tuple[ChannelPrice, ...] = ()
    """Those beside the one above: by channel, by volume."""
    msrp: Money | None = None
    state_code: str = ""
    inactivity_reasons: tuple[str, ...] = ()
    warehouses: tuple[WarehouseStock, ...] = ()
    leadtime_to_ship: int | None = None
    logistic_class: Labelled | None = None
    min_order_quantity: int | None = None
    max_order_quantity: int | None = None
    package_quantity: int | None = None
    min_quantity_alert: int | None = None
    channels: tuple[str, ...] = ()
    available_from: datetime | None = None
    available_until: datetime | None = None
    description: str = ""
    internal_description: str = ""
    price_additional_info: str = ""
    product_tax_code: str = ""
    allow_quote_requests: bool = False
    additional_fields: tuple[AdditionalField, ...] = ()
    unsendable: tuple[str, ...] = ()
    """What it has that no `CompleteOffer` can carry, by Mirakl's names."""


class StockFigure(Record, frozen=True, kw_only=True):
    """One line of a stock import: the absolute quantity to show."""

    sku: str
    quantity: int


class StockImportStatus(StrEnum):
    """STO02."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"


class StockImport(Record, frozen=True, kw_only=True):
    """STO02: how far a stock import is."""

    import_id: str
    status: StockImportStatus
    lines_in_success: int = 0
    lines_in_error: int = 0
    has_error_report: bool = False


class StockImportError(Record, frozen=True, kw_only=True):
    """STO03: one refused line of a stock import."""

    line_number: int
    sku: str
    message: str


class Tracking(Record, frozen=True, kw_only=True):
    """How a parcel can be followed."""

    carrier_code: str
    tracking_number: str
    carrier_name: str = ""


class ShipmentRequest(Record, frozen=True, kw_only=True):
    """ST01: one parcel of one order."""

    order_id: str
    lines: tuple[tuple[str, int], ...]
    """(order line id, units)"""
    tracking: Tracking | None
    package_reference: str
    invoice_reference: str | None = None


class Shipment(Record, frozen=True, kw_only=True):
    """ST11: a parcel that the marketplace knows."""

    shipment_id: str
    order_id: str
    status: str
    lines: tuple[tuple[str, int], ...]
    tracking_number: str | None = None
    carrier_code: str | None = None
    tracking_url: str | None = None
    validity: str = ""
    """Of the tracking number: UNVERIFIED, VERIFIED, INVALID, …"""
    debit_status: str = ""
    packages: tuple[str, ...] = ()
    invoice_reference: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    shipped_at: datetime | None = None


class TransactionLine(Record, frozen=True, kw_only=True):
    """TL02: one line of the shop's account. `amount` is signed as it came; never re-signed."""

    line_id: str
    kind: str
    """Mirakl's type, kept as it came: ORDER_AMOUNT, COMMISSION_FEE, PAYMENT, …"""
    amount: Money
    created_at: datetime
    updated_at: datetime
    payment_state: str
    cycle_id: str | None = None
    voucher: str | None = None
    document_number: str | None = None
    order_id: str | None = None
    order_line_id: str | None = None
    refund_id: str | None = None
    customer_order_number: str | None = None
    seller_reference: str | None = None
    balance: Money | None = None
    """The shop's running balance after this line."""
    document_id: str | None = None
    document_at: datetime | None = None
    shipment_id: str | None = None
    debit_id: str | None = None
    order_tax: TaxRate | None = None
    shop_tax: TaxRate | None = None
    order_fee_code: str | None = None
    fee_code: str | None = None
    fee_cancelation_ids: tuple[str, ...] = ()
    fee_refund_ids: tuple[str, ...] = ()
    manual_document_number: str | None = None
    one_off_item: OneOffItem | None = None
    transaction_number: str | None = None
    channel_code: str | None = None


class BillingCycle(Record, frozen=True, kw_only=True):
    """SBC11: a billing cycle and its payout."""

    cycle_id: str
    created_at: datetime
    currency: str
    amount_to_seller: Money
    amount_to_operator: Money
    payout_state: str
    """TO_PAY, PAID or FAILED."""
    payout_reference: str | None = None
    paid_at: datetime | None = None
    failure_reason: str | None = None
    voucher: str | None = None
    summary: CycleSummary | None = None


class MarketplacePort(TenantPort, Protocol):
    """What kcjl's actors ask of John Lewis Marketplace. Reads return every page.

    Calls that no actor makes yet stand in protocols of their own: `ProfilePort`,
    `ReversalPort`, `ReturnPort`, `DocumentPort`, `OfferPort`, `OrderExportPort`,
    `ParcelPort`, `AccountPort`; `SellerApi` has them all.
    """

    async def offers(self) -> Sequence[Offer]: ...  # OF21

    async def offer_changes(self, since: datetime) -> Sequence[OfferChange]: ...  # OF51

    async def publish_stock(self, figures: Sequence[StockFigure]) -> str: ...  # STO01

    async def stock_import(self, import_id: str) -> StockImport: ...  # STO02

    async def stock_import_errors(
        self, import_id: str
    ) -> Sequence[StockImportError]: ...  # STO03

    async def orders_updated_since(self, since: datetime) -> Sequence[Order]:
        """OR11 by update date, all pages; repeats happen by design, in no order of update.

        Raises `OrdersUnreadable`, with all others in it, when some can't be understood: take
        those, and ask from the same time again.
        """
        ...

    def orders_caught_up(
        self, since: datetime, until: datetime, *, memory: ExportMemory | None = None
    ) -> AsyncGenerator[Sequence[Order], None]:
        """OR13 to OR15: the same in bulk, in bounded batches; for spans of any length.

        An order that is updated after `until` may be left out. Raises Refused (NotFound where
        the tenant has no export), Unavailable or ProtocolSurprise: then ask by pages. With a
        memory, an export that was asked for before a restart is gone on with.
        """
        ...

    async def orders_by_id(self, order_ids: Sequence[str]) -> Sequence[Order]:
        """OR11 by id. Raises `OrdersUnreadable` too."""
        ...

    async def accept(self, order_id: str, decisions: Mapping[str, bool]) -> None:
        """OR21: every line of the order is decided in the one call."""
        ...

    async def write_seller_references(self, references: Mapping[str, str]) -> Mapping[str, str]:
        """OR04: order id -> our reference. Returns order id -> message for those refused."""
        ...

    async def set_tracking(self, order_id: str, tracking: Tracking) -> None: ...  # OR23

    async def ship(self, order_id: str) -> None: ...  # OR24

    async def create_shipment(self, request: ShipmentRequest) -> Shipment: ...  # ST01

    async def shipments(self, order_id: str) -> Sequence[Shipment]: ...  # ST11

    async def returns(self, wanted: ReturnFilter) -> Sequence[Return]:
        """RT11, all pages. Raises NotFound where the tenant has no returns module."""
        ...

    async def transaction_lines(
        self, updated_since: datetime
    ) -> Sequence[TransactionLine]: ...  # TL02, all pages, oldest update first

    async def billing_cycles(
        self, created_since: datetime
    ) -> Sequence[BillingCycle]: ...  # SBC11
