"""The wider port against the sandbox's ERP: packed twins, potential, exports, progress."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from kcjl.khaos.port import ExportedLine, Stage
from kcjl.money import Money
from tests.khaos.samples import order
from tests.khaos.test_kws_sandbox import START, Open, sandbox

__all__ = ["sandbox"]

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("compression", ["none", "zip", "bzip2"])
async def test_sandbox_packed_answers_are_the_same_answers(
    sandbox: Open, compression: str
) -> None:
    """Lists and products, however they travel."""
    warehouse, adapter = await sandbox({"compression": compression})
    warehouse.add_product("SOFA", description="Sofa", sell_price=Money(90000))
    warehouse.add_product(
        "SOFA-RED",
        description="Rötes & Sofa",
        sell_price=Money(90000),
        physical=2,
        parent="SOFA",
    )

    edited = await adapter.edited_products(START - timedelta(hours=2))
    found = await adapter.products([ref.stock_code for ref in edited])

    assert {"LAMP-OAK-01": None, "RUG-02": None, "SOFA-RED": "SOFA"} == {
        ref.stock_code: ref.parent_code for ref in edited
    }
    assert {ref.changed_at for ref in edited} <= {START}
    assert {"LAMP-OAK-01", "RUG-02", "SOFA-RED"} == found.keys()
    assert "Rötes & Sofa" == found["SOFA-RED"].description
    assert (Decimal("64.99"), Decimal(20)) == (
        found["LAMP-OAK-01"].sell_price,
        found["LAMP-OAK-01"].vat_percent,
    )


async def test_sandbox_potential_and_level_tell_what_is_owed(sandbox: Open) -> None:
    """More ordered than there is: a back order, and a potential below nought."""
    _, adapter = await sandbox()
    line = msgspec.structs.replace(order().lines[0], quantity=20)
    await adapter.create_order(order(lines=(line,), gross_total=Money(129980)))

    (potential,) = await adapter.stock_potential(["lamp-oak-01", "GONE"])
    (level,) = await adapter.stock_levels(["LAMP-OAK-01"], ["1"])

    assert (potential.available - potential.back_order) == potential.potential
    assert Decimal(3) == potential.back_order
    assert level.available == potential.available
    assert level.due is None


async def test_sandbox_launched_products_are_listed(sandbox: Open) -> None:
    """By launch date."""
    _, adapter = await sandbox()

    launched = await adapter.launched_products(START - timedelta(hours=2))

    assert {"LAMP-OAK-01", "RUG-02"} == {ref.stock_code for ref in launched}


async def test_sandbox_order_is_exported_and_seen_in_progress(sandbox: Open) -> None:
    """By reference and by number; its progress is told without being asked for it."""
    warehouse, adapter = await sandbox()
    assert [] == await adapter.orders_in_progress()
    created = await adapter.create_order(order())
    started = await adapter.orders_in_progress()
    warehouse.agenda.advance(START + timedelta(days=1, hours=23))
    ended = await adapter.orders_in_progress()

    by_ref, by_code = await adapter.exported_orders(
        external_refs=[order().external_ref, "JL404"],
        erp_order_codes=[created.erp_order_code, "SO404"],
    )

    line = ExportedLine(
        stock_code="LAMP-OAK-01",
        quantity=Decimal(2),
        unit_gross=Decimal("64.99"),
        external_line_ref=order().lines[0].external_line_ref,
    )
    assert [(line,), (line,)] == [by_ref.lines, by_code.lines]
    assert (order().ordered_at, created.erp_order_code) == (
        by_ref.ordered_at,
        by_code.erp_order_code,
    )
    assert [(order().external_ref, created.erp_order_code, False)] == [
        (sign.external_ref, sign.erp_order_code, sign.complete) for sign in started
    ]
    assert {Stage.POSTED} == {sign.stage for sign in ended}


async def test_sandbox_shipped_order_tells_its_dates_units_and_address(sandbox: Open) -> None:
    """Issue dates for the settlement; units sold and allocated; where to follow a parcel."""
    warehouse, adapter = await sandbox()
    await adapter.create_order(order())
    waiting = await adapter.find_order(order().external_ref)
    warehouse.agenda.advance(START + timedelta(days=2))
    after = START.date() + timedelta(days=2)
    issued = await adapter.find_order(order().external_ref)

    assert waiting is not None
    assert issued is not None
    assert (Decimal(2), Decimal(2)) == (waiting.qty_sold, waiting.qty_assigned)
    assert {None} == {invoice.issued_on for invoice in waiting.invoices}
    days = [invoice.issued_on for invoice in issued.invoices]
    assert all(day is not None and START.date() <= day <= after for day in days)
    assert days
    assert Decimal(2) == sum(invoice.qty_sent or Decimal(0) for invoice in issued.invoices)
