"""The simulation's outside is the sandbox's: the same calls give the same records.

Two worlds of one seed live the same trade. One is asked by the real adapters over the
sandbox's HTTP, the other by the simulated ports; whatever is read or written, the answers are
equal at every step, and so are the worlds in the end.
"""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec
import pytest

from kcjl.clock import chance
from kcjl.errors import KcjlError
from kcjl.johnlewis import port as shop
from kcjl.johnlewis.tenant_port import StatisticsPeriod
from kcjl.khaos import port as erp
from kcjl.money import Money
from kcjl.rooms import Marketplace
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import WorldSettings
from tests.sandbox.pictures import picture
from tests.simulation.faces import UNLIMITED, StandingClock, adapters_over
from tests.simulation.faults import Faults
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_erp import SimulatedErp
from tests.simulation.outside_marketplace import SimulatedMarketplace
from tests.simulation.parting import parting

pytestmark = pytest.mark.anyio

Outcome: TypeAlias = tuple[str, object]
TRADE = GeneratedTrade(orders_per_hour=4, skus=25, opens_at_hour=8, closes_at_hour=14, seed=11)
HOURS = 60
TENANTS: tuple[dict[str, object], ...] = (
    {},
    {"multi_shipment": False, "payment_workflow": "PAY_ON_SHIPMENT", "incident_share": 0.5},
    {
        "tax_mode": "TAX_EXCLUDED",
        "auto_accept": True,
        "addresses_visible_from": "CREATION",
        "customer_cancel_share": 0.3,
        "operator_refund_share": 0.6,
        "separate_tax_lines": True,
    },
    {
        "payment_workflow": "PAY_ON_DUE_DATE",
        "due_date_days": 0.5,
        "offer_put_back": True,
        "returns_refunded_by": "SHOP",
        "subscription_fee": Money(3999),
        "failing_debit_share": 0.2,
    },
)


class Twin:
    """A world and its two ports, real or simulated."""

    def __init__(self, world: World, marketplace: Marketplace, khaos: erp.ErpPort) -> None:
        self.world = world
        self.marketplace = marketplace
        self.erp = khaos
        self.said: list[Outcome] = []
        self.import_id = "none"

    async def note(self, call: Awaitable[object]) -> object:
        """What the call gave, or how it was refused."""
        try:
            answer = await call
        except KcjlError as error:
            code = getattr(error, "reason_code", "")
            status = getattr(error, "status", 0)
            self.said.append((type(error).__name__, (code, status)))
            return None
        self.said.append(("", answer))
        return answer


def world_of(tenant: dict[str, object], **warehouse: object) -> World:
    settings = WorldSettings.of("quick", seed=11, trade=TRADE)
    return World(
        msgspec.structs.replace(
            settings,
            return_share=0.5,
            marketplace=msgspec.structs.replace(
                settings.marketplace, call_limits=False, **tenant
            ),
            warehouse=msgspec.structs.replace(settings.warehouse, **warehouse),
        )
    )


async def read_everything(twin: Twin, began: datetime, now: datetime) -> list[shop.Order]:
    market, khaos = twin.marketplace, twin.erp
    skus = [*sorted(twin.world.marketplace.offers), "no-such-code"]
    await twin.note(market.offers())
    await twin.note(market.tenant_profile())
    await twin.note(market.statistics([StatisticsPeriod.LAST_MONTH]))
    await twin.note(market.orders_updated_since(now - timedelta(hours=1, seconds=0.4)))
    orders = await twin.note(market.orders_updated_since(began))
    assert isinstance(orders, list)
    numbers = [order.customer_order_number for order in orders]
    await twin.note(market.orders_by_id([order.order_id for order in orders[::-1]]))
    for order in orders[-3:]:
        await twin.note(market.shipments(order.order_id))
    await twin.note(market.transaction_lines(began))
    await twin.note(market.transaction_lines(now - timedelta(hours=2)))
    await twin.note(market.billing_cycles(began))
    await twin.note(market.invoices(began))
    for invoice in await market.invoices():
        document = await market.invoice_document(invoice.invoice_id)
        twin.said.append(("", document[:8] == b"%PDF-1.4"))
    await twin.note(khaos.sites())
    await twin.note(khaos.couriers())
    await twin.note(khaos.moved_products(now - timedelta(hours=2)))
    await twin.note(khaos.edited_products(began))
    await twin.note(khaos.products([sku.lower() for sku in skus]))
    await twin.note(khaos.stock_levels(skus, ["1"]))
    await twin.note(khaos.stock_levels(skus, ["9"]))
    await twin.note(khaos.order_statuses([*numbers, "nothing"]))
    await twin.note(khaos.find_order(numbers[0] if numbers else "nothing"))
    return orders


def new_order(order: shop.Order, street: str = "1 Test Road") -> erp.NewOrder:
    live = [line for line in order.lines if line.state is shop.OrderState.SHIPPING]
    goods = sum((line.price for line in live), Money(0))
    return erp.NewOrder(
        external_ref=order.customer_order_number,
        ordered_at=order.created_at,
        currency=order.currency,
        deliver_to=erp.DeliveryAddress(
            line1=street,
            town="Leeds",
            postcode="LS1 1AA",
            country_code="GBR",
            surname="Example",
        ),
        lines=tuple(
            erp.NewOrderLine(
                external_line_ref=line.line_id,
                stock_code=line.sku,
                quantity=line.quantity,
                unit_gross=line.unit_price,
            )
            for line in live
        ),
        delivery_gross=order.shipping_price,
        gross_total=goods + order.shipping_price,
    )


async def work(twin: Twin, orders: list[shop.Order], luck_seed: str) -> None:
    """What a seller does, and some of what he should not."""
    luck = chance(luck_seed)
    market = twin.marketplace
    skus = sorted(twin.world.marketplace.offers)
    figures = [shop.StockFigure(sku=sku, quantity=luck.randint(0, 40)) for sku in skus]
    figures.append(shop.StockFigure(sku='NOT "ours"', quantity=1))
    import_id = await twin.note(market.publish_stock(figures))
    await twin.note(market.stock_import(str(import_id)))
    await twin.note(market.stock_import(twin.import_id))
    await twin.note(market.stock_import_errors(twin.import_id))
    await twin.note(market.ping())
    await twin.note(twin.erp.ping())
    twin.import_id = str(import_id)
    for order in orders:
        if order.state is shop.OrderState.WAITING_ACCEPTANCE or luck.random() < 0.03:
            said = {line.line_id: luck.random() < 0.9 for line in order.lines}
            await twin.note(market.accept(order.order_id, said))
        if order.state is shop.OrderState.SHIPPING:
            street = luck.choice(("1 Test Road", "12 Größe Straße “A”", "1 東"))
            await twin.note(twin.erp.create_order(new_order(order, street)))
            await dispatch(twin, order)
    references = {order.order_id: f"KC-{order.commercial_id}" for order in orders[-4:]}
    await twin.note(market.write_seller_references({**references, "no-such": "KC", "b": " "}))


async def dispatch(twin: Twin, order: shop.Order) -> None:
    market = twin.marketplace
    status = await twin.note(twin.erp.find_order(order.customer_order_number))
    if not isinstance(status, erp.OrderStatus):
        return
    for parcel in (parcel for invoice in status.invoices for parcel in invoice.parcels):
        if not parcel.shipped:
            continue
        units = {code.casefold(): int(count) for code, count in parcel.items}
        lines = tuple(
            (line.line_id, units[line.sku.casefold()])
            for line in order.lines
            if units.get(line.sku.casefold())
        )
        tracking = shop.Tracking(carrier_code="DPD", tracking_number=parcel.tracking_number)
        request = shop.ShipmentRequest(
            order_id=order.order_id,
            lines=lines or (("no-line", 1),),
            tracking=tracking,
            package_reference=parcel.parcel_key,
        )
        made = await twin.note(market.create_shipment(request))
        if isinstance(made, shop.Shipment):
            anew = shop.Tracking(carrier_code="DPD", tracking_number="15500000000001")
            await twin.note(market.set_shipment_tracking({made.shipment_id: anew, "x": anew}))
        if not twin.world.marketplace.settings.multi_shipment:
            await twin.note(market.set_tracking(order.order_id, tracking))
            await twin.note(market.ship(order.order_id))


async def live(twin: Twin, clock: StandingClock, *, hours: int, each: float) -> None:
    began = clock.at
    for step in range(int(hours / each)):
        clock.at = began + timedelta(hours=each * (step + 1), milliseconds=37 * step)
        twin.world.agenda.advance(clock.at)
        orders = await read_everything(twin, began, clock.at)
        await work(twin, orders, f"work/{step}")


@pytest.mark.parametrize("tenant", TENANTS)
async def test_same_calls_over_http_and_simulated_give_equal_records(
    tenant: dict[str, object],
) -> None:
    """Reads, writes and refusals, through a day and a half of trade; then equal worlds."""
    warehouse = {
        "late_consignment_percent": 40,
        "two_boxes_from_units": 3,
        "since_is_inclusive": bool(tenant),
        "duplicate_answer": "fault" if tenant else "skip",
        "empty_answer": "fault" if tenant else "root",
    }
    real, ours = world_of(tenant, **warehouse), world_of(tenant, **warehouse)
    clock = StandingClock(real.starts_at)
    async with adapters_over(real, clock) as adapters:
        over_http = Twin(real, adapters.marketplace, adapters.erp)
        await live(over_http, clock, hours=HOURS, each=2.0)
    clock = StandingClock(ours.starts_at)
    mishaps = Mishaps(Faults(), chance("calm"), clock)
    simulated = Twin(
        ours,
        SimulatedMarketplace(ours, mishaps, clock, budgets=UNLIMITED),
        SimulatedErp(ours, mishaps, clock),
    )
    await live(simulated, clock, hours=HOURS, each=2.0)

    assert "" == parting(over_http.said, simulated.said)
    assert picture(real) == picture(ours)
    assert {} == dict(mishaps.counted)
    assert_lively(simulated.said, refunds="returns_refunded_by" not in tenant)


def assert_lively(said: list[Outcome], *, refunds: bool) -> None:
    """The comparison has met what it is about."""
    answers = [answer for _, answer in said]
    orders = [row for rows in answers if isinstance(rows, list) for row in rows]
    seen = {row.state for row in orders if isinstance(row, shop.Order)}
    assert {shop.OrderState.SHIPPING, shop.OrderState.RECEIVED} <= seen
    refunded = [row for row in orders if isinstance(row, shop.Order) and _refunds(row)]
    assert refunds is bool(refunded)
    assert any(isinstance(row, shop.BillingCycle) for row in orders)
    assert any(isinstance(each, erp.CreatedOrder) for each in answers)
    assert any(isinstance(each, shop.Shipment) for each in answers) or any(
        error == "NotFound" for error, _ in said
    )
    assert any(isinstance(row, shop.StockImportError) for row in rows_of(answers))
    assert any(error == "SoapFault" for error, _ in said)
    assert any(error == "Refused" for error, _ in said)


def rows_of(answers: list[object]) -> list[object]:
    return [row for rows in answers if isinstance(rows, list | tuple) for row in rows]


def _refunds(order: shop.Order) -> list[shop.Refund]:
    return [refund for line in order.lines for refund in line.refunds]
