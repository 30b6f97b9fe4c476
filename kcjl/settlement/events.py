"""What can happen to money: lines, billing cycles, payouts, journals.

Streams: settlement-order-<order id>, of lines without an order settlement-line-<id>;
payout-<cycle id>; reads and the account map: settlement-reads, settlement-policy. Amounts are
signed as the marketplace sends them, never re-signed.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

import msgspec

from kcjl.money import Money
from kcjl.vocabulary import Event

__all__ = [
    "PAYMENT",
    "ROLE_OF_KIND",
    "AccountMapSet",
    "AccountNamed",
    "BillingCycleSeen",
    "CyclesRead",
    "JournalAcknowledged",
    "JournalFile",
    "JournalIntended",
    "JournalKind",
    "JournalLine",
    "JournalPrepared",
    "JournalReversalAsked",
    "LateLineFound",
    "PayoutAccepted",
    "PayoutClosed",
    "PayoutHeld",
    "SettlementLineSeen",
    "SettlementLineTied",
    "TieTo",
    "TransactionsRead",
    "money_stream",
]

ROLE_OF_KIND: Mapping[str, str] = {
    "ORDER_AMOUNT": "clearing",
    "ORDER_AMOUNT_TAX": "clearing",
    "ORDER_SHIPPING_AMOUNT": "clearing",
    "ORDER_SHIPPING_AMOUNT_TAX": "clearing",
    "ORDER_FEE_AMOUNT": "clearing",
    "COMMISSION_FEE": "commission",
    "COMMISSION_VAT": "commission_vat",
    "REFUND_COMMISSION_FEE": "commission",
    "REFUND_COMMISSION_VAT": "commission_vat",
    "REFUND_ORDER_AMOUNT": "refunds",
    "REFUND_ORDER_AMOUNT_TAX": "refunds",
    "REFUND_ORDER_SHIPPING_AMOUNT": "refunds",
    "REFUND_ORDER_SHIPPING_AMOUNT_TAX": "refunds",
    "REFUND_ORDER_FEE_AMOUNT": "refunds",
    "SUBSCRIPTION_FEE": "subscription",
    "SUBSCRIPTION_VAT": "subscription_vat",
    "MANUAL_CREDIT": "documents",
    "MANUAL_CREDIT_VAT": "documents_vat",
    "MANUAL_INVOICE": "documents",
    "MANUAL_INVOICE_VAT": "documents_vat",
    "INVOICEABLE_ONE_OFF_DEBIT": "documents",
    "INVOICEABLE_ONE_OFF_DEBIT_TAX": "documents_vat",
    "INVOICEABLE_ONE_OFF_CREDIT": "documents",
    "INVOICEABLE_ONE_OFF_CREDIT_TAX": "documents_vat",
    "SELLER_PENALTY_FEE": "penalties",
    "SELLER_PENALTY_FEE_TAX": "penalties_vat",
    "SELLER_FEE_ON_ORDER": "fees",
    "SELLER_FEE_ON_ORDER_TAX": "fees_vat",
    "OPERATOR_REMITTED_ORDER_AMOUNT_TAX": "remitted_tax",
    "OPERATOR_REMITTED_ORDER_SHIPPING_AMOUNT_TAX": "remitted_tax",
    "OPERATOR_REMITTED_ORDER_FEE_AMOUNT": "remitted_tax",
    "OPERATOR_REMITTED_REFUND_ORDER_AMOUNT_TAX": "remitted_tax",
    "OPERATOR_REMITTED_REFUND_ORDER_SHIPPING_AMOUNT_TAX": "remitted_tax",
    "OPERATOR_REMITTED_REFUND_ORDER_FEE_AMOUNT": "remitted_tax",
    "OPERATOR_PAID_ORDER_SHIPPING_AMOUNT": "operator_shipping",
    "OPERATOR_PAID_ORDER_SHIPPING_AMOUNT_TAX": "operator_shipping",
    "OPERATOR_PAID_REFUND_ORDER_SHIPPING_AMOUNT": "operator_shipping",
    "OPERATOR_PAID_REFUND_ORDER_SHIPPING_AMOUNT_TAX": "operator_shipping",
    "RESERVE_FUNDING": "reserve",
    "RESERVE_SETTLEMENT": "reserve",
}
"""Transaction types by the role of their account; any other type is booked to `other`."""

PAYMENT = "PAYMENT"
"""The line that equals the payout: never added to it (contract e.3)."""


TieTo = Literal["sales_order", "order", "passed_over"]
"""What a line of an order is tied to: its sales order; the order alone, where a fee is for the
order and not for the sale; an order that is not ours to post.
"""


def money_stream(order_id: str | None, line_id: str) -> str:
    """Where what is said of a transaction line stands: with its order's other lines."""
    return f"settlement-line-{line_id}" if order_id is None else f"settlement-order-{order_id}"


class SettlementLineSeen(Event, frozen=True, kw_only=True):
    """A transaction line came, or came back changed (state, voucher, cycle)."""

    line_id: str
    kind: str
    amount: Money
    payment_state: str
    cycle_id: str | None
    voucher: str | None
    document_number: str | None
    order_id: str | None
    order_line_id: str | None
    refund_id: str | None
    customer_order_number: str | None
    created_at: datetime | None = None
    """When the money moved at the marketplace: the month that it belongs to."""
    shipment_id: str | None = None
    debit_id: str | None = None
    manual_document: str | None = None
    """The number of a document that the operator made by hand."""
    own_account: bool = False
    """A type that is not known here, and has had an account named for it."""

    @property
    def stream(self) -> str:
        return money_stream(self.order_id, self.line_id)


class SettlementLineTied(Event, frozen=True, kw_only=True):
    """A transaction line is tied to its order and, through its number, to the sales order."""

    line_id: str
    order_id: str
    order_line_id: str | None
    reference: str
    erp_order_code: str
    """Empty: it is tied to the order alone."""
    to: TieTo = "sales_order"

    @property
    def stream(self) -> str:
        return money_stream(self.order_id, self.line_id)


class PayoutEvent(Event, frozen=True, kw_only=True):
    cycle_id: str

    @property
    def stream(self) -> str:
        return f"payout-{self.cycle_id}"


class BillingCycleSeen(PayoutEvent, frozen=True, kw_only=True):
    """A billing cycle came, or came back changed. Occurred when the marketplace made it."""

    currency: str
    amount_to_seller: Money
    amount_to_operator: Money
    payout_state: str
    payout_reference: str | None
    paid_at: datetime | None
    failure_reason: str | None
    voucher: str | None


class PayoutHeld(PayoutEvent, frozen=True, kw_only=True):
    """The payout can't be closed: residue, untied lines, or a payout that failed."""

    stated: Money
    lines_total: Money
    residue: Money
    lines: int
    untied: tuple[str, ...]
    reason: str


class PayoutAccepted(PayoutEvent, frozen=True, kw_only=True):
    """A person accepts what keeps a payout open, as it is: untied lines, and a residue."""

    residue: Money
    untied: int
    reason: str


class PayoutClosed(PayoutEvent, frozen=True, kw_only=True):
    """Σ lines and named amounts = amount transferred, and every line is tied or excepted."""

    stated: Money
    lines_total: Money
    residue: Money
    """Nothing, or the sum of the amounts that `PayoutReconciled` names."""
    lines: int
    excepted: int = 0
    """Lines that are tied to nothing, and that a person has accepted so."""


class LateLineFound(PayoutEvent, frozen=True, kw_only=True):
    """A line came to a closed payout, left it or changed. It goes to the open month."""

    line_id: str
    kind: str
    amount: Money
    """By how much the payout's lines are other than they were when it was closed."""


class AccountNamed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The nominal account that plays a role in the journal."""

    role: str
    account: str
    tax_code: str


class AccountMapSet(Event, frozen=True, kw_only=True):
    """Policy: nominal accounts by role."""

    accounts: tuple[AccountNamed, ...]
    version: int

    @property
    def stream(self) -> str:
        return "settlement-policy"


class JournalLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line: exactly one of debit and credit is not zero."""

    account: str
    tax_code: str
    debit: Money
    credit: Money
    memo: str


JournalKind = Literal["payout", "month_end", "reversal", "correction"]
"""A payout's own; what of it belongs to the month before; its undoing; what stands instead."""


class JournalIntended(PayoutEvent, frozen=True, kw_only=True):
    """We are about to prepare a journal of the payout."""

    reference: str
    posting_date: date
    narrative: str
    lines: tuple[JournalLine, ...]
    policy_version: int
    kind: JournalKind = "payout"
    reverses: str = ""
    """The journal that this one undoes."""
    corrects: tuple[str, ...] = ()
    """The journals that this one stands instead of."""
    reason: str = ""


class JournalReversalAsked(PayoutEvent, frozen=True, kw_only=True):
    """A person wants the payout's journals undone, and made anew as things stand now."""

    references: tuple[str, ...]
    reason: str


class JournalFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    name: str
    sha256: str


class JournalPrepared(PayoutEvent, frozen=True, kw_only=True):
    """The journal is there for the ledger."""

    reference: str
    total: Money
    files: tuple[JournalFile, ...]


class JournalAcknowledged(PayoutEvent, frozen=True, kw_only=True):
    """The journal is in the ledger, under this number of the ledger's."""

    reference: str
    ledger_number: str


class TransactionsRead(Event, frozen=True, kw_only=True):
    """A read of transaction lines by update ended. Occurred when it began."""

    cursor: datetime
    read: int
    swept: bool = False
    """It was the daily sweep, which looks back further."""

    @property
    def stream(self) -> str:
        return "settlement-reads"


class CyclesRead(Event, frozen=True, kw_only=True):
    """A read of billing cycles ended. Occurred when it began."""

    read: int

    @property
    def stream(self) -> str:
        return "settlement-reads"
