"""The watch: what has moved is read between two polls, and nothing else."""

from datetime import timedelta

import pytest

from kcjl.orders.events import OrdersRead
from kcjl.settings import StockSettings
from kcjl.stock.events import (
    LevelsWatched,
    StockImportIntended,
    StockRead,
    StockWatchLapsed,
    StockWatchResumed,
)
from tests.rooms import Premises, Process

pytestmark = pytest.mark.anyio

MOVED, STILL = "A-1", "A-2"
POLL = ("levels", "intake", "publish", "publish")


def shop(**settings: float) -> Premises:
    """Two products, ten of each on the shelf."""
    place = Premises()
    place.stock_settings = StockSettings(**settings)  # type: ignore[arg-type]  # by name
    for sku in (MOVED, STILL):
        place.warehouse.put(sku, 10)
        place.shop.offers_there[sku] = 0
    return place


async def opened(place: Premises, process: Process) -> None:
    """Both are shown, and what moved then is past."""
    await process.do("offers", *POLL)
    place.clock.tick(600)
    await process.do(*POLL)
    place.clock.tick(60)


def asked(place: Premises) -> int:
    return place.warehouse.mishaps.times("stock_levels")


async def test_what_has_moved_is_read_between_polls_and_said_at_once() -> None:
    """A sale elsewhere takes it down: the window follows without a poll."""
    place = shop()
    async with place.open() as process:
        await opened(place, process)
        polls = len(await place.said(StockRead))
        place.warehouse.put(MOVED, 1)
        await process.do("watch")
        (told,) = await place.said(LevelsWatched)
        assert (1, 1) == (told.codes, told.changed)
        intake = next(job for job in process.orders.jobs if job.name == "intake")
        assert intake.woken
        await process.do("intake", "publish", "publish")

    assert polls == len(await place.said(StockRead))
    (last, *_) = reversed(await place.said(StockImportIntended))
    assert [MOVED] == [figure.sku for figure in last.figures]
    assert 1 == place.shop.offers_there[MOVED]


async def test_watched_figure_waits_for_orders_read_after_its_level() -> None:
    """Law 4: a level of the watch is combined with no older order read."""
    place = shop()
    async with place.open() as process:
        await opened(place, process)
        imports = len(await place.said(StockImportIntended))
        place.warehouse.put(MOVED, 0)
        await process.do("watch", "publish")
        assert imports == len(await place.said(StockImportIntended))
        await process.do("intake", "publish")

    assert imports < len(await place.said(StockImportIntended))
    assert [] != await place.said(OrdersRead)


async def test_no_level_is_asked_for_where_nothing_has_moved() -> None:
    """A still shop costs a short list a minute, and no level."""
    place = shop()
    async with place.open() as process:
        await opened(place, process)
        before = asked(place)
        for _ in range(3):
            await process.do("watch")
            place.clock.tick(60)

    assert before == asked(place)
    assert [] == await place.said(LevelsWatched)


async def test_move_that_is_behind_by_the_erps_clock_is_found() -> None:
    """Their clock may be far behind ours: what is new is told by their own stamps."""
    place = shop()
    async with place.open() as process:
        await opened(place, process)
        place.warehouse.put(MOVED, 4)
        await process.do("watch")
        place.clock.tick(60)
        place.warehouse.put(MOVED, 1)
        place.warehouse.moved_at[MOVED] -= timedelta(minutes=10)
        await process.do("watch")

    assert 1 == len(await place.said(LevelsWatched))


async def test_figures_cover_the_poll_again_when_the_watch_fails() -> None:
    """A watch that has not come through for three intervals shortens no lag."""
    place = shop()
    async with place.open() as process:
        await opened(place, process)
        lags = []
        for units, waited_s in ((4, 60), (8, 600)):
            await process.do("watch")
            place.clock.tick(waited_s)
            place.warehouse.put(MOVED, units)
            await process.do(*POLL)
            lags.append((await place.said(StockImportIntended))[-1].lag_s)

    assert lags[0] < lags[1]


async def test_watch_says_once_that_it_lapses_and_once_that_it_is_resumed() -> None:
    """No silent limit: while more moves than may be asked for, the polls read it, and the
    buffers are theirs.
    """
    place = shop(watch_codes_max=1)
    async with place.open() as process:
        await opened(place, process)
        for units in (5, 4):
            place.warehouse.put(MOVED, units)
            place.warehouse.put(STILL, units)
            before = asked(place)
            await process.do("watch")
            assert before == asked(place)
            assert process.stock.watched_at is None
            place.clock.tick(60)
        (lapsed,) = await place.said(StockWatchLapsed)
        place.clock.tick(180)
        await process.do(*POLL)
        for _ in range(2):
            await process.do("watch")
        assert process.stock.watched_at == place.clock.now()

    assert (2, 1) == (lapsed.codes, lapsed.codes_max)
    assert 1 == len(await place.said(StockWatchResumed))
    assert 4 == place.shop.offers_there[STILL]


async def test_watch_that_lapsed_says_nothing_again_after_a_restart() -> None:
    """What was said stands in the log."""
    place = shop(watch_codes_max=1)
    for _ in range(2):
        async with place.open() as process:
            await opened(place, process)
            for sku in (MOVED, STILL):
                place.warehouse.put(sku, 5)
            await process.do("watch")

    assert 1 == len(await place.said(StockWatchLapsed))
