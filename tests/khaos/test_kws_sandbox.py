"""The adapter against the sandbox's ERP over real HTTP: one order's whole way, and stock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import aiohttp
import msgspec
import pytest
from aiohttp import web

from kcjl.errors import CredentialsRefused, Refused
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.khaos.port import CreateOutcome, Site, Stage
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.khaos.http import khaos_app
from kcjl.sandbox.warehouse import Warehouse, WarehouseSettings
from kcjl.sandbox.warehouse import settings as warehouse_settings
from tests.khaos.conftest import HandClock, settings_for
from tests.khaos.samples import order

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Open = Callable[..., Awaitable[tuple[Warehouse, KwsSoapAdapter]]]


@pytest.fixture
async def sandbox(session: aiohttp.ClientSession) -> AsyncIterator[Open]:
    """Opens a sandbox ERP by its settings, with an adapter for it."""
    async with AsyncExitStack() as stack:

        async def opened(
            auth: dict[str, object] | None = None, **changes: object
        ) -> tuple[Warehouse, KwsSoapAdapter]:
            quick = WarehouseSettings.quick()
            agenda = Agenda(START, seed=7)
            warehouse = Warehouse(agenda, msgspec.structs.replace(quick, **changes))
            warehouse.add_product(
                "LAMP-OAK-01", description="Oak lamp", sell_price=Money(6499), physical=17
            )
            warehouse.add_product(
                "RUG-02",
                description="Rug",
                sell_price=Money(9900),
                physical=3,
                run_to_zero=True,
            )
            gate = DirectGate(agenda, {"khaos": warehouse})
            runner = web.AppRunner(khaos_app(warehouse, gate, "/Live"))
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            settings = settings_for(f"http://127.0.0.1:{port}/Live", **(auth or {}))
            return warehouse, KwsSoapAdapter(settings, clock=HandClock(), session=session)

        yield opened


@pytest.mark.parametrize("multi_reference", [False, True])
@pytest.mark.parametrize("fault_status", [200, 500])
async def test_sandbox_order_goes_from_import_to_issue(
    sandbox: Open, *, multi_reference: bool, fault_status: int
) -> None:
    """Created, refused the second time, found, shipped with tracking, posted; stock follows."""
    warehouse, adapter = await sandbox(
        multi_reference=multi_reference, fault_status=fault_status
    )

    created = await adapter.create_order(order())
    with pytest.raises(Refused):
        await adapter.create_order(order())
    (level,) = await adapter.stock_levels(["lamp-oak-01"], ["1"])
    before = await adapter.find_order(order().external_ref)
    warehouse.agenda.advance(START + timedelta(days=2))
    (after,) = await adapter.order_statuses(["nothing", order().external_ref])

    assert CreateOutcome.CREATED == created.outcome
    assert Decimal(15) == level.available
    assert before is not None
    assert created.erp_order_code == before.erp_order_code
    assert (Money(12998), "GBP", False) == (
        before.gross_total,
        before.currency,
        before.complete,
    )
    parcels = [parcel for invoice in after.invoices for parcel in invoice.parcels]
    assert {Stage.POSTED} == {invoice.stage for invoice in after.invoices}
    assert after.complete
    assert parcels
    assert all(parcel.shipped and parcel.shipped_on for parcel in parcels)
    assert Decimal(2) == sum(units for parcel in parcels for _, units in parcel.items)
    assert {"LAMP-OAK-01"} == {code for parcel in parcels for code, _ in parcel.items}


async def test_sandbox_stock_and_system_data_are_read(sandbox: Open) -> None:
    """Sites, couriers, products by any case, levels, and what has moved."""
    warehouse, adapter = await sandbox()
    warehouse.agenda.advance(START + timedelta(hours=5))
    warehouse.adjust("RUG-02", "-4.5", "water damage")

    found = await adapter.products(["rug-02", "GONE", "LAMP-OAK-01"])
    levels = await adapter.stock_levels(["RUG-02", "GONE", "LAMP-OAK-01"], ["1"])
    moved = await adapter.moved_products(START + timedelta(hours=1))
    edited = await adapter.edited_products(START - timedelta(hours=2))

    assert "8.173" == await adapter.ping()
    assert [Site(site_id="1", name="Main Site", is_default=True)] == await adapter.sites()
    couriers = {courier.name: courier.code for courier in await adapter.couriers()}
    assert "DPD24" == couriers["DPD Next Day"]
    assert couriers["Van"] is None
    assert {"rug-02", "LAMP-OAK-01"} == found.keys()
    assert ("RUG-02", True) == (found["rug-02"].stock_code, found["rug-02"].run_to_zero)
    assert {"RUG-02": Decimal("-1.5"), "LAMP-OAK-01": Decimal(17)} == {
        level.stock_code: level.available for level in levels
    }
    assert [("RUG-02", START + timedelta(hours=5))] == [
        (r.stock_code, r.changed_at) for r in moved
    ]
    assert {"RUG-02", "LAMP-OAK-01"} == {ref.stock_code for ref in edited}


@pytest.mark.parametrize("empty_answer", ["root", "string", "fault"])
async def test_sandbox_empty_answers_are_empty_in_any_form(
    sandbox: Open, empty_answer: str
) -> None:
    """Empty root, empty string or fault: nothing is there, and one unknown hides no other."""
    _, adapter = await sandbox(empty_answer=empty_answer)

    assert {} == await adapter.products(["GONE", "GONE-2"])
    assert [] == await adapter.stock_levels(["GONE"], ["1"])
    assert await adapter.find_order("JL404") is None
    assert {"RUG-02"} == (await adapter.products(["GONE", "RUG-02"])).keys()


@pytest.mark.parametrize("duplicate_answer", ["skip", "fault"])
async def test_sandbox_duplicate_is_refused_in_either_form(
    sandbox: Open, duplicate_answer: str
) -> None:
    """Skip or fault, a second order with the reference is a plain no."""
    warehouse, adapter = await sandbox(duplicate_answer=duplicate_answer)
    await adapter.create_order(order())

    with pytest.raises(Refused):
        await adapter.create_order(order())
    assert 1 == len(warehouse.orders_by_ref(order().external_ref))


async def test_sandbox_unknown_code_is_refused_and_nothing_is_there(sandbox: Open) -> None:
    """A business fault leaves no order behind."""
    _, adapter = await sandbox()
    line = msgspec.structs.replace(order().lines[0], stock_code="NO-SUCH")

    with pytest.raises(Refused, match="NO-SUCH"):
        await adapter.create_order(order(lines=(line,)))
    assert await adapter.find_order(order().external_ref) is None


async def test_sandbox_cancelled_order_is_found_with_its_reason(sandbox: Open) -> None:
    """A cancelled order is not "not there"."""
    warehouse, adapter = await sandbox()
    await adapter.create_order(order())
    warehouse.cancel_order(order().external_ref, "Buyer changed their mind")

    found = await adapter.find_order(order().external_ref)

    assert found is not None
    assert (True, "Buyer changed their mind") == (found.cancelled, found.cancel_reason)


async def test_sandbox_part_shipment_shows_each_invoice(sandbox: Open) -> None:
    """What is there goes at once, the rest waits: two invoices, two keys, no unit lost."""
    warehouse, adapter = await sandbox(ships_in_parts=True)
    line = msgspec.structs.replace(order().lines[0], quantity=20)
    await adapter.create_order(order(lines=(line,), gross_total=Money(129980)))
    warehouse.agenda.advance(START + timedelta(days=2))

    found = await adapter.find_order(order().external_ref)

    assert found is not None
    assert {Stage.POSTED, Stage.ON_HOLD} == {invoice.stage for invoice in found.invoices}
    parcels = [parcel for invoice in found.invoices for parcel in invoice.parcels]
    assert len(parcels) == len({parcel.parcel_key for parcel in parcels})
    sent = [units for parcel in parcels if parcel.shipped for _, units in parcel.items]
    assert Decimal(17) == sum(sent)


async def test_sandbox_two_sites_are_read_one_by_one(sandbox: Open) -> None:
    """Levels differ per site; each is asked by its own call."""
    sites = tuple(
        warehouse_settings.Site(site_id=n, name=name)
        for n, name in ((1, "Main Site"), (4, "Shop"))
    )
    warehouse, adapter = await sandbox(sites=sites)
    warehouse.goods_in("RUG-02", 8, site=4)

    levels = await adapter.stock_levels(["RUG-02"], ["1", "4"])

    assert [("1", Decimal(3)), ("4", Decimal(8))] == [(x.site_id, x.available) for x in levels]


async def test_sandbox_wrong_password_is_credentials_refused(sandbox: Open) -> None:
    """IIS asks for user and password."""
    right: dict[str, object] = {"auth": "basic", "user": "kc", "password": "right"}
    _, adapter = await sandbox(right, user="kc", password="right")
    _, stranger = await sandbox(right | {"password": "wrong"}, user="kc", password="right")

    assert "8.173" == await adapter.ping()
    with pytest.raises(CredentialsRefused):
        await stranger.create_order(order())


async def test_sandbox_style_children_are_sellable_and_parent_is_not(sandbox: Open) -> None:
    """A style's colours are found by themselves, and inside their parent."""
    warehouse, adapter = await sandbox()
    warehouse.add_product("SOFA", description="Sofa", sell_price=Money(90000))
    warehouse.add_product(
        "SOFA-RED", description="Red sofa", sell_price=Money(90000), physical=2, parent="SOFA"
    )

    found = await adapter.products(["SOFA", "sofa-red"])
    moved = {ref.stock_code: ref.parent_code for ref in await adapter.edited_products(START)}

    assert {"sofa-red": "Red sofa"} == {code: p.description for code, p in found.items()}
    assert {"SOFA-RED": "SOFA", "LAMP-OAK-01": None, "RUG-02": None} == moved


async def test_sandbox_deleted_code_is_told_from_its_deletion_on(sandbox: Open) -> None:
    """A list of what is gone, by when; nothing gone is no row, and no error."""
    warehouse, adapter = await sandbox()
    warehouse.add_product("OLD-1", description="Gone soon", sell_price=Money(100), physical=0)

    before = await adapter.deleted_products(START - timedelta(days=1))
    warehouse.delete_product("OLD-1")
    gone = await adapter.deleted_products(START - timedelta(hours=3))

    assert [] == [*before]
    assert [("OLD-1", START)] == [(each.stock_code, each.changed_at) for each in gone]


async def test_sandbox_deleted_codes_are_read_where_the_site_names_its_parts_otherwise(
    sandbox: Open,
) -> None:
    """The date goes where the WSDL asks for one, whatever that is called."""
    warehouse, adapter = await sandbox(part_names="prefixed", strict_calls=True)
    warehouse.add_product("OLD-1", description="Gone soon", sell_price=Money(100), physical=0)
    warehouse.delete_product("OLD-1")

    (gone,) = await adapter.deleted_products(START - timedelta(hours=3))

    assert "OLD-1" == gone.stock_code
