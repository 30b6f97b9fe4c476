"""The read models' own rows for a capsule, out of PostgreSQL, at one moment.

Called by `kcjl capsule make`.
"""

from collections.abc import Sequence

from kcjl.audit.capsule_making import Row
from kcjl.database import Database

__all__ = ["PostgresLiveRows"]

# One statement sees one moment: where the rows stand, and the rows.
_ROWS = """
with live as materialized (
    select projection, version, position from projection_checkpoint
    where merchant = $1 and live
), wanted as (
    select * from unnest($2::text[], $3::text[]) as each (projection, key)
)
select
    (select min(position) from live where projection in (select projection from wanted))
        as lowest,
    (select max(position) from live where projection in (select projection from wanted))
        as highest,
    row.projection, row.key, row.data::text as data
from wanted
join live using (projection)
left join projection_row row on row.merchant = $1 and row.projection = wanted.projection
    and row.version = live.version and row.key = wanted.key
"""


class PostgresLiveRows:
    """One merchant's."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    async def position(self) -> int:
        """How far all read models are; 0 where there are none."""
        found = await self._database.fetchval(
            "select min(position) from projection_checkpoint where merchant = $1 and live",
            self._merchant,
        )
        return int(found or 0)

    async def rows(self, wanted: Sequence[Row]) -> tuple[int, dict[Row, bytes]]:
        """-1 as the position while one read model is ahead of another."""
        found = await self._database.fetch(
            _ROWS, self._merchant, [name for name, _ in wanted], [key for _, key in wanted]
        )
        if not found or found[0]["lowest"] != found[0]["highest"]:
            return -1, {}
        rows = {
            (each["projection"], each["key"]): each["data"].encode()
            for each in found
            if each["key"] is not None
        }
        return int(found[0]["lowest"]), rows
