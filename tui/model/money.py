"""Money: payouts as rows, and what builds up for the next one.

Promises: the order is the source's; a state is a sign and a word; money is aligned with its
currency; what is not known is a dash and never a nought. It adds nothing up.
Called by the money screen. The details stand in `money_detail.py`, the actions in
`money_acting.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from kcjl.readmodels_money import BuildUp, MoneyReading, PayoutRow
from tui.model.amounts import amount_text, count_text, cut_text, money_text
from tui.model.filtering import Filter, FilterFields
from tui.model.moments import Zone, date_text, span_text
from tui.model.plain import plain
from tui.model.shapes import Cell, Column, Row, Tone

__all__ = [
    "MONEY_COLUMNS",
    "MONEY_FIELDS",
    "OPEN_KEY",
    "MoneyItem",
    "matching_money",
    "money_items",
    "money_key",
    "money_row",
    "money_title",
    "state_cell",
]

MoneyItem = PayoutRow | BuildUp
"""A payout, or what no payout has yet."""

OPEN_KEY = "unpaid"

MONEY_COLUMNS = (
    Column(title="STATE", width_min=8, width_max=9),
    Column(title="PAYOUT", width_min=10, width_max=24),
    Column(title="STATED", width_min=14, width_max=18, right=True),
    Column(title="EXPECTED", width_min=10, width_max=18, right=True),
    Column(title="BANKED", width_min=10, width_max=18, right=True),
    Column(title="RESIDUE", width_min=7, width_max=14, right=True),
    Column(title="AGE", width_min=8, width_max=8, rank=1, right=True),
    Column(title="CYCLE OF", width_min=15, width_max=16, rank=3),
    Column(title="JOURNALS", width_min=10, width_max=12, rank=4),
    Column(title="GAPS", width_min=4, width_max=6, rank=4, right=True),
    Column(title="BANK REFERENCE", width_min=14, width_max=22, rank=5),
    Column(title="NOTE", width_min=24, width_max=400, rank=2),
)

_STATES = {
    "waiting": Cell("· WAIT", Tone.MUTED),
    "held": Cell("✖ HELD", Tone.BAD),
    "closed": Cell("· CLOSED", Tone.PLAIN),
    "journal_open": Cell("· BOOKS", Tone.PLAIN),
    "done": Cell("● DONE", Tone.GOOD),
}
_TO_ENTER = Cell("▲ ENTER", Tone.WARN)
_BUILDS_UP = Cell("+ OPEN", Tone.ACCENT)


def state_cell(item: MoneyItem) -> Cell:
    """Where it stands; a done payout whose journal is in no ledger yet says that."""
    if isinstance(item, BuildUp):
        return _BUILDS_UP
    if item.state == "done" and item.to_enter:
        return _TO_ENTER
    return _STATES.get(item.state) or Cell(f"? {plain(item.state)}", Tone.WARN)


def money_key(item: MoneyItem) -> str:
    return OPEN_KEY if isinstance(item, BuildUp) else item.payout


def money_items(
    reading: MoneyReading | None, build_up: BuildUp | None
) -> tuple[MoneyItem, ...]:
    """What builds up stands above the payouts, while there is any."""
    above = () if build_up is None or not build_up.lines else (build_up,)
    return (*above, *(() if reading is None else reading.payouts))


def money_row(item: MoneyItem, now: datetime, zone: Zone) -> Row:
    if isinstance(item, BuildUp):
        return _open_row(item, now, zone)
    currency = item.stated.currency
    off = item.residue is not None and bool(item.residue)
    return Row(
        key=item.payout,
        cells=(
            state_cell(item),
            Cell(plain(item.payout)),
            Cell(money_text(item.stated)),
            Cell(amount_text(item.expected, currency)),
            Cell(amount_text(item.banked, currency), _banked_tone(item)),
            Cell(amount_text(item.residue, currency), Tone.BAD if off else Tone.PLAIN),
            Cell(span_text(now - item.began_at), Tone.MUTED),
            Cell(date_text(item.began_at, zone), Tone.MUTED),
            _journals(item),
            Cell(count_text(item.gaps) if item.gaps else "-"),
            Cell(plain(item.reference) or "-", Tone.MUTED),
            Cell(plain(item.note)),
        ),
    )


def _open_row(item: BuildUp, now: datetime, zone: Zone) -> Row:
    oldest = item.oldest_at
    currency = plain(item.amounts[0].currency) if item.amounts else ""
    others = item.amounts[1:]
    more = f", and {', '.join(map(money_text, others))}" if others else ""
    orders = (
        "1 order" if item.waiting_total == 1 else f"{count_text(item.waiting_total)} orders"
    )
    note = f"{orders}, {count_text(item.lines)} lines{more}"
    return Row(
        key=OPEN_KEY,
        cells=(
            state_cell(item),
            Cell(f"next {currency}".rstrip(), Tone.ACCENT),
            Cell("-", Tone.MUTED),
            Cell(amount_text(item.amounts[0] if item.amounts else None, currency)),
            Cell("-", Tone.MUTED),
            Cell("-", Tone.MUTED),
            Cell("-" if oldest is None else span_text(now - oldest), Tone.MUTED),
            Cell("-" if oldest is None else date_text(oldest, zone), Tone.MUTED),
            Cell("-", Tone.MUTED),
            Cell("-"),
            Cell("-", Tone.MUTED),
            Cell(note),
        ),
    )


def _banked_tone(item: PayoutRow) -> Tone:
    if item.banked is None:
        return Tone.MUTED
    return Tone.GOOD if item.banked == item.stated else Tone.BAD


def _journals(item: PayoutRow) -> Cell:
    if item.to_enter:
        return Cell(f"▲ {len(item.to_enter)} to enter", Tone.WARN)
    return Cell(f"{len(item.journals)}" if item.journals else "-", Tone.MUTED)


# ── filters ─────────────────────────────────────────────────────────────────────────────────


def _texts(item: MoneyItem) -> dict[str, str]:
    if isinstance(item, BuildUp):
        return {"state": "open unpaid", "payout": "next"}
    return {
        "state": item.state,
        "payout": item.payout,
        "reference": item.reference,
        "paid": item.paid,
        "journal": " ".join((*item.journals, *item.to_enter)),
        "note": item.note,
    }


def _text(name: str, item: MoneyItem) -> str:
    return _texts(item).get(name, "")


def _stated(item: MoneyItem, _now: datetime) -> Decimal | None:
    return None if isinstance(item, BuildUp) else item.stated.decimal()


def _expected(item: MoneyItem, _now: datetime) -> Decimal | None:
    if isinstance(item, BuildUp):
        return item.amounts[0].decimal() if item.amounts else None
    return None if item.expected is None else item.expected.decimal()


def _residue(item: MoneyItem, _now: datetime) -> Decimal | None:
    known = None if isinstance(item, BuildUp) else item.residue
    return None if known is None else known.decimal()


def _banked(item: MoneyItem, _now: datetime) -> Decimal | None:
    known = None if isinstance(item, BuildUp) else item.banked
    return None if known is None else known.decimal()


def _age_s(item: MoneyItem, now: datetime) -> Decimal | None:
    since = item.oldest_at if isinstance(item, BuildUp) else item.began_at
    return None if since is None else Decimal(int((now - since).total_seconds()))


def _gaps(item: MoneyItem, _now: datetime) -> Decimal | None:
    return None if isinstance(item, BuildUp) else Decimal(item.gaps)


def _to_enter(item: MoneyItem, _now: datetime) -> Decimal | None:
    return None if isinstance(item, BuildUp) else Decimal(len(item.to_enter))


MONEY_FIELDS: FilterFields[MoneyItem] = FilterFields(
    texts={
        "state": lambda item: _text("state", item),
        "payout": lambda item: _text("payout", item),
        "reference": lambda item: _text("reference", item),
        "paid": lambda item: _text("paid", item),
        "journal": lambda item: _text("journal", item),
        "note": lambda item: _text("note", item),
    },
    measures={
        "stated": _stated,
        "expected": _expected,
        "banked": _banked,
        "residue": _residue,
        "age": _age_s,
        "gaps": _gaps,
        "enter": _to_enter,
    },
    aliases={"cycle": "payout", "bank": "reference", "amount": "stated", "money": "stated"},
)


def matching_money(
    items: Sequence[MoneyItem], wanted: Filter[MoneyItem], now: datetime
) -> Sequence[MoneyItem]:
    return tuple(item for item in items if wanted.matches(item, now)) if wanted else items


def money_title(
    reading: MoneyReading | None, build_up: BuildUp | None, matching: int | None
) -> str:
    """How much of the list is on screen; the row of what builds up is none of the payouts."""
    if reading is None:
        return "Money"
    shown = len(reading.payouts)
    title = cut_text(shown, reading.total, of="payout", matching=matching)
    open_now = build_up is not None and bool(build_up.lines)
    return f"{title} and the next one" if open_now and matching is None else title
