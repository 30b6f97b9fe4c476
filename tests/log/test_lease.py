"""The lease: one writer at a time, and whoever comes next fences the last."""

from datetime import timedelta

import anyio
import asyncpg
import pytest

from kcjl.database import Database
from kcjl.errors import Fenced, Misuse
from kcjl.log.chain import genesis
from kcjl.log.lease import Lease, LeaseHeld, acquire, release, renew
from kcjl.log.postgres import PostgresLog
from tests.log.keepers import MERCHANT, VOCABULARY, SetClock, counted

pytestmark = pytest.mark.anyio

EXPIRE = "update lease set expires_at = clock_timestamp() - interval '1 second'"


async def test_acquire_the_first_time_makes_the_head(database: Database) -> None:
    """A merchant's log begins with its first lease: at its genesis, in epoch 1."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)
    head = await database.fetchrow("select position, hash, epoch from log_head")

    assert ("one", 1) == (lease.holder, lease.epoch)
    assert head is not None
    assert (0, genesis(MERCHANT), 1) == tuple(head)


async def test_acquire_while_another_holds_it_names_the_holder(database: Database) -> None:
    """Who is kept out is told by whom, and for how long."""
    held = await acquire(database, MERCHANT, "one", ttl_s=60)

    with pytest.raises(LeaseHeld, match=r"held by one until \d{4}-") as caught:
        await acquire(database, MERCHANT, "two", ttl_s=60)

    assert ("one", held.expires_at) == (caught.value.holder, caught.value.until)
    assert caught.value.retry_after_s is not None
    assert 50 < caught.value.retry_after_s <= 60


async def test_acquire_an_expired_lease_takes_it_over(database: Database) -> None:
    """A holder that is gone does not keep the others out for ever; the epoch goes up."""
    await acquire(database, MERCHANT, "one", ttl_s=60)
    await database.execute(EXPIRE)

    lease = await acquire(database, MERCHANT, "two", ttl_s=60)

    assert ("two", 2) == (lease.holder, lease.epoch)
    assert 2 == await database.fetchval("select epoch from log_head")


async def test_acquire_by_the_same_holder_needs_no_wait(database: Database) -> None:
    """A process that was restarted takes its own lease again, in a new epoch."""
    await acquire(database, MERCHANT, "one", ttl_s=60)

    assert 2 == (await acquire(database, MERCHANT, "one", ttl_s=60)).epoch


async def test_acquire_by_many_at_once_lets_one_in(database: Database) -> None:
    """Of processes that start together one gets the merchant."""
    won: list[Lease] = []
    held: list[str] = []

    async def start(holder: str) -> None:
        try:
            won.append(await acquire(database, MERCHANT, holder, ttl_s=60))
        except LeaseHeld as error:
            held.append(error.holder)

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(start, f"process-{number}")

    assert [won[0].holder] * 7 == held
    assert 1 == won[0].epoch


async def test_acquire_is_each_merchants_own(database: Database) -> None:
    """Merchants can be spread over processes."""
    one = await acquire(database, "one", "process-1", ttl_s=60)
    two = await acquire(database, "two", "process-2", ttl_s=60)

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


async def test_renew_holds_it_longer_in_the_same_epoch(database: Database) -> None:
    """Renewing disturbs nobody."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)

    renewed = await renew(database, lease, ttl_s=3600)

    assert lease.epoch == renewed.epoch
    assert renewed.expires_at - lease.expires_at > timedelta(minutes=58)


async def test_renew_after_a_take_over_is_refused(database: Database) -> None:
    """Who lost it learns it."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)
    await database.execute(EXPIRE)
    await acquire(database, MERCHANT, "two", ttl_s=60)

    with pytest.raises(Fenced, match="one must stop writing"):
        await renew(database, lease, ttl_s=60)


async def test_release_lets_the_next_in_at_once(database: Database) -> None:
    """A clean stop costs the next process no waiting."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)

    await release(database, lease)

    assert 2 == (await acquire(database, MERCHANT, "two", ttl_s=60)).epoch


async def test_release_of_a_lost_lease_changes_nothing(database: Database) -> None:
    """A former holder can't throw out the present one."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)
    await database.execute(EXPIRE)
    await acquire(database, MERCHANT, "two", ttl_s=60)

    await release(database, lease)

    with pytest.raises(LeaseHeld):
        await acquire(database, MERCHANT, "three", ttl_s=60)


@pytest.mark.parametrize(("holder", "ttl_s"), [(" ", 60.0), ("one", 0.0), ("one", -1.0)])
async def test_acquire_nonsense_is_refused(
    database: Database, holder: str, ttl_s: float
) -> None:
    """A lease has a holder and a duration."""
    with pytest.raises(Misuse):
        await acquire(database, MERCHANT, holder, ttl_s=ttl_s)


async def test_acquire_expiry_is_the_databases(database: Database, database_dsn: str) -> None:
    """Expiry is counted by the clock that all holders share."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)
    connection = await asyncpg.connect(database_dsn)
    now = await connection.fetchval("select clock_timestamp()")
    await connection.close()

    assert timedelta(seconds=50) < lease.expires_at - now <= timedelta(seconds=60)
