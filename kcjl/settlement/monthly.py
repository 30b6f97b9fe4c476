"""What a month was: which lines moved, what was owed before, what was paid, what is owed after.

Promises: pure; takes lines one by one, in any order, and keeps sums only. What was brought
forward and what moved, less what was paid, is what is carried forward, always: each line is
owed from when it moved until its payout is paid.
It decides nothing. Called by the CLI's month's end. Source: design 9.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from kcjl.money import Money
from kcjl.settlement.closing import ends_at, starts_at
from kcjl.settlement.events import PAYMENT, SettlementLineSeen
from kcjl.settlement.month_events import MonthKnown, MonthTotal
from kcjl.settlement.state import Cycle

__all__ = ["MonthTally", "Placed", "moved_at", "name_of", "paid_at"]


class Placed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a line stands in the month."""

    before: bool
    """It moved before the month, and was not paid then."""
    moved: bool
    """It moved in the month."""
    paid: bool
    """Its payout was paid in the month."""
    after: bool
    """It moved by the month's end, and was not paid then."""


NOWHERE = Placed(before=False, moved=False, paid=False, after=False)


def moved_at(seen: SettlementLineSeen) -> datetime:
    """When its money moved; where the marketplace does not say, when it was updated."""
    return seen.created_at or seen.occurred_at


def paid_at(cycle: Cycle) -> datetime | None:
    """When a payout was paid; below nothing nothing is, and it is done when it is made."""
    if cycle.seen.amount_to_seller.amount_minor <= 0:
        return cycle.seen.paid_at or cycle.created_at
    return cycle.seen.paid_at if cycle.seen.payout_state == "PAID" else None


def name_of(cycle: Cycle) -> str:
    """What people call a payout: as the bank does, where it is told."""
    return cycle.seen.payout_reference or cycle.seen.voucher or cycle.cycle_id


class MonthTally:
    """The sums of one month in one currency."""

    def __init__(self, month: date, currency: str, cycles: Mapping[str, Cycle]) -> None:
        self.month = month
        self.currency = currency
        self.of_cycle: defaultdict[str, int] = defaultdict(int)
        """Pence of the lines of each payout that was paid in the month."""
        self.other_currencies = 0
        self.oldest_unpaid: int | None = None
        """Position of the oldest line that is carried forward."""
        self._starts = starts_at(month)
        self._ends = ends_at(month)
        self._paid_at = {each: paid_at(cycle) for each, cycle in cycles.items()}
        self._kinds: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._before = self._paid = self._after = 0

    def add(self, seen: SettlementLineSeen, position: int) -> Placed:
        """Count the line, as it was last seen."""
        placed = self.place(seen)
        if placed is NOWHERE:
            return placed
        if seen.amount.currency != self.currency:
            self.other_currencies += placed.moved
            return NOWHERE
        pence = seen.amount.amount_minor
        if placed.moved:
            kind = self._kinds[seen.kind]
            kind[0] += 1
            kind[1] += pence
        self._before += pence * placed.before
        if placed.paid:
            self._paid += pence
            self.of_cycle[seen.cycle_id or ""] += pence
        if placed.after:
            self._after += pence
            if self.oldest_unpaid is None or position < self.oldest_unpaid:
                self.oldest_unpaid = position
        return placed

    def place(self, seen: SettlementLineSeen) -> Placed:
        """Where it stands, counted or not."""
        moved = moved_at(seen)
        if seen.kind == PAYMENT or moved >= self._ends:
            return NOWHERE
        paid = None if seen.cycle_id is None else self._paid_at.get(seen.cycle_id)
        before = moved < self._starts
        if before and paid is not None and paid < self._starts:
            return NOWHERE
        is_paid = paid is not None and paid < self._ends
        return Placed(before=before, moved=not before, paid=is_paid, after=not is_paid)

    def known(self, *, position: int, journals: tuple[str, ...]) -> MonthKnown:
        """What was known of the month when the log ended at the position."""
        oldest = self.oldest_unpaid
        return MonthKnown(
            position=position,
            looked_from=position if oldest is None else oldest - 1,
            lines=sum(lines for lines, _ in self._kinds.values()),
            total=self._money(sum(pence for _, pence in self._kinds.values())),
            by_kind=tuple(
                MonthTotal(name=name, lines=lines, amount=self._money(pence))
                for name, (lines, pence) in sorted(self._kinds.items())
            ),
            brought_forward=self._money(self._before),
            paid=self._money(self._paid),
            carried_forward=self._money(self._after),
            journals=journals,
            other_currencies=self.other_currencies,
        )

    def _money(self, pence: int) -> Money:
        return Money(pence, self.currency)
