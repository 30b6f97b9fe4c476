"""The orders' times, as they stand: for the CLI.

Promises: every answer is read from rows of the live projection; a list is read a page at a
time, none missed and none twice. It changes nothing. Called by `kcjl dispatch`.
Invariant: a row's times are texts in UTC, with or without a fraction, so they sort as texts
beside a whole second without its Z.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime, timedelta

from kcjl.database import Database
from kcjl.dispatch.projection import TIMINGS_SHOWN
from kcjl.dispatch.timing import Stage, Timing

__all__ = ["PLACED", "TimingRows"]

PAGE_ROWS = 2_000
SECOND = timedelta(seconds=1)
END_OF_TIME = "9999"
PLACED = """
    select (data->'row'->>'ordered_at') collate "C" as ordered_at, key, data::text as data
    from projection_row
    where merchant = $1 and projection = 'timings' and version = (
        select version from projection_checkpoint
        where merchant = $1 and projection = 'timings' and live
    )
    and (data->'row'->>'ordered_at') collate "C" >= $2
    and ((data->'row'->>'ordered_at') collate "C", key) > ($2::text, $3::text)
    and (data->'row'->>'ordered_at') collate "C" < $4
    order by (data->'row'->>'ordered_at') collate "C", key
    limit $5
"""
"""By the index projection_row_ordered: a period of a long past is read alone."""


class TimingRows:
    """One merchant's orders, and how long each was at which stage."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    async def timing(self, order_id: str) -> Timing | None:
        data = await self._database.fetchval(
            """
            select data::text from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'timings' and live and key = $2
            """,
            self._merchant,
            order_id,
        )
        return TIMINGS_SHOWN.entry(data) if data is not None else None

    async def at(self, stages: Collection[Stage]) -> AsyncIterator[Sequence[Timing]]:
        """Orders that are at one of these stages."""
        after = ""
        while True:
            rows = await self._database.fetch(
                """
                select key, data::text as data from projection_row
                join projection_checkpoint using (merchant, projection, version)
                where merchant = $1 and projection = 'timings' and live and key > $2
                and data->>'state' = any($3::text[])
                order by key limit $4
                """,
                self._merchant,
                after,
                sorted(stages),
                PAGE_ROWS,
            )
            if rows:
                yield [TIMINGS_SHOWN.entry(row["data"]) for row in rows]
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1]["key"]

    async def placed(
        self, since: datetime, until: datetime | None = None
    ) -> AsyncIterator[Sequence[Timing]]:
        """Orders placed at `since <= ordered_at < until`, by the second the oldest first."""
        after, key = _bound(since), ""
        end = END_OF_TIME if until is None else _bound(until + SECOND)
        while True:
            rows = await self._database.fetch(
                PLACED, self._merchant, after, key, end, PAGE_ROWS
            )
            found = [TIMINGS_SHOWN.entry(row["data"]) for row in rows]
            yield [
                each
                for each in found
                if since <= each.ordered_at and (until is None or each.ordered_at < until)
            ]
            if len(rows) < PAGE_ROWS:
                return
            after, key = rows[-1]["ordered_at"], rows[-1]["key"]


def _bound(moment: datetime) -> str:
    """Of a row's text of a time: all of this second, and whatever is later, are beyond it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
