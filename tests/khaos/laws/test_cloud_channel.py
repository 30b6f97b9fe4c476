"""The Cloud feed and the sandbox's Cloud ERP together, where only such a pair has a law."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kcjl.database import SERVICE, Database
from tests.khaos.laws.bench import (
    ENTERED_MINUTES,
    ISSUED_MINUTES,
    LAMP,
    REF,
    SHIPPED_MINUTES,
    order,
    parcels,
    shipped_units,
)
from tests.khaos.laws.cloud_bench import CloudBench, cloud_bench

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cloud(database_dsn: str) -> AsyncIterator[CloudBench]:
    async with (
        Database(database_dsn, role=SERVICE) as database,
        cloud_bench(database) as bench,
    ):
        yield bench


async def test_twelve_hundred_orders_are_handed_out_in_parts(cloud: CloudBench) -> None:
    """The ERP takes a thousand an answer at most: all of them arrive, each once."""
    for number in range(1200):
        await cloud.port.create_order(order(f"JL{number:06d}", (LAMP, 1, 100)))
    await cloud.pass_minutes(ENTERED_MINUTES)

    assert 1200 == len(cloud.channel.taken)
    assert 1200 == len(cloud.warehouse.sales_orders)
    assert {} == dict(cloud.channel.errors)


async def test_refused_order_is_taken_when_a_person_asks_for_it_again(
    cloud: CloudBench,
) -> None:
    """The product was missing; it is added, the order is asked for by its reference."""
    await cloud.create_whatever(order(REF, ("NEW-03", 1, 2500)))
    refused = dict(cloud.channel.errors)
    cloud.warehouse.add_product("NEW-03", description="N", sell_price="25.00", physical=1)
    cloud.channel.retry_orders()
    await cloud.pass_minutes(ENTERED_MINUTES)

    assert [REF] == list(refused)
    assert "NEW-03" in refused[REF].reason
    assert cloud.sales_orders()[0].code == (await cloud.status()).erp_order_code
    assert {} == dict(cloud.channel.errors)


async def test_our_outage_delays_what_the_erp_says_and_loses_nothing(
    cloud: CloudBench,
) -> None:
    """Our side is away while an order ships and stock moves: it is told when we are back."""
    await cloud.enter(order())
    await cloud.stop()
    await cloud.pass_minutes(SHIPPED_MINUTES)
    cloud.warehouse.sell_elsewhere([(LAMP, 3)])
    await cloud.pass_minutes(ENTERED_MINUTES)
    failed = dict(cloud.channel.view().failed)
    await cloud.start()
    await cloud.pass_minutes(ENTERED_MINUTES)

    assert {"OrderDownload", "OrderStatusUpload", "StockStatusUpload"} <= failed.keys()
    assert Decimal(2) == shipped_units(await cloud.status())
    (level,) = await cloud.port.stock_levels([LAMP], ["1"])
    assert Decimal(12) == level.available
    assert {} == dict(cloud.channel.errors)


async def test_everything_that_is_sent_twice_in_any_order_changes_nothing(
    cloud: CloudBench,
) -> None:
    """An old run that comes again after an outage is followed by what is newer."""
    cloud.repeat_everything()
    await cloud.enter(order(REF, (LAMP, 20, 6499)))
    await cloud.restart()
    await cloud.pass_minutes(SHIPPED_MINUTES)
    await cloud.restart()
    cloud.warehouse.goods_in(LAMP, 3)
    await cloud.pass_minutes(ISSUED_MINUTES)

    found = await cloud.status()
    assert found.complete
    assert Decimal(20) == shipped_units(found)


async def test_shipped_late_in_a_summer_evening_is_shipped_on_londons_day(
    cloud: CloudBench,
) -> None:
    """At 23:10 UTC in July it is the next day in London, and the ERP says that day."""
    evening = datetime(2026, 7, 6, 22, 45, tzinfo=UTC)
    agenda = cloud.warehouse.agenda
    agenda.advance(evening)
    late = order()
    await cloud.enter(late)
    await cloud.pass_minutes(SHIPPED_MINUTES)

    (parcel,) = parcels(await cloud.status())
    (invoice,) = cloud.sales_orders()[0].invoices
    assert invoice.shipped_at is not None
    assert invoice.shipped_at > evening + timedelta(minutes=20)
    assert invoice.boxes[0].shipped_on == parcel.shipped_on
    assert evening.date() + timedelta(days=1) == parcel.shipped_on


async def test_product_that_was_taken_off_the_channel_is_off_sale(cloud: CloudBench) -> None:
    """Its id is among Deleted: the product is told as not for sale."""
    cloud.channel.unlist_product(LAMP)
    await cloud.pass_minutes(ENTERED_MINUTES)

    products = await cloud.port.products([LAMP])
    assert LAMP not in products or products[LAMP].discontinued
    gone = await cloud.port.deleted_products(cloud.warehouse.agenda.now - timedelta(hours=2))
    assert [LAMP] == [each.stock_code for each in gone]
