"""A merchant's service beside its two outside systems: real HTTP, real PostgreSQL, one loop.

Promises: the world is small, seeded and fast; a test waits for what the log says, never for a
time. The limits only end a run that hangs. Called by the tests of the service.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import aiohttp
import anyio

from kcjl.clock import RandomIds, WorldClock, real_sleep
from kcjl.command import Command
from kcjl.commands import issue
from kcjl.database import AUDITOR, OPERATOR, Database
from kcjl.errors import KcjlError
from kcjl.events import vocabulary
from kcjl.log.postgres import PostgresLogReader
from kcjl.projections.reading import PostgresReadModels
from kcjl.rooms import Rooms
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.marketplace import MarketplaceSettings
from kcjl.sandbox.server import Sandbox, SandboxSettings
from kcjl.sandbox.warehouse.settings import Courier, Minutes, WarehouseSettings
from kcjl.sandbox.world_settings import WorldSettings
from kcjl.sandbox.world_truth import OrderTruth
from kcjl.service import run_merchant
from kcjl.settings import (
    DispatchSettings,
    InvoiceAddress,
    JohnLewisSettings,
    KhaosSettings,
    MerchantSettings,
    OpeningPolicy,
    OrderSettings,
    Settings,
    StockSettings,
)
from kcjl.vocabulary import Event
from kcjl.worker import Worker
from kcjl.worldclock import follow_world, world_clock

__all__ = ["MERCHANT", "Serving", "Shop", "busy_world", "quiet_world", "serving", "shop"]

MERCHANT = "acme"
SPEED = 600.0
HANGS_S = 45.0

E = TypeVar("E", bound=Event)

_MARKETPLACE = MarketplaceSettings(
    debit_delay_s_min=5,
    debit_delay_s_max=20,
    import_s_min=1,
    import_s_max=5,
    call_limits=False,
)
_WAREHOUSE = WarehouseSettings(
    round_the_clock=True,
    couriers=(Courier(name="DPD Next Day", code="DPD24", consignment="1550##########"),),
    released_after=Minutes(at_least=1, at_most=2),
    shipped_after=Minutes(at_least=2, at_most=6),
    issued_after=Minutes(at_least=1, at_most=2),
)


def busy_world() -> WorldSettings:
    """An order every minute of the day's first hour, all through the marketplace."""
    trade = GeneratedTrade(
        orders_per_hour=60, skus=12, opens_at_hour=8, closes_at_hour=9, share=100, seed=11
    )
    return _world(trade, lead_in_minutes=10)


def quiet_world() -> WorldSettings:
    """A shop where nothing happens until the evening, but by a test's own hand."""
    trade = GeneratedTrade(
        orders_per_hour=20, skus=6, opens_at_hour=22, closes_at_hour=23, share=0, seed=11
    )
    return _world(trade, lead_in_minutes=12 * 60)


def _world(trade: GeneratedTrade, *, lead_in_minutes: int) -> WorldSettings:
    return WorldSettings(
        seed=11,
        trade=trade,
        lead_in_minutes=lead_in_minutes,
        scarce_share=0,
        run_to_zero_share=0,
        discontinued=1,
        mismatches=0,
        return_share=0,
        marketplace=_MARKETPLACE,
        warehouse=_WAREHOUSE,
    )


class Shop:
    """A world that is served, the merchant's settings for it, and its log."""

    def __init__(
        self,
        sandbox: Sandbox,
        settings: Settings,
        dsn: str,
        clock: WorldClock,
        database: Database,
    ) -> None:
        self.sandbox = sandbox
        self.settings = settings
        self.dsn = dsn
        self.clock = clock
        self.database = database
        self.log = PostgresLogReader(database, MERCHANT, vocabulary())
        self.models = PostgresReadModels(database, MERCHANT, clock)

    # ── the log ──

    async def until(
        self, kind: type[E], fits: Callable[[E], bool] = lambda _: True, *, count: int = 1
    ) -> E:
        """The first event of the kind that fits (or the nth), as soon as it is in the log."""
        seen = 0
        with anyio.fail_after(HANGS_S):
            async for page in self.log.follow():
                for recorded in page:
                    event = recorded.event
                    if isinstance(event, kind) and fits(event):
                        seen += 1
                        if seen == count:
                            return event
        raise AssertionError("a log is followed for ever")

    async def events(self, kind: type[E]) -> list[E]:
        """All events of the kind that are in the log now."""
        return [
            recorded.event
            async for page in self.log.read()
            for recorded in page
            if isinstance(recorded.event, kind)
        ]

    # ── the world, by hand ──

    def change(self, side: str, operation: str, **arguments: object) -> object:
        """A person's hand in one of the two systems."""
        self.sandbox.doorkeeper.enter("control", operation)
        return self.sandbox.doorkeeper.change(side, operation, arguments)

    def fails(self, *faults: Fault) -> None:
        self.sandbox.doorkeeper.change("faults", "add", {"faults": faults})

    def works_again(self) -> None:
        self.sandbox.doorkeeper.change("faults", "clear", {})

    def an_offer(self) -> str:
        """A SKU that both systems know, and of which there is enough."""
        stock = self.sandbox.world.warehouse.stock
        return next(
            sku
            for sku in self.sandbox.world.marketplace.offers
            if (item := stock.find(sku)) is not None
            and item.level() > 4
            and not item.discontinued
        )

    def buy(self, sku: str, quantity: int = 1) -> str:
        """A customer buys it, whatever the window shows; returns the order's id."""
        placed = self.change(
            "johnlewis",
            "place_order",
            basket=[{"sku": sku, "quantity": quantity, "unit_price": {"amount_minor": 1_250}}],
            customer={
                "customer_id": "C7",
                "first_name": "Zoë",
                "last_name": "Quillfeather",
                "delivery": {
                    "first_name": "Zoë",
                    "last_name": "Quillfeather",
                    "street_1": "7 Marzipan Mews",
                    "city": "Leeds",
                    "postcode": "LS1 9ZZ",
                    "phone": "07700 900123",
                },
            },
            beyond_the_window=True,
        )
        return str(getattr(placed, "order_id"))  # noqa: B009 - a model's answer has no type

    def order(self, order_id: str) -> OrderTruth:
        """What is really so of an order, on both sides."""
        world = self.sandbox.world
        return world.order_truth(world.marketplace.orders[order_id])

    async def ask(self, verb: str, *, by: str, **arguments: str) -> str:
        """Issue a command as an operator does; returns its id."""
        async with Database(self.dsn, role=OPERATOR) as database:
            return await issue(
                database,
                MERCHANT,
                Command(verb=verb, arguments=arguments),
                by=by,
                at=self.clock.now(),
                ids=RandomIds(),
            )


@asynccontextmanager
async def shop(
    dsn: str, folder: Path, world: WorldSettings, *, speed: float = SPEED
) -> AsyncIterator[Shop]:
    """A world that is served, with its clock followed."""
    served = SandboxSettings(world=world, port=0, khaos_port=0, speed=speed)
    async with (
        Sandbox.serve(served) as sandbox,
        aiohttp.ClientSession() as session,
        Database(dsn, role=AUDITOR) as database,
    ):
        settings = settings_for(sandbox.johnlewis_url, sandbox.khaos_url, folder, sandbox)
        clock = await world_clock(session, sandbox.johnlewis_url)
        async with anyio.create_task_group() as group:
            group.start_soon(follow_world, session, sandbox.johnlewis_url, clock)
            yield Shop(sandbox, settings, dsn, clock, database)
            group.cancel_scope.cancel()


def settings_for(
    johnlewis_url: str, khaos_url: str, folder: Path, sandbox: Sandbox | None = None
) -> Settings:
    """A merchant of these two systems, who looks often."""
    key_file = folder / "johnlewis.key"
    keys = sandbox.settings.world.marketplace.api_keys if sandbox else ()
    key_file.write_text(keys[0].key if keys else "a key", encoding="utf-8")
    merchant = MerchantSettings(
        johnlewis=JohnLewisSettings(base_url=johnlewis_url, api_key_file=str(key_file)),
        khaos=KhaosSettings(
            base_url=khaos_url,
            invoice_address=InvoiceAddress(
                line1="1 Example Road", town="London", postcode="ZZ1 1ZZ"
            ),
        ),
        stock=StockSettings(poll_s=120, follow_s=20),
        orders=OrderSettings(poll_s=60),
        dispatch=DispatchSettings(poll_s=120),
        opening_policy=OpeningPolicy(buffer_units=1, carriers={"DPD24": "DPD"}),
    )
    return Settings(merchants={MERCHANT: merchant}, data_dir=str(folder))


class Serving:
    """A service that was started."""

    def __init__(self) -> None:
        self.settled = anyio.Event()
        """It serves, or it ended before it could."""
        self.over = anyio.Event()
        self.ended: KcjlError | None = None
        """Why it ended by itself."""
        self.serves = False

    def up(self, _rooms: Rooms) -> None:
        self.serves = True
        self.settled.set()

    async def why_it_ended(self) -> KcjlError | None:
        with anyio.fail_after(HANGS_S):
            await self.over.wait()
        return self.ended


@asynccontextmanager
async def serving(shop: Shop, *, holder: str = "first") -> AsyncIterator[Serving]:
    """The service for as long as the block lasts; then it is cancelled, as by Ctrl-C."""
    service = Serving()

    async def run() -> None:
        try:
            async with Worker.open(shop.dsn, shop.clock) as worker:
                await run_merchant(
                    shop.settings,
                    MERCHANT,
                    worker=worker,
                    holder=holder,
                    ids=RandomIds(),
                    ready=service.up,
                )
        except KcjlError as error:
            service.ended = error
        finally:
            service.settled.set()
            service.over.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        with anyio.fail_after(HANGS_S):
            await service.settled.wait()
        yield service
        group.cancel_scope.cancel()


async def until(holds: Callable[[], bool]) -> None:
    """For what no log tells: look until it holds."""
    with anyio.fail_after(HANGS_S):
        while not holds():
            await real_sleep(0.01)


def moments(events: Sequence[Event]) -> list[datetime]:
    return [event.occurred_at for event in events]
