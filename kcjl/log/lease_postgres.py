"""Leases in PostgreSQL, renewed together: one statement for all merchants of a process.

Promises: what `Leases` promises; a renewal waits half a second for others to come along. Who
was fenced is told so alone. When the database does not answer, each is told.
Invariant: a lease is ours for its time from before we asked, as with one alone.
Called by `worker.py`.
"""

import asyncio

import msgspec

from kcjl.clock import real_monotonic, real_sleep
from kcjl.database import Database
from kcjl.errors import KcjlError, Unavailable
from kcjl.log.lease import Lease, acquire, check_lease, fenced, release

__all__ = ["PostgresLeases"]

TOGETHER_S = 0.5
_RENEW = """
with asked as (
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::float8[])
        as asked (merchant, holder, epoch, ttl_s)
), ours as (
    select lease.merchant, asked.ttl_s
    from asked join lease using (merchant, holder, epoch)
    for update of lease skip locked  -- one that somebody stands on holds up no other
), renewed as (
    update lease set expires_at = clock_timestamp() + make_interval(secs => ours.ttl_s)
    from ours where lease.merchant = ours.merchant
    returning lease.merchant, lease.expires_at
)
select
    asked.merchant,
    renewed.expires_at,
    exists (select from lease where (merchant, holder, epoch)
        = (asked.merchant, asked.holder, asked.epoch)) as is_ours
from asked left join renewed using (merchant)
"""


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    lease: Lease
    ttl_s: float
    answered: asyncio.Future[Lease]


class PostgresLeases:
    """The leases in the table `lease`. It has to run for renewals to be answered."""

    def __init__(self, database: Database, *, together_s: float = TOGETHER_S) -> None:
        self._database = database
        self._together_s = together_s
        self._asked: list[_Asked] = []
        self._is_asked = asyncio.Event()

    async def acquire(self, merchant: str, holder: str, *, ttl_s: float) -> Lease:
        return await acquire(self._database, merchant, holder, ttl_s=ttl_s)

    async def release(self, lease: Lease) -> None:
        await release(self._database, lease)

    async def renew(self, lease: Lease, *, ttl_s: float) -> Lease:
        check_lease(lease.holder, ttl_s)
        asked = _Asked(
            lease=lease, ttl_s=ttl_s, answered=asyncio.get_running_loop().create_future()
        )
        self._asked.append(asked)
        self._is_asked.set()
        return await asked.answered

    async def run(self) -> None:
        """Renew what is asked for, until cancelled."""
        while True:
            await self._is_asked.wait()
            await real_sleep(self._together_s)
            self._is_asked.clear()
            asked, self._asked = self._asked, []
            await self._renew([each for each in asked if not each.answered.done()])

    async def _renew(self, asked: list[_Asked]) -> None:
        asked_s = real_monotonic()
        try:
            async with self._database.transaction() as transaction:
                rows = await transaction.fetch(
                    _RENEW,
                    [each.lease.merchant for each in asked],
                    [each.lease.holder for each in asked],
                    [each.lease.epoch for each in asked],
                    [each.ttl_s for each in asked],
                )
        except KcjlError as error:
            for each in asked:
                _answer(each, error)
            return
        answers = {row["merchant"]: row for row in rows}
        for each in asked:
            row, lease = answers[each.lease.merchant], each.lease
            if row["expires_at"] is not None:
                renewed = msgspec.structs.replace(
                    lease, expires_at=row["expires_at"], ours_until_s=asked_s + each.ttl_s
                )
                _answer(each, renewed)
            elif row["is_ours"]:
                _answer(
                    each, Unavailable(f"somebody holds the lease's row of {lease.merchant}")
                )
            else:
                _answer(each, fenced(lease))


def _answer(asked: _Asked, said: Lease | KcjlError) -> None:
    if asked.answered.done():
        return  # whoever asked has left
    if isinstance(said, KcjlError):
        asked.answered.set_exception(said)
    else:
        asked.answered.set_result(said)
