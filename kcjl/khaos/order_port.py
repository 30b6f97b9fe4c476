"""Sales orders, their invoices and parcels, and returns; part of the ERP's port.

Promises: money is `Money`, quantities are Decimal, times are aware UTC, dates stay dates, and
None is "the ERP does not say". Invariant: a parcel is what the warehouse packed, never made up;
an invoice's stage is a meaning, never compared by size (contract khaos c).
Called through `port.py`. Source: contract khaos b.3, b.4, b.5, b.9, c, h.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from kcjl.khaos.record import Record
from kcjl.money import Money

__all__ = [
    "CreateOutcome",
    "CreatedOrder",
    "DeliveryAddress",
    "ExportedLine",
    "ExportedOrder",
    "Invoice",
    "NewOrder",
    "NewOrderLine",
    "OrderProgress",
    "OrderStatus",
    "Parcel",
    "Queued",
    "RegisteredReturn",
    "ReturnLine",
    "ReturnOutcome",
    "ReturnRequest",
    "Stage",
]


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
    units_a_penny_more: int = 0
    """Of its units so many cost a penny more: they are an item of their own in the ERP."""

    def items(self) -> tuple[tuple[int, Money], ...]:
        """(units, gross unit price) of the items that make up the line."""
        dearer = Money(1, self.unit_gross.currency) + self.unit_gross
        more = self.units_a_penny_more
        parts = ((self.quantity - more, self.unit_gross), (more, dearer))
        return tuple(part for part in parts if part[0])


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
    deliver_by: date | None = None
    shipping_type: str = ""
    """The marketplace's code of how it is to be sent: it names the courier, where mapped."""


class CreateOutcome(StrEnum):
    CREATED = "created"
    ALREADY_EXISTS = "already_exists"
    QUEUED = "queued"
    """Kept for the ERP to fetch; its number is known when the ERP tells it."""


class Queued(Record, frozen=True, kw_only=True):
    """An order that waits for the ERP: to be fetched, then to be heard of."""

    until: datetime
    """By then the next step should have been seen."""
    fetched_at: datetime | None = None
    """When the ERP took it along; None while it has not."""


class CreatedOrder(Record, frozen=True, kw_only=True):
    outcome: CreateOutcome
    erp_order_code: str
    """'' while it is QUEUED."""
    customer_code: str | None = None
    message: str = ""
    queued: Queued | None = None
    """Set when it is QUEUED: until when it is waited for."""


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
    more_tracking_numbers: tuple[str, ...] = ()
    """Where the ERP lists several for one parcel, those after the first."""
    tracking_url: str | None = None
    line_refs: tuple[tuple[str, str, Decimal], ...] = ()
    """(our line reference, stock code, units), where the ERP tells it."""


class Invoice(Record, frozen=True, kw_only=True):
    invoice_code: str
    stage: Stage
    stage_raw: str
    parcels: tuple[Parcel, ...]
    invoiced_on: date | None = None
    issued_on: date | None = None
    """When it was issued: the ERP's stock and ledger are updated from then on."""
    qty_sold: Decimal | None = None
    qty_sent: Decimal | None = None


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
    delivery_gross: Money | None = None
    tax_total: Money | None = None
    """In the total; None where the ERP tells no net amounts."""
    customer_code: str = ""
    of_our_customer: bool | None = None
    """Whether it is the customer that we post under; None: the ERP does not say."""
    qty_sold: Decimal | None = None
    qty_assigned: Decimal | None = None
    """Units that are allocated to the order."""
    queued: Queued | None = None
    """Set while the ERP has not said that it has the order: it is not posted."""
    heard_at: datetime | None = None
    """When the ERP told us of its own accord that it has it; None where it was asked now."""
    shows_total: bool = True
    """False: this ERP never tells an order's total."""


class OrderProgress(Record, frozen=True, kw_only=True):
    """The cheap sign of where an order is: a reason to look it up, and nothing more."""

    external_ref: str
    erp_order_code: str
    invoice_code: str
    stage: Stage
    stage_raw: str
    complete: bool
    tracking_number: str = ""


class ExportedLine(Record, frozen=True, kw_only=True):
    stock_code: str
    quantity: Decimal
    unit_gross: Decimal | None = None
    unit_net: Decimal | None = None
    external_line_ref: str = ""


class ExportedOrder(Record, frozen=True, kw_only=True):
    """A sales order as the ERP writes it out, without the buyer."""

    external_ref: str
    erp_order_code: str | None
    ordered_at: datetime | None
    currency: str
    amount: Decimal | None
    lines: tuple[ExportedLine, ...]
    sales_source: str = ""
    of_our_source: bool | None = None
    """Whether its sales source is the one that we post under; None: the ERP names none."""


class ReturnLine(Record, frozen=True, kw_only=True):
    stock_code: str
    quantity: Decimal
    reason: str
    """A return reason that exists in the ERP; it decides what happens to the stock."""


class ReturnRequest(Record, frozen=True, kw_only=True):
    """Goods that came back, to be entered in the ERP."""

    return_ref: str
    """Unique over all returns: a second one with it is the same return."""
    external_order_ref: str
    created_at: datetime
    lines: tuple[ReturnLine, ...]
    note: str = ""
    process_now: bool = False


class ReturnOutcome(StrEnum):
    QUEUED = "queued"
    ALREADY_QUEUED = "already_queued"


class RegisteredReturn(Record, frozen=True, kw_only=True):
    outcome: ReturnOutcome
    return_ref: str
