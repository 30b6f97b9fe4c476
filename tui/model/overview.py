"""The lanes of the overview: each concern's counts, deadline, facts, rate and age.

Promises: a lane that the service does not report says so; counts carry ↑ or ↓ when they moved
since the answer before; facts that do not fit are counted, never dropped in silence.
Called by the overview screen; drawn by the lane pane.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kcjl.readmodels import Lane, Overview
from tui.model.amounts import count_text
from tui.model.freshness import AgeLimits, age_cell
from tui.model.moments import due_cell
from tui.model.plain import cells_of, plain
from tui.model.shapes import Cell, TextLine, Tone
from tui.model.sparkline import sparkline, sparkline_caption

__all__ = ["LANES", "LaneView", "lane_lines", "lane_names", "lane_view"]

LANES = ("Stock", "Orders", "Dispatch", "Money")
"""The lanes that are always there, in the order of the trade."""

_ONE_LINE_WIDTH_MIN = 34
_SPARK_WIDTH_MIN = 8


class LaneView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    age: Cell
    """Age of the last read of the outside."""
    done: Cell
    waiting: Cell
    excepted: Cell
    due: Cell
    facts: tuple[tuple[str, str], ...]
    per_minute: tuple[int, ...]


def lane_names(overview: Overview | None) -> tuple[str, ...]:
    """The lanes to show: the known ones, and whatever else the service reports."""
    reported = () if overview is None else tuple(lane.name for lane in overview.lanes)
    return (*LANES, *(name for name in reported if name not in LANES))


def lane_view(
    name: str,
    overview: Overview | None,
    *,
    before: Overview | None,
    now: datetime,
    limits: AgeLimits,
) -> LaneView | None:
    """None when there is no such lane in the answer."""
    lane = _lane(name, overview)
    if lane is None:
        return None
    old = _lane(name, before) or lane
    waiting_tone = Tone.PLAIN if lane.waiting else Tone.MUTED
    excepted_tone = Tone.BAD if lane.excepted else Tone.MUTED
    sign = "✖ " if lane.excepted else ""
    return LaneView(
        name=plain(lane.name),
        age=age_cell(
            lane.last_read_at, now, ageing_s=limits.lane_ageing_s, stale_s=limits.lane_stale_s
        ),
        done=Cell(f"{count_text(lane.done)}{_moved(old.done, lane.done)}"),
        waiting=Cell(
            f"{count_text(lane.waiting)}{_moved(old.waiting, lane.waiting)}", waiting_tone
        ),
        excepted=Cell(
            f"{sign}{count_text(lane.excepted)}{_moved(old.excepted, lane.excepted)}",
            excepted_tone,
        ),
        due=due_cell(lane.oldest_deadline, now),
        facts=tuple((plain(label), plain(value)) for label, value in lane.facts),
        per_minute=lane.per_minute,
    )


def lane_lines(view: LaneView, width: int, height: int) -> tuple[TextLine, ...]:
    """The pane's text for a size: counts first, the rate last, facts in what is left."""
    counts = _counts(view, width)
    rate = _rate(view, width, lines_max=2 if height >= len(counts) + 3 else 1)
    room = max(0, height - len(counts) - len(rate))
    facts = _facts(view.facts, width, room)
    blank = ((),) * (room - len(facts))
    return (*counts, *facts, *blank, *rate)[:height]


def _lane(name: str, overview: Overview | None) -> Lane | None:
    lanes = () if overview is None else overview.lanes
    return next((lane for lane in lanes if lane.name == name), None)


def _moved(before: int, now: int) -> str:
    if now == before:
        return ""
    return "↑" if now > before else "↓"


def _counts(view: LaneView, width: int) -> tuple[TextLine, ...]:
    named = (("done", view.done), ("waiting", view.waiting), ("excepted", view.excepted))
    due = _pair("oldest due", view.due, width)
    if width < _ONE_LINE_WIDTH_MIN:
        return (*(_pair(label, cell, width) for label, cell in named), due)
    line: list[Cell] = []
    for label, cell in named:
        line += [Cell("  " if line else ""), cell, Cell(f" {label}", Tone.MUTED)]
    if sum(cells_of(cell.text) for cell in line) > width:
        return (*(_pair(label, cell, width) for label, cell in named), due)
    return (tuple(line), due)


def _pair(label: str, value: Cell, width: int) -> TextLine:
    """A name at the left, its value at the right edge."""
    gap = max(1, width - cells_of(label) - cells_of(value.text))
    return (Cell(label, Tone.MUTED), Cell(" " * gap), value)


def _facts(facts: Sequence[tuple[str, str]], width: int, room: int) -> tuple[TextLine, ...]:
    if room <= 0 or not facts:
        return ()
    if len(facts) <= room:
        return tuple(_pair(label, Cell(value), width) for label, value in facts)
    lines = [_pair(label, Cell(value), width) for label, value in facts[: room - 1]]
    left = facts[room - 1 :]
    joined: list[Cell] = []
    for taken, (label, value) in enumerate(left):
        more = f"  +{len(left) - taken} more"
        piece = f"{'  ' if joined else ''}{label} {value}"
        used = sum(cells_of(cell.text) for cell in joined)
        reserve = 0 if taken == len(left) - 1 else len(more)
        if joined and used + cells_of(piece) + reserve > width:
            joined.append(Cell(more, Tone.MUTED))
            break
        joined += [Cell(f"{'  ' if joined else ''}{label} ", Tone.MUTED), Cell(value)]
    return (*lines, tuple(joined))


def _rate(view: LaneView, width: int, *, lines_max: int) -> tuple[TextLine, ...]:
    if lines_max > 1:
        spark = sparkline(view.per_minute, width)
        caption = sparkline_caption(view.per_minute, width)
        return ((Cell(spark, Tone.ACCENT),), (Cell(caption, Tone.MUTED),))
    caption = sparkline_caption(view.per_minute, width)
    spark_width = max(_SPARK_WIDTH_MIN, width - len(caption) - 1)
    caption = sparkline_caption(view.per_minute, spark_width)
    spark = sparkline(view.per_minute, spark_width)
    return ((Cell(f"{spark} ", Tone.ACCENT), Cell(caption, Tone.MUTED)),)
