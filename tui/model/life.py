"""The life of an order in a detail pane: each event under its cause, and both its clocks.

Promises: each event says its position (to be typed after the colon); the second clock stands
there where it differs from the first by a second or more. Called by the orders' and dispatch's
details.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kcjl.readmodels_orders import LifeEvent
from tui.model.moments import Zone, clock_text, zone_name
from tui.model.plain import plain
from tui.model.shapes import DetailLine, Tone

__all__ = ["life_lines"]

_INDENT = "  "
_TOLD_LATE = timedelta(seconds=1)
_BAD = ("Refused", "GivenUp", "Vanished", "Late", "Failed")
_DOUBTFUL = ("Held", "Unknown", "AtRisk", "Overdue", "Missing", "Unmapped", "Malformed")
_GOOD = ("Posted", "Confirmed", "Released", "Cleared", "Written")


def life_lines(
    events: Sequence[LifeEvent], zone: Zone, now: datetime, *, title: str, cut: bool
) -> tuple[DetailLine, ...]:
    """The tree, drawn from the top."""
    heading = f"{title} ({zone_name(now, zone)})" + (", cut: it is longer" if cut else "")
    lines = [DetailLine(label=heading, value="", block=True)]
    for event in events:
        branch = _INDENT * (event.depth - 1) + "└ " if event.depth else ""
        said = f": {plain(event.said)}" if event.said else ""
        lines.append(
            DetailLine(
                label=f"#{event.position}",
                value=f"{branch}{plain(event.type)}{said}",
                tone=_tone(event.type),
            )
        )
        under = _INDENT * (event.depth + 1 if event.depth else 1)
        lines.append(
            DetailLine(
                label="", value=f"{under}{_clocks(event, zone, now)}, by {plain(event.by)}"
            )
        )
    return tuple(lines)


def _clocks(event: LifeEvent, zone: Zone, now: datetime) -> str:
    """When it was true outside, and when we learnt it."""
    learnt = clock_text(event.recorded_at, zone, now)
    if abs(event.recorded_at - event.occurred_at) < _TOLD_LATE:
        return learnt
    return f"true {clock_text(event.occurred_at, zone, now)}, learnt {learnt}"


def _tone(name: str) -> Tone:
    for ends, tone in ((_BAD, Tone.BAD), (_DOUBTFUL, Tone.WARN), (_GOOD, Tone.GOOD)):
        if name.endswith(ends):
            return tone
    return Tone.ACCENT
