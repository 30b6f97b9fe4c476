"""Dispatch as people look at it, out of PostgreSQL: parcels by urgency, and one order's time.

Promises: see `kcjl/readmodels_dispatch.py`. A list reads as many orders as it shows, by an
index, however many there are; working days and thresholds are those of the settings handed in.
Called by the read models and by `kcjl dispatch show`.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from kcjl.database import Database
from kcjl.dispatch.calendar_settings import deadline_rules, metric_rules
from kcjl.dispatch.deadline_events import SellerMetricsRead
from kcjl.dispatch.deadlines import DeadlineRules, Standing
from kcjl.dispatch.events import CarriersRead
from kcjl.dispatch.metrics import PERIODS, Metric
from kcjl.dispatch.minutes import is_late, spans_of, spent_by, whose_now
from kcjl.dispatch.outage import Silence
from kcjl.dispatch.parcel import Parcel, ParcelState
from kcjl.dispatch.projection import DISPATCHES_SHOWN, TIMINGS_SHOWN
from kcjl.dispatch.state import Dispatch
from kcjl.dispatch.timing import FINAL, Timing
from kcjl.events import vocabulary
from kcjl.log.port import Selection
from kcjl.log.queries import PostgresQueries
from kcjl.projections.dispatchreading import silences_of
from kcjl.projections.freshreading import fresh
from kcjl.projections.liferows import life_of
from kcjl.projections.ordersview import FIND_ROWS_MAX, pattern_of
from kcjl.projections.timingreading import TimingRows
from kcjl.readmodels_dispatch import (
    DeadlineHour,
    DispatchList,
    DispatchStory,
    MetricTold,
    ParcelRow,
    ParcelTold,
    SpanTold,
    TimeTold,
)
from kcjl.settings import DispatchSettings
from kcjl.tenant.events import TenantRead
from kcjl.vocabulary import Event

__all__ = ["HOURS_AHEAD", "DispatchView"]

HOURS_AHEAD = 24
"""Of the deadlines that are counted by the hour."""

# The two below are the index projection_row_dispatch_due, in the same words.
_DUE = "coalesce(data -> 'row' ->> 'ship_by', '9') collate \"C\""
_WAITS = "data ->> 'state' not in ('confirmed', 'ended', 'passed_over')"
_LIVE = """merchant = $1 and projection = 'timings' and version = (
    select version from projection_checkpoint
    where merchant = $1 and projection = 'timings' and live)"""
_LIVE_PARCELS = """d.merchant = $1 and d.projection = 'dispatch' and d.version = (
    select version from projection_checkpoint
    where merchant = $1 and projection = 'dispatch' and live)"""
_WITH_PARCELS = f"""
left join lateral (
    select d.data::text as parcels from projection_row d
    where {_LIVE_PARCELS} and d.key = found.key
) beside on true
"""  # noqa: S608 - the texts above
_MOST_URGENT = f"""
select found.*, beside.parcels from (
    select key, data::text as data from projection_row where {_LIVE} and {_WAITS}
    order by {_DUE} limit $2
) found {_WITH_PARCELS}
"""  # noqa: S608 - the texts above
_NEWEST_DONE = f"""
select found.*, beside.parcels from (
    select key, data::text as data from (
        select key, data from projection_row where {_LIVE}
        order by (data->'row'->>'ordered_at') collate "C" desc limit $2
    ) newest where data ->> 'state' = 'confirmed'
) found {_WITH_PARCELS}
"""  # noqa: S608 - the texts above
_FOUND_BY_ID = f"""
select found.*, beside.parcels from (
    select key, data::text as data, count(*) over () as found from projection_row
    where {_LIVE} and key ilike $3 order by key limit $2
) found {_WITH_PARCELS}
"""  # noqa: S608 - the texts above
_FOUND_IN_TEXT = f"""
select * from (
    select found.*, beside.parcels from (
        select key, data::text as data from projection_row where {_LIVE} and {_WAITS}
        order by {_DUE} limit $2
    ) found {_WITH_PARCELS}
) waiting where data ilike $3 or parcels ilike $3
"""  # noqa: S608 - the texts above
_COUNTS = f"""
select
    (select count(*) from projection_row where {_LIVE} and {_WAITS}) as waiting,
    (select count(*) from projection_row where {_LIVE} and {_WAITS} and {_DUE} < $2) as late,
    (select count(*) from projection_row where {_LIVE}) as every
"""  # noqa: S608 - the texts above
_HOURS = f"""
select each.at, (
    select count(*) from projection_row
    where {_LIVE} and {_WAITS} and {_DUE} >= each.at and {_DUE} < each.until
) as orders
from unnest($2::text[], $3::text[]) as each (at, until)
"""  # noqa: S608 - the texts above

Found = tuple[Timing, Dispatch | None]


class DispatchView:
    """One merchant's orders on their way, with their parcels."""

    def __init__(
        self,
        database: Database,
        merchant: str,
        now: Callable[[], datetime],
        settings: DispatchSettings,
    ) -> None:
        """`now`: what is late is judged by it."""
        self._database = database
        self._merchant = merchant
        self._now = now
        self._settings = settings
        self._rules: DeadlineRules | None = None
        self._log = PostgresQueries(database, merchant, vocabulary())

    @property
    def rules(self) -> DeadlineRules:
        """Made when they are first needed: a calendar takes its time."""
        if self._rules is None:
            self._rules = deadline_rules(self._settings.deadlines)
        return self._rules

    async def list(self, *, find: str = "", limit: int = 1_000) -> DispatchList:
        state = await fresh(self._database, self._merchant, self._now())
        counts = await self._database.fetchrow(_COUNTS, self._merchant, _text(state.now))
        answer = await (self._found(find, limit) if find else self._urgent(limit))
        found, total, by_id = answer
        silences = await silences_of(self._log)
        metrics, read_at = await self._metrics()
        return DispatchList(
            rows=tuple(
                row
                for timing, entry in found
                for row in _rows(timing, entry, self.rules, silences, state.now)
            ),
            orders=len(found),
            total=(counts["every"] if counts else 0) if total is None else total,
            open=counts["waiting"] if counts else 0,
            late=counts["late"] if counts else 0,
            found_in=find,
            searched=0 if by_id else min(counts["waiting"] if counts else 0, FIND_ROWS_MAX),
            hours=await self._hours(state.now),
            metrics=metrics,
            metrics_read_at=read_at,
            silent_since=next((each.since for each in silences if each.until is None), None),
            fresh=state,
        )

    async def story(self, order_id: str) -> DispatchStory | None:
        timing = await TimingRows(self._database, self._merchant).timing(order_id)
        if timing is None:
            return None
        data = await self._database.fetchval(
            f"select data::text from projection_row d where {_LIVE_PARCELS} and d.key = $2",  # noqa: S608 - the text above
            self._merchant,
            order_id,
        )
        entry = None if data is None else DISPATCHES_SHOWN.entry(data)
        silences = await silences_of(self._log)
        streams = [f"{each}-{order_id}" for each in ("dispatch", "deadline")]
        events, cut = await life_of(self._log, streams)
        now = self._now()
        spans = spans_of(timing, self.rules.business, now, silences=silences)
        done_late = timing.stage in FINAL and is_late(timing, now)
        standing = Standing.LATE if done_late else self.rules.standing(timing, now)
        return DispatchStory(
            order_id=timing.order_id,
            stage=timing.stage.value,
            marketplace_state=timing.state,
            standing=standing.value,
            ordered_at=timing.ordered_at,
            ready_at=timing.ready_at,
            confirmed_at=timing.confirmed_at,
            deadline=timing.ship_by,
            own_deadline=self.rules.own_deadline(timing),
            erp_order_code="" if entry is None else entry.erp_order_code,
            total=timing.money,
            spans=tuple(
                SpanTold(
                    stage=each.stage.value,
                    whose=each.whose.value,
                    began=each.began,
                    ended=each.ended,
                    elapsed_s=each.elapsed_s,
                    business_s=each.business_s,
                )
                for each in spans
            ),
            spent=tuple(TimeTold(**msgspec.structs.asdict(each)) for each in spent_by(spans)),
            parcels=tuple(_told(each) for each in (entry.parcels if entry else ())),
            events=events,
            cut=cut,
        )

    async def carriers(self) -> tuple[tuple[str, str], ...]:
        for stream, kind in (("tenant", TenantRead), ("dispatch-policy", CarriersRead)):
            event = await self._newest(stream, kind)
            if isinstance(event, TenantRead | CarriersRead) and event.carriers:
                return tuple(event.carriers)
        return ()

    async def _urgent(self, limit: int) -> tuple[Sequence[Found], int | None, bool]:
        rows = await self._database.fetch(_MOST_URGENT, self._merchant, limit)
        if len(rows) < limit:
            left = limit - len(rows)
            rows += await self._database.fetch(_NEWEST_DONE, self._merchant, left)
        return [_entries(row["data"], row["parcels"]) for row in rows], None, True

    async def _found(self, find: str, limit: int) -> tuple[Sequence[Found], int | None, bool]:
        """(orders, how many, by the id). Where no id has it, in what waits: a number."""
        wanted = pattern_of(find)
        by_id = await self._database.fetch(_FOUND_BY_ID, self._merchant, limit, wanted)
        if by_id:
            found = [_entries(row["data"], row["parcels"]) for row in by_id]
            return found, by_id[0]["found"], True
        rows = await self._database.fetch(_FOUND_IN_TEXT, self._merchant, FIND_ROWS_MAX, wanted)
        return [_entries(row["data"], row["parcels"]) for row in rows[:limit]], len(rows), False

    async def _hours(self, now: datetime) -> tuple[DeadlineHour, ...]:
        first = now.replace(minute=0, second=0, microsecond=0)
        starts = [first + timedelta(hours=each) for each in range(HOURS_AHEAD + 1)]
        edges = [_text(now), *(_text(each) for each in starts[1:])]
        rows = await self._database.fetch(_HOURS, self._merchant, edges[:-1], edges[1:])
        by_edge = {row["at"]: row["orders"] for row in rows}
        return tuple(
            DeadlineHour(at=at, orders=by_edge.get(edge, 0))
            for at, edge in zip(starts[:-1], edges[:-1], strict=True)
        )

    async def _metrics(self) -> tuple[tuple[MetricTold, ...], datetime | None]:
        """As the marketplace told them last, beside our thresholds."""
        read = await self._newest("seller-metrics", SellerMetricsRead)
        if not isinstance(read, SellerMetricsRead):
            return (), None
        thresholds = metric_rules(self._settings.metrics).thresholds
        known = frozenset(each.value for each in Metric)
        shortest = min(PERIODS, key=lambda period: PERIODS[period])
        told = tuple(
            MetricTold(
                metric=each.metric,
                period=each.period,
                theirs=each.value,
                threshold=thresholds.get(each.metric),
            )
            for each in read.metrics
            if each.metric in known and each.period == shortest
        )
        return told, read.occurred_at

    async def _newest(self, stream: str, kind: type[Event]) -> Event | None:
        newest = Selection(stream=stream, types=(kind.__name__,), backward=True, page=1)
        async for page in self._log.select(newest):
            return page[0].event
        return None


def _entries(timing: str, parcels: str | None) -> Found:
    entry = None if parcels is None else DISPATCHES_SHOWN.entry(parcels)
    return TIMINGS_SHOWN.entry(timing), entry


def _text(moment: datetime) -> str:
    """As a row has a time: to the second, it sorts before all that is of that second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _rows(
    timing: Timing,
    entry: Dispatch | None,
    rules: DeadlineRules,
    silences: Sequence[Silence],
    now: datetime,
) -> Sequence[ParcelRow]:
    done_late = timing.stage in FINAL and is_late(timing, now)
    standing = Standing.LATE if done_late else rules.standing(timing, now)
    whole = ParcelRow(
        key=timing.order_id,
        order_id=timing.order_id,
        parcel_key="",
        state=timing.stage.value,
        stage=timing.stage.value,
        whose="" if timing.stage in FINAL else whose_now(timing, silences).value,
        standing=standing.value,
        deadline=timing.ship_by,
        own_deadline=rules.own_deadline(timing),
        since=timing.since,
        courier="",
        carrier="",
        number="",
        attempts=0,
        message="",
        skus=timing.skus,
        total=timing.money,
    )
    parcels = entry.parcels if entry is not None else ()
    return [
        msgspec.structs.replace(
            whole,
            key=f"{timing.order_id}/{each.parcel_key}",
            parcel_key=each.parcel_key,
            state=each.state.value,
            courier=each.courier_name,
            carrier=each.carrier_code,
            number=each.tracking_number,
            attempts=each.attempts,
            message=each.message,
        )
        for each in sorted(parcels, key=lambda each: each.state in _SETTLED)
    ] or [whole]


_SETTLED = frozenset({ParcelState.CONFIRMED, ParcelState.LEFT})


def _told(parcel: Parcel) -> ParcelTold:
    return ParcelTold(
        parcel_key=parcel.parcel_key,
        state=parcel.state.value,
        number_state=parcel.number_state.value,
        courier=parcel.courier_name,
        carrier=parcel.carrier_code,
        number=parcel.tracking_number,
        number_told=parcel.number_told,
        attempts=parcel.attempts,
        message=parcel.message,
        shipment_id=parcel.shipment_id,
        items=tuple((each.stock_code, each.quantity) for each in parcel.items),
    )
