"""A month's rows, read from the log and written to its workbook and PDF as they come.

Promises: the same position of the log gives the same files, byte for byte; what the sheets add
up to is what the tally says, or there is no file. Memory is bounded by a page and by an order.
Called by `kcjl/cli/close.py` and the benchmark.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec

from kcjl.cli.close_summary import summary_of
from kcjl.errors import Misuse
from kcjl.ledger.filing import digest_of, half_of, put_in_place
from kcjl.ledger.month_book import MonthBook, month_pdf
from kcjl.ledger.month_rows import FigureRow, OrderSums, PayoutRow
from kcjl.ledger.port import JournalDocument
from kcjl.ledger.workbook import Cell, workbook
from kcjl.money import Money
from kcjl.projections.monthreading import MonthLine, MonthRows, PayoutAt
from kcjl.settlement.account import role_of_line
from kcjl.settlement.closing import ends_at, next_month, starts_at
from kcjl.settlement.events import PAYMENT, SettlementLineSeen
from kcjl.settlement.month_events import MonthClosed, MonthKnown
from kcjl.settlement.monthly import MonthTally, Placed, moved_at, name_of, paid_at
from kcjl.settlement.state import CLOSED_STATES, CycleState, JournalStanding

__all__ = ["MonthPack", "PackAsked", "write_pack"]

OF_NO_ORDER = "of no order"
NEITHER = ("clearing", "refunds", "reserve")
"""Roles that are neither a fee nor VAT."""
COLUMN_OF_ROLE = {"refunds": "refunds", "commission": "commission", "commission_vat": "vat"}

Say = Callable[[int], None]
"""Is told how many lines were written so far."""


class PackAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which month, of whom, as known when."""

    merchant: str
    month: date
    currency: str
    known_at: datetime
    """When the event at the position was recorded."""
    closed: MonthClosed | None
    """The month that was closed last before it."""
    looked_from: int
    """Lines that were not spoken of since can't matter."""
    preview: bool


class MonthPack(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    known: MonthKnown
    figures: tuple[FigureRow, ...]
    files: tuple[JournalDocument, ...]


async def write_pack(rows: MonthRows, asked: PackAsked, folder: Path, say: Say) -> MonthPack:
    """Both files in the folder, each whole."""
    name = f"close-{asked.month:%Y-%m}-{'preview' if asked.preview else rows.position}"
    title = f"{asked.merchant}, {asked.month:%B %Y}" + (" (preview)" if asked.preview else "")
    book_path, pdf_path = folder / f"{name}.xlsx", folder / f"{name}.pdf"
    known_at = f"{asked.known_at:%d/%m/%Y %H:%M}"
    payouts = await rows.payouts()
    in_month = _journals_of(payouts.values(), asked.month)
    shown = _shown(payouts.values(), asked.month)
    with workbook(
        half_of(book_path), title=title, made_at=asked.known_at, currency=asked.currency
    ) as opened:
        book = MonthBook(
            opened,
            f"As the log knew it at position {rows.position:,}, {known_at} UTC",
            f"Amounts in {asked.currency}; times in London",
            names={key: name_of(each.cycle) for key, each in payouts.items()},
            payouts=[each.cycle.cycle_id for each in shown],
            journals=[each.intended for each, _ in in_month],
        )
        cycles = {key: each.cycle for key, each in payouts.items()}
        tally = MonthTally(asked.month, asked.currency, cycles)
        await _Filling(rows, asked, book, tally).fill(say)
        for standing, position in in_month:
            book.journal(standing.intended, standing.ledger_number, position)
        paid = [_payout_row(each, tally) for each in shown]
        for row in paid:
            book.paid(row)
            if row.transferred is not None:
                async for page in rows.gaps(row.cycle_id):
                    for position, gap in page:
                        book.gap(gap, position)
        references = tuple(sorted(each.intended.reference for each, _ in in_month))
        known = tally.known(position=rows.position, journals=references)
        figures = summary_of(book, known, asked.month, asked.closed, paid)
        _check(book, known)
        book.figures(figures)
    put_in_place(book_path)
    document = digest_of(book_path)
    half_of(pdf_path).write_bytes(
        month_pdf(
            title,
            ("Known up to", f"position {rows.position:,} of the log"),
            ("Recorded", f"{asked.known_at:%d/%m/%Y %H:%M:%S} UTC"),
            ("Amounts in", asked.currency),
            made_at=asked.known_at,
            figures=figures,
            payouts=paid,
            files=[(document.name, document.sha256)],
        )
    )
    put_in_place(pdf_path)
    return MonthPack(known=known, figures=tuple(figures), files=(document, digest_of(pdf_path)))


def _check(book: MonthBook, known: MonthKnown) -> None:
    """The sheets are the figures. Raises Misuse where they are not."""
    orders, unpaid = book.orders.totals[10], book.unpaid.totals[5]
    debit, credit = book.journals.totals[6:8]
    wanted = (known.total.amount_minor, known.carried_forward.amount_minor, debit)
    rolled = known.brought_forward + known.total - known.paid
    if (orders, unpaid, credit) != wanted or rolled != known.carried_forward:
        raise Misuse(
            f"the month's sheets do not add up (orders {orders}, unpaid {unpaid}, "
            f"debit {debit}, credit {credit}; figures {wanted}; rolled {rolled}): no file was "
            "made; please report this"
        )


# ── lines ───────────────────────────────────────────────────────────────────────────────────


class _Filling:
    """The sheets that are made of lines."""

    def __init__(
        self, rows: MonthRows, asked: PackAsked, book: MonthBook, tally: MonthTally
    ) -> None:
        self._rows = rows
        self._asked = asked
        self._book = book
        self._tally = tally
        self._ends = ends_at(asked.month)
        self._starts = starts_at(asked.month)
        self._order_id: str | None = ""
        self._moved: dict[str, OrderSums] = {}
        self._owed: dict[str, OrderSums] = {}

    async def fill(self, say: Say) -> None:
        done = 0
        async for page in self._rows.lines(self._asked.looked_from):
            await self._write_late(page)
            for line in page:
                self._write(line)
            done += len(page)
            say(done)
        self._end_order()

    def _write(self, line: MonthLine) -> None:
        seen = line.seen
        if seen.order_id != self._order_id:
            self._end_order()
            self._order_id = seen.order_id
        placed = self._tally.add(seen, line.position)
        if placed.moved:
            self._charge(line)
        self._sum(line, placed)

    def _charge(self, line: MonthLine) -> None:
        role = role_of_line(line.seen)
        if role in NEITHER:
            return
        is_vat = role.endswith("_vat") or role == "remitted_tax"
        sheet = self._book.vat if is_vat else self._book.fees
        order: Cell = line.seen.order_id
        if line.seen.order_id is not None:
            order = self._book.orders.link(line.seen.order_id)
        self._book.charge(sheet, line.seen, line.position, order)

    def _sum(self, line: MonthLine, placed: Placed) -> None:
        for counted, into in ((placed.moved, self._moved), (placed.after, self._owed)):
            if not counted:
                continue
            seen = line.seen
            name = seen.order_id or f"{OF_NO_ORDER}: {seen.kind}"
            sums = into.get(name)
            if sums is None:
                sums = into[name] = OrderSums(name, self._asked.currency)
            sums.customer_order = seen.customer_order_number or sums.customer_order
            sums.sales_order = line.erp_order_code or sums.sales_order
            if seen.cycle_id is not None:
                sums.payouts[seen.cycle_id] = None
            sums.states[seen.payment_state] = None
            moved = moved_at(seen)
            sums.since = moved if sums.since is None else min(sums.since, moved)
            sums.add(_column_of(seen), seen.amount, line.position)

    def _end_order(self) -> None:
        for moved in self._moved.values():
            self._book.order(moved)
        for owed in self._owed.values():
            self._book.owed(owed, at=self._ends)
        self._moved.clear()
        self._owed.clear()

    async def _write_late(self, page: Sequence[MonthLine]) -> None:
        """What came to a closed month, or changed in it, since it was closed."""
        closed = self._asked.closed
        if closed is None:
            return
        came = {
            each.seen.line_id: each
            for each in page
            if each.position > closed.known.position and moved_at(each.seen) < self._starts
            if each.seen.amount.currency == self._asked.currency and each.seen.kind != PAYMENT
        }
        was = (
            await self._rows.amounts_at([*came.values()], closed.known.position) if came else {}
        )
        for line_id, line in came.items():
            seen, before = line.seen, was.get(line_id, Money(0, self._asked.currency))
            if seen.amount != before:
                self._book.late.write(
                    (
                        line_id,
                        seen.kind,
                        seen.order_id or "",
                        moved_at(seen),
                        self._book.payout(seen.cycle_id),
                        before,
                        seen.amount,
                        seen.amount - before,
                        line.position,
                    )
                )


def _column_of(seen: SettlementLineSeen) -> str:
    role = role_of_line(seen)
    if role == "clearing":
        return "shipping" if "SHIPPING" in seen.kind else "goods"
    return COLUMN_OF_ROLE.get(role, "other")


# ── payouts and journals ────────────────────────────────────────────────────────────────────


def _shown(payouts: Iterable[PayoutAt], month: date) -> list[PayoutAt]:
    """Those that were paid in the month, and those that it still waited for at its end."""
    starts, ends = starts_at(month), ends_at(month)
    found = []
    for each in payouts:
        paid, made = paid_at(each.cycle), each.cycle.created_at
        if (paid is None or paid >= starts) and min(made, paid or made) < ends:
            found.append(each)
    return sorted(found, key=lambda each: (each.cycle.created_at, each.cycle.cycle_id))


def _payout_row(each: PayoutAt, tally: MonthTally) -> PayoutRow:
    cycle = each.cycle
    seen, paid = cycle.seen, paid_at(cycle)
    here = paid is not None and paid < ends_at(tally.month)
    lines = Money(tally.of_cycle.get(cycle.cycle_id, 0), seen.currency) if here else None
    nothing = Money(0, seen.currency)
    gaps = cycle.reconciled.gaps if cycle.reconciled is not None else ()
    state = "closed" if cycle.state in CLOSED_STATES else cycle.state.value
    if cycle.state == CycleState.HELD and cycle.held is not None:
        state = f"held: {cycle.held.reason}"
    return PayoutRow(
        cycle_id=cycle.cycle_id,
        created_at=cycle.created_at,
        paid_at=seen.paid_at,
        bank_reference=seen.payout_reference or "",
        voucher=seen.voucher or "",
        state=state,
        transferred=seen.amount_to_seller if here else None,
        awaited=None if here else seen.amount_to_seller,
        lines=lines,
        residue=None if lines is None else seen.amount_to_seller - lines,
        gaps=sum((gap.amount for gap in gaps), nothing) if here else None,
        journals=tuple(one.intended.reference for one in cycle.journals),
        position=each.position,
    )


def _journals_of(payouts: Iterable[PayoutAt], month: date) -> list[tuple[JournalStanding, int]]:
    """Those that are dated in the month, in order, with their positions."""
    end = next_month(month)
    found = [
        (standing, each.journals[standing.intended.reference])
        for each in payouts
        for standing in each.cycle.journals
        if month <= standing.intended.posting_date < end
    ]
    return sorted(found, key=lambda one: (one[0].intended.posting_date, one[1]))
