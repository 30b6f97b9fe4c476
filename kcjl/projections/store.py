"""Where rows of projections are kept: PostgreSQL, and its memory twin.

Promises: rows and checkpoint change together or not at all; a checkpoint only moves forward
from where its writer thought it was; rows are those of the live version, also when a rebuild
swaps it in the middle of everything (then a writer is told so and has written nothing).
Called by the runner, by replay and by the read models.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import asyncpg

from kcjl.database import Database, Session
from kcjl.errors import Fenced

__all__ = [
    "Changes",
    "MemoryRows",
    "PostgresRows",
    "RowStore",
    "Swapped",
    "each_row",
    "fetch_planned_now",
]

Changes = Mapping[tuple[str, str], bytes | None]
"""(projection, key) -> the new row, or None when it is gone."""

FIRST_VERSION = 1
PAGE_ROWS = 2_000


class Swapped(Exception):
    """Raised when a rebuild has put another version in the live one's place: start again."""


class RowStore(Protocol):
    async def position(self, projections: Sequence[str]) -> int:
        """Up to which position all of these projections have been folded.

        From here on `fetch` and `write` go by the versions that are live now.
        """
        ...

    async def fetch(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]: ...

    async def write(
        self, projections: Sequence[str], changes: Changes, *, before: int, after: int
    ) -> None:
        """Raises Fenced when another writer has moved the checkpoint, Swapped after a swap."""
        ...

    async def rows(self, projection: str) -> list[tuple[str, bytes]]:
        """Every row of a projection by key: for comparing a replay."""
        ...

    async def rows_after(self, projection: str, key: str) -> list[tuple[str, bytes]]:
        """The next of them behind a key, PAGE_ROWS at most."""
        ...


# Rows are looked up one by one, by "lateral": without statistics (a new database, a version
# just swapped in) a join is planned for one row, and would read all of them for each batch.
_LIVE = """
select projection, version, position from projection_checkpoint
where merchant = $1 and projection = any($2::text[]) and live
order by projection
"""


class PostgresRows:
    """Rows in `projection_row`, checkpoints in `projection_checkpoint`."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant
        self._versions: dict[str, int] = {}

    async def position(self, projections: Sequence[str]) -> int:
        names = list(projections)
        await self._database.execute(
            """
            insert into projection_checkpoint (merchant, projection, version, position, live)
            select $1, name, $3, 0, true from unnest($2::text[]) as name
            on conflict do nothing
            """,
            self._merchant,
            names,
            FIRST_VERSION,
        )
        rows = await self._database.fetch(_LIVE, self._merchant, names)
        self._versions.update((row["projection"], row["version"]) for row in rows)
        return min((int(row["position"]) for row in rows), default=0)

    async def fetch(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        if not keys:
            return {}
        rows = await fetch_planned_now(
            self._database,
            """
            select wanted.projection, wanted.key, r.data
            from unnest($2::text[], $3::text[], $4::integer[])
                as wanted (projection, key, version)
            cross join lateral (
                select data::text as data from projection_row
                where merchant = $1 and projection = wanted.projection
                and version = wanted.version and key = wanted.key
                limit 1
            ) r
            """,
            self._merchant,
            [projection for projection, _ in keys],
            [key for _, key in keys],
            [self._version(projection) for projection, _ in keys],
        )
        return {(row["projection"], row["key"]): row["data"].encode() for row in rows}

    def _version(self, projection: str) -> int:
        return self._versions.get(projection, FIRST_VERSION)

    async def write(
        self, projections: Sequence[str], changes: Changes, *, before: int, after: int
    ) -> None:
        names = list(projections)
        async with self._database.transaction() as transaction:
            # A swap holds the same rows, in the same order: one of us waits, nobody for ever.
            live = await transaction.fetch(f"{_LIVE} for update", self._merchant, names)
            if len(live) != len(names) or any(
                row["version"] != self._version(row["projection"]) for row in live
            ):
                raise Swapped
            if any(row["position"] != before for row in live):
                raise Fenced("another process has moved the projections' checkpoints on")
            await transaction.execute(
                """
                update projection_checkpoint set position = $3
                where merchant = $1 and projection = any($2::text[]) and live
                """,
                self._merchant,
                names,
                after,
            )
            await self._change(transaction, changes)

    async def _change(self, transaction: Session, changes: Changes) -> None:
        kept = [(name, key, row) for (name, key), row in changes.items() if row is not None]
        gone = [(name, key) for (name, key), row in changes.items() if row is None]
        if kept:
            await transaction.execute(
                """
                insert into projection_row (merchant, projection, version, key, data)
                select $1, n.projection, n.version, n.key, n.data::json
                from unnest($2::text[], $3::text[], $4::text[], $5::integer[])
                    as n (projection, key, data, version)
                on conflict (merchant, projection, version, key)
                do update set data = excluded.data
                """,
                self._merchant,
                [name for name, _, _ in kept],
                [key for _, key, _ in kept],
                [row.decode() for _, _, row in kept],
                [self._version(name) for name, _, _ in kept],
            )
        if gone:
            await transaction.execute(
                """
                delete from projection_row where ctid = any(array(
                    select r.ctid
                    from unnest($2::text[], $3::text[], $4::integer[])
                        as gone (projection, key, version)
                    cross join lateral (
                        select ctid from projection_row
                        where merchant = $1 and projection = gone.projection
                        and version = gone.version and key = gone.key
                        limit 1
                    ) r
                ))
                """,
                self._merchant,
                [name for name, _ in gone],
                [key for _, key in gone],
                [self._version(name) for name, _ in gone],
            )

    async def rows(self, projection: str) -> list[tuple[str, bytes]]:
        found = await self._database.fetch(
            """
            select r.key, r.data::text as data from projection_row r
            join projection_checkpoint c using (merchant, projection, version)
            where r.merchant = $1 and r.projection = $2 and c.live order by r.key
            """,
            self._merchant,
            projection,
        )
        return [(row["key"], row["data"].encode()) for row in found]

    async def rows_after(self, projection: str, key: str) -> list[tuple[str, bytes]]:
        found = await self._database.fetch(
            """
            select r.key, r.data::text as data from projection_row r
            join projection_checkpoint c using (merchant, projection, version)
            where r.merchant = $1 and r.projection = $2 and c.live and r.key > $3
            order by r.key limit $4
            """,
            self._merchant,
            projection,
            key,
            PAGE_ROWS,
        )
        return [(row["key"], row["data"].encode()) for row in found]


async def each_row(store: RowStore, projection: str) -> AsyncIterator[tuple[str, bytes]]:
    """Every row by key, a page in memory at a time."""
    key = ""
    while page := await store.rows_after(projection, key):
        for row in page:
            yield row
        key = page[-1][0]


async def fetch_planned_now(
    database: Database, query: str, *arguments: object
) -> list[asyncpg.Record]:
    """Fetch by a plan for the table as it is now.

    A plan that was made and kept while the table was nearly empty reads all of it, each time.
    """
    async with database.transaction() as transaction:
        await transaction.execute("set local plan_cache_mode = force_custom_plan")
        return await transaction.fetch(query, *arguments)


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

    async def rows_after(self, projection: str, key: str) -> list[tuple[str, bytes]]:
        return [each for each in await self.rows(projection) if each[0] > key][:PAGE_ROWS]

    async def rows(self, projection: str) -> list[tuple[str, bytes]]:
        return sorted(
            (key, row) for (name, key), row in self._rows.items() if name == projection
        )
