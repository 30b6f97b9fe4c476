"""Times as the marketplace keeps and counts them.

Promises: orders keep whole seconds, parcels and transaction lines milliseconds (contract b.0);
days end and cycles run by London's clock, summer time included. It asks no clock.
Called by every room of the marketplace.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["cycle_after", "end_of_day", "first_cycle_after", "milliseconds", "seconds"]

LONDON = ZoneInfo("Europe/London")


def seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def end_of_day(moment: datetime, days: int) -> datetime:
    """The last millisecond of the London day so many days later, in UTC."""
    day = moment.astimezone(LONDON).date() + timedelta(days=days + 1)
    return _at(day, "00:00") - timedelta(milliseconds=1)


def cycle_after(
    moment: datetime, at: str, *, every_days: int | None, days_of_month: tuple[int, ...]
) -> datetime:
    """The billing cycle that follows one at `moment`, in UTC."""
    day = moment.astimezone(LONDON).date()
    if every_days is not None:
        return _at(day + timedelta(days=every_days), at)
    while (candidate := _at(day, at)) <= moment or day.day not in days_of_month:
        day += timedelta(days=1)
    return candidate


def first_cycle_after(
    moment: datetime, at: str, *, every_days: int | None, days_of_month: tuple[int, ...]
) -> datetime:
    """The first billing cycle of a world that begins at `moment`, in UTC."""
    days = days_of_month if every_days is None else tuple(range(1, 32))
    return cycle_after(moment, at, every_days=None, days_of_month=days)


def _at(day: date, wall: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(wall), tzinfo=LONDON).astimezone(UTC)
