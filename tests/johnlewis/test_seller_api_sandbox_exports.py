"""The seller API's exports, imports, parcels and account against the sandbox over real HTTP."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import TypeVar

import msgspec
import pytest

from kcjl.johnlewis.account_port import TransactionFilter
from kcjl.johnlewis.offer_port import completed
from kcjl.johnlewis.parcel_port import ShipmentOutcomeKind
from kcjl.johnlewis.port import Tracking
from kcjl.money import Money
from tests.johnlewis.test_seller_api_sandbox import AgendaClock, parcel, serving
from tests.sandbox.marketplace_shop import SHIRT, SOCKS

pytestmark = pytest.mark.anyio

_Row = TypeVar("_Row")


async def all_of(batches: AsyncGenerator[Sequence[_Row], None]) -> list[_Row]:
    async with aclosing(batches) as opened:
        return [row async for batch in opened for row in batch]


async def test_offers_written_whole_are_read_back_as_they_were() -> None:
    """OF24 resets nothing that was there; a product that nobody knows is told by OF03."""
    async with serving() as world:
        api, agenda = world.api(), world.shop.agenda
        begin = agenda.now - timedelta(hours=1)
        whole = [completed(offer, quantity=9) for offer in await api.offers()]

        done = await api.offer_import_done(await api.publish_offers(whole), agenda.now)
        stranger = msgspec.structs.replace(
            whole[0], sku="NOPE", product_id="000", product_id_type="EAN"
        )
        failed = await api.publish_offers([stranger])
        await api.offer_import_done(failed, agenda.now)
        (error,) = await api.offer_import_errors(failed)
        after = [completed(offer) for offer in await api.offers()]
        changed = await all_of(api.offers_changed(begin))
        exported = await all_of(api.offers_exported(begin))
        as_csv = await all_of(api.offers_exported(None, form="csv"))

    assert (2, 0, "NOPE") == (done.lines_in_success, done.lines_in_error, error.sku)
    assert whole == after
    for changes in (changed, exported, as_csv):
        assert {(SHIRT, 9), (SOCKS, 9)} == {(each.sku, each.quantity) for each in changes}


async def test_orders_caught_up_are_those_of_the_polls() -> None:
    """OR13 to OR15 tell what OR11 tells."""
    async with serving() as world:
        api, agenda = world.api(), world.shop.agenda
        begin = agenda.now - timedelta(hours=1)
        for _ in range(3):
            world.shop.received_order()

        exported = await all_of(api.orders_caught_up(begin, agenda.now + timedelta(hours=1)))
        polled = await api.orders_updated_since(begin)

    assert 3 == len(exported)
    assert {order.order_id: order for order in polled} == {
        order.order_id: order for order in exported
    }


async def test_parcel_is_followed_and_written_item_by_item() -> None:
    """ST11, ST12, ST23 and ST24 around one parcel, and one that nobody knows."""
    tracking = Tracking(carrier_code="RM", tracking_number="AB1")
    async with serving() as world:
        api, agenda = world.api(), world.shop.agenda
        begin = agenda.now
        order_id = world.shop.order_to_ship().order_id
        (order,) = await api.orders_by_id([order_id])
        made = await api.create_shipment(parcel(order, 1, 1))

        (left,) = await api.orders_to_ship([order_id])
        found = await api.shipments_updated(begin)
        tracked = await api.set_shipment_tracking({made.shipment_id: tracking, "x": tracking})
        shipped = await api.ship_shipments([made.shipment_id])

    assert [1] == [item.quantity for item in left.items]
    assert [made.shipment_id] == [each.shipment_id for each in found]
    assert [ShipmentOutcomeKind.DONE, ShipmentOutcomeKind.REFUSED] == [
        each.kind for each in tracked
    ]
    assert [ShipmentOutcomeKind.REFUSED] == [each.kind for each in shipped]


async def test_payout_is_the_same_by_every_way() -> None:
    """Lines by cycle, by voucher in both forms, the cycle, and the invoice's summary."""
    async with serving() as world:
        api, agenda = world.api(), world.shop.agenda
        begin = agenda.now - timedelta(hours=1)
        for _ in range(3):
            world.shop.received_order()
        await AgendaClock(agenda).sleep(40 * 86_400)
        cycle, *_ = await api.billing_cycles(begin)
        of_voucher = TransactionFilter(voucher=cycle.voucher)

        lines = await api.transaction_lines_of(TransactionFilter(cycle_ids=(cycle.cycle_id,)))
        by_json = await all_of(api.transaction_lines_exported(of_voucher))
        by_lines = await all_of(api.transaction_lines_exported(of_voucher, form="ndjson"))
        invoice, *_ = await api.invoices(begin)
        document = await api.invoice_document(invoice.invoice_id)

    total = sum((line.amount for line in lines if line.kind != "PAYMENT"), Money(0))
    wanted = {line.line_id: line for line in lines}
    assert cycle.amount_to_seller == total == invoice.amount_transferred
    assert wanted == {line.line_id: line for line in by_json}
    assert wanted == {line.line_id: line for line in by_lines}
    assert document.startswith(b"%PDF-")
