"""What the order and shipment operations answer: OR04, OR11, OR14, OR15, OR28, ST01 to ST24.

Called by the table of described operations.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from kcjl.sandbox.johnlewis.described.shown import (
    AddressShown,
    CodedShown,
    DeliveryAddressShown,
    ErrorShown,
    FieldShown,
    FulfillmentShown,
    OrderReferencesShown,
    Shown,
    TaxedPartShown,
    TaxShown,
)

__all__ = [
    "CreatedShipments",
    "ExportStatus",
    "ItemsToShip",
    "OrderFile",
    "OrderShown",
    "Orders",
    "RefundsMade",
    "ShipmentOutcomes",
    "Shipments",
    "TaxMode",
    "TaxPartShown",
    "UpdatedOrders",
]

OrderState = Literal[
    "STAGING", "WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING",
    "SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED", "REFUSED", "CANCELED",
]  # fmt: skip
LineState = Literal[
    "STAGING", "WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING",
    "SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED", "REFUSED", "CANCELED",
    "INCIDENT_OPEN", "INCIDENT_CLOSED", "REFUNDED",
]  # fmt: skip
RefundState = Literal[
    "WAITING_REFUND_TAX_CONFIRMATION", "WAITING_REFUND", "WAITING_REFUND_PAYMENT", "REFUNDED"
]
ShipmentState = Literal[
    "SHIPPING", "READY_FOR_PICK_UP", "SHIPMENT_PREPARED", "SHIPPED", "TO_COLLECT", "RECEIVED",
    "CLOSED", "CANCELED",
]  # fmt: skip
DebitState = Literal[
    "NO_DEBIT", "NOT_STARTED", "WAITING_TAX_CONFIRMATION", "WAITING_OPERATOR_SYSTEM_CONTACT",
    "WAITING_DEBIT_CONFIRMATION", "DEBIT_OK", "CANCELED",
]  # fmt: skip
Workflow = Literal[
    "PAY_ON_ACCEPTANCE", "PAY_ON_DELIVERY", "PAY_ON_DUE_DATE", "PAY_ON_SHIPMENT",
    "NO_CUSTOMER_PAYMENT_CONFIRMATION",
]  # fmt: skip
TaxMode = Literal["TAX_INCLUDED", "TAX_EXCLUDED"]


# ── orders ──────────────────────────────────────────────────────────────────────────────────


class ChargeShown(Shown, frozen=True, kw_only=True):
    amount: Decimal
    shipping_amount: Decimal
    commission_amount: Decimal
    commission_taxes: list[TaxShown]
    commission_total_amount: Decimal
    taxes: list[TaxedPartShown]
    shipping_taxes: list[TaxedPartShown]
    fees: list[dict[str, object]]
    id: str
    quantity: int
    reason_code: str
    created_date: datetime


class RefundShown(ChargeShown, frozen=True, kw_only=True):
    order_refund_id: str
    refund_state: RefundState
    state: RefundState
    transaction_number: str | None
    transaction_date: datetime | None


class CancelationShown(ChargeShown, frozen=True, kw_only=True):
    pass


class OrderLineShown(Shown, frozen=True, kw_only=True):
    order_line_id: str
    order_line_index: int
    order_line_state: LineState
    order_line_state_reason_code: str | None
    order_line_state_reason_label: str | None
    offer_id: int
    offer_sku: str
    offer_state_code: str
    product_sku: str
    product_shop_sku: str | None
    product_title: str
    product_medias: list[dict[str, object]]
    description: str | None
    category_code: str
    category_label: str
    quantity: int
    price_unit: Decimal
    origin_unit_price: Decimal | None
    price: Decimal
    shipping_price: Decimal
    total_price: Decimal
    commission_fee: Decimal
    commission_taxes: list[TaxShown]
    commission_vat: Decimal
    commission_rate_vat: Decimal
    total_commission: Decimal
    taxes: list[TaxedPartShown]
    shipping_taxes: list[TaxedPartShown]
    fees: list[dict[str, object]]
    promotions: list[dict[str, object]]
    can_refund: bool
    refunds: list[RefundShown]
    cancelations: list[CancelationShown]
    shipping_from: dict[str, object] | None
    purchase_information: dict[str, object] | None
    order_line_additional_fields: list[FieldShown]
    tax_legal_notice: str | None
    price_additional_info: str | None
    measurement: dict[str, object] | None
    eco_contributions: list[dict[str, object]]
    discount_campaign: dict[str, object] | None
    created_date: datetime
    last_updated_date: datetime
    debited_date: datetime | None
    shipped_date: datetime | None
    received_date: datetime | None


class DeliveryDate(Shown, frozen=True, kw_only=True):
    earliest: datetime
    latest: datetime


class CustomerShown(Shown, frozen=True, kw_only=True):
    customer_id: str
    civility: str | None
    firstname: str
    lastname: str
    locale: str | None
    billing_address: AddressShown | None
    """Null until the tenant shows it."""
    shipping_address: DeliveryAddressShown | None
    organization: dict[str, object] | None
    accounting_contact: dict[str, object] | None
    delivery_contact: dict[str, object] | None


class Promotions(Shown, frozen=True, kw_only=True):
    applied_promotions: list[dict[str, object]]
    total_deduced_amount: Decimal


class OrderShown(Shown, frozen=True, kw_only=True):
    order_id: str
    commercial_id: str
    references: OrderReferencesShown
    order_state: OrderState
    order_state_reason_code: str | None
    order_state_reason_label: str | None
    created_date: datetime
    last_updated_date: datetime
    acceptance_decision_date: datetime | None
    customer_debited_date: datetime | None
    shipping_deadline: datetime | None
    delivery_date: DeliveryDate | None
    leadtime_to_ship: int
    currency_iso_code: str
    price: Decimal
    shipping_price: Decimal
    total_price: Decimal
    total_commission: Decimal
    order_tax_mode: TaxMode
    order_taxes: list[dict[str, object]]
    payment_type: str
    paymentType: str  # noqa: N815 - the API's own spelling
    payment_workflow: Workflow
    payment_duration: int | None
    transaction_number: str | None
    transaction_date: datetime | None
    channel: CodedShown | None
    can_cancel: bool
    can_shop_ship: bool
    fully_refunded: bool
    has_customer_message: bool
    has_incident: bool
    has_invoice: bool
    customer_directly_pays_seller: bool
    shipping_type_code: str
    shipping_type_label: str
    shipping_type_standard_code: str | None
    shipping_zone_code: str
    shipping_zone_label: str
    shipping_carrier_code: str | None
    shipping_carrier_standard_code: str | None
    shipping_company: str | None
    shipping_tracking: str | None
    shipping_tracking_url: str | None
    shipping_pudo_id: str | None
    fulfillment: FulfillmentShown
    customer: CustomerShown
    customer_notification_email: str
    order_additional_fields: list[FieldShown]
    promotions: Promotions
    discount_campaigns: list[dict[str, object]]
    invoice_details: dict[str, object] | None
    quote_id: str | None
    order_refunds: list[dict[str, object]]
    order_lines: list[OrderLineShown]


class Orders(Shown, frozen=True, kw_only=True):
    orders: list[OrderShown]
    total_count: int


class OrderFile(Shown, frozen=True, kw_only=True):
    """OR15."""

    orders: list[OrderShown]


class ExportStatus(Shown, frozen=True, kw_only=True):
    """OR14, TL04."""

    last_updated: datetime
    status: Literal["PENDING", "COMPLETED", "FAILED", "CANCELED"]
    urls: list[str]


class TaxPartShown(Shown, frozen=True, kw_only=True):
    code: str
    amount: Decimal


class RefundMade(Shown, frozen=True, kw_only=True):
    refund_id: str
    order_refund_id: str
    order_line_id: str
    amount: Decimal
    shipping_amount: Decimal
    quantity: int
    reason_code: str
    currency_iso_code: str
    excluded_from_shipment: bool
    taxes: list[TaxPartShown]
    shipping_taxes: list[TaxPartShown]
    fees: list[dict[str, object]]


class RefundsMade(Shown, frozen=True, kw_only=True):
    order_tax_mode: TaxMode
    refunds: list[RefundMade]


class SellerReference(Shown, frozen=True, kw_only=True):
    order_reference_for_seller: str | None


class UpdatedReferences(Shown, frozen=True, kw_only=True):
    references: SellerReference


class UpdatedOrder(Shown, frozen=True, kw_only=True):
    order_id: str
    errors: list[ErrorShown]
    updated: UpdatedReferences | None


class UpdatedOrders(Shown, frozen=True, kw_only=True):
    """OR04: item by item."""

    updated_orders: list[UpdatedOrder]


# ── shipments ───────────────────────────────────────────────────────────────────────────────


class ShipmentLineShown(Shown, frozen=True, kw_only=True):
    order_line_id: str
    offer_sku: str
    quantity: int
    package_reference: str | None


class ShipmentTracking(Shown, frozen=True, kw_only=True):
    carrier_code: str | None
    carrier_standard_code: str | None
    carrier_name: str | None
    tracking_number: str | None
    tracking_url: str | None
    validity_status: Literal[
        "MISSING_TRACKING", "UNVERIFIED", "UNCOVERED", "INVALID", "VERIFIED"
    ]
    milestones: list[dict[str, object]]


class ShipmentShown(Shown, frozen=True, kw_only=True):
    id: str
    order_id: str
    status: ShipmentState
    status_customer_debit: DebitState
    created_date: datetime
    last_updated_date: datetime
    shipped_date: datetime | None
    invoice_reference: str | None
    payment_details: dict[str, object] | None
    shipment_lines: list[ShipmentLineShown]
    tracking: ShipmentTracking
    shipping_from: dict[str, object] | None
    shipment_additional_information: list[dict[str, object]]


class Shipments(Shown, frozen=True, kw_only=True):
    data: list[ShipmentShown]
    next_page_token: str | None
    previous_page_token: str | None


class OrderError(Shown, frozen=True, kw_only=True):
    order_id: str
    message: str


class CreatedShipments(Shown, frozen=True, kw_only=True):
    """ST01: 201 also where items failed; read both lists."""

    shipment_success: list[ShipmentShown]
    shipment_errors: list[OrderError]


class ShipmentDone(Shown, frozen=True, kw_only=True):
    id: str


class ShipmentError(Shown, frozen=True, kw_only=True):
    id: str
    message: str


class ShipmentOutcomes(Shown, frozen=True, kw_only=True):
    """ST23, ST24: item by item."""

    shipment_success: list[ShipmentDone]
    shipment_errors: list[ShipmentError]


class LineToShip(Shown, frozen=True, kw_only=True):
    order_line_id: str
    offer_sku: str
    product_title: str
    quantity: int
    package_reference: str | None


class OrderToShip(Shown, frozen=True, kw_only=True):
    order_id: str
    references: OrderReferencesShown
    shipment_lines: list[LineToShip]
    shipping_address: DeliveryAddressShown
    shipping_date: datetime | None
    shipping_deadline: datetime
    shipping_type_code: str
    fulfillment: FulfillmentShown


class ItemsToShip(Shown, frozen=True, kw_only=True):
    data: list[OrderToShip]
    next_page_token: str | None
    previous_page_token: str | None
