"""What only the real log can show: lost connections, killed backends, groups, the fence."""

import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from kcjl.clock import real_sleep
from kcjl.database import SERVICE, Database
from kcjl.errors import CorruptLog, Fenced, Misuse, Unavailable
from kcjl.log.lease import acquire
from kcjl.log.pen import RefusedByDatabase
from kcjl.log.port import Log, Recorded
from kcjl.log.postgres import PostgresLog, PostgresLogReader
from kcjl.log.verify import verify
from tests.log.keepers import (
    MERCHANT,
    VOCABULARY,
    Admin,
    PostgresKeeper,
    SetClock,
    all_events,
    counted,
    noted,
    units_of,
)
from tests.log.postern import Postern, postern

pytestmark = pytest.mark.anyio

WRITER = f"kcjl log {MERCHANT}"


@pytest.fixture
def keeper(database_dsn: str, database: Database) -> PostgresKeeper:
    return PostgresKeeper(database_dsn, database)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """For a socket: its path must be short."""
    with tempfile.TemporaryDirectory(prefix="kcjl-") as folder:
        yield Path(folder)


@pytest.fixture
async def gated(
    database_dsn: str, short_folder: Path
) -> AsyncIterator[tuple[Postern, PostgresKeeper]]:
    """A keeper whose every connection goes through a gate."""
    async with (
        postern(database_dsn, short_folder) as (gate, dsn),
        Database(dsn, role=SERVICE, statement_s=5) as database,
    ):
        yield gate, PostgresKeeper(database_dsn, database)


async def _kill(admin: Admin, application: str) -> int:
    killed = await admin.fetchval(
        """
        select count(pg_terminate_backend(pid, 5000))::int from pg_stat_activity
        where application_name = $1 and datname = current_database()
        """,
        application,
    )
    return int(killed)


async def _until_blocked(admin: Admin) -> None:
    """Until the writer waits for a lock that somebody holds."""
    blocked = """
        select count(*) from pg_stat_activity
        where application_name = $1 and datname = current_database()
            and wait_event_type = 'Lock'
    """
    with anyio.fail_after(10):
        while not await admin.fetchval(blocked, WRITER):
            await real_sleep(0.005)


async def test_append_whose_answer_is_lost_is_there_once(
    gated: tuple[Postern, PostgresKeeper],
) -> None:
    """The commit happened, the answer did not come: head and chain say so."""
    gate, keeper = gated
    async with keeper.writer() as log:
        await log.append([counted("A", 1)])
        gate.lose_answer_to = b'"units":2'
        answers = await log.append([counted("A", 2)])
        await log.append([counted("A", 3)])
    stored = await all_events(keeper.reader())

    assert 1 == gate.lost
    assert [1, 2, 3] == [units_of(event) for event in stored]
    assert [stored[1]] == answers
    assert 3 == (await verify(keeper.reader())).events


async def test_append_whose_request_is_lost_is_sent_again(
    gated: tuple[Postern, PostgresKeeper],
) -> None:
    """The commit did not happen: the head says so, and it is sent once more."""
    gate, keeper = gated
    async with keeper.writer() as log:
        await log.append([counted("A", 1)])
        gate.lose_request_with = b'"units":2'
        answers = await log.append([counted("A", 2)])
    stored = await all_events(keeper.reader())

    assert 1 == gate.lost
    assert answers == stored[1:]
    assert 2 == (await verify(keeper.reader())).events


async def test_append_in_doubt_waits_until_the_database_is_back(
    gated: tuple[Postern, PostgresKeeper],
) -> None:
    """While its fate can't be known, an append is neither acknowledged nor refused."""
    gate, keeper = gated
    answers: list[Sequence[Recorded]] = []

    async def append(log: Log) -> None:
        answers.append(await log.append([counted("A", 2)]))

    async with keeper.writer() as log:
        await log.append([counted("A", 1)])
        gate.lose_answer_to, gate.shut = b'"units":2', True
        async with anyio.create_task_group() as group:
            group.start_soon(append, log)
            with anyio.fail_after(10):
                while "in doubt" not in str(log.trouble):
                    await real_sleep(0.005)
            unanswered = not answers
            gate.shut = False
        assert log.trouble is None

    assert unanswered
    assert answers == [(await all_events(keeper.reader()))[1:]]


async def test_append_that_can_not_be_sent_is_refused_and_the_next_goes_on(
    gated: tuple[Postern, PostgresKeeper],
) -> None:
    """No database, nothing written, and the caller knows; later the same log works again."""
    gate, keeper = gated
    async with keeper.writer() as log:
        await log.append([counted("A", 1)])
        gate.shut = True
        gate.break_all()
        with pytest.raises(Unavailable):
            await log.append([counted("B", 1)])
        gate.shut = False
        await log.append([counted("A", 2)], expected={"stock-A": 1})

    assert ["stock-A"] * 2 == [event.stream for event in await all_events(keeper.reader())]


async def test_append_a_server_that_does_not_answer_is_left_and_asked_again(
    gated: tuple[Postern, PostgresKeeper], admin: Admin
) -> None:
    """A commit that hangs past its deadline is in doubt; the late one is not written twice."""
    _, keeper = gated
    async with Database(keeper.database._dsn, role=SERVICE, statement_s=0.2) as short:
        impatient = PostgresKeeper(keeper.dsn, short)
        async with (
            impatient.writer() as log,
            anyio.create_task_group() as group,
            admin.transaction(),
        ):
            await admin.execute("select 1 from log_head for update")
            group.start_soon(log.append, [counted("A", 1)])
            with anyio.fail_after(10):
                while log.trouble is None:
                    await real_sleep(0.005)
        stored = await all_events(impatient.reader())

    assert [1] == [event.position for event in stored]


async def test_append_while_backends_are_killed_loses_and_doubles_nothing(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """The writer's backend is killed again and again; what was acknowledged is there once."""
    acknowledged: list[Recorded] = []
    enough = anyio.Event()

    async def appender(log: Log, number: int) -> None:
        round_ = 0
        while not enough.is_set():
            round_ += 1
            drafts = [counted(f"S{number}", round_), counted("SHARED", number)]
            with suppress(Unavailable):
                acknowledged.extend(await log.append(drafts))

    async def killer() -> None:
        killed = 0
        while killed < 25:
            killed += await _kill(admin, WRITER)
        enough.set()

    with anyio.fail_after(50):
        async with keeper.writer() as log, anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(appender, log, number)
            group.start_soon(killer)
        stored = await all_events(keeper.reader())

    assert stored
    assert stored == sorted(acknowledged, key=lambda event: event.position)
    assert len(stored) == (await verify(keeper.reader())).events


async def test_append_what_arrives_during_a_commit_goes_with_the_next(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """Many appends, few transactions: a hundred that wait share one commit."""
    async with (
        keeper.writer() as log,
        anyio.create_task_group() as group,
        admin.transaction(),
    ):
        await admin.execute("select 1 from log_head for update")
        group.start_soon(log.append, [counted("FIRST", 0)])
        await _until_blocked(admin)
        for number in range(100):
            group.start_soon(log.append, [counted("A", number)])
        await anyio.wait_all_tasks_blocked()
    commits = await admin.fetchval("select count(distinct xmin::text) from event")

    assert 101 == (await keeper.reader().head()).position
    assert 2 == commits


async def test_append_by_a_cancelled_caller_that_still_waits_is_not_written(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """Who gave up before its turn came has written nothing; the others have."""
    async with (
        keeper.writer() as log,
        anyio.create_task_group() as group,
        admin.transaction(),
    ):
        await admin.execute("select 1 from log_head for update")
        group.start_soon(log.append, [counted("FIRST", 0)])
        await _until_blocked(admin)
        async with anyio.create_task_group() as quitters:
            quitters.start_soon(log.append, [counted("GONE", 1)])
            await anyio.wait_all_tasks_blocked()
            quitters.cancel_scope.cancel()
        group.start_soon(log.append, [counted("LAST", 2)])
        await anyio.wait_all_tasks_blocked()

    streams = [event.stream for event in await all_events(keeper.reader())]

    assert ["stock-FIRST", "stock-LAST"] == streams


async def test_append_when_fenced_fails_everything_that_waits(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """A take-over in mid-commit: the whole group fails, and all behind it, and followers."""
    fenced: list[int] = []

    async def append(log: Log, number: int) -> None:
        try:
            await log.append([counted("A", number)])
        except Fenced:
            fenced.append(number)

    async def follow(log: Log) -> None:
        try:
            async for _ in log.follow():
                raise AssertionError
        except Fenced:
            fenced.append(-1)

    async with keeper.writer() as log:
        async with anyio.create_task_group() as group, admin.transaction():
            await admin.execute("update log_head set epoch = epoch + 1")
            group.start_soon(follow, log)
            group.start_soon(append, log, 0)
            await _until_blocked(admin)
            for number in range(1, 20):
                group.start_soon(append, log, number)
            await anyio.wait_all_tasks_blocked()
        with pytest.raises(Fenced):
            await log.append([counted("A", 99)])
        assert isinstance(log.stopped, Fenced)

    assert list(range(-1, 20)) == sorted(fenced)
    assert 0 == (await keeper.reader().head()).position


async def test_append_what_the_database_refuses_hurts_its_caller_alone(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """Should something unfit pass every check, it is found out, and the others go through."""
    await admin.execute(
        "alter table event add constraint no_bad_word check (data::text not like '%forbidden%')"
    )
    refused: list[str] = []

    async def append(log: Log, subject: str, text: str) -> None:
        try:
            await log.append([noted(subject, text)])
        except RefusedByDatabase:
            refused.append(subject)

    async with keeper.writer() as log, anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(append, log, f"good-{number}", "fine")
        group.start_soon(append, log, "bad", "forbidden")
    stored = await all_events(keeper.reader())

    assert ["bad"] == refused
    assert sorted(f"note-good-{number}" for number in range(10)) == sorted(
        event.stream for event in stored
    )
    assert 10 == (await verify(keeper.reader())).events


async def test_append_beside_a_stray_event_stops_the_writer(keeper: PostgresKeeper) -> None:
    """Somebody wrote past the head: the log is not written further."""
    async with keeper.writer() as log:
        await log.append([counted("A", 1)])
        await keeper.duplicate(1, at=2)
        with pytest.raises(CorruptLog, match="after its head"):
            await log.append([counted("A", 2)])
        with pytest.raises(CorruptLog):
            await log.append([counted("A", 3)])


async def test_open_in_another_epoch_is_refused(keeper: PostgresKeeper) -> None:
    """Without the lease's epoch there is no writing."""
    lease = await acquire(keeper.database, MERCHANT, "tests", ttl_s=60)

    with pytest.raises(Fenced):
        async with PostgresLog.open(
            keeper.database, MERCHANT, VOCABULARY, SetClock(), lease.epoch - 1
        ):
            raise AssertionError


async def test_open_a_log_with_a_broken_end_is_refused(keeper: PostgresKeeper) -> None:
    """A head that is not the last event's is not written after."""
    async with keeper.writer() as log:
        await log.append([counted("A", 1), counted("A", 2)])
    await keeper.remove(2)

    with pytest.raises(CorruptLog, match="not the last event's"):
        async with keeper.writer():
            raise AssertionError


async def test_open_a_database_without_tables_is_refused(empty_dsn: str) -> None:
    """What to do is said."""
    async with Database(empty_dsn, role=None) as database:
        with pytest.raises(Misuse, match="migrate"):
            async with PostgresLog.open(database, MERCHANT, VOCABULARY, SetClock(), 1):
                raise AssertionError


async def test_read_a_gap_is_never_skipped(keeper: PostgresKeeper) -> None:
    """A reader stops at an event that is missing, and names it."""
    async with keeper.writer() as log:
        await log.append([counted("A", number) for number in range(5)])
    await keeper.remove(3)

    with pytest.raises(CorruptLog, match="position 3"):
        await all_events(keeper.reader())


async def test_read_pages_are_bounded(
    keeper: PostgresKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long log comes in pages, from memory and from the database."""
    async with keeper.writer() as log:
        await log.append([counted("A", number) for number in range(6_000)])
        for reader in (log, keeper.reader()):
            sizes = [len(page) async for page in reader.read()]

            assert [5_000, 1_000] == sizes
        stream = await keeper.reader().read_stream("stock-A")

    assert list(range(1, 6_001)) == [event.revision for event in stream]


async def test_follow_from_before_what_is_in_memory_reads_the_rest(
    keeper: PostgresKeeper,
) -> None:
    """What memory has let go comes from the database, and nothing is missed in between."""
    lease = await acquire(keeper.database, MERCHANT, "tests", ttl_s=60)
    seen: list[int] = []
    async with PostgresLog.open(
        keeper.database, MERCHANT, VOCABULARY, SetClock(), lease.epoch, tail_events_max=10
    ) as log:
        for number in range(100):
            await log.append([counted("A", number)])
        async for page in log.follow():
            seen.extend(event.position for event in page)
            if len(seen) == 100:
                break

    assert list(range(1, 101)) == seen


async def test_follow_ends_when_the_log_is_closed(keeper: PostgresKeeper) -> None:
    """A follower in the writer's process is let go with it."""
    seen: list[int] = []

    async def follow(log: Log) -> None:
        async for page in log.follow():
            seen.extend(event.position for event in page)

    async with anyio.create_task_group() as group, keeper.writer() as log:
        group.start_soon(follow, log)
        await log.append([counted("A", 1)])

    assert [1] == seen


async def test_follow_outlives_a_lost_notification_connection(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """A follower elsewhere that lost its ear looks by itself, and misses nothing."""
    seen: list[int] = []
    heard = anyio.Event()

    async def follow(reader: PostgresLogReader) -> None:
        async for page in reader.follow():
            seen.extend(event.position for event in page)
            heard.set()
            if seen[-1] == 2:
                break

    with anyio.fail_after(20):
        async with keeper.writer() as log, anyio.create_task_group() as group:
            group.start_soon(follow, keeper.reader())
            await log.append([counted("A", 1)])
            await heard.wait()
            await anyio.wait_all_tasks_blocked()
            assert await _kill(admin, "kcjl follow")
            await log.append([counted("A", 2)])

    assert [1, 2] == seen


async def test_lookups_of_the_writer_use_the_indexes(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """The page of a reader and the revision of a stream never scan the table."""
    async with keeper.writer() as log:
        await log.append([counted(f"S{number % 500}", number) for number in range(5_000)])
    await admin.execute("analyze event")

    ours = "from event where merchant = 'acme'"
    for query in (
        f"select * {ours} and position > 100 and position <= 200 order by position limit 50",
        f"select revision {ours} and stream = 'stock-S7' order by revision desc limit 1",
    ):
        plan = "\n".join(row[0] for row in await admin.fetch(f"explain {query}"))

        assert "Index" in plan
        assert "Seq Scan" not in plan
        assert "Sort" not in plan
