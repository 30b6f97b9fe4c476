"""Things by the time they last changed, read in pages while they go on changing.

Promises: a page costs what it holds, not what there is; what changes while a reader pages moves
to the end and is met again, and nothing is passed over. Places never move, so a place can be
handed out as a page token. Memory is one entry a change (a handful for each order or line).
Invariant: `touch` is called with times that never fall. Called by the book and the ledger.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

__all__ = ["Recency", "seek"]

T = TypeVar("T")


class Recency:
    """Keys in the order of their last change."""

    def __init__(self) -> None:
        self._times: list[datetime] = []
        self._keys: list[str] = []
        self._place: dict[str, int] = {}

    def touch(self, key: str, when: datetime) -> None:
        self._place[key] = len(self._keys)
        self._keys.append(key)
        self._times.append(when)

    def place(self, key: str) -> int:
        return self._place[key]

    def key_at(self, place: int) -> str:
        return self._keys[place]

    def between(self, since: datetime | None, until: datetime | None) -> range:
        """Places from one time to another, both included."""
        first = 0 if since is None else bisect_left(self._times, since)
        last = len(self._times) if until is None else bisect_right(self._times, until)
        return range(first, max(first, last))

    def current(self, places: Iterable[int]) -> Iterator[int]:
        """Of these places, those where a key stands now."""
        return (place for place in places if self._place[self._keys[place]] == place)


def seek(
    places: Iterable[int], fetch: Callable[[int], T], accept: Callable[[T], bool], limit: int
) -> tuple[list[T], int | None]:
    """The first `limit` accepted things, and the place of the last where more follow."""
    rows: list[T] = []
    last: int | None = None
    for place in places:
        thing = fetch(place)
        if not accept(thing):
            continue
        if len(rows) == limit:
            return rows, last
        rows.append(thing)
        last = place
    return rows, None
