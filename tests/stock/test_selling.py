"""The speed buffer: what the falls of a level say of its sales, and what is held back."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.stock.selling import HALF_LIFE, SIZES, Selling, held_for_speed, with_fall
from tests.patience import unhurried
from tests.trade import at

DAY = 24 * 60
LAG_S = 1_200.0


def sold(*falls: tuple[float, int]) -> Selling | None:
    """(day, units) of each fall."""
    selling: Selling | None = None
    for day, units in falls:
        selling = with_fall(selling, units, at(day * DAY))
    return selling


def held(selling: Selling | None, free: int, day: float = 14, service: float = 0.9999) -> int:
    return held_for_speed(selling, free, lag_s=LAG_S, service=service, at=at(day * DAY))


FALLS = st.lists(
    st.tuples(st.floats(0, 30), st.integers(1, 6_000)), min_size=1, max_size=30
).map(sorted)
FREE = st.integers(-5, 5_000)


def test_selling_of_one_a_day_is_about_one_a_day() -> None:
    """After a month of one sale of two units a day, that is what is known."""
    selling = sold(*((day, 2) for day in range(60)))

    assert selling is not None
    assert 1.0 == pytest.approx(selling.a_day(at(59.5 * DAY)), rel=0.05)
    assert 2.0 == pytest.approx(selling.units_a_day(at(59.5 * DAY)), rel=0.05)


def test_selling_that_stopped_counts_half_after_its_half_life() -> None:
    """What was sold long ago says little of today."""
    selling = sold(*((day, 1) for day in range(100)))
    assert selling is not None
    then, later = at(100 * DAY), at(100 * DAY) + HALF_LIFE

    assert selling.a_day(then) / 2 == pytest.approx(selling.a_day(later), rel=0.01)


def test_lumps_count_by_their_size() -> None:
    """One pallet and three single units: a quarter of the falls is as large as a pallet."""
    selling = sold((0, 1), (0, 1), (0, 1), (0, 96))

    assert selling is not None
    assert (1.0, 0.25, 0.25, 0.0) == (
        selling.share_from(1),
        selling.share_from(2),
        selling.share_from(96),
        selling.share_from(97),
    )


def test_held_back_where_it_is_low_and_not_where_there_is_plenty() -> None:
    """A dozen a day, three at most: the last few wait, a full shelf does not."""
    selling = sold(*((day / 12, 1 + day % 3) for day in range(14 * 12)))

    assert held(selling, 3) > 0
    assert held(selling, 2) > 0
    assert 0 == held(selling, 100)


def test_nothing_is_held_back_of_what_never_sold() -> None:
    """No fall, no speed; a fixed buffer is there for those."""
    assert 0 == held(None, 5)


def test_lag_of_many_sales_holds_for_their_spread_too() -> None:
    """A hundred sales are expected in the lag: a fifth more are there now and then, and twice
    as many never.
    """
    selling = sold(*((day / 100, 1) for day in range(6_000)))
    now = at(60 * DAY)
    units = [
        held_for_speed(selling, free, lag_s=86_400, service=0.999, at=now)
        for free in (120, 200)
    ]

    assert [120, 0] == units


@unhurried
@given(FALLS, FREE, st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0.5, 0.9999))
def test_longer_lag_holds_no_less(
    falls: list[tuple[float, int]], free: int, one: float, two: float, service: float
) -> None:
    """What is shown for longer is promised with more care; never more than there is."""
    selling, now = sold(*falls), at(31 * DAY)
    short, long = (
        held_for_speed(selling, free, lag_s=lag_s, service=service, at=now)
        for lag_s in sorted((one, two))
    )

    assert 0 <= short <= long <= max(0, free)


@unhurried
@given(FALLS, FREE, st.floats(0.5, 0.9999), st.floats(0.5, 0.9999))
def test_higher_service_level_holds_no_less(
    falls: list[tuple[float, int]], free: int, one: float, two: float
) -> None:
    """Who wants fewer oversales shows no more."""
    low, high = sorted((one, two))

    assert held(sold(*falls), free, 31, low) <= held(sold(*falls), free, 31, high)


@unhurried
@given(FALLS, FREE)
def test_more_free_never_shows_less(falls: list[tuple[float, int]], free: int) -> None:
    """One unit more on the shelf takes none out of the window."""
    selling = sold(*falls)
    less, more = (max(0, units) - held(selling, units, 31) for units in (free, free + 1))

    assert less <= more


@unhurried
@given(FALLS, FREE)
def test_what_is_held_keeps_the_promise(falls: list[tuple[float, int]], free: int) -> None:
    """Summed up plainly: the orders of a day that would be short are within the service level;
    and with one unit less they would not be.
    """
    selling = sold(*falls)
    assert selling is not None
    units = held(selling, free, 31)
    smaller = units - 1 if units else None

    assert free - units <= 0 or short_orders(selling, free, units) <= 1 - 0.9999 + 1e-9
    assert smaller is None or short_orders(selling, free, smaller) > 1 - 0.9999 - 1e-9


def short_orders(selling: Selling, free: int, held_back: int) -> float:
    now, short = at(31 * DAY), 0.0
    lags = LAG_S / 86_400
    expected = math.floor(selling.units_a_day(now) * lags)
    for size, count in zip(SIZES, selling.falls, strict=False):
        ordered = min(size, free - held_back)
        larger = selling.share_from(max(1, free - ordered - expected + 1))
        short += count / sum(selling.falls) * -math.expm1(-selling.a_day(now) * lags * larger)
    return selling.a_day(now) * short


@unhurried
@given(FALLS)
def test_state_is_small_and_never_below_zero(falls: list[tuple[float, int]]) -> None:
    """A hundred thousand of them fit: one count for each size up to the largest fall."""
    selling = sold(*falls)

    assert selling is not None
    assert len(selling.falls) <= len(SIZES)
    assert min(selling.falls) >= 0
    assert selling.falls[-1] > 0 or selling.at - selling.first_at > timedelta(days=1)
