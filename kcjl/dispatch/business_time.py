"""Business time: how much of a span the merchant was open, and when so much of it has passed.

Promises: pure; opening hours are London's wall clock, so a day on which the clocks change has
as many hours as really pass; what was closed counts nothing. It reads no calendar: bank
holidays are handed in (`calendar_settings.py`).
Invariant: `between` is additive and never negative; `add` and `before` are its inverses.
Called by `deadlines.py`, `minutes.py` and the CLI. Source: design 8.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kcjl.errors import Misuse

__all__ = ["BusinessTime"]

LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
CLOSED_DAYS_MAX = 366
"""Nobody is closed for longer in one go: then the settings leave no working day."""
DAYS_KEPT_MAX = 4_000
"""Days whose hours are kept once they were worked out; then they are worked out anew."""

Hours = tuple[datetime, datetime]


class BusinessTime:
    """When the merchant works."""

    def __init__(
        self,
        *,
        working_days: Collection[int],
        opens: time,
        closes: time,
        is_closed: Callable[[date], bool],
        cut_off: time | None = None,
    ) -> None:
        """`working_days`: 0 is Monday. `closes` at 00:00 is the midnight at the day's end.

        `cut_off`: what is ready by then goes out the same day; None: nothing is promised.
        """
        self._working_days = frozenset(working_days)
        self._opens, self._closes, self._cut_off = opens, closes, cut_off
        self._is_closed = is_closed
        self._hours: dict[date, Hours | None] = {}

    def hours(self, day: date) -> Hours | None:
        """From when to when it is open on this day of London; None: it is closed."""
        if day not in self._hours:
            if len(self._hours) >= DAYS_KEPT_MAX:
                self._hours.clear()
            self._hours[day] = self._hours_of(day)
        return self._hours[day]

    def _hours_of(self, day: date) -> Hours | None:
        if day.weekday() not in self._working_days or self._is_closed(day):
            return None
        until = day + DAY if self._closes == time(0) else day
        return _moment(day, self._opens), _moment(until, self._closes)

    def between(self, since: datetime, until: datetime) -> timedelta:
        """How long it was open between two moments; nothing when the second is not later."""
        open_for = timedelta()
        if until <= since:
            return open_for
        day, last = _day(since), _day(until)
        while day <= last:
            if (hours := self.hours(day)) is not None:
                open_for += max(min(hours[1], until) - max(hours[0], since), timedelta())
            day += DAY
        return open_for

    def add(self, moment: datetime, span: timedelta) -> datetime:
        """The first moment at which it has been open for so long since `moment`."""
        if span <= timedelta():
            return moment
        for opened, closed in self._open_from(moment):
            start = max(opened, moment)
            if (here := closed - start) >= span:
                return start + span
            span -= max(here, timedelta())
        raise self._never(moment)

    def before(self, moment: datetime, span: timedelta) -> datetime:
        """The last moment from which on it is still open for so long until `moment`."""
        if span <= timedelta():
            return moment
        for opened, closed in self._open_until(moment):
            end = min(closed, moment)
            if (here := end - opened) >= span:
                return end - span
            span -= max(here, timedelta())
        raise self._never(moment)

    def goes_out_by(self, ready_at: datetime) -> datetime | None:
        """The end of the working day on which what is ready then goes out, by the cut-off."""
        if self._cut_off is None:
            return None
        for opened, closed in self._open_from(ready_at):
            if ready_at <= _moment(_day(opened), self._cut_off):
                return closed
        raise self._never(ready_at)

    def _open_from(self, moment: datetime) -> Iterator[Hours]:
        """The hours of each working day from this one on."""
        return self._open_days(_day(moment), DAY)

    def _open_until(self, moment: datetime) -> Iterator[Hours]:
        """The hours of each working day from this one back."""
        return self._open_days(_day(moment), -DAY)

    def _open_days(self, day: date, step: timedelta) -> Iterator[Hours]:
        closed_days = 0
        while closed_days < CLOSED_DAYS_MAX:
            hours = self.hours(day)
            closed_days = 0 if hours is not None else closed_days + 1
            if hours is not None:
                yield hours
            day += step

    def _never(self, moment: datetime) -> Misuse:
        return Misuse(
            f"no working day within a year of {_day(moment)}: see working_days and closed_on "
            "of the merchant's deadlines"
        )


def _day(moment: datetime) -> date:
    return moment.astimezone(LONDON).date()


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LONDON).astimezone(UTC)
