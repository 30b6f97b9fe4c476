"""The ERP as the rest of kcjl sees it: records in the trade's words, and one protocol.

Promises: quantities are Decimal as the ERP gives them, money is `Money`, times are aware UTC
(dates stay dates). Khaos Control's words stop in the adapter. `create_order` raises `Refused`
(a business no), `Unavailable` (certainly not taken) or `OutcomeUnknown` (look it up first).
Called by the actors; implemented by `kws.py`. Source: contract khaos b, c, h.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.money import Money

__all__ = [
    "Courier",
    "CreateOutcome",
    "CreatedOrder",
    "DeliveryAddress",
    "ErpPort",
    "Invoice",
    "NewOrder",
    "NewOrderLine",
    "OrderStatus",
    "Parcel",
    "Product",
    "ProductRef",
    "Site",
    "Stage",
    "StockLevel",
]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the records that cross this port."""


class Stage(StrEnum):
    """What a Khaos Control invoice stage means to us (contract khaos c)."""

    ACCEPTED = "accepted"
    ON_HOLD = "on_hold"
    BLOCKED_PAYMENT = "blocked_payment"
    IN_WAREHOUSE = "in_warehouse"
    SHIPPED = "shipped"
    POSTED = "posted"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Site(Record, frozen=True, kw_only=True):
    site_id: str
    name: str
    is_default: bool = False


class Courier(Record, frozen=True, kw_only=True):
    name: str
    code: str | None = None


class ProductRef(Record, frozen=True, kw_only=True):
    """A stock code that was edited or moved."""

    stock_code: str
    description: str = ""
    other_ref: str | None = None
    parent_code: str | None = None
    changed_at: datetime | None = None


class Product(Record, frozen=True, kw_only=True):
    stock_code: str
    """As the ERP spells it; compare case-insensitively."""
    description: str
    discontinued: bool
    run_to_zero: bool
    stock_controlled: bool
    sales_multiple: int | None = None
    display_cap: int | None = None


class StockLevel(Record, frozen=True, kw_only=True):
    """What one site has free to sell: already net of what is allocated."""

    stock_code: str
    site_id: str
    available: Decimal
    """May be negative or fractional."""
    status: int | None = None
    """0 in stock, 1 all allocated, 2 due, 3 not due soon, 4 discontinued, 5 non-controlled."""


class DeliveryAddress(Record, frozen=True, kw_only=True):
    """Where the parcel goes. Personal data."""

    line1: str
    town: str
    postcode: str
    country_code: str
    surname: str
    line2: str = ""
    line3: str = ""
    county: str = ""
    forename: str = ""
    phone: str = ""
    email: str = ""
    organisation: str = ""


class NewOrderLine(Record, frozen=True, kw_only=True):
    external_line_ref: str
    stock_code: str
    quantity: int
    unit_gross: Money


class NewOrder(Record, frozen=True, kw_only=True):
    """A sales order to create; pre-paid into the clearing account. Constant invoice address."""

    external_ref: str
    """The customer order number: unique over all orders of the ERP (ASSOCIATED_REF)."""
    ordered_at: datetime
    currency: str
    deliver_to: DeliveryAddress
    lines: tuple[NewOrderLine, ...]
    delivery_gross: Money
    gross_total: Money
    note: str = ""


class CreateOutcome(StrEnum):
    CREATED = "created"
    ALREADY_EXISTS = "already_exists"


class CreatedOrder(Record, frozen=True, kw_only=True):
    outcome: CreateOutcome
    erp_order_code: str


class Parcel(Record, frozen=True, kw_only=True):
    """A box of an invoice (or the invoice itself where it has no boxes)."""

    parcel_key: str
    """Stable within the order: invoice code and box number."""
    shipped: bool
    courier_name: str
    courier_code: str | None
    tracking_number: str
    """Empty when there is none yet."""
    shipped_on: date | None
    items: tuple[tuple[str, Decimal], ...]
    """(stock code, units)"""


class Invoice(Record, frozen=True, kw_only=True):
    invoice_code: str
    stage: Stage
    stage_raw: str
    parcels: tuple[Parcel, ...]


class OrderStatus(Record, frozen=True, kw_only=True):
    """A sales order as the ERP shows it."""

    external_ref: str
    erp_order_code: str
    cancelled: bool
    cancel_reason: str
    complete: bool
    currency: str
    gross_total: Money | None
    """Items and delivery, gross."""
    invoices: tuple[Invoice, ...]


class ErpPort(Protocol):
    """What kcjl asks of Khaos Control."""

    async def ping(self) -> str:
        """The web service's version. GetVersion."""
        ...

    async def sites(self) -> Sequence[Site]: ...  # GetSiteList

    async def couriers(self) -> Sequence[Courier]: ...  # GetSOPData

    async def moved_products(
        self, since: datetime
    ) -> Sequence[ProductRef]: ...  # GetStockList 2

    async def edited_products(
        self, since: datetime
    ) -> Sequence[ProductRef]: ...  # GetStockList 0

    async def products(self, codes: Sequence[str]) -> dict[str, Product]:
        """By the code asked for; a code that the ERP does not know is absent. ExportStock."""
        ...

    async def stock_levels(
        self, codes: Sequence[str], site_ids: Sequence[str]
    ) -> Sequence[StockLevel]:
        """Site by site; a code that the ERP does not know is absent. ExportStockStatus."""
        ...

    async def create_order(self, order: NewOrder) -> CreatedOrder: ...  # ImportOrders

    async def find_order(self, external_ref: str) -> OrderStatus | None:
        """By reference, cancelled ones too. ExportOrderStatusEx, mapping 4."""
        ...

    async def order_statuses(self, external_refs: Sequence[str]) -> Sequence[OrderStatus]:
        """Chunked; references that are not there are absent. ExportOrderStatusEx, mapping 4."""
        ...
