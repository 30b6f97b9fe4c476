"""The service's health out of PostgreSQL: what the log, the sync log and the lease say of it.

Promises: see `kcjl/readmodels_health.py`. It looks at what was recorded, and asks no process:
so it answers while the service is down, and as of any time of the log. What the watch finds is
known by its events; that it found nothing is known only by their lack.
Called by `projections/reading.py`.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import asyncpg

from kcjl.calls.port import CallOutcome
from kcjl.database import Database
from kcjl.dispatch.events import ShipmentsRead
from kcjl.events import vocabulary
from kcjl.exceptions.events import JobInterrupted, WritesSwitched
from kcjl.log.port import Recorded
from kcjl.log.rows import COLUMNS, all_recorded
from kcjl.orders.events import OrdersRead
from kcjl.projections.healthrows import (
    CALL_HOURS,
    RECENT_EVENTS,
    call_row,
    fault_of,
    feed_row,
    job_rows,
    open_conditions,
    room_row,
    urgency,
    watched_rows,
)
from kcjl.readmodels import Freshness
from kcjl.readmodels_health import Fault, HealthReading, HealthRow
from kcjl.settlement.events import TransactionsRead
from kcjl.stock.events import StockRead

__all__ = ["PostgresHealth"]

FAULTS_MAX = 200
READS_MAX = 60
ROOMS = ("stock", "orders", "dispatch", "settlement", "exceptions", "tenant", "watch")
FEEDS: tuple[tuple[str, str, str, str], ...] = (
    ("levels", "stock-reads", StockRead.__name__, "levels"),
    ("orders", "orders-intake", OrdersRead.__name__, "orders"),
    ("shipments", "dispatch-reads", ShipmentsRead.__name__, "shipments"),
    ("transactions", "settlement-reads", TransactionsRead.__name__, "transactions"),
)
"""(name, stream, type of event, subject of the watch's condition)."""
_OWN_STREAMS = """(
    stream >= 'job-' and stream < 'job.' or stream >= 'service-' and stream < 'service.'
)"""


class PostgresHealth:
    """One merchant's health."""

    def __init__(
        self, database: Database, merchant: str, fresh: Callable[[], Awaitable[Freshness]]
    ) -> None:
        self._database = database
        self._merchant = merchant
        self._fresh = fresh
        self._vocabulary = vocabulary()

    async def reading(self) -> HealthReading:
        fresh = await self._fresh()
        faults = await self._faults()
        last = await self._last_words()
        rows = [
            *job_rows(last),
            *await self._rooms(fresh, last, faults),
            *await self._feeds(fresh.now, last),
            *await self._calls(fresh.now),
            *watched_rows(last),
            await self._lists(last),
            await self._lease(last),
            await self._switch(),
        ]
        if faults:
            rows.append(
                HealthRow(
                    key="faults",
                    group="faults",
                    name="last faults",
                    standing="unknown",
                    said=f"{faults[0].subject}: {faults[0].said}",
                    at=faults[0].occurred_at,
                    faults=tuple(faults),
                )
            )
        return HealthReading(
            rows=tuple(sorted(rows, key=urgency)), faults_total=len(faults), fresh=fresh
        )

    # ── what the service said of itself ────────────────────────────────────────────────────

    async def _events(self, query: str, *arguments: object) -> Sequence[Recorded]:
        rows = await self._database.fetch(query, self._merchant, *arguments)
        return all_recorded(rows, self._merchant, self._vocabulary)

    async def _faults(self) -> Sequence[Fault]:
        found = await self._events(
            f"""
            select {COLUMNS} from event where merchant = $1 and {_OWN_STREAMS}
            and type in ('JobInterrupted', 'ServiceConditionFound')
            order by position desc limit $2
            """,  # noqa: S608 - constants
            FAULTS_MAX,
        )
        return [each for each in map(fault_of, found) if each is not None]

    async def _last_words(self) -> Sequence[Recorded]:
        """The newest event of each job and each condition."""
        return await self._events(
            f"""
            select distinct on (stream) {COLUMNS} from event
            where merchant = $1 and {_OWN_STREAMS} order by stream, revision desc
            """  # noqa: S608 - constants
        )

    async def _rooms(
        self, fresh: Freshness, last: Sequence[Recorded], faults: Sequence[Fault]
    ) -> Sequence[HealthRow]:
        rows = await self._database.fetch(
            """
            select by, floor(extract(epoch from $3 - recorded_at) / 60)::int as ago,
                count(*) as events, max(recorded_at) as newest
            from event where merchant = $1 and position > $2 group by 1, 2
            """,
            self._merchant,
            fresh.position - RECENT_EVENTS,
            fresh.now,
        )
        down: Counter[str] = Counter(
            each.event.room for each in last if isinstance(each.event, JobInterrupted)
        )
        return [room_row(name, rows, down[name], faults) for name in ROOMS]

    # ── what is read of the outside ────────────────────────────────────────────────────────

    async def _feeds(self, now: datetime, last: Sequence[Recorded]) -> Sequence[HealthRow]:
        stale = {each.subject: each.message for each in open_conditions(last, "feed_stale")}
        found = []
        for name, stream, type_, subject in FEEDS:
            reads = await self._database.fetch(
                """
                select position, occurred_at, recorded_at from event
                where merchant = $1 and stream = $2 and type = $3
                order by revision desc limit $4
                """,
                self._merchant,
                stream,
                type_,
                READS_MAX + 1,
            )
            found.append(feed_row(name, list(reversed(reads)), stale.get(subject, ""), now))
        return found

    async def _calls(self, now: datetime) -> Sequence[HealthRow]:
        """By operation, of the sync log: kept some weeks, and no part of the log."""
        rows = await self._database.fetch(
            """
            select side, operation,
                floor(extract(epoch from $2 - attempted_at) / 3600)::int as ago,
                count(*) as calls, count(*) filter (where outcome <> $4) as failed,
                count(*) filter (where outcome = $5) as slowed,
                percentile_disc(0.95) within group (order by took_ms) as took_ms,
                max(attempted_at) as newest, sum(lost_before)::bigint as lost
            from sync_log where merchant = $1 and attempted_at > $3 and attempted_at <= $2
            group by 1, 2, 3 order by 1, 2, 3
            """,
            self._merchant,
            now,
            now - timedelta(hours=CALL_HOURS),
            CallOutcome.DONE.value,
            CallOutcome.RATE_LIMITED.value,
        )
        by_operation: dict[tuple[str, str], list[asyncpg.Record]] = {}
        for row in rows:
            by_operation.setdefault((row["side"], row["operation"]), []).append(row)
        busiest = await self._busiest_minutes(now)
        return [
            call_row(side, operation, each, busiest.get((side, operation), 0))
            for (side, operation), each in by_operation.items()
        ]

    async def _busiest_minutes(self, now: datetime) -> dict[tuple[str, str], int]:
        """What a limit is set against: the most calls in a minute of the last hour."""
        rows = await self._database.fetch(
            """
            select side, operation, max(calls) as calls from (
                select side, operation, date_trunc('minute', attempted_at), count(*) as calls
                from sync_log
                where merchant = $1 and attempted_at > $2 and attempted_at <= $3
                group by 1, 2, 3
            ) as minute group by 1, 2
            """,
            self._merchant,
            now - timedelta(hours=1),
            now,
        )
        return {(row["side"], row["operation"]): row["calls"] for row in rows}

    # ── the lists, the lease, the switch ───────────────────────────────────────────────────

    async def _lists(self, last: Sequence[Recorded]) -> HealthRow:
        rows = await self._database.fetch(
            """
            select c.projection, c.version, c.live, c.position, h.position as head,
                e.recorded_at as waits_since
            from projection_checkpoint c join log_head h using (merchant)
            left join event e on e.merchant = c.merchant and e.position = c.position + 1
            where c.merchant = $1 order by c.projection, c.version
            """,
            self._merchant,
        )
        behind = [row for row in rows if row["live"] and row["position"] < row["head"]]
        told = open_conditions(last, "projection_behind")
        most = max((row["head"] - row["position"] for row in behind), default=0)
        level = "all are at the log's head" if rows else "none was folded yet"
        said = f"{len(behind)} of them up to {most:,} events behind" if behind else ""
        return HealthRow(
            key="lists",
            group="lists",
            name="read models",
            standing="bad" if told else "ok" if rows else "unknown",
            said=told[0].message if told else said or level,
            at=min((row["waits_since"] for row in behind if row["waits_since"]), default=None),
            facts=tuple(map(_list_told, rows)),
            has_past=False,
        )

    async def _lease(self, last: Sequence[Recorded]) -> HealthRow:
        row = await self._database.fetchrow(
            """
            select holder, epoch, expires_at, expires_at > now() as held
            from lease where merchant = $1
            """,
            self._merchant,
        )
        size = await self._database.fetchval("select pg_database_size(current_database())")
        told = [each.message for each in open_conditions(last, "lease_lost")]
        held = row is not None and row["held"]
        said = "nobody serves this merchant"
        facts = [("database", f"{size / 1_000_000:,.0f} MB in all")]
        if row is not None:
            said = f"held by {row['holder']}" if held else f"{said}: {row['holder']} did"
            facts = [("holder", row["holder"]), ("epoch", f"{row['epoch']:,}"), *facts]
        return HealthRow(
            key="lease",
            group="lease",
            name="lease",
            standing="bad" if not held else "warn" if told else "ok",
            said="; ".join((said, *told)),
            at=row["expires_at"] if row is not None else None,
            facts=tuple(facts),
            has_past=False,
        )

    async def _switch(self) -> HealthRow:
        found = await self._events(
            f"""
            select {COLUMNS} from event where merchant = $1 and stream = 'writes'
            order by revision desc limit $2
            """,  # noqa: S608 - constants
            FAULTS_MAX,
        )
        newest = found[0].event if found else None
        off = isinstance(newest, WritesSwitched) and not newest.allowed
        reason = newest.reason if isinstance(newest, WritesSwitched) else ""
        said = "all writes to the outside are stopped" if off else "writes go out"
        return HealthRow(
            key="switch",
            group="switch",
            name="writes",
            standing="bad" if off else "ok",
            said=f"{said}: {reason}" if reason else f"{said}: nobody has ever stopped them",
            at=found[0].occurred_at if found else None,
            faults=tuple(each for each in map(fault_of, found) if each is not None),
        )


def _list_told(row: asyncpg.Record) -> tuple[str, str]:
    name = row["projection"] if row["live"] else f"{row['projection']}, next"
    behind = row["head"] - row["position"]
    return name, f"#{row['position']:,}, {behind:,} behind, version {row['version']}"
