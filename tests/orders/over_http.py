"""The rooms of orders over real HTTP against the sandbox, for tests that switch its world."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from kcjl.actors import Room
from kcjl.clock import SeededIds
from kcjl.events import vocabulary
from kcjl.exceptions.actor import Desk
from kcjl.exceptions.events import ExceptionRaised
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.orders.actor import Orders
from kcjl.orders.state import OrderEntry
from kcjl.sandbox.world import World
from kcjl.settings import OrderSettings, StockSettings
from kcjl.stock.actor import Stock
from kcjl.stock.policy_book import buffer_policy
from kcjl.tenant.actor import Tenancy
from kcjl.vault import MemoryVault
from tests.simulation.faces import MovingClock, StandingClock, adapters_over
from tests.simulation.outside_erp import KWS
from tests.simulation.scenario import Scenario

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

    def raised(self, order_id: str, kind: str) -> ExceptionRaised:
        assert isinstance(self.desk, Desk)
        return self.desk.open[f"{kind}:{order_id}"].raised


@asynccontextmanager
async def opened(
    scenario: Scenario = SCENARIO, *, kws: KwsSettings = KWS
) -> AsyncIterator[tuple[Shop, MemoryLog]]:
    world = scenario.world()
    clock, store = MovingClock(world.starts_at, world), MemoryStore()
    epoch = store.take_over("acme")
    async with (
        adapters_over(world, clock, kws) as outside,
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
