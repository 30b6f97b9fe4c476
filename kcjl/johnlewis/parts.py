"""The smaller records that those of the ports hold: prices, places, taxes, totals.

Promises: as the ports do: money is `Money`, times are aware UTC, absent and null are None.
They mean nothing by themselves. Invariant: this module imports no port.
Called by `port.py` and the ports of the areas. Source: contract johnlewis b.2, b.6.
"""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from kcjl.money import Money

__all__ = [
    "AdditionalField",
    "ChannelPrice",
    "CycleSummary",
    "Discount",
    "Labelled",
    "OfferChange",
    "OneOffItem",
    "ProductReference",
    "TaxRate",
    "TaxedTotal",
    "VolumePrice",
    "WarehouseStock",
]


class Part(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of these records; they hold nothing that could point back at them."""


# ── offers ──────────────────────────────────────────────────────────────────────────────────


class ProductReference(Part, frozen=True, kw_only=True, gc=False):
    """What a product is known by, e.g. an EAN."""

    kind: str
    reference: str


class WarehouseStock(Part, frozen=True, kw_only=True, gc=False):
    """A share of an offer's quantity."""

    code: str
    quantity: int


class Labelled(Part, frozen=True, kw_only=True, gc=False):
    """A code of the operator's and what it is called."""

    code: str
    label: str = ""


class AdditionalField(Part, frozen=True, kw_only=True, gc=False):
    """A field of the operator's own."""

    code: str
    value: str


class Discount(Part, frozen=True, kw_only=True, gc=False):
    """A lower price for a time."""

    price: Money
    start_at: datetime | None = None
    end_at: datetime | None = None


class VolumePrice(Part, frozen=True, kw_only=True, gc=False):
    """The price from so many units on."""

    quantity_threshold: int
    unit_origin_price: Money | None = None
    unit_discount_price: Money | None = None


class ChannelPrice(Part, frozen=True, kw_only=True, gc=False):
    """A price on one channel; None is the price everywhere else."""

    channel_code: str | None
    unit_origin_price: Money
    unit_discount_price: Money | None = None
    discount_start_at: datetime | None = None
    discount_end_at: datetime | None = None
    volume_prices: tuple[VolumePrice, ...] = ()


class OfferChange(Part, frozen=True, kw_only=True, gc=False):
    """OF51, OF54: an offer that was updated or deleted. What was not told is None."""

    offer_id: int
    deleted: bool
    active: bool
    sku: str | None = None
    """Not told by OF51's CSV, nor for what was deleted."""
    product_sku: str | None = None
    quantity: int | None = None
    price: Money | None = None
    """At which it sells now."""
    origin_price: Money | None = None
    """Before any discount."""
    currency: str | None = None
    state_code: str | None = None
    leadtime_to_ship: int | None = None
    logistic_class_code: str | None = None
    min_order_quantity: int | None = None
    max_order_quantity: int | None = None
    package_quantity: int | None = None
    updated_at: datetime | None = None


# ── the shop's account ──────────────────────────────────────────────────────────────────────


class TaxRate(Part, frozen=True, kw_only=True, gc=False):
    """A tax by its code; the rate is in percent."""

    code: str
    rate: Decimal | None = None


class OneOffItem(Part, frozen=True, kw_only=True, gc=False):
    """What a line without an order was charged or paid for."""

    description: str = ""
    quantity: int | None = None
    unit_price: Money | None = None
    operation_date: date | None = None
    references: tuple[str, ...] = ()


class TaxedTotal(Part, frozen=True, kw_only=True, gc=False):
    """A total without and with its tax, as far as it was told."""

    excluding_tax: Money | None = None
    including_tax: Money | None = None


class CycleSummary(Part, frozen=True, kw_only=True, gc=False):
    """SBC11: what a cycle is made of, signed as it came. A total not told is empty."""

    payable_orders: TaxedTotal = TaxedTotal()
    non_payable_orders: TaxedTotal = TaxedTotal()
    refund_orders: TaxedTotal = TaxedTotal()
    refund_payable_orders: TaxedTotal = TaxedTotal()
    refund_non_payable_orders: TaxedTotal = TaxedTotal()
    commissions: TaxedTotal = TaxedTotal()
    refund_commissions: TaxedTotal = TaxedTotal()
    subscription: TaxedTotal = TaxedTotal()
    other_credits: TaxedTotal = TaxedTotal()
    other_invoices: TaxedTotal = TaxedTotal()
    fee: TaxedTotal = TaxedTotal()
    refund_fee: TaxedTotal = TaxedTotal()
    fee_operator_remitted: TaxedTotal = TaxedTotal()
    refund_fee_operator_remitted: TaxedTotal = TaxedTotal()
    operator_paid_shipping_charges: TaxedTotal = TaxedTotal()
    refund_operator_paid_shipping_charges: TaxedTotal = TaxedTotal()
    seller_fees_on_orders: TaxedTotal = TaxedTotal()
    seller_penalty_fees: TaxedTotal = TaxedTotal()
    operator_remitted_taxes: Money | None = None
    refund_operator_remitted_taxes: Money | None = None
    purchase_taxes: Money | None = None
    refund_purchase_taxes: Money | None = None
