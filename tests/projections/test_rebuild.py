"""Rebuild: the log folded anew beside the live rows gives the same rows, disturbing nobody."""

from collections.abc import AsyncIterator, Sequence
from itertools import islice

import anyio
import pytest

from kcjl.database import Database
from kcjl.errors import CorruptLog, Misuse, Unavailable
from kcjl.events import vocabulary
from kcjl.orders.events import OrderReceived
from kcjl.projections import rebuild as rebuilding
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.rebuild import Progress, Rebuilt, chosen, rebuild
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import PostgresRows, Swapped
from kcjl.vocabulary import Event, Vocabulary
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.projections.long_trade import long_trade
from tests.trade import listed, orders_read, received

pytestmark = pytest.mark.anyio

NAMES = [projection.name for projection in PROJECTIONS]
ORDERS = 120
"""About 1,400 events."""


@pytest.fixture
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    """A log of some weeks, folded by the live runner in two turns."""
    async with handmade(database_dsn) as made:
        trade = long_trade(ORDERS)
        await append(made, list(islice(trade, 700)))
        await made.fold()
        await append(made, list(trade))
        await made.fold()
        yield made


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pages, and few entries in memory: most of them leave and come back."""
    monkeypatch.setattr("kcjl.projections.feed.PAGE_EVENTS_MAX", 50)
    monkeypatch.setattr(rebuilding, "ENTRIES_HELD_MAX", 30)
    monkeypatch.setattr(rebuilding, "DELETE_ROWS_MAX", 7)


async def append(made: Handmade, events: Sequence[Event]) -> None:
    for start in range(0, len(events), 500):
        await made.append(*events[start : start + 500])


async def rebuilt(made: Handmade, *names: str, progress: Progress = lambda *_: None) -> Rebuilt:
    return await rebuild(
        made.database, MERCHANT, vocabulary(), chosen(names, PROJECTIONS), progress=progress
    )


async def live_rows(made: Handmade) -> dict[str, list[tuple[str, bytes]]]:
    return {name: await made.store.rows(name) for name in NAMES}


async def versions(made: Handmade) -> dict[str, list[tuple[int, bool, int]]]:
    """(version, live, rows) of each projection."""
    found = await made.database.fetch(
        """
        select c.projection, c.version, c.live, count(r.key)::int as rows
        from projection_checkpoint c left join projection_row r
            using (merchant, projection, version)
        where c.merchant = $1 group by 1, 2, 3 order by 1, 2
        """,
        MERCHANT,
    )
    there: dict[str, list[tuple[int, bool, int]]] = {name: [] for name in NAMES}
    for row in found:
        there[row["projection"]].append((row["version"], row["live"], row["rows"]))
    return there


@pytest.mark.parametrize("name", NAMES)
async def test_rebuilt_projection_equals_the_live_one_byte_for_byte(
    name: str, made: Handmade
) -> None:
    """Law 1, for each projection by itself; the others stay as they are."""
    before = await live_rows(made)
    done = await rebuilt(made, name)

    assert before == await live_rows(made)
    assert before[name]
    assert (name,) == done.projections
    assert ((await made.log.head()).position, len(before[name])) == (done.position, done.rows)
    there = await versions(made)
    assert [(2, True, len(before[name]))] == there.pop(name)
    assert all([1] == [version for version, _, _ in each] for each in there.values())


@pytest.mark.usefixtures("small_pages")
async def test_rebuild_in_little_memory_gives_the_same_rows(made: Handmade) -> None:
    """Entries that leave the memory and come back are the entries that they were."""
    before = await live_rows(made)
    done = await rebuilt(made)

    assert before == await live_rows(made)
    rows = sum(len(each) for each in before.values())
    assert (rows, rows) == (done.rows, done.removed)


@pytest.mark.usefixtures("small_pages")
async def test_rebuild_mends_rows_that_are_not_what_the_log_says(made: Handmade) -> None:
    """What was changed, taken away or put in by hand is as the log says again."""
    before = await live_rows(made)
    await made.database.execute(
        "update projection_row set data = '{}' where projection = 'orders' and key < 'O0000050'"
    )
    await made.database.execute("delete from projection_row where projection = 'stock'")
    await made.database.execute(
        "update projection_row set key = key || 'x' where projection = 'payouts'"
    )
    broken = await live_rows(made)
    await rebuilt(made)

    assert before != broken
    assert before == await live_rows(made)


@pytest.mark.usefixtures("small_pages")
async def test_rebuild_while_events_come_loses_and_doubles_nothing(made: Handmade) -> None:
    """The service runs on: it appends and folds before, during and after the swap."""
    more = [received(f"P{number}") for number in range(300)]

    async def trade() -> None:
        for order in more:
            await made.append(order, orders_read(1))
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(ProjectionRunner(made.log, made.store, PROJECTIONS).run)
        async with anyio.create_task_group() as appending:
            appending.start_soon(trade)
            for _ in range(3):
                await rebuilt(made)
        head = (await made.log.head()).position
        with anyio.fail_after(20):
            while await PostgresRows(made.database, MERCHANT).position(NAMES) < head:
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()

    replayed = await made.replay()
    assert ("", head) == (replayed.difference, replayed.position)
    assert {4} == {version for each in (await versions(made)).values() for version, *_ in each}
    assert 300 == sum(key.startswith("P") for key, _ in await made.store.rows("orders"))


async def test_runner_that_is_in_the_middle_of_a_batch_takes_the_new_version(
    made: Handmade,
) -> None:
    """Rows read before the swap are not written after it: the batch is folded again."""
    runner = ProjectionRunner(made.log, made.store, PROJECTIONS)
    await runner.catch_up()
    await made.database.execute("update projection_row set data = '{}' where key = 'a-1'")
    await rebuilt(made, "stock")
    await made.append(listed("A-1", quantity=3), listed("Z-1"))
    (page,) = [page async for page in made.log.read(runner.position)]
    with pytest.raises(Swapped):
        await runner._write(page)
    await runner._fold(page)

    assert (await made.log.head()).position == runner.position
    assert "" == (await made.replay()).difference


async def test_rebuild_ahead_of_the_live_rows_brings_the_others_up(made: Handmade) -> None:
    """Rebuilt while the service lags: the runner brings the others up, then goes on."""
    runner = ProjectionRunner(made.log, made.store, PROJECTIONS)
    await runner.catch_up()
    await made.append(received("P1"), listed("Z-1"))
    await rebuilt(made, "orders")
    await made.append(received("P2"))
    await runner.catch_up()

    assert "" == (await made.replay()).difference
    assert (await made.log.head()).position == await made.store.position(NAMES)


class Killed(BaseException):
    """The process is gone, at this very point."""


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("doing", ["folding", "removing old rows"])
async def test_rebuild_that_was_interrupted_can_be_run_again(
    doing: str, made: Handmade
) -> None:
    """Whatever was half-built or not yet removed is cleared, and begun anew."""
    before = await live_rows(made)

    def die(what: str, done: int, total: int) -> None:
        if what == doing and done > total / 2:
            raise Killed

    with pytest.raises(Killed):
        await rebuilt(made, progress=die)
    left = await versions(made)
    during = await live_rows(made)
    await rebuilt(made)

    assert any(not live and rows for each in left.values() for _, live, rows in each)
    assert before == during == await live_rows(made)
    assert all(1 == len(each) for each in (await versions(made)).values())


async def test_rebuild_of_an_unknown_name_is_refused_with_the_list() -> None:
    """A name that there is not: the ones that there are."""
    with pytest.raises(Misuse, match=r"'ordres'; there are stock, orders, dispatch"):
        chosen(["orders", "ordres"], PROJECTIONS)

    assert ["orders", "stock"] == [
        each.name for each in chosen(["orders", "stock", "orders"], PROJECTIONS)
    ]
    assert NAMES == [each.name for each in chosen([], PROJECTIONS)]


async def test_second_rebuild_at_once_is_told_to_wait(made: Handmade) -> None:
    """One at a time: it would clear the half-built rows of the first."""
    told: list[Exception] = []

    async def another() -> None:
        try:
            await rebuilt(made, "orders")
        except Unavailable as error:
            told.append(error)

    async with rebuilding._alone(made.database, MERCHANT), anyio.create_task_group() as group:
        group.start_soon(another)

    assert 1 == len(told)
    assert 120 == (await rebuilt(made, "orders")).rows


async def test_rebuild_of_an_event_that_is_not_known_stops_and_names_it(made: Handmade) -> None:
    """An event of a newer version is never skipped; the live rows stay."""
    before = await live_rows(made)
    old = Vocabulary([OrderReceived])
    with pytest.raises(CorruptLog, match=r"position 1: event OfferListed of schema 1"):
        await rebuild(made.database, MERCHANT, old, PROJECTIONS)

    assert before == await live_rows(made)


async def test_rebuild_of_a_projection_that_never_ran_makes_it_live(
    database_dsn: str,
) -> None:
    """A new read model in an old log, built before the service has seen it."""
    async with handmade(database_dsn) as made:
        await append(made, list(long_trade(20)))
        await rebuilt(made, "orders")
        rows = await made.store.rows("orders")
        await made.fold()
        replayed = await made.replay()

    assert 20 == len(rows)
    assert "" == replayed.difference


async def test_rebuild_is_not_for_readers(made: Handmade, database_dsn: str) -> None:
    """Least privilege: who audits changes no row, not even to the right one."""
    async with Database(database_dsn, role="kcjl_auditor") as auditor:
        with pytest.raises(Exception, match="permission denied"):
            await rebuild(auditor, MERCHANT, vocabulary(), PROJECTIONS)
