"""Which workers there are, and what people want of the merchants: the tables of both.

Promises: a look says that this worker lives, and reads in the same transaction who else does,
who holds which lease, and what is wished. Life and leases are judged by the database's clock.
Called by `serving.py`, and by `kcjl merchants`. Source: docs/decisions/0029.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec

from kcjl.database import Database, Session
from kcjl.shares import MerchantSeen, WorkerSeen

__all__ = ["LIVES_S", "MerchantKept", "Roll", "Roster", "WorkerKept", "read_roll", "wish"]

LIVES_S = 10.0
"""A worker that was not seen for so long is taken for dead."""
FORGOTTEN_S = 7 * 86_400.0

_SEEN = "update worker set seen_at = clock_timestamp() where holder = $1 and able = $2"
_JOIN = """
insert into worker (holder, able, version, started_at, seen_at)
values ($1, $2, $3, clock_timestamp(), clock_timestamp())
on conflict (holder) do update
set able = excluded.able, version = excluded.version,
    started_at = excluded.started_at, seen_at = excluded.seen_at
"""
_FORGET = "delete from worker where seen_at < clock_timestamp() - make_interval(secs => $1)"
_LEAVE = "delete from worker where holder = $1"
_WORKERS = """
select holder, able, version, started_at, seen_at,
    seen_at > clock_timestamp() - make_interval(secs => $1) as lives
from worker order by holder
"""
_MERCHANTS = """
select merchant,
    case when lease.expires_at > clock_timestamp() then lease.holder else '' end as held_by,
    coalesce(wish.weight, 1) as weight, coalesce(wish.paused, false) as paused,
    coalesce(wish.wanted, '') as wanted, coalesce(wish.reason, '') as reason,
    coalesce(wish.by, '') as by, wish.wished_at
from unnest($1::text[]) as merchant
left join lease using (merchant)
left join merchant_wish as wish using (merchant)
order by merchant
"""
_KNOWN = """
select merchant from log_head union select unnest(able) from worker
union select merchant from merchant_wish
"""
_WISH = """
insert into merchant_wish (merchant, weight, paused, wanted, reason, by, wished_at)
values (
    $1, coalesce($2::real, 1), coalesce($3, false), coalesce($4, ''), $5, $6,
    clock_timestamp()
)
on conflict (merchant) do update set
    weight = coalesce($2::real, merchant_wish.weight),
    paused = coalesce($3, merchant_wish.paused),
    wanted = coalesce($4, merchant_wish.wanted),
    reason = $5, by = $6, wished_at = clock_timestamp()
"""


class WorkerKept(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `worker`."""

    holder: str
    able: tuple[str, ...]
    version: str
    started_at: datetime
    seen_at: datetime
    lives: bool


class MerchantKept(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant, its lease and what is wished of it."""

    merchant: str
    held_by: str = ""
    """Empty: nobody has its lease."""
    weight: float = 1.0
    paused: bool = False
    wanted: str = ""
    reason: str = ""
    by: str = ""
    wished_at: datetime | None = None

    def seen(self) -> MerchantSeen:
        return MerchantSeen(
            merchant=self.merchant,
            held_by=self.held_by,
            weight=self.weight,
            paused=self.paused,
            wanted=self.wanted,
        )


class Roll(msgspec.Struct, frozen=True, kw_only=True):
    """What a look has found."""

    workers: tuple[WorkerKept, ...]
    merchants: tuple[MerchantKept, ...]

    def living(self) -> list[WorkerSeen]:
        return [
            WorkerSeen(holder=each.holder, able=frozenset(each.able))
            for each in self.workers
            if each.lives
        ]


class Roster:
    """One worker's place among the others."""

    def __init__(self, database: Database, holder: str, version: str) -> None:
        self._database = database
        self._holder = holder
        self._version = version

    async def look(self, able: Collection[str]) -> Roll:
        """Say that we live and could serve these; read who else does, and of what."""
        ours = sorted(able)
        async with self._database.transaction() as transaction:
            if await transaction.execute(_SEEN, self._holder, ours) != "UPDATE 1":
                await transaction.execute(_JOIN, self._holder, ours, self._version)
                await transaction.execute(_FORGET, FORGOTTEN_S)
            return await _roll(transaction)

    async def leave(self) -> None:
        """Others need not wait for us any more."""
        await self._database.execute(_LEAVE, self._holder)


async def read_roll(database: Database) -> Roll:
    """Of all merchants that anybody knows, for whoever looks on."""
    async with database.transaction() as transaction:
        known = [row["merchant"] for row in await transaction.fetch(_KNOWN)]
        return await _roll(transaction, known)


async def wish(
    database: Database,
    merchant: str,
    *,
    by: str,
    reason: str = "",
    weight: float | None = None,
    paused: bool | None = None,
    wanted: str | None = None,
) -> None:
    """Say what a person wants; what is None stays as it is."""
    await database.execute(_WISH, merchant, weight, paused, wanted, reason, by)


async def _roll(session: Session, known: Iterable[str] = ()) -> Roll:
    workers = tuple(
        msgspec.convert(dict(row), WorkerKept) for row in await session.fetch(_WORKERS, LIVES_S)
    )
    living = {name for each in workers if each.lives for name in each.able}
    merchants = await session.fetch(_MERCHANTS, sorted(living.union(known)))
    return Roll(
        workers=workers,
        merchants=tuple(msgspec.convert(dict(row), MerchantKept) for row in merchants),
    )
