"""A clock for tests: it stands still, and goes forward when it is told.

Promises: `sleep` returns when `forward` has passed its end, sleepers in the order in which they
are due; nothing waits for real time. It knows nothing of what runs under it.
Invariant: after `forward` everything that could run without more time has run.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import anyio.lowlevel

from kcjl.clock import Bell

__all__ = ["MORNING", "Clockwork"]

MORNING = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)
SETTLE_ROUNDS = 200
"""Turns of the event loop in which whatever was woken comes to rest."""


class Clockwork:
    """The time is what a test says."""

    def __init__(self, at: datetime = MORNING) -> None:
        self._now = at
        self._sleepers: list[tuple[datetime, Bell]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await self.pause(seconds, Bell())

    async def pause(self, seconds: float, bell: Bell) -> None:
        sleeper = (self._now + timedelta(seconds=seconds), bell)
        self._sleepers.append(sleeper)
        try:
            if seconds > 0:
                await bell.heard_within(math.inf)
            else:
                await anyio.lowlevel.checkpoint()
        finally:
            self._sleepers.remove(sleeper)

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:  # noqa: ARG002 - the protocol
        """The fakes of the tests answer at once: no real time is counted."""
        yield

    def tick(self, seconds: float) -> None:
        """Only the hands: nobody is woken (for tests that run no task)."""
        self._now += timedelta(seconds=seconds)

    async def settle(self) -> None:
        """Let everything run that needs no more time."""
        for _ in range(SETTLE_ROUNDS):
            await anyio.lowlevel.checkpoint()

    async def forward(self, seconds: float) -> None:
        """Let so much time pass, sleeper by sleeper."""
        until = self._now + timedelta(seconds=seconds)
        await self.settle()
        while due := [each for each in self._sleepers if each[0] <= until]:
            first = min(due, key=lambda each: each[0])
            self._now = max(self._now, first[0])
            first[1].ring()
            await self.settle()
        self._now = until
        await self.settle()
