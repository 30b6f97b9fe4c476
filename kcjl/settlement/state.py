"""Settlement, the fold: lines, cycles, the sales orders they tie to, the account map.

Promises: pure; the same events give the same entries; amounts stay signed as they came.
Called by `decide.py`, `actor.py`, `projection.py`.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from kcjl.fold import Fold
from kcjl.orders.events import SalesOrderPosted
from kcjl.settlement.events import (
    AccountMapSet,
    AccountNamed,
    BillingCycleSeen,
    CyclesRead,
    JournalIntended,
    JournalPrepared,
    PayoutClosed,
    PayoutEvent,
    PayoutHeld,
    SettlementLineSeen,
    SettlementLineTied,
    TransactionsRead,
)
from kcjl.vocabulary import Event

__all__ = [
    "ACCOUNTS",
    "CYCLES",
    "LINES",
    "READS",
    "SALES_ORDERS",
    "Accounts",
    "Cycle",
    "CycleState",
    "Line",
    "Reads",
    "SalesOrder",
]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    seen: SettlementLineSeen
    tied_to: str = ""
    """The sales order's code in the ERP."""

    @property
    def wants_tie(self) -> bool:
        return self.seen.order_id is not None and not self.tied_to


class CycleState(StrEnum):
    WAITING = "waiting"
    HELD = "held"
    CLOSED = "closed"
    JOURNAL_OPEN = "journal_open"
    """Intended, and not yet prepared."""
    DONE = "done"


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    cycle_id: str
    created_at: datetime
    seen: BillingCycleSeen
    state: CycleState = CycleState.WAITING
    held: PayoutHeld | None = None
    closed: PayoutClosed | None = None
    journal: JournalIntended | None = None
    prepared: JournalPrepared | None = None


class SalesOrder(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    reference: str
    erp_order_code: str


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    accounts: tuple[AccountNamed, ...]
    version: int

    def named(self, role: str) -> AccountNamed | None:
        return next((each for each in self.accounts if each.role == role), None)


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    transactions_cursor: datetime | None = None
    cycles_at: datetime | None = None


def _line_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, SettlementLineSeen | SettlementLineTied):
        return (event.line_id,)
    return ()


def _evolve_line(entry: Line | None, event: Event, _key: str) -> Line | None:
    match event:
        case SettlementLineSeen():
            return Line(seen=event, tied_to=entry.tied_to if entry else "")
        case SettlementLineTied() if entry is not None:
            return msgspec.structs.replace(entry, tied_to=event.erp_order_code)
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
            return replace(entry, state=CycleState.HELD, held=event)
        case PayoutClosed():
            return replace(entry, state=CycleState.CLOSED, held=None, closed=event)
        case JournalIntended():
            return replace(entry, state=CycleState.JOURNAL_OPEN, journal=event)
        case JournalPrepared():
            return replace(entry, state=CycleState.DONE, prepared=event)
        case _:
            return entry


CYCLES: Fold[Cycle] = Fold(_cycle_keys, _evolve_cycle, Cycle, hears=(PayoutEvent,))


def _sales_order_keys(event: Event) -> tuple[str, ...]:
    return (event.order_id,) if isinstance(event, SalesOrderPosted) else ()


def _evolve_sales_order(entry: SalesOrder | None, event: Event, key: str) -> SalesOrder | None:
    if not isinstance(event, SalesOrderPosted):
        return entry
    return SalesOrder(
        order_id=key, reference=event.reference, erp_order_code=event.erp_order_code
    )


SALES_ORDERS: Fold[SalesOrder] = Fold(
    _sales_order_keys, _evolve_sales_order, SalesOrder, hears=(SalesOrderPosted,)
)


def _accounts_keys(event: Event) -> tuple[str, ...]:
    return ("accounts",) if isinstance(event, AccountMapSet) else ()


def _evolve_accounts(entry: Accounts | None, event: Event, _key: str) -> Accounts | None:
    if not isinstance(event, AccountMapSet):
        return entry
    return Accounts(accounts=event.accounts, version=event.version)


ACCOUNTS: Fold[Accounts] = Fold(
    _accounts_keys, _evolve_accounts, Accounts, hears=(AccountMapSet,)
)


def _reads_keys(event: Event) -> tuple[str, ...]:
    return ("reads",) if isinstance(event, TransactionsRead | CyclesRead) else ()


def _evolve_reads(entry: Reads | None, event: Event, _key: str) -> Reads:
    reads = entry or Reads()
    match event:
        case TransactionsRead():
            return msgspec.structs.replace(reads, transactions_cursor=event.cursor)
        case CyclesRead():
            return msgspec.structs.replace(reads, cycles_at=event.occurred_at)
        case _:
            return reads


READS: Fold[Reads] = Fold(
    _reads_keys, _evolve_reads, Reads, hears=(TransactionsRead, CyclesRead)
)
