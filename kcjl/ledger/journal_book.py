"""One journal as a workbook, with the lines behind each figure, and as a PDF to file.

Promises: each entry leads to the first of its lines, and says by how much they differ from it:
nothing, unless lines came or changed after the journal was made. Memory is bounded by a page of
lines. The PDF is made of the journal alone.
Called by `pack.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from pathlib import Path

import anyio.to_thread

from kcjl.errors import Unavailable
from kcjl.ledger.paper import Paper
from kcjl.ledger.port import Behind, BehindSource, Entry, Journal
from kcjl.ledger.workbook import Cell, Column, Link, Sheet, workbook
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
    Column("Transaction line", width=38),
)
Key = tuple[str, str]


async def write_journal_book(path: Path, journal: Journal, source: BehindSource) -> None:
    """At `path`, page by page and beside the event loop. Raises Unavailable."""
    sums = {(each.account, each.tax_code): _Sum() for each in journal.entries}
    try:
        with workbook(
            path,
            title=f"Journal {journal.reference}",
            made_at=_made_at(journal),
            currency=_currency(journal),
        ) as book:
            facts = (f"{journal.posting_date:%d/%m/%Y}   {journal.narrative}", _unit(journal))
            entries = book.sheet("Journal", ENTRIES, *facts)
            lines = book.sheet("Lines", LINES, *facts)
            async for page in source.behind(journal.reference):
                await anyio.to_thread.run_sync(_write_lines, lines, page, sums)
            entries.write_all(
                _entry(each, sums[each.account, each.tax_code]) for each in journal.entries
            )
            await anyio.to_thread.run_sync(book.close)
    except OSError as error:
        raise Unavailable(f"{path.name} can't be written: {error.strerror}") from None


class _Sum:
    """How many amounts there are behind an entry, what they come to, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self.pence = 0
        self.first: Link | None = None


def _write_lines(lines: Sheet, page: Sequence[Behind], sums: Mapping[Key, _Sum]) -> None:
    for each in page:
        entry = sums.get((each.account, each.tax_code))
        if entry is not None:
            entry.count += 1
            entry.pence += each.amount.amount_minor
            entry.first = entry.first or lines.link("the first of them")
        lines.write(
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
        )


def _entry(entry: Entry, behind: _Sum) -> tuple[Cell, ...]:
    amount = Money(behind.pence, entry.debit.currency)
    return (
        entry.account,
        entry.tax_code,
        entry.debit or None,
        entry.credit or None,
        entry.memo,
        behind.count,
        amount,
        entry.credit - entry.debit - amount,
        behind.first,
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
