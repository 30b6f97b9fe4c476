"""A clock for benchmarks of clients: waiting takes no time, deadlines are real."""

from datetime import UTC, datetime, timedelta

from kcjl.clock import RealClock

__all__ = ["HastyClock"]

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


class HastyClock(RealClock):
    """Waiting takes no time."""

    def __init__(self, now: datetime = SINCE) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
