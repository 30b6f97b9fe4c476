"""How fast a SKU sells over all channels, and how much of it is held back for that.

Promises: pure and small: decayed counts of the falls of its level by their size, moved on by
falls only. What is held back is never less for a longer lag or a higher service level, and
what is shown never falls when more is free.
It does not: see sales; a rise and a fall between two reads of the level are one change.
Called by the room's fold (the counts) and `available.py` (the units). Source: design 6.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate

import msgspec

__all__ = [
    "HALF_LIFE",
    "SIZES",
    "Moved",
    "Selling",
    "after_change",
    "held_for_speed",
    "with_fall",
]

HALF_LIFE = timedelta(days=14)
"""A fall counts half after so long: a middle choice; 7 days hold back more on real trade."""
WATCHED_MIN = timedelta(days=3)
"""A SKU that fell first less than so long ago is counted as if watched for so long."""
SIZES = (
    1,
    2,
    3,
    4,
    6,
    8,
    12,
    16,
    24,
    32,
    48,
    64,
    96,
    128,
    192,
    256,
    384,
    512,
    1024,
    2048,
    4096,
)
"""Falls are counted up to each of these sizes; what is larger counts as the last."""
TAKEN_BACK_WITHIN = timedelta(days=1)
TAKEN_BACK_MIN = 5
"""Changes of fewer units are trade, and not looked at twice."""
DEVIATIONS_MAX = 6
"""What is rarer than this, one in 10^9, is taken for never."""
DIGITS = 6
"""Counts are rounded so far, so that a replay elsewhere gives the same bytes."""
DAY_S = 86_400.0


class Selling(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The falls of one SKU's level, each counting half after HALF_LIFE."""

    first_at: datetime
    at: datetime
    """The last fall; the counts are as of then."""
    falls: tuple[float, ...]
    """By size, as in SIZES; sizes above the largest fall are left out."""
    units: float
    """Units that fell, decayed alike."""

    def a_day(self, at: datetime) -> float:
        """Falls a day."""
        return self._daily(sum(self.falls), at)

    def units_a_day(self, at: datetime) -> float:
        return self._daily(self.units, at)

    def share_from(self, units: int) -> float:
        """The share of falls of so many units or more. A size counts as its upper bound."""
        among = sum(self.falls)
        if among <= 0 or units > SIZES[-1]:
            return 0.0
        return min(1.0, sum(self.falls[bisect_left(SIZES, units) :]) / among)

    def _daily(self, count: float, at: datetime) -> float:
        half_life_s = HALF_LIFE.total_seconds()
        left = count * _decay(self.at, at)
        watched_s = max((at - self.first_at).total_seconds(), WATCHED_MIN.total_seconds())
        weight_s = half_life_s / math.log(2) * (1 - math.exp2(-watched_s / half_life_s))
        return left / weight_s * DAY_S


def with_fall(selling: Selling | None, units: int, at: datetime) -> Selling:
    """One more fall of the level, by so many units (1 or more)."""
    place = min(bisect_left(SIZES, units), len(SIZES) - 1)
    if selling is None:
        return Selling(first_at=at, at=at, falls=(0.0,) * place + (1.0,), units=float(units))
    decay = _decay(selling.at, at)
    falls = [count * decay for count in selling.falls]
    falls += [0.0] * (place + 1 - len(falls))
    falls[place] += 1
    return Selling(
        first_at=min(selling.first_at, at),
        at=max(selling.at, at),
        falls=tuple(round(count, DIGITS) for count in falls),
        units=round(selling.units * decay + units, DIGITS),
    )


class Moved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The last change of the level, for as long as it may yet prove a mistake."""

    units: int
    """Signed."""
    at: datetime
    before: Selling | None
    """The counts without it."""

    def is_doubted(self, at: datetime) -> bool:
        return abs(self.units) >= TAKEN_BACK_MIN and at - self.at <= TAKEN_BACK_WITHIN


def after_change(
    selling: Selling | None, moved: Moved | None, units: int, at: datetime
) -> tuple[Selling | None, Moved | None]:
    """The counts after the level has changed by so many units: a fall is a sale.

    A large fall that is taken back within a day, whole or in part, was a sale of the rest only;
    so was one that takes back a rise: a mistaken ERP, a count corrected, sell nothing.
    """
    if units == 0:
        return selling, moved
    before, fell = selling, -units
    if moved is not None and moved.is_doubted(at):
        if units > 0 > moved.units and units <= -moved.units:
            before, fell = moved.before, -moved.units - units
        elif units < 0 < moved.units <= -units:
            fell = -units - moved.units
    after = with_fall(before, fell, at) if fell > 0 else before
    return after, Moved(units=units, at=at, before=before)


def held_for_speed(
    selling: Selling | None, free: int, *, lag_s: float, service: float, at: datetime
) -> int:
    """Units of `free` to hold back: the fewest with which a day goes well with `service`.

    A day goes wrong when somebody orders of what is shown, and within the lag of it other sales
    take so much that the order is short. So a full shelf of small sellers holds nothing back.
    """
    if selling is None or free <= 0:
        return 0
    sales = _SalesOfALag(selling, lag_s=lag_s, at=at)
    if free > sales.most_that_matters:
        return 0
    allowed = 1 - service
    if sales.days_gone_wrong(free, free) <= allowed:
        return 0
    # The more is held back, the fewer days go wrong; with nothing shown none does.
    return bisect_left(
        range(free + 1),
        True,
        lo=1,
        key=lambda held: sales.days_gone_wrong(free, free - held) <= allowed,
    )


class _SalesOfALag:
    """How likely it is that sales within one lag take more than so much."""

    def __init__(self, selling: Selling, *, lag_s: float, at: datetime) -> None:
        self._counts = selling.falls
        self._a_day = selling.a_day(at)
        self._falls = self._a_day * lag_s / DAY_S
        self._mean = selling.units_a_day(at) * lag_s / DAY_S
        self._units = math.floor(self._mean)

    @property
    def most_that_matters(self) -> int:
        """Of a level above this no order can be short: the quick look before the sum."""
        largest = SIZES[len(self._counts) - 1]
        return largest + max(largest + self._units, math.ceil(self._spread_up_to))

    @cached_property
    def _orders(self) -> Sequence[tuple[int, float]]:
        """Sizes of orders, and their shares."""
        among = sum(self._counts) or 1.0
        return [(size, count / among) for size, count in zip(SIZES, self._counts, strict=False)]

    @cached_property
    def _from(self) -> Sequence[float]:
        """The share of sales that are larger, by place in SIZES."""
        among = sum(self._counts) or 1.0
        added = [*accumulate(reversed(self._counts), initial=0.0)]
        return [count / among for count in reversed(added)]

    @cached_property
    def _deviation(self) -> float:
        """Of the units sold in a lag of many sales; 0 where fewer than one is expected."""
        if self._falls < 1:
            return 0.0
        squares = sum(share * size * size for size, share in self._orders)
        return math.sqrt(self._falls * squares)

    @property
    def _spread_up_to(self) -> float:
        """More units than this are never sold in a lag by their spread alone."""
        return self._mean + DEVIATIONS_MAX * self._deviation if self._deviation else 0.0

    def days_gone_wrong(self, free: int, shown: int) -> float:
        """Of a day's orders, cut to what is shown: those that would be short."""
        if shown <= 0:
            return 0.0
        largest = self._orders[-1][0]
        if self._a_day * self._more_than(free - min(largest, shown)) == 0:
            return 0.0
        short = 0.0
        for size, share in self._orders:
            if size >= shown:
                rest = self._from[bisect_left(SIZES, size)]
                short += rest * self._more_than(free - shown)
                break
            short += share * self._more_than(free - size)
        return self._a_day * short

    def _more_than(self, units: int) -> float:
        """Sales that are expected, and one more that is larger than what they leave; or, where
        there are many in a lag, more of them than are expected.
        """
        place = bisect_right(SIZES, units - self._units)
        share = self._from[min(place, len(self._from) - 1)]
        one_more = -math.expm1(-self._falls * share)
        if units >= self._spread_up_to:
            return one_more
        beyond = (units - self._mean) / (self._deviation * math.sqrt(2))
        return max(one_more, math.erfc(beyond) / 2)


def _decay(since: datetime, at: datetime) -> float:
    return math.exp2(-(max(timedelta(0), at - since) / HALF_LIFE))
