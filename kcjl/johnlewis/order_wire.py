"""OR11 as Mirakl writes it, field by field.

Promises: as `wire.py`: fields that are not named are passed over, absent and null are both
None, ids may be numbers or strings, numbers are decimals. It judges nothing: `order_records.py`
says what a record cannot do without. Invariant: every field is optional.
Called by `order_records.py` and `reversals.py`. Source: contract johnlewis b.3.
"""

import msgspec

from kcjl.johnlewis.wire import WireReferences
from kcjl.johnlewis.wire_values import WireId, WireNumber, WireRead, WireText

__all__ = [
    "WireAdditionalField",
    "WireAddress",
    "WireCancelation",
    "WireCustomer",
    "WireFee",
    "WireFulfilment",
    "WireOrder",
    "WireOrderLine",
    "WireOrders",
    "WirePromotion",
    "WireRefund",
    "WireTax",
]


class WireAddress(WireRead, frozen=True, kw_only=True):
    civility: WireText = None
    firstname: WireText = None
    lastname: WireText = None
    company: WireText = None
    company_2: WireText = None
    street_1: WireText = None
    street_2: WireText = None
    zip_code: WireText = None
    city: WireText = None
    state: WireText = None
    country: WireText = None
    country_iso_code: str | None = None
    phone: WireText = None
    phone_secondary: WireText = None
    additional_info: WireText = None


class WireCustomer(WireRead, frozen=True, kw_only=True):
    customer_id: WireId = None
    civility: WireText = None
    firstname: WireText = None
    lastname: WireText = None
    locale: WireText = None
    billing_address: WireAddress | None = None
    shipping_address: WireAddress | None = None


class WireCentre(WireRead, frozen=True, kw_only=True):
    code: WireText = None


class WireFulfilment(WireRead, frozen=True, kw_only=True):
    center: WireCentre | None = None


class WireTax(WireRead, frozen=True, kw_only=True):
    code: WireText = None
    amount: WireNumber = None
    total_amount: WireNumber = None
    """Instead of `amount`, in the taxes of a whole order."""
    rate: WireNumber = None
    tax_calculation_rule: str | None = None


class WirePromotion(WireRead, frozen=True, kw_only=True):
    amount: WireNumber = msgspec.field(name="deduced_amount", default=None)


class WireFee(WireRead, frozen=True, kw_only=True):
    amount: WireNumber = None


class WirePromotions(WireRead, frozen=True, kw_only=True):
    total_deduced_amount: WireNumber = None


class WireAdditionalField(WireRead, frozen=True, kw_only=True):
    code: WireText = None
    type: WireText = None
    value: msgspec.Raw = msgspec.Raw(b"")
    """A text, a number, true or false, a list of them, or null: it goes by the field's type."""


class WireReversal(WireRead, frozen=True, kw_only=True):
    """What a refund and a cancelation of a line have in common."""

    id: WireId = None
    amount: WireNumber = None
    shipping_amount: WireNumber = None
    quantity: WireNumber = None
    reason_code: WireText = None
    created_date: str | None = None
    commission_amount: WireNumber = None
    commission_taxes: list[WireTax] | None = None
    commission_total_amount: WireNumber = None
    taxes: list[WireTax] | None = None
    shipping_taxes: list[WireTax] | None = None
    fees: list[WireFee] | None = None


class WireRefund(WireReversal, frozen=True, kw_only=True):
    order_refund_id: WireId = None
    refund_state: str | None = None
    state: str | None = None
    transaction_number: WireId = None
    transaction_date: str | None = None


class WireCancelation(WireReversal, frozen=True, kw_only=True):
    pass


class WireOrderLine(WireRead, frozen=True, kw_only=True):
    order_line_id: WireId = None
    order_line_index: WireNumber = None
    order_line_state: str | None = None
    order_line_state_reason_code: WireText = None
    offer_id: WireId = None
    offer_sku: WireText = None
    product_sku: WireText = None
    product_title: WireText = None
    category_code: WireText = None
    quantity: WireNumber = None
    price_unit: WireNumber = None
    origin_unit_price: WireNumber = None
    price: WireNumber = None
    shipping_price: WireNumber = None
    commission_fee: WireNumber = None
    commission_taxes: list[WireTax] | None = None
    commission_vat: WireNumber = None
    total_commission: WireNumber = None
    taxes: list[WireTax] | None = None
    shipping_taxes: list[WireTax] | None = None
    promotions: list[WirePromotion] | None = None
    fees: list[WireFee] | None = None
    refunds: list[WireRefund] | None = None
    cancelations: list[WireCancelation] | None = None
    can_refund: bool | None = None
    debited_date: str | None = None
    shipped_date: str | None = None
    received_date: str | None = None
    last_updated_date: str | None = None
    order_line_additional_fields: list[WireAdditionalField] | None = None


class WireChannel(WireRead, frozen=True, kw_only=True):
    code: WireText = None


class WireDelivery(WireRead, frozen=True, kw_only=True):
    earliest: str | None = None
    latest: str | None = None


class WireOrder(WireRead, frozen=True, kw_only=True):
    order_id: WireId = None
    commercial_id: WireId = None
    references: WireReferences | None = None
    order_state: str | None = None
    order_state_reason_code: WireText = None
    created_date: str | None = None
    last_updated_date: str | None = None
    acceptance_decision_date: str | None = None
    customer_debited_date: str | None = None
    shipping_deadline: str | None = None
    delivery_date: WireDelivery | None = None
    currency_iso_code: str | None = None
    price: WireNumber = None
    shipping_price: WireNumber = None
    total_price: WireNumber = None
    total_commission: WireNumber = None
    order_tax_mode: str | None = None
    order_taxes: list[WireTax] | None = None
    payment_type: WireText = None
    payment_type_before: WireText = msgspec.field(name="paymentType", default=None)
    payment_workflow: str | None = None
    transaction_number: WireId = None
    transaction_date: str | None = None
    promotions: WirePromotions | None = None
    channel: WireChannel | None = None
    can_cancel: bool | None = None
    can_shop_ship: bool | None = None
    has_incident: bool | None = None
    has_invoice: bool | None = None
    has_customer_message: bool | None = None
    fully_refunded: bool | None = None
    shipping_type_code: WireText = None
    shipping_zone_code: WireText = None
    shipping_carrier_code: WireText = None
    shipping_carrier_standard_code: WireText = None
    shipping_company: WireText = None
    shipping_tracking: WireText = None
    shipping_tracking_url: WireText = None
    shipping_pudo_id: WireId = None
    fulfillment: WireFulfilment | None = None
    customer: WireCustomer | None = None
    customer_notification_email: str | None = None
    order_additional_fields: list[WireAdditionalField] | None = None
    order_lines: list[WireOrderLine] | None = None


class WireOrders(WireRead, frozen=True, kw_only=True):
    orders: list[WireOrder] | None = None
    total_count: WireNumber = None
