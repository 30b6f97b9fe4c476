"""Lost answers and requests, killed backends, a hanging server: nothing lost or doubled."""

import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from kcjl.clock import real_sleep
from kcjl.database import SERVICE, Database
from kcjl.errors import OutcomeUnknown, Unavailable
from kcjl.log import postgres
from kcjl.log.port import Log, Recorded
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.verify import verify
from tests.log.keepers import (
    Admin,
    PostgresKeeper,
    all_events,
    counted,
    units_of,
)
from tests.log.meddling import WRITER, hold_head, kill, until_blocked
from tests.log.postern import Postern, postern

pytestmark = pytest.mark.anyio


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
    async with Database(
        keeper.database._hosts.in_order()[0], role=SERVICE, statement_s=0.2
    ) as short:
        impatient = PostgresKeeper(keeper.dsn, short)
        async with (
            impatient.writer() as log,
            anyio.create_task_group() as group,
            admin.transaction(),
        ):
            await hold_head(admin)
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
            killed += await kill(admin, WRITER)
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
            assert await kill(admin, "kcjl follow")
            await log.append([counted("A", 2)])

    assert [1, 2] == seen


async def test_close_during_a_commit_that_hangs_says_that_it_is_unknown(
    keeper: PostgresKeeper, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing is bounded; an append whose fate it leaves open is not called a failure."""
    monkeypatch.setattr(postgres, "CLOSE_S", 0.1)
    told: list[str] = []

    async def append(log: Log, sku: str) -> None:
        try:
            await log.append([counted(sku, 1)])
        except (OutcomeUnknown, Unavailable) as error:
            told.append(f"{sku} {type(error).__name__}")

    async with (
        admin.transaction(),
        anyio.create_task_group() as group,
        keeper.writer() as log,
    ):
        await hold_head(admin)
        group.start_soon(append, log, "SENT")
        await until_blocked(admin)
        group.start_soon(append, log, "WAITING")
        await anyio.wait_all_tasks_blocked()

    assert ["SENT OutcomeUnknown", "WAITING Unavailable"] == sorted(told)
