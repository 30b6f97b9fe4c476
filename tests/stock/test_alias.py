"""Aliases: a SKU that stands for a stock code because a person said so."""

import msgspec
import pytest

from kcjl.errors import NotFound, Refused
from kcjl.orders.events import OrderHeld, OrderReleased, PostingIntended
from kcjl.stock.events import LevelRead, SkuAliasApproved, SkuAliasWithdrawn, SkuConfirmed
from kcjl.stock.state import Match
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.rooms import Premises, Process
from tests.trade import SHIPPING, at

pytestmark = pytest.mark.anyio
READ = ("offers", "levels", "intake")


def premises() -> Premises:
    """A product that the marketplace sells under a SKU of its own."""
    place = Premises()
    place.warehouse.put("LAMP-01", 10)
    place.shop.offers_there["JL-9"] = 3
    return place


async def shown(process: Process, sku: str) -> Match:
    return process.stock.products[sku.casefold()].match


async def test_alias_opens_the_gate_and_the_level_of_its_code_is_read() -> None:
    """From 0 to what the stock code has, under the person's name."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish", "publish")
        assert 0 == place.shop.offers_there["JL-9"]
        await process.stock.gate.approve_alias("JL-9", "lamp-01", by="jo")
        place.clock.tick(300)
        await process.do("levels", "intake", "publish")

    assert 10 == place.shop.offers_there["JL-9"]
    (approved,) = await place.said(SkuAliasApproved)
    assert ("JL-9", "LAMP-01") == (approved.sku, approved.stock_code)
    by = {each.type: each.by for each in await place.recorded()}
    assert ("jo", "jo") == (by["SkuAliasApproved"], by["SkuConfirmed"])
    assert ["JL-9"] == [each.sku for each in await place.said(LevelRead)]


async def test_alias_to_a_code_that_the_erp_lacks_is_refused_with_the_nearest() -> None:
    """A slip in the code opens nothing; what was probably meant is named."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        with pytest.raises(NotFound, match=r"LAMP-01 \(only punctuation differs\)"):
            await process.stock.gate.approve_alias("JL-9", "LAMP01", by="jo")

    assert [] == await place.said(SkuAliasApproved)


async def test_alias_of_a_sku_that_nobody_sells_is_refused() -> None:
    """The two arguments the wrong way round are the usual mistake."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        with pytest.raises(NotFound, match="the SKU is the marketplace's"):
            await process.stock.gate.approve_alias("LAMP-99", "LAMP-01", by="jo")


async def test_alias_of_a_sku_that_is_a_stock_code_is_refused() -> None:
    """One code would stand for two products."""
    place = premises()
    place.warehouse.put("JL-9", 1)
    async with place.open() as process:
        await process.do(*READ)
        with pytest.raises(Refused, match="needs no alias"):
            await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")


async def test_alias_to_a_discontinued_code_is_refused() -> None:
    """Nothing could be sold under it."""
    place = premises()
    place.warehouse.edit("LAMP-01", discontinued=True)
    async with place.open() as process:
        await process.do(*READ)
        with pytest.raises(Refused, match="discontinued"):
            await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")


async def test_alias_approved_twice_is_nothing_new() -> None:
    """A command that is carried out twice says nothing twice."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
        assert "already" in await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")

    assert 1 == len(await place.said(SkuAliasApproved))


async def test_alias_lets_held_orders_go_on_under_the_stock_code_soonest_due_first() -> None:
    """Held for the SKU, released by the alias; posted in the order of their deadlines."""
    place = premises()
    for order_id, hours in (("LATER", 48), ("SOONER", 4)):
        order = marketplace_order(
            order_id, marketplace_line(f"{order_id}-1", "JL-9", state=SHIPPING), state=SHIPPING
        )
        place.shop.place(msgspec.structs.replace(order, ship_by=at(hours * 60)))
    async with place.open() as process:
        await process.do(*READ, "acceptance")
        assert 2 == len(await place.said(OrderHeld))
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
        await process.do("acceptance", "posting")

    assert 2 == len(await place.said(OrderReleased))
    posted = await place.said(PostingIntended)
    assert ["SOONER", "LATER"] == [each.order_id for each in posted]
    assert {"LAMP-01"} == {each.stock_code for post in posted for each in post.lines}
    assert {"JL-9"} == {each.sku for post in posted for each in post.lines}


async def test_units_of_an_alias_leave_in_flight_with_the_level_of_its_code() -> None:
    """Taken by the ERP under the stock code, and read again: gone from in flight."""
    place = premises()
    sold = marketplace_line(sku="JL-9", state=SHIPPING)
    place.shop.place(marketplace_order("O1", sold, state=SHIPPING))
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
        await process.do("acceptance", "posting")
        assert 2 == process.stock.products["jl-9"].units_in_flight
        place.clock.tick(300)
        await process.do("levels", "intake")

        assert 0 == process.stock.products["jl-9"].units_in_flight


async def test_alias_beside_an_offer_of_the_code_itself_has_the_same_level() -> None:
    """One read of the code is told of both SKUs, whoever of them asked for it."""
    place = premises()
    place.shop.offers_there["LAMP-01"] = 1
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
        place.clock.tick(300)
        place.warehouse.put("LAMP-01", 7)
        await process.do("levels")
        own, alias = process.stock.products["lamp-01"], process.stock.products["jl-9"]

    assert own.levels == alias.levels
    assert own.code_key == alias.code_key == "lamp-01"


async def test_alias_withdrawn_shuts_the_gate_until_the_sku_itself_is_a_code() -> None:
    """Offered at 0 at once; the reason names the person's word."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
        await process.do("levels", "intake", "publish", "publish")
        assert 10 == place.shop.offers_there["JL-9"]
        await process.stock.gate.withdraw_alias("JL-9", by="jo")
        place.clock.tick(300)
        await process.do("intake", "publish", "publish")
        assert 0 == place.shop.offers_there["JL-9"]
        product = process.stock.products["jl-9"]

    assert "its alias LAMP-01 was withdrawn" == product.unmatched_because
    assert ["SkuAliasWithdrawn"] == await place.story(SkuAliasWithdrawn)


async def test_alias_withdrawn_where_there_is_none_is_refused() -> None:
    """Nothing to take back."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        with pytest.raises(NotFound, match="nothing to withdraw"):
            await process.stock.gate.withdraw_alias("JL-9", by="jo")


async def test_alias_survives_a_restart() -> None:
    """It is an event: another process goes on with it."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
    async with place.open() as process:
        await process.do("levels", "intake", "publish")

    assert 10 == place.shop.offers_there["JL-9"]
    assert 1 == len(await place.said(SkuConfirmed))


async def test_alias_whose_code_is_deleted_is_unmatched_and_says_so() -> None:
    """The gate shuts; what the SKU stood for is named."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
        await process.do("levels")
        place.clock.tick(3_600)
        place.warehouse.delete("LAMP-01")
        await process.do("deleted-codes")
        product = process.stock.products["jl-9"]

    assert Match.UNMATCHED == product.match
    assert "it stands for LAMP-01, which was deleted in the ERP" == product.unmatched_because


async def test_alias_falls_when_its_code_is_discontinued_for_the_sku_itself() -> None:
    """Somebody has made the code anew under the SKU: the product opens its gate by itself."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
        await process.do("levels")
        place.clock.tick(300)
        place.warehouse.put("JL-9", 4)
        place.warehouse.edit("LAMP-01", discontinued=True)
        await process.do("levels", "intake", "publish")

    assert 4 == place.shop.offers_there["JL-9"]
    assert ["SkuAliasWithdrawn"] == await place.story(SkuAliasWithdrawn)


async def test_alias_to_a_code_that_is_discontinued_stays_while_there_is_no_other() -> None:
    """Offered at 0, and still what the person said."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
        await process.do("levels")
        place.clock.tick(300)
        place.warehouse.edit("LAMP-01", discontinued=True)
        await process.do("levels", "intake", "publish")
        product = process.stock.products["jl-9"]

    assert 0 == place.shop.offers_there["JL-9"]
    assert ("LAMP-01", True) == (product.alias, product.discontinued)


async def test_alias_beside_an_offer_of_the_code_never_offers_the_stock_twice() -> None:
    """Ten lamps, two offers: five and five; an order under the one lowers both."""
    place = premises()
    place.shop.offers_there["LAMP-01"] = 1
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.gate.approve_alias("JL-9", "LAMP-01", by="jo")
        await process.do("levels", "intake", "publish", "publish")
        assert {"JL-9": 5, "LAMP-01": 5} == place.shop.offers_there
        place.shop.place(marketplace_order("O1", marketplace_line("O1-1", "JL-9", 4)))
        place.clock.tick(300)
        await process.do("levels", "intake", "publish", "publish")

    assert {"JL-9": 3, "LAMP-01": 3} == place.shop.offers_there
