"""Times as the marketplace keeps and counts them.

Promises: orders keep whole seconds, parcels and transaction lines milliseconds (contract b.0);
days end and cycles run by the tenant's clock, summer time included. It asks no clock.
Called by every room of the marketplace.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kcjl.sandbox.marketplace.settings import MarketplaceSettings

__all__ = ["cycle_after", "end_of_day", "first_cycle_after", "milliseconds", "seconds"]


def seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def end_of_day(
    moment: datetime, settings: MarketplaceSettings, days: int | None = None
) -> datetime:
    """Ship by: the last millisecond of the tenant's day so many days later, in UTC."""
    zone = ZoneInfo(settings.time_zone)
    days = settings.shipping_deadline_days if days is None else days
    day = moment.astimezone(zone).date() + timedelta(days=days + 1)
    return _at(day, "00:00", zone) - timedelta(milliseconds=1)


def cycle_after(moment: datetime, settings: MarketplaceSettings) -> datetime:
    """The billing cycle that follows one at `moment`, in UTC."""
    if settings.cycle_every_hours is not None:
        return moment + timedelta(hours=settings.cycle_every_hours)
    if settings.cycle_every_days is None:
        return _next_on(moment, settings, settings.cycle_days_of_month)
    zone = ZoneInfo(settings.time_zone)
    day = moment.astimezone(zone).date()
    return _at(day + timedelta(days=settings.cycle_every_days), settings.cycle_time, zone)


def first_cycle_after(moment: datetime, settings: MarketplaceSettings) -> datetime:
    """The first billing cycle of a world that begins at `moment`, in UTC."""
    if settings.cycle_every_hours is not None:
        return moment + timedelta(hours=settings.cycle_every_hours)
    days = settings.cycle_days_of_month
    return _next_on(
        moment, settings, days if settings.cycle_every_days is None else tuple(range(1, 32))
    )


def _next_on(
    moment: datetime, settings: MarketplaceSettings, days: tuple[int, ...]
) -> datetime:
    zone = ZoneInfo(settings.time_zone)
    day = moment.astimezone(zone).date()
    while (candidate := _at(day, settings.cycle_time, zone)) <= moment or day.day not in days:
        day += timedelta(days=1)
    return candidate


def _at(day: date, wall: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(wall), tzinfo=zone).astimezone(UTC)
