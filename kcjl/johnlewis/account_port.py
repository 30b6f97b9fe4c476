"""The shop's account beyond its lines by time: filters, exports, the operator's invoices.

Promises: amounts are signed as they came; an invoice's total is what the operator charges, and
never the payout, which is `amount_transferred` where it was told. It judges nothing.
Invariant: documents made by hand are asked for too: Mirakl leaves them out unless told.
Called by who settles; implemented by `account_calls.py`. Source: contract johnlewis b.6, e.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import date, datetime
from typing import Literal, Protocol

import msgspec

from kcjl.johnlewis.export_port import ExportMemory
from kcjl.johnlewis.port import TransactionLine
from kcjl.money import Money

__all__ = [
    "AccountPort",
    "Invoice",
    "InvoiceDetail",
    "InvoicePort",
    "InvoiceTax",
    "TransactionFilter",
]


class TransactionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """TL02, TL03: which lines; what is empty does not narrow."""

    updated_since: datetime | None = None
    created_since: datetime | None = None
    created_until: datetime | None = None
    transacted_since: datetime | None = None
    transacted_until: datetime | None = None
    cycle_ids: tuple[str, ...] = ()
    payment_states: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()
    order_line_ids: tuple[str, ...] = ()
    customer_order_numbers: tuple[str, ...] = ()
    seller_references: tuple[str, ...] = ()
    document_numbers: tuple[str, ...] = ()
    voucher: str | None = None
    """`payment_voucher_number`; only an export can be asked for it."""


class InvoiceTax(msgspec.Struct, frozen=True, kw_only=True):
    """A tax of an invoice."""

    code: str
    amount: Money


class InvoiceDetail(msgspec.Struct, frozen=True, kw_only=True):
    """IV01: one line of an invoice."""

    description: str
    amount_excluding_tax: Money
    quantity: int | None = None
    taxes: tuple[InvoiceTax, ...] = ()
    order_id: str | None = None
    """Told on documents made by hand only."""
    operation_date: date | None = None


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """IV01: an invoice or credit of the operator to the shop."""

    invoice_id: int
    document_id: str | None
    kind: str
    """AUTO_INVOICE, MANUAL_INVOICE, MANUAL_CREDIT."""
    state: str
    created_at: datetime
    currency: str
    issued_at: datetime | None = None
    due_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    total_excluding_tax: Money | None = None
    total_including_tax: Money | None = None
    """What the operator charges; never the payout."""
    taxes: tuple[InvoiceTax, ...] = ()
    details: tuple[InvoiceDetail, ...] = ()
    payment_state: str = ""
    payment_reference: str | None = None
    paid_at: datetime | None = None
    failure_reason: str | None = None
    voucher: str | None = None
    cycle_id: str | None = None
    amount_transferred: Money | None = None
    """The payout to the shop, of the summary; a tenant may not send it."""
    amount_to_operator: Money | None = None


class InvoicePort(Protocol):
    """The operator's invoices to the shop."""

    async def invoices(
        self, since: datetime | None = None, *, cycle_ids: Sequence[str] = ()
    ) -> Sequence[Invoice]: ...  # IV01

    async def invoice_document(self, invoice_id: int) -> bytes: ...  # IV02


class AccountPort(InvoicePort, Protocol):
    """What can be asked about the shop's account."""

    async def transaction_lines_of(
        self, which: TransactionFilter
    ) -> Sequence[TransactionLine]: ...  # TL02

    def transaction_lines_exported(
        self,
        which: TransactionFilter,
        *,
        form: Literal["json", "ndjson"] = "json",
        memory: ExportMemory | None = None,
    ) -> AsyncGenerator[Sequence[TransactionLine], None]:
        """TL03, TL04, TL05, file by file."""
        ...
