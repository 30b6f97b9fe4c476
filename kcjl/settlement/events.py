"""What can happen to money: lines, billing cycles, payouts, journals.

Stream: settlement-line-<id>, payout-<cycle id>; reads and the account map: settlement-reads,
settlement-policy. Amounts are signed as the marketplace sends them, never re-signed.
"""

from collections.abc import Mapping
from datetime import date, datetime

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
    "JournalFile",
    "JournalIntended",
    "JournalLine",
    "JournalPrepared",
    "PayoutClosed",
    "PayoutHeld",
    "SettlementLineSeen",
    "SettlementLineTied",
    "TransactionsRead",
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
}
"""Transaction types by the role of their account; any other type is booked to `other`."""

PAYMENT = "PAYMENT"
"""The line that equals the payout: never added to it (contract e.3)."""


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
    own_account: bool = False
    """A type that is not known here, and has had an account named for it."""

    @property
    def stream(self) -> str:
        return f"settlement-line-{self.line_id}"


class SettlementLineTied(Event, frozen=True, kw_only=True):
    """A transaction line is tied to its order and, through its number, to the sales order."""

    line_id: str
    order_id: str
    order_line_id: str | None
    reference: str
    erp_order_code: str

    @property
    def stream(self) -> str:
        return f"settlement-line-{self.line_id}"


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


class PayoutClosed(PayoutEvent, frozen=True, kw_only=True):
    """Σ lines = amount transferred, and every line is tied."""

    stated: Money
    lines_total: Money
    residue: Money
    lines: int


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


class JournalIntended(PayoutEvent, frozen=True, kw_only=True):
    """We are about to prepare the payout's one summary journal."""

    reference: str
    posting_date: date
    narrative: str
    lines: tuple[JournalLine, ...]
    policy_version: int


class JournalFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    name: str
    sha256: str


class JournalPrepared(PayoutEvent, frozen=True, kw_only=True):
    """The journal is there for the ledger."""

    reference: str
    total: Money
    files: tuple[JournalFile, ...]


class TransactionsRead(Event, frozen=True, kw_only=True):
    """A read of transaction lines by update ended. Occurred when it began."""

    cursor: datetime
    read: int

    @property
    def stream(self) -> str:
        return "settlement-reads"


class CyclesRead(Event, frozen=True, kw_only=True):
    """A read of billing cycles ended. Occurred when it began."""

    read: int

    @property
    def stream(self) -> str:
        return "settlement-reads"
