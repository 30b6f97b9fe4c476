"""What the accounting operations answer: TL02, TL05, SBC11, IV01.

Called by the table of described operations.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import UNSET, UnsetType

from kcjl.sandbox.johnlewis.described.shown import (
    ChannelCodeShown,
    OrderReferencesShown,
    Shown,
)

__all__ = ["Cycles", "Invoices", "TransactionFile", "TransactionShown", "Transactions"]


class NamedById(Shown, frozen=True, kw_only=True):
    id: str


class PaymentInfo(Shown, frozen=True, kw_only=True):
    payment_type: str
    imprint_number: str | None


class OrderOfTransaction(Shown, frozen=True, kw_only=True):
    id: str
    commercial_id: str
    creation_date: datetime
    references: OrderReferencesShown
    payment_info: PaymentInfo


class TaxOfTransaction(Shown, frozen=True, kw_only=True):
    code: str
    rate: Decimal


class ManualDocument(Shown, frozen=True, kw_only=True):
    number: str


class TransactionInfo(Shown, frozen=True, kw_only=True):
    number: str
    date: datetime | None


class OneOffItem(Shown, frozen=True, kw_only=True):
    description: str
    quantity: int
    unit_price: Decimal
    operation_date: datetime
    references: list[dict[str, object]]


class FeeOfTransaction(Shown, frozen=True, kw_only=True):
    code: str
    cancelations: list[dict[str, object]]
    refunds: list[dict[str, object]]


class Entities(Shown, frozen=True, kw_only=True):
    """What a line is tied to; ties that it has not are left out."""

    domain: str
    channel: ChannelCodeShown
    order: OrderOfTransaction | UnsetType = UNSET
    order_line: NamedById | UnsetType = UNSET
    refund: NamedById | UnsetType = UNSET
    order_tax: TaxOfTransaction | UnsetType = UNSET
    shop_tax: TaxOfTransaction | UnsetType = UNSET
    manual_accounting_document: ManualDocument | UnsetType = UNSET
    transaction_info: TransactionInfo | UnsetType = UNSET
    one_off_item: OneOffItem | UnsetType = UNSET
    fee: FeeOfTransaction | UnsetType = UNSET


class ShopOfTransaction(Shown, frozen=True, kw_only=True):
    id: int
    model: str
    operator_internal_id: str
    domains: list[str]


class TransactionShown(Shown, frozen=True, kw_only=True):
    id: str
    type: str
    amount: Decimal
    """Signed: what the shop gets is positive."""
    amount_credited: Decimal
    amount_debited: Decimal
    balance: Decimal
    psp_balance: Decimal | None
    pay_out_psp_code: str
    currency_iso_code: str
    date_created: datetime
    last_updated: datetime
    payment_state: Literal["PENDING", "PAYABLE", "PAID", "NOT_APPLICABLE", "RESERVE"]
    payment_voucher_number: str | None
    seller_billing_cycle_id: str | None
    accounting_document_number: str | None
    accounting_document_id: str | None
    accounting_document_creation_date: datetime | None
    shop: ShopOfTransaction
    entities: Entities


class Transactions(Shown, frozen=True, kw_only=True):
    data: list[TransactionShown]
    next_page_token: str | None
    previous_page_token: str | None


class TransactionFile(Shown, frozen=True, kw_only=True):
    """TL05 in JSON; in NDJSON each line is one of them."""

    data: list[TransactionShown]


class PayOut(Shown, frozen=True, kw_only=True):
    state: Literal["TO_PAY", "PAID", "FAILED", "PENDING"]
    reference: str | None
    transaction_date: datetime | None
    failure_reason: str | None


class ShopOfCycle(Shown, frozen=True, kw_only=True):
    shop_id: int
    shop_name: str
    shop_corporate_name: str
    shop_model: str
    shop_operator_internal_id: str


class CycleShown(Shown, frozen=True, kw_only=True):
    id: str
    date_created: datetime
    payment_voucher_number: str
    currency_iso_code: str
    amount_transferred_to_seller: Decimal
    amount_transferred_to_operator: Decimal
    pay_out: PayOut
    pay_out_psp_code: str
    shop: ShopOfCycle
    summary: dict[str, Decimal]
    """`total_…`, in pairs `_excl_tax` and `_incl_tax`."""


class Cycles(Shown, frozen=True, kw_only=True):
    data: list[CycleShown]
    next_page_token: str | None
    previous_page_token: str | None


class InvoiceTax(Shown, frozen=True, kw_only=True):
    code: str
    amount: Decimal


class InvoiceDetailShown(Shown, frozen=True, kw_only=True):
    description: str
    quantity: int
    amount_excl_taxes: Decimal
    taxes: list[InvoiceTax]
    order_id: str | None
    operation_date: datetime


class InvoiceShown(Shown, frozen=True, kw_only=True):
    """What the operator charges the shop, which is never the payout."""

    invoice_id: int
    id: str
    number: str
    type: Literal["AUTO_INVOICE", "MANUAL_INVOICE", "MANUAL_CREDIT"]
    state: str
    date_created: datetime
    issue_date: datetime
    due_date: datetime
    start_time: datetime
    end_time: datetime
    currency_iso_code: str
    payment: PayOut
    payment_voucher_number: str | None
    seller_billing_cycle_id: str | None
    summary: dict[str, Decimal] | None
    details: list[InvoiceDetailShown]
    total_amount_excl_taxes: Decimal
    total_amount_incl_taxes: Decimal
    total_charged_amount: Decimal
    total_taxes: list[InvoiceTax]
    shop_id: int
    shop_name: str
    shop_model: str
    shop_corporate_name: str
    shop_operator_internal_id: str
    shop_tax_number: str | None
    shop_address: dict[str, object] | None
    issuing_user_type: str


class Invoices(Shown, frozen=True, kw_only=True):
    invoices: list[InvoiceShown]
    total_count: int
