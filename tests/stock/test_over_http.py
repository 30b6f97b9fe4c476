"""The stock room over real HTTP against the sandbox: published, held, read back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from kcjl.actors import Room
from kcjl.clock import SeededIds
from kcjl.events import vocabulary
from kcjl.exceptions.actor import Desk
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.orders.actor import Orders
from kcjl.sandbox.world import World
from kcjl.settings import OrderSettings, StockSettings
from kcjl.stock.actor import Stock
from kcjl.stock.policy_book import buffer_policy
from kcjl.vault import MemoryVault
from tests.simulation.faces import MovingClock, StandingClock, adapters_over
from tests.simulation.scenario import Scenario

pytestmark = pytest.mark.anyio

SCENARIO = Scenario(seed=5, skus=30, mismatches=0, discontinued=0)


class Shop:
    """Both rooms that publishing needs, and the world behind them."""

    def __init__(self, world: World, clock: StandingClock, rooms: tuple[Room, ...]) -> None:
        self.world = world
        self.clock = clock
        self.rooms = rooms

    @property
    def stock(self) -> Stock:
        (stock,) = (each for each in self.rooms if isinstance(each, Stock))
        return stock

    async def do(self, *jobs: str) -> None:
        for name in jobs:
            for room in self.rooms:
                for job in (each for each in room.jobs if each.name == name):
                    await room.catch_up()
                    await job.run()
        for room in self.rooms:
            await room.catch_up()

    def later(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)
        self.world.agenda.advance(self.clock.at)

    async def publish(self) -> None:
        self.later(300)
        await self.do("levels", "intake", "publish")
        self.later(120)
        await self.do("publish", "judge")

    def shown(self) -> dict[str, int]:
        return {
            sku: self.world.marketplace.offered(sku) for sku in self.world.marketplace.offers
        }

    def count_all(self, factor: int) -> None:
        """A stock count that finds so many times what was free."""
        for item in list(self.world.warehouse.stock):
            free = int(self.world.warehouse.level(item.code))
            delta = free * factor - free
            if item.holds_stock and delta:
                arguments = {"code": item.code, "delta": delta, "reason": "stock count"}
                self.world.change("khaos", "adjust", arguments)


@asynccontextmanager
async def opened() -> AsyncIterator[Shop]:
    world = SCENARIO.world()
    clock, store = MovingClock(world.starts_at, world), MemoryStore()
    epoch = store.take_over("acme")
    async with (
        adapters_over(world, clock) as outside,
        MemoryLog.open(store, "acme", vocabulary(), clock, epoch) as log,
    ):
        ids = SeededIds(1)
        stock = Stock(
            log,
            clock,
            ids,
            marketplace=outside.marketplace,
            erp=outside.erp,
            settings=StockSettings(),
            opening=buffer_policy(0),
        )
        orders = Orders(
            log,
            clock,
            ids,
            marketplace=outside.marketplace,
            erp=outside.erp,
            vault=MemoryVault("acme", b"k" * 32),
            settings=OrderSettings(),
        )
        yield Shop(world, clock, (stock, orders, Desk(log, clock, ids)))


async def test_mistaken_erp_holds_and_a_release_lets_go_over_http() -> None:
    """STO01 to STO03, OR11, OF21 and the ERP's SOAP: all levels 0 publish nothing unasked."""
    async with opened() as shop:
        await shop.do("offers")
        await shop.publish()
        before = shop.shown()
        assert sum(before.values()) > 0
        shop.count_all(0)
        await shop.publish()
        assert before == shop.shown()
        hold = shop.stock.publishing.hold
        assert hold is not None
        await shop.stock.release(hold.hold_id, by="jo")
        await shop.publish()

        assert {0} == set(shop.shown().values())


async def test_foreign_writer_is_found_by_the_changes_of_the_hour_over_http() -> None:
    """OF51 says that an offer shows another figure: ours is said again within the hour."""
    async with opened() as shop:
        await shop.do("offers")
        await shop.publish()
        before = shop.shown()
        sku = max(before, key=before.__getitem__)
        shop.later(900)
        file = f"offer-sku;quantity\n{sku};{before[sku] + 7}\n"
        shop.world.change("johnlewis", "import_stock", {"csv_text": file})
        shop.later(2_700)
        assert before[sku] + 7 == shop.world.marketplace.offered(sku)
        await shop.do("offers", "levels", "intake", "drift")
        drifted = {
            each.sku: each.drifted
            for product in shop.stock.products.values()
            for each in product.shown
            if each.drifted
        }
        assert "foreign_writer" == drifted.pop(sku)
        assert {"order_not_yet_seen"} >= set(drifted.values())
        await shop.publish()

        assert before[sku] == shop.world.marketplace.offered(sku)


async def test_alias_beside_an_offer_never_offers_the_stock_twice_over_http() -> None:
    """OF21, the ERP's SOAP, STO01: both offers together show what the one stock code has."""
    async with opened() as shop:
        await shop.do("offers")
        await shop.publish()
        before = shop.shown()
        code = max(before, key=before.__getitem__)
        world = shop.world.marketplace.offers[code]
        shop.world.change(
            "johnlewis",
            "list_offer",
            {"sku": "JL-9", "price": world.price, "title": "A lamp", "category": "GIFTS"},
        )
        shop.later(86_400)
        await shop.do("offers")
        await shop.stock.gate.approve_alias("JL-9", code, by="jo")
        await shop.publish()
        flying = sum(e.units_in_flight for e in shop.stock.products.grouped(code.casefold()))
        there = int(shop.world.warehouse.level(code)) - flying
        shown = shop.shown()

    assert "GIFTS" == shop.stock.products["jl-9"].shown[0].category_code
    assert there == shown[code] + shown["JL-9"]
    assert shown[code] - shown["JL-9"] in (0, 1)


async def test_opening_is_not_held_although_every_figure_moves_over_http() -> None:
    """Nothing of ours is acknowledged yet: the levels' figures go out, and no 0 before them."""
    async with opened() as shop:
        await shop.do("levels")  # before any offer is known: a read that ends without a level
        await shop.do("intake", "offers", "publish")
        assert {0} == set(shop.shown().values())
        assert shop.stock.publishing.intended_at is None
        await shop.publish()

        assert shop.stock.publishing.hold is None
        assert sum(shop.shown().values()) > 0
