"""What can happen to settlement's intake: the operator's invoices, and cycles that don't come.

Promises: an invoice's total is what the operator charges, never a payout; its document is on
file under a name and a hash. No personal data. Streams: settlement-invoice-<invoice id>,
settlement-reads, settlement-cycles. Source: contract johnlewis b.6 (IV01, IV02), e.4.
"""

from datetime import datetime

from kcjl.money import Money
from kcjl.vocabulary import Event

__all__ = [
    "BillingCycleCame",
    "BillingCycleOverdue",
    "InvoiceDocumentKept",
    "InvoiceDocumentMissing",
    "InvoiceSeen",
    "InvoicesRead",
]


class InvoiceEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one invoice."""

    invoice_id: int

    @property
    def stream(self) -> str:
        return f"settlement-invoice-{self.invoice_id}"


class InvoiceSeen(InvoiceEvent, frozen=True, kw_only=True):
    """An invoice or credit of the operator's came, or came back changed. Occurred when made."""

    kind: str
    """AUTO_INVOICE, MANUAL_INVOICE, MANUAL_CREDIT."""
    state: str
    document_id: str | None
    cycle_id: str | None
    voucher: str | None
    total_excluding_tax: Money | None
    total_including_tax: Money | None
    """What the operator charges; never the payout."""
    amount_transferred: Money | None
    """The payout, where the tenant tells it."""
    order_ids: tuple[str, ...] = ()
    """Told on documents made by hand only."""


class InvoiceDocumentKept(InvoiceEvent, frozen=True, kw_only=True):
    """The invoice's PDF is on file."""

    name: str
    sha256: str
    size_bytes: int


class InvoiceDocumentMissing(InvoiceEvent, frozen=True, kw_only=True):
    """The marketplace does not give the invoice's PDF; it is asked for every day."""

    message: str


class InvoicesRead(Event, frozen=True, kw_only=True):
    """A read of invoices ended. Occurred when it began."""

    read: int

    @property
    def stream(self) -> str:
        return "settlement-reads"


class CyclesEvent(Event, frozen=True, kw_only=True):
    """Base of what is said of the cycles as a row."""

    @property
    def stream(self) -> str:
        return "settlement-cycles"


class BillingCycleOverdue(CyclesEvent, frozen=True, kw_only=True):
    """Money is payable for longer than a cycle lasts, and no cycle has come."""

    payable: Money
    lines: int
    payable_since: datetime
    last_cycle_at: datetime | None


class BillingCycleCame(CyclesEvent, frozen=True, kw_only=True):
    """What was overdue is over: the lines are on a cycle, or nothing is payable any more."""
