"""The merchant's calendar: working days and hours of the settings, bank holidays of a library.

Promises: the bank holidays of the part of the United Kingdom that the settings name, of any
year, substitute days with them; what the settings close is closed as well. No rules here.
Called by the dispatch room and the CLI.
"""

from datetime import date, time

import holidays

from kcjl.dispatch.business_time import BusinessTime
from kcjl.settings import WEEKDAYS, DeadlineSettings

__all__ = ["business_time"]


def business_time(settings: DeadlineSettings) -> BusinessTime:
    """Business time as the settings say."""
    part = settings.bank_holidays
    known = None if part == "none" else holidays.country_holidays("GB", subdiv=part)
    closed_on = frozenset(date.fromisoformat(day) for day in settings.closed_on)

    def is_closed(day: date) -> bool:
        return day in closed_on or (known is not None and day in known)

    return BusinessTime(
        working_days=[WEEKDAYS.index(day) for day in settings.working_days],
        opens=time.fromisoformat(settings.opens_at),
        closes=time.fromisoformat(settings.closes_at),
        cut_off=time.fromisoformat(settings.cut_off) if settings.cut_off else None,
        is_closed=is_closed,
    )
