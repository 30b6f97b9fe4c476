"""The summary of a month's end: its figures in the order in which they are read.

Promises: every figure is a total of a sheet or of the tally, with a sentence that says what it
is; what should be nothing is shown, too. Called by `close_pack.py`.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from kcjl.ledger.month_book import MonthBook
from kcjl.ledger.month_rows import FigureRow, PayoutRow
from kcjl.money import Money
from kcjl.settlement.events import ROLE_OF_KIND
from kcjl.settlement.month_events import MonthClosed, MonthKnown

__all__ = ["summary_of"]


def summary_of(
    book: MonthBook,
    known: MonthKnown,
    month: date,
    closed: MonthClosed | None,
    payouts: Sequence[PayoutRow],
) -> list[FigureRow]:
    """What is owed, what moved, what was paid, what is off."""
    return [
        *_owed(known, month, closed),
        *_moved(known),
        *_paid(book, known, payouts),
        *_rest(book, known),
    ]


def _owed(known: MonthKnown, month: date, closed: MonthClosed | None) -> Iterator[FigureRow]:
    before = f"{month - timedelta(days=1):%B %Y}"
    if closed is None:
        yield FigureRow(
            name=f"Owed to us at the end of {before}",
            amount=known.brought_forward,
            said="moved before the month, and not paid then; no earlier month was closed",
        )
    else:
        reported = closed.known.carried_forward
        yield FigureRow(
            name=f"Owed to us at the end of {before}, as reported",
            amount=reported,
            said=f"as that month was closed, at position {closed.known.position:,}",
        )
        yield FigureRow(
            name="Came to it since",
            amount=known.brought_forward - reported,
            said="what was not known when it was closed",
            sheet="Late",
        )
    yield FigureRow(
        name="Moved in the month",
        amount=known.total,
        number=known.lines,
        said="all lines whose money moved, by London's days",
        sheet="Orders",
    )
    yield FigureRow(
        name="Paid in the month",
        amount=-known.paid,
        said="lines of the payouts that were paid",
        sheet="Payouts",
    )
    yield FigureRow(
        name=f"Owed to us at the end of {month:%B %Y}",
        amount=known.carried_forward,
        said="the sum of the figures above",
        sheet="Unpaid",
    )


def _moved(known: MonthKnown) -> Iterator[FigureRow]:
    for each in known.by_kind:
        role = ROLE_OF_KIND.get(each.name, "other")
        is_vat = role.endswith("_vat") or role == "remitted_tax"
        sheet = "VAT" if is_vat else "Fees"
        if role in ("clearing", "refunds", "reserve"):
            sheet = "Orders"
        yield FigureRow(
            name=f"  {each.name}",
            amount=each.amount,
            number=each.lines,
            said=f"moved in the month; role: {role.replace('_', ' ')}",
            sheet=sheet,
        )


def _paid(
    book: MonthBook, known: MonthKnown, payouts: Sequence[PayoutRow]
) -> Iterator[FigureRow]:
    transferred, awaited, _, residue, gaps = book.payouts.totals[6:11]
    currency = known.total.currency
    number = sum(each.transferred is not None for each in payouts)
    yield FigureRow(
        name="Transferred in the month",
        amount=Money(transferred, currency),
        number=number,
        said="what the bank should show",
        sheet="Payouts",
    )
    yield FigureRow(
        name="Transferred beside the lines",
        amount=Money(residue, currency),
        said="residues: balances carried over, and what a person accepted",
        sheet="Payouts",
    )
    yield FigureRow(
        name="Still awaited at the month's end",
        amount=Money(awaited, currency),
        number=len(payouts) - number,
        said="payouts that were made, and not paid or not closed",
        sheet="Payouts",
    )
    yield FigureRow(
        name="Gaps",
        amount=Money(gaps, currency),
        number=book.gaps.rows,
        said="charged or paid otherwise than expected, in the payouts of the month",
        sheet="Gaps",
    )


def _rest(book: MonthBook, known: MonthKnown) -> Iterator[FigureRow]:
    currency = known.total.currency
    yield FigureRow(
        name="Late lines of closed months",
        amount=Money(book.late.totals[7], currency),
        number=book.late.rows,
        said="came or changed after their month was closed; they are booked in the open month",
        sheet="Late",
    )
    yield FigureRow(
        name="Journals dated in the month, each side",
        amount=Money(book.journals.totals[6], currency),
        number=len(known.journals),
        said="debits and credits are the same",
        sheet="Journals",
    )
    if known.other_currencies:
        yield FigureRow(
            name="Lines in other currencies",
            number=known.other_currencies,
            said="in none of these figures",
        )
