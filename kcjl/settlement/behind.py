"""What the figures of a journal are made of: lines, the transfer, balances with a name.

Promises: each line is behind one journal of its payout; the sum behind an entry is the entry,
unless lines came, left or changed after the journal was made. Sums are kept, and no line. It
decides nothing.
Called by `projections/behindreading.py`, for the ledger's papers. Source: design 9.
"""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from kcjl.ledger.port import Behind
from kcjl.money import Money
from kcjl.settlement.account import entry_of, month_end_of, role_of_line
from kcjl.settlement.events import PAYMENT, JournalIntended
from kcjl.settlement.state import Cycle, Line

__all__ = ["Tracing"]


class Tracing:
    """One journal, and the lines of its payout as they come."""

    def __init__(self, cycle: Cycle, journal: JournalIntended) -> None:
        self._cycle = cycle
        journals = [each.intended for each in cycle.journals]
        undone = [each for each in journals if each.reference == journal.reverses]
        self._is_turned = bool(undone)
        self._journal = undone[0] if undone else journal
        self._month_ends = [each for each in journals if each.kind == "month_end"]
        nothing = self._nothing = Money(0, cycle.seen.currency)
        self._found = nothing
        self._owed: defaultdict[str, Money] = defaultdict(lambda: nothing)
        """By the month's end that has it."""

    def line(self, line: Line) -> Behind | None:
        """What the line is there; None: it is behind another journal, or none."""
        seen, journal = line.seen, self._journal
        if seen.kind == PAYMENT or seen.amount.currency != self._cycle.seen.currency:
            return None
        month_end = month_end_of(self._month_ends, seen)
        if month_end is not None:
            self._owed[month_end.reference] += seen.amount
        has_it = month_end.reference if month_end is not None else ""
        here = journal.reference if journal.kind == "month_end" else ""
        if journal.kind != "correction" and has_it != here:
            return None
        self._found += seen.amount
        entry = entry_of(journal, seen.kind, role_of_line(seen))
        return self._turned(
            Behind(
                account=entry.account if entry is not None else "",
                tax_code=entry.tax_code if entry is not None else "",
                what=seen.kind,
                line_id=seen.line_id,
                order_id=seen.order_id or "",
                erp_order_code=line.tied_to,
                document=seen.document_number or seen.manual_document or "",
                moved_at=seen.created_at,
                amount=seen.amount,
            )
        )

    def beside(self) -> list[Behind]:
        """After the last line: the transfer, what has a name, what waits between months."""
        return [self._turned(each) for each in self._beside()]

    def _beside(self) -> Iterator[Behind]:
        journal, cycle = self._journal, self._cycle
        if journal.kind == "month_end":
            what = "owed at the month's end"
            yield _named(journal, "due", what, -self._found, journal.reference)
            return
        if journal.kind == "payout":
            for each in self._month_ends:
                owed = self._owed[each.reference]
                yield _named(journal, "due", "owed from the month before", owed, each.reference)
        stated = cycle.seen.amount_to_seller
        is_paid = stated > self._nothing
        yield _named(
            journal,
            "bank" if is_paid else "due",
            "transferred" if is_paid else "nothing is transferred: carried over",
            -stated,
            cycle.seen.payout_reference or cycle.cycle_id,
        )
        residue = self._nothing
        for part in cycle.reconciled.named if cycle.reconciled is not None else ():
            role = "due" if part.kind == "balance_carried" else "other"
            residue += part.amount
            yield _named(journal, role, part.said, part.amount, part.kind)
        late = stated - residue - self._found
        if journal.kind == "correction" and late:
            what = "came after the payout was closed, and is not paid yet"
            yield _named(journal, "other", what, late, cycle.cycle_id)

    def _turned(self, each: Behind) -> Behind:
        if not self._is_turned:
            return each
        what, amount = f"{each.what} (reversed)", -each.amount
        return msgspec.structs.replace(each, what=what, amount=amount)


def _named(
    journal: JournalIntended, role: str, what: str, amount: Money, document: str
) -> Behind:
    entry = entry_of(journal, role)
    return Behind(
        account=entry.account if entry is not None else "",
        tax_code=entry.tax_code if entry is not None else "",
        what=what,
        line_id="",
        order_id="",
        erp_order_code="",
        document=document,
        moved_at=None,
        amount=amount,
    )
