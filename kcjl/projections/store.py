"""Where rows of projections are kept: PostgreSQL, and its memory twin.

Promises: rows and checkpoint change together or not at all; a checkpoint only moves forward
from where its writer thought it was. Called by the runner, by replay and by the read models.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from kcjl.database import Database
from kcjl.errors import Fenced

__all__ = ["Changes", "MemoryRows", "PostgresRows", "RowStore"]

Changes = Mapping[tuple[str, str], bytes | None]
"""(projection, key) -> the new row, or None when it is gone."""

VERSION = 1


class RowStore(Protocol):
    async def position(self, projections: Sequence[str]) -> int:
        """Up to which position all of these projections have been folded."""
        ...

    async def fetch(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]: ...

    async def write(
        self, projections: Sequence[str], changes: Changes, *, before: int, after: int
    ) -> None:
        """Raises Fenced when another writer has moved the checkpoint."""
        ...

    async def rows(self, projection: str) -> list[tuple[str, bytes]]:
        """Every row of a projection by key: for comparing a replay."""
        ...


class PostgresRows:
    """Rows in `projection_row`, checkpoints in `projection_checkpoint`."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    async def position(self, projections: Sequence[str]) -> int:
        await self._database.execute(
            """
            insert into projection_checkpoint (merchant, projection, version, position, live)
            select $1, name, $3, 0, true from unnest($2::text[]) as name
            on conflict do nothing
            """,
            self._merchant,
            list(projections),
            VERSION,
        )
        row = await self._database.fetchrow(
            """
            select min(position) as position from projection_checkpoint
            where merchant = $1 and projection = any($2::text[]) and live
            """,
            self._merchant,
            list(projections),
        )
        return int(row["position"]) if row and row["position"] is not None else 0

    async def fetch(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        if not keys:
            return {}
        rows = await self._database.fetch(
            """
            select r.projection, r.key, r.data::text as data
            from unnest($2::text[], $3::text[]) as wanted (projection, key)
            join projection_row r
                on r.merchant = $1 and r.projection = wanted.projection
                and r.version = $4 and r.key = wanted.key
            """,
            self._merchant,
            [projection for projection, _ in keys],
            [key for _, key in keys],
            VERSION,
        )
        return {(row["projection"], row["key"]): row["data"].encode() for row in rows}

    async def write(
        self, projections: Sequence[str], changes: Changes, *, before: int, after: int
    ) -> None:
        kept = [(name, key, row) for (name, key), row in changes.items() if row is not None]
        gone = [(name, key) for (name, key), row in changes.items() if row is None]
        async with self._database.transaction() as transaction:
            moved = await transaction.execute(
                """
                update projection_checkpoint set position = $4
                where merchant = $1 and projection = any($2::text[]) and live
                and position = $3
                """,
                self._merchant,
                list(projections),
                before,
                after,
            )
            if not moved.endswith(f" {len(projections)}"):
                raise Fenced("another process has moved the projections' checkpoints on")
            if kept:
                await transaction.execute(
                    """
                    insert into projection_row (merchant, projection, version, key, data)
                    select $1, n.projection, $5, n.key, n.data::json
                    from unnest($2::text[], $3::text[], $4::text[]) as n (projection, key, data)
                    on conflict (merchant, projection, version, key)
                    do update set data = excluded.data
                    """,
                    self._merchant,
                    [name for name, _, _ in kept],
                    [key for _, key, _ in kept],
                    [row.decode() for _, _, row in kept],
                    VERSION,
                )
            if gone:
                await transaction.execute(
                    """
                    delete from projection_row r
                    using unnest($2::text[], $3::text[]) as g (projection, key)
                    where r.merchant = $1 and r.version = $4
                    and r.projection = g.projection and r.key = g.key
                    """,
                    self._merchant,
                    [name for name, _ in gone],
                    [key for _, key in gone],
                    VERSION,
                )

    async def rows(self, projection: str) -> list[tuple[str, bytes]]:
        found = await self._database.fetch(
            """
            select key, data::text as data from projection_row
            where merchant = $1 and projection = $2 and version = $3 order by key
            """,
            self._merchant,
            projection,
            VERSION,
        )
        return [(row["key"], row["data"].encode()) for row in found]


class MemoryRows:
    """The memory twin."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], bytes] = {}
        self._positions: dict[str, int] = {}

    async def position(self, projections: Sequence[str]) -> int:
        return min((self._positions.setdefault(name, 0) for name in projections), default=0)

    async def fetch(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        return {key: self._rows[key] for key in keys if key in self._rows}

    async def write(
        self, projections: Sequence[str], changes: Changes, *, before: int, after: int
    ) -> None:
        if any(self._positions.get(name, 0) != before for name in projections):
            raise Fenced("another process has moved the projections' checkpoints on")
        for key, row in changes.items():
            if row is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = row
        self._positions.update(dict.fromkeys(projections, after))

    async def rows(self, projection: str) -> list[tuple[str, bytes]]:
        return sorted(
            (key, row) for (name, key), row in self._rows.items() if name == projection
        )
