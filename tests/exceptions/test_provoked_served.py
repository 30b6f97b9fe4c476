"""Kinds of exceptions in served worlds: one walk a concern, each kind told once and over.

The sandbox is served with all its faults and hands; the rooms run as the service has them, and
the clock is handed: days pass in seconds.
"""

import pytest
from msgspec import json
from msgspec.structs import replace

from kcjl.orders.reversal_amounts import Asked
from kcjl.orders.reversal_plan import REFUND
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.warehouse.backup import back_up, restore
from kcjl.sandbox.warehouse.settings import Minutes
from kcjl.settings import MetricSettings
from tests.exceptions.handed import LEVELS, Handed, handed, merchant
from tests.sandbox.warehouse_orders import document
from tests.service.running import quiet_world

pytestmark = pytest.mark.anyio

__all__ = ["DISPATCH", "ORDERS", "STOCK"]

STOCK = {
    "stock_line_refused",
    "stock_import_stuck",
    "publish_held",
    "stock_feed_stale",
    "offer_drifted",
    "offer_inactive",
    "shop_closed",
}

ORDERS = {
    "acceptance_half_gone",
    "acceptance_nearly_over",
    "acceptance_refused",
    "posting_refused",
    "reference_taken",
    "reference_not_written",
    "order_without_sales_order",
    "sales_order_without_order",
    "sales_order_vanished",
    "cancelled_after_posting",
    "return_expected",
    "return_to_book",
}

DISPATCH = {
    "carrier_gone",
    "tracking_missing",
    "tracking_malformed",
    "tracking_not_sent",
    "parcel_unmatched",
    "unwanted_units_sent",
    "confirmations_stopped",
    "cancelled_in_erp",
    "dispatch_at_risk",
    "dispatch_late",
    "seller_metric_near",
    "seller_metric_crossed",
}


async def _published(place: Handed, hours: float = 0.1) -> None:
    """Figures go out, and it is heard what became of them."""
    await place.later(hours, *LEVELS)
    await place.later(0.1, "publish")


async def test_what_goes_wrong_with_stock_is_told_once_and_over() -> None:
    """Imports, guards, the feed, the shop, and other hands on the offers."""
    settings = merchant()
    guarded = replace(settings.stock, guard_skus_min=3)
    async with handed(quiet_world(), replace(settings, stock=guarded)) as place:
        market = place.world.marketplace
        first, second, third = place.offers()[:3]

        # deleted between our look and our file, and back by the catalogue's hand
        market.catalogue.delete(market.offers[first])
        place.hand("khaos", "adjust", code=first, delta=-1, reason="broken")
        await place.later(0.1, "levels", "intake", "publish")
        await place.later(0.1, "publish")
        place.raised("stock_line_refused", first)
        price = {"amount_minor": 1_250}
        place.hand("johnlewis", "list_offer", sku=first, price=price, title="A lamp")
        await place.ask("retry-offer", sku=first)
        await _published(place)

        # an import that does not end
        place.hand("johnlewis", "slow_imports", seconds_each=20_000)
        place.hand("khaos", "adjust", code=second, delta=-3, reason="broken")
        await place.later(0.1, "levels", "intake", "publish")
        await place.later(1.1, "publish")
        place.raised("stock_import_stuck")
        await place.later(6, "levels", "intake", "publish")
        await _published(place)

        # the ERP forgets all its stock
        levels = {sku: int(place.world.warehouse.level(sku)) for sku in place.offers()}
        for sku, units in levels.items():
            place.hand("khaos", "adjust", code=sku, delta=-units, reason="a slip")
        await _published(place)
        place.raised("publish_held")
        for sku, units in levels.items():
            place.hand("khaos", "adjust", code=sku, delta=units, reason="put right")
        await _published(place)

        # nothing is read for hours
        place.fails(Fault(kind="status", side="khaos", status=503, times=None))
        await place.later(3, "levels", "freshness")
        place.raised("stock_feed_stale")
        place.works_again()
        await place.later(0.1, "levels", "freshness")

        # another tool writes, and the offer's time is over
        csv = f"offer-sku;quantity;update-delete\n{third};99;update\n"
        place.hand("johnlewis", "import_stock", csv_text=csv)
        market.offers[second].available_until = place.clock.now()
        market.catalogue.touch(market.offers[second])
        await place.later(24, "levels", "intake", "offers", "drift")
        place.raised("offer_drifted", third)
        place.raised("offer_inactive", second)
        market.offers[second].available_until = None
        await _published(place)
        await place.later(24, "levels", "intake", "offers", "drift")

        # the operator closes the shop
        place.hand("johnlewis", "switch", settings={"shop_state": "SUSPENDED"})
        await place.later(24, "tenant")
        place.raised("shop_closed")
        place.hand("johnlewis", "switch", settings={"shop_state": "OPEN"})
        await place.later(24, "tenant")

        await place.told_once_and_over(STOCK)


async def test_what_goes_wrong_with_orders_is_told_once_and_over() -> None:
    """Answering, posting, counting, and what the other side does afterwards."""
    async with handed(quiet_world()) as place:
        await _unanswered(place)
        await _not_posted(place)
        await _counted(place)
        await _lost(place)
        await _changed(place)
        await place.told_once_and_over(ORDERS)


async def _unanswered(place: Handed) -> None:
    """One that nobody answers, and one whose answer is refused."""
    price = {"amount_minor": 1_250}
    place.hand("johnlewis", "list_offer", sku="LAMP-77", price=price, title="A lamp")
    strange, plain = place.buy("LAMP-77"), place.buy(place.offers()[0])
    place.fails(Fault(kind="status", side="johnlewis", operation="OR21", status=400))
    await place.do("intake", "new-skus", "acceptance")
    place.raised("acceptance_refused", plain)
    await place.ask("order-retry", order_id=plain, reason="try again")
    await place.later(13, "intake", "acceptance", "posting")
    place.raised("acceptance_half_gone", strange)
    await place.later(7, "intake", "acceptance", "posting")
    place.raised("acceptance_nearly_over", strange)
    await place.ask("order-refuse", order_id=strange, lines="", reason="not ours")
    await place.do("acceptance", "intake")


async def _not_posted(place: Handed) -> None:
    """The ERP says no; somebody else has the reference; the number is not taken."""
    sku, other = place.offers()[:2]
    refuses = Fault(
        kind="soap_fault",
        side="khaos",
        operation="ImportOrders",
        class_name="EKosImport",
        message="the order is odd",
    )
    order_id = place.buy(sku)
    await place.do("intake", "acceptance")
    place.fails(refuses)
    await place.later(0.1, "intake", "posting")
    place.raised("posting_refused", order_id)
    await place.later(4, "posting")
    orders = place.world.marketplace.book.orders
    order = orders.pop(order_id)  # one of their servers does not have it yet
    await place.do("write-back")
    place.raised("reference_not_written", order_id)
    orders[order_id] = order
    await place.later(24, "write-back")

    order_id = place.buy(sku)
    await place.do("intake", "acceptance")
    web = "<SALES_SOURCE>WEB</SALES_SOURCE>"
    theirs = document(place.reference(order_id), [(other, 1, "9.00")], header=web)
    place.hand("khaos", "import_orders", document=theirs)
    await place.later(0.1, "intake", "posting")
    place.raised("reference_taken", order_id)
    place.hand("johnlewis", "operator_cancels", order_id=order_id)
    await place.later(0.1, "intake", "posting", "corrections")


async def _counted(place: Handed) -> None:
    """One that should be in the ERP, and one that should not."""
    place.buy(place.offers()[0])
    await place.do("intake", "acceptance")
    await place.later(0.1, "intake")
    header = "<SALES_SOURCE>JOHN LEWIS</SALES_SOURCE>"
    lines = [(place.offers()[1], 1, "9.00")]
    place.hand("khaos", "import_orders", document=document("STRANGE-1", lines, header=header))
    place.hand("khaos", "hold", external_ref="STRANGE-1")
    await place.later(2)
    await place.ask("count-orders")
    place.raised("order_without_sales_order")
    place.raised("sales_order_without_order", "STRANGE-1")
    await place.do("posting")
    place.hand("khaos", "cancel_order", external_ref="STRANGE-1", reason="nobody's")

    await place.later(1)
    await place.ask("count-orders")


async def _lost(place: Handed) -> None:
    """The ERP is set back to last night's backup."""
    backup = back_up(place.world.warehouse)
    order_id = await place.posted(place.offers()[0])
    restore(place.world.warehouse, backup)
    for _ in range(3):
        await place.later(0.5, "shipments", "vanished")
    place.raised("sales_order_vanished", order_id)
    await place.ask("post-again", order_id=order_id, reason="set back to a backup")
    await place.do("posting", "vanished")


async def _sent_back(place: Handed, order_id: str) -> None:
    """The customer sends the first line back, and the shop receives it."""
    place.hand("johnlewis", "open_return", order_line_id=place.line(order_id))
    await place.later(1, "intake", "returns", "corrections")
    place.raised("return_expected", order_id)
    (back,) = place.world.marketplace.returns.by_id.values()
    decision = {"id": back.return_id, "accepted": True}
    place.hand("johnlewis", "decide_returns", returns=[decision])
    place.hand("johnlewis", "receive_returns", return_ids=[back.return_id])
    await place.later(1, "intake", "returns", "corrections")


async def _changed(place: Handed) -> None:
    """A cancelation too late; goods that come back."""
    order_id = await place.posted(place.offers()[0])
    place.hand("khaos", "hold", external_ref=place.reference(order_id))
    place.hand("johnlewis", "operator_cancels", order_id=order_id)
    await place.later(0.1, "intake", "corrections")
    place.raised("cancelled_after_posting", order_id)
    place.hand("khaos", "cancel_order", external_ref=place.reference(order_id), reason="asked")

    await place.later(0.2, "shipments", "confirm", "corrections")

    order_id = await place.posted(place.offers()[0])
    place.hand("johnlewis", "ship", order_id=order_id)
    await place.later(80, "intake")
    await _sent_back(place, order_id)
    _, _, task = place.raised("return_to_book", order_id).subject.partition("/")
    await place.ask("correction-done", order_id=order_id, task=task, note="booked")


DPD, OTHER_DPD = "15501234567890", "15501234567891"
ROUND = ("intake", "shipments", "confirm")


async def test_what_goes_wrong_with_dispatch_is_told_once_and_over() -> None:
    """Numbers, boxes, carriers, the marketplace's silence, and time."""
    settings = merchant()
    metrics = MetricSettings(late_shipment_max=0.4, cancelation_max=1, orders_min=1)
    dispatch = replace(settings.dispatch, metrics=metrics, without_tracking="raise")
    quiet = quiet_world()
    slow = Minutes(at_least=10_000, at_most=10_000)  # what was sent can be labelled anew
    staff = replace(quiet.warehouse, issued_after=slow)
    world = replace(quiet, horizon_days=120, warehouse=staff)
    async with handed(world, replace(settings, dispatch=dispatch)) as place:
        await _numbers(place)
        await _boxes(place)
        await _carriers(place)
        await _too_late(place)
        await _measured(place)
        await place.told_once_and_over(DISPATCH)


async def _held(place: Handed, quantity: int = 1) -> str:
    """An order that both sides have, and that the warehouse leaves alone."""
    order_id = await place.posted(place.offers()[0], quantity)
    place.hand("khaos", "hold", external_ref=place.reference(order_id))
    return order_id


async def _sent(place: Handed, order_id: str, number: str) -> None:
    """The warehouse sends it with that number, and we look."""
    place.hand("khaos", "release_hold", external_ref=place.reference(order_id))
    invoice = place.invoice(order_id)
    dpd = "DPD Next Day"
    place.hand("khaos", "confirm_shipment", invoice_code=invoice.code, courier=dpd)
    place.hand(
        "khaos",
        "set_consignment",
        invoice_code=invoice.code,
        box_number=1,
        consignment=number,
    )
    await place.later(0.05, *ROUND)


def _relabelled(place: Handed, order_id: str, number: str) -> None:
    invoice = place.invoice(order_id)
    place.hand(
        "khaos",
        "set_consignment",
        invoice_code=invoice.code,
        box_number=1,
        consignment=number,
    )


async def _numbers(place: Handed) -> None:
    """None, an odd one, and a new one that is refused."""
    order_id = await _held(place)
    await _sent(place, order_id, "")
    await place.later(5, *ROUND)
    place.raised("tracking_missing", order_id)
    _relabelled(place, order_id, DPD)
    await place.later(0.2, *ROUND)

    order_id = await _held(place)
    await _sent(place, order_id, "trk 1")
    place.raised("tracking_malformed", order_id)
    _relabelled(place, order_id, DPD)
    await place.later(0.2, *ROUND)

    place.fails(Fault(kind="status", side="johnlewis", operation="ST23", status=400))
    _relabelled(place, order_id, OTHER_DPD)
    await place.later(2, *ROUND)
    place.raised("tracking_not_sent", order_id)
    await place.later(2, *ROUND)


async def _boxes(place: Handed) -> None:
    """More than was ordered, what was to stay, and nothing at all."""
    order_id = await _held(place)
    place.hand("khaos", "release_hold", external_ref=place.reference(order_id))
    invoice = place.invoice(order_id)
    place.hand("khaos", "confirm_shipment", invoice_code=invoice.code)
    item = invoice.boxes[0].items[0]
    item.quantity += 1
    await place.later(0.05, *ROUND)
    place.raised("parcel_unmatched", order_id)
    item.quantity -= 1
    await place.later(0.2, *ROUND)

    order_id = await _held(place, 2)
    asked = Asked(units=1, reason_code="17", not_to_ship=True, line_ids=(place.line(order_id),))
    words = {"order_id": order_id, "kind": REFUND, "asked": json.encode(asked).decode()}
    previewed = await place.ask("preview-reversal", **words)
    plan_id = json.decode(previewed or "")["plan_id"]
    await place.ask("order-reversal", **words, plan_id=plan_id, reason="damaged")
    await place.do("reversals")
    await _sent(place, order_id, DPD)
    place.raised("unwanted_units_sent", order_id)
    await place.later(80, *ROUND)
    await _sent_back(place, order_id)

    order_id = await _held(place)
    cancelled = place.reference(order_id)
    place.hand("khaos", "cancel_order", external_ref=cancelled, reason="no stock")
    await place.later(0.1, *ROUND)
    place.raised("cancelled_in_erp", order_id)
    place.hand("johnlewis", "operator_cancels", order_id=order_id)
    await place.later(0.1, *ROUND)


async def _carriers(place: Handed) -> None:
    """The marketplace does not answer for hours; then it does not know the carrier."""
    order_id = await _held(place)
    down = Fault(kind="status", side="johnlewis", operation="ST01", status=503, times=None)
    place.fails(down)
    await _sent(place, order_id, DPD)
    for _ in range(3):
        await place.later(0.5, *ROUND)
    place.raised("confirmations_stopped")
    place.works_again()
    for _ in range(4):
        await place.later(0.5, *ROUND)

    carriers = place.world.marketplace.settings.carriers
    others = [each for each in carriers if each.code != "DPD"]
    place.hand("johnlewis", "switch", settings={"carriers": others})
    await place.later(25, "carriers")
    place.raised("carrier_gone")
    await place.ask("map-courier", courier="DPD24", carrier_code=others[0].code)
    place.hand("johnlewis", "switch", settings={"carriers": carriers})
    await place.later(25, "carriers")
    await place.ask("map-courier", courier="DPD24", carrier_code="DPD")


async def _too_late(place: Handed) -> None:
    """It lies there until its day is over."""
    order_id = await _held(place)
    for kind in ("dispatch_at_risk", "dispatch_late"):
        for _ in range(72):
            if kind in place.on_desk():
                break
            await place.later(1, "intake", "deadlines")
        place.raised(kind, order_id)
    await _sent(place, order_id, DPD)
    await place.later(0.2, *ROUND, "deadlines")


async def _measured(place: Handed) -> None:
    """Lateness counts against the shop, until it is long ago."""
    await place.later(0.1, "seller-metrics", "judge-metrics")
    place.raised("seller_metric_near")
    await _too_late(place)
    await place.later(25, "seller-metrics", "judge-metrics")
    place.raised("seller_metric_crossed")
    await place.later(92 * 24, "seller-metrics", "judge-metrics")
