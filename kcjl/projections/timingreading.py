"""The orders' times, as they stand: for the CLI.

Promises: every answer is read from rows of the live projection; a list is read a page at a
time, none missed and none twice. It changes nothing. Called by `kcjl dispatch`.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from kcjl.database import Database
from kcjl.dispatch.projection import TIMINGS_SHOWN
from kcjl.dispatch.timing import Timing

__all__ = ["TimingRows"]

PAGE_ROWS = 2_000


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

    async def timings(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        without: Sequence[str] = (),
    ) -> AsyncIterator[Sequence[Timing]]:
        """Orders placed at `since <= ordered_at < until`, but for those at these stages."""
        after = ""
        while True:
            rows = await self._database.fetch(
                """
                select key, data::text as data from projection_row
                join projection_checkpoint using (merchant, projection, version)
                where merchant = $1 and projection = 'timings' and live and key > $2
                and ($3::timestamptz is null
                    or (data->'row'->>'ordered_at')::timestamptz >= $3)
                and ($4::timestamptz is null
                    or (data->'row'->>'ordered_at')::timestamptz < $4)
                and data->>'state' <> all($5::text[])
                order by key limit $6
                """,
                self._merchant,
                after,
                since,
                until,
                list(without),
                PAGE_ROWS,
            )
            if rows:
                yield [TIMINGS_SHOWN.entry(row["data"]) for row in rows]
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1]["key"]
