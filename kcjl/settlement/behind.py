"""What the figures of a journal are made of: lines, the transfer, balances with a name.

Promises: each line is behind one journal of its payout; the sum behind an entry is the entry,
unless lines came, left or changed after the journal was made. It decides nothing.
Called by `actor.py`, for the ledger's papers. Source: design 9.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from kcjl.ledger.port import Behind, Entry, Journal
from kcjl.money import Money
from kcjl.settlement.account import entry_of, month_end_of, role_of_line
from kcjl.settlement.events import PAYMENT, JournalIntended
from kcjl.settlement.state import Cycle, Line

__all__ = ["behind", "entered"]


def entered(intended: JournalIntended) -> Journal:
    """The journal as the ledger takes it."""
    return Journal(
        reference=intended.reference,
        posting_date=intended.posting_date,
        narrative=intended.narrative,
        entries=tuple(
            Entry(
                account=line.account,
                tax_code=line.tax_code,
                debit=line.debit,
                credit=line.credit,
                memo=line.memo,
            )
            for line in intended.lines
        ),
    )


def behind(cycle: Cycle, lines: Sequence[Line], journal: JournalIntended) -> list[Behind]:
    """The amounts behind a journal of this payout, as its lines are known now."""
    if journal.reverses:
        undone = next(
            (
                each.intended
                for each in cycle.journals
                if each.intended.reference == journal.reverses
            ),
            None,
        )
        if undone is None:
            return []
        return [_turned(each) for each in behind(cycle, lines, undone)]
    found = [_line_behind(line, journal) for line in lines if _is_behind(cycle, line, journal)]
    return [*found, *_beside_lines(cycle, lines, journal, found)]


def _turned(each: Behind) -> Behind:
    return Behind(
        account=each.account,
        tax_code=each.tax_code,
        what=f"{each.what} (reversed)",
        line_id=each.line_id,
        order_id=each.order_id,
        erp_order_code=each.erp_order_code,
        document=each.document,
        moved_at=each.moved_at,
        amount=-each.amount,
    )


def _is_behind(cycle: Cycle, line: Line, journal: JournalIntended) -> bool:
    if line.seen.kind == PAYMENT or line.seen.amount.currency != cycle.seen.currency:
        return False
    if journal.kind == "correction":
        return True
    earlier = month_end_of(_month_ends(cycle), line.seen)
    if journal.kind == "month_end":
        return earlier is not None and earlier.reference == journal.reference
    return earlier is None


def _month_ends(cycle: Cycle) -> list[JournalIntended]:
    return [each.intended for each in cycle.journals if each.intended.kind == "month_end"]


def _line_behind(line: Line, journal: JournalIntended) -> Behind:
    seen = line.seen
    entry = entry_of(journal, seen.kind, role_of_line(seen))
    return Behind(
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


def _beside_lines(
    cycle: Cycle, lines: Sequence[Line], journal: JournalIntended, found: Sequence[Behind]
) -> Iterator[Behind]:
    """The transfer, what is named of the residue, and what waits between months."""
    nothing = Money(0, cycle.seen.currency)
    if journal.kind == "month_end":
        owed = sum((each.amount for each in found), nothing)
        yield _named(journal, "due", "owed at the month's end", -owed, journal.reference)
        return
    beside: defaultdict[str, Money] = defaultdict(lambda: nothing)
    if journal.kind == "payout":
        for each in _month_ends(cycle):
            amounts = (one.amount for one in behind(cycle, lines, each) if one.line_id)
            owed = sum(amounts, nothing)
            beside["due"] += owed
            yield _named(journal, "due", "owed from the month before", owed, each.reference)
    stated = cycle.seen.amount_to_seller
    role = "bank" if stated > nothing else "due"
    beside[role] -= stated
    bank = cycle.seen.payout_reference or cycle.cycle_id
    what = "transferred" if stated > nothing else "nothing is transferred: carried over"
    yield _named(journal, role, what, -stated, bank)
    for part in cycle.reconciled.named if cycle.reconciled is not None else ():
        role = "due" if part.kind == "balance_carried" else "other"
        beside[role] += part.amount
        yield _named(journal, role, part.said, part.amount, part.kind)
    if journal.kind == "correction":
        late = -(sum((each.amount for each in found), nothing) + sum(beside.values(), nothing))
        if late:
            what = "came after the payout was closed, and is not paid yet"
            yield _named(journal, "other", what, late, cycle.cycle_id)


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
