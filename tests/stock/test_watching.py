"""The watch: what runs low is read between two polls, and nothing else."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.orders.events import OrdersRead
from kcjl.settings import StockSettings
from kcjl.stock.events import LevelsWatched, StockImportIntended, StockRead
from kcjl.stock.policy import PolicyDocument, Rule
from kcjl.stock.selling import SIZES, held_for_speed, may_run_low, with_fall
from tests.patience import unhurried
from tests.rooms import Premises, Process
from tests.trade import at

pytestmark = pytest.mark.anyio

DAYS = 6
FAST, SLOW = "FAST-1", "SLOW-1"


def shop(**settings: float) -> Premises:
    """A product that sells four at a time and is nearly gone, and one that nobody buys."""
    place = Premises()
    place.stock_settings = StockSettings(**settings)  # type: ignore[arg-type]  # by name
    rule = Rule(name="house", speed=Decimal("0.999"))
    place.opening_policy = PolicyDocument(rules=(rule,))
    for sku, units in ((FAST, 60), (SLOW, 500)):
        place.warehouse.put(sku, units)
        place.shop.offers_there[sku] = 0
    return place


async def traded(place: Premises, process: Process) -> None:
    """Some days in which the one product runs down to eight."""
    await process.do("offers", "levels", "intake", "publish", "publish")
    for units in range(54, 0, -4):
        place.clock.tick(DAYS * 86_400 / 14)
        place.warehouse.put(FAST, max(units, 8))
        await process.do("levels", "intake", "publish", "publish")


async def test_what_runs_low_is_read_between_polls_and_said_at_once() -> None:
    """A sale elsewhere takes it down: the window follows without a poll."""
    place = shop()
    async with place.open() as process:
        await traded(place, process)
        polls = len(await place.said(StockRead))
        place.clock.tick(60)
        place.warehouse.put(FAST, 1)
        await process.do("watch")
        (told,) = await place.said(LevelsWatched)
        assert (1, 1) == (told.codes, told.changed)
        intake = next(job for job in process.orders.jobs if job.name == "intake")
        assert intake.woken
        await process.do("intake", "publish", "publish")

    assert polls == len(await place.said(StockRead))
    (last, *_) = reversed(await place.said(StockImportIntended))
    assert [FAST] == [figure.sku for figure in last.figures]
    assert 1 >= place.shop.offers_there[FAST]


async def test_watched_figure_waits_for_orders_read_after_its_level() -> None:
    """Law 4: a level of the watch is combined with no older order read."""
    place = shop()
    async with place.open() as process:
        await traded(place, process)
        imports = len(await place.said(StockImportIntended))
        place.clock.tick(60)
        place.warehouse.put(FAST, 0)
        await process.do("watch", "publish")
        assert imports == len(await place.said(StockImportIntended))
        await process.do("intake", "publish")

    assert imports < len(await place.said(StockImportIntended))
    assert [] != await place.said(OrdersRead)


async def test_nothing_is_asked_where_nothing_runs_low() -> None:
    """Full shelves cost no call."""
    place = shop()
    async with place.open() as process:
        await process.do("offers", "levels", "intake", "publish", "publish")
        asked = place.warehouse.mishaps.times("stock_levels")
        place.clock.tick(60)
        await process.do("watch")

    assert asked == place.warehouse.mishaps.times("stock_levels")
    assert [] == await place.said(LevelsWatched)


async def test_unchanged_levels_say_nothing() -> None:
    """Looked at each minute, and told only when it is news."""
    place = shop()
    async with place.open() as process:
        await traded(place, process)
        asked = place.warehouse.mishaps.times("stock_levels")
        for _ in range(3):
            place.clock.tick(60)
            await process.do("watch")

    assert asked + 3 == place.warehouse.mishaps.times("stock_levels")
    assert [] == await place.said(LevelsWatched)


async def test_figures_cover_the_poll_again_when_the_watch_fails() -> None:
    """A watch that has not held for three intervals shortens no lag."""
    place = shop()
    async with place.open() as process:
        await traded(place, process)
        lags = []
        for units, waited_s in ((0, 60), (30, 600)):
            await process.do("watch")
            place.clock.tick(waited_s)
            place.warehouse.put(FAST, units)
            await process.do("levels", "intake", "publish", "publish")
            lags.append((await place.said(StockImportIntended))[-1].lag_s)

    assert lags[0] < lags[1]


async def test_more_than_may_be_asked_for_is_not_watched() -> None:
    """No silent cut: then the buffers are those of the poll."""
    place = shop(watch_codes_max=1)
    place.warehouse.put("FAST-2", 60)
    place.shop.offers_there["FAST-2"] = 0
    async with place.open() as process:
        await process.do("offers", "levels", "intake", "publish", "publish")
        for units in range(54, 0, -4):
            place.clock.tick(DAYS * 86_400 / 14)
            for sku in (FAST, "FAST-2"):
                place.warehouse.put(sku, max(units, 8))
            await process.do("levels", "intake", "publish", "publish")
        asked = place.warehouse.mishaps.times("stock_levels")
        place.clock.tick(60)
        await process.do("watch")

        assert process.stock.watched_at is None
    assert asked == place.warehouse.mishaps.times("stock_levels")


@unhurried
@given(
    falls=st.lists(st.integers(1, 6_000), min_size=1, max_size=20),
    free=st.integers(1, 20_000),
    lag_s=st.floats(60, 7_200),
    service=st.sampled_from((0.9, 0.999, 0.9999)),
)
def test_quick_look_misses_nothing_that_is_held(
    falls: list[int], free: int, lag_s: float, service: float
) -> None:
    """What is held back for speed of any level is among what may run low."""
    selling = None
    for day, units in enumerate(falls):
        selling = with_fall(selling, units, at(day * 1_440))
    assert selling is not None
    now = at(len(falls) * 1_440)
    level = min(free, 4 * SIZES[-1])

    if held_for_speed(selling, level, lag_s=lag_s, service=service, at=now):
        assert may_run_low(selling, Decimal(level), lag_s=lag_s, at=now)
