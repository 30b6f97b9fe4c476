"""The orders' read models, as they stand: for the CLI.

Promises: every answer is read from rows of the live projections; a list is read a page at a
time, none missed and none twice. It changes nothing.
Called by `kcjl orders`.
"""

from collections.abc import AsyncIterator, Sequence

from kcjl.database import Database
from kcjl.orders.projection import ORDERS_SHOWN
from kcjl.orders.state import OrderEntry

__all__ = ["OrderRows"]

PAGE_ROWS = 2_000
EXCEPTIONS_MAX = 1_000
"""Exceptions of one order and its parcels; one in trouble has some dozens."""


class OrderRows:
    """One merchant's orders."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    async def order(self, order_id: str) -> OrderEntry | None:
        data = await self._database.fetchval(
            """
            select data::text from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'orders' and live and key = $2
            """,
            self._merchant,
            order_id,
        )
        return ORDERS_SHOWN.entry(data) if data is not None else None

    async def orders(self, states: Sequence[str]) -> AsyncIterator[Sequence[OrderEntry]]:
        """Every order of these standings, or of any where none is named, a page at a time."""
        after = ""
        while True:
            rows = await self._database.fetch(
                """
                select key, data::text as data, data->>'state' as state from projection_row
                join projection_checkpoint using (merchant, projection, version)
                where merchant = $1 and projection = 'orders' and live and key > $2
                order by key limit $3
                """,
                self._merchant,
                after,
                PAGE_ROWS,
            )
            if rows:
                yield [
                    ORDERS_SHOWN.entry(row["data"])
                    for row in rows
                    if not states or row["state"] in states
                ]
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1]["key"]

    async def exceptions(self, order_id: str) -> Sequence[tuple[str, str]]:
        """(kind, subject) of what was raised about the order or one of its parcels."""
        rows = await self._database.fetch(
            """
            select key from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'exceptions' and live
            and (substr(key, strpos(key, ':') + 1) = $2
                or starts_with(substr(key, strpos(key, ':') + 1), $2 || '/'))
            order by key limit $3
            """,
            self._merchant,
            order_id,
            EXCEPTIONS_MAX,
        )
        return [(kind, subject) for kind, _, subject in (r["key"].partition(":") for r in rows)]

    async def excepted(self) -> frozenset[str]:
        """What exceptions were ever raised about, up to its parcel: order ids are among it."""
        rows = await self._database.fetch(
            """
            select distinct split_part(substr(key, strpos(key, ':') + 1), '/', 1) as subject
            from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'exceptions' and live
            """,
            self._merchant,
        )
        return frozenset(row["subject"] for row in rows)
