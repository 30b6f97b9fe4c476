"""Business time: opening hours of London's wall clock, through both clock changes."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.dispatch.business_time import BusinessTime
from kcjl.dispatch.calendar_settings import business_time
from kcjl.errors import Misuse
from kcjl.settings import DeadlineSettings

OFFICE = business_time(DeadlineSettings(cut_off="14:00"))
"""Monday to Friday, 08:00 to 18:00, England's bank holidays."""
AROUND_THE_CLOCK = BusinessTime(
    working_days=range(7), opens=time(0), closes=time(0), is_closed=lambda _: False
)
EARLY = BusinessTime(
    working_days=range(7), opens=time(0, 30), closes=time(3), is_closed=lambda _: False
)
"""Open over the hour in which the clocks change."""
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-11-23T09:00", "2026-11-23T11:30", 2.5),  # within a Monday, in winter
        ("2026-11-23T05:00", "2026-11-23T09:00", 1),  # before it opens nothing counts
        ("2026-11-23T17:00", "2026-11-24T09:00", 2),  # over a night
        ("2026-11-20T17:00", "2026-11-23T09:00", 2),  # over a weekend
        ("2026-07-01T07:00", "2026-07-01T08:00", 1),  # in summer London opens at 07:00 UTC
        ("2026-12-24T17:00", "2026-12-29T09:00", 2),  # Christmas, and Boxing Day's substitute
        ("2026-11-23T11:00", "2026-11-23T09:00", 0),  # backwards is nothing, not less
    ],
)
def test_between_opening_hours_only_the_open_ones_count(
    since: str, until: str, hours: float
) -> None:
    """Nights, weekends and bank holidays are nobody's minutes."""
    assert hours * HOUR == OFFICE.between(utc(since), utc(until))


def test_between_on_the_day_the_clocks_go_forward_an_hour_is_missing() -> None:
    """29 March 2026: the day has 23 hours, and an early shift loses one."""
    assert 23 * HOUR == AROUND_THE_CLOCK.between(
        utc("2026-03-29T00:00"), utc("2026-03-29T23:00")
    )
    assert 1.5 * HOUR == EARLY.between(utc("2026-03-29T00:00"), utc("2026-03-29T12:00"))


def test_between_on_the_day_the_clocks_go_back_an_hour_comes_twice() -> None:
    """25 October 2026: the day has 25 hours, and an early shift works one more."""
    assert 25 * HOUR == AROUND_THE_CLOCK.between(
        utc("2026-10-24T23:00"), utc("2026-10-26T00:00")
    )
    assert 3.5 * HOUR == EARLY.between(utc("2026-10-24T23:00"), utc("2026-10-25T12:00"))


def test_hours_follow_london_over_both_changes() -> None:
    """Eight in the morning is 08:00 UTC in winter and 07:00 UTC in summer."""
    opened = [OFFICE.hours(date(2026, 3, day)) for day in (27, 30)]
    again = [OFFICE.hours(date(2026, 10, day)) for day in (23, 26)]

    assert [8, 7] == [hours[0].hour for hours in opened if hours]
    assert [7, 8] == [hours[0].hour for hours in again if hours]


def test_add_goes_on_the_next_working_day() -> None:
    """Four hours from Friday at four in the afternoon: Monday at ten."""
    assert utc("2026-11-23T10:00") == OFFICE.add(utc("2026-11-20T16:00"), 4 * HOUR)


def test_before_a_deadline_at_the_weekend_is_on_friday() -> None:
    """Four business hours before Sunday midnight: Friday at two."""
    assert utc("2026-11-20T14:00") == OFFICE.before(utc("2026-11-22T23:59"), 4 * HOUR)


@pytest.mark.parametrize(
    ("ready", "goes"),
    [
        ("2026-11-23T14:00", "2026-11-23T18:00"),
        ("2026-11-23T14:01", "2026-11-24T18:00"),
        ("2026-11-21T09:00", "2026-11-23T18:00"),
        ("2026-04-02T13:30", "2026-04-07T17:00"),  # 14:30 in London: Easter lies between
    ],
)
def test_what_is_ready_by_the_cut_off_goes_the_same_working_day(ready: str, goes: str) -> None:
    """A minute later it goes on the next one."""
    assert utc(goes) == OFFICE.goes_out_by(utc(ready))


def test_without_a_cut_off_nothing_is_promised() -> None:
    """No own deadline is made up."""
    assert AROUND_THE_CLOCK.goes_out_by(utc("2026-11-23T14:00")) is None


def test_part_of_the_kingdom_and_own_closed_days_are_settings() -> None:
    """Scotland works on Easter Monday; the stock-take closes a day."""
    scottish = business_time(DeadlineSettings(bank_holidays="SCT"))
    counting = business_time(DeadlineSettings(bank_holidays="none", closed_on=("2026-11-24",)))

    assert OFFICE.hours(date(2026, 4, 6)) is None
    assert scottish.hours(date(2026, 4, 6)) is not None
    assert counting.hours(date(2026, 11, 24)) is None
    assert counting.hours(date(2026, 12, 25)) is not None


def test_merchant_that_never_works_is_told() -> None:
    """No endless search for a working day."""
    never = BusinessTime(
        working_days=(), opens=time(8), closes=time(9), is_closed=lambda _: False
    )
    with pytest.raises(Misuse, match="working_days"):
        never.add(utc("2026-11-23T09:00"), HOUR)


@pytest.mark.parametrize(
    "wrong",
    [
        {"working_days": ()},
        {"opens_at": "18:00", "closes_at": "08:00"},
        {"cut_off": "07:00"},
        {"closed_on": ("Christmas",)},
        {"bank_holidays": "FR"},
        {"warn_hours": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    """Said when the configuration is read, not when an order is late."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, DeadlineSettings)


def test_merchant_who_never_closes_is_open_all_day() -> None:
    """From midnight to midnight: a day of 24 hours."""
    always = business_time(DeadlineSettings(opens_at="00:00", closes_at="00:00"))

    assert 24 * HOUR == always.between(utc("2026-11-23T00:00"), utc("2026-11-24T00:00"))


# ── laws ────────────────────────────────────────────────────────────────────────────────────

YEARS = timedelta(days=4 * 365)
MOMENTS = st.timedeltas(timedelta(0), YEARS).map(lambda after: utc("2025-01-01") + after)
SPANS = st.timedeltas(timedelta(0), timedelta(days=20))
TIMES = st.sampled_from([OFFICE, AROUND_THE_CLOCK, EARLY])


@given(TIMES, st.lists(MOMENTS, min_size=3, max_size=3))
def test_between_is_additive(business: BusinessTime, moments: list[datetime]) -> None:
    """Cut a span anywhere: its parts are as long as the whole."""
    first, second, third = sorted(moments)
    parts = business.between(first, second) + business.between(second, third)

    assert parts == business.between(first, third)


@given(TIMES, MOMENTS, MOMENTS)
def test_between_is_never_negative_nor_longer_than_what_passed(
    business: BusinessTime, since: datetime, until: datetime
) -> None:
    """Business time is a part of time."""
    open_for = business.between(since, until)

    assert timedelta(0) <= open_for <= max(until - since, timedelta(0))


@given(TIMES, MOMENTS, SPANS)
def test_add_and_between_are_inverse(
    business: BusinessTime, moment: datetime, span: timedelta
) -> None:
    """As much as was added has passed, and as much back."""
    assert span == business.between(moment, business.add(moment, span))
    assert span == business.between(business.before(moment, span), moment)


@given(MOMENTS)
def test_around_the_clock_all_time_is_business_time(moment: datetime) -> None:
    """Open always, whatever the clocks do: as much as passed."""
    later = moment + timedelta(days=400, hours=5)

    assert later - moment == AROUND_THE_CLOCK.between(moment, later)
