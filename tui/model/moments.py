"""Times and spans as they are written on screen: London by default, UTC on request.

Promises: a time of day always stands beside its zone (in the cell, or in the head of its column
when the whole column shares it); a day that is not today is named; month names do not depend on
the machine's language. Spans are of the world's clock, as handed in.
Called by the view models.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from kcjl.clock import LONDON
from tui.model.shapes import Cell, Tone

__all__ = [
    "DUE_SOON_S",
    "Zone",
    "clock_text",
    "date_text",
    "due_cell",
    "full_text",
    "span_text",
    "zone_name",
]

DUE_SOON_S = 3600
"""A deadline closer than this is marked ▲: an hour is what one person needs to act."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Zone(StrEnum):
    """Where the wall clock hangs."""

    LONDON = "Europe/London"
    UTC = "UTC"

    def wall(self, moment: datetime) -> datetime:
        return moment.astimezone(UTC if self is Zone.UTC else LONDON)


def zone_name(moment: datetime, zone: Zone) -> str:
    """BST, GMT or UTC: what the zone is called at that moment."""
    return zone.wall(moment).tzname() or zone.value


def clock_text(moment: datetime, zone: Zone, now: datetime) -> str:
    """Short, for a column that is headed by the zone's name at `now`.

    A moment under another name (before the clocks changed) carries its own.
    """
    there, here = zone.wall(moment), zone.wall(now)
    if there.date() == here.date():
        text = f"{there:%H:%M:%S}"
    elif there.year == here.year:
        text = f"{there.day:02} {_MONTHS[there.month - 1]} {there:%H:%M}"
    else:
        text = f"{there.day:02} {_MONTHS[there.month - 1]} {there.year}"
    own = zone_name(moment, zone)
    return text if own == zone_name(now, zone) else f"{text} {own}"


def date_text(moment: datetime, zone: Zone) -> str:
    """E.g. Tue 7 Jul 2026."""
    there = zone.wall(moment)
    return f"{_DAYS[there.weekday()]} {there.day} {_MONTHS[there.month - 1]} {there.year}"


def full_text(moment: datetime, zone: Zone) -> str:
    """To the millisecond, with its zone, e.g. 2026-07-07 14:03:07.250 BST."""
    there = zone.wall(moment)
    milliseconds = there.microsecond // 1000
    return f"{there:%Y-%m-%d %H:%M:%S}.{milliseconds:03} {zone_name(moment, zone)}"


def span_text(span: timedelta) -> str:
    """The two largest units of a span, without its sign.

    >>> span_text(timedelta(hours=2, minutes=5, seconds=9))
    '2h 05m'
    """
    seconds = int(abs(span).total_seconds())
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds}s"
    if seconds < 3600:  # noqa: PLR2004 - an hour
        return f"{seconds // 60}m {seconds % 60:02}s"
    if seconds < 86400:  # noqa: PLR2004 - a day
        return f"{seconds // 3600}h {seconds % 3600 // 60:02}m"
    return f"{seconds // 86400}d {seconds % 86400 // 3600:02}h"


def due_cell(deadline: datetime | None, now: datetime) -> Cell:
    """How long is left; ▲ when that is little, ✖ and a minus when the moment has passed."""
    if deadline is None:
        return Cell("-", Tone.MUTED)
    left = deadline - now
    if left <= timedelta(0):
        return Cell(f"✖ -{span_text(left)}", Tone.BAD)
    if left.total_seconds() < DUE_SOON_S:
        return Cell(f"▲ {span_text(left)}", Tone.WARN)
    return Cell(span_text(left), Tone.PLAIN)
