"""The runner: each event once into each read model, and a rebuilt row is the same row."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Fenced
from kcjl.events import vocabulary
from kcjl.log.memory import MemoryLog, MemoryLogReader, MemoryStore
from kcjl.log.port import Draft
from kcjl.projections import runner as running
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import Changes, MemoryRows, RowStore
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.clockwork import Clockwork
from tests.outside.erp import parcel
from tests.outside.marketplace import marketplace_order
from tests.patience import unhurried
from tests.rooms import Premises
from tests.trade import SHIPPING, changed, listed, received

pytestmark = pytest.mark.anyio

NAMES = [projection.name for projection in PROJECTIONS]


class Killed(BaseException):
    """The process is gone, at this very point."""


@pytest.fixture(params=["memory_rows", "postgres_rows"])
def rows(request: pytest.FixtureRequest) -> RowStore:
    """Each keeper in turn."""
    keeper: RowStore = request.getfixturevalue(request.param)
    return keeper


class Breaking(MemoryRows):
    """Rows whose writer is killed: before the write, or after it."""

    def __init__(self, *plan: str) -> None:
        super().__init__()
        self.plan = list(plan)
        self.writes = 0

    async def write(
        self, projections: Sequence[str], changes: Changes, *, before: int, after: int
    ) -> None:
        self.writes += 1
        fate = self.plan.pop(0) if self.plan else "well"
        if fate == "killed before":
            raise Killed
        await super().write(projections, changes, before=before, after=after)
        if fate == "killed after":
            raise Killed


def open_log(store: MemoryStore) -> AbstractAsyncContextManager[MemoryLog]:
    return MemoryLog.open(store, "acme", vocabulary(), Clockwork(), store.take_over("acme"))


def drafts(events: Sequence[Event]) -> list[Draft]:
    return [Draft(event=event, by="tests", correlation_id="one") for event in events]


async def a_day_of_trade() -> MemoryStore:
    """Every room has said something."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 3
    place.shop.place(marketplace_order("O1", state=SHIPPING), marketplace_order("O2"))
    async with place.open() as process:
        await process.do("carriers", "offers", "levels", "intake", "new-skus", "publish")
        await process.do("acceptance", "posting", "write-back")
        place.warehouse.ship("REF-O1", parcel(courier="Bike"))
        await process.do("shipments", "confirm", "transactions", "payouts", "judge")
    return place.store


async def everything(rows: RowStore) -> dict[str, list[tuple[str, bytes]]]:
    return {name: await rows.rows(name) for name in NAMES}


async def rebuilt(store: MemoryStore) -> dict[str, list[tuple[str, bytes]]]:
    """What replaying the whole log gives."""
    rows = MemoryRows()
    await ProjectionRunner(MemoryLogReader(store, "acme"), rows, PROJECTIONS).catch_up()
    return await everything(rows)


async def test_replay_equals_live_byte_for_byte(
    rows: RowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 1: rows kept while the day went on are the rows that a replay gives."""
    store = await a_day_of_trade()
    reader = MemoryLogReader(store, "acme")
    monkeypatch.setattr(running, "BATCH_EVENTS_MAX", 3)
    await ProjectionRunner(reader, rows, PROJECTIONS).catch_up()
    monkeypatch.undo()

    live = await everything(rows)

    assert live == await rebuilt(store)
    assert all(live[name] for name in ("orders", "stock", "dispatch", "exceptions", "reads"))
    assert (await reader.head()).position == await rows.position(NAMES)


@unhurried
@given(any_events(max_size=40), st.lists(st.integers(1, 6), max_size=10))
def test_replay_in_any_portions_is_the_same(events: list[Event], portions: list[int]) -> None:
    """However the log is cut into portions, and rows go through their bytes: the same rows."""

    async def live() -> None:
        store = MemoryStore()
        rows = MemoryRows()
        async with open_log(store) as log:
            left = list(events)
            for portion in (*portions, len(events)):
                await log.append(drafts(left[:portion]))
                del left[:portion]
                await ProjectionRunner(log, rows, PROJECTIONS).catch_up()

        assert await everything(rows) == await rebuilt(store)

    anyio.run(live)


@pytest.mark.parametrize("fate", ["killed before", "killed after"])
async def test_kill_between_fetch_and_write_loses_and_doubles_nothing(
    fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and checkpoint are one: after a kill the next process goes on where they are."""
    monkeypatch.setattr(running, "BATCH_EVENTS_MAX", 2)
    store = await a_day_of_trade()
    rows = Breaking("well", fate, "well", fate)
    reader = MemoryLogReader(store, "acme")
    for _ in range(2):
        with pytest.raises(Killed):
            await ProjectionRunner(reader, rows, PROJECTIONS).catch_up()
    await ProjectionRunner(reader, rows, PROJECTIONS).catch_up()

    assert await everything(rows) == await rebuilt(store)


async def test_second_runner_on_the_same_rows_is_fenced() -> None:
    """The checkpoint was moved by another: this one stops, and has written nothing."""
    store, rows = MemoryStore(), MemoryRows()
    async with open_log(store) as log:
        await log.append(drafts([received()]))
        one, other = (ProjectionRunner(log, rows, PROJECTIONS) for _ in range(2))
        await one.catch_up()
        await other.catch_up()
        await log.append(drafts([changed(received())]))
        page = [recorded async for page in log.read(1) for recorded in page]
        await one.catch_up()
        with pytest.raises(Fenced):
            await other._fold(page)

    assert 2 == await rows.position(NAMES)


async def test_new_projection_in_an_old_log_comes_up_to_the_others(rows: RowStore) -> None:
    """A read model that a new version brings is folded from the beginning, the others go on."""
    store = await a_day_of_trade()
    reader = MemoryLogReader(store, "acme")
    await ProjectionRunner(reader, rows, PROJECTIONS[:-1]).catch_up()
    async with open_log(store) as log:
        await log.append(drafts([listed("B-9")]))

    await ProjectionRunner(reader, rows, PROJECTIONS).catch_up()

    assert await everything(rows) == await rebuilt(store)


async def test_runner_follows_what_is_committed() -> None:
    """What is in the log is in the rows a moment later, without being asked."""
    store, rows = MemoryStore(), MemoryRows()
    async with open_log(store) as log, anyio.create_task_group() as group:
        await log.append(drafts([received()]))
        runner = ProjectionRunner(log, rows, PROJECTIONS)
        group.start_soon(runner.run)
        await Clockwork().settle()
        await log.append(drafts([received("O2")]))
        await Clockwork().settle()
        group.cancel_scope.cancel()

    assert ["O1", "O2"] == [key for key, _ in await rows.rows("orders")]
    assert 2 == runner.position


async def test_row_says_the_state_first() -> None:
    """A list by state is one index: each row begins with its state."""
    store, rows = MemoryStore(), MemoryRows()
    async with open_log(store) as log:
        await log.append(drafts([received()]))
        await ProjectionRunner(log, rows, PROJECTIONS).catch_up()

    ((_, row),) = await rows.rows("orders")
    assert row.startswith(b'{"state":"received","row":{')
