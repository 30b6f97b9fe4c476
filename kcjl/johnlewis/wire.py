"""What Mirakl writes and reads, field by field, as far as kcjl needs it.

Promises: fields that are not named here are passed over, absent and null are both None; ids may
be numbers or strings; numbers are decimals from the first byte on, never floats; codes are kept
as they come. It judges nothing: `records.py` says what a record cannot do without.
It has 400 lines and some, because each field is one. Invariant: every field of an answer is
optional, so that no surprise outside what we use can break a read.
Called by `records.py` and `seller_api.py` only. Source: contract johnlewis b.
"""

from decimal import Decimal
from typing import TypeVar

import msgspec

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis.reading import BYTE_ORDER_MARK

__all__ = [
    "WireAcceptance",
    "WireAccount",
    "WireAddress",
    "WireCarriers",
    "WireCodeEntity",
    "WireCycle",
    "WireCycles",
    "WireImport",
    "WireOrder",
    "WireOrderLine",
    "WireOrders",
    "WirePlatform",
    "WireRefund",
    "WireShipment",
    "WireShipmentAsked",
    "WireShipments",
    "WireShippingTypes",
    "WireTrackingAsked",
    "WireTransaction",
    "WireTransactions",
    "decoded",
]

_Body = TypeVar("_Body")
_Id = int | str | None
_Number = Decimal | None
_Text = str | int | None
"""A code or a text; some tenants write codes that look like numbers as numbers."""


def decoded(body: bytes, kind: type[_Body], what: str) -> _Body:
    """The JSON of an answer.

    The message tells where it broke, never what stood there: bodies hold names and addresses.
    """
    try:
        return msgspec.json.decode(body.removeprefix(BYTE_ORDER_MARK), type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolSurprise(
            f"{what}: an answer of {len(body)} bytes could not be read: {error}"
        ) from None


class _Wire(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is read."""


class _Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what is written; what is None is left out."""


# ── settings of the tenant ──────────────────────────────────────────────────────────────────


class WireAccount(_Wire, frozen=True, kw_only=True):
    shop_id: _Id = None
    shop_name: _Text = None
    shop_state: str | None = None
    model: str | None = None
    currency_iso_code: str | None = None


class WireOrderWorkflows(_Wire, frozen=True, kw_only=True):
    order_acceptance: str | None = None


class WireShipmentFeatures(_Wire, frozen=True, kw_only=True):
    multi_shipment: bool | None = None


class WireFeatures(_Wire, frozen=True, kw_only=True):
    order_tax_mode: str | None = None
    order_workflows: WireOrderWorkflows | None = None
    shipment: WireShipmentFeatures | None = None
    disable_seller_alternative_carrier: bool | None = None


class WirePlatform(_Wire, frozen=True, kw_only=True):
    features: WireFeatures | None = None
    timezone: str | None = None


class WireCarrier(_Wire, frozen=True, kw_only=True):
    code: _Text = None
    label: _Text = None
    standard_code: str | None = None
    tracking_url: str | None = None


class WireCarriers(_Wire, frozen=True, kw_only=True):
    carriers: list[WireCarrier] | None = None


class WireShippingType(_Wire, frozen=True, kw_only=True):
    code: _Text = None
    label: _Text = None
    mandatory_tracking: bool | None = None


class WireShippingTypes(_Wire, frozen=True, kw_only=True):
    shipping_types: list[WireShippingType] | None = None


# ── stock ───────────────────────────────────────────────────────────────────────────────────


class WireImport(_Wire, frozen=True, kw_only=True):
    import_id: _Id = None
    status: str | None = None
    lines_in_success: _Number = None
    lines_in_error: _Number = None
    has_error_report: bool | None = None


# ── orders ──────────────────────────────────────────────────────────────────────────────────


class WireAddress(_Wire, frozen=True, kw_only=True):
    firstname: _Text = None
    lastname: _Text = None
    company: _Text = None
    company_2: _Text = None
    street_1: _Text = None
    street_2: _Text = None
    zip_code: _Text = None
    city: _Text = None
    state: _Text = None
    country: _Text = None
    country_iso_code: str | None = None
    phone: _Text = None
    phone_secondary: _Text = None
    additional_info: _Text = None


class WireCustomer(_Wire, frozen=True, kw_only=True):
    firstname: _Text = None
    lastname: _Text = None
    shipping_address: WireAddress | None = None


class WireCentre(_Wire, frozen=True, kw_only=True):
    code: _Text = None


class WireFulfilment(_Wire, frozen=True, kw_only=True):
    center: WireCentre | None = None


class WireReferences(_Wire, frozen=True, kw_only=True):
    order_reference_for_customer: _Text = None
    order_reference_for_seller: _Text = None


class WireTax(_Wire, frozen=True, kw_only=True):
    amount: _Number = None


class WireRefund(_Wire, frozen=True, kw_only=True):
    id: _Id = None
    amount: _Number = None
    shipping_amount: _Number = None
    refund_state: str | None = None
    state: str | None = None
    reason_code: _Text = None
    created_date: str | None = None


class WireOrderLine(_Wire, frozen=True, kw_only=True):
    order_line_id: _Id = None
    order_line_state: str | None = None
    offer_sku: _Text = None
    product_title: _Text = None
    category_code: _Text = None
    quantity: _Number = None
    price_unit: _Number = None
    price: _Number = None
    shipping_price: _Number = None
    commission_fee: _Number = None
    commission_taxes: list[WireTax] | None = None
    commission_vat: _Number = None
    total_commission: _Number = None
    refunds: list[WireRefund] | None = None


class WireOrder(_Wire, frozen=True, kw_only=True):
    order_id: _Id = None
    commercial_id: _Id = None
    references: WireReferences | None = None
    order_state: str | None = None
    created_date: str | None = None
    last_updated_date: str | None = None
    shipping_deadline: str | None = None
    currency_iso_code: str | None = None
    price: _Number = None
    shipping_price: _Number = None
    total_price: _Number = None
    order_tax_mode: str | None = None
    shipping_type_code: _Text = None
    fulfillment: WireFulfilment | None = None
    customer: WireCustomer | None = None
    customer_notification_email: str | None = None
    order_lines: list[WireOrderLine] | None = None


class WireOrders(_Wire, frozen=True, kw_only=True):
    orders: list[WireOrder] | None = None
    total_count: _Number = None


class WireReferenceOutcome(_Wire, frozen=True, kw_only=True):
    order_id: _Id = None
    errors: msgspec.Raw = msgspec.Raw(b"")


class WireReferenceAnswer(_Wire, frozen=True, kw_only=True):
    updated_orders: list[WireReferenceOutcome] | None = None


class WireReferenceAsked(_Asked, frozen=True, kw_only=True):
    order_reference_for_seller: str


class WireOrderAsked(_Asked, frozen=True, kw_only=True):
    """OR04: what we write, one order."""

    order_id: str
    references: WireReferenceAsked


class WireDecision(_Asked, frozen=True, kw_only=True):
    id: str
    accepted: bool


class WireAcceptance(_Asked, frozen=True, kw_only=True):
    """OR21: what we write."""

    order_lines: list[WireDecision]


# ── parcels ─────────────────────────────────────────────────────────────────────────────────


class WireTracking(_Wire, frozen=True, kw_only=True):
    carrier_code: _Text = None
    tracking_number: _Text = None
    tracking_url: _Text = None
    validity_status: str | None = None


class WireShipmentLine(_Wire, frozen=True, kw_only=True):
    order_line_id: _Id = None
    quantity: _Number = None
    package_reference: _Text = None


class WireShipment(_Wire, frozen=True, kw_only=True):
    id: _Id = None
    order_id: _Id = None
    status: str | None = None
    shipment_lines: list[WireShipmentLine] | None = None
    tracking: WireTracking | None = None
    status_customer_debit: str | None = None
    invoice_reference: _Text = None
    created_date: str | None = None
    last_updated_date: str | None = None
    shipped_date: str | None = None


class WireShipments(_Wire, frozen=True, kw_only=True):
    data: list[WireShipment] | None = None
    next_page_token: _Text = None


class WireTrackingAsked(_Asked, frozen=True, kw_only=True):
    """OR23, and the tracking of ST01: what we write."""

    carrier_code: str | None = None
    carrier_name: str | None = None
    tracking_number: str | None = None


class WireShipmentLineAsked(_Asked, frozen=True, kw_only=True):
    order_line_id: str
    quantity: int
    package_reference: str | None = None


class WireShipmentAsked(_Asked, frozen=True, kw_only=True):
    """ST01: what we write, one parcel."""

    order_id: str
    shipment_lines: list[WireShipmentLineAsked]
    shipped: bool
    tracking: WireTrackingAsked | None = None
    invoice_reference: str | None = None


# ── the shop's account ──────────────────────────────────────────────────────────────────────


class WireEntity(_Wire, frozen=True, kw_only=True):
    id: _Id = None


class WireOrderEntity(_Wire, frozen=True, kw_only=True):
    id: _Id = None
    commercial_id: _Id = None
    references: WireReferences | None = None


class WireCodeEntity(_Wire, frozen=True, kw_only=True):
    """A tax, a fee or a channel."""

    code: _Text = None
    rate: _Number = None
    cancelations: list[WireEntity] | None = None
    refunds: list[WireEntity] | None = None


class WireNumberEntity(_Wire, frozen=True, kw_only=True):
    number: _Id = None


class WireOneOffItem(_Wire, frozen=True, kw_only=True):
    description: _Text = None
    quantity: _Number = None
    unit_price: _Number = None
    operation_date: str | None = None
    references: list[msgspec.Raw] | None = None


class WireEntities(_Wire, frozen=True, kw_only=True):
    order: WireOrderEntity | None = None
    order_line: WireEntity | None = None
    refund: WireEntity | None = None
    shipment: WireEntity | None = None
    debit: WireEntity | None = None
    order_tax: WireCodeEntity | None = None
    shop_tax: WireCodeEntity | None = None
    order_fee: WireCodeEntity | None = None
    fee: WireCodeEntity | None = None
    manual_accounting_document: WireNumberEntity | None = None
    one_off_item: WireOneOffItem | None = None
    transaction_info: WireNumberEntity | None = None
    channel: WireCodeEntity | None = None


class WireTransaction(_Wire, frozen=True, kw_only=True):
    id: _Id = None
    type: str | None = None
    amount: _Number = None
    amount_credited: _Number = None
    amount_debited: _Number = None
    currency_iso_code: str | None = None
    date_created: str | None = None
    last_updated: str | None = None
    payment_state: str | None = None
    payment_voucher_number: _Id = None
    seller_billing_cycle_id: _Id = None
    accounting_document_number: _Id = None
    accounting_document_id: _Id = None
    accounting_document_creation_date: str | None = None
    balance: _Number = None
    entities: WireEntities | None = None


class WireTransactions(_Wire, frozen=True, kw_only=True):
    data: list[WireTransaction] | None = None
    next_page_token: _Text = None


class WirePayOut(_Wire, frozen=True, kw_only=True):
    state: str | None = None
    reference: _Id = None
    transaction_date: str | None = None
    failure_reason: _Text = None


class WireCycle(_Wire, frozen=True, kw_only=True):
    id: _Id = None
    date_created: str | None = None
    payment_voucher_number: _Id = None
    currency_iso_code: str | None = None
    amount_transferred_to_seller: _Number = None
    amount_transferred_to_operator: _Number = None
    pay_out: WirePayOut | None = None
    summary: dict[str, msgspec.Raw] | None = None


class WireCycles(_Wire, frozen=True, kw_only=True):
    data: list[WireCycle] | None = None
    next_page_token: _Text = None
