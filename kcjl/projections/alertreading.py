"""Alerts out of PostgreSQL: what was told to whom, the newest first.

Promises: a list is bounded and its total is not; it changes nothing. Called by `kcjl alerts`.
"""

from collections.abc import Sequence

import msgspec

from kcjl.alerts.projection import ALERTS_SHOWN, AlertShown
from kcjl.database import Database

__all__ = ["AlertList", "AlertRow", "AlertRows"]


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """One message, by its id."""

    alert_id: str
    alert: AlertShown


class AlertList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest, and how many there are in all."""

    rows: Sequence[AlertRow]
    total: int


class AlertRows:
    """One merchant's alerts."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    async def newest(self, *, owner: str, channel: str, limit: int) -> AlertList:
        """Of one owner or channel where one is named; else of all."""
        rows = await self._database.fetch(
            """
            select key, data::text as data, count(*) over () as total from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'alerts' and live
                and ($2 = '' or data->'row'->>'owner' = $2)
                and ($3 = '' or data->'row'->>'channel' = $3)
            order by (data->'row'->>'written_at')::timestamptz desc, key limit $4
            """,
            self._merchant,
            owner,
            channel,
            limit,
        )
        found = [
            AlertRow(alert_id=row["key"], alert=ALERTS_SHOWN.entry(row["data"])) for row in rows
        ]
        return AlertList(rows=found, total=rows[0]["total"] if rows else 0)
