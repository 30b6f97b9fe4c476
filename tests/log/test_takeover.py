"""Taking a log over: under load, from one that hangs, and from one that can't renew in time."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from kcjl.clock import real_sleep
from kcjl.database import SERVICE, Database
from kcjl.errors import Fenced, KcjlError, Misuse, Unavailable
from kcjl.log.lease import Heartbeat, Lease, LeaseHeld, LeaseLapsed, acquire
from kcjl.log.lease_postgres import PostgresLeases
from kcjl.log.port import Log, Recorded
from kcjl.log.postgres import PostgresLog
from kcjl.log.verify import verify
from tests.log.keepers import (
    MERCHANT,
    VOCABULARY,
    Admin,
    PostgresKeeper,
    SetClock,
    all_events,
    counted,
    units_of,
)
from tests.log.postern import Postern, postern

pytestmark = pytest.mark.anyio

APPENDERS = 64
EXPIRE = "update lease set expires_at = clock_timestamp() - interval '1 second'"
STILL_HELD = "select expires_at > clock_timestamp() from lease"


@pytest.fixture
def keeper(database_dsn: str, database: Database) -> PostgresKeeper:
    return PostgresKeeper(database_dsn, database)


@pytest.fixture
async def gated(database_dsn: str) -> AsyncIterator[tuple[Postern, Database]]:
    """A database behind a gate that can be shut."""
    with tempfile.TemporaryDirectory(prefix="kcjl-") as folder:
        async with (
            postern(database_dsn, Path(folder)) as (gate, dsn),
            Database(dsn, role=SERVICE, connections_max=1, connect_s=2, statement_s=2) as own,
        ):
            yield gate, own


async def wait_for_marks(marks: Sequence[object], enough: int) -> None:
    with anyio.fail_after(30):
        while len(marks) < enough:
            await real_sleep(0.002)


# ── under load ──────────────────────────────────────────────────────────────────────────────


class _Holder:
    """A writer with 64 appenders on it, each with batches of three events of its own."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.answers: list[Sequence[Recorded]] = []
        self.fenced: list[int] = []
        """The marks of batches that were refused."""
        self._mark = 1_000_000 * number

    async def append(self, log: Log, appender: int) -> None:
        while True:
            self._mark += 1
            mark = self._mark
            drafts = [counted(name, mark) for name in (f"S{appender}", "SHARED", "SHARED")]
            try:
                self.answers.append(await log.append(drafts))
            except Fenced:
                self.fenced.append(mark)
                return


async def test_take_over_under_load_loses_and_doubles_nothing(keeper: PostgresKeeper) -> None:
    """The log changes hands four times while 64 appenders write on each of its holders."""
    holders = [_Holder(number) for number in range(5)]
    epochs: list[int] = []

    async def serve(holder: _Holder, lease: Lease, opened: anyio.Event) -> None:
        async with PostgresLog.open(
            keeper.database, MERCHANT, VOCABULARY, SetClock(), lease.epoch
        ) as log:
            opened.set()
            async with anyio.create_task_group() as appenders:
                for number in range(APPENDERS):
                    appenders.start_soon(holder.append, log, number)

    with anyio.fail_after(50):
        async with anyio.create_task_group() as group:
            for holder in holders:
                await keeper.database.execute(EXPIRE)
                lease = await acquire(
                    keeper.database, MERCHANT, f"process-{holder.number}", ttl_s=60
                )
                epochs.append(lease.epoch)
                opened = anyio.Event()
                group.start_soon(serve, holder, lease, opened)
                await opened.wait()
                await wait_for_marks(holder.answers, 3 * APPENDERS)
            await keeper.database.execute(EXPIRE)
            await acquire(keeper.database, MERCHANT, "the last", ttl_s=60)
    stored = await all_events(keeper.reader())
    answers = [answer for holder in holders for answer in holder.answers]
    refused = {mark for holder in holders for mark in holder.fenced}

    assert [1, 2, 3, 4, 5] == epochs
    assert sorted((e for a in answers for e in a), key=lambda e: e.position) == stored
    assert all(a[0].position + 2 == a[1].position + 1 == a[2].position for a in answers)
    assert [APPENDERS] * 5 == [len(holder.fenced) for holder in holders]
    assert not refused & {units_of(event) for event in stored}
    assert len(stored) == (await verify(keeper.reader())).events


async def test_take_over_leaves_the_holders_in_the_order_of_their_epochs(
    keeper: PostgresKeeper,
) -> None:
    """No event of a former holder comes after the first one of the next."""
    first, second = _Holder(0), _Holder(1)
    with anyio.fail_after(50):
        async with keeper.writer() as old, anyio.create_task_group() as group:
            for number in range(APPENDERS):
                group.start_soon(first.append, old, number)
            await wait_for_marks(first.answers, APPENDERS)
            async with keeper.writer() as new, anyio.create_task_group() as others:
                for number in range(APPENDERS):
                    others.start_soon(second.append, new, number)
                await wait_for_marks(second.answers, APPENDERS)
                await acquire(keeper.database, MERCHANT, "tests", ttl_s=60)
    stored = await all_events(keeper.reader())
    writers = [units_of(event) // 1_000_000 for event in stored]

    assert sorted(writers) == writers
    assert {0, 1} == set(writers)


# ── one that hangs ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hanging(database_dsn: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the log for three seconds at a time, and renews."""
    command = [sys.executable, "-m", "tests.log.holder", database_dsn, "one", "3", "0.3", "0.5"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as child:
        try:
            yield child
        finally:
            child.kill()


async def test_holder_that_hangs_and_wakes_is_fenced(
    keeper: PostgresKeeper, hanging: subprocess.Popen[bytes]
) -> None:
    """Stopped in the middle of its work, it wakes after its lease, and writes nothing more."""
    assert hanging.stdout is not None
    said = [await anyio.to_thread.run_sync(hanging.stdout.readline) for _ in range(40)]
    os.kill(hanging.pid, signal.SIGSTOP)
    await anyio.to_thread.run_sync(os.waitid, os.P_PID, hanging.pid, os.WSTOPPED | os.WNOWAIT)
    kept_out = 0
    with anyio.fail_after(30):
        while True:
            try:
                lease = await acquire(keeper.database, MERCHANT, "two", ttl_s=60)
                break
            except LeaseHeld as held:
                kept_out += 1
                await real_sleep(held.retry_after_s or 0.01)
    before = await keeper.reader().head()
    async with PostgresLog.open(
        keeper.database, MERCHANT, VOCABULARY, SetClock(), lease.epoch
    ) as log:
        (ours,) = await log.append([counted("OURS", 0)])
        os.kill(hanging.pid, signal.SIGCONT)
        rest = await anyio.to_thread.run_sync(hanging.stdout.read)
        await log.append([counted("OURS", 1)])
    stored = await all_events(keeper.reader())
    theirs = [units_of(event) for event in stored if event.stream == "stock-SHARED"]
    *marks, last = [*said, *rest.splitlines()]

    assert kept_out
    assert b"fenced" == last
    assert {int(mark) for mark in marks} <= set(theirs)
    assert len(theirs) == len(set(theirs))
    assert (2, before.position + 1) == (lease.epoch, ours.position)
    assert ["stock-OURS"] * 2 == [event.stream for event in stored[before.position :]]
    assert len(stored) == (await verify(keeper.reader())).events


# ── the heartbeat ───────────────────────────────────────────────────────────────────────────


async def test_heartbeat_renews_in_the_same_epoch(database: Database) -> None:
    """While its holder lives, a lease does not expire."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)
    leases = _leases(database)
    heartbeat = Heartbeat(leases, lease, ttl_s=60, every_s=0.01, stop_s=1)
    seen = {lease.expires_at}
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(leases.run)
            heartbeat.start(group)
            while len(seen) < 4:
                seen.add(heartbeat.lease.expires_at)
                await real_sleep(0.002)
            group.cancel_scope.cancel()

    assert lease.epoch == heartbeat.lease.epoch
    assert heartbeat.lease.ours_until_s > lease.ours_until_s
    assert max(seen) == heartbeat.lease.expires_at


async def test_heartbeat_of_a_lease_that_was_taken_over_ends_its_holder(
    database: Database,
) -> None:
    """Who lost the lease learns it at the next beat, also when it writes nothing."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)
    await database.execute(EXPIRE)
    await acquire(database, MERCHANT, "two", ttl_s=60)

    with anyio.fail_after(20):
        told = await _ended(_leases(database), lease, every_s=0.01, stop_s=1)

    assert "one must stop writing" in str(told)
    assert not isinstance(told, LeaseLapsed)


async def test_heartbeat_without_a_database_stops_its_holder_before_the_lease_is_over(
    gated: tuple[Postern, Database], keeper: PostgresKeeper, admin: Admin
) -> None:
    """Who can't renew stops writing while the lease is still its own, and can write until then.

    The database is away from the heartbeat only: the writer could go on, and must not.
    """
    gate, own = gated
    lease = await acquire(own, MERCHANT, "one", ttl_s=60)
    gate.shut = True
    gate.break_all()
    holder, leases = _Holder(1), _leases(own)
    ended: list[BaseException] = []
    with anyio.fail_after(30):
        async with PostgresLog.open(
            keeper.database, MERCHANT, VOCABULARY, SetClock(), lease.epoch
        ) as log:
            try:
                async with anyio.create_task_group() as group:
                    group.start_soon(leases.run)
                    Heartbeat(leases, lease, ttl_s=60, every_s=0.05, stop_s=59).start(group)
                    for number in range(APPENDERS):
                        group.start_soon(holder.append, log, number)
            except* LeaseLapsed as lapsed:
                ended.extend(lapsed.exceptions)
            still_held = await admin.fetchval(STILL_HELD)
    with pytest.raises(LeaseHeld):
        await acquire(keeper.database, MERCHANT, "two", ttl_s=60)

    assert "can't be reached" in str(ended[0])
    assert "one stops writing before another can begin" in str(ended[0])
    assert still_held
    assert holder.answers


async def test_heartbeat_whose_renewal_hangs_stops_its_holder_in_time(
    database: Database, admin: Admin
) -> None:
    """A database that takes the renewal and does not answer is no renewal."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=60)
    async with admin.transaction():
        await admin.execute("lock table lease in exclusive mode")
        with anyio.fail_after(20):
            told = await _ended(_leases(database), lease, every_s=0.05, stop_s=59.5)
        still_held = await admin.fetchval(STILL_HELD)

    assert isinstance(told, LeaseLapsed)
    assert "did not answer" in str(told)
    assert still_held


async def test_heartbeat_goes_on_after_a_lost_answer(
    gated: tuple[Postern, Database], admin: Admin
) -> None:
    """A renewal whose answer was lost is done again: the holder is not stopped for it."""
    gate, own = gated
    lease = await acquire(own, MERCHANT, "one", ttl_s=60)
    leases = _leases(own)
    heartbeat = Heartbeat(leases, lease, ttl_s=60, every_s=0.05, stop_s=1)
    gate.lose_answer_to = b"COMMIT"
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(leases.run)
            heartbeat.start(group)
            while not gate.lost or heartbeat.lease == lease:
                await real_sleep(0.002)
            group.cancel_scope.cancel()

    assert lease.epoch == heartbeat.lease.epoch
    assert await admin.fetchval(STILL_HELD)


async def test_leases_of_one_process_are_renewed_together_and_each_for_itself(
    database: Database, admin: Admin
) -> None:
    """One that was taken over, and one that somebody stands on, are no matter for a third."""
    ours = {
        name: await acquire(database, name, "one", ttl_s=60)
        for name in ("kept", "lost", "held")
    }
    await admin.execute("update lease set holder = 'two', epoch = 9 where merchant = 'lost'")
    leases, answers = _leases(database), dict[str, object]()

    async def renew(name: str) -> None:
        try:
            answers[name] = await leases.renew(ours[name], ttl_s=60)
        except KcjlError as error:
            answers[name] = type(error)

    async with admin.transaction():
        await admin.execute("select 1 from lease where merchant = 'held' for update")
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(leases.run)
                async with anyio.create_task_group() as asking:
                    for name in ours:
                        asking.start_soon(renew, name)
                group.cancel_scope.cancel()

    kept = answers.pop("kept")
    assert {"lost": Fenced, "held": Unavailable} == answers
    assert isinstance(kept, Lease)
    assert kept.ours_until_s > ours["kept"].ours_until_s


@pytest.mark.parametrize(("every_s", "stop_s"), [(0.0, 1.0), (10.0, 20.0), (31.0, 0.0)])
async def test_heartbeat_that_could_not_be_in_time_is_refused(
    database: Database, every_s: float, stop_s: float
) -> None:
    """It beats before it has to stop, and stops before the lease is over."""
    lease = await acquire(database, MERCHANT, "one", ttl_s=30)

    with pytest.raises(Misuse):
        Heartbeat(_leases(database), lease, ttl_s=30, every_s=every_s, stop_s=stop_s)


def _leases(database: Database) -> PostgresLeases:
    return PostgresLeases(database, together_s=0.001)


async def _ended(
    leases: PostgresLeases, lease: Lease, *, every_s: float, stop_s: float
) -> Fenced:
    """What ends the holder of this lease."""
    ended: list[Fenced] = []
    heartbeat = Heartbeat(leases, lease, ttl_s=60, every_s=every_s, stop_s=stop_s)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(leases.run)
            heartbeat.start(group)
    except* Fenced as errors:
        ended.extend(error for error in errors.exceptions if isinstance(error, Fenced))
    return ended[0]
