"""The work list: what went wrong, whose it is, how long is left, and what to do.

Promises: the order is the source's (most urgent first); severity is a sign and a word; money is
aligned with its currency. It computes no urgency of its own.
Called by the exceptions screen.
"""

from datetime import datetime
from decimal import Decimal

from kcjl.readmodels import Cut, ExceptionRow
from tui.model.amounts import count_text, cut_text, money_text
from tui.model.filtering import Filter, FilterFields
from tui.model.moments import Zone, due_cell, full_text, span_text
from tui.model.plain import plain, plain_block
from tui.model.shapes import Cell, Column, DetailLine, DetailView, Row, Tone

__all__ = [
    "EXCEPTION_COLUMNS",
    "EXCEPTION_FIELDS",
    "exception_detail",
    "exception_key",
    "exception_row",
    "exceptions_title",
    "matching_exceptions",
]

_SEVERITIES = {
    "critical": Cell("‼ CRIT", Tone.BAD),
    "high": Cell("▲ HIGH", Tone.WARN),
    "medium": Cell("● MED", Tone.PLAIN),
    "low": Cell("· LOW", Tone.MUTED),
}

EXCEPTION_COLUMNS = (
    Column(title="SEV", width_min=6, width_max=12),
    Column(title="DUE IN", width_min=10, width_max=12),
    Column(title="AT RISK", width_min=12, width_max=18, right=True),
    Column(title="KIND", width_min=14, width_max=22),
    Column(title="SUBJECT", width_min=15, width_max=28),
    Column(title="OWNER", width_min=8, width_max=16, rank=1),
    Column(title="SEEN", width_min=5, width_max=7, rank=4, right=True),
    Column(title="AGE", width_min=8, width_max=8, rank=3, right=True),
    Column(title="WHAT HAPPENED", width_min=34, width_max=400, rank=2),
)


def _money(row: ExceptionRow, _now: datetime) -> Decimal | None:
    return None if row.money_at_risk is None else row.money_at_risk.decimal()


def _age_s(row: ExceptionRow, now: datetime) -> Decimal:
    return Decimal(int((now - row.first_seen_at).total_seconds()))


def _left_s(row: ExceptionRow, now: datetime) -> Decimal | None:
    return None if row.deadline is None else Decimal(int((row.deadline - now).total_seconds()))


EXCEPTION_FIELDS: FilterFields[ExceptionRow] = FilterFields(
    texts={
        "kind": lambda row: row.kind,
        "severity": lambda row: row.severity,
        "subject": lambda row: row.subject,
        "owner": lambda row: row.owner,
        "message": lambda row: row.message,
        "next": lambda row: row.next_step,
        "id": lambda row: row.exception_id,
    },
    measures={
        "money": _money,
        "age": _age_s,
        "left": _left_s,
        "seen": lambda row, _now: Decimal(row.seen),
    },
    aliases={"class": "kind", "sev": "severity", "due": "left", "risk": "money"},
)


def exception_key(row: ExceptionRow) -> str:
    return row.exception_id


def exception_row(row: ExceptionRow, now: datetime) -> Row:
    return Row(
        key=row.exception_id,
        cells=(
            _severity(row.severity),
            due_cell(row.deadline, now),
            Cell(money_text(row.money_at_risk)),
            Cell(plain(row.kind), Tone.ACCENT),
            Cell(plain(row.subject)),
            Cell(plain(row.owner) or "-", Tone.PLAIN if row.owner else Tone.WARN),
            Cell(f"{count_text(row.seen)}×", Tone.MUTED),
            Cell(span_text(now - row.first_seen_at), Tone.MUTED),
            Cell(plain(row.message)),
        ),
    )


def matching_exceptions(
    cut: Cut | None, wanted: Filter[ExceptionRow], now: datetime
) -> tuple[ExceptionRow, ...]:
    rows = () if cut is None else cut.exceptions
    return tuple(row for row in rows if wanted.matches(row, now)) if wanted else rows


def exceptions_title(cut: Cut | None, matching: int | None) -> str:
    """How much of the list is on screen."""
    if cut is None:
        return "Exceptions"
    shown = len(cut.exceptions)
    return cut_text(shown, cut.total, of="open exception", matching=matching)


def exception_detail(row: ExceptionRow, now: datetime, zone: Zone) -> DetailView:
    severity = _severity(row.severity)
    due = due_cell(row.deadline, now)
    owner = plain(row.owner) or "nobody yet"
    lines = [
        DetailLine(label="what happened", value=plain_block(row.message), block=True),
        DetailLine(
            label="next step", value=plain_block(row.next_step), tone=Tone.ACCENT, block=True
        ),
        DetailLine(
            label="severity",
            value=f"{severity.text[:1]} {plain(row.severity)}",
            tone=severity.tone,
        ),
        DetailLine(label="kind", value=plain(row.kind)),
        DetailLine(label="subject", value=plain(row.subject)),
        DetailLine(label="owner", value=owner, tone=Tone.PLAIN if row.owner else Tone.WARN),
        DetailLine(label="at risk", value=money_text(row.money_at_risk)),
        DetailLine(label="due in", value=due.text, tone=due.tone),
    ]
    if row.deadline is not None:
        lines.append(DetailLine(label="deadline", value=full_text(row.deadline, zone)))
    lines += [
        DetailLine(label="first seen", value=full_text(row.first_seen_at, zone)),
        DetailLine(label="last seen", value=full_text(row.last_seen_at, zone)),
        DetailLine(label="seen", value=f"{count_text(row.seen)} times"),
        DetailLine(label="state", value=plain(row.state)),
    ]
    if row.cleared_at is not None:
        lines.append(DetailLine(label="cleared", value=full_text(row.cleared_at, zone)))
    lines.append(DetailLine(label="id", value=plain(row.exception_id), tone=Tone.MUTED))
    return DetailView(key=row.exception_id, title=plain(row.subject), lines=tuple(lines))


def _severity(severity: str) -> Cell:
    return _SEVERITIES.get(severity.lower()) or Cell(f"? {plain(severity)}", Tone.WARN)
