"""A merchant's rooms beside the served sandbox, with a clock that a test moves.

Promises: real HTTP to both systems, to Xero and to a web hook; the rooms are composed as the
service composes them, on a log in memory; the sandbox's time stands but for `later`. A job that
meets an outage is left to its next turn, as supervision does.
Called by the walks that provoke exceptions.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from types import MappingProxyType

import aiohttp
import anyio.lowlevel
import msgspec
from aiohttp import web

from kcjl.alerts.alert_settings import AlertSettings, WebhookSection
from kcjl.alerts.events import AlertSent
from kcjl.alerts.webhook import WebhookAccess, WebhookAlerts
from kcjl.clock import RealClock, SeededIds
from kcjl.discretion import Secret
from kcjl.errors import KcjlError
from kcjl.events import vocabulary
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.johnlewis.seller_api import SellerApi, SellerApiSettings
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.ledger.xero import XeroLedger
from kcjl.ledger.xero_access import XeroAccess
from kcjl.log.memory import MemoryLog, MemoryLogReader, MemoryStore
from kcjl.rooms import Outside, Rooms
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.server import Sandbox, SandboxSettings
from kcjl.sandbox.warehouse import SalesOrder
from kcjl.sandbox.warehouse.orders import Invoice
from kcjl.sandbox.world_settings import WorldSettings
from kcjl.settings import (
    InvoiceAddress,
    JohnLewisSettings,
    KhaosSettings,
    MerchantSettings,
    OpeningPolicy,
)
from kcjl.vault import MemoryVault
from tests.outside.erp import Books
from tests.simulation.faces import UNLIMITED
from tests.simulation.outside_erp import KWS

__all__ = ["Handed", "handed", "merchant"]

MERCHANT = "acme"
HOUR_S = 3_600
LEVELS = ("offers", "levels", "intake", "new-skus", "publish")
"""The stock room's round."""
CUSTOMER = {
    "customer_id": "C7",
    "first_name": "Ada",
    "last_name": "Example",
    "delivery": {
        "last_name": "Example",
        "street_1": "1 Test Street",
        "city": "Leeds",
        "postcode": "LS1 9ZZ",
    },
}


class SandboxClock(RealClock):
    """The sandbox's time; who sleeps makes it go on."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> datetime:
        return self._sandbox.world.agenda.now

    async def sleep(self, seconds: float) -> None:
        self._sandbox.doorkeeper.set_pace(leap_s=max(seconds, 1.0))
        await anyio.lowlevel.checkpoint()


class Hook:
    """Where the alerts go."""

    def __init__(self) -> None:
        self.status = 200
        self.taken: Counter[str] = Counter()
        """Messages that it has taken, by their id."""

    async def take(self, request: web.Request) -> web.Response:
        await request.read()
        if self.status == web.HTTPOk.status_code:
            self.taken[request.headers["Idempotency-Key"]] += 1
        return web.Response(status=self.status)


class Handed:
    """The rooms, and hands in both systems."""

    def __init__(
        self,
        sandbox: Sandbox,
        rooms: Rooms,
        store: MemoryStore,
        clock: SandboxClock,
        hook: Hook,
    ) -> None:
        self.sandbox, self.world = sandbox, sandbox.world
        self.rooms, self.clock, self.hook = rooms, clock, hook
        self._store = store

    # ── the rooms ──

    async def do(self, *jobs: str) -> None:
        """Run these jobs once each; then the desk judges, and who is to be told is."""
        for name in (*jobs, "judge", "tell by webhook"):
            for room in self.rooms.all():
                for job in (each for each in room.jobs if each.name == name):
                    await room.catch_up()
                    with suppress(KcjlError):  # supervision tries again: so do we
                        await job.run()
        for room in self.rooms.all():
            await room.catch_up()

    async def later(self, hours: float, *jobs: str) -> None:
        """Time goes by for both sides and for us; then as `do`."""
        self.sandbox.doorkeeper.set_pace(leap_s=hours * HOUR_S)
        await self.do(*jobs)

    async def ask(self, verb: str, **arguments: str) -> str | None:
        """A person's command, as the service carries it out."""
        for room in self.rooms.all():
            await room.catch_up()
        said = await self.rooms.handlers()[verb](arguments, "jo")
        await self.do()
        return said

    # ── hands in the two systems ──

    def hand(self, side: str, operation: str, **arguments: object) -> object:
        """Customers, the operator, the warehouse's people, the accountant."""
        return self.sandbox.doorkeeper.change(side, operation, arguments)

    def fails(self, *faults: Fault) -> None:
        self.sandbox.doorkeeper.change("faults", "add", {"faults": faults})

    def works_again(self) -> None:
        self.sandbox.doorkeeper.change("faults", "clear", {})

    def offers(self) -> list[str]:
        """SKUs of which the warehouse has enough."""
        stock = self.world.warehouse.stock
        return [
            sku
            for sku in self.world.marketplace.offers
            if (item := stock.find(sku)) is not None
            and item.level() > 4
            and not item.discontinued
        ]

    def buy(self, sku: str, quantity: int = 1, *, price: int = 1_250) -> str:
        """A customer buys it, whatever the window shows; returns the order's id."""
        unit = {"amount_minor": price}
        placed = self.hand(
            "johnlewis",
            "place_order",
            basket=[{"sku": sku, "quantity": quantity, "unit_price": unit}],
            customer=CUSTOMER,
            beyond_the_window=True,
        )
        return str(getattr(placed, "order_id"))  # noqa: B009 - a model's answer has no type

    async def posted(self, sku: str, quantity: int = 1) -> str:
        """An order that both sides have, paid for; returns its id."""
        order_id = self.buy(sku, quantity)
        await self.do("intake", "acceptance")
        await self.later(0.1, "intake", "posting")
        assert self.rooms.orders.orders[order_id].erp_order_code, order_id
        return order_id

    def sales_order(self, order_id: str) -> SalesOrder:
        reference = self.rooms.orders.orders[order_id].reference
        (found,) = self.world.warehouse.orders_by_ref(reference)
        return found

    def invoice(self, order_id: str) -> Invoice:
        return self.sales_order(order_id).invoices[0]

    def reference(self, order_id: str) -> str:
        return self.rooms.orders.orders[order_id].reference

    def line(self, order_id: str) -> str:
        """The id of its first line."""
        return self.world.marketplace.orders[order_id].lines[0].line_id

    # ── the desk ──

    def raised(self, kind: str, subject: str = "") -> ExceptionRaised:
        """The open exception of the kind, about the subject or any."""
        found = [
            each.raised
            for each in self.rooms.desk.open.values()
            if each.raised.kind == kind and each.raised.subject.startswith(subject)
        ]
        assert found, f"no {kind} of {subject!r} is on the desk: {sorted(self.on_desk())}"
        return found[0]

    def on_desk(self) -> set[str]:
        """The kinds."""
        return {each.raised.kind for each in self.rooms.desk.open.values()}

    async def said(self) -> Mapping[type, list[object]]:
        """All that is in the log, by type."""
        reader = MemoryLogReader(self._store, MERCHANT)
        found: dict[type, list[object]] = {}
        async for page in reader.read():
            for recorded in page:
                found.setdefault(type(recorded.event), []).append(recorded.event)
        return MappingProxyType(found)

    async def told_once_and_over(self, kinds: set[str]) -> None:
        """Each was raised once, to its owner, alerted once, and is over."""
        await self.later(0.1)
        said = await self.said()
        raised = [
            each
            for each in said[ExceptionRaised]
            if isinstance(each, ExceptionRaised) and each.kind in kinds
        ]
        assert kinds == {each.kind for each in raised}
        ids = Counter(each.exception_id for each in raised if not each.again)
        assert {1} == set(ids.values()), ids
        assert {(each.kind, KINDS[each.kind].owner) for each in raised} == {
            (each.kind, each.owner) for each in raised
        }
        cleared = {
            each.exception_id
            for each in said[ExceptionCleared]
            if isinstance(each, ExceptionCleared)
        }
        assert set(ids) <= cleared, set(ids) - cleared
        sent = [each for each in said[AlertSent] if isinstance(each, AlertSent)]
        told = Counter(each.exception_id for message in sent for each in message.told)
        assert dict.fromkeys(ids, 1) == {each: told[each] for each in ids}
        assert {each.alert_id: 1 for each in sent} == dict(self.hook.taken)


def merchant() -> MerchantSettings:
    """Told of everything, at once."""
    return MerchantSettings(
        johnlewis=JohnLewisSettings(base_url="http://127.0.0.1/", api_key_env="NONE"),
        khaos=KhaosSettings(
            base_url="http://127.0.0.1/",
            invoice_address=InvoiceAddress(
                line1="1 Example Road", town="London", postcode="ZZ1 1ZZ"
            ),
        ),
        opening_policy=OpeningPolicy(carriers={"DPD24": "DPD"}),
        alerts=AlertSettings(
            owners={"*": ("webhook",)},
            least="low",
            gather_minutes=0,
            pause_minutes=0,
            escalate_at=(),
            digest_at="",
            webhook=WebhookSection(),
        ),
    )


@asynccontextmanager
async def handed(
    world: WorldSettings, settings: MerchantSettings | None = None, *, xero: bool = False
) -> AsyncIterator[Handed]:
    """Served, read and published once."""
    mine, hook, store = settings or merchant(), Hook(), MemoryStore()
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    served = SandboxSettings(
        world=world, port=0, khaos_port=0, xero_port=0 if xero else None, speed=0
    )
    try:
        async with Sandbox.serve(served) as sandbox, aiohttp.ClientSession() as session:
            clock = SandboxClock(sandbox)
            outside = _outside(sandbox, session, clock, url)
            epoch = store.take_over(MERCHANT)
            async with MemoryLog.open(store, MERCHANT, vocabulary(), clock, epoch) as log:
                vault = MemoryVault(MERCHANT, b"k" * 32)
                rooms = Rooms(mine, log, vault, outside, clock, SeededIds(1))
                await rooms.tenant.open()
                place = Handed(sandbox, rooms, store, clock, hook)
                await place.do(*LEVELS, "carriers", "couriers")
                await place.later(0.1, "publish")
                yield place
    finally:
        await runner.cleanup()


def _outside(
    sandbox: Sandbox, session: aiohttp.ClientSession, clock: SandboxClock, hook: str
) -> Outside:
    tenant = sandbox.world.marketplace.settings
    access = SellerApiSettings(
        base_url=sandbox.johnlewis_url, api_key=tenant.api_keys[0].key, budgets=UNLIMITED
    )
    kws = msgspec.structs.replace(KWS, url=sandbox.khaos_url)
    books, live = Books(), None
    if sandbox.xero_url:
        theirs = sandbox.world.books.settings
        to = XeroAccess(
            base_url=sandbox.xero_url,
            token_url=f"{sandbox.xero_url}/connect/token",
            client_id=theirs.client_id,
            client_secret=Secret(theirs.client_secret),
            scope="accounting.manualjournals",
        )
        live = XeroLedger(to, clock=clock, session=session)
    alerts = WebhookAccess(url=Secret(hook), secret=Secret("a long random text"))
    return Outside(
        SellerApi(access, clock=clock, session=session),
        KwsSoapAdapter(kws, clock=clock, session=session),
        books,
        books,
        live,
        [WebhookAlerts(alerts, clock=clock, session=session)],
    )
