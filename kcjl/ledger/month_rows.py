"""The rows of a month's workbook: what each sheet says, and in which order.

Promises: every row but those of the summary names the position of its event in the log.
Called by `month_book.py` and by whoever fills it.
"""

from datetime import datetime

import msgspec

from kcjl.ledger.workbook import Cell, Column, Link
from kcjl.money import Money

__all__ = [
    "FEES",
    "GAPS",
    "JOURNALS",
    "LATE",
    "ORDERS",
    "PAYOUTS",
    "SUMMARY",
    "UNPAID",
    "FigureRow",
    "OrderSums",
    "PayoutRow",
]

_EVENT = Column("Event", "position", 11)
SUMMARY = (
    Column("Figure", width=46),
    Column("Amount", "money", 16, total=False),
    Column("Number", "count", 11, total=False),
    Column("What it is", width=78),
    Column("Sheet", width=12),
)
ORDERS = (
    Column("Order", width=21),
    Column("Customer order", width=17),
    Column("Sales order", width=14),
    Column("Payout", width=17),
    Column("Goods", "money", 13),
    Column("Shipping", "money", 12),
    Column("Refunds", "money", 13),
    Column("Commission", "money", 13),
    Column("VAT on it", "money", 12),
    Column("Other", "money", 12),
    Column("Net", "money", 14),
    Column("Lines", "count", 8),
    _EVENT,
)
FEES = (
    Column("Moved", "time", 17),
    Column("Type", width=32),
    Column("Order", width=21),
    Column("Payout", width=17),
    Column("Document", width=18),
    Column("Amount", "money", 14),
    Column("Transaction line", width=38),
    _EVENT,
)
"""Of the sheets Fees and VAT alike."""
PAYOUTS = (
    Column("Payout", width=38),
    Column("Cycle of", "date", 12),
    Column("Paid", "date", 12),
    Column("Bank reference", width=19),
    Column("Voucher", width=12),
    Column("State", width=34),
    Column("Transferred", "money", 15),
    Column("Still awaited", "money", 15),
    Column("Sum of lines", "money", 15),
    Column("Residue", "money", 12),
    Column("Gaps", "money", 12),
    Column("Journals", width=40),
    _EVENT,
)
UNPAID = (
    Column("Order", width=21),
    Column("Customer order", width=17),
    Column("Sales order", width=14),
    Column("State known", width=22),
    Column("Payout", width=17),
    Column("Amount", "money", 14),
    Column("Lines", "count", 8),
    Column("Since", "date", 12),
    Column("Days", "count", 8, total=False),
    _EVENT,
)
LATE = (
    Column("Transaction line", width=38),
    Column("Type", width=32),
    Column("Order", width=21),
    Column("Moved", "time", 17),
    Column("Payout", width=17),
    Column("Was", "money", 14),
    Column("Is", "money", 14),
    Column("Change", "money", 14),
    _EVENT,
)
GAPS = (
    Column("Gap", width=22),
    Column("Of", width=22),
    Column("Order", width=21),
    Column("Payout", width=17),
    Column("Charged", "money", 14),
    Column("Expected", "money", 14),
    Column("Difference", "money", 14),
    Column("What", width=58),
    _EVENT,
)
JOURNALS = (
    Column("Journal", width=24),
    Column("Date", "date", 12),
    Column("Kind", width=12),
    Column("Payout", width=17),
    Column("Account", width=32),
    Column("Tax code", width=9),
    Column("Debit", "money", 15),
    Column("Credit", "money", 15),
    Column("Memo", width=34),
    Column("In the ledger as", width=16),
    _EVENT,
)


SUMS = ("goods", "shipping", "refunds", "commission", "vat", "other")
"""What an order's money is taken apart into."""


class FigureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the summary."""

    name: str
    amount: Money | None = None
    number: int | None = None
    said: str = ""
    sheet: str = ""
    """Where its rows stand; empty: it has none of its own."""

    def cells(self) -> tuple[Cell, ...]:
        """As they stand in the sheet."""
        link = Link(self.sheet, self.sheet, 1) if self.sheet else None
        return (self.name, self.amount, self.number, self.said, link)


class PayoutRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payout of the month, or one that it still waited for at its end."""

    cycle_id: str
    created_at: datetime
    paid_at: datetime | None
    bank_reference: str
    voucher: str
    state: str
    transferred: Money | None
    """None: not in this month."""
    awaited: Money | None
    lines: Money | None
    residue: Money | None
    gaps: Money | None
    journals: tuple[str, ...]
    position: int


class OrderSums:
    """What moved of one order, or of what belongs to none."""

    def __init__(self, name: str, currency: str) -> None:
        self.name = name
        self.customer_order = ""
        self.sales_order = ""
        self.payouts: dict[str, None] = {}
        self.states: dict[str, None] = {}
        self.since: datetime | None = None
        self.position = 0
        self.lines = 0
        self._currency = currency
        self._sums = dict.fromkeys(SUMS, 0)

    @property
    def amount(self) -> Money:
        return Money(sum(self._sums.values()), self._currency)

    def add(self, column: str, amount: Money, position: int) -> None:
        self._sums[column] += amount.amount_minor
        self.lines += 1
        self.position = max(self.position, position)

    def amounts(self) -> tuple[Money, ...]:
        """Goods, shipping, refunds, commission, VAT on it, other, net."""
        sums = [Money(pence, self._currency) for pence in self._sums.values()]
        return (*sums, self.amount)
