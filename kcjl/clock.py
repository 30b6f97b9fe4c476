"""The only place that asks the time, sleeps, or makes ids and chance.

Promises: `Clock` is handed in everywhere; a service clock can run with a sandbox world that is
faster than life. It does not decide schedules. Invariant: `now()` is aware UTC; durations are
seconds of the clock's own (world) time, deadlines on sockets are seconds of real time.
Called by actors, adapters, the sandbox and the CLI; never by a decider.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

import anyio

__all__ = [
    "LONDON",
    "Bell",
    "Clock",
    "Ids",
    "RandomIds",
    "RealClock",
    "SeededIds",
    "WorldClock",
    "chance",
    "next_time_of_day",
    "real_monotonic",
    "real_now",
    "real_sleep",
]

LONDON = ZoneInfo("Europe/London")


class Bell:
    """Ends a pause before its time. One at a time waits for it."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[bool] | None = None

    def ring(self) -> None:
        """Whoever waits goes on; where nobody waits, nobody has heard it."""
        self._end(heard=True)

    async def heard_within(self, seconds: float) -> bool:
        """Wait real seconds for it; False when they are over.

        A timer and a future: to cancel a sleep takes a scope, and several times as long.
        """
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[bool] = loop.create_future()
        self._waiting = waiting
        timer = loop.call_later(seconds, partial(self._end, heard=False))
        try:
            return await waiting
        finally:
            timer.cancel()
            self._waiting = None

    def _end(self, *, heard: bool) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(heard)


class Clock(Protocol):
    """What time it is, and waiting."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of this clock's time."""
        ...

    async def pause(self, seconds: float, bell: Bell) -> None:
        """Wait so long, or until the bell rings."""
        ...

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Raise TimeoutError when the block takes longer than so many REAL seconds."""
        ...


class RealClock:
    """The time of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def pause(self, seconds: float, bell: Bell) -> None:
        await bell.heard_within(seconds)

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        with anyio.fail_after(seconds):
            yield


class WorldClock(RealClock):
    """A sandbox world's time: `speed` times faster than life; speed 0 stands still.

    `anchor` is called again whenever the world says where it is now.
    """

    def __init__(self, world_now: datetime, speed: float) -> None:
        self._base = world_now
        self._mono = time.monotonic()
        self.speed = speed

    def anchor(self, world_now: datetime, speed: float) -> None:
        self._base = world_now
        self._mono = time.monotonic()
        self.speed = speed

    def now(self) -> datetime:
        return self._base + timedelta(seconds=(time.monotonic() - self._mono) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Wait for world seconds, also when the world changes its pace or stands still."""
        await self.pause(seconds, Bell())

    async def pause(self, seconds: float, bell: Bell) -> None:
        until = self.now() + timedelta(seconds=seconds)
        while (left_s := (until - self.now()).total_seconds()) > 0:
            pause_s = min(left_s / self.speed, 0.5) if self.speed > 0 else 0.05
            if await bell.heard_within(pause_s):
                return


class Ids(Protocol):
    """Where identifiers come from."""

    def new(self) -> str:
        """A new identifier: 32 hexadecimal digits."""
        ...


class RandomIds:
    """Identifiers from the machine's randomness."""

    def new(self) -> str:
        return uuid.uuid4().hex


class SeededIds:
    """Identifiers from a seed: the same seed gives the same sequence."""

    def __init__(self, seed: int) -> None:
        self._chance = chance(seed)

    def new(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"


def chance(seed: int | str) -> random.Random:
    """A generator of chance from a seed. Hand it in; never share the module's own."""
    return random.Random(seed)  # noqa: S311 - reproducible on purpose, guards no secret


def real_now() -> datetime:
    return datetime.now(UTC)


def real_monotonic() -> float:
    return time.monotonic()


async def real_sleep(seconds: float) -> None:
    await anyio.sleep(seconds)


def next_time_of_day(after: datetime, at: str) -> datetime:
    """The first moment after `after` at which London's clocks show this time of day.

    >>> next_time_of_day(datetime(2026, 7, 2, 8, tzinfo=UTC), "05:00").isoformat()
    '2026-07-03T05:00:00+01:00'
    """
    start = after.astimezone(LONDON)
    days = (start.date() + timedelta(days=number) for number in (0, 1, 2))
    moments = (datetime.combine(day, time_of_day.fromisoformat(at), LONDON) for day in days)
    return next(each for each in moments if each > start)
