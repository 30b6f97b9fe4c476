"""A world's time and what is going to happen in it.

Promises: things happen in order of time (then in the order they were planned), each at its own
time, however far `advance` jumps; chance comes from one seed. It keeps no wall clock, does no
I/O. Invariant: the same seed, the same plans and the same calls give the same world.
Called by the marketplace, the warehouse and the trade of the sandbox.
"""

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from kcjl.clock import chance

__all__ = ["Agenda"]

T = TypeVar("T")


class Agenda:
    """The time of one world, and its plans."""

    def __init__(self, now: datetime, seed: int) -> None:
        self.now = now
        self.chance = chance(seed)
        self._plans: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def at(self, when: datetime, action: Callable[[], None]) -> None:
        """Plan an action; a time that has passed means as soon as the world moves on."""
        heapq.heappush(self._plans, (max(when, self.now), next(self._count), action))

    def after(self, delay: timedelta, action: Callable[[], None]) -> None:
        self.at(self.now + delay, action)

    def advance(self, to: datetime) -> int:
        """Let everything happen that is due until then; returns how many things did."""
        happened = 0
        while self._plans and self._plans[0][0] <= to:
            when, _, action = heapq.heappop(self._plans)
            self.now = when
            action()
            happened += 1
        self.now = max(self.now, to)
        return happened

    def planned(self, kind: type[T]) -> list[tuple[datetime, T]]:
        """What of a kind is going to happen, in its order."""
        return [
            (when, action)
            for when, _, action in sorted(self._plans, key=lambda plan: plan[:2])
            if isinstance(action, kind)
        ]

    def forget(self, kind: type) -> None:
        """Nothing of a kind happens any more, as far as it is planned now."""
        self._plans = [plan for plan in self._plans if not isinstance(plan[2], kind)]
        heapq.heapify(self._plans)

    @property
    def next_at(self) -> datetime | None:
        return self._plans[0][0] if self._plans else None

    def new_id(self) -> str:
        """A UUID in the world's own chance: 8-4-4-4-12."""
        digits = f"{self.chance.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
