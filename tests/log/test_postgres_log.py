"""What only the real log can show: groups, the fence, pages, and the end of a log."""

import json
from collections.abc import Sequence
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any

import anyio
import msgspec
import pytest

from kcjl.database import Database
from kcjl.errors import CorruptLog, Fenced, Misuse, Unavailable
from kcjl.log import pen, writer
from kcjl.log.lease import acquire
from kcjl.log.pen import RefusedByDatabase
from kcjl.log.port import Log, Recorded
from kcjl.log.postgres import PostgresLog
from kcjl.log.verify import verify
from tests.log.keepers import (
    MERCHANT,
    MORNING,
    VOCABULARY,
    Admin,
    PostgresKeeper,
    SetClock,
    all_events,
    counted,
    noted,
)
from tests.log.meddling import hold_head, until_blocked

pytestmark = pytest.mark.anyio


@pytest.fixture
def keeper(database_dsn: str, database: Database) -> PostgresKeeper:
    return PostgresKeeper(database_dsn, database)


async def test_append_what_arrives_during_a_commit_goes_with_the_next(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """Many appends, few transactions: a hundred that wait share one commit."""
    async with (
        keeper.writer() as log,
        anyio.create_task_group() as group,
        admin.transaction(),
    ):
        await hold_head(admin)
        group.start_soon(log.append, [counted("FIRST", 0)])
        await until_blocked(admin)
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
        await hold_head(admin)
        group.start_soon(log.append, [counted("FIRST", 0)])
        await until_blocked(admin)
        async with anyio.create_task_group() as quitters:
            quitters.start_soon(log.append, [counted("GONE", 1)])
            await anyio.wait_all_tasks_blocked()
            quitters.cancel_scope.cancel()
        group.start_soon(log.append, [counted("LAST", 2)])
        await anyio.wait_all_tasks_blocked()

    streams = [event.stream for event in await all_events(keeper.reader())]

    assert ["stock-FIRST", "stock-LAST"] == streams


async def test_append_to_more_streams_than_are_remembered_counts_on(
    keeper: PostgresKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory of revisions is bounded; what was forgotten is looked up."""
    monkeypatch.setattr(writer, "STREAMS_REMEMBERED_MAX", 3)
    async with keeper.writer() as log:
        for round_ in range(4):
            for number in range(10):
                expected = {f"stock-S{number}": round_}
                await log.append([counted(f"S{number}", round_)], expected=expected)

    assert 40 == (await verify(keeper.reader())).events


async def test_close_commits_what_was_taken(keeper: PostgresKeeper, admin: Admin) -> None:
    """Whoever was let in before the door closed gets an answer."""
    answers: list[Sequence[Recorded]] = []

    async def append(log: Log, number: int) -> None:
        answers.append(await log.append([counted("A", number)]))

    async with (
        anyio.create_task_group() as group,
        keeper.writer() as log,
        admin.transaction(),
    ):
        await hold_head(admin)
        for number in range(50):
            group.start_soon(append, log, number)
        await until_blocked(admin)
        await anyio.wait_all_tasks_blocked()

    assert 50 == len(answers)
    assert 50 == (await keeper.reader().head()).position
    with pytest.raises(Unavailable, match="closed"):
        await log.append([counted("A", 51)])


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
            await until_blocked(admin)
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


@pytest.mark.parametrize("missing", [1, 3, 5])
async def test_read_a_gap_is_never_skipped(keeper: PostgresKeeper, missing: int) -> None:
    """A reader stops at an event that is missing, and names it: first, middle or last."""
    async with keeper.writer() as log:
        await log.append([counted("A", number) for number in range(5)])
    await keeper.remove(missing)

    with pytest.raises(CorruptLog, match=f"position {missing}"):
        await all_events(keeper.reader())


@pytest.mark.parametrize(("missing", "whole"), [(900, 0), (2_500, 1)], ids=["first", "second"])
async def test_read_a_gap_further_on_stops_there_after_whole_pages(
    keeper: PostgresKeeper, missing: int, whole: int
) -> None:
    """What is fetched ahead is not given out early: whole pages come, then the gap is named."""
    async with keeper.writer() as log:
        await log.append([counted("A", number) for number in range(3_000)])
    await keeper.remove(missing)
    reading = aiter(keeper.reader().read())
    for _ in range(whole):
        assert await anext(reading)

    with pytest.raises(CorruptLog, match=f"no event at position {missing},"):
        await anext(reading)


async def test_read_an_unreadable_event_further_on_names_its_position(
    keeper: PostgresKeeper,
) -> None:
    """Also where other rows are on their way meanwhile."""
    async with keeper.writer() as log:
        await log.append([counted("A", number) for number in range(2_000)])
    await keeper.edit(800, old='"units":799', new='"units":"x"')

    with pytest.raises(CorruptLog, match=r"position 800: event .* can't be read"):
        await all_events(keeper.reader())


async def test_read_gives_the_times_that_were_written(keeper: PostgresKeeper) -> None:
    """To the microsecond and in UTC, for each commit of a page."""
    clock = SetClock(MORNING + timedelta(microseconds=1))
    lease = await acquire(keeper.database, MERCHANT, "tests", ttl_s=60)
    there = timezone(timedelta(hours=-4))
    abroad = counted("A", 1)
    abroad = msgspec.structs.replace(
        abroad,
        event=msgspec.structs.replace(abroad.event, occurred_at=MORNING.astimezone(there)),
    )
    async with PostgresLog.open(
        keeper.database, MERCHANT, VOCABULARY, clock, lease.epoch
    ) as log:
        written = [*await log.append([abroad])]
        clock.forward(0.123456)
        written += await log.append([counted("A", 2), counted("A", 3)])
    read = await all_events(keeper.reader())

    assert written == read
    assert {UTC} == {each for event in read for each in _zones(event)}
    assert MORNING + timedelta(microseconds=123_457) == read[1].recorded_at


def _zones(event: Recorded) -> Sequence[tzinfo | None]:
    return event.occurred_at.tzinfo, event.recorded_at.tzinfo


async def test_read_pages_are_bounded(
    keeper: PostgresKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long log comes in pages, from memory and from the database."""
    async with keeper.writer() as log:
        await log.append([counted("A", number) for number in range(6_000)])
        assert [5_000, 1_000] == [len(page) async for page in log.read()]
        assert [2_100, 2_100, 1_800] == [len(page) async for page in keeper.reader().read()]
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


async def test_page_of_a_table_without_statistics_reads_no_more_than_a_page(
    keeper: PostgresKeeper, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page costs a page, however long the log, also before its first "analyze"."""
    async with keeper.writer() as log:
        for _ in range(3):
            await log.append([counted("A", number) for number in range(5_000)])
    asked: list[tuple[str, tuple[object, ...]]] = []
    fetch = Database.fetch

    async def listen(self: Database, query: str, *arguments: object) -> object:
        asked.append((query, arguments))
        return await fetch(self, query, *arguments)

    monkeypatch.setattr(Database, "fetch", listen)
    assert 15_000 == len(await all_events(keeper.reader()))
    assert 15_000 == len(await keeper.reader().read_stream("stock-A"))

    for query, arguments in asked:
        plan = json.loads(
            await admin.fetchval(f"explain (analyze, format json) {query}", *arguments)
        )

        assert max(_rows(plan[0]["Plan"])) <= 5_000


def _rows(node: dict[str, Any]) -> list[float]:
    """Of a plan's node, and of all below it."""
    below = [rows for child in node.get("Plans", []) for rows in _rows(child)]
    return [node["Actual Rows"], *below]


async def test_revision_of_a_long_stream_is_found_without_reading_it(
    keeper: PostgresKeeper, admin: Admin
) -> None:
    """Looking a stream up costs the same on its first day and after years."""
    async with keeper.writer() as log:
        await log.append([counted("A", number) for number in range(9_000)])

    for statistics in ("select 1", "analyze event"):
        await admin.execute(statistics)
        plan = json.loads(
            await admin.fetchval(
                f"explain (analyze, format json) {pen._REVISIONS}",
                "acme",
                ["stock-A", "stock-B"],
            )
        )

        assert max(_rows(plan[0]["Plan"])) <= 2
