"""Health made of values: something wrong, something to look at, the rest as it should be."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from kcjl.readmodels import Freshness
from kcjl.readmodels_health import Fault, HealthReading, HealthRow, Series

__all__ = ["FakeHealth", "a_watched", "some_watched"]

_NOON = datetime(2026, 7, 7, 11, 0, 0, tzinfo=UTC)
_WAVES = tuple((7 * minute) % 13 if minute % 9 else 0 for minute in range(60))


class FakeHealth:
    """Implements `kcjl.readmodels_health.HealthModels`."""

    def __init__(
        self,
        asked: Callable[[str], Awaitable[None]],
        fresh: Callable[[], Freshness],
        rows: Sequence[HealthRow],
    ) -> None:
        self.rows = tuple(rows)
        self._asked = asked
        self._fresh = fresh

    async def reading(self) -> HealthReading:
        await self._asked("health")
        return HealthReading(rows=self.rows, faults_total=2, fresh=self._fresh())


def a_fault(place: int = 1) -> Fault:
    happened = _NOON - timedelta(minutes=7 * place)
    return Fault(
        position=12_400 - place,
        type="JobInterrupted",
        occurred_at=happened,
        recorded_at=happened + timedelta(seconds=4 * (place % 2)),
        subject="orders/intake",
        said="KCJL-3001 the marketplace gave no answer within 30 s",
    )


def a_watched(**facts: object) -> HealthRow:
    row = HealthRow(
        key="room stock",
        group="room",
        name="stock",
        standing="ok",
        said="412 events in the last hour",
        at=_NOON - timedelta(seconds=4),
        series=(Series(name="events", unit="events", step="1 min", counts=_WAVES),),
    )
    return msgspec.structs.replace(row, **facts)


def some_watched() -> tuple[HealthRow, ...]:
    hours = tuple(240 + each * 11 for each in _WAVES[:24])
    return (
        a_watched(
            key="job-orders-intake",
            group="job",
            name="orders/intake",
            standing="bad",
            said="KCJL-3001 the marketplace gave no answer within 30 s",
            at=_NOON - timedelta(minutes=7),
            series=(),
            facts=(("side", "johnlewis"),),
            faults=(a_fault(1), a_fault(2)),
        ),
        a_watched(
            key="calls johnlewis OR11",
            group="calls",
            name="johnlewis OR11",
            standing="warn",
            said="60 in the last hour, 2 failed, 1 told to slow down, p95 210 ms",
            series=(
                Series(name="calls", unit="calls", step="1 h", counts=hours),
                Series(name="failed", unit="calls", step="1 h", counts=(0,) * 22 + (1, 2)),
            ),
            facts=(
                ("busiest", "3 calls in one minute of the last hour"),
                ("a day", "1,440 calls, 3 failed"),
            ),
        ),
        a_watched(
            key="lease",
            group="lease",
            name="lease",
            said="held by kcjl-1:4242",
            at=_NOON + timedelta(seconds=20),
            series=(),
            facts=(("holder", "kcjl-1:4242"), ("epoch", "7"), ("database", "812 MB in all")),
            has_past=False,
        ),
        *(
            a_watched(key=f"room {name}", name=name, at=_NOON - timedelta(seconds=9 * place))
            for place, name in enumerate(("stock", "orders", "dispatch", "settlement"))
        ),
        a_watched(
            key="feed levels",
            group="feed",
            name="levels",
            said="read every 60 s",
            series=(
                Series(name="lag", unit="s", step="one read", counts=_WAVES),
                Series(name="between reads", unit="s", step="one read", counts=(60,) * 59),
            ),
        ),
        *(
            a_watched(
                key=group,
                group=group,
                name=group,
                said=f"{said}: the watch has found nothing",
                at=None,
                series=(),
            )
            for group, said in (
                ("clock", "our clock and theirs agree"),
                ("chain", "the chain is whole, as far as the watch has gone round"),
                ("disk", "there is room where the data are"),
            )
        ),
        a_watched(
            key="faults",
            group="faults",
            name="last faults",
            standing="unknown",
            said="orders/intake: KCJL-3001 the marketplace gave no answer within 30 s",
            series=(),
            faults=tuple(a_fault(place) for place in range(1, 9)),
        ),
    )
