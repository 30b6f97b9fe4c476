"""How values are written into a request: moments, ids in a path, lists of ids, JSON bodies.

Promises: moments are UTC in whole seconds, rounded down, so that a filter misses nothing; an id
is one segment of the path, whatever it holds; amounts are JSON numbers with all their places,
never floats. It sends nothing. Called by `seller_api.py` and the modules beside it.
Source: contract johnlewis b.0, d.2.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote

import msgspec

from kcjl.errors import Misuse

__all__ = ["IDS_MAX", "chunks", "distinct_ids", "json_of", "moment", "segment"]

IDS_MAX = 100
"""Ids in one filter, items in one PUT of orders or returns; more is a 400 (b.0, d.2)."""

_Item = TypeVar("_Item")
_encoder = msgspec.json.Encoder(decimal_format="number")


def moment(when: datetime) -> str:
    """ISO 8601 in UTC, whole seconds: the fraction is cut, so that nothing is missed.

    >>> from datetime import datetime, timezone
    >>> moment(datetime(2026, 2, 3, 8, 0, 0, 999_000, timezone.utc))
    '2026-02-03T08:00:00Z'
    """
    if when.tzinfo is None:
        raise Misuse(f"{when} has no time zone")
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def segment(name: str) -> str:
    """An id as one segment of a path."""
    if not name.strip() or set(name) == {"."}:
        raise Misuse(f"{name!r} can't be an id")
    return quote(name, safe="")


def distinct_ids(ids: Sequence[str], what: str) -> list[str]:
    """Each id once, in the order of asking. Raises Misuse for what no filter can hold."""
    wanted = list(dict.fromkeys(ids))
    if any(not each.strip() or "," in each for each in wanted):
        raise Misuse(f"{what}: an id is empty or holds a comma")
    return wanted


def chunks(items: Sequence[_Item], size: int = IDS_MAX) -> Iterator[Sequence[_Item]]:
    """Parts of at most so many; of nothing, none."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def json_of(body: object) -> bytes:
    """A JSON body; decimals are numbers."""
    return _encoder.encode(body)
