"""Keyframes: what the read models were every so many positions: any other is soon reached.

Promises: a keyframe is exactly the rows at its position, and is there whole or not at all.
They are a cache, of this program and of this log: others are left aside and deleted bit by bit,
once nobody stands on them. KEYFRAMES_MAX are kept. Live rows are neither read nor held up.
Invariant: a row of `keyframe_row` held at each keyframe from `from_position` to, and without,
the one at `to_position`.
Called by `service.py`, as a job of its own; by rebuild, which drops them; by benchmarks.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from kcjl.clock import real_sleep
from kcjl.database import SERVICE, Database, Session
from kcjl.log.port import Head
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.pastviews import OPEN_END
from kcjl.projections.projection import Projection
from kcjl.snapshots import program
from kcjl.vocabulary import Vocabulary

__all__ = ["KEYFRAME_EVENTS", "KeyframeKeeper", "drop_keyframes"]

KEYFRAME_EVENTS = 10_000
"""From one to the next; a jump folds so many events at most, in half a second."""
KEYFRAMES_MAX = 200
LOOK_EVERY_S = 15.0
DELETE_ROWS_MAX = 5_000

_LAST = """
select k.version, k.position, exists (
    select from event e
    where e.merchant = k.merchant and e.position = k.position and e.hash = k.log_hash
) as ours
from keyframe k where k.merchant = $1 and k.fingerprint = $2
order by k.version desc, k.position desc limit 1
"""
_NOW = f"""
select projection, key, data from past_row where to_position = {OPEN_END}
"""  # noqa: S608 - a constant of ours
_END = f"""
update keyframe_row k set to_position = $3
from (
    select r.ctid from ({_NOW}) n
    cross join lateral (
        select ctid, data from keyframe_row
        where merchant = $1 and version = $2 and projection = n.projection
        and key = n.key and to_position = {OPEN_END}
        limit 1
    ) r
    where n.data is null or n.data::text <> r.data::text
) ended
where k.ctid = ended.ctid
"""  # noqa: S608 - constants of ours
_BEGIN = f"""
insert into keyframe_row
    (merchant, version, projection, key, from_position, to_position, data)
select $1, $2, n.projection, n.key, $3, {OPEN_END}, n.data from ({_NOW}) n
where n.data is not null and not exists (
    select from keyframe_row
    where merchant = $1 and version = $2 and projection = n.projection and key = n.key
    and to_position = {OPEN_END}
    offset 0
)
"""  # noqa: S608 - constants of ours
_STATES = """
insert into keyframe_state (merchant, version, position, projection, state, number)
select merchant, $2, $3, projection, state, number from projection_state
where merchant = $1
"""
_KEYFRAME = """
insert into keyframe (merchant, version, position, log_hash, fingerprint)
select merchant, $2, position, hash, $4 from log_head where merchant = $1 and position = $3
"""
_ALONE = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"
_OTHERS = """
delete from keyframe_row where ctid = any(array(
    select ctid from keyframe_row where merchant = $1 and version < $2 limit $3
))
"""
_OLD = f"""
delete from keyframe_row where ctid = any(array(
    select ctid from keyframe_row
    where merchant = $1 and version = $2 and to_position <= $3 and to_position < {OPEN_END}
    limit $4
))
"""  # noqa: S608 - a constant of ours


class KeyframeKeeper:
    """Makes one merchant's keyframes, the next once the log has come so far."""

    def __init__(
        self,
        database: Database,
        dsn: str,
        merchant: str,
        vocabulary: Vocabulary,
        projections: Sequence[Projection[Any]],
        *,
        every: int = KEYFRAME_EVENTS,
    ) -> None:
        self._database = database
        self._dsn = dsn
        self._merchant = merchant
        self._vocabulary = vocabulary
        self._projections = tuple(projections)
        self._every = every
        self._made_to: int | None = None
        """The last one's position; None while it is not known."""

    async def run(self, head: Callable[[], Awaitable[Head]]) -> None:
        """For ever. `head`, the log's, is asked often: from memory, if possible."""
        while True:
            made_to = self._made_to
            if made_to is None or (await head()).position - made_to >= self._every:
                await self.look()
            await real_sleep(LOOK_EVERY_S)

    async def look(self) -> int:
        """Make what is due, once the live rows are up; how many."""
        if not await self._live_rows_are_up():
            return 0
        made = await self.make()
        await self.tidy()
        return made

    async def _live_rows_are_up(self) -> bool:
        """What is now comes before what was: while the runner catches up, it goes alone."""
        behind = await self._database.fetchval(
            """
            select h.position - min(c.position) from log_head h
            join projection_checkpoint c on c.merchant = h.merchant and c.live
            where h.merchant = $1 group by h.position
            """,
            self._merchant,
        )
        return behind is not None and behind < self._every

    async def make(self) -> int:
        """All that are due; how many."""
        version, last = await self._stand()
        head = await self._database.fetchval(
            "select position from log_head where merchant = $1", self._merchant
        )
        due = range(last + self._every, (head or 0) + 1, self._every)
        if not due:
            self._made_to = last
            return 0
        async with AsOfDatabase(
            self._dsn, self._merchant, self._vocabulary, self._projections, role=SERVICE
        ) as past:
            for position in due:
                await past.move(position)
                async with past.transaction() as session:
                    await self._write(session, version, position)
                self._made_to = position
        return len(due)

    async def _stand(self) -> tuple[int, int]:
        """(version, position) of the last one that holds; a version of its own if none does."""
        found = await self._database.fetchrow(_LAST, self._merchant, program())
        if found is not None and found["ours"]:
            return found["version"], found["position"]
        used = await self._database.fetchval(
            "select max(version) from keyframe where merchant = $1", self._merchant
        )
        left = await self._database.fetchval(
            "select max(version) from keyframe_row where merchant = $1", self._merchant
        )
        return 1 + max(used or 0, left or 0), 0

    async def _write(self, session: Session, version: int, position: int) -> None:
        """What the past's connection shows now, kept for good."""
        await session.execute("set transaction read write")
        await session.execute("set local enable_nestloop = on")  # look-ups by key
        await session.execute(_STATES, self._merchant, version, position)
        await session.execute(_END, self._merchant, version, position)
        await session.execute(_BEGIN, self._merchant, version, position)
        await session.execute(_KEYFRAME, self._merchant, version, position, program())

    async def tidy(self) -> int:
        """Delete what is not ours or too old, while nobody stands on a keyframe; the rows."""
        version, last = await self._stand()
        oldest = last - (KEYFRAMES_MAX - 1) * self._every
        removed = 0
        while True:
            rows = await self._delete_some(version, oldest)
            removed += rows
            if rows < DELETE_ROWS_MAX:
                return removed

    async def _delete_some(self, version: int, oldest: int) -> int:
        """Some of it; none while anybody stands on a keyframe."""
        mine = self._merchant
        async with self._database.transaction() as session:
            if not await session.fetchval(_ALONE, f"kcjl keyframes {mine}"):
                return 0
            for table in ("keyframe", "keyframe_state"):
                await session.execute(
                    f"delete from {table} where merchant = $1 "  # noqa: S608 - our tables
                    "and (version < $2 or version = $2 and position < $3)",
                    mine,
                    version,
                    oldest,
                )
            others = await session.execute(_OTHERS, mine, version, DELETE_ROWS_MAX)
            old = await session.execute(_OLD, mine, version, oldest, DELETE_ROWS_MAX)
            return sum(int(status.rpartition(" ")[2]) for status in (others, old))


async def drop_keyframes(database: Database, merchant: str) -> None:
    """Leave them all aside; whoever stands on one goes on, and the keeper removes the rows."""
    await database.execute("delete from keyframe where merchant = $1", merchant)
