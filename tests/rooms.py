"""A merchant's rooms on a log in memory, with an outside that a test can hurt.

`Premises` stands for what outlives a process: the log's store, the vault, both outside systems
and the clock. `open` starts a process on it; what was open in an earlier one is gone.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from kcjl.actors import Room
from kcjl.clock import SeededIds
from kcjl.dispatch.actor import Dispatches
from kcjl.events import vocabulary
from kcjl.exceptions.actor import Desk
from kcjl.log.memory import MemoryLog, MemoryLogReader, MemoryStore
from kcjl.log.port import Recorded
from kcjl.orders.acceptance_policy import AcceptancePolicy
from kcjl.orders.actor import Orders
from kcjl.settings import DispatchSettings, OrderSettings, SettlementSettings, StockSettings
from kcjl.settlement.actor import Settlement
from kcjl.stock.actor import Stock
from kcjl.stock.policy_book import buffer_policy
from kcjl.tenant.actor import Tenancy
from kcjl.vault import MemoryVault
from kcjl.vocabulary import Event
from tests.clockwork import Clockwork
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import Shop

MERCHANT = "acme"
SATURDAY = 5
E = TypeVar("E", bound=Event)


class Process:
    """The rooms of one process, on one log."""

    def __init__(self, premises: "Premises", log: MemoryLog, number: int) -> None:
        clock, ids = premises.clock, SeededIds(number)
        self.log = log
        self.stock = Stock(
            log,
            clock,
            ids,
            marketplace=premises.shop,
            erp=premises.warehouse,
            settings=premises.stock_settings,
            opening=premises.opening_policy,
        )
        self.orders = Orders(
            log,
            clock,
            ids,
            marketplace=premises.shop,
            erp=premises.warehouse,
            vault=premises.vault,
            settings=premises.order_settings,
            opening_acceptance=premises.opening_acceptance,
        )
        self.tenant = Tenancy(log, clock, ids, marketplace=premises.shop)
        self.dispatch = Dispatches(
            log,
            clock,
            ids,
            marketplace=premises.shop,
            erp=premises.warehouse,
            settings=premises.dispatch_settings,
            opening_carriers=premises.opening_carriers,
        )
        self.settlement = Settlement(
            log,
            clock,
            ids,
            marketplace=premises.shop,
            ledger=premises.books,
            documents=premises.books,
            settings=SettlementSettings(),
            opening_accounts={},
            is_working_day=lambda day: day.weekday() < SATURDAY,
        )
        self.desk = Desk(log, clock, ids)

    @property
    def rooms(self) -> tuple[Room, ...]:
        return (self.stock, self.orders, self.dispatch, self.settlement, self.desk)

    async def read_tenant(self) -> None:
        """How the marketplace is set up is known; without it, cautiously, nothing is."""
        await self.tenant.open()
        for each in self.rooms:
            await each.catch_up()

    async def do(self, *jobs: str) -> None:
        """Run these jobs once each, in this order; every room has heard what was said."""
        for name in jobs:
            room, job = next(
                (room, job) for room in self.rooms for job in room.jobs if job.name == name
            )
            await room.catch_up()
            await job.run()
        for each in self.rooms:
            await each.catch_up()


class Premises:
    """What outlives a process."""

    def __init__(self) -> None:
        self.clock = Clockwork()
        self.store = MemoryStore()
        self.vault = MemoryVault(MERCHANT, b"k" * 32)
        self.shop = Shop(self.clock)
        self.warehouse = Warehouse(self.clock)
        self.books = Books()
        self.opening_policy = buffer_policy(0)
        self.opening_carriers: dict[str, str] = {}
        self.stock_settings = StockSettings()
        self.order_settings = OrderSettings()
        self.dispatch_settings = DispatchSettings()
        self.opening_acceptance = AcceptancePolicy()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Process]:
        epoch = self.store.take_over(MERCHANT)
        async with MemoryLog.open(self.store, MERCHANT, vocabulary(), self.clock, epoch) as log:
            process = Process(self, log, epoch)
            for room in process.rooms:
                await room.catch_up()
            yield process

    async def recorded(self) -> Sequence[Recorded]:
        reader = MemoryLogReader(self.store, MERCHANT)
        return [recorded async for page in reader.read() for recorded in page]

    async def said(self, *kinds: type[E]) -> list[E]:
        """The events of these kinds that are in the log, oldest first."""
        events = [recorded.event for recorded in await self.recorded()]
        return [event for event in events if isinstance(event, kinds)]

    async def story(self, *kinds: type[Event]) -> list[str]:
        """The same, by name."""
        return [type(event).__name__ for event in await self.said(*kinds)]
