"""What the marketplace keeps: orders and the shop's account; offers and parcels stand beside.

Promises: what is kept changes only in the marketplace's own rooms, and is the readable truth
for checks. Amounts are `Money`, times are aware UTC. It decides nothing.
Invariant: a line's `price` is its total, not a unit's; a refund never changes it, a cancelation
lowers it (contract b.3).
Called by every room of the marketplace, by its HTTP face, and by checks.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from kcjl.money import Money
from kcjl.sandbox.marketplace.inputs import Customer, Reason, Tracking
from kcjl.sandbox.marketplace.parcel_records import (
    Shipment,
    ShipmentField,
    ShipmentLine,
    ShipmentOutcome,
)

__all__ = [
    "BillingCycle",
    "Cancelation",
    "Charge",
    "Invoice",
    "InvoiceDetail",
    "Order",
    "OrderLine",
    "Refund",
    "Shipment",
    "ShipmentField",
    "ShipmentLine",
    "ShipmentOutcome",
    "Tax",
    "TransactionLine",
]

# ── orders ──────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True, kw_only=True)
class Tax:
    """Tax on an amount; inside it or beside it as the order's tax mode says."""

    code: str
    amount: Money
    rate: Decimal


@dataclass(slots=True, kw_only=True)
class Charge:
    """An amount on a line that is given back or never taken, with what hangs on it."""

    amount: Money
    shipping_amount: Money
    taxes: list[Tax]
    shipping_taxes: list[Tax]
    commission_fee: Money
    commission_vat: Money


@dataclass(slots=True, kw_only=True)
class Refund:
    """Money given back on a line."""

    refund_id: str
    order_refund_id: str
    order_line_id: str
    charge: Charge
    quantity: int
    """Informative only."""
    reason_code: str
    excluded_from_shipment: bool
    state: str
    created_at: datetime
    transaction_number: str | None = None
    transaction_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Cancelation:
    """Units that will not be supplied."""

    cancelation_id: str
    charge: Charge
    quantity: int
    reason_code: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class OrderLine:
    """One line of an order."""

    line_id: str
    index: int
    offer_id: int
    sku: str
    product_sku: str
    title: str
    category_code: str
    quantity: int
    """As ordered."""
    unit_price: Money
    price: Money
    shipping_price: Money
    commission_fee: Money
    commission_vat: Money
    taxes: list[Tax]
    shipping_taxes: list[Tax]
    state: str
    reason: Reason | None = None
    created_at: datetime
    updated_at: datetime
    debited_at: datetime | None = None
    shipped_at: datetime | None = None
    received_at: datetime | None = None
    refunds: list[Refund] = field(default_factory=list)
    cancelations: list[Cancelation] = field(default_factory=list)
    shipped: int = 0
    """Units that are on their way or further."""
    parcelled: int = 0
    """Units in shipments that have not left."""
    not_to_ship: int = 0
    """Units refunded before shipping, or cancelled."""
    state_under_incident: str | None = None
    """While an incident is open: the state that the line would have without it."""
    incidents: int = 0
    """How many were ever opened."""
    returned: int = 0
    """Units of returns that were neither refused nor cancelled."""
    additional_fields: dict[str, str] = field(default_factory=dict)

    @property
    def has_incident(self) -> bool:
        return self.state_under_incident is not None

    @property
    def is_live(self) -> bool:
        return self.state not in {"REFUSED", "CANCELED", "REFUNDED"}

    @property
    def to_ship(self) -> int:
        """Units that still need a parcel."""
        if self.state != "SHIPPING":
            return 0
        return max(0, self.quantity - self.shipped - self.parcelled - self.not_to_ship)

    @property
    def is_awaiting_parcels(self) -> bool:
        """Whether units have still to be parcelled, or to leave."""
        return self.to_ship > 0 or self.parcelled > 0

    @property
    def refundable(self) -> Money:
        """What is left of the price."""
        return _left(self.price, [refund.charge.amount for refund in self.refunds])

    @property
    def refundable_shipping(self) -> Money:
        given = [refund.charge.shipping_amount for refund in self.refunds]
        return _left(self.shipping_price, given)

    @property
    def is_fully_refunded(self) -> bool:
        return bool(self.refunds) and not self.refundable and not self.refundable_shipping


def _left(amount: Money, given: list[Money]) -> Money:
    return Money(
        amount.amount_minor - sum(part.amount_minor for part in given), amount.currency
    )


@dataclass(slots=True, kw_only=True)
class Order:
    """One shop's part of a customer's basket."""

    order_id: str
    commercial_id: str
    customer_order_number: str
    seller_reference: str | None = None
    state: str
    reason: Reason | None = None
    created_at: datetime
    updated_at: datetime
    decided_at: datetime | None = None
    """When a person at the shop accepted or refused; None when it was automatic."""
    debited_at: datetime | None = None
    transaction_number: str | None = None
    shipping_since: datetime | None = None
    shipping_deadline: datetime
    shipped_at: datetime | None = None
    received_at: datetime | None = None
    payment_workflow: str
    tax_mode: str
    shipping_type: str
    tracking: Tracking | None = None
    customer: Customer
    notification_email: str
    lines: list[OrderLine]
    additional_fields: dict[str, str] = field(default_factory=dict)

    @property
    def customer_debited_at(self) -> datetime | None:
        """None as long as nobody told the platform that the customer has paid."""
        silent = self.payment_workflow == "NO_CUSTOMER_PAYMENT_CONFIRMATION"
        return None if silent else self.debited_at

    @property
    def has_incident(self) -> bool:
        return any(line.has_incident for line in self.lines)

    @property
    def live_lines(self) -> list[OrderLine]:
        return [line for line in self.lines if line.is_live]

    def line(self, line_id: str) -> OrderLine | None:
        return next((line for line in self.lines if line.line_id == line_id), None)


# ── the shop's account ──────────────────────────────────────────────────────────────────────


@dataclass(slots=True, kw_only=True)
class TransactionLine:
    """TL02: one line of the shop's account; `amount` is signed, credits positive."""

    line_id: str
    kind: str
    amount: Money
    balance: Money
    created_at: datetime
    updated_at: datetime
    payment_state: str
    order_id: str | None = None
    order_line_id: str | None = None
    refund_id: str | None = None
    tax: Tax | None = None
    """Rate and code of a tax line or of a VAT on a fee; its amount is the line's own."""
    tax_inside: Money
    """Tax that is part of the amount."""
    transaction_number: str | None = None
    transaction_at: datetime | None = None
    manual_document: str | None = None
    one_off: str | None = None
    """What a one-off charge or credit is for."""
    fee_code: str | None = None
    """Of a fee or a penalty on an order."""
    cycle_id: str | None = None
    voucher: str | None = None
    document_number: str | None = None
    document_id: str | None = None
    document_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class BillingCycle:
    """SBC11: a cycle that ended in a payout."""

    cycle_id: str
    created_at: datetime
    voucher: str
    amount_to_seller: Money
    amount_to_operator: Money
    payout_state: str = "TO_PAY"
    payout_reference: str | None = None
    failure_reason: str | None = None
    paid_at: datetime | None = None
    summary: dict[str, Money]


@dataclass(slots=True, kw_only=True)
class InvoiceDetail:
    """One charge on an invoice."""

    description: str
    amount: Money
    """Without tax; negative where the operator gives back."""
    tax: Money
    order_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Invoice:
    """IV01: what the operator bills the shop; never the payout."""

    invoice_id: int
    document_id: str
    number: str
    kind: str
    """AUTO_INVOICE, MANUAL_INVOICE or MANUAL_CREDIT."""
    created_at: datetime
    start_at: datetime
    end_at: datetime
    cycle_id: str | None = None
    """The cycle that paid it."""
    details: list[InvoiceDetail]

    @property
    def amount(self) -> int:
        """Minor units, without tax."""
        return sum(detail.amount.amount_minor for detail in self.details)

    @property
    def tax(self) -> int:
        return sum(detail.tax.amount_minor for detail in self.details)
