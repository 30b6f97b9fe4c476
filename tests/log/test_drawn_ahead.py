"""What is drawn up while a commit is under way, and what becomes of it when that one fails."""

import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import asyncpg
import pytest

from kcjl.database import SERVICE, Database
from kcjl.errors import Conflict, Fenced, KcjlError, Misuse
from kcjl.log import postgres
from kcjl.log.pen import RefusedByDatabase
from kcjl.log.port import Draft, Log, Recorded
from kcjl.log.verify import verify
from tests.log.keepers import Admin, PostgresKeeper, all_events, counted, noted, units_of
from tests.log.meddling import hold_head, until_blocked
from tests.log.postern import Postern, postern

pytestmark = pytest.mark.anyio

FORBIDDEN = "alter table event add check (data::text not like '%forbidden%')"


@pytest.fixture
def keeper(database_dsn: str, database: Database) -> PostgresKeeper:
    return PostgresKeeper(database_dsn, database)


@pytest.fixture
async def gated(database_dsn: str) -> AsyncIterator[tuple[Postern, PostgresKeeper]]:
    """A keeper whose every connection goes through a gate."""
    with tempfile.TemporaryDirectory(prefix="kcjl-") as folder:
        async with (
            postern(database_dsn, Path(folder)) as (gate, dsn),
            Database(dsn, role=SERVICE, statement_s=5) as database,
        ):
            yield gate, PostgresKeeper(database_dsn, database)


class _Callers:
    """Appends in tasks of their own, and what each was told."""

    def __init__(self, log: Log) -> None:
        self.told: dict[str, Sequence[Recorded] | KcjlError] = {}
        self._log = log

    async def append(self, name: str, draft: Draft, expected: int | None = None) -> None:
        wanted = None if expected is None else {draft.event.stream: expected}
        try:
            self.told[name] = await self._log.append([draft], expected=wanted)
        except KcjlError as error:
            self.told[name] = error

    def refusal(self, name: str) -> type[KcjlError] | None:
        told = self.told[name]
        return type(told) if isinstance(told, KcjlError) else None


Start = Callable[..., None]


@asynccontextmanager
async def _first_under_way(
    keeper: PostgresKeeper, admin: Admin, first: Draft, expected: int | None = None
) -> AsyncIterator[tuple[_Callers, Start]]:
    """The first append is sent and held up; what is started in the block is drawn up on it."""
    async with keeper.writer() as log:
        callers = _Callers(log)
        async with anyio.create_task_group() as group, admin.transaction():
            await hold_head(admin)
            group.start_soon(callers.append, "first", first, expected)
            await until_blocked(admin)

            def start(name: str, draft: Draft, expected: int | None = None) -> None:
                group.start_soon(callers.append, name, draft, expected)

            yield callers, start
            await anyio.wait_all_tasks_blocked()


async def test_refusal_that_rests_on_a_commit_under_way_waits_for_it(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """Who comes second to a stream is told so when the first one is durable, not before."""
    async with _first_under_way(keeper, admin, counted("A", 1), 0) as (callers, start):
        start("second", counted("A", 2), 0)
        start("third", counted("A", 3), 1)
        await anyio.wait_all_tasks_blocked()

        assert not callers.told
    conflict = callers.told["second"]

    assert isinstance(conflict, Conflict)
    assert (0, 1) == (conflict.expected, conflict.actual)
    assert [1, 3] == [units_of(event) for event in await all_events(keeper.reader())]


async def test_append_drawn_up_on_a_commit_that_is_refused_is_written_all_the_same(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """What would have been a conflict is none when the one before it was never written."""
    await admin.execute(FORBIDDEN)
    async with _first_under_way(keeper, admin, noted("x", "forbidden"), 0) as (callers, start):
        start("second", noted("x", "fine"), 0)
        start("third", noted("x", "late"), 1)
        start("other", counted("A", 1), 0)
    stored = await all_events(keeper.reader())

    assert callers.refusal("first") is RefusedByDatabase
    assert [None] * 3 == [callers.refusal(name) for name in ("second", "third", "other")]
    assert [("note-x", 1), ("note-x", 2), ("stock-A", 1)] == [
        (event.stream, event.revision) for event in stored
    ]
    assert stored == [callers.told[name][0] for name in ("second", "third", "other")]  # type: ignore[index]
    assert 3 == (await verify(keeper.reader())).events


async def test_group_with_a_forbidden_event_drawn_up_ahead_hurts_only_its_author(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """The group is taken apart while others are drawn up behind it; order is kept."""
    await admin.execute(FORBIDDEN)
    async with _first_under_way(keeper, admin, counted("A", 1)) as (callers, start):
        start("good", noted("x", "fine"))
        start("bad", noted("x", "forbidden"))
        start("late", noted("x", "late"))
    stored = await all_events(keeper.reader())

    assert callers.refusal("bad") is RefusedByDatabase
    assert ["stock-A", "note-x", "note-x"] == [event.stream for event in stored]
    assert callers.told["late"] == stored[2:]
    assert 3 == (await verify(keeper.reader())).events


async def test_append_drawn_up_on_a_stream_wrongly_taken_for_new_is_judged_anew(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """A new writer believes the first; the second was right about what is stored."""
    async with keeper.writer() as log:
        await log.append([counted("A", 1)])
    async with _first_under_way(keeper, admin, counted("A", 2), 0) as (callers, start):
        start("second", counted("A", 3), 1)
        start("third", counted("B", 4), 0)
    stored = await all_events(keeper.reader())

    assert callers.refusal("first") is Conflict
    assert [None, None] == [callers.refusal("second"), callers.refusal("third")]
    assert [1, 3, 4] == [units_of(event) for event in stored]
    assert 3 == (await verify(keeper.reader())).events


async def test_append_drawn_up_behind_one_whose_caller_leaves_is_judged_without_it(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """Nothing of a caller that left is written, and nobody is judged by it."""
    async with (
        _first_under_way(keeper, admin, counted("FIRST", 0)) as (callers, start),
        anyio.create_task_group() as quitters,
    ):
        quitters.start_soon(callers.append, "gone", counted("A", 1), 0)
        await anyio.wait_all_tasks_blocked()
        start("second", counted("A", 2), 0)
        start("third", counted("A", 3), 1)
        await anyio.wait_all_tasks_blocked()
        quitters.cancel_scope.cancel()
    stored = await all_events(keeper.reader())

    assert {"first", "second", "third"} == set(callers.told)
    assert [None, None] == [callers.refusal("second"), callers.refusal("third")]
    assert [0, 2, 3] == [units_of(event) for event in stored]
    assert 3 == (await verify(keeper.reader())).events


async def test_append_drawn_up_on_a_commit_that_is_fenced_is_fenced_too(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """A take-over in mid-commit: neither that commit nor the one drawn up on it is written."""
    async with keeper.writer() as log:
        callers = _Callers(log)
        async with anyio.create_task_group() as group, admin.transaction():
            await admin.execute("update log_head set epoch = epoch + 1")
            group.start_soon(callers.append, "first", counted("A", 1), 0)
            await until_blocked(admin)
            group.start_soon(callers.append, "second", counted("A", 2), 1)
            group.start_soon(callers.append, "third", counted("A", 3), 7)
            await anyio.wait_all_tasks_blocked()

    assert [Fenced] * 3 == [callers.refusal(name) for name in ("first", "second", "third")]
    assert not await all_events(keeper.reader())


@pytest.mark.parametrize("lost", ["answer", "request"])
async def test_append_drawn_up_on_a_commit_in_doubt_follows_when_its_fate_is_known(
    gated: tuple[Postern, PostgresKeeper], admin: Admin, lost: str
) -> None:
    """Whether it was written or had to be sent again, the next one comes after it, once."""
    gate, keeper = gated
    marked = b"\x1f1\x1fCounted\x1f"
    if lost == "answer":
        gate.lose_answer_to = marked
        async with _first_under_way(keeper, admin, counted("A", 1), 0) as (callers, start):
            start("second", counted("A", 2), 1)
    else:
        gate.lose_request_with = marked
        async with keeper.writer() as log:
            callers = _Callers(log)
            async with anyio.create_task_group() as group:
                group.start_soon(callers.append, "first", counted("A", 1), 0)
                await anyio.wait_all_tasks_blocked()
                group.start_soon(callers.append, "second", counted("A", 2), 1)
    stored = await all_events(keeper.reader())

    assert 1 == gate.lost
    assert [1, 2] == [units_of(event) for event in stored]
    assert [*callers.told["first"], *callers.told["second"]] == stored  # type: ignore[misc]
    assert 2 == (await verify(keeper.reader())).events


async def test_append_function_refuses_more_hashes_than_events(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """The head can't be moved past the events that are written with it."""
    async with keeper.writer() as log:
        await log.append([counted("A", 1)])
        head = await log.head()

    with pytest.raises(asyncpg.RaiseError, match="2 hashes for 1 events"):
        await admin.execute(
            "select append_events('acme', $1, 1, $2, $2, now(), $3, $2::bytea || $2, true)",
            head.epoch,
            head.hash,
            "stock-A\x1f2\x1fCounted\x1f1\x1f0\x1fc\x1f\x1fstock\x1f{}",
        )

    assert 1 == (await verify(keeper.reader())).events


async def test_callers_beyond_the_bound_wait_at_the_door_with_nothing_encoded(
    keeper: PostgresKeeper, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in hand is bounded; who waits outside comes in in turn, nobody is dropped."""
    monkeypatch.setattr(postgres, "APPENDS_MAX", 2)
    async with _first_under_way(keeper, admin, counted("A", 0), 0) as (callers, start):
        start("in hand", counted("A", 1))
        start("outside, far too early", noted("x", "much too long " * 100_000))
        for number in range(2, 30):
            start(f"outside {number}", counted("A", number))
        await anyio.wait_all_tasks_blocked()

        assert not callers.told  # the one that can't be encoded was not even looked at
    stored = await all_events(keeper.reader())

    assert Misuse is callers.refusal("outside, far too early")
    assert [*range(30)] == [units_of(event) for event in stored]
