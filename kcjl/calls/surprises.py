"""Counts what the marketplace sends and we do not know: names of fields, never values.

Promises: each surprise is said once to the log, counted from then on, and the number of
different ones is bounded; what comes beyond is counted together. It decides nothing.
Invariant: what stands in it came from outside only if it has the form of a name.
Called by the adapter, which finds them, and by `SyncLog`, which keeps them.
"""

import re
from datetime import datetime
from typing import TypeAlias

import structlog

from kcjl.calls.port import Surprise
from kcjl.clock import Clock

__all__ = ["UNREADABLE", "Surprises"]

DIFFERENT_MAX = 500
"""Another marketplace altogether would have more."""
BEYOND = "(others)"
NAMELESS = "(no name)"
UNREADABLE = "(unreadable)"
"""A part that was passed over can't be read at all."""
_PATH = re.compile(r"[A-Za-z_][\w\-\[\].]{0,119}\Z", re.ASCII)

_say = structlog.get_logger("kcjl.calls")


_Key: TypeAlias = tuple[str, str, str]
"""Operation, path, kind."""


class _Tally:
    """How often, and when."""

    def __init__(self, at: datetime, count: int) -> None:
        self.first = self.last = at
        self.count = count


class Surprises:
    """What one merchant's adapters did not know."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._uncounted: dict[_Key, _Tally] = {}
        self._known: set[_Key] = set()

    def field(self, operation: str, path: str) -> None:
        """A field came that neither we nor the contract know."""
        self._count(operation, path, "field")

    def word(self, operation: str, path: str) -> None:
        """A known field held a word that we do not know."""
        self._count(operation, path, "word")

    def taken(self) -> list[Surprise]:
        """What was counted since this was last asked."""
        counted, self._uncounted = self._uncounted, {}
        return [
            Surprise(
                operation=operation,
                field=field,
                kind=kind,
                count=tally.count,
                first_seen_at=tally.first,
                last_seen_at=tally.last,
            )
            for (operation, field, kind), tally in counted.items()
        ]

    def put_back(self, surprises: list[Surprise]) -> None:
        """They could not be kept: count them again with the next."""
        for each in surprises:
            key = (each.operation, each.field, each.kind)
            tally = self._uncounted.setdefault(key, _Tally(each.first_seen_at, 0))
            tally.first = min(tally.first, each.first_seen_at)
            tally.last = max(tally.last, each.last_seen_at)
            tally.count += each.count

    def _count(self, operation: str, path: str, kind: str) -> None:
        key = (operation, path if _PATH.match(path) or path == UNREADABLE else NAMELESS, kind)
        if key not in self._known:
            if len(self._known) >= DIFFERENT_MAX:
                key = (operation, BEYOND, kind)
            if key not in self._known:
                self._known.add(key)
                _say.info("answer_not_known", operation=operation, field=key[1], kind=kind)
        now = self._clock.now()
        tally = self._uncounted.setdefault(key, _Tally(now, 0))
        tally.last = max(tally.last, now)
        tally.count += 1
