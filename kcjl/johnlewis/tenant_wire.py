"""A01, PC01, SH21, SH12, RE01, OR75 and A21 as Mirakl writes them, field by field.

Promises: as `wire.py`: fields that are not named are passed over, absent and null are both
None. It judges nothing. Invariant: every field is optional.
Called by `tenant_records.py` only. Source: contract johnlewis a.6, b.1.
"""

from kcjl.johnlewis.wire_values import WireId, WireNumber, WireRead, WireText

__all__ = [
    "WireAccount",
    "WireBalances",
    "WireCarriers",
    "WireFeatures",
    "WireFeeTax",
    "WireMeasured",
    "WirePlatform",
    "WirePlatformConfiguration",
    "WirePricingFeatures",
    "WireReasons",
    "WireReturnsFeatures",
    "WireShipmentFeatures",
    "WireShippingTypes",
    "WireTaxCodes",
    "WireWorkflows",
]


class WireFeeTax(WireRead, frozen=True, kw_only=True):
    code: WireText = None
    label: WireText = None
    fee_types: list[str | None] | None = None


class WireBalances(WireRead, frozen=True, kw_only=True):
    paid_balance: WireNumber = None
    payable_balance: WireNumber = None
    pending_balance: WireNumber = None
    reserve_balance: WireNumber = None
    reserve_target: WireNumber = None


class WireLeadTime(WireRead, frozen=True, kw_only=True):
    lead_time_to_ship: WireNumber = None


class WireKyc(WireRead, frozen=True, kw_only=True):
    status: str | None = None


class WireAccount(WireRead, frozen=True, kw_only=True):
    shop_id: WireId = None
    shop_name: WireText = None
    shop_state: str | None = None
    suspension_type: WireText = None
    model: str | None = None
    currency_iso_code: str | None = None
    channels: list[WireText] | None = None
    applicable_taxes: list[WireFeeTax] | None = None
    payment_details: WireBalances | None = None
    approval_rate: WireNumber = None
    shipping: WireLeadTime | None = None
    closed_from: str | None = None
    closed_to: str | None = None
    kyc: WireKyc | None = None


class WireWorkflows(WireRead, frozen=True, kw_only=True):
    order_acceptance: str | None = None
    pay_on_shipment: bool | None = None
    pay_on_due_date: bool | None = None
    no_customer_payment_confirmation: bool | None = None
    pause_debit_workflow: bool | None = None
    sellers_edit_shipping_origin: bool | None = None
    shipping_and_billing_details_before_acceptance: bool | None = None


class WireShipmentFeatures(WireRead, frozen=True, kw_only=True):
    multi_shipment: bool | None = None
    multi_part_item_shipment: bool | None = None


class WireReturnsFeatures(WireRead, frozen=True, kw_only=True):
    marketplace: bool | None = None
    drop_ship: bool | None = None
    one_creditor: bool | None = None


class WirePricingFeatures(WireRead, frozen=True, kw_only=True):
    channel_pricing: WireText = None
    discount_period_required: bool | None = None
    volume_pricing: bool | None = None


class WireFeatures(WireRead, frozen=True, kw_only=True):
    order_tax_mode: str | None = None
    order_workflows: WireWorkflows | None = None
    shipment: WireShipmentFeatures | None = None
    disable_seller_alternative_carrier: bool | None = None
    returns: WireReturnsFeatures | None = None
    lead_time_to_ship_by_sellers_enabled: WireText = None
    offer_prices_decimals: WireText = None
    operator_csv_delimiter: str | None = None
    pricing: WirePricingFeatures | None = None
    payment_confirmation: bool | None = None


class WireModels(WireRead, frozen=True, kw_only=True):
    marketplace: bool | None = None
    drop_ship: bool | None = None
    one_creditor: bool | None = None


class WireInvoicing(WireRead, frozen=True, kw_only=True):
    enabled: bool | None = None


class WirePlatformConfiguration(WireRead, frozen=True, kw_only=True):
    platform_model: WireModels | None = None
    enhanced_seller_invoicing: WireInvoicing | None = None


class WirePlatform(WireRead, frozen=True, kw_only=True):
    features: WireFeatures | None = None
    platform_configuration: WirePlatformConfiguration | None = None
    platform_name: WireText = None
    tenant_name: WireText = None
    timezone: str | None = None


class WireCarrier(WireRead, frozen=True, kw_only=True):
    code: WireText = None
    label: WireText = None
    standard_code: str | None = None
    tracking_url: str | None = None


class WireCarriers(WireRead, frozen=True, kw_only=True):
    carriers: list[WireCarrier] | None = None


class WireShippingType(WireRead, frozen=True, kw_only=True):
    code: WireText = None
    label: WireText = None
    description: WireText = None
    click_and_collect: bool | None = None
    delivery_by_operator: bool | None = None
    mandatory_tracking: bool | None = None
    standard_code: WireText = None


class WireShippingTypes(WireRead, frozen=True, kw_only=True):
    shipping_types: list[WireShippingType] | None = None


class WireReason(WireRead, frozen=True, kw_only=True):
    code: WireText = None
    label: WireText = None
    type: str | None = None
    is_shop_right: bool | None = None


class WireReasons(WireRead, frozen=True, kw_only=True):
    reasons: list[WireReason] | None = None


class WireTaxCode(WireRead, frozen=True, kw_only=True):
    code: WireText = None
    label: WireText = None
    tax_calculation_rule: str | None = None


class WireTaxCodes(WireRead, frozen=True, kw_only=True):
    taxes: list[WireTaxCode] | None = None


class WireMeasured(WireRead, frozen=True, kw_only=True):
    """A21: one metric in one period."""

    period: str | None = None
    value: WireNumber = None
