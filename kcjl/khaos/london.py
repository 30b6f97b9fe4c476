"""London wall time: how the ERP writes and reads its moments.

Promises: aware UTC on our side, London wall time without a zone on the ERP's, right through
both clock changes; the ERP's ways of writing "no date" are None. It asks no clock.
Invariant: a "changed since" never comes out later on the ERP's wall than any change after it.
Called by the areas of the adapter and the documents. Source: contract khaos b.0, b.1.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

from kcjl.clock import LONDON
from kcjl.errors import ProtocolSurprise

__all__ = ["NO_MOMENT", "changed_since", "received_date", "received_moment", "wall_time"]

NO_MOMENT = "1899-12-31T00:00:00"
"""What is sent where a date is asked for and none is meant (as the vendor's connector does)."""

CLOCKS_APART = timedelta(seconds=30)
"""How much the ERP's clock may be ahead of ours before a stamp of now is taken for one past."""

STAMPS_MAX = 4_096
"""Stamps that are remembered as moments: each look at a list shows most of them again."""

_NO_DATE_YEAR_MAX = 1900
"""Years up to this one are the Delphi zero date and its like."""

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\Z"
)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[T ].*)?\Z")


def wall_time(moment: datetime) -> str:
    """An aware moment as the ERP wants it: `YYYY-MM-DDTHH:MM:SS`, London, no zone.

    >>> wall_time(datetime(2026, 7, 2, 8, 14, tzinfo=UTC))
    '2026-07-02T09:14:00'
    """
    return moment.astimezone(LONDON).strftime("%Y-%m-%dT%H:%M:%S")


def changed_since(moment: datetime) -> str:
    """A cursor as wall time, early enough to lose nothing when the clocks go back.

    In the hour that comes twice, what happens the second time is stamped like the first; from
    a moment in the first one, the whole hour is asked for.
    """
    wall = moment.astimezone(LONDON)
    comes_again = wall.fold == 0 and wall.utcoffset() != wall.replace(fold=1).utcoffset()
    if comes_again:
        wall = wall.replace(minute=0, second=0)
    return wall.strftime("%Y-%m-%dT%H:%M:%S")


def received_moment(text: str | None, *, now: datetime | None = None) -> datetime | None:
    """A moment from a typed result as aware UTC; None where the ERP means none.

    A closing `Z` (or a zero offset) is decoration: the value is London wall time. An offset
    of hours is believed. A wall time that comes twice is the last one that is not after `now`
    (the first one without it): who asks what is new gets too much, and nothing too little.
    """
    if not text or not (bare := text.strip()) or not (read := _both(bare)):
        return None
    first, again = read
    return again if now is not None and first < again <= now + CLOCKS_APART else first


@lru_cache(maxsize=STAMPS_MAX)
def _both(bare: str) -> tuple[datetime, datetime] | None:
    """The first moment at which London's clocks showed it, and the last; None: no moment."""
    parts = _ISO.match(bare)
    if parts is None:
        day = received_date(bare)
        return None if day is None else _from_wall(datetime.combine(day, time()))
    year, month, day_of_month = (int(parts[n]) for n in (1, 2, 3))
    if year <= _NO_DATE_YEAR_MAX:
        return None
    hour, minute, second = (int(parts[n] or 0) for n in (4, 5, 6))
    micro = int((parts[7] or "0").ljust(6, "0")[:6])
    try:
        wall = datetime(year, month, day_of_month, hour, minute, second, micro)  # noqa: DTZ001 - as above
    except ValueError:
        raise ProtocolSurprise(f"Khaos Control sent {bare!r} as a date") from None
    offset = _offset(parts[8])
    if offset:
        believed = wall.replace(tzinfo=timezone(offset)).astimezone(UTC)
        return believed, believed
    return _from_wall(wall)


def received_date(text: str | None) -> date | None:
    """A date from a document (`DD/MM/YYYY`, or ISO); None where the ERP means none.

    Raises ProtocolSurprise when it is no date.
    """
    if not text or not (bare := text.strip()) or not bare.strip("0/-: T.Z"):
        return None
    iso, slashed = _ISO.match(bare), _SLASHED.match(bare)
    if iso is not None:
        year, month, day = int(iso[1]), int(iso[2]), int(iso[3])
    elif slashed is not None:
        year, month, day = int(slashed[3]), int(slashed[2]), int(slashed[1])
    else:
        raise ProtocolSurprise(f"Khaos Control sent {bare[:40]!r} as a date")
    if year <= _NO_DATE_YEAR_MAX:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        raise ProtocolSurprise(f"Khaos Control sent {bare!r} as a date") from None


def _from_wall(wall: datetime) -> tuple[datetime, datetime]:
    here = wall.replace(tzinfo=LONDON)
    return here.astimezone(UTC), here.replace(fold=1).astimezone(UTC)


def _offset(zone: str | None) -> timedelta:
    if not zone or zone == "Z":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    size = timedelta(hours=hours, minutes=minutes)
    return -size if zone[0] == "-" else size
