"""The read model of money: payouts, what builds up for the next, one payout's account.

Promises: every answer says of what position it is; a list that is cut says how long it is;
figures that rest on an event name its position. It changes nothing.
Called by the monitor, through `ReadModels.money`. Source: design 9, tui brief 4.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec

from kcjl.money import Money
from kcjl.readmodels import Freshness

__all__ = [
    "BuildUp",
    "DayTotal",
    "Entry",
    "Gap",
    "Journal",
    "MoneyModels",
    "MoneyReading",
    "PayoutMoment",
    "PayoutRow",
    "PayoutStory",
    "PennyStep",
    "PennyWay",
    "Receipt",
    "Term",
    "Waiting",
]


class PayoutRow(msgspec.Struct, frozen=True, kw_only=True):
    """One payout, or billing cycle that is to become one."""

    payout: str
    """Its cycle's id."""
    began_at: datetime
    """The cycle's own day."""
    state: str
    """waiting, held, closed, journal_open or done."""
    paid: str
    """What the marketplace says of the transfer."""
    paid_at: datetime | None
    reference: str
    """The bank's, or else the voucher; empty: neither is known."""
    stated: Money
    """What the marketplace says that it pays."""
    expected: Money | None
    """What the lines should have come to; None before the payout is closed."""
    banked: Money | None
    """What has come into the bank; None: nothing is known of it."""
    residue: Money | None
    """Stated less the lines; None before they were added up."""
    journals: tuple[str, ...]
    """Those that stand."""
    to_enter: tuple[str, ...]
    """Of which the ledger has not got these."""
    gaps: int
    note: str
    """Why it is held, what came late, what is overdue."""


class MoneyReading(msgspec.Struct, frozen=True, kw_only=True):
    """Payouts, those that need somebody first, then the newest."""

    payouts: tuple[PayoutRow, ...]
    total: int
    fresh: Freshness


class DayTotal(msgspec.Struct, frozen=True, kw_only=True):
    day: date
    amount: Money
    lines: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of one order (or of none) that no payout has yet."""

    order_id: str
    """Empty: fees and credits of no order."""
    payment_state: str
    amount: Money
    lines: int
    since: datetime


class BuildUp(msgspec.Struct, frozen=True, kw_only=True):
    """What no payout has yet: it builds up for the next one."""

    amounts: tuple[Money, ...]
    """One a currency."""
    payable: tuple[Money, ...]
    """Of which the next payout may take these."""
    lines: int
    oldest_at: datetime | None
    days: tuple[DayTotal, ...]
    """By the London day on which the money moved, the largest currency only, oldest first."""
    waiting: tuple[Waiting, ...]
    """The oldest."""
    waiting_total: int
    fresh: Freshness


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a sum, and the event that it rests on."""

    name: str
    amount: Money
    why: str
    position: int | None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """What was charged and is not what was expected."""

    kind: str
    subject: str
    charged: Money
    expected: Money
    amount: Money
    said: str
    ended: str
    """What has ended it since; empty: it stands."""
    position: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a journal."""

    account: str
    tax_code: str
    debit: Money
    credit: Money
    memo: str


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    reference: str
    kind: str
    posting_date: date
    place: str
    """How far it is on its way into the ledger, in words."""
    undone_by: str
    narrative: str
    entries: tuple[Entry, ...]
    position: int | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Money that has come into the bank."""

    number: int
    amount: Money
    received_on: date
    said: str


class PayoutMoment(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the payout."""

    position: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    by: str


class PayoutStory(msgspec.Struct, frozen=True, kw_only=True):
    """One payout's whole account."""

    payout: PayoutRow
    terms: tuple[Term, ...]
    """The lines by type, then the named parts of the residue: together what is stated."""
    gaps: tuple[Gap, ...]
    gaps_total: int
    untied: tuple[str, ...]
    """Lines that are tied to no order."""
    journals: tuple[Journal, ...]
    receipts: tuple[Receipt, ...]
    moments: tuple[PayoutMoment, ...]
    """Its life, oldest first; gaps are not in it."""
    moments_total: int
    fresh: Freshness


class PennyStep(msgspec.Struct, frozen=True, kw_only=True):
    """One station of a penny."""

    at: str
    """payout, line, order line, parcel, sales order, invoice, journal line, or gap."""
    name: str
    said: str


class PennyWay(msgspec.Struct, frozen=True, kw_only=True):
    """The way of one transaction line, from the payout to the journal."""

    line_id: str
    amount: Money
    steps: tuple[PennyStep, ...]


class MoneyModels(Protocol):
    """What can be asked. Errors: Unavailable while the database can't be reached."""

    async def payouts(self, *, find: str = "", limit: int = 2_000) -> MoneyReading:
        """`find`: part of a payout's id, reference, voucher, journal or state."""
        ...

    async def build_up(self) -> BuildUp: ...

    async def story(self, payout: str) -> PayoutStory:
        """Raises NotFound."""
        ...

    async def ways(self, payout: str, *, find: str = "", limit: int = 20) -> Sequence[PennyWay]:
        """Where the payout's pennies come from; `find`: of lines or orders that hold it."""
        ...
