"""The service in figures, in Prometheus' words.

Promises: names and units by Prometheus' conventions (base units, `_total`, `_seconds`); labels
are bounded (merchant, room, side, operation, outcome, kind), never an order or a SKU. Nothing
here is the truth: the log is; a restart begins the counters anew, as Prometheus expects.
Called by `faces.py` (the figures) and by the sync log (`observe`).
"""

from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client import Counter as TotalCounter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from kcjl import __version__
from kcjl.calls.port import CallRecord
from kcjl.health.vitals import State, Vitals

__all__ = ["Metrics"]

CALL_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """A process's figures."""

    def __init__(self, vitals: Vitals) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._calls = TotalCounter(
            "kcjl_calls",
            "Calls to the marketplace and to the ERP, by how they ended.",
            ("merchant", "side", "operation", "outcome"),
            registry=self._registry,
        )
        self._durations = Histogram(
            "kcjl_call_duration_seconds",
            "How long a call took, whatever its outcome.",
            ("merchant", "side"),
            buckets=CALL_BUCKETS_S,
            registry=self._registry,
        )
        self._registry.register(_Merchants(vitals))

    def observer(self, merchant: str) -> Callable[[CallRecord], None]:
        """What the merchant's sync log tells of each call."""

        def observe(call: CallRecord) -> None:
            self._calls.labels(merchant, call.side, call.operation, call.outcome).inc()
            self._durations.labels(merchant, call.side).observe(call.took_ms / 1000)

        return observe

    def written(self) -> bytes:
        """All of them, as they are scraped."""
        return generate_latest(self._registry)


class _Merchants(Collector):
    """Read from the rooms when somebody scrapes."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily | InfoMetricFamily]:
        build = InfoMetricFamily("kcjl_build", "What is running.")
        build.add_metric((), {"version": __version__})
        yield build
        state = GaugeMetricFamily(
            "kcjl_merchant_state",
            "1 for what this process does for the merchant, 0 for the rest.",
            labels=("merchant", "state"),
        )
        starts = CounterMetricFamily(
            "kcjl_merchant_starts", "How often it began to serve.", labels=("merchant",)
        )
        writes = GaugeMetricFamily(
            "kcjl_writes_allowed", "0 while the kill switch is off.", labels=("merchant",)
        )
        position = GaugeMetricFamily(
            "kcjl_room_position",
            "The last event that the room has heard.",
            labels=("merchant", "room"),
        )
        failing = GaugeMetricFamily(
            "kcjl_room_jobs_failing",
            "Jobs of the room whose last try failed; they are tried again.",
            labels=("merchant", "room"),
        )
        for name, each in self._vitals.merchants.items():
            for one in State:
                state.add_metric((name, one), 1 if one == each.state else 0)
            starts.add_metric((name,), each.starts)
            if each.rooms:
                writes.add_metric((name,), 1 if each.report().writes_allowed else 0)
            for room in each.rooms:
                position.add_metric((name, room.name), room.applied)
                failing.add_metric((name, room.name), len(room.failing))
        yield from (state, starts, writes, position, failing)
