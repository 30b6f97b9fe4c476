"""Rebuild: read models folded again from the log, beside the live ones, then swapped in.

Promises: readers and the service go on with the live rows until the new ones are as far as they
are; the swap is one transaction; whatever interrupts it, the live rows are whole, and the next
rebuild clears what was left and begins anew. Memory is bounded by the entries held, not by the
log: what has not been touched for long is written, and read again when it is.
Invariant: a new version is swapped in at the live one's position, or beyond it, never behind.
Called by `kcjl log rebuild`; one at a time for a merchant.
"""

import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from kcjl.database import Database, Session
from kcjl.errors import Fenced, Misuse, Unavailable
from kcjl.projections.feed import Feed
from kcjl.projections.keyframes import drop_keyframes
from kcjl.projections.newrows import NewRows
from kcjl.projections.projection import Projection
from kcjl.vocabulary import Vocabulary

__all__ = ["Progress", "Rebuilt", "chosen", "rebuild"]

ENTRIES_HELD_MAX = 10_000
"""Entries in memory, of all projections that are rebuilt together: about 50 MB of orders."""
LAST_EVENTS_MAX = 2_000
"""Folded while the live checkpoint is held, just before the swap: some 50 ms."""
DELETE_ROWS_MAX = 5_000
"""Rows of an old version that one statement removes."""
COLLECT_AFTER_OBJECTS = 200_000
"""New objects between two looks for cycles; Python's own 700 are reached 100 times a page."""

_REMOVE = """
delete from projection_row where ctid = any(array(
    select ctid from projection_row
    where merchant = $1 and projection = $2 and version = $3 and key >= $4
    order by key limit $5
))
returning key
"""
_FIRST = """
insert into projection_checkpoint (merchant, projection, version, position, live)
select $1, name, 1, 0, true from unnest($2::text[]) as name
on conflict do nothing
"""
_NEXT = """
insert into projection_checkpoint (merchant, projection, version, position, live)
select $1, projection, 1 + max(version), 0, false from projection_checkpoint
where merchant = $1 and projection = any($2::text[])
group by projection
returning projection, version
"""

Progress = Callable[[str, int, int], None]
"""(what is being done, how many events or rows of it, of how many)"""


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    projections: tuple[str, ...]
    position: int
    """Up to which position the new rows were folded when they were swapped in."""
    events: int
    rows: int
    removed: int
    """Rows of versions that are gone: the one that was live, and any that was half-built."""


def chosen(
    names: Sequence[str], projections: Sequence[Projection[Any]]
) -> list[Projection[Any]]:
    """The projections of these names; all of them without a name. Raises Misuse."""
    known = {projection.name: projection for projection in projections}
    for name in names:
        if name not in known:
            raise Misuse(f"there is no projection {name!r}; there are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names or known)]


async def rebuild(
    database: Database,
    merchant: str,
    vocabulary: Vocabulary,
    projections: Sequence[Projection[Any]],
    *,
    progress: Progress = lambda *_: None,
) -> Rebuilt:
    """Build, catch up, swap, remove. Raises Unavailable while another rebuild is under way."""
    async with _alone(database, merchant), _few_collections():
        building = _Rebuild(database, merchant, vocabulary, projections, progress)
        removed = await building.clear()
        await building.begin()
        await building.fold_to(await building.feed.head())
        await building.settle()
        while not await building.swap():
            await building.fold_to(await building.feed.head())
            await building.settle()
        rows = await building.count()
        removed += await building.clear()
        await drop_keyframes(database, merchant)
    return Rebuilt(
        projections=tuple(projection.name for projection in projections),
        position=building.position,
        events=building.position,
        rows=rows,
        removed=removed,
    )


@asynccontextmanager
async def _alone(database: Database, merchant: str) -> AsyncIterator[None]:
    """One rebuild of a merchant at a time; the lock goes with the connection."""
    connection = await database.connect(application="kcjl rebuild")
    try:
        free = await connection.fetchval(
            "select pg_try_advisory_lock(hashtextextended($1, 0))", f"kcjl rebuild {merchant}"
        )
        if not free:
            raise Unavailable(f"another rebuild of {merchant} is under way: wait for its end")
        yield
    finally:
        connection.terminate()


@asynccontextmanager
async def _few_collections() -> AsyncIterator[None]:
    """Events come and go by the million and hold no cycles: looking for some costs a fifth."""
    former = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*former)


class _Rebuild:
    """The new versions, and how far they are."""

    def __init__(
        self,
        database: Database,
        merchant: str,
        vocabulary: Vocabulary,
        projections: Sequence[Projection[Any]],
        progress: Progress,
    ) -> None:
        hears = tuple({kind for projection in projections for kind in projection.hears})
        self.feed = Feed(database, merchant, vocabulary, hears)
        self.position = 0
        self._database = database
        self._merchant = merchant
        self._projections = tuple(projections)
        self._names = [projection.name for projection in projections]
        self._new: list[NewRows] = []
        self._settled = 0
        self._progress = progress

    async def clear(self) -> int:
        """Remove every version that is not live, rows first, a bounded number at a time."""
        left = await self._database.fetch(
            """
            select c.projection, c.version, (
                select count(*) from projection_row r
                where r.merchant = c.merchant and r.projection = c.projection
                and r.version = c.version
            ) as rows
            from projection_checkpoint c
            where c.merchant = $1 and c.projection = any($2::text[]) and not c.live
            """,
            self._merchant,
            self._names,
        )
        total = sum(each["rows"] for each in left)
        removed = 0
        for each in left:
            async for rows in self._remove(each["projection"], each["version"]):
                removed += rows
                self._progress("removing old rows", removed, total)
        return removed

    async def _remove(self, projection: str, version: int) -> AsyncIterator[int]:
        """Delete a version's rows in order of their keys, then its checkpoint."""
        where = (self._merchant, projection, version)
        last = ""
        while True:
            async with self._database.transaction() as transaction:
                found = await transaction.fetch(_REMOVE, *where, last, DELETE_ROWS_MAX)
            if not found:
                break
            yield len(found)
            last = max(row["key"].encode() for row in found).decode()
        await self._database.execute(
            """
            delete from projection_checkpoint
            where merchant = $1 and projection = $2 and version = $3 and not live
            """,
            *where,
        )

    async def begin(self) -> None:
        """A new version of each, at position 0 and not live, beside one that is."""
        async with self._database.transaction() as transaction:
            await transaction.execute(_FIRST, self._merchant, self._names)
            rows = await transaction.fetch(_NEXT, self._merchant, self._names)
        versions = {row["projection"]: row["version"] for row in rows}
        self._new = [
            NewRows(self._database, self._merchant, projection, versions[projection.name])
            for projection in self._projections
        ]

    async def fold_to(self, head: int) -> None:
        async for reached, events in self.feed.read(self.position, to=head):
            for new in self._new:
                await new.fold(events)
            self.position = reached
            await self._spill()
            self._progress("folding", reached, head)

    async def _spill(self) -> None:
        """Keep the bound: what was not touched for longest goes into the table."""
        if sum(new.recent for new in self._new) <= ENTRIES_HELD_MAX // 2:
            return
        async with self._database.transaction() as transaction:
            for new in self._new:
                await new.spill(transaction)

    async def settle(self) -> None:
        """Write whatever is not yet written, and the checkpoint with it."""
        async with self._database.transaction() as transaction:
            await self._settle(transaction)

    async def _settle(self, transaction: Session) -> None:
        for new in self._new:
            await new.write(transaction)
        status = await transaction.execute(
            """
            update projection_checkpoint c set position = $4
            from unnest($2::text[], $3::integer[]) as n (projection, version)
            where c.merchant = $1 and c.projection = n.projection and c.version = n.version
            and not c.live and c.position = $5
            """,
            self._merchant,
            self._names,
            [new.version for new in self._new],
            self.position,
            self._settled,
        )
        if not status.endswith(f" {len(self._new)}"):
            raise Fenced("somebody else has changed what is being rebuilt: run it again")
        self._settled = self.position

    async def swap(self) -> bool:
        """Put the new versions in the live ones' place; False while too far behind them."""
        async with self._database.transaction() as transaction:
            live = await transaction.fetch(
                """
                select position from projection_checkpoint
                where merchant = $1 and projection = any($2::text[]) and live
                order by projection for update
                """,
                self._merchant,
                self._names,
            )
            reached = max((row["position"] for row in live), default=0)
            if reached - self.position > LAST_EVENTS_MAX:
                return False
            # From here on the runner waits for us, so the live rows stay where they are.
            if reached > self.position:
                await self.fold_to(reached)
                await self._settle(transaction)
            await transaction.execute(
                """
                update projection_checkpoint set live = false
                where merchant = $1 and projection = any($2::text[]) and live
                """,
                self._merchant,
                self._names,
            )
            await transaction.execute(
                """
                update projection_checkpoint c set live = true
                from unnest($2::text[], $3::integer[]) as n (projection, version)
                where c.merchant = $1 and c.projection = n.projection
                and c.version = n.version
                """,
                self._merchant,
                self._names,
                [new.version for new in self._new],
            )
        return True

    async def count(self) -> int:
        return int(
            await self._database.fetchval(
                """
                select count(*) from projection_row
                join projection_checkpoint using (merchant, projection, version)
                where merchant = $1 and projection = any($2::text[]) and live
                """,
                self._merchant,
                self._names,
            )
        )
