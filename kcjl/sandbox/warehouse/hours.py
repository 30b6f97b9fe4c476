"""When the warehouse's people work, in London wall time.

Promises: a span of work is spread over opening hours only, through nights, Sundays, closed
days and both clock changes. It does no work itself. Invariant: times in and out are aware
UTC, and what is planned never lies before its start.
Called by the staff of the sandbox's warehouse.
"""

from datetime import UTC, date, datetime, time, timedelta

from kcjl.clock import LONDON
from kcjl.errors import Misuse
from kcjl.sandbox.warehouse.settings import WarehouseSettings

__all__ = ["WorkingHours", "london_date", "london_wall"]

_DAYS_AHEAD_MAX = 400
"""A warehouse that is closed for longer has no working hours at all."""


class WorkingHours:
    """Adds working time to a moment."""

    def __init__(self, settings: WarehouseSettings) -> None:
        self._always = settings.round_the_clock
        self._opens = time.fromisoformat(settings.opens)
        self._closes = time.fromisoformat(settings.closes)
        self._days = frozenset(settings.working_days)
        self._closed = frozenset(settings.closed_on)

    def after(self, start: datetime, work: timedelta) -> datetime:
        """The moment when so much working time has passed since then."""
        if self._always:
            return start + work
        day = london_date(start)
        for _ in range(_DAYS_AHEAD_MAX):
            if day.weekday() in self._days and day not in self._closed:
                begins = max(start, self._utc(day, self._opens))
                room = self._utc(day, self._closes) - begins
                if work <= room:
                    return begins + work
                work -= max(room, timedelta(0))
            day += timedelta(days=1)
        raise Misuse(f"the warehouse does not open within {_DAYS_AHEAD_MAX} days of {start}")

    @staticmethod
    def _utc(day: date, at: time) -> datetime:
        return datetime.combine(day, at, LONDON).astimezone(UTC)


def london_date(moment: datetime) -> date:
    return moment.astimezone(LONDON).date()


def london_wall(moment: datetime) -> datetime:
    """The same moment as the clock on the ERP's wall shows it, without a zone."""
    return moment.astimezone(LONDON).replace(tzinfo=None)
