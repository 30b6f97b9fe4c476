"""The seller API against the sandbox's marketplace over real HTTP, its call limits on.

The clock of the adapter is the agenda of the sandbox: waiting for a turn moves that world on.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

import aiohttp
import anyio
import anyio.lowlevel
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from kcjl.calls.sync_log import SyncLog
from kcjl.clock import RealClock
from kcjl.errors import (
    CredentialsRefused,
    KcjlError,
    NotFound,
    OutcomeUnknown,
    ProtocolSurprise,
    RateLimited,
    Refused,
    Unavailable,
)
from kcjl.johnlewis.port import (
    Order,
    OrderState,
    ShipmentRequest,
    StockFigure,
    StockImportStatus,
    Tracking,
)
from kcjl.johnlewis.seller_api import Budget, SellerApi, SellerApiSettings
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.fault_effects import faulty
from kcjl.sandbox.faults import Fault, FaultPlan
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.johnlewis.http import johnlewis_app
from kcjl.sandbox.marketplace import ApiKey, MarketplaceSettings
from tests.sandbox.described_answers import HeldToDescription
from tests.sandbox.marketplace_shop import BEGINNING, SHIRT, SOCKS, Shop, quick

pytestmark = pytest.mark.anyio

KEY = "johnlewis-sandbox-key"
BY_ROYAL_MAIL = Tracking(carrier_code="RM", tracking_number="AB123456789GB")


@dataclass
class AgendaClock(RealClock):
    """The sandbox's own time."""

    agenda: Agenda

    def now(self) -> datetime:
        return self.agenda.now

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        self.agenda.advance(self.agenda.now + timedelta(seconds=seconds))


@dataclass
class World:
    """A shop on the sandbox's marketplace, and the adapter that speaks for it."""

    shop: Shop
    gate: DirectGate
    faults: FaultPlan
    session: aiohttp.ClientSession
    base_url: str
    before_each: list[Callable[[str], None]] = field(default_factory=list)
    """Called with the operation before each request is served: what happens meanwhile."""

    def api(
        self,
        key: str = KEY,
        budgets: dict[str, tuple[Budget, ...]] | None = None,
        sync_log: SyncLog | None = None,
    ) -> SellerApi:
        settings = SellerApiSettings(
            base_url=self.base_url, api_key=key, budgets=budgets or {}, read_timeout_s=5
        )
        clock = AgendaClock(self.shop.agenda)
        return SellerApi(settings, clock=clock, session=self.session, sync_log=sync_log)


@asynccontextmanager
async def serving(settings: MarketplaceSettings | None = None) -> AsyncIterator[World]:
    shop = Shop(settings or quick(call_limits=True))
    gate = DirectGate(shop.agenda, {"johnlewis": shop.marketplace})
    plan = FaultPlan(1)

    def take(side: str, operation: str) -> Fault | None:
        planned = plan.take(side, operation, shop.agenda.now)
        return planned.fault if planned else None

    async def operation_of(request: web.Request) -> str:
        return request.match_info.route.name or ""

    app = johnlewis_app(shop.marketplace, gate)
    held = HeldToDescription()
    before_each: list[Callable[[str], None]] = []

    @web.middleware
    async def moving(request: web.Request, handler: Handler) -> web.StreamResponse:
        for happens in before_each:
            happens(request.match_info.route.name or "")
        return await handler(request)

    app.middlewares.insert(0, held.middleware)
    app.middlewares.insert(0, moving)
    app.middlewares.insert(0, faulty("johnlewis", operation_of, take))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as session:
            yield World(shop, gate, plan, session, base_url, before_each)
        held.assert_fine()
    finally:
        await runner.cleanup()


def parcel(order: Order, *units: int) -> ShipmentRequest:
    return ShipmentRequest(
        order_id=order.order_id,
        lines=tuple(
            (line.line_id, count)
            for line, count in zip(order.lines, units, strict=True)
            if count
        ),
        tracking=BY_ROYAL_MAIL,
        package_reference="P1",
    )


async def one(api: SellerApi, order_id: str) -> Order:
    (order,) = await api.orders_by_id([order_id])
    return order


async def test_order_from_basket_to_payout_is_followed_to_the_penny() -> None:
    """A whole life: accepted, referenced, shipped in two parcels, billed, paid; no 429."""
    async with serving() as world:
        api = world.api()
        shop = world.shop
        assert (await api.account()).shop_id == shop.marketplace.settings.shop_id
        assert (await api.platform()).multi_shipment
        placed = shop.order(shirts=2, socks=1)
        (waiting,) = await api.orders_updated_since(BEGINNING)
        assert waiting.order_id == placed.order_id
        assert waiting.customer_order_number == placed.customer_order_number
        assert waiting.state is OrderState.WAITING_ACCEPTANCE
        assert waiting.delivery_address is None

        await api.accept(waiting.order_id, {line.line_id: True for line in waiting.lines})
        shop.wait(seconds=60)
        ready = await one(api, waiting.order_id)
        assert ready.state is OrderState.SHIPPING
        assert ready.delivery_address is not None
        assert ready.delivery_address.postcode == "LS1 1AA"
        assert ready.total_price == Money(4800 + 1550 + 395)
        assert await api.write_seller_references({ready.order_id: "KC-SO-1", "X-A": "KC"}) != {}

        first = await api.create_shipment(parcel(ready, 1, 0))
        second = await api.create_shipment(parcel(ready, 1, 1))
        assert {first.shipment_id, second.shipment_id} == {
            shipment.shipment_id for shipment in await api.shipments(ready.order_id)
        }
        assert (await one(api, ready.order_id)).state is OrderState.SHIPPED

        shop.wait(hours=24 * 20)
        (cycle,) = await api.billing_cycles(BEGINNING)
        lines = await api.transaction_lines(BEGINNING)
        of_cycle = [line for line in lines if line.cycle_id == cycle.cycle_id]
        earned = [line for line in of_cycle if line.kind != "PAYMENT"]
        assert sum((line.amount for line in earned), Money(0)) == cycle.amount_to_seller
        assert {line.seller_reference for line in earned} == {"KC-SO-1"}
        assert {line.customer_order_number for line in earned} == {placed.customer_order_number}
        assert cycle.payout_state == "PAID"
        assert [line.updated_at for line in lines] == sorted(line.updated_at for line in lines)


async def test_stock_import_with_a_bad_line_is_followed_to_its_errors() -> None:
    """STO01, STO02 until final, STO03: the offers show what was in the good lines."""
    async with serving() as world:
        api = world.api()
        figures = {SHIRT: 3, "NOT-OURS": 5, SOCKS: 0}
        import_id = await api.publish_stock(
            [StockFigure(sku=sku, quantity=quantity) for sku, quantity in figures.items()]
        )
        status = await api.stock_import(import_id)
        while status.status is not StockImportStatus.COMPLETE:
            status = await api.stock_import(import_id)

        errors = await api.stock_import_errors(import_id)
        offers = await api.offers()

        assert (status.lines_in_success, status.lines_in_error) == (2, 1)
        assert status.has_error_report
        assert [error.sku for error in errors] == ["NOT-OURS"]
        assert all(error.message and error.line_number for error in errors)
        assert {offer.sku: offer.quantity for offer in offers} == {SHIRT: 3, SOCKS: 0}
        assert {offer.sku: offer.price for offer in offers}[SHIRT] == Money(2400)


@pytest.mark.parametrize("doubled", [False, True])
async def test_orders_over_many_pages_are_each_read_once(
    *,
    doubled: bool,
) -> None:
    """Also where later pages begin with the row that ended the one before."""
    settings = quick(
        call_limits=True, duplicated_page_rows=doubled, oversized_pages_refused=True
    )
    async with serving(settings) as world:
        placed = [world.shop.order(1, 0, beyond_the_window=True) for _ in range(205)]
        world.shop.wait(hours=1)
        ids = [order.order_id for order in placed]

        api = world.api()

        since = await api.orders_updated_since(BEGINNING)
        by_id = await api.orders_by_id(ids)

        assert [order.order_id for order in since] == ids
        assert sorted(order.order_id for order in by_id) == sorted(ids)


async def test_whole_order_shipping_where_multi_shipment_is_off() -> None:
    """ST01 is not found there; OR23 and OR24 do it, and once (f.14, d.5)."""
    async with serving(quick(call_limits=True, multi_shipment=False)) as world:
        api = world.api()
        ready = await one(api, world.shop.order_to_ship().order_id)

        with pytest.raises(NotFound):
            await api.create_shipment(parcel(ready, 2, 1))
        await api.set_tracking(ready.order_id, BY_ROYAL_MAIL)
        await api.ship(ready.order_id)
        with pytest.raises(Refused) as again:
            await api.ship(ready.order_id)

        assert type(again.value) is Refused
        assert again.value.status == 400
        assert (await one(api, ready.order_id)).state is OrderState.SHIPPED


async def test_refusals_of_the_marketplace_bear_their_codes() -> None:
    """OR21 names its codes; ST01 says no inside a 201; OR04 item by item (b.3, b.4)."""
    async with serving() as world:
        api = world.api()
        order = await one(api, world.shop.order().order_id)

        with pytest.raises(Refused) as undecided:
            await api.accept(order.order_id, {order.lines[0].line_id: True})
        with pytest.raises(Refused) as too_early:
            await api.create_shipment(parcel(order, 2, 1))
        with pytest.raises(NotFound):
            await api.accept("700-B", {"x": True})
        refused = await api.write_seller_references({order.order_id: "KC-1", "700-B": "KC-2"})

        assert undecided.value.reason_code == "ORDER_LINE_ACCEPTANCE_DECISION_MISSING"
        assert too_early.value.status == 201
        assert set(refused) == {"700-B"}
        assert (await one(api, order.order_id)).seller_reference == "KC-1"


async def test_keys_without_the_right_are_refused() -> None:
    """A wrong key anywhere; a right one without the accounting role on the accounts (b.0)."""
    async with serving(quick(api_keys=(ApiKey(key="clerk", accounting=False),))) as world:
        with pytest.raises(CredentialsRefused):
            await world.api("somebody").ping()
        await world.api("clerk").ping()
        with pytest.raises(CredentialsRefused) as refusal:
            await world.api("clerk").transaction_lines(BEGINNING)

        assert refusal.value.status == 403


async def test_busy_actors_within_their_budgets_are_never_turned_away() -> None:
    """Each operation as fast as it goes, for hours of that world: not one 429 (d.1)."""
    async with serving(quick(call_limits=True, call_window_slack=0)) as world:
        api = world.api()
        shop = world.shop
        for _ in range(70):
            await api.transaction_lines(BEGINNING)
        for _ in range(5):
            import_id = await api.publish_stock([StockFigure(sku=SHIRT, quantity=1)])
            await api.stock_import(import_id)
            await api.stock_import(import_id)
            await api.orders_updated_since(shop.agenda.now)
            await api.orders_by_id(["700"])
            await api.write_seller_references({"700": "KC"})

        calls = {code: len(list(same)) for code, same in groupby(sorted(world.gate.entered))}
        assert calls["johnlewis", "TL02"] == 70


async def test_client_that_ignores_the_limits_is_turned_away_and_then_waits() -> None:
    """The 429 of the marketplace holds the operation back for its Retry-After."""
    async with serving() as world:
        api = world.api(budgets={"OR11": ()})
        await api.orders_updated_since(BEGINNING)
        with pytest.raises(RateLimited) as limited:
            await api.orders_updated_since(BEGINNING)
        before = world.shop.agenda.now

        await api.orders_updated_since(BEGINNING)

        waited_s = (world.shop.agenda.now - before).total_seconds()
        assert waited_s == limited.value.retry_after_s


BAD_GATEWAY = Fault(kind="status", status=502, after_effect=True)
LATE = Fault(kind="slow", seconds=0.2, after_effect=True)


@pytest.mark.parametrize(
    ("fault", "for_reads", "for_writes", "is_done"),
    [
        (Fault(kind="lost_before"), Unavailable, OutcomeUnknown, False),
        (Fault(kind="lost_after"), Unavailable, OutcomeUnknown, True),
        (Fault(kind="truncated"), Unavailable, OutcomeUnknown, True),
        (Fault(kind="empty"), ProtocolSurprise, OutcomeUnknown, True),
        (Fault(kind="status", status=503), Unavailable, OutcomeUnknown, False),
        (
            Fault(kind="status", status=502, after_effect=True),
            Unavailable,
            OutcomeUnknown,
            True,
        ),
        (Fault(kind="rate_limit"), RateLimited, RateLimited, False),
        (LATE, Unavailable, OutcomeUnknown, True),
    ],
)
async def test_faults_between_us_never_hide_what_may_have_been_done(
    fault: Fault,
    for_reads: type[KcjlError],
    for_writes: type[KcjlError],
    *,
    is_done: bool,
) -> None:
    """A parcel that may exist is unknown; ST11 then tells whether it does (d.5)."""
    async with serving() as world:
        ready = world.shop.order_to_ship()
        settings = SellerApiSettings(
            base_url=world.base_url, api_key=KEY, read_timeout_s=0.05, connect_timeout_s=0.05
        )
        patient = world.api()
        order = await one(patient, ready.order_id)
        hasty = SellerApi(settings, clock=AgendaClock(world.shop.agenda), session=world.session)
        api = hasty if fault.kind == "slow" else patient

        world.faults.add([fault])
        with pytest.raises(KcjlError) as read:
            await api.account()
        world.faults.add([fault])
        with pytest.raises(KcjlError) as written:
            await api.create_shipment(parcel(order, 2, 1))

        assert (type(read.value), type(written.value)) == (for_reads, for_writes)
        assert len(await patient.shipments(order.order_id)) == is_done
