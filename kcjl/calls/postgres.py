"""The sync log on PostgreSQL: tables `sync_log` and `sync_surprise`.

Promises: a batch is kept whole or not at all, in a transaction of its own, never in the event
log's; deletions are bounded. Invariant: one merchant's rows only. Called by `SyncLog`, the CLI.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from kcjl.calls.port import (
    ROWS_MAX,
    Asked,
    CallOutcome,
    CallRecord,
    Kept,
    OperationSummary,
    Side,
    Surprise,
)
from kcjl.database import Database

if TYPE_CHECKING:
    import asyncpg

__all__ = ["PostgresCalls"]

_FIELDS = CallRecord.__struct_fields__

_MATCHING = """
    merchant = $1
    and ($2::text is null or side = $2)
    and ($3::text = '' or operation = $3)
    and ($4::text is null or outcome = $4)
    and ($5::timestamptz is null or attempted_at >= $5)
    and ($6::text = '' or position($6 in subject) > 0)
"""


class PostgresCalls:
    """One merchant's calls."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    # ── keeper ──────────────────────────────────────────────────────────────────────────────

    async def keep(self, calls: Sequence[CallRecord], surprises: Sequence[Surprise]) -> None:
        rows = [
            (self._merchant, *(getattr(call, field) for field in _FIELDS)) for call in calls
        ]
        async with self._database.transaction() as session:
            if rows:
                await session.copy_into("sync_log", ("merchant", *_FIELDS), rows)
            if surprises:
                await session.executemany(
                    """
                    insert into sync_surprise
                        (merchant, operation, field, kind, count, first_seen_at, last_seen_at)
                    values ($1, $2, $3, $4, $5, $6, $7)
                    on conflict (merchant, operation, field, kind) do update set
                        count = sync_surprise.count + excluded.count,
                        first_seen_at =
                            least(sync_surprise.first_seen_at, excluded.first_seen_at),
                        last_seen_at =
                            greatest(sync_surprise.last_seen_at, excluded.last_seen_at)
                    """,
                    [
                        (
                            self._merchant,
                            each.operation,
                            each.field,
                            each.kind,
                            each.count,
                            each.first_seen_at,
                            each.last_seen_at,
                        )
                        for each in surprises
                    ],
                )

    async def expire(self, before: datetime, *, rows_max: int) -> int:
        async with self._database.transaction() as session:
            await session.execute(
                "delete from sync_surprise where merchant = $1 and last_seen_at < $2",
                self._merchant,
                before,
            )
            return int(
                await session.fetchval(
                    """
                    with gone as (
                        delete from sync_log where merchant = $1 and number in (
                            select number from sync_log
                            where merchant = $1 and attempted_at < $2
                            order by attempted_at, number
                            limit $3
                        )
                        returning 1
                    )
                    select count(*) from gone
                    """,
                    self._merchant,
                    before,
                    rows_max,
                )
            )

    # ── queries ─────────────────────────────────────────────────────────────────────────────

    async def newest(self, asked: Asked, rows_max: int) -> Sequence[Kept]:
        rows = await self._database.fetch(
            f"select * from sync_log where {_MATCHING} order by number desc limit $7",  # noqa: S608 - a constant
            *self._matching(asked),
            min(rows_max, ROWS_MAX),
        )
        return [_kept(row) for row in reversed(rows)]

    async def after(self, number: int, asked: Asked, rows_max: int) -> Sequence[Kept]:
        rows = await self._database.fetch(
            f"""
            select * from sync_log where {_MATCHING} and number > $8
            order by number limit $7
            """,  # noqa: S608 - a constant
            *self._matching(asked),
            min(rows_max, ROWS_MAX),
            number,
        )
        return [_kept(row) for row in rows]

    async def summary(self, asked: Asked) -> Sequence[OperationSummary]:
        rows = await self._database.fetch(
            f"""
            select side, operation, count(*) as calls,
                count(*) filter (where outcome <> '{CallOutcome.DONE}') as errors,
                percentile_disc(0.5) within group (order by took_ms) as took_ms_p50,
                percentile_disc(0.95) within group (order by took_ms) as took_ms_p95,
                sum(bytes_sent)::bigint as bytes_sent,
                sum(bytes_received)::bigint as bytes_received,
                sum(lost_before)::bigint as lost,
                max(attempted_at) as last_at
            from sync_log where {_MATCHING}
            group by side, operation order by side, operation
            """,  # noqa: S608 - constants
            *self._matching(asked),
        )
        return [OperationSummary(**{**row, "side": Side(row["side"])}) for row in rows]

    async def surprises(self) -> Sequence[Surprise]:
        rows = await self._database.fetch(
            """
            select operation, field, kind, count, first_seen_at, last_seen_at
            from sync_surprise where merchant = $1 order by operation, field, kind
            """,
            self._merchant,
        )
        return [Surprise(**dict(row)) for row in rows]

    def _matching(self, asked: Asked) -> tuple[object, ...]:
        return (
            self._merchant,
            asked.side,
            asked.operation,
            asked.outcome,
            asked.since,
            asked.subject,
        )


def _kept(row: "asyncpg.Record") -> Kept:
    fields = {field: row[field] for field in _FIELDS}
    fields |= {"side": Side(row["side"]), "outcome": CallOutcome(row["outcome"])}
    return Kept(number=row["number"], call=CallRecord(**fields))
