"""What the merchants of one process share: connections, and an ear for commands."""

from datetime import UTC, datetime

import anyio
import asyncpg
import pytest

from kcjl import bell
from kcjl.clock import RealClock, SeededIds
from kcjl.command import Command
from kcjl.commands import issue
from kcjl.database import OPERATOR, SERVICE, Database
from kcjl.errors import Unavailable
from kcjl.events import vocabulary
from kcjl.log.lease import acquire
from kcjl.log.postgres import PostgresLog
from kcjl.worker import SESSIONS_MAX, Worker

pytestmark = pytest.mark.anyio

AT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
COMMAND = Command(verb="stock.publish", arguments={})
SOON_S = 15.0


async def _ask(dsn: str, merchant: str) -> None:
    async with Database(dsn, role=OPERATOR) as database:
        await issue(database, merchant, COMMAND, by="jo", at=AT, ids=SeededIds(1))


async def test_command_rings_for_its_merchant_alone(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issuing one is heard at once, on the one connection that listens for all."""
    monkeypatch.setattr(bell, "LOOK_EVERY_S", 3_600.0)
    async with Worker.open(database_dsn, RealClock()) as worker:
        acme, other = worker.bells.of("acme"), worker.bells.of("other")
        await _until_listening(database_dsn)
        await _ask(database_dsn, "acme")
        with anyio.fail_after(SOON_S):
            await acme.wait()
        with anyio.move_on_after(0) as silent:
            await other.wait()

    assert silent.cancelled_caught


async def test_command_of_which_nobody_was_notified_is_found_by_looking(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notification may be lost: the queue is looked into all the same."""
    monkeypatch.setattr(bell, "LOOK_EVERY_S", 0.02)
    async with Worker.open(database_dsn, RealClock()) as worker:
        acme = worker.bells.of("acme")
        admin = await asyncpg.connect(database_dsn)
        await admin.execute(
            "insert into command (merchant, id, issued_at, by, body) "
            "values ('acme', '1', now(), 'jo', '{}')"
        )
        await admin.close()
        with anyio.fail_after(SOON_S):
            await acme.wait()
            await acme.wait()  # it waits on, and so it rings on


async def test_bell_rings_again_after_its_connection_was_cut(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has lost its ear listens anew."""
    monkeypatch.setattr(bell, "LOOK_EVERY_S", 0.02)
    async with Worker.open(database_dsn, RealClock()) as worker:
        acme = worker.bells.of("acme")
        first = await _until_listening(database_dsn)
        await _cut(database_dsn, first)
        second = await _until_listening(database_dsn, other_than=first)
        await _ask(database_dsn, "acme")
        with anyio.fail_after(SOON_S):
            await acme.wait()

    assert first != second


async def test_merchants_part_of_the_pool_leaves_the_others_theirs(database_dsn: str) -> None:
    """One that holds all that it may waits for itself, and nobody else waits for it."""
    async with (
        Worker.open(database_dsn, RealClock(), connections_max=2 * SESSIONS_MAX) as worker,
        anyio.create_task_group() as group,
    ):
        greedy, modest = worker.database(), worker.database()
        held = [anyio.Event() for _ in range(SESSIONS_MAX)]

        async def hold(event: anyio.Event) -> None:
            async with greedy.session():
                event.set()
                await anyio.sleep_forever()

        for event in held:
            group.start_soon(hold, event)
        with anyio.fail_after(SOON_S):
            for event in held:
                await event.wait()
        greedy._connect_s = 0.05
        with pytest.raises(Unavailable):
            await greedy.fetchval("select 1")
        answer = await modest.fetchval("select 1")
        group.cancel_scope.cancel()

    assert 1 == answer


async def test_writer_at_rest_leaves_its_connection_to_others(database_dsn: str) -> None:
    """A quiet log holds no connection: a pool of one serves its readers too."""
    async with Database(database_dsn, role=SERVICE, connections_max=1) as database:
        lease = await acquire(database, "acme", "one", ttl_s=60)
        async with PostgresLog.open(
            database, "acme", vocabulary(), RealClock(), lease.epoch
        ) as log:
            with anyio.fail_after(SOON_S):
                answer = await database.fetchval("select 1")

    assert 1 == answer
    assert log.stopped is None


async def _until_listening(dsn: str, *, other_than: int = 0) -> int:
    """The server's process that listens for commands."""
    admin = await asyncpg.connect(dsn)
    try:
        with anyio.fail_after(SOON_S):
            while True:
                pid = await admin.fetchval(
                    "select pid from pg_stat_activity where datname = current_database() "
                    "and application_name = 'kcjl commands' and query like 'LISTEN%' "
                    "and state = 'idle' and pid <> $1",
                    other_than,
                )
                if pid is not None:
                    return int(pid)
                await anyio.lowlevel.checkpoint()
    finally:
        await admin.close()


async def _cut(dsn: str, pid: int) -> None:
    admin = await asyncpg.connect(dsn)
    await admin.fetchval("select pg_terminate_backend($1, 5000)", pid)
    await admin.close()
