"""The shop's metrics, the rules: how often late, cancelled, accepted, tracked, by our log.

Promises: pure; our rates are counted as the marketplace counts its own (A21, contract johnlewis
b.1), over the orders placed in a period; what is past its deadline and not yet shipped counts
as late at once. Beside theirs the worse of the two is judged.
Invariant: a standing is said when it changes; below `orders_min` nothing is judged.
Called by `measuring.py` and `kcjl dispatch metrics`. Source: design 8; contract johnlewis a.5.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

from kcjl.dispatch.deadline_events import (
    MetricStanding,
    SellerMetricJudged,
    SellerMetricsRead,
)
from kcjl.dispatch.minutes import is_late
from kcjl.dispatch.timing import Stage, Timing
from kcjl.fold import Fold
from kcjl.vocabulary import Event

__all__ = [
    "METRICS_JUDGED",
    "METRICS_READ",
    "ORDERS_COUNT",
    "PERIODS",
    "Metric",
    "MetricRules",
    "MetricShown",
    "Rate",
    "Tally",
    "decide_metrics",
    "metrics_shown",
]

PERIODS: Mapping[str, timedelta] = {
    "LAST_MONTH": timedelta(days=30),
    "LAST_THREE_MONTHS": timedelta(days=91),
}
"""Days of the marketplace's periods; what it takes for a month is not documented."""
ORDERS_COUNT = "orders_count"
FOUR_PLACES = Decimal("0.0001")


class Metric(StrEnum):
    """By the marketplace's names."""

    LATE_SHIPMENT = "late_shipment_rate"
    CANCELATION = "cancelation_rate"
    APPROVAL = "approval_rate"
    VALID_TRACKING = "valid_tracking_rate"


GOOD = frozenset({Metric.APPROVAL, Metric.VALID_TRACKING})
"""The more the better; of the others the less."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Our own, of one metric and period."""

    value: Decimal | None
    """None: nothing to count from."""
    counted: int


class MetricRules(msgspec.Struct, frozen=True, kw_only=True):
    """From where on a metric is bad, and how near to it a person is told."""

    thresholds: dict[str, Decimal]
    near_share: Decimal
    orders_min: int


class MetricShown(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one period: ours, theirs, and how it stands."""

    metric: Metric
    period: str
    ours: Decimal | None
    counted: int
    """What ours was counted from: orders, or lines."""
    theirs: Decimal | None
    threshold: Decimal
    standing: MetricStanding


class Tally:
    """Counts orders as they are told, for our rates."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._late = self._due = self._tracked = self._shipped = 0
        self._accepted = self._refused = self._cancelled = 0

    def count(self, timing: Timing) -> None:
        if timing.stage == Stage.PASSED_OVER:
            return
        done = timing.stage == Stage.CONFIRMED
        late = is_late(timing, self._now) and timing.stage != Stage.AT_MARKETPLACE
        self._due += done or late
        self._late += late
        if timing.accepted:
            self._accepted += timing.lines - timing.refused
            self._cancelled += len(timing.cancelled)
        self._refused += timing.lines if timing.state == "REFUSED" else timing.refused
        if done and timing.parcels:
            self._shipped += 1
            self._tracked += timing.tracked

    def rates(self) -> dict[Metric, Rate]:
        """What has been counted until now."""
        return {
            Metric.LATE_SHIPMENT: _rate(self._late, self._due),
            Metric.CANCELATION: _rate(self._cancelled, self._accepted),
            Metric.APPROVAL: _rate(self._accepted, self._accepted + self._refused),
            Metric.VALID_TRACKING: _rate(self._tracked, self._shipped),
        }


def _rate(part: int, whole: int) -> Rate:
    if not whole:
        return Rate(value=None, counted=0)
    value = (Decimal(part) / whole).quantize(FOUR_PLACES, ROUND_HALF_UP)
    return Rate(value=value, counted=whole)


def metrics_shown(
    rates: Mapping[str, Mapping[Metric, Rate]],
    read: SellerMetricsRead | None,
    rules: MetricRules,
) -> tuple[MetricShown, ...]:
    """Each metric of each period. `rates`: ours, by period; `read`: theirs, as last read."""
    theirs = {} if read is None else {(e.metric, e.period): e.value for e in read.metrics}
    found: list[MetricShown] = []
    for period, ours in rates.items():
        orders = theirs.get((ORDERS_COUNT, period))
        for metric, rate in ours.items():
            told = theirs.get((metric.value, period))
            judged = (
                rate.value if rate.counted >= rules.orders_min else None,
                told if orders is None or orders >= rules.orders_min else None,
            )
            found.append(
                MetricShown(
                    metric=metric,
                    period=period,
                    ours=rate.value,
                    counted=rate.counted,
                    theirs=told,
                    threshold=rules.thresholds[metric.value],
                    standing=_standing(metric, judged, rules),
                )
            )
    return tuple(found)


def _standing(
    metric: Metric, judged: Sequence[Decimal | None], rules: MetricRules
) -> MetricStanding:
    """The worse of ours and theirs."""
    threshold = rules.thresholds[metric.value]
    told = [each for each in judged if each is not None]
    bad = [1 - each for each in told] if metric in GOOD else told
    limit = 1 - threshold if metric in GOOD else threshold
    worst = max(bad, default=None)
    if worst is None or worst == 0:
        return "fine"
    if worst > limit if metric in GOOD else worst >= limit:
        return "crossed"
    return "near" if worst >= rules.near_share * limit else "fine"


def decide_metrics(
    metrics: Sequence[MetricShown], judged: Mapping[str, SellerMetricJudged], now: datetime
) -> tuple[Event, ...]:
    """What of the metrics stands otherwise than was said last."""
    events: list[Event] = []
    for each in metrics:
        known = judged.get(f"{each.metric}/{each.period}")
        if each.standing == (known.standing if known is not None else "fine"):
            continue
        events.append(
            SellerMetricJudged(
                metric=each.metric.value,
                period=each.period,
                standing=each.standing,
                ours=each.ours,
                theirs=each.theirs,
                threshold=each.threshold,
                counted=each.counted,
                occurred_at=now,
            )
        )
    return tuple(events)


# ── what was read and said ──────────────────────────────────────────────────────────────────


def _read_keys(event: Event) -> tuple[str, ...]:
    return ("read",) if isinstance(event, SellerMetricsRead) else ()


def _evolve_read(
    entry: SellerMetricsRead | None, event: Event, _key: str
) -> SellerMetricsRead | None:
    return event if isinstance(event, SellerMetricsRead) else entry


METRICS_READ: Fold[SellerMetricsRead] = Fold(
    _read_keys, _evolve_read, SellerMetricsRead, hears=(SellerMetricsRead,)
)
"""Theirs, as last read."""


def _judged_keys(event: Event) -> tuple[str, ...]:
    return (f"{event.metric}/{event.period}",) if isinstance(event, SellerMetricJudged) else ()


def _evolve_judged(
    entry: SellerMetricJudged | None, event: Event, _key: str
) -> SellerMetricJudged | None:
    return event if isinstance(event, SellerMetricJudged) else entry


METRICS_JUDGED: Fold[SellerMetricJudged] = Fold(
    _judged_keys, _evolve_judged, SellerMetricJudged, hears=(SellerMetricJudged,)
)
"""By metric and period: how it was last said to stand."""
