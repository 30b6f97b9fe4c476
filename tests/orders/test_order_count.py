"""The count both ways: gaps are found with their money, and clear by themselves."""

from datetime import timedelta

import pytest

from kcjl.dispatch.events import SalesOrderNotShown
from kcjl.orders import counting
from kcjl.orders.events_intake import OrdersCounted
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.rooms import Premises, Process
from tests.trade import SHIPPING, gbp

pytestmark = pytest.mark.anyio


def premises() -> Premises:
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    place.shop.place(marketplace_order("O1", state=SHIPPING))
    return place


async def posted(process: Process) -> None:
    await process.do("offers", "levels", "intake", "new-skus", "posting")


async def counted(process: Process) -> OrdersCounted:
    found = await process.orders.counting.count(by="jo")
    await process.do("judge")
    return found


async def test_count_of_two_sides_that_agree_finds_nothing() -> None:
    """One order, one sales order: figures with their money, and no gap."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        found = await counted(process)

        assert {} == dict(process.desk.open.items())
    assert (1, gbp(2_000)) == (found.needing.orders, found.needing.money)
    assert (1, 0, 0) == (found.with_sales_order.orders, found.gaps, found.missed)
    assert 1 == found.sales_orders_listed


async def test_count_says_how_many_it_did_not_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than fit one count that the marketplace did not name: said, and never in silence."""
    monkeypatch.setattr(counting, "ASKED_BY_ID_MAX", 1)
    place = premises()
    place.shop.place(*(marketplace_order(each, state=SHIPPING) for each in ("O2", "O3")))
    async with place.open() as process:
        await posted(process)
        place.shop.orders_there.clear()
        found = await counted(process)

    assert (2, 1) == (found.not_asked, found.without_order.orders)


async def test_order_that_stays_unposted_is_a_gap_until_it_is_posted() -> None:
    """Not held, not refused, and its time is up: raised with its money, cleared by posting."""
    place = premises()
    async with place.open() as process:
        await process.do("offers", "levels", "intake", "new-skus")
        place.clock.tick(1_800)
        early = await counted(process)
        place.clock.tick(3_600)
        late = await counted(process)
        (raised,) = [each.raised for each in process.desk.open.values()]
        await process.do("posting", "judge")

        assert {} == dict(process.desk.open.items())
        assert 0 == len(process.orders.gaps)
    assert (1, 0) == (early.waiting.orders, early.gaps)
    assert (0, 1) == (late.waiting.orders, late.without.orders)
    assert ("order_without_sales_order", gbp(2_000)) == (raised.kind, raised.money_at_risk)


async def test_order_that_is_held_is_told_and_no_gap() -> None:
    """Somebody has been told already: it is counted there."""
    place = premises()
    unknown = marketplace_line("O2-1", "ZZ", state=SHIPPING)
    place.shop.place(marketplace_order("O2", unknown, state=SHIPPING))
    async with place.open() as process:
        await posted(process)
        await process.do("acceptance", "judge")
        place.clock.tick(7_200)
        found = await counted(process)

    assert (1, 0) == (found.told.orders, found.gaps)


async def test_order_that_intake_has_missed_is_recorded_by_the_count() -> None:
    """However it was missed, the count takes it, and says so."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        place.shop.place(marketplace_order("O2", state=SHIPPING))
        found = await counted(process)

        assert "O2" in process.orders.orders
    assert 1 == found.missed


async def test_sales_order_of_our_source_without_an_order_is_a_gap() -> None:
    """Keyed in by hand, or left over: raised once, gone when the ERP lists it no more."""
    place = premises()
    place.warehouse.sources |= {"STRAY": True, "WEB-7": False, "TILL-1": None}
    async with place.open() as process:
        await posted(process)
        found = await counted(process)
        again = await counted(process)
        assert {"sales_order_without_order:STRAY"} == set(process.desk.open)
        del place.warehouse.sources["STRAY"]
        await counted(process)

        assert {} == dict(process.desk.open.items())
    assert (1, gbp(2_000)) == (found.without_order.orders, found.without_order.money)
    assert (1, 1, 4) == (found.foreign, found.unsourced, found.sales_orders_listed)
    assert 1 == again.gaps


async def test_sales_order_without_an_order_that_was_stopped_in_the_erp_is_no_gap() -> None:
    """The next step said to stop it there: the ERP lists it as cancelled for days."""
    place = premises()
    place.warehouse.sources |= {"STRAY": True}
    async with place.open() as process:
        await posted(process)
        await counted(process)
        assert {"sales_order_without_order:STRAY"} == set(process.desk.open)
        place.warehouse.cancelled["STRAY"] = "nobody's"
        await counted(process)

        assert {} == dict(process.desk.open.items())


async def test_sales_order_whose_order_the_marketplace_has_lost_is_a_gap() -> None:
    """We posted it, and the marketplace knows it no more."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        del place.shop.orders_there["O1"]
        await counted(process)

        assert {"sales_order_without_order:REF-O1"} == set(process.desk.open)


async def test_sales_order_that_the_erp_has_lost_is_looked_for_and_not_posted_again() -> None:
    """Set back to a backup: the count doubts it, the looks settle it, a person decides."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        place.warehouse.forget("REF-O1")
        found = await counted(process)
        place.clock.tick(1_800)
        await process.do("vanished", "posting", "judge")
        later = await counted(process)

        assert {"sales_order_vanished:O1"} == set(process.desk.open)
    assert 1 == len(await place.said(SalesOrderNotShown))
    assert (1, 0) == (found.waiting.orders, found.gaps)
    assert (1, 0) == (later.told.orders, later.gaps)
    assert {} == place.warehouse.taken


async def test_order_that_nobody_waits_for_is_named() -> None:
    """Its time to be accepted is long over, and nobody was told: law 3 names it."""
    place = Premises()
    place.shop.place(marketplace_order("O1", state="WAITING_ACCEPTANCE"))
    async with place.open() as process:
        await process.do("intake")
        place.clock.tick(26 * 3_600)
        found = await counted(process)

        assert {"order_unaccounted:O1"} == set(process.desk.open)
    assert 1 == found.unaccounted.orders


async def test_count_comes_daily_at_its_time_of_day() -> None:
    """Once after five in the morning in London, and not again before the next one."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        await process.do("count")
        before = len(await place.said(OrdersCounted))
        place.clock.tick(timedelta(days=1).total_seconds())
        await process.do("count", "count")

    assert 0 == before
    assert ["daily"] == [each.by for each in await place.said(OrdersCounted)]
