"""Settlement, the fold: lines, cycles and their journals, invoices, reads, the policies.

Promises: pure; the same events give the same entries; amounts stay signed as they came.
Orders stand in `sold.py`. Called by the rules of this room, `actor.py` and `projection.py`.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.orders.events_changes import ReturnsRead
from kcjl.settlement.events import (
    AccountMapSet,
    AccountNamed,
    BillingCycleSeen,
    CyclesRead,
    JournalAcknowledged,
    JournalIntended,
    JournalPrepared,
    LateLineFound,
    PayoutAccepted,
    PayoutClosed,
    PayoutEvent,
    PayoutHeld,
    SettlementLineSeen,
    SettlementLineTied,
    TransactionsRead,
)
from kcjl.settlement.gap_events import GapEnded, PayoutReconciled
from kcjl.settlement.intake_events import (
    BillingCycleCame,
    BillingCycleOverdue,
    InvoiceDocumentKept,
    InvoiceDocumentMissing,
    InvoiceEvent,
    InvoiceSeen,
    InvoicesRead,
)
from kcjl.settlement.ledger_events import (
    JournalEntryIntended,
    JournalEntryRefused,
    JournalSeenInLedger,
    LedgerRead,
)
from kcjl.settlement.received_events import (
    PayoutReceiptOverdue,
    PayoutReceiptWithdrawn,
    PayoutReceived,
)
from kcjl.settlement.standing import JournalStanding, evolve_journals
from kcjl.settlement.terms import CommissionTerms
from kcjl.settlement.terms_events import CommissionTermsSet
from kcjl.vocabulary import Event

__all__ = [
    "ACCOUNTS",
    "CLOSED_STATES",
    "CYCLES",
    "INVOICES",
    "LINES",
    "READS",
    "TERMS",
    "TERMS_KEY",
    "Accounts",
    "Cycle",
    "CycleState",
    "Invoiced",
    "Line",
    "Reads",
    "TermsInForce",
]

TERMS_KEY = "terms"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    seen: SettlementLineSeen
    tied_to: str = ""
    """The sales order's code in the ERP."""
    tied_otherwise: bool = False
    """Tied to an order that needs no sales order of ours for this."""

    @property
    def wants_tie(self) -> bool:
        return self.seen.order_id is not None and not (self.tied_to or self.tied_otherwise)


class CycleState(StrEnum):
    WAITING = "waiting"
    HELD = "held"
    CLOSED = "closed"
    JOURNAL_OPEN = "journal_open"
    """Intended, and not yet prepared."""
    DONE = "done"


CLOSED_STATES = (CycleState.CLOSED, CycleState.JOURNAL_OPEN, CycleState.DONE)


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    cycle_id: str
    created_at: datetime
    seen: BillingCycleSeen
    state: CycleState = CycleState.WAITING
    held: PayoutHeld | None = None
    accepted: PayoutAccepted | None = None
    closed: PayoutClosed | None = None
    reconciled: PayoutReconciled | None = None
    journals: tuple[JournalStanding, ...] = ()
    """Oldest first."""
    late_lines: int = 0
    late_total: Money | None = None
    """Of lines that came, left or changed after the payout was closed."""
    late_by_kind: tuple[tuple[str, Money], ...] = ()
    """The same by type, in the payout's currency."""
    receipts: tuple[PayoutReceived, ...] = ()
    """What has come of it into the bank, by the bank's word or a person's; oldest first."""
    withdrawn: tuple[PayoutReceiptWithdrawn, ...] = ()
    receipt_overdue: bool = False
    """It was said that it should be in the bank by now."""
    gaps_ended: tuple[GapEnded, ...] = ()
    """Gaps that were found when it was closed, and that are gone since."""

    @property
    def received(self) -> Money:
        amounts = (each.amount for each in self.receipts)
        return sum(amounts, Money(0, self.seen.currency))

    @property
    def journal(self) -> JournalIntended | None:
        """The payout's own journal; what was corrected since stands behind it."""
        own = (each.intended for each in self.journals if each.intended.kind == "payout")
        return next(own, None)

    @property
    def prepared(self) -> JournalPrepared | None:
        own = (each.prepared for each in self.journals if each.intended.kind == "payout")
        return next(own, None)

    @property
    def in_force(self) -> tuple[JournalStanding, ...]:
        """The journals that stand: neither undone nor undoing."""
        return tuple(
            each
            for each in self.journals
            if not each.reversed_by and each.intended.kind != "reversal"
        )


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    accounts: tuple[AccountNamed, ...]
    version: int

    def named(self, role: str) -> AccountNamed | None:
        return next((each for each in self.accounts if each.role == role), None)


class TermsInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The commission terms, and which version they are."""

    version: int
    terms: CommissionTerms


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    transactions_cursor: datetime | None = None
    swept_at: datetime | None = None
    cycles_at: datetime | None = None
    invoices_at: datetime | None = None
    ledger_since: datetime | None = None
    """When journals were first entered in a live ledger: those of before are a person's."""
    ledger_cursor: datetime | None = None
    cycle_overdue: bool = False
    """It was said that a cycle should have come."""
    returns_read: bool = False
    """The tenant has the returns module: we are told what has come back."""


class Invoiced(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice of the operator's, and whether its PDF is on file."""

    seen: InvoiceSeen
    document: InvoiceDocumentKept | None = None
    missing: bool = False


def _line_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, SettlementLineSeen | SettlementLineTied):
        return (event.line_id,)
    return ()


def _evolve_line(entry: Line | None, event: Event, _key: str) -> Line | None:
    match event:
        case SettlementLineSeen():
            if entry is None:
                return Line(seen=event)
            return msgspec.structs.replace(entry, seen=event)
        case SettlementLineTied() if entry is not None:
            return msgspec.structs.replace(
                entry,
                tied_to=event.erp_order_code,
                tied_otherwise=event.to != "sales_order",
            )
        case _:
            return entry


LINES: Fold[Line] = Fold(
    _line_keys, _evolve_line, Line, hears=(SettlementLineSeen, SettlementLineTied)
)


def _cycle_keys(event: Event) -> tuple[str, ...]:
    return (event.cycle_id,) if isinstance(event, PayoutEvent) else ()


def _evolve_cycle(entry: Cycle | None, event: Event, key: str) -> Cycle | None:
    replace = msgspec.structs.replace
    if isinstance(event, BillingCycleSeen):
        if entry is None:
            return Cycle(cycle_id=key, created_at=event.occurred_at, seen=event)
        return replace(entry, seen=event)
    if entry is None:
        return None
    match event:
        case PayoutHeld():
            return replace(entry, state=CycleState.HELD, held=event, accepted=None)
        case PayoutAccepted():
            return replace(entry, accepted=event)
        case PayoutReconciled():
            return replace(entry, reconciled=event)
        case PayoutClosed():
            return replace(entry, state=CycleState.CLOSED, held=None, closed=event)
        case LateLineFound():
            return _with_late(entry, event)
        case JournalIntended() | JournalPrepared():
            journals = evolve_journals(entry.journals, event)
            done = all(each.prepared is not None for each in journals)
            state = CycleState.DONE if done else CycleState.JOURNAL_OPEN
            return replace(entry, state=state, journals=journals)
        case (
            JournalAcknowledged()
            | JournalEntryIntended()
            | JournalEntryRefused()
            | JournalSeenInLedger()
        ):
            return replace(entry, journals=evolve_journals(entry.journals, event))
        case _:
            return _after_closing(entry, event)


def _after_closing(entry: Cycle, event: Event) -> Cycle:
    replace = msgspec.structs.replace
    match event:
        case PayoutReceived():
            receipts = (*entry.receipts, event)
            return replace(entry, receipts=receipts, receipt_overdue=False)
        case PayoutReceiptWithdrawn():
            left = tuple(each for each in entry.receipts if each.receipt != event.receipt)
            return replace(entry, receipts=left, withdrawn=(*entry.withdrawn, event))
        case PayoutReceiptOverdue():
            return replace(entry, receipt_overdue=True)
        case GapEnded():
            return replace(entry, gaps_ended=(*entry.gaps_ended, event))
        case _:
            return entry


def _with_late(entry: Cycle, event: LateLineFound) -> Cycle:
    total, by_kind = event.amount, dict(entry.late_by_kind)
    if entry.late_total is not None and entry.late_total.currency == total.currency:
        total += entry.late_total
    if event.amount.currency == entry.seen.currency:
        nothing = Money(0, event.amount.currency)
        by_kind[event.kind] = by_kind.get(event.kind, nothing) + event.amount
    return msgspec.structs.replace(
        entry,
        late_lines=entry.late_lines + 1,
        late_total=total,
        late_by_kind=tuple(by_kind.items()),
    )


CYCLES: Fold[Cycle] = Fold(_cycle_keys, _evolve_cycle, Cycle, hears=(PayoutEvent,))


def _accounts_keys(event: Event) -> tuple[str, ...]:
    return ("accounts",) if isinstance(event, AccountMapSet) else ()


def _evolve_accounts(entry: Accounts | None, event: Event, _key: str) -> Accounts | None:
    if not isinstance(event, AccountMapSet):
        return entry
    return Accounts(accounts=event.accounts, version=event.version)


ACCOUNTS: Fold[Accounts] = Fold(
    _accounts_keys, _evolve_accounts, Accounts, hears=(AccountMapSet,)
)


def _terms_keys(event: Event) -> tuple[str, ...]:
    return (TERMS_KEY,) if isinstance(event, CommissionTermsSet) else ()


def _evolve_terms(entry: TermsInForce | None, event: Event, _key: str) -> TermsInForce | None:
    if not isinstance(event, CommissionTermsSet):
        return entry
    return TermsInForce(version=event.version, terms=event.terms)


TERMS: Fold[TermsInForce] = Fold(
    _terms_keys, _evolve_terms, TermsInForce, hears=(CommissionTermsSet,)
)


READ_EVENTS = (
    TransactionsRead,
    CyclesRead,
    InvoicesRead,
    BillingCycleOverdue,
    BillingCycleCame,
    ReturnsRead,
    LedgerRead,
)


def _reads_keys(event: Event) -> tuple[str, ...]:
    return ("reads",) if isinstance(event, READ_EVENTS) else ()


def _evolve_reads(entry: Reads | None, event: Event, _key: str) -> Reads:
    reads = entry or Reads()
    replace = msgspec.structs.replace
    match event:
        case TransactionsRead():
            swept_at = event.occurred_at if event.swept else reads.swept_at
            return replace(reads, transactions_cursor=event.cursor, swept_at=swept_at)
        case CyclesRead():
            return replace(reads, cycles_at=event.occurred_at)
        case InvoicesRead():
            return replace(reads, invoices_at=event.occurred_at)
        case ReturnsRead():
            return replace(reads, returns_read=True)
        case LedgerRead():
            since = reads.ledger_since or event.cursor
            return replace(reads, ledger_since=since, ledger_cursor=event.cursor)
        case BillingCycleOverdue() | BillingCycleCame():
            return replace(reads, cycle_overdue=isinstance(event, BillingCycleOverdue))
        case _:
            return reads


READS: Fold[Reads] = Fold(_reads_keys, _evolve_reads, Reads, hears=READ_EVENTS)


def _invoice_keys(event: Event) -> tuple[str, ...]:
    return (str(event.invoice_id),) if isinstance(event, InvoiceEvent) else ()


def _evolve_invoice(entry: Invoiced | None, event: Event, _key: str) -> Invoiced | None:
    replace = msgspec.structs.replace
    match event:
        case InvoiceSeen():
            return Invoiced(seen=event) if entry is None else replace(entry, seen=event)
        case InvoiceDocumentKept() if entry is not None:
            return replace(entry, document=event, missing=False)
        case InvoiceDocumentMissing() if entry is not None:
            return replace(entry, missing=True)
        case _:
            return entry


INVOICES: Fold[Invoiced] = Fold(_invoice_keys, _evolve_invoice, Invoiced, hears=(InvoiceEvent,))
