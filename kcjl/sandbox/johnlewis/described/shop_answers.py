"""What the tenant's and the shop's operations answer: V01, A01, PC01, SH21, SH12, RE01.

Called by the table of described operations.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from kcjl.sandbox.johnlewis.described.shown import Shown

__all__ = ["Account", "Carriers", "Platform", "Reasons", "ShippingTypes", "Version"]

ShopModel = Literal["MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"]


class Version(Shown, frozen=True, kw_only=True):
    version: str
    platform: str


class ApplicableTax(Shown, frozen=True, kw_only=True):
    code: str
    label: str
    fee_types: list[Literal["COMMISSION", "SUBSCRIPTION", "ADDITIONAL_FEES"]]


class PaymentDetails(Shown, frozen=True, kw_only=True):
    paid_balance: Decimal
    payable_balance: Decimal
    pending_balance: Decimal
    reserve_balance: Decimal
    reserve_target: Decimal
    sub_balances: list[dict[str, object]]


class ShopShipping(Shown, frozen=True, kw_only=True):
    lead_time_to_ship: int


class Kyc(Shown, frozen=True, kw_only=True):
    status: Literal[
        "PENDING_SUBMISSION", "PENDING_APPROVAL", "REFUSED", "APPROVED", "NOT_REQUIRED"
    ]


class Account(Shown, frozen=True, kw_only=True):
    shop_id: int
    shop_name: str
    shop_state: Literal["OPEN", "CLOSE", "SUSPENDED", "TERMINATED"]
    suspension_type: str | None
    model: ShopModel
    currency_iso_code: str
    channels: list[str]
    applicable_taxes: list[ApplicableTax]
    payment_details: PaymentDetails
    approval_rate: Decimal
    """0 to 1."""
    shipping: ShopShipping
    closed_from: datetime | None
    closed_to: datetime | None
    kyc: Kyc


class OrderWorkflows(Shown, frozen=True, kw_only=True):
    order_acceptance: Literal["AUTOMATIC", "NOT_AUTOMATIC"]
    pay_on_shipment: bool
    pay_on_due_date: bool
    no_customer_payment_confirmation: bool
    pause_debit_workflow: bool
    sellers_edit_shipping_origin: bool
    shipping_and_billing_details_before_acceptance: bool


class ShipmentFeatures(Shown, frozen=True, kw_only=True):
    multi_shipment: bool
    multi_part_item_shipment: bool


class ReturnFeatures(Shown, frozen=True, kw_only=True):
    marketplace: bool
    drop_ship: bool
    one_creditor: bool


class PricingFeatures(Shown, frozen=True, kw_only=True):
    channel_pricing: str
    discount_period_required: bool
    volume_pricing: bool


class Features(Shown, frozen=True, kw_only=True):
    order_tax_mode: Literal["TAX_INCLUDED", "TAX_EXCLUDED"]
    order_workflows: OrderWorkflows
    shipment: ShipmentFeatures
    disable_seller_alternative_carrier: bool
    returns: ReturnFeatures
    lead_time_to_ship_by_sellers_enabled: Literal["YES", "NO", "YES_PER_STORE"]
    offer_prices_decimals: str
    operator_csv_delimiter: Literal["COMMA", "SEMICOLON"]
    pricing: PricingFeatures
    payment_confirmation: bool


class PlatformModel(Shown, frozen=True, kw_only=True):
    marketplace: bool
    drop_ship: bool
    one_creditor: bool


class SellerInvoicing(Shown, frozen=True, kw_only=True):
    enabled: bool


class PlatformConfiguration(Shown, frozen=True, kw_only=True):
    platform_model: PlatformModel
    enhanced_seller_invoicing: SellerInvoicing


class Platform(Shown, frozen=True, kw_only=True):
    features: Features
    platform_configuration: PlatformConfiguration
    platform_name: str
    tenant_name: str
    timezone: str


class CarrierShown(Shown, frozen=True, kw_only=True):
    code: str
    label: str
    standard_code: str | None
    tracking_url: str | None
    """With {trackingId} where the number goes."""


class Carriers(Shown, frozen=True, kw_only=True):
    carriers: list[CarrierShown]


class ShippingTypeShown(Shown, frozen=True, kw_only=True):
    code: str
    label: str
    description: str
    click_and_collect: bool
    delivery_by_operator: bool
    mandatory_tracking: bool
    standard_code: str | None
    ignore_lead_time_to_ship: bool


class ShippingTypes(Shown, frozen=True, kw_only=True):
    shipping_types: list[ShippingTypeShown]


class ReasonShown(Shown, frozen=True, kw_only=True):
    code: str
    label: str
    type: str
    is_shop_right: bool


class Reasons(Shown, frozen=True, kw_only=True):
    reasons: list[ReasonShown]
