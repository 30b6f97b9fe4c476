"""A month's end as one workbook, and as a short PDF.

Promises: rows are written as they come; each sheet's rows add up to its total; a payout, an
order or a journal leads to its row elsewhere. It reckons nothing but sums of its columns.
Called by `kcjl close`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from kcjl.clock import LONDON
from kcjl.ledger.month_rows import (
    FEES,
    GAPS,
    JOURNALS,
    LATE,
    ORDERS,
    PAYOUTS,
    SUMMARY,
    UNPAID,
    FigureRow,
    OrderSums,
    PayoutRow,
)
from kcjl.ledger.paper import Paper
from kcjl.ledger.workbook import Cell, Link, Sheet, Workbook
from kcjl.money import Money
from kcjl.settlement.events import JournalIntended, SettlementLineSeen
from kcjl.settlement.gap_events import GapFound

__all__ = ["MonthBook", "month_pdf"]


class MonthBook:
    """The sheets of a month, in the order in which they are read."""

    def __init__(
        self,
        book: Workbook,
        *facts: str,
        names: Mapping[str, str],
        payouts: Sequence[str],
        journals: Sequence[JournalIntended],
    ) -> None:
        """`names`: what payouts are called, by cycle. `payouts` and `journals`: those that get
        rows here, in order, to lead to them.
        """
        self.summary = book.sheet("Summary", SUMMARY, *facts)
        self.orders = book.sheet("Orders", ORDERS, *facts)
        self.fees = book.sheet("Fees", FEES, *facts)
        self.vat = book.sheet("VAT", FEES, *facts)
        self.payouts = book.sheet("Payouts", PAYOUTS, *facts)
        self.unpaid = book.sheet("Unpaid", UNPAID, *facts)
        self.late = book.sheet("Late", LATE, *facts)
        self.gaps = book.sheet("Gaps", GAPS, *facts)
        self.journals = book.sheet("Journals", JOURNALS, *facts)
        self._names = names
        self._payout_rows = {each: at for at, each in enumerate(payouts, 1)}
        self._journal_rows: dict[str, int] = {}
        row = 1
        for journal in journals:
            self._journal_rows[journal.reference] = row
            row += len(journal.lines)

    def payout(self, cycle_id: str | None) -> Cell:
        """A payout by its cycle, leading to its row where it has one."""
        if cycle_id is None:
            return None
        row, name = self._payout_rows.get(cycle_id), self._names.get(cycle_id, cycle_id)
        return name if row is None else Link(name, "Payouts", row)

    def charge(
        self, sheet: Sheet, seen: SettlementLineSeen, position: int, order: Cell
    ) -> None:
        """A row of Fees or of VAT."""
        sheet.write(
            (
                seen.created_at or seen.occurred_at,
                seen.kind,
                order,
                self.payout(seen.cycle_id),
                seen.document_number or seen.manual_document or "",
                seen.amount,
                seen.line_id,
                position,
            )
        )

    def order(self, sums: OrderSums) -> None:
        """What moved of an order."""
        self.orders.write(
            (
                sums.name,
                sums.customer_order,
                sums.sales_order,
                self._of_payouts(sums),
                *(each or None for each in sums.amounts()[:-1]),
                sums.amount,
                sums.lines,
                sums.position,
            )
        )

    def paid(self, row: PayoutRow) -> None:
        """A payout; it leads to the first of its journals that are dated in the month."""
        here = next((each for each in row.journals if each in self._journal_rows), None)
        journals = ", ".join(row.journals)
        self.payouts.write(
            (
                row.cycle_id,
                row.created_at,
                row.paid_at,
                row.bank_reference,
                row.voucher,
                row.state,
                row.transferred,
                row.awaited,
                row.lines,
                row.residue or None,
                row.gaps or None,
                Link(journals, "Journals", self._journal_rows[here]) if here else journals,
                row.position,
            )
        )

    def owed(self, sums: OrderSums, *, at: datetime) -> None:
        """What is not paid of an order at the month's end."""
        since = sums.since or at
        self.unpaid.write(
            (
                sums.name,
                sums.customer_order,
                sums.sales_order,
                ", ".join(sorted(sums.states)),
                self._of_payouts(sums),
                sums.amount,
                sums.lines,
                since,
                max(0, (at - since).days),
                sums.position,
            )
        )

    def _of_payouts(self, sums: OrderSums) -> Cell:
        if len(sums.payouts) == 1:
            return self.payout(next(iter(sums.payouts)))
        return ", ".join(self._names.get(each, each) for each in sums.payouts)

    def gap(self, gap: GapFound, position: int) -> None:
        """A difference, and where."""
        self.gaps.write(
            (
                gap.kind.replace("_", " "),
                gap.subject,
                gap.order_id or "",
                self.payout(gap.cycle_id),
                gap.charged,
                gap.expected,
                gap.amount,
                gap.message,
                position,
            )
        )

    def journal(self, journal: JournalIntended, ledger_number: str, position: int) -> None:
        """Its entries, a row each."""
        for each in journal.lines:
            self.journals.write(
                (
                    journal.reference,
                    journal.posting_date,
                    journal.kind.replace("_", " "),
                    self.payout(journal.cycle_id),
                    each.account,
                    each.tax_code,
                    each.debit or None,
                    each.credit or None,
                    each.memo,
                    ledger_number or "to be entered",
                    position,
                )
            )

    def figures(self, rows: Sequence[FigureRow]) -> None:
        """The summary."""
        self.summary.write_all(each.cells() for each in rows)


def month_pdf(
    title: str,
    *facts: tuple[str, str],
    made_at: datetime,
    figures: Sequence[FigureRow],
    payouts: Sequence[PayoutRow],
    files: Sequence[tuple[str, str]],
) -> bytes:
    """The summary and the payouts, to file; `files`: names and SHA-256 of what it goes with."""
    paper = Paper(title, made_at=made_at)
    paper.facts(facts)
    paper.heading("Summary")
    paper.table(
        ("Figure", "Amount", "Number", "What it is"),
        [
            (
                each.name.strip(),
                _amount(each.amount),
                "" if each.number is None else f"{each.number:,}",
                each.said,
            )
            for each in figures
        ],
        widths=(37, 14, 9, 40),
        right=(1, 2),
    )
    paper.heading("Payouts")
    paper.table(
        ("Bank reference", "Cycle of", "Paid", "Transferred", "Awaited", "State"),
        [
            (
                each.bank_reference or each.cycle_id,
                f"{each.created_at.astimezone(LONDON):%d/%m/%Y}",
                f"{each.paid_at.astimezone(LONDON):%d/%m/%Y}" if each.paid_at else "",
                _amount(each.transferred),
                _amount(each.awaited),
                each.state,
            )
            for each in payouts
        ],
        widths=(22, 12, 12, 15, 15, 24),
        right=(3, 4),
    )
    paper.heading("Files")
    for name, sha256 in files:
        paper.say(f"{name}   SHA-256 {sha256}")
    return paper.content()


def _amount(amount: Money | None) -> str:
    return "" if amount is None else f"{amount.decimal():,}"
