"""One journal as a workbook, with the lines behind each figure, and as a PDF to file.

Promises: each entry leads to its lines, and says by how much they differ from it: nothing,
unless lines came or changed after the journal was made. The PDF is made of the journal alone.
Called by `pack.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from itertools import groupby
from pathlib import Path

from kcjl.ledger.paper import Paper
from kcjl.ledger.port import Behind, Entry, Journal
from kcjl.ledger.workbook import Column, Link, workbook
from kcjl.money import Money

__all__ = ["journal_pdf", "write_journal_book"]

NOTHING_THERE = "comes to nothing"
ENTRIES = (
    Column("Account", width=34),
    Column("Tax code", width=9),
    Column("Debit", "money", 15),
    Column("Credit", "money", 15),
    Column("Memo", width=40),
    Column("Lines", "count", 9),
    Column("Sum of lines", "money", 15),
    Column("Difference", "money", 12),
    Column("Lines behind it", width=16),
)
LINES = (
    Column("Account", width=34),
    Column("Tax code", width=9),
    Column("What", width=32),
    Column("Amount", "money", 15),
    Column("Moved", "time", 17),
    Column("Order", width=20),
    Column("Sales order", width=14),
    Column("Document", width=26),
    Column("Transaction line", width=22),
)
Key = tuple[str, str]


def write_journal_book(path: Path, journal: Journal, behind: Sequence[Behind]) -> None:
    """At `path`, row by row."""
    places = {(each.account, each.tax_code): at for at, each in enumerate(journal.entries)}

    def place(each: Behind) -> tuple[int, str, str]:
        # What comes to nothing has no entry of its own, and stands last.
        return places.get((each.account, each.tax_code), len(places)), each.what, each.line_id

    ordered = sorted(behind, key=place)
    sums: dict[Key, tuple[int, int, Money]] = {}
    row = 1
    for key, lines in groupby(ordered, key=lambda each: (each.account, each.tax_code)):
        amounts = [each.amount for each in lines]
        sums[key] = row, len(amounts), sum(amounts[1:], amounts[0])
        row += len(amounts)
    with workbook(
        path,
        title=f"Journal {journal.reference}",
        made_at=_made_at(journal),
        currency=_currency(journal),
    ) as book:
        facts = (f"{journal.posting_date:%d/%m/%Y}   {journal.narrative}", _unit(journal))
        entries = book.sheet("Journal", ENTRIES, *facts)
        entries.write_all(_entry(each, sums) for each in journal.entries)
        lines_sheet = book.sheet("Lines", LINES, *facts)
        lines_sheet.write_all(
            (
                each.account or NOTHING_THERE,
                each.tax_code,
                each.what,
                each.amount,
                each.moved_at,
                each.order_id,
                each.erp_order_code,
                each.document,
                each.line_id,
            )
            for each in ordered
        )


def _entry(
    entry: Entry, sums: Mapping[Key, tuple[int, int, Money]]
) -> tuple[str | Money | int | Link | None, ...]:
    row, lines, amount = sums.get(
        (entry.account, entry.tax_code), (1, 0, Money(0, entry.debit.currency))
    )
    return (
        entry.account,
        entry.tax_code,
        entry.debit or None,
        entry.credit or None,
        entry.memo,
        lines,
        amount,
        entry.credit - entry.debit - amount,
        Link(f"from row {row:,}", "Lines", row) if lines else None,
    )


def journal_pdf(journal: Journal) -> bytes:
    """What is entered, on paper, with room for the ledger's number."""
    paper = Paper(f"Journal {journal.reference}", made_at=_made_at(journal))
    paper.facts(
        [
            ("Date", f"{journal.posting_date:%d/%m/%Y}"),
            ("Narrative", journal.narrative),
            ("Amounts in", _currency(journal)),
        ]
    )
    nothing = Money(0, _currency(journal))
    debit = sum((each.debit for each in journal.entries), nothing)
    credit = sum((each.credit for each in journal.entries), nothing)
    paper.heading("Entries")
    paper.table(
        ("Account", "Tax", "Debit", "Credit", "Memo"),
        [
            (
                each.account,
                each.tax_code,
                f"{each.debit.decimal():,}" if each.debit else "",
                f"{each.credit.decimal():,}" if each.credit else "",
                each.memo,
            )
            for each in journal.entries
        ],
        widths=(34, 8, 16, 16, 26),
        right=(2, 3),
        total=("Total", "", f"{debit.decimal():,}", f"{credit.decimal():,}", ""),
    )
    paper.heading("Entered")
    paper.facts(
        [
            ("Number in the ledger", "." * 40),
            ("By, on", "." * 40),
            ("Then", f"kcjl payouts ack {journal.reference} NUMBER"),
        ]
    )
    return paper.content()


def _made_at(journal: Journal) -> datetime:
    """The files say the journal's own day, so that they are the same whenever they are made."""
    return datetime.combine(journal.posting_date, time(), UTC)


def _currency(journal: Journal) -> str:
    return journal.entries[0].debit.currency if journal.entries else "GBP"


def _unit(journal: Journal) -> str:
    return f"Amounts in {_currency(journal)}; above nothing is a credit"
