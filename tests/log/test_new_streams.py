"""Streams that a caller takes for new, and notices: what the writer saves, at no law's cost."""

import anyio
import pytest

from kcjl.database import Database
from kcjl.errors import Conflict
from kcjl.log import pen, writer
from kcjl.log.port import Log
from kcjl.log.verify import verify
from tests.log.keepers import Admin, PostgresKeeper, all_events, counted, units_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def keeper(database_dsn: str, database: Database) -> PostgresKeeper:
    return PostgresKeeper(database_dsn, database)


async def test_append_to_a_stream_wrongly_taken_for_new_is_a_conflict(
    keeper: PostgresKeeper,
) -> None:
    """A writer that knows no stream yet believes nobody: the false one alone is told."""
    async with keeper.writer() as log:
        await log.append([counted("A", 1)])
    refused: list[Conflict] = []

    async def append(log: Log, sku: str, units: int, revision: int) -> None:
        try:
            await log.append([counted(sku, units)], expected={f"stock-{sku}": revision})
        except Conflict as error:
            refused.append(error)

    async with keeper.writer() as log, anyio.create_task_group() as group:
        group.start_soon(append, log, "A", 10, 0)
        group.start_soon(append, log, "A", 11, 1)
        group.start_soon(append, log, "B", 12, 0)
    stored = await all_events(keeper.reader())

    assert [("stock-A", 0, 1)] == [(e.stream, e.expected, e.actual) for e in refused]
    assert [1, 11, 12] == [units_of(event) for event in stored]
    assert 3 == (await verify(keeper.reader())).events


async def test_append_elsewhere_on_a_stream_wrongly_taken_for_new_is_a_conflict(
    keeper: PostgresKeeper,
) -> None:
    """An expectation holds also for a stream that gets no event."""
    async with keeper.writer() as log:
        await log.append([counted("A", 1)])
    async with keeper.writer() as log:
        with pytest.raises(Conflict) as caught:
            await log.append([counted("B", 1)], expected={"stock-A": 0})
        await log.append([counted("B", 1)], expected={"stock-C": 0})

    assert 1 == caught.value.actual


async def test_append_to_a_new_stream_looks_nothing_up(
    keeper: PostgresKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most streams are new when they are said to be: that costs no round trip."""
    asked: list[str] = []

    async def revisions(_pen: pen.Pen, streams: set[str]) -> dict[str, int]:
        asked.extend(streams)
        return dict.fromkeys(streams, 0)

    monkeypatch.setattr(pen.Pen, "revisions", revisions)
    async with keeper.writer() as log:
        await log.append([counted("A", 1)], expected={"stock-A": 0})
        await log.append([counted("A", 2)], expected={"stock-A": 1})
        await log.append([counted("B", 1)])

    assert ["stock-B"] == asked


async def test_notices_are_throttled_and_the_last_one_is_given(
    keeper: PostgresKeeper, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy writer does not notify of each commit, but it does not leave anybody waiting."""
    for module in (pen, writer):
        monkeypatch.setattr(module, "NOTICE_S", 0.2)
    heard: list[str] = []
    last = anyio.Event()

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        heard.append(str(payload))
        if payload == "acme:20":
            last.set()

    await admin.add_listener("kcjl_log", hear)
    async with keeper.writer() as log:
        for number in range(20):
            await log.append([counted("A", number)])
        with anyio.fail_after(10):
            await last.wait()

    assert 20 > len(heard)
    assert sorted(heard, key=lambda payload: int(payload.rpartition(":")[2])) == heard


async def test_commits_that_come_seldom_are_each_noticed_at_once(
    keeper: PostgresKeeper, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two events close together, on a quiet day: the second one is not kept back."""
    for module in (pen, writer):
        monkeypatch.setattr(module, "NOTICE_S", 3_600)
    heard: list[str] = []
    last = anyio.Event()

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        heard.append(str(payload))
        if payload == "acme:5":
            last.set()

    await admin.add_listener("kcjl_log", hear)
    async with keeper.writer() as log:
        for number in range(5):
            await log.append([counted("A", number)])
        with anyio.fail_after(10):
            await last.wait()

    assert [f"acme:{position}" for position in range(1, 6)] == heard
