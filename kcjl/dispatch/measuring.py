"""The shop's metrics, the shell: reads the marketplace's own once a day, and has both judged.

Promises: A21 is asked once a day, also across restarts; where it can't be read ours are judged
alone, and so they are before it was read. Counting yields to the other rooms. No rules here.
Called by the dispatch room. Source: design 8; contract johnlewis b.1 (A21), d.1.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import anyio.lowlevel

from kcjl.actors import Job
from kcjl.clock import Clock
from kcjl.dispatch.deadline_events import MetricRead, SellerMetricJudged, SellerMetricsRead
from kcjl.dispatch.metrics import (
    ORDERS_COUNT,
    PERIODS,
    Metric,
    MetricRules,
    Tally,
    decide_metrics,
    metrics_shown,
)
from kcjl.dispatch.timing import Timing
from kcjl.fold import Table
from kcjl.johnlewis.tenant_port import (
    ShopStatistics,
    StatisticsPeriod,
    StatisticsReading,
)
from kcjl.log.port import Recorded
from kcjl.vocabulary import Event

__all__ = ["MeasuringRoom", "SellerMetrics", "day_of"]

READ_EVERY = timedelta(days=1)
JUDGE_EVERY = timedelta(hours=6)
ORDERS_A_TURN = 1_000
"""Orders that are looked at before the other rooms have a turn."""
KEPT = (ORDERS_COUNT, *(each.value for each in Metric))


class MeasuringRoom(Protocol):
    """What the metrics need of their room."""

    clock: Clock
    timings: Table[Timing]
    """Grouped by the day of ordering, as `day_of` has it."""
    metrics_read: Table[SellerMetricsRead]
    metrics_judged: Table[SellerMetricJudged]

    async def commit(self, events: Sequence[Event]) -> Sequence[Recorded]: ...

    async def record(self, *events: Event) -> Sequence[Recorded]: ...


def day_of(timing: Timing) -> str:
    """The group of an order: its day of ordering, UTC."""
    return timing.ordered_at.date().isoformat()


class SellerMetrics:
    """Theirs as read, ours as counted, and how both stand."""

    def __init__(
        self, room: MeasuringRoom, marketplace: StatisticsReading, rules: MetricRules
    ) -> None:
        self._room = room
        self._marketplace = marketplace
        self._rules = rules
        self.jobs = (
            Job("seller-metrics", self._read, every=READ_EVERY),
            Job("judge-metrics", self._judge, every=JUDGE_EVERY, wakes_on=(SellerMetricsRead,)),
        )

    async def _read(self) -> float | None:
        now, known = self._room.clock.now(), self._room.metrics_read.get("read")
        if known is not None and now < known.occurred_at + READ_EVERY:
            return (known.occurred_at + READ_EVERY - now).total_seconds()
        told = await self._marketplace.statistics([StatisticsPeriod(each) for each in PERIODS])
        await self._room.record(_told(told, now))
        return None

    async def _judge(self) -> None:
        now = self._room.clock.now()
        tallies = {period: Tally(now) for period in PERIODS}
        looked_at = 0
        for day in _days(now):
            for timing in self._room.timings.grouped(day):
                for period, span in PERIODS.items():
                    if timing.ordered_at >= now - span:
                        tallies[period].count(timing)
                looked_at += 1
                if looked_at % ORDERS_A_TURN == 0:
                    await anyio.lowlevel.checkpoint()
        rates = {period: tally.rates() for period, tally in tallies.items()}
        metrics = metrics_shown(rates, self._room.metrics_read.get("read"), self._rules)
        judged = dict(self._room.metrics_judged.items())
        await self._room.commit(decide_metrics(metrics, judged, now))


def _days(now: datetime) -> list[str]:
    """The days of the longest period, the first of them whole."""
    days = max(PERIODS.values()).days
    return [(now - timedelta(days=ago)).date().isoformat() for ago in range(days, -1, -1)]


def _told(statistics: ShopStatistics, now: datetime) -> SellerMetricsRead:
    return SellerMetricsRead(
        metrics=tuple(
            MetricRead(metric=each.metric, period=each.period, value=each.value)
            for each in statistics.figures
            if each.metric in KEPT and each.period in PERIODS
        ),
        measured_at=statistics.updated_at,
        occurred_at=now,
    )
