"""Dispatch: what has to be confirmed by when, whose it is, and what was answered.

Promises: the order is the source's (soonest deadline first); late and at risk are signs and
words; working time is the merchant's own. Called by the dispatch screen.
"""

from datetime import datetime
from decimal import Decimal

from kcjl.dispatch.minutes import in_words
from kcjl.readmodels_dispatch import DispatchList, DispatchStory, ParcelRow, ParcelTold
from tui.model.amounts import count_text, cut_text, money_text
from tui.model.filtering import Filter, FilterFields
from tui.model.life import life_lines
from tui.model.moments import Zone, clock_text, due_cell, full_text, span_text, zone_name
from tui.model.orders import found_text
from tui.model.plain import plain, plain_block
from tui.model.shapes import Cell, Column, DetailLine, DetailView, Row, TextLine, Tone
from tui.model.sparkline import sparkline

__all__ = [
    "DISPATCH_COLUMNS",
    "DISPATCH_FIELDS",
    "dispatch_detail",
    "dispatch_row",
    "dispatch_strip",
    "dispatch_title",
    "matching_parcels",
]

DISPATCH_COLUMNS = (
    Column(title="ORDER / PARCEL", width_min=23, width_max=32),
    Column(title="STATE", width_min=12, width_max=16),
    Column(title="DUE IN", width_min=10, width_max=12),
    Column(title="WHOSE", width_min=9, width_max=11, rank=1),
    Column(title="COURIER", width_min=8, width_max=20),
    Column(title="CARRIER", width_min=7, width_max=12, rank=3),
    Column(title="NUMBER", width_min=10, width_max=24, rank=2),
    Column(title="TRIES", width_min=5, width_max=5, rank=1, right=True),
    Column(title="IN STAGE", width_min=8, width_max=8, rank=5, right=True),
    Column(title="LAST ANSWER", width_min=20, width_max=400, rank=4),
)

_STATES = {
    "confirmed": Cell("✓ confirmed", Tone.GOOD),
    "open": Cell("? unknown", Tone.WARN),
    "confirming": Cell("● to confirm", Tone.ACCENT),
    "shipped": Cell("● to confirm", Tone.ACCENT),
    "unanswered": Cell("● no answer", Tone.WARN),
    "unmapped": Cell("▲ no carrier", Tone.WARN),
    "no_tracking": Cell("▲ no number", Tone.WARN),
    "untracked": Cell("▲ no number", Tone.WARN),
    "malformed": Cell("▲ odd number", Tone.WARN),
    "unmatched": Cell("▲ unmatched", Tone.WARN),
    "refused": Cell("✖ refused", Tone.BAD),
    "given_up": Cell("✖ given up", Tone.BAD),
    "held": Cell("▲ held", Tone.WARN),
    "held_in_erp": Cell("▲ held in ERP", Tone.WARN),
    "at_marketplace": Cell("· at market", Tone.MUTED),
    "accepting": Cell("● accepting", Tone.PLAIN),
    "posting": Cell("● posting", Tone.PLAIN),
    "to_pick": Cell("● to pick", Tone.PLAIN),
    "picking": Cell("● picking", Tone.PLAIN),
    "left": Cell("· left", Tone.MUTED),
    "ended": Cell("· ended", Tone.MUTED),
    "passed_over": Cell("· not ours", Tone.MUTED),
}
_FINAL = frozenset({"confirmed", "ended", "passed_over"})
_STANDINGS = {"late": ("✖ late", Tone.BAD), "at_risk": ("▲ at risk", Tone.WARN)}
_BARS_MAX = 24
HUNDRED = 100


def _due(row: ParcelRow) -> datetime | None:
    """Of an order that is through nothing is due."""
    return None if row.stage in _FINAL else row.deadline


def _left_s(row: ParcelRow, now: datetime) -> Decimal | None:
    due = _due(row)
    return None if due is None else Decimal(int((due - now).total_seconds()))


def _age_s(row: ParcelRow, now: datetime) -> Decimal:
    return Decimal(int((now - row.since).total_seconds()))


DISPATCH_FIELDS: FilterFields[ParcelRow] = FilterFields(
    texts={
        "order": lambda row: row.order_id,
        "parcel": lambda row: row.parcel_key,
        "state": lambda row: f"{row.state} {_state(row.state).text}",
        "stage": lambda row: row.stage,
        "whose": lambda row: row.whose,
        "standing": lambda row: row.standing,
        "courier": lambda row: row.courier,
        "carrier": lambda row: row.carrier,
        "number": lambda row: row.number,
        "sku": lambda row: " ".join(row.skus),
        "answer": lambda row: row.message,
    },
    measures={
        "left": _left_s,
        "age": _age_s,
        "tries": lambda row, _now: Decimal(row.attempts),
        "value": lambda row, _now: row.total.decimal(),
    },
    aliases={"due": "left", "owner": "whose", "tracking": "number", "money": "value"},
)


def dispatch_row(row: ParcelRow, now: datetime) -> Row:
    done = row.stage in _FINAL
    return Row(
        key=row.key,
        cells=(
            Cell(plain(row.key), Tone.ACCENT),
            _state(row.state),
            _due_cell(row, now),
            Cell(plain(row.whose) or "-", Tone.MUTED),
            Cell(plain(row.courier) or "-"),
            Cell(plain(row.carrier) or "-"),
            Cell(plain(row.number) or "-"),
            Cell(count_text(row.attempts) if row.parcel_key else "-", Tone.MUTED),
            Cell("-" if done else span_text(now - row.since), Tone.MUTED),
            Cell(plain(row.message), Tone.WARN),
        ),
    )


def matching_parcels(
    held: DispatchList | None, wanted: Filter[ParcelRow], now: datetime
) -> tuple[ParcelRow, ...]:
    rows = () if held is None else held.rows
    return tuple(row for row in rows if wanted.matches(row, now)) if wanted else rows


def dispatch_title(held: DispatchList | None, matching: int | None) -> str:
    """How much of it is on screen."""
    if held is None:
        return "Dispatch"
    if held.found_in:
        return found_text(held.found_in, held.orders, held.total, held.searched, held.open)
    late = f", {count_text(held.late)} late" if held.late else ""
    if matching is not None:
        return f"{count_text(matching)} of {count_text(len(held.rows))} lines match"
    whole = cut_text(held.orders, held.total, of="order")
    return f"{count_text(held.open)} unconfirmed{late} · {whole}"


def dispatch_strip(
    held: DispatchList | None, now: datetime, zone: Zone
) -> tuple[TextLine, ...]:
    """Deadlines ahead by the hour, and the shop's metrics: two lines below the list."""
    if held is None:
        return ()
    counts = [hour.orders for hour in held.hours]
    bars = sparkline(counts, _BARS_MAX)
    top = max(counts, default=0)
    said = f" next {len(counts)} h, most {count_text(top)} in an hour" if top else " none ahead"
    peak = next((hour.at for hour in held.hours if hour.orders == top and top), None)
    at = f" (at {zone.wall(peak):%H}h {zone_name(peak, zone)})" if peak is not None else ""
    silent = (
        f"  ✖ the marketplace answers no confirmation since "
        f"{clock_text(held.silent_since, zone, now)}"
        if held.silent_since is not None
        else ""
    )
    return (
        (
            Cell("  deadlines ", Tone.MUTED),
            Cell(bars, Tone.ACCENT),
            Cell(silent or f"{said}{at}", Tone.BAD if silent else Tone.MUTED),
        ),
        _metrics_line(held, now, zone),
    )


def _metrics_line(held: DispatchList, now: datetime, zone: Zone) -> TextLine:
    if held.metrics_read_at is None:
        said = "the marketplace's own have not been read yet"
        return Cell("  metrics   ", Tone.MUTED), Cell(said, Tone.MUTED)
    told = " · ".join(
        f"{each.metric.removesuffix('_rate').replace('_', ' ')} {_percent(each.theirs)}"
        + (f" (limit {_percent(each.threshold)})" if each.threshold is not None else "")
        for each in held.metrics
    )
    at = clock_text(held.metrics_read_at, zone, now)
    return (
        Cell("  metrics   ", Tone.MUTED),
        Cell(f"{plain(told) or 'none told'} · month, read {at}"),
    )


def _percent(rate: Decimal | None) -> str:
    return "-" if rate is None else f"{rate * HUNDRED:.1f}%"


# ── detail ──────────────────────────────────────────────────────────────────────────────────


def dispatch_detail(
    row: ParcelRow, story: DispatchStory | None, now: datetime, zone: Zone
) -> DetailView:
    """All about one order on its way; until its story has come, what the list knows."""
    due, state = _due_cell(row, now), _state(row.state)
    lines = [
        DetailLine(
            label="state",
            value=f"{state.text} (order: {_state(row.stage).text})",
            tone=state.tone,
        )
    ]
    if row.standing in _STANDINGS:
        text, tone = _STANDINGS[row.standing]
        lines.append(DetailLine(label="standing", value=text, tone=tone))
    if row.whose:
        lines.append(DetailLine(label="whose", value=plain(row.whose)))
    if row.deadline is not None:
        left = f"{due.text}, " if due.text != "-" else ""
        lines.append(
            DetailLine(
                label="deadline", value=left + full_text(row.deadline, zone), tone=due.tone
            )
        )
    if row.own_deadline is not None:
        own = full_text(row.own_deadline, zone)
        lines.append(DetailLine(label="own cut-off", value=own))
    lines += [
        DetailLine(label="value", value=money_text(row.total)),
        DetailLine(label="SKUs", value=plain(", ".join(row.skus))),
    ]
    if row.message:
        answer = plain_block(row.message)
        lines.append(DetailLine(label="last answer", value=answer, tone=Tone.WARN, block=True))
    if story is None or story.order_id != row.order_id:
        lines.append(DetailLine(label="minutes", value="Reading…", tone=Tone.MUTED, block=True))
    else:
        lines += _story_lines(story, now, zone)
    return DetailView(key=row.key, title=plain(row.key), lines=tuple(lines))


def _story_lines(story: DispatchStory, now: datetime, zone: Zone) -> list[DetailLine]:
    lines = [
        DetailLine(label="ERP order", value=plain(story.erp_order_code) or "none yet"),
        DetailLine(label="marketplace", value=plain(story.marketplace_state)),
        DetailLine(label=f"MINUTES, BY WHOM ({zone_name(now, zone)})", value="", block=True),
        DetailLine(
            label="ordered", value=clock_text(story.ordered_at, zone, now), tone=Tone.MUTED
        ),
    ]
    for span in story.spans:
        until = f"until {clock_text(span.ended, zone, now)}" if span.ended else "goes on"
        lines.append(
            DetailLine(
                label=plain(span.stage.replace("_", " ").removesuffix("place")),
                value=f"{plain(span.whose)}  {in_words(span.business_s)} working "
                f"({in_words(span.elapsed_s)}), {until}",
                tone=Tone.PLAIN if span.ended else Tone.ACCENT,
            )
        )
    if story.confirmed_at is not None:
        at = clock_text(story.confirmed_at, zone, now)
        lines.append(DetailLine(label="confirmed", value=at, tone=Tone.GOOD))
    lines.append(DetailLine(label="IN ALL: WORKING TIME (ALL TIME)", value="", block=True))
    lines += [
        DetailLine(
            label=plain(each.whose),
            value=f"{in_words(each.business_s)} working ({in_words(each.elapsed_s)})",
        )
        for each in story.spent
    ]
    for parcel in story.parcels:
        lines += _parcel_lines(parcel)
    title = "ATTEMPTS AND ANSWERS"
    return [*lines, *life_lines(story.events, zone, now, title=title, cut=story.cut)]


def _parcel_lines(parcel: ParcelTold) -> list[DetailLine]:
    state = _state(parcel.state)
    tried = f"{parcel.attempts} attempt{'' if parcel.attempts == 1 else 's'}"
    number = plain(parcel.number) or "none yet"
    if parcel.number_state != "told":
        number += f" ({plain(parcel.number_state.replace('_', ' '))} at the marketplace, "
        number += f"which has {plain(parcel.number_told or 'none')})"
    carrier = f" = {plain(parcel.carrier)}" if parcel.carrier else ""
    items = ", ".join(f"{units} of {plain(code)}" for code, units in parcel.items)
    lines = [
        DetailLine(label=f"PARCEL {plain(parcel.parcel_key)}", value="", block=True),
        DetailLine(label="state", value=f"{state.text}, {tried}", tone=state.tone),
        DetailLine(label="courier", value=f"{plain(parcel.courier) or 'none named'}{carrier}"),
        DetailLine(label="number", value=number),
        DetailLine(label="holds", value=items),
    ]
    if parcel.shipment_id:
        lines.append(DetailLine(label="shipment", value=plain(parcel.shipment_id)))
    return lines


def _state(state: str) -> Cell:
    return _STATES.get(state) or Cell(f"? {plain(state)}", Tone.WARN)


def _due_cell(row: ParcelRow, now: datetime) -> Cell:
    """Near the deadline by the merchant's own rules, too."""
    cell = due_cell(_due(row), now)
    if row.standing == "at_risk" and cell.tone == Tone.PLAIN:
        return Cell(f"▲ {cell.text}", Tone.WARN)
    return cell
