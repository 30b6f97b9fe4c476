"""Orders: where each stands, until when, what it is worth, why it is held; and its life.

Promises: the order is the source's (soonest deadline first, then the newest that ended); the
buyer is never in it. Called by the orders screen.
"""

from datetime import datetime
from decimal import Decimal

from kcjl.readmodels_orders import OrderList, OrderRow, OrderStory
from tui.model.amounts import count_text, cut_text, money_text
from tui.model.filtering import Filter, FilterFields
from tui.model.life import life_lines
from tui.model.moments import Zone, due_cell, full_text, span_text
from tui.model.plain import plain, plain_block
from tui.model.shapes import Cell, Column, DetailLine, DetailView, Row, Tone

__all__ = [
    "ORDER_COLUMNS",
    "ORDER_FIELDS",
    "found_text",
    "matching_orders",
    "order_detail",
    "order_row",
    "orders_title",
]

ORDER_COLUMNS = (
    Column(title="ORDER", width_min=13, width_max=24),
    Column(title="STATE", width_min=11, width_max=13),
    Column(title="DUE IN", width_min=10, width_max=12),
    Column(title="TO", width_min=6, width_max=6),
    Column(title="VALUE", width_min=11, width_max=16, right=True),
    Column(title="ERP", width_min=8, width_max=14),
    Column(title="SKUS", width_min=10, width_max=30, rank=1),
    Column(title="AGE", width_min=7, width_max=8, rank=4, right=True),
    Column(title="REFERENCE", width_min=10, width_max=20, rank=5),
    Column(title="HELD WHY", width_min=24, width_max=400, rank=2),
)

_STANDINGS = {
    "received": Cell("● received", Tone.PLAIN),
    "held": Cell("▲ held", Tone.WARN),
    "accepted": Cell("● accepted", Tone.PLAIN),
    "ready": Cell("● ready", Tone.PLAIN),
    "posting": Cell("● posting", Tone.ACCENT),
    "posted": Cell("✓ posted", Tone.GOOD),
    "shipped": Cell("✓ shipped", Tone.GOOD),
    "closed": Cell("· closed", Tone.MUTED),
    "cancelled": Cell("· cancelled", Tone.MUTED),
    "passed_over": Cell("· not ours", Tone.MUTED),
}
_DONE = frozenset({"shipped", "closed", "cancelled", "passed_over"})


def _due(row: OrderRow) -> datetime | None:
    """Of what is done nothing is due."""
    return None if row.standing in _DONE else row.deadline


def _awaited(row: OrderRow) -> str:
    """What the deadline is of."""
    if _due(row) is None:
        return ""
    return "accept" if row.marketplace_state == "WAITING_ACCEPTANCE" else "ship"


def _left_s(row: OrderRow, now: datetime) -> Decimal | None:
    due = _due(row)
    return None if due is None else Decimal(int((due - now).total_seconds()))


def _age_s(row: OrderRow, now: datetime) -> Decimal:
    return Decimal(int((now - row.placed_at).total_seconds()))


ORDER_FIELDS: FilterFields[OrderRow] = FilterFields(
    texts={
        "order": lambda row: row.order_id,
        "state": lambda row: row.standing,
        "marketplace": lambda row: row.marketplace_state,
        "to": _awaited,
        "sku": lambda row: " ".join(row.skus),
        "erp": lambda row: row.erp_order_code,
        "reference": lambda row: row.reference,
        "held": lambda row: row.held,
        "rule": lambda row: row.rule,
    },
    measures={
        "value": lambda row, _now: row.total.decimal(),
        "left": _left_s,
        "age": _age_s,
    },
    aliases={"class": "state", "due": "left", "money": "value", "ref": "reference"},
)


def order_row(row: OrderRow, now: datetime) -> Row:
    return Row(
        key=row.order_id,
        cells=(
            Cell(plain(row.order_id), Tone.ACCENT),
            _standing(row.standing),
            due_cell(_due(row), now),
            Cell(_awaited(row) or "-", Tone.MUTED),
            Cell(money_text(row.total)),
            Cell(plain(row.erp_order_code) or "-"),
            Cell(plain(", ".join(row.skus))),
            Cell(span_text(now - row.placed_at), Tone.MUTED),
            Cell(plain(row.reference), Tone.MUTED),
            Cell(plain(row.held), Tone.WARN),
        ),
    )


def matching_orders(
    held: OrderList | None, wanted: Filter[OrderRow], now: datetime
) -> tuple[OrderRow, ...]:
    rows = () if held is None else held.rows
    return tuple(row for row in rows if wanted.matches(row, now)) if wanted else rows


def orders_title(held: OrderList | None, matching: int | None) -> str:
    """How much of the list is on screen."""
    if held is None:
        return "Orders"
    if held.found_in:
        return found_text(held.found_in, len(held.rows), held.total, held.searched, held.open)
    waiting = f"{count_text(held.open)} wait · " if matching is None else ""
    return waiting + cut_text(len(held.rows), held.total, of="order", matching=matching)


def found_text(word: str, shown: int, total: int, searched: int, waiting: int) -> str:
    """What was looked for beyond what is loaded, how much was found, and where.

    >>> found_text("lamp", 3, 3, 5000, 8000)
    '3 with «lamp» in the 5,000 most urgent of 8,000 that wait'
    """
    first = f"first {count_text(shown)} of " if shown < total else ""
    if not searched:
        where = "in their ids"
    elif searched < waiting:
        where = f"in the {count_text(searched)} most urgent of {count_text(waiting)} that wait"
    else:
        where = "among those that wait"
    return f"{first}{count_text(total)} with «{plain(word)}» {where}"


def order_detail(
    row: OrderRow, story: OrderStory | None, now: datetime, zone: Zone
) -> DetailView:
    """All about one order; until its life has come, what the list knows."""
    due = due_cell(_due(row), now)
    standing = _standing(row.standing)
    lines = [
        DetailLine(
            label="state",
            value=f"{standing.text} (marketplace {plain(row.marketplace_state)})",
            tone=standing.tone,
        )
    ]
    if row.held:
        rule = f" (rule {row.rule}, policy {row.policy_version})" if row.rule else ""
        why = plain_block(f"{row.held}{rule}")
        lines.append(DetailLine(label="held", value=why, tone=Tone.WARN))
    if row.deadline is not None:
        to = f" to {_awaited(row)}" if _awaited(row) else ""
        left = f"{due.text}{to}, " if due.text != "-" else ""
        lines.append(
            DetailLine(label="due", value=left + full_text(row.deadline, zone), tone=due.tone)
        )
    lines += [
        DetailLine(label="value", value=money_text(row.total)),
        DetailLine(label="placed", value=full_text(row.placed_at, zone)),
        DetailLine(label="reference", value=plain(row.reference)),
        DetailLine(label="ERP order", value=plain(row.erp_order_code) or "none yet"),
    ]
    if story is None or story.order_id != row.order_id:
        lines.append(DetailLine(label="life", value="Reading…", tone=Tone.MUTED, block=True))
    else:
        lines += _story_lines(story, now, zone)
    return DetailView(key=row.order_id, title=plain(row.order_id), lines=tuple(lines))


def _story_lines(story: OrderStory, now: datetime, zone: Zone) -> list[DetailLine]:
    tried = f", attempt {story.posting_attempts}" if story.posting_attempts else ""
    return [
        DetailLine(label="acceptance", value=plain(story.acceptance)),
        DetailLine(label="posting", value=f"{plain(story.posting)}{tried}"),
        DetailLine(
            label="buyer", value="masked (B asks for it)" if story.buyer else "not told yet"
        ),
        DetailLine(label="country", value=plain(story.country) or "not told yet"),
        DetailLine(label="LINES", value="", block=True),
        *(
            DetailLine(
                label=f"{line.quantity} of",
                value=f"{plain(line.sku)}  {money_text(line.price)}  {plain(line.state)}  "
                f"{plain(line.line_id)}"
                + (f"  {money_text(line.refunded)} refunded" if line.refunded else ""),
            )
            for line in story.lines
        ),
        *life_lines(story.events, zone, now, title="LIFE, BY CAUSE", cut=story.cut),
    ]


def _standing(standing: str) -> Cell:
    return _STANDINGS.get(standing) or Cell(f"? {plain(standing)}", Tone.WARN)
