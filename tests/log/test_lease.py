"""The lease: one writer at a time, and whoever comes next fences the last; both keepers."""

from datetime import timedelta
from typing import Protocol

import anyio
import asyncpg
import pytest

from kcjl.database import Database
from kcjl.errors import Fenced, Misuse
from kcjl.log.chain import genesis
from kcjl.log.lease import Lease, LeaseHeld, Leases, acquire
from kcjl.log.lease_memory import MemoryLeases
from kcjl.log.lease_postgres import PostgresLeases
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.log.postgres import PostgresLog
from tests.clockwork import Clockwork
from tests.log.keepers import MERCHANT, VOCABULARY, SetClock, counted

pytestmark = pytest.mark.anyio

EXPIRE = "update lease set expires_at = clock_timestamp() - interval '1 second'"


class Keeper(Protocol):
    """Who keeps leases, with what a law needs beside them."""

    @property
    def leases(self) -> Leases: ...

    async def expire(self) -> None:
        """The time of whoever holds it is over."""
        ...

    async def epoch(self) -> int:
        """As the head of the log has it."""
        ...


class _Running(PostgresLeases):
    """It runs while it is asked."""

    async def renew(self, lease: Lease, *, ttl_s: float) -> Lease:
        told: Lease | Fenced
        async with anyio.create_task_group() as group:
            group.start_soon(self.run)
            try:
                told = await super().renew(lease, ttl_s=ttl_s)
            except Fenced as error:
                told = error
            group.cancel_scope.cancel()
        if isinstance(told, Fenced):
            raise told
        return told


class OnPostgres:
    def __init__(self, database: Database) -> None:
        self.leases = _Running(database, together_s=0.001)
        self._database = database

    async def expire(self) -> None:
        await self._database.execute(EXPIRE)

    async def epoch(self) -> int:
        found = await self._database.fetchval("select epoch from log_head")
        assert isinstance(found, int)
        return found


class InMemory:
    def __init__(self) -> None:
        self._clock = Clockwork()
        self._store = MemoryStore()
        self.leases = MemoryLeases(self._store, self._clock)

    async def expire(self) -> None:
        self._clock.tick(86_400)

    async def epoch(self) -> int:
        return self._store.shelf(MERCHANT).head.epoch


@pytest.fixture(params=["postgres", "memory"])
def keeper(request: pytest.FixtureRequest) -> Keeper:
    if request.param == "memory":
        return InMemory()
    return OnPostgres(request.getfixturevalue("database"))


async def test_acquire_the_first_time_makes_the_head(database: Database) -> None:
    """A merchant's log begins with its first lease: at its genesis, in epoch 1."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)
    head = await database.fetchrow("select position, hash, epoch from log_head")

    assert ("one", 1) == (lease.holder, lease.epoch)
    assert head is not None
    assert (0, genesis(MERCHANT), 1) == tuple(head)


async def test_acquire_while_another_holds_it_names_the_holder(keeper: Keeper) -> None:
    """Who is kept out is told by whom, and for how long."""
    held = await keeper.leases.acquire(MERCHANT, "one", ttl_s=60)

    with pytest.raises(LeaseHeld, match=r"held by one until \d{4}-") as caught:
        await keeper.leases.acquire(MERCHANT, "two", ttl_s=60)

    assert ("one", held.expires_at) == (caught.value.holder, caught.value.until)
    assert caught.value.retry_after_s is not None
    assert 50 < caught.value.retry_after_s <= 60


async def test_acquire_an_expired_lease_takes_it_over(keeper: Keeper) -> None:
    """A holder that is gone does not keep the others out for ever; the epoch goes up."""
    await keeper.leases.acquire(MERCHANT, "one", ttl_s=60)
    await keeper.expire()

    lease = await keeper.leases.acquire(MERCHANT, "two", ttl_s=60)

    assert ("two", 2) == (lease.holder, lease.epoch)
    assert 2 == await keeper.epoch()


async def test_acquire_by_the_same_holder_needs_no_wait(keeper: Keeper) -> None:
    """A process that was restarted takes its own lease again, in a new epoch."""
    await keeper.leases.acquire(MERCHANT, "one", ttl_s=60)

    assert 2 == (await keeper.leases.acquire(MERCHANT, "one", ttl_s=60)).epoch


async def test_acquire_by_many_at_once_lets_one_in(keeper: Keeper) -> None:
    """Of processes that start together one gets the merchant."""
    won: list[Lease] = []
    held: list[str] = []

    async def start(holder: str) -> None:
        try:
            won.append(await keeper.leases.acquire(MERCHANT, holder, ttl_s=60))
        except LeaseHeld as error:
            held.append(error.holder)

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(start, f"process-{number}")

    assert [won[0].holder] * 7 == held
    assert 1 == won[0].epoch


async def test_acquire_is_each_merchants_own(keeper: Keeper) -> None:
    """Merchants can be spread over processes."""
    one = await keeper.leases.acquire("one", "process-1", ttl_s=60)
    two = await keeper.leases.acquire("two", "process-2", ttl_s=60)

    assert (1, 1) == (one.epoch, two.epoch)


async def test_take_over_fences_the_former_writer(database: Database) -> None:
    """A writer that slept through its lease writes nothing when it wakes."""
    old = await acquire(database, MERCHANT, "one", ttl_s=60)
    async with PostgresLog.open(database, MERCHANT, VOCABULARY, SetClock(), old.epoch) as log:
        await log.append([counted("A", 1)])
        await database.execute(EXPIRE)
        await acquire(database, MERCHANT, "two", ttl_s=60)

        with pytest.raises(Fenced):
            await log.append([counted("A", 2)])

    assert 1 == await database.fetchval("select count(*) from event")


async def test_renew_holds_it_longer_in_the_same_epoch(keeper: Keeper) -> None:
    """Renewing disturbs nobody."""
    lease = await keeper.leases.acquire(MERCHANT, "one", ttl_s=60)

    renewed = await keeper.leases.renew(lease, ttl_s=3600)

    assert lease.epoch == renewed.epoch
    assert renewed.expires_at - lease.expires_at > timedelta(minutes=58)


async def test_renew_after_a_take_over_is_refused(keeper: Keeper) -> None:
    """Who lost it learns it."""
    lease = await keeper.leases.acquire(MERCHANT, "one", ttl_s=60)
    await keeper.expire()
    await keeper.leases.acquire(MERCHANT, "two", ttl_s=60)

    with pytest.raises(Fenced, match="one must stop writing"):
        await keeper.leases.renew(lease, ttl_s=60)


async def test_release_lets_the_next_in_at_once(keeper: Keeper) -> None:
    """A clean stop costs the next process no waiting."""
    lease = await keeper.leases.acquire(MERCHANT, "one", ttl_s=60)

    await keeper.leases.release(lease)

    assert 2 == (await keeper.leases.acquire(MERCHANT, "two", ttl_s=60)).epoch


async def test_release_of_a_lost_lease_changes_nothing(keeper: Keeper) -> None:
    """A former holder can't throw out the present one."""
    lease = await keeper.leases.acquire(MERCHANT, "one", ttl_s=60)
    await keeper.expire()
    await keeper.leases.acquire(MERCHANT, "two", ttl_s=60)

    await keeper.leases.release(lease)

    with pytest.raises(LeaseHeld):
        await keeper.leases.acquire(MERCHANT, "three", ttl_s=60)


@pytest.mark.parametrize(("holder", "ttl_s"), [(" ", 60.0), ("one", 0.0), ("one", -1.0)])
async def test_acquire_nonsense_is_refused(keeper: Keeper, holder: str, ttl_s: float) -> None:
    """A lease has a holder and a duration."""
    with pytest.raises(Misuse):
        await keeper.leases.acquire(MERCHANT, holder, ttl_s=ttl_s)


async def test_acquire_expiry_is_the_databases(database: Database, database_dsn: str) -> None:
    """Expiry is counted by the clock that all holders share."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)
    connection = await asyncpg.connect(database_dsn)
    now = await connection.fetchval("select clock_timestamp()")
    await connection.close()

    assert timedelta(seconds=50) < lease.expires_at - now <= timedelta(seconds=60)


async def test_take_over_in_memory_fences_the_former_writer() -> None:
    """The twin's fence is the log's own, too."""
    clock, store = Clockwork(), MemoryStore()
    leases = MemoryLeases(store, clock)
    old = await leases.acquire(MERCHANT, "one", ttl_s=60)
    async with MemoryLog.open(store, MERCHANT, VOCABULARY, clock, old.epoch) as log:
        await log.append([counted("A", 1)])
        clock.tick(61)
        await leases.acquire(MERCHANT, "two", ttl_s=60)

        with pytest.raises(Fenced):
            await log.append([counted("A", 2)])

    assert 1 == (await log.head()).position
