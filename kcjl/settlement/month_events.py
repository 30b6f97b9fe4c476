"""What can happen to a month: it is closed, as it was known then.

Promises: the figures are those of the files that are named; nothing in it is changed later:
what comes late goes to the open month.
Stream: settlement-month-<month>. Source: design 9, law 6.
"""

from datetime import date

import msgspec

from kcjl.money import Money
from kcjl.settlement.events import JournalFile
from kcjl.vocabulary import Event

__all__ = ["MonthClosed", "MonthKnown", "MonthTotal"]


class MonthTotal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The month's lines of one type."""

    name: str
    lines: int
    amount: Money


class MonthKnown(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of a month."""

    position: int
    """Of the log: all up to here was looked at, and nothing after it."""
    looked_from: int
    """After here stands all that was not paid yet: the next month looks from here on."""
    lines: int
    total: Money
    """Of the lines whose money moved in the month, in London."""
    by_kind: tuple[MonthTotal, ...]
    brought_forward: Money
    """Moved before the month, and not paid then."""
    paid: Money
    """Of lines whose payout was paid in the month."""
    carried_forward: Money
    """Moved by the month's end, and not paid then."""
    journals: tuple[str, ...]
    """References of the journals that are dated in the month, sorted."""
    other_currencies: int = 0
    """Lines of the month in another currency: in none of these figures."""


class MonthClosed(Event, frozen=True, kw_only=True):
    """A person closed the month: nothing is dated in it or before it any more."""

    month: date
    """Its first day."""
    known: MonthKnown
    files: tuple[JournalFile, ...]
    open_payouts: tuple[str, ...] = ()
    """Payouts of the month that were not closed: their journals go to the open month."""
    reason: str = ""

    @property
    def stream(self) -> str:
        return f"settlement-month-{str(self.month)[: len('2026-10')]}"
