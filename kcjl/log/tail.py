"""The newest events in memory, and the bell that wakes those who follow.

Promises: holds a bounded run of events without a gap up to the last one; a follower who asks
for what was let go is told so, and reads it from the database. It reads nothing itself.
Invariant: `extend` is called in order of position, and only with what is durable.
Called by `writer.py` and `memory.py` (in), `follow()` of either keeper (out).
"""

from collections.abc import Sequence
from itertools import accumulate

import anyio

from kcjl.errors import KcjlError
from kcjl.log.port import PAGE_EVENTS_MAX, Recorded

__all__ = ["TAIL_BYTES_MAX", "TAIL_EVENTS_MAX", "Tail"]

TAIL_EVENTS_MAX = 10_000
"""Events kept in memory a merchant: some ten megabytes, and minutes of a busy day."""
TAIL_BYTES_MAX = 4 << 20
"""Of payload: a stock import of thousands of figures is as large as thousands of events."""


class Tail:
    """A run of events that ends at the log's end."""

    def __init__(
        self,
        position: int,
        *,
        events_max: int = TAIL_EVENTS_MAX,
        bytes_max: int = TAIL_BYTES_MAX,
    ) -> None:
        self.last = position
        """Position of the last durable event."""
        self.ended = False
        self.error: KcjlError | None = None
        """Why it ended, when not on purpose."""
        self._events_max = events_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._events: list[Recorded] = []
        self._bell: anyio.Event | None = None
        """Of those who wait; None: nobody does."""

    def extend(self, events: Sequence[Recorded]) -> None:
        if not events:
            return
        self._events.extend(events)
        self.last = events[-1].position
        self._bytes += sum(len(each.data) for each in events)
        # Cut seldom and in bulk: cutting one by one would move the whole list each time.
        if len(self._events) > 2 * self._events_max:
            self._cut(len(self._events) - self._events_max)
        if self._bytes > 2 * self._bytes_max:
            sizes = accumulate(len(each.data) for each in reversed(self._events))
            self._cut(sum(size > self._bytes_max for size in sizes))
        self._ring()

    def _cut(self, events: int) -> None:
        """Let go of the oldest."""
        self._bytes -= sum(len(each.data) for each in self._events[:events])
        del self._events[:events]

    def end(self, error: KcjlError | None = None) -> None:
        self.ended, self.error = True, error
        self._ring()

    def after(self, position: int, *, to: int) -> Sequence[Recorded] | None:
        """A page of `position < … <= to`; None when its beginning is not held any more."""
        first = self.last - len(self._events) + 1
        if position + 1 < first:
            return None
        start = position + 1 - first
        return self._events[start : min(start + PAGE_EVENTS_MAX, max(to + 1 - first, 0))]

    async def wait_beyond(self, position: int) -> bool:
        """Wait for an event after `position`; False when there will be none."""
        while self.last <= position and not self.ended:
            if self._bell is None:
                self._bell = anyio.Event()
            await self._bell.wait()
        return self.last > position

    def _ring(self) -> None:
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.set()
