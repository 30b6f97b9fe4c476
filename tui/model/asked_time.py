"""A time or a position of the log as people write it, for `:at`.

    14:03   14:03:30   2026-10-31   2026-10-31 23:59   yesterday 18:00   -2h   #120345

Promises: a bare time of day is the last such time; a day alone is its end; a Z at the end is
UTC, whatever the screen shows. What can't be read is refused in one line with examples.
Called by the command line and by proposals.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

from kcjl.clock import LONDON
from kcjl.errors import Misuse
from tui.model.moments import Zone

__all__ = ["asked_time", "asked_until"]

_EXAMPLES = "14:03 · 2026-10-31 23:59 · yesterday 18:00 · -2h · #120345"
_BACK = re.compile(r"^-(\d+)(s|m|h|d)$")
_AHEAD = re.compile(r"^(\d+)(m|h|d)$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def asked_time(text: str, *, now: datetime, zone: Zone) -> int | datetime:
    """A position, or aware UTC. Raises Misuse for what is neither, or lies ahead."""
    words = text.strip().split()
    if len(words) == 1 and words[0].startswith("#"):
        number = words[0][1:].replace(",", "")
        if number.isascii() and number.isdigit():
            return int(number)
    back = _BACK.match(text.strip())
    if back is not None:
        return now - timedelta(**{_UNITS[back[2]]: int(back[1])})
    moment = _moment(words, now, zone)
    if moment is None:
        raise Misuse(f"«{text}» is no time and no position: {_EXAMPLES}")
    if moment > now:
        raise Misuse(f"«{text}» lies ahead: only what has happened can be seen")
    return moment


def asked_until(text: str, *, now: datetime, zone: Zone) -> datetime:
    """A moment to come: 30m, 4h, 2d from now, or a day and a time. Raises Misuse."""
    span = _AHEAD.match(text.strip())
    if span is not None:
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    moment = _moment(text.split(), now, zone)
    if moment is None or moment <= now:
        raise Misuse(f"«{text}» is no time to come: 30m · 4h · 2d · 2026-10-31 09:00")
    return moment


def _moment(words: list[str], now: datetime, zone: Zone) -> datetime | None:
    if words and words[-1][-1:] in "zZ" and len(words[-1]) > 1:
        words, zone = [*words[:-1], words[-1][:-1]], Zone.UTC
    if len(words) == 1 and "T" in words[0]:
        words = words[0].split("T")
    today = zone.wall(now).date()
    match words:
        case [one]:
            of_day = _time(one)
            if of_day is not None:
                moment = _utc(today, of_day, zone)
                return moment if moment <= now else _utc(_before(today), of_day, zone)
            day = _day(one, today)
            if day is None:
                return None
            end = _utc(day + timedelta(days=1), time(), zone) - timedelta(microseconds=1)
            return min(end, now) if day == today else end
        case [one, other]:
            day, of_day = _day(one, today), _time(other)
            return None if day is None or of_day is None else _utc(day, of_day, zone)
    return None


def _time(text: str) -> time | None:
    if ":" not in text:
        return None
    try:
        return time.fromisoformat(text if text.index(":") > 1 else f"0{text}")
    except ValueError:
        return None


def _day(text: str, today: date) -> date | None:
    if text in {"today", "yesterday"}:
        return today if text == "today" else _before(today)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _before(day: date) -> date:
    return day - timedelta(days=1)


def _utc(day: date, of_day: time, zone: Zone) -> datetime:
    there = UTC if zone is Zone.UTC else LONDON
    return datetime.combine(day, of_day.replace(tzinfo=None), tzinfo=there).astimezone(UTC)
