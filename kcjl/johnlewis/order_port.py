"""Orders as the rest of kcjl sees them: what OR11 tells of an order, its lines and its money.

Promises: money is `Money`, times are aware UTC, absent and null are both None; codes and states
that we do not know are kept as they came. It holds personal data (names, addresses, phones):
those go to the vault, never into the log. Invariant: no record here refers back to another, so
the collector need not look at them (gc=False): ten thousand of them may be read at once.
Called by the actors through `port.py`; filled by `order_records.py`.
Source: contract johnlewis b.3, c.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from kcjl.errors import ProtocolSurprise
from kcjl.money import Money

__all__ = [
    "AdditionalField",
    "Address",
    "Cancelation",
    "Customer",
    "Order",
    "OrderLine",
    "OrderState",
    "OrderTracking",
    "OrdersUnreadable",
    "Refund",
    "TaxAmount",
    "UnreadableOrder",
]

NAMED_MAX = 5
"""Orders that a message names; who wants all of them has them in the error."""


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
    INCIDENT_CLOSED = "INCIDENT_CLOSED"
    REFUNDED = "REFUNDED"
    UNKNOWN = "UNKNOWN"


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of the records of this module."""


class Address(OrderRecord, frozen=True, kw_only=True):
    """Where a parcel or an invoice goes. Personal data: to the vault, never to the log."""

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
    civility: str = ""


class Customer(OrderRecord, frozen=True, kw_only=True):
    """Who ordered. Personal data: to the vault, never to the log."""

    customer_id: str = ""
    civility: str = ""
    first_name: str = ""
    last_name: str = ""
    locale: str = ""


class TaxAmount(OrderRecord, frozen=True, kw_only=True):
    """One tax on an amount. With TAX_INCLUDED it is inside the amount, else on top of it."""

    code: str
    amount: Money
    rate: Decimal | None = None
    """Percent: 20 is 20 %."""
    rule: str = ""
    """PROPORTIONAL_TO_AMOUNT or NONE; as it came."""


class AdditionalField(OrderRecord, frozen=True, kw_only=True):
    """A field that the operator has added to orders or lines (AF01)."""

    code: str
    value: str
    kind: str = ""
    """STRING, BOOLEAN, LIST, …; a list's values are joined by commas."""


class Refund(OrderRecord, frozen=True, kw_only=True):
    """A refund on an order line, whoever made it."""

    refund_id: str
    amount: Money
    shipping_amount: Money
    state: str
    reason_code: str
    created_at: datetime | None = None
    order_refund_id: str | None = None
    quantity: int | None = None
    """Informative only; it does not drive the amount."""
    commission: Money | None = None
    """What the operator gives back of its fee, without tax."""
    commission_tax: Money | None = None
    commission_total: Money | None = None
    taxes: tuple[TaxAmount, ...] = ()
    shipping_taxes: tuple[TaxAmount, ...] = ()
    fees: Money | None = None
    """Of what the customer paid beside goods and shipping; None where none is listed."""
    transaction_number: str | None = None
    transaction_at: datetime | None = None


class Cancelation(OrderRecord, frozen=True, kw_only=True):
    """An amount taken off an order line before the customer paid it. It lowers the price."""

    cancelation_id: str
    amount: Money
    shipping_amount: Money
    reason_code: str
    quantity: int | None = None
    created_at: datetime | None = None
    commission: Money | None = None
    commission_tax: Money | None = None
    commission_total: Money | None = None
    taxes: tuple[TaxAmount, ...] = ()
    shipping_taxes: tuple[TaxAmount, ...] = ()
    fees: Money | None = None
    """As a refund's."""


class OrderLine(OrderRecord, frozen=True, kw_only=True):
    """One line of an order. `price` is the line's total without shipping, not a unit's."""

    line_id: str
    sku: str
    title: str
    category_code: str
    quantity: int
    """As ordered; not lowered by refunds."""
    unit_price: Money
    price: Money
    """Not lowered by refunds; lowered by cancelations (contract b.3)."""
    shipping_price: Money
    commission: Money
    """Fee without its tax."""
    commission_tax: Money
    state: OrderState
    refunds: tuple[Refund, ...] = ()
    cancelations: tuple[Cancelation, ...] = ()
    taxes: tuple[TaxAmount, ...] = ()
    shipping_taxes: tuple[TaxAmount, ...] = ()
    commission_taxes: tuple[TaxAmount, ...] = ()
    state_raw: str = ""
    state_reason_code: str | None = None
    line_index: int | None = None
    offer_id: str | None = None
    product_sku: str | None = None
    """The operator's product id; our own SKU is `sku`."""
    original_unit_price: Money | None = None
    """Before promotion or discount."""
    promotions_total: Money | None = None
    """What promotions took off the line; None where the answer lists none."""
    fees: Money | None = None
    """What the customer pays beside goods and shipping; None where none is listed."""
    can_refund: bool | None = None
    """Whether the full amount of the line can still be refunded."""
    debited_at: datetime | None = None
    shipped_at: datetime | None = None
    received_at: datetime | None = None
    updated_at: datetime | None = None
    additional_fields: tuple[AdditionalField, ...] = ()


class OrderTracking(OrderRecord, frozen=True, kw_only=True):
    """The tracking of a whole order, as OR23 has set it."""

    carrier_code: str | None = None
    carrier_standard_code: str | None = None
    carrier_name: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


class Order(OrderRecord, frozen=True, kw_only=True):
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
    billing_address: Address | None = None
    customer: Customer | None = None
    state_reason_code: str | None = None
    acceptance_decided_at: datetime | None = None
    """None also when the acceptance or the refusal was automatic."""
    debited_at: datetime | None = None
    payment_workflow: str | None = None
    """PAY_ON_ACCEPTANCE, PAY_ON_SHIPMENT, …; what a shop may cancel depends on it."""
    payment_type: str | None = None
    transaction_number: str | None = None
    transaction_at: datetime | None = None
    total_commission: Money | None = None
    promotions_total: Money | None = None
    order_taxes: tuple[TaxAmount, ...] = ()
    channel_code: str | None = None
    shipping_zone_code: str | None = None
    pickup_point_id: str | None = None
    deliver_from: datetime | None = None
    deliver_until: datetime | None = None
    tracking: OrderTracking | None = None
    can_cancel: bool | None = None
    """Whether OR29 would be taken; None where the tenant does not say."""
    can_ship: bool | None = None
    has_incident: bool = False
    has_invoice: bool = False
    has_customer_message: bool = False
    fully_refunded: bool = False
    additional_fields: tuple[AdditionalField, ...] = ()


class UnreadableOrder(OrderRecord, frozen=True, kw_only=True):
    """An order whose answer could not be understood."""

    order_id: str
    """Empty where not even that could be read."""
    message: str
    """Which field, never what stood there."""
    skus: tuple[str, ...] | None = None
    """All that it holds; None where that could not be read either."""


class OrdersUnreadable(ProtocolSurprise):
    """Raised when some orders of an answer can't be understood; the others are in `read`."""

    def __init__(
        self, what: str, *, read: Sequence[Order], unreadable: Sequence[UnreadableOrder]
    ) -> None:
        named = "; ".join(
            f"{each.order_id or '(no id)'}: {each.message}" for each in unreadable[:NAMED_MAX]
        )
        super().__init__(
            f"{what}: {len(unreadable)} of {len(read) + len(unreadable)} orders can't be read, "
            f"and are not taken: {named}; the others were. Look at them on the marketplace, "
            "and report the field"
        )
        self.read = tuple(read)
        self.unreadable = tuple(unreadable)
