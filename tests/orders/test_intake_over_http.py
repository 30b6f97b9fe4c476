"""The orders room over real HTTP against the sandbox: its switches make what happens later."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from kcjl.actors import Room
from kcjl.clock import SeededIds
from kcjl.events import vocabulary
from kcjl.exceptions.actor import Desk
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.money import Money
from kcjl.orders.actor import Orders
from kcjl.orders.events_intake import OrdersCaughtUp, OrdersNotExported
from kcjl.orders.state import OrderEntry
from kcjl.sandbox.world import World
from kcjl.settings import OrderSettings, StockSettings
from kcjl.stock.actor import Stock
from kcjl.stock.policy_book import buffer_policy
from kcjl.tenant.actor import Tenancy
from kcjl.vault import MemoryVault
from tests.simulation.faces import MovingClock, StandingClock, adapters_over
from tests.simulation.scenario import Scenario

pytestmark = pytest.mark.anyio

SCENARIO = Scenario(
    seed=5,
    skus=30,
    mismatches=0,
    discontinued=0,
    tenant={
        "auto_accept": True,
        "returns_module": True,
        "payment_workflow": "PAY_ON_ACCEPTANCE",
    },
)


class Shop:
    """The rooms that orders need, and the world behind them."""

    def __init__(self, world: World, clock: StandingClock, rooms: tuple[Room, ...]) -> None:
        self.world = world
        self.clock = clock
        self.tenancy, self.stock, self.orders, self.desk = rooms
        self.rooms = rooms

    async def do(self, *jobs: str) -> None:
        for name in jobs:
            for room in self.rooms:
                for job in (each for each in room.jobs if each.name == name):
                    await room.catch_up()
                    await job.run()
        for room in self.rooms:
            await room.catch_up()

    async def later(self, hours: float) -> None:
        """Time goes by for both sides; then everything is read, posted and judged."""
        for _ in range(int(hours * 4)):
            self.clock.at += timedelta(minutes=15)
            self.world.agenda.advance(self.clock.at)
        await self.do("levels", "intake", "publish", "new-skus", "posting", "returns")
        await self.do("corrections", "judge")

    def change(self, operation: str, **arguments: object) -> None:
        self.world.change("johnlewis", operation, arguments)

    @property
    def room(self) -> Orders:
        assert isinstance(self.orders, Orders)
        return self.orders

    def posted(self) -> list[OrderEntry]:
        """Orders that the ERP has, and whose goods have not gone."""
        return [
            each
            for each in self.room.orders.values()
            if each.erp_order_code and each.state == "SHIPPING" and not each.left_warehouse
        ]

    def kinds(self, order_id: str) -> list[str]:
        """Of the open exceptions of an order, in all its parts."""
        assert isinstance(self.desk, Desk)
        raised = [each.raised for each in self.desk.open.values()]
        return [each.kind for each in raised if each.subject.partition("/")[0] == order_id]


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Shop, MemoryLog]]:
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
        tenancy = Tenancy(log, clock, ids, marketplace=outside.marketplace)
        shop = Shop(world, clock, (tenancy, stock, orders, Desk(log, clock, ids)))
        await tenancy.open()
        await shop.do("offers", "levels", "intake", "publish")
        yield shop, log


async def test_changes_after_the_posting_are_tasks_and_no_gaps_over_http() -> None:
    """OR11 and the ERP's SOAP: refunds in part and whole, a cancelation, an incident."""
    async with opened() as (shop, _):
        await shop.later(1)
        await shop.later(6)
        part, whole, cancelled, complained = shop.posted()[:4]
        penny = Money(100, part.total_price.currency)
        line = part.lines[0].line_id
        shop.change("operator_refunds", order_line_id=line, amount=penny)
        for each in whole.lines:
            shop.change(
                "operator_refunds",
                order_line_id=each.line_id,
                amount=each.price,
                shipping_amount=each.shipping_price,
            )
        shop.change("operator_cancels", order_id=cancelled.order_id)
        shop.change("ship", order_id=complained.order_id)
        line = complained.lines[0].line_id
        shop.change("open_incident", order_line_id=line)
        await shop.later(1)

        assert ["refund_to_enter"] == shop.kinds(part.order_id)
        assert {"sales_order_to_reduce"} == set(shop.kinds(whole.order_id))
        assert ["cancelled_after_posting"] == shop.kinds(cancelled.order_id)
        assert ["incident_open"] == shop.kinds(complained.order_id)
        shop.change("close_incident", order_line_id=line)
        await shop.later(1)
        assert [] == shop.kinds(complained.order_id)
        shop.clock.at += timedelta(minutes=2)
        counted = await shop.room.counting.count(by="jo")
    assert (0, 0) == (counted.gaps, counted.missed)
    assert counted.needing == counted.with_sales_order
    assert counted.sales_orders_listed is not None
    assert counted.sales_orders_listed >= counted.with_sales_order.orders - 1


async def test_return_is_expected_and_then_booked_over_http() -> None:
    """RT11: opened by the customer, received by the shop."""
    async with opened() as (shop, _):
        await shop.later(1)
        await shop.later(6)
        entry = shop.posted()[0]
        shop.change("ship", order_id=entry.order_id)
        await shop.later(48)
        shop.change("open_return", order_line_id=entry.lines[0].line_id)
        await shop.later(1)
        assert "return_expected" in shop.kinds(entry.order_id)
        returns = shop.world.marketplace.returns.by_id.values()
        back = next(each for each in returns if each.order_id == entry.order_id)
        if back.state == "WAITING_ACCEPTANCE":
            decision = {"id": back.return_id, "accepted": True}
            shop.change("decide_returns", returns=[decision])
        shop.change("receive_returns", return_ids=[back.return_id])
        await shop.later(1)

        assert "return_to_book" in shop.kinds(entry.order_id)
        assert "return_expected" not in shop.kinds(entry.order_id)


async def test_outage_of_two_days_is_caught_up_over_http() -> None:
    """OR13 to OR15: what was placed meanwhile is there, and what the count reads too."""
    async with opened() as (shop, log):
        await shop.later(1)
        await shop.later(4)
        before = len(shop.room.orders)
        for _ in range(2 * 96 + 1):
            shop.clock.at += timedelta(minutes=15)
            shop.world.agenda.advance(shop.clock.at)
        await shop.do("intake")
        said = [
            recorded.event
            async for page in log.read()
            for recorded in page
            if isinstance(recorded.event, OrdersCaughtUp | OrdersNotExported)
        ]

        assert len(shop.world.marketplace.orders) == len(shop.room.orders) > before
    assert [OrdersCaughtUp] == [type(each) for each in said[-1:]]
