"""The past by keyframes: any position, by every reader, is what the fold of the log says."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

import asyncpg
import pytest

from kcjl.clock import Clock, chance
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, Unavailable
from kcjl.events import vocabulary
from kcjl.log.port import Selection
from kcjl.log.queries import PostgresQueries
from kcjl.projections import keyframes as keeping
from kcjl.projections import overlay as overlaying
from kcjl.projections.asof import fold_log
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.keyframes import KeyframeKeeper
from kcjl.projections.orderreading import OrderRows
from kcjl.projections.payoutreading import PayoutRows
from kcjl.projections.reading import PostgresReadModels
from kcjl.projections.rebuild import rebuild
from kcjl.projections.stockreading import StockRows
from kcjl.projections.store import PostgresRows
from kcjl.projections.timingreading import TimingRows
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.clockwork import MORNING
from tests.projections.long_trade import long_trade

pytestmark = pytest.mark.anyio

ORDERS = 60
"""About 800 events."""
EVERY = 100


@pytest.fixture
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    """A log of some weeks, and its live rows."""
    async with handmade(database_dsn) as made:
        await made.append(*long_trade(ORDERS))
        await made.fold()
        yield made


@pytest.fixture
async def keeper(made: Handmade, database_dsn: str) -> KeyframeKeeper:
    return KeyframeKeeper(
        made.database, database_dsn, MERCHANT, vocabulary(), PROJECTIONS, every=EVERY
    )


@pytest.fixture
async def past(made: Handmade, database_dsn: str) -> AsyncIterator[AsOfDatabase]:
    async with past_of(database_dsn) as past:
        yield past


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages, steps back and jumps that a small log has many of."""
    monkeypatch.setattr(overlaying, "PAGE_EVENTS", 30)
    monkeypatch.setattr(overlaying, "BACK_EVENTS", 15)
    monkeypatch.setattr(overlaying, "ON_EVENTS_MAX", 40)


def past_of(dsn: str) -> AsOfDatabase:
    return AsOfDatabase(dsn, MERCHANT, vocabulary(), PROJECTIONS)


Rows = dict[str, list[tuple[str, bytes]]]


async def shown(past: AsOfDatabase) -> Rows:
    rows = PostgresRows(past, MERCHANT)
    return {each.name: await rows.rows(each.name) for each in PROJECTIONS}


async def folded(made: Handmade, position: int) -> Rows:
    """By the law: every event from the first, in memory."""
    entries = await fold_log(made.log, PROJECTIONS, to=position)
    return {
        each.name: [(key, each.encode(entry)) for key, entry in sorted(there.items())]
        for each, there in zip(PROJECTIONS, entries, strict=True)
    }


async def head_of(made: Handmade) -> int:
    return (await made.log.head()).position


async def spoil(made: Handmade) -> None:
    """Whoever looks at what was kept sees it."""
    await made.database.execute("update keyframe_row set data = '{}'")


async def column(made: Handmade, query: str) -> list[int]:
    return [row[0] for row in await made.database.fetch(query)]


async def drawn(made: Handmade, seed: str, many: int) -> Sequence[int]:
    """Positions: some far apart, some steps from the one before, both ways."""
    luck, head = chance(seed), await head_of(made)
    positions = [0, head, EVERY, EVERY - 1, EVERY + 1]
    while len(positions) < many:
        step = luck.choice((1, -1, 3, -7, 20, None))
        position = luck.randrange(head + 1) if step is None else positions[-1] + step
        if 0 <= position <= head:
            positions.append(position)
    return positions


@pytest.mark.parametrize("kept", ["keyframes", "no keyframes"])
async def test_rows_as_of_any_position_are_the_fold_byte_for_byte(
    kept: str, made: Handmade, keeper: KeyframeKeeper, past: AsOfDatabase
) -> None:
    """Jumps and steps, there and back, with keyframes and without: what a fold says."""
    if kept == "keyframes":
        assert await head_of(made) // EVERY == await keeper.make()
    for position in await drawn(made, kept, 40):
        there = await past.move(position)

        assert await folded(made, position) == await shown(past), position
        assert position == there.position


async def test_as_of_the_head_is_the_live_rows(
    made: Handmade, keeper: KeyframeKeeper, past: AsOfDatabase
) -> None:
    """Now is a time like any other, for every read model."""
    await keeper.make()
    await past.move(await head_of(made))
    live = {each.name: await made.store.rows(each.name) for each in PROJECTIONS}

    assert live == await shown(past)
    assert all(live.values())


async def test_readers_say_what_they_said_then(database_dsn: str) -> None:
    """Unchanged, and handed the past, each reader says what it said when that was now."""
    trade = list(long_trade(ORDERS))
    async with handmade(database_dsn) as made, past_of(database_dsn) as past:
        await made.append(*trade[:430])
        await made.fold()
        clock = made.clock
        said = await everything(made.database, clock)
        made.clock.tick(60)
        await made.append(*trade[430:])
        await made.fold()
        keeper = KeyframeKeeper(
            made.database, database_dsn, MERCHANT, vocabulary(), PROJECTIONS, every=EVERY
        )
        await keeper.make()
        await past.move(430)

        assert said == await everything(past, await past.clock())
        assert all(said)


async def everything(database: Database, clock: Clock) -> list[Any]:
    """What the readers of the verbs and of the monitor say."""
    models = PostgresReadModels(database, MERCHANT, clock)
    orders = OrderRows(database, MERCHANT)
    payouts = PayoutRows(database, MERCHANT)
    stock = StockRows(database, MERCHANT)
    timings = TimingRows(database, MERCHANT).placed(MORNING - timedelta(days=365))
    return [
        await models.counts(),
        await models.overview(),
        await models.exceptions(),
        await models.events(),
        [page async for page in orders.orders([])],
        [page async for page in stock.products()],
        [(each, await payouts.lines_of(each.cycle_id)) for each in await payouts.payouts()],
        [page async for page in timings],
        await stock.position(),
    ]


async def test_events_end_at_the_position(made: Handmade, past: AsOfDatabase) -> None:
    """Nothing that came later is in the log; its head is the event at the position."""
    await past.move(321)
    queries = PostgresQueries(past, MERCHANT, vocabulary())
    last = Selection(backward=True, page=1, after=320)
    (event,) = [page[0] async for page in queries.select(last)]

    assert 321 == event.position
    assert 321 == await queries.position_at(event.recorded_at + timedelta(days=9))
    assert event.recorded_at == (await past.clock()).now()


async def test_a_time_is_all_that_was_recorded_by_then(
    made: Handmade, past: AsOfDatabase
) -> None:
    """Asked from any position, also for a time that is later than it."""
    await past.move(5)
    queries = PostgresQueries(made.database, MERCHANT, vocabulary())
    (event,) = [page[0] async for page in queries.select(Selection(after=700, to=701))]
    there = await past.at(event.recorded_at)

    assert await queries.position_at(event.recorded_at) == there.position
    assert event.recorded_at == there.recorded_at


async def test_keyframes_are_made_once_and_go_on(
    made: Handmade, keeper: KeyframeKeeper, past: AsOfDatabase
) -> None:
    """A restart makes those that are due since, and only those; the live runner went on."""
    head = await head_of(made)
    assert head // EVERY == await keeper.make()
    assert 0 == await keeper.make()
    await past.move(head)
    await made.append(*islice(long_trade(ORDERS * 2), 900, 1_250))
    await made.fold()
    later = await head_of(made)

    assert later // EVERY - head // EVERY == await keeper.make()
    for position in (head, later - 3, head - 250, later):
        await past.move(position)
        assert await folded(made, position) == await shown(past)


async def test_live_rows_come_first(
    made: Handmade, keeper: KeyframeKeeper, past: AsOfDatabase
) -> None:
    """While the runner catches up, keyframes wait; what is now comes before what was."""
    assert 0 < await keeper.look()
    await made.append(*islice(long_trade(ORDERS * 2), 900, 1_250))
    assert 0 == await keeper.look()
    await made.fold()
    assert 0 < await keeper.look()


async def test_keyframes_of_another_program_are_left_aside_and_replaced(
    made: Handmade,
    keeper: KeyframeKeeper,
    past: AsOfDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an older version folded is never shown; it goes, and new ones are made."""
    with monkeypatch.context() as older:
        older.setattr(keeping, "program", lambda: b"o" * 32)
        older.setattr("kcjl.projections.asofdatabase.program", lambda: b"o" * 32)
        await keeper.make()
    await spoil(made)
    await past.move(350)
    assert await folded(made, 350) == await shown(past)

    await keeper.make()
    assert 0 == await keeper.tidy()  # somebody looks
    await past.close()
    assert 0 < await keeper.tidy()
    assert {2} == set(await column(made, "select version from keyframe_row"))
    async with past:
        await past.move(350)
        assert await folded(made, 350) == await shown(past)


async def test_keyframes_of_another_log_are_left_aside(
    made: Handmade, keeper: KeyframeKeeper, past: AsOfDatabase
) -> None:
    """After a restore the log may go another way: a keyframe is known by its event's hash."""
    await keeper.make()
    await spoil(made)
    await made.database.execute("update keyframe set log_hash = sha256('another')")
    await past.move(350)

    assert await folded(made, 350) == await shown(past)
    assert await head_of(made) // EVERY == await keeper.make()


async def test_keyframes_go_with_a_rebuild(
    made: Handmade, keeper: KeyframeKeeper, past: AsOfDatabase
) -> None:
    """Who doubts the rows doubts what was kept of them."""
    await keeper.make()
    await spoil(made)
    await rebuild(made.database, MERCHANT, vocabulary(), PROJECTIONS)

    assert [] == await column(made, "select position from keyframe")
    await past.move(350)
    assert await folded(made, 350) == await shown(past)


async def test_old_keyframes_are_let_go(
    made: Handmade,
    keeper: KeyframeKeeper,
    past: AsOfDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The newest are kept, whole; before them the past is folded from the beginning."""
    monkeypatch.setattr(keeping, "KEYFRAMES_MAX", 3)
    monkeypatch.setattr(keeping, "DELETE_ROWS_MAX", 50)
    await keeper.make()

    assert 0 < await keeper.tidy()
    last = await head_of(made) // EVERY * EVERY
    kept = [last - 2 * EVERY, last - EVERY, last]
    assert kept == await column(made, "select position from keyframe order by 1")
    assert last - 2 * EVERY < min(await column(made, "select to_position from keyframe_row"))
    for position in (EVERY + 7, kept[0], kept[1] + 7, last):
        await past.move(position)
        assert await folded(made, position) == await shown(past)


async def test_lost_connection_is_made_again_at_the_same_position(
    made: Handmade, keeper: KeyframeKeeper, past: AsOfDatabase, database_dsn: str
) -> None:
    """Its views and its rows are gone with it; the next reader finds them there again."""
    await keeper.make()
    await past.move(350)
    pid = await past.fetchval("select pg_backend_pid()")
    admin = await asyncpg.connect(database_dsn)
    await admin.execute("select pg_terminate_backend($1, 5000)", pid)
    await admin.close()

    assert await folded(made, 350) == await shown(past)


async def test_only_what_is_folded_is_shown(
    made: Handmade, keeper: KeyframeKeeper, database_dsn: str
) -> None:
    """Whoever asks for one read model has that one folded; another's rows would be too old."""
    await keeper.make()
    (stock, *_) = PROJECTIONS
    async with AsOfDatabase(database_dsn, MERCHANT, vocabulary(), (stock,)) as past:
        await past.move(350)
        found = await shown(past)
        counts = await PostgresReadModels(past, MERCHANT, await past.clock()).counts()

    assert (await folded(made, 350))[stock.name] == found.pop(stock.name)
    assert not any(found.values())
    assert {stock.name} == counts.keys()


async def test_position_beyond_the_head_is_refused_and_nothing_moves(
    made: Handmade, past: AsOfDatabase
) -> None:
    """The future is not in the log; what was shown is shown still."""
    head = await head_of(made)
    await past.move(40)
    with pytest.raises(Misuse, match=f"positions up to {head:,}"):
        await past.move(head + 1)

    assert await folded(made, 40) == await shown(past)


async def test_the_past_is_read_only(made: Handmade, past: AsOfDatabase) -> None:
    """Not even by grant and by mistake: what is temporary alone is written."""
    await past.move(40)

    assert AUDITOR == await past.fetchval("select current_user")
    for write in ("delete from public.projection_row", "create table public.mine ()"):
        with pytest.raises(Unavailable, match="read-only transaction"):
            await past.execute(write)
