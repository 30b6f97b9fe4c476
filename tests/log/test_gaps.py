"""What a reader of numbers misses, and ours does not; and how a commit gets to who follows."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import asyncpg
import pytest

from kcjl.clock import real_sleep
from kcjl.database import Database
from kcjl.log import ear
from kcjl.log.port import Log
from kcjl.log.postgres import PostgresLogReader
from tests.log.keepers import Admin, PostgresKeeper, counted, units_of

pytestmark = pytest.mark.anyio

WRITERS = 8
ROUNDS = 12
HELD_S = 0.003
"""How long a transaction of ours stays open after its insert."""

Listener = Callable[..., object]


@pytest.fixture
def keeper(database_dsn: str, database: Database) -> PostgresKeeper:
    return PostgresKeeper(database_dsn, database)


# ── gaps ────────────────────────────────────────────────────────────────────────────────────


class _Naive:
    """The control: a `serial` table, eight writers, and a reader that asks for what follows.

    Half of the writers hold their transaction open until the reader has read beyond the number
    that they were given: any slow transaction on a busy machine does that by chance. So the
    reader misses all that they wrote, each time that this is run (others' rows by chance).
    """

    def __init__(self, dsn: str) -> None:
        self.seen: list[int] = []
        self.slow: list[int] = []
        self._dsn = dsn
        self._last = 0
        self._slow_writers = WRITERS // 2

    async def run(self) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(WRITERS // 2):
                group.start_soon(self._with_connection, self._write_slowly)
                group.start_soon(self._with_connection, self._write)
            group.start_soon(self._with_connection, self._read)

    async def stored(self) -> list[int]:
        connection = await asyncpg.connect(self._dsn)
        try:
            rows = await connection.fetch("select position from naive order by position")
        finally:
            await connection.close()
        return [row["position"] for row in rows]

    async def _with_connection(self, work: Callable[[Admin], Awaitable[None]]) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            await work(connection)
        finally:
            await connection.close()

    async def _write_slowly(self, connection: Admin) -> None:
        for _ in range(ROUNDS):
            async with connection.transaction():
                position = await connection.fetchval(_INSERT)
                self.slow.append(position)
                while self._last < position:
                    await connection.execute("select pg_sleep(0.001)")
        self._slow_writers -= 1

    async def _write(self, connection: Admin) -> None:
        while self._slow_writers:
            await connection.execute(_INSERT)

    async def _read(self, connection: Admin) -> None:
        over = False
        while not over:
            over = not self._slow_writers  # and once more, when all is written
            rows = await connection.fetch(
                "select position from naive where position > $1 order by position", self._last
            )
            self.seen.extend(row["position"] for row in rows)
            self._last = self.seen[-1] if self.seen else 0


_INSERT = "insert into naive (number) values (1) returning position"


async def test_follow_misses_nothing_where_a_reader_of_serial_numbers_does(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """Eight writers on each, transactions held open on both, read while they are written."""
    await admin.execute("create table naive (position bigserial primary key, number integer)")
    await admin.execute(
        f"""
        create function hold_open() returns trigger language plpgsql as
        $$ begin perform pg_sleep({HELD_S}); return null; end $$;
        create trigger hold_open after insert on event
        for each statement execute function hold_open();
        """
    )
    naive = _Naive(keeper.dsn)
    written: list[int] = []
    followed: list[int] = []

    async def append(log: Log, number: int) -> None:
        for round_ in range(ROUNDS):
            mark = number * ROUNDS + round_
            await log.append([counted(f"S{number}", mark)])
            written.append(mark)

    async def follow(reader: PostgresLogReader) -> None:
        positions = 0
        async for page in reader.follow():
            for event in page:
                positions += 1
                assert positions == event.position
                followed.append(units_of(event))
            if positions == WRITERS * ROUNDS:
                return

    with anyio.fail_after(45):
        async with keeper.writer() as log, anyio.create_task_group() as group:
            group.start_soon(naive.run)
            group.start_soon(follow, keeper.reader())
            for number in range(WRITERS):
                group.start_soon(append, log, number)
    missed = set(await naive.stored()) - set(naive.seen)

    assert WRITERS // 2 * ROUNDS == len(naive.slow)
    assert set(naive.slow) <= missed
    assert list(range(WRITERS * ROUNDS)) == sorted(followed)
    assert sorted(written) == sorted(followed)


# ── from the commit to who follows ──────────────────────────────────────────────────────────


class _Follower:
    """Follows from outside of the writer's process, as far as it knows."""

    def __init__(self, reader: PostgresLogReader, enough: int) -> None:
        self.positions: list[int] = []
        self._reader = reader
        self._enough = enough

    async def follow(self) -> None:
        async for page in self._reader.follow():
            self.positions.extend(event.position for event in page)
            if len(self.positions) >= self._enough:
                return


async def _until_listening(admin: Admin) -> None:
    """Until a follower has read all that there is, and waits."""
    waits = """
        select count(*) from pg_stat_activity
        where application_name = 'kcjl follow' and datname = current_database()
            and state = 'idle'
    """
    with anyio.fail_after(10):
        while not await admin.fetchval(waits):
            await real_sleep(0.005)
    await anyio.wait_all_tasks_blocked()


async def test_follow_is_woken_by_a_notification(
    keeper: PostgresKeeper, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit is with its subscribers at once: here nobody looks by himself for an hour."""
    monkeypatch.setattr(ear, "POLL_S", 3600.0)
    follower = _Follower(keeper.reader(), 3)
    with anyio.fail_after(20):
        async with keeper.writer() as log, anyio.create_task_group() as group:
            group.start_soon(follower.follow)
            for number in range(3):
                await _until_listening(admin)
                await log.append([counted("A", number)])
                while len(follower.positions) <= number:
                    await real_sleep(0.001)

    assert [1, 2, 3] == follower.positions


async def test_follow_looks_by_itself_when_no_notification_comes(
    keeper: PostgresKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notification is a hint: all of them lost, and nothing is missed."""

    async def drop(*_: object) -> None:
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(asyncpg.Connection, "add_listener", drop)
    monkeypatch.setattr(ear, "POLL_S", 0.05)
    follower = _Follower(keeper.reader(), 3)
    with anyio.fail_after(20):
        async with keeper.writer() as log, anyio.create_task_group() as group:
            group.start_soon(follower.follow)
            for number in range(3):
                await log.append([counted("A", number)])
                while len(follower.positions) <= number:
                    await real_sleep(0.001)

    assert [1, 2, 3] == follower.positions


async def test_follow_with_notifications_lost_and_doubled_sees_each_event_once(
    keeper: PostgresKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever becomes of the hints: each event once, in order."""
    listen = asyncpg.Connection.add_listener
    heard = 0

    async def listen_badly(self: Any, channel: str, callback: Listener) -> None:
        def hear(*hint: object) -> None:
            nonlocal heard
            heard += 1
            for _ in range(heard % 3):
                callback(*hint)

        await listen(self, channel, hear)

    monkeypatch.setattr(asyncpg.Connection, "add_listener", listen_badly)
    monkeypatch.setattr(ear, "POLL_S", 0.05)
    followers = [_Follower(keeper.reader(), WRITERS * ROUNDS) for _ in range(3)]

    async def append(log: Log, number: int) -> None:
        for round_ in range(ROUNDS):
            await log.append([counted(f"S{number}", round_)])

    with anyio.fail_after(30):
        async with keeper.writer() as log, anyio.create_task_group() as group:
            for follower in followers:
                group.start_soon(follower.follow)
            for number in range(WRITERS):
                group.start_soon(append, log, number)

    assert [list(range(1, WRITERS * ROUNDS + 1))] * 3 == [f.positions for f in followers]
    assert heard
