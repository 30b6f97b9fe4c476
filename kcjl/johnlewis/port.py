"""The marketplace as the rest of kcjl sees it: records in the trade's words, and one protocol.

Promises: money is `Money`, times are aware UTC, absent and null are both None. Mirakl's words
stop in the adapter. Every write raises `Refused` (nothing was done), `Unavailable` (certainly
not sent or not taken) or `OutcomeUnknown` (look before writing again).
It has 400 lines and some: a record has a line a field, and the port is read in one place.
Called by the actors; implemented by `seller_api.py`. Source: contract johnlewis b, c, d.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.johnlewis.parts import (
    AdditionalField,
    ChannelPrice,
    CycleSummary,
    Discount,
    Labelled,
    OneOffItem,
    ProductReference,
    TaxRate,
    WarehouseStock,
)
from kcjl.money import Money

__all__ = [
    "Account",
    "Address",
    "BillingCycle",
    "Carrier",
    "MarketplacePort",
    "Offer",
    "Order",
    "OrderLine",
    "OrderState",
    "Platform",
    "Refund",
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


class OrderState(StrEnum):
    """States of an order and of its lines (contract c). A state we do not know is UNKNOWN."""

    STAGING = "STAGING"
    WAITING_ACCEPTANCE = "WAITING_ACCEPTANCE"
    WAITING_DEBIT = "WAITING_DEBIT"
    WAITING_DEBIT_PAYMENT = "WAITING_DEBIT_PAYMENT"
    SHIPPING = "SHIPPING"
    SHIPPED = "SHIPPED"
    TO_COLLECT = "TO_COLLECT"
    RECEIVED = "RECEIVED"
    CLOSED = "CLOSED"
    REFUSED = "REFUSED"
    CANCELED = "CANCELED"
    INCIDENT_OPEN = "INCIDENT_OPEN"
    REFUNDED = "REFUNDED"
    UNKNOWN = "UNKNOWN"


class Account(Record, frozen=True, kw_only=True):
    """A01: who we are there."""

    shop_id: int
    shop_name: str
    state: str
    """OPEN, CLOSE, SUSPENDED, TERMINATED."""
    model: str
    """MARKETPLACE, DROPSHIP or ONE_CREDITOR. Only the first is served."""
    currency: str


class Platform(Record, frozen=True, kw_only=True):
    """PC01: how the operator has set the tenant up."""

    acceptance_is_automatic: bool
    multi_shipment: bool
    listed_carriers_only: bool
    tax_mode: str
    timezone: str


class Carrier(Record, frozen=True, kw_only=True):
    """SH21: a carrier code that confirmations may use."""

    code: str
    label: str
    standard_code: str | None = None
    tracking_url: str | None = None
    """With the placeholder {trackingId}."""


class ShippingType(Record, frozen=True, kw_only=True):
    """SH12: a delivery service."""

    code: str
    label: str
    tracking_mandatory: bool


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


class Address(Record, frozen=True, kw_only=True):
    """Where a parcel goes. Personal data: to the vault, never to the log."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    street_1: str = ""
    street_2: str = ""
    postcode: str = ""
    city: str = ""
    county: str = ""
    country: str = ""
    country_code: str | None = None
    """ISO 3166 alpha-3, e.g. GBR; may be absent in old data."""
    phone: str = ""
    additional: str = ""


class Refund(Record, frozen=True, kw_only=True):
    """A refund on an order line, whoever made it."""

    refund_id: str
    amount: Money
    shipping_amount: Money
    state: str
    reason_code: str
    created_at: datetime | None = None


class OrderLine(Record, frozen=True, kw_only=True):
    """One line of an order. `price` is the line's total without shipping, not a unit's."""

    line_id: str
    sku: str
    title: str
    category_code: str
    quantity: int
    """As ordered; not lowered by refunds."""
    unit_price: Money
    price: Money
    shipping_price: Money
    commission: Money
    """Fee without its tax."""
    commission_tax: Money
    state: OrderState
    refunds: tuple[Refund, ...] = ()


class Order(Record, frozen=True, kw_only=True):
    """OR11: an order as it stands now."""

    order_id: str
    commercial_id: str
    customer_order_number: str
    """`order_reference_for_customer`, or the commercial id where that is absent."""
    seller_reference: str | None
    state: OrderState
    state_raw: str
    created_at: datetime
    updated_at: datetime
    ship_by: datetime | None
    currency: str
    price: Money
    shipping_price: Money
    total_price: Money
    tax_mode: str
    shipping_type_code: str
    fulfilled_by_us: bool
    lines: tuple[OrderLine, ...]
    delivery_address: Address | None = None
    notification_email: str | None = None


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


class MarketplacePort(Protocol):
    """What kcjl asks of John Lewis Marketplace. Reads return every page."""

    async def ping(self) -> None: ...  # V01

    async def account(self) -> Account: ...  # A01

    async def platform(self) -> Platform: ...  # PC01

    async def carriers(self) -> Sequence[Carrier]: ...  # SH21

    async def shipping_types(self) -> Sequence[ShippingType]: ...  # SH12

    async def offers(self) -> Sequence[Offer]: ...  # OF21

    async def publish_stock(self, figures: Sequence[StockFigure]) -> str: ...  # STO01

    async def stock_import(self, import_id: str) -> StockImport: ...  # STO02

    async def stock_import_errors(
        self, import_id: str
    ) -> Sequence[StockImportError]: ...  # STO03

    async def orders_updated_since(self, since: datetime) -> Sequence[Order]:
        """OR11 by update date, all pages; repeats happen by design, in no order of update."""
        ...

    async def orders_by_id(self, order_ids: Sequence[str]) -> Sequence[Order]: ...  # OR11

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

    async def transaction_lines(
        self, updated_since: datetime
    ) -> Sequence[TransactionLine]: ...  # TL02, all pages, oldest update first

    async def billing_cycles(
        self, created_since: datetime
    ) -> Sequence[BillingCycle]: ...  # SBC11
