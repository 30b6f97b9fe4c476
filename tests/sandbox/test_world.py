"""A world: what is in stock, what is sold, what is true, and when it is over.

The seller here is no client: it acts on the two models directly, as an honest one would.
"""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec
import pytest

from kcjl.errors import Misuse
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.journal import JournalEntry, WorldJournal
from kcjl.sandbox.marketplace import Order
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import TradeFile, WorldSettings
from tests.sandbox.pictures import first_difference, picture

SHARED = Path(os.environ.get("KCJL_SHARED") or Path(__file__).parents[2].parent / "shared")
REAL_TRADE = SHARED / "data" / "online_retail.csv.gz"
SMALL = GeneratedTrade(orders_per_hour=12, skus=40, closes_at_hour=12, seed=5)


def world_of(**changes: object) -> World:
    settings = WorldSettings.of("quick", seed=5, trade=SMALL)
    return World(msgspec.structs.replace(settings, **changes))


def order_document(order: Order) -> str:
    """The order as one SALES_ORDER, prepaid, under its customer order number."""
    live = order.live_lines
    goods = sum(line.price.amount_minor for line in live)
    delivery = sum(line.shipping_price.amount_minor for line in live)
    items = "".join(
        f"<ORDER_ITEM><STOCK_CODE>{escape(line.sku)}</STOCK_CODE>"
        f"<MAPPING_TYPE>1</MAPPING_TYPE><ORDER_QTY>{line.quantity}</ORDER_QTY>"
        f"<PRICE_GRS>{line.unit_price.decimal()}</PRICE_GRS></ORDER_ITEM>"
        for line in live
    )
    return (
        "<SALES_ORDERS><SALES_ORDER><CUSTOMER_DETAIL><IS_NEW_CUSTOMER>0</IS_NEW_CUSTOMER>"
        "<COMPANY_CODE>JLMKT</COMPANY_CODE><COMPANY_CLASS>Marketplace</COMPANY_CLASS>"
        "<ADDRESSES><INVADDR><IADDRESS1>1 Road</IADDRESS1><ITOWN>London</ITOWN>"
        "<IPOSTCODE>ZZ1 1ZZ</IPOSTCODE><ICOUNTRY_CODE>GBR</ICOUNTRY_CODE>"
        "<ISURNAME>Accounts</ISURNAME></INVADDR></ADDRESSES></CUSTOMER_DETAIL>"
        f"<PAYMENTS><PAYMENT_DETAIL><PAYMENT_AMOUNT>{(goods + delivery) / 100:.2f}"
        "</PAYMENT_AMOUNT><PAYMENT_TYPE>2</PAYMENT_TYPE><PREAUTH>0</PREAUTH>"
        "<AUTH_CODE>JOHNLEWIS</AUTH_CODE></PAYMENT_DETAIL></PAYMENTS>"
        f"<ORDER_HEADER><ASSOCIATED_REF>{order.customer_order_number}</ASSOCIATED_REF>"
        f"<ORDER_DATE>2026-11-02T09:00:00</ORDER_DATE>"
        f"<DELIVERY_GRS>{delivery / 100:.2f}</DELIVERY_GRS></ORDER_HEADER>"
        f"<ORDER_ITEMS>{items}</ORDER_ITEMS></SALES_ORDER></SALES_ORDERS>"
    )


class Seller:
    """Publishes what is free, accepts, posts, and confirms each parcel."""

    def __init__(
        self, world: World, change: Callable[[str, str, dict[str, object]], object]
    ) -> None:
        self.world = world
        self.change = change
        self.confirmed: set[tuple[str, int]] = set()

    def work(self) -> None:
        """One round of everything, now."""
        self.publish()
        for order in list(self.world.marketplace.orders.values()):
            if order.state == "WAITING_ACCEPTANCE" and self.knows_all(order):
                yes = [{"id": line.line_id, "accepted": True} for line in order.lines]
                self.change(
                    "johnlewis", "accept", {"order_id": order.order_id, "decisions": yes}
                )
            if order.state == "SHIPPING":
                self.post(order)
                self.confirm(order)

    def knows_all(self, order: Order) -> bool:
        return all(self.world.shelf.is_known(line.sku) for line in order.lines)

    def publish(self) -> None:
        rows = ["offer-sku;quantity"]
        for sku in self.world.marketplace.offers:
            free = max(0, self.world.buying.free(sku))
            item = self.world.warehouse.stock.find(sku)
            rows.append(f'"{sku}";{0 if item is None or item.discontinued else free}')
        self.change("johnlewis", "import_stock", {"csv_text": "\n".join(rows)})

    def post(self, order: Order) -> None:
        if not self.world.warehouse.orders_by_ref(order.customer_order_number):
            self.change("khaos", "import_orders", {"document": order_document(order)})

    def confirm(self, order: Order) -> None:
        for sale in self.world.warehouse.orders_by_ref(order.customer_order_number):
            boxes = [box for invoice in sale.invoices for box in invoice.boxes]
            for number, box in enumerate(boxes):
                if not box.shipped or (order.order_id, number) in self.confirmed:
                    continue
                self.confirmed.add((order.order_id, number))
                left = {line.line_id: line.to_ship for line in order.live_lines}
                lines: list[dict[str, object]] = []
                for item in box.items:
                    units = int(item.quantity)
                    for line in order.live_lines:
                        here = min(units, left[line.line_id])
                        if here and line.sku.upper() == item.line.item.code.upper():
                            lines.append({"order_line_id": line.line_id, "quantity": here})
                            left[line.line_id] -= here
                            units -= here
                shipment = {
                    "order_id": order.order_id,
                    "shipped": True,
                    "shipment_lines": lines,
                    "tracking": {"carrier_code": "YODEL", "tracking_number": box.consignment},
                }
                self.change("johnlewis", "create_shipments", {"shipments": [shipment]})


def run(world: World, *, until: datetime | None = None, sells: bool = True) -> World:
    """Let the world go on in steps of five minutes, with a seller at work in it."""
    seller = Seller(world, world.change)
    while world.agenda.now < (until or world.ends_at):
        if until is None and world.finished:
            break
        if sells:
            seller.work()
        world.agenda.advance(world.agenda.now + timedelta(minutes=5))
    return world


# ── the trade in the world ──────────────────────────────────────────────────────────────────


def test_day_with_an_honest_seller_ends_in_paid_payouts() -> None:
    """Each order is posted once, each parcel confirmed once, and everything is paid out."""
    world = run(world_of())

    truth = world.truth()
    assert truth.finished
    assert not truth.ended
    assert 28 == truth.counted.baskets == truth.counted.orders_placed
    assert {"RECEIVED": 28} == truth.orders_by_state
    assert (28, 28, 0, 1) == (
        truth.orders_in_erp,
        truth.sales_orders,
        truth.sales_orders_of_no_order,
        truth.sales_orders_per_order_max,
    )
    assert 28 < truth.parcels_shipped == truth.parcels_confirmed
    assert truth.counted.units_placed == truth.units_shipped == truth.units_confirmed
    assert 0 == truth.counted.units_oversold == truth.parcels_confirmed_twice
    assert truth.cycles == truth.payouts_paid > 0
    assert truth.paid_out.amount_minor > 0
    assert 0 == truth.payable.amount_minor == truth.pending.amount_minor
    assert timedelta(hours=30) < world.agenda.now - world.starts_at < timedelta(hours=40)


def test_day_without_a_seller_sells_nothing_that_the_window_does_not_show() -> None:
    """Offers begin at 0: only what is bought beyond the window is ordered, and waits."""
    world = run(world_of(), sells=False)

    truth = world.truth()
    counted = truth.counted
    assert truth.finished
    assert counted.orders_placed == counted.baskets - counted.baskets_lost
    assert 0 < counted.orders_placed < 10
    assert counted.units_placed == counted.units_beyond_the_window
    assert counted.units_lost > 0
    assert {"WAITING_ACCEPTANCE": counted.orders_placed} == truth.orders_by_state
    assert 0 == truth.sales_orders == truth.cycles


def test_seller_who_offers_what_is_not_there_is_counted_to_the_unit() -> None:
    """Oversold is what a line sells beyond level less units not yet in the ERP."""
    world = world_of(scarce_share=1.0, run_to_zero_share=0.0, mismatches=0)
    rows = [f'"{sku}";500' for sku in world.marketplace.offers]
    content = "\n".join(["offer-sku;quantity", *rows])
    world.change("johnlewis", "import_stock", {"csv_text": content})

    world.agenda.advance(world.trade.ends_at)

    truth = world.truth()
    assert 0 == truth.counted.units_lost
    assert truth.counted.units_oversold > 0
    assert truth.counted.lines_oversold == len(truth.oversold)
    assert truth.counted.units_oversold == sum(o.units_oversold for o in truth.oversold)
    assert all(o.units_oversold == o.quantity - o.free for o in truth.oversold)


def test_true_free_stock_counts_what_the_erp_does_not_have_yet() -> None:
    """An order takes from the free stock from its placing, and once only when it is posted."""
    world = world_of(mismatches=0)
    sku = max(world.marketplace.offers, key=world.buying.free)
    before = world.buying.free(sku)
    customer = {
        "customer_id": "C1",
        "first_name": "Ada",
        "last_name": "Example",
        "delivery": {"last_name": "Example", "street_1": "1 Road", "city": "Leeds"},
    }
    line = {"sku": sku, "quantity": 3, "unit_price": {"amount_minor": 1000}}
    basket = {"basket": [line], "customer": customer, "beyond_the_window": True}
    world.change("johnlewis", "place_order", basket)
    placed = world.buying.free(sku)
    (order,) = world.marketplace.orders.values()
    world.change("khaos", "import_orders", {"document": order_document(order)})

    assert (before - 3, before - 3) == (placed, world.buying.free(sku))


def test_spellings_that_differ_in_case_are_two_offers_of_one_product(tmp_path: Path) -> None:
    """The marketplace keeps both spellings; the ERP has one product with one stock."""
    path = tmp_path / "trade.csv"
    path.write_text(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "1,85123A,HEART,2,2011-03-01 09:00:00,2.55,1.0,United Kingdom\n"
        "2,85123a,HEART,1,2011-03-01 10:00:00,2.55,1.0,United Kingdom\n"
        "3,POST,POSTAGE,1,2011-03-01 11:00:00,18.00,1.0,United Kingdom\n"
    )
    trade = TradeFile(path=str(path), first_day=date(2011, 3, 1), share=100)
    settings = WorldSettings.of("quick", trade=trade)
    world = World(msgspec.structs.replace(settings, mismatches=0, discontinued=0))

    run(world)

    assert ["85123A", "85123a", "POST"] == list(world.marketplace.offers)
    assert world.warehouse.stock.get("85123a") is world.warehouse.stock.get("85123A")
    assert world.warehouse.stock.find("POST") is None
    states = [order.state for order in world.marketplace.orders.values()]
    assert ["RECEIVED", "RECEIVED", "WAITING_ACCEPTANCE"] == states
    assert 1 == world.truth().counted.lines_beyond_the_window


def test_mismatch_is_on_sale_unknown_to_the_erp_and_heals() -> None:
    """The ERP has the ware under a near code; after some hours under the right one."""
    world = world_of(mismatches=2, mismatch_mended_after_h=3.0)
    mismatches = list(world.shelf.mismatches.values())
    assert 2 == len(mismatches)
    for mismatch in mismatches:
        assert world.warehouse.stock.find(mismatch.sku) is None
        assert world.warehouse.level(mismatch.erp_code) > 0
        assert mismatch.sku in world.marketplace.offers

    world.agenda.advance(world.starts_at + timedelta(hours=2, minutes=59))
    ordered = {line.sku for o in world.marketplace.orders.values() for line in o.lines}
    world.agenda.advance(world.starts_at + timedelta(hours=3, minutes=1))

    assert ordered <= {mismatch.sku for mismatch in mismatches}
    assert ordered
    for mismatch in mismatches:
        assert world.warehouse.level(mismatch.sku) >= 0
        assert 0 == world.warehouse.level(mismatch.erp_code)
        assert world.warehouse.stock.get(mismatch.erp_code).discontinued


def test_sales_order_that_a_person_cancelled_does_not_keep_the_world_going() -> None:
    """What waits for the seller's decision is left out of what has to be finished."""
    world = world_of(mismatches=0)
    seller = Seller(world, world.change)
    while not world.warehouse.sales_orders and world.agenda.now < world.ends_at:
        seller.work()
        world.agenda.advance(world.agenda.now + timedelta(minutes=5))
    (first, *_) = world.warehouse.sales_orders.values()
    cancel: dict[str, object] = {"external_ref": first.external_ref, "reason": "damaged"}
    assert "cancelled" == world.change("khaos", "cancel_order", cancel)

    run(world)

    assert world.truth().finished
    assert 1 == world.truth().orders_by_state["SHIPPING"]


def test_return_by_hand_opens_a_finished_world_again_until_it_is_refunded() -> None:
    """A refund that is under way is something that goes on."""
    world = run(world_of(mismatches=0, return_share=0.0))
    (line, *_) = next(iter(world.marketplace.orders.values())).lines
    back: dict[str, object] = {"order_line_id": line.line_id, "quantity": 1}

    world.change("johnlewis", "customer_returns", back)
    reopened = not world.finished
    run(world)

    assert reopened
    assert world.truth().finished
    assert ["REFUNDED"] == [refund.state for refund in line.refunds]


def test_world_that_nobody_finishes_ends_at_its_horizon_and_says_so() -> None:
    """A bound that is reached is reported."""
    world = world_of(horizon_days=0.5, mismatches=0)
    seller = Seller(world, world.change)
    while world.agenda.now < world.ends_at:
        seller.work()
        world.agenda.advance(min(world.ends_at, world.agenda.now + timedelta(minutes=30)))

    truth = world.truth()
    assert truth.ended
    assert not truth.finished
    assert world.trade.ends_at + timedelta(hours=12) == world.ends_at


@pytest.mark.parametrize("minutes", [1, 7, 240])
def test_world_in_other_steps_is_the_same_world(minutes: int) -> None:
    """However time is cut, the same things happen at the same times."""
    until = world_of().trade.ends_at + timedelta(hours=60)
    at_once, in_steps = world_of(), world_of()
    at_once.agenda.advance(until)
    while in_steps.agenda.now < until:
        step = in_steps.agenda.now + timedelta(minutes=minutes)
        in_steps.agenda.advance(min(until, step))

    assert "" == first_difference(picture(at_once), picture(in_steps))


@pytest.mark.skipif(not REAL_TRADE.is_file(), reason=f"no {REAL_TRADE} (KCJL_SHARED)")
def test_real_day_without_a_client_survives_and_counts() -> None:
    """1 March 2011 as it was, dirt and all, runs through both models to its end."""
    trade = TradeFile(path=str(REAL_TRADE), first_day=date(2011, 3, 1), share=60)
    world = run(World(WorldSettings.of("quick", seed=7, trade=trade)), sells=False)

    truth = world.truth()
    assert truth.finished
    assert 1361 == truth.trade.rows_in == truth.trade.accounted_for()
    assert truth.trade.marketplace_invoices == truth.counted.baskets
    assert truth.counted.lines_placed + truth.counted.lines_lost == truth.trade.marketplace_rows
    assert truth.counted.elsewhere_units > 5000
    assert datetime(2011, 3, 1, 7, 30, tzinfo=UTC) == world.starts_at


@pytest.mark.skipif(not REAL_TRADE.is_file(), reason=f"no {REAL_TRADE} (KCJL_SHARED)")
def test_real_day_with_an_honest_seller_is_paid_out() -> None:
    """All that can be sold is sold once and paid; what is no product waits for a person."""
    trade = TradeFile(path=str(REAL_TRADE), first_day=date(2011, 3, 1), share=60)
    world = run(World(WorldSettings.of("quick", seed=7, trade=trade)))

    truth = world.truth()
    waiting = [o for o in world.order_truths() if o.state == "WAITING_ACCEPTANCE"]
    unknown = [any(not world.shelf.is_known(line.sku) for line in o.lines) for o in waiting]
    assert truth.finished
    assert {"RECEIVED", "WAITING_ACCEPTANCE"} == truth.orders_by_state.keys()
    assert all(unknown)
    assert 1 == truth.sales_orders_per_order_max
    assert 0 == truth.counted.units_oversold
    assert truth.parcels_shipped == truth.parcels_confirmed > 0
    assert 0 == truth.payable.amount_minor == truth.pending.amount_minor


# ── the journal ─────────────────────────────────────────────────────────────────────────────


def entry(minute: int) -> JournalEntry:
    at = datetime(2026, 11, 2, 8, minute, tzinfo=UTC)
    return JournalEntry(at=at, side="clock", operation="mark", arguments={"text": "é"})


def test_journal_when_opened_again_has_what_was_written(tmp_path: Path) -> None:
    """What was put on file is there for the next run, and more can follow."""
    for minute in (1, 2):
        journal = WorldJournal(tmp_path, {"seed": 1})
        journal.write(entry(minute))
        journal.close()

    journal = WorldJournal(tmp_path, {"seed": 1})
    journal.close()

    assert (entry(1), entry(2)) == journal.entries


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_journal_with_a_half_written_last_entry_leaves_it_out(tmp_path: Path, cut: int) -> None:
    """A kill in the middle of a write costs that entry only."""
    journal = WorldJournal(tmp_path, {"seed": 1})
    journal.write(entry(1))
    journal.write(entry(2))
    journal.close()
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])

    resumed = WorldJournal(tmp_path, {"seed": 1})
    resumed.write(entry(3))
    resumed.close()
    again = WorldJournal(tmp_path, {"seed": 1})
    again.close()

    assert (entry(1),) == resumed.entries
    assert (entry(1), entry(3)) == again.entries


def test_journal_of_other_settings_is_refused_and_names_them(tmp_path: Path) -> None:
    """Another seed is another world: its journal can't be played in this one."""
    WorldJournal(tmp_path, {"seed": 1, "share": 60}).close()

    with pytest.raises(Misuse, match=r"seed was 1 and is now 2") as refusal:
        WorldJournal(tmp_path, {"seed": 2, "share": 60})

    assert "share" not in refusal.value.message


def test_journal_in_use_is_refused_to_a_second_sandbox(tmp_path: Path) -> None:
    """Two sandboxes on one state would write two worlds into one file."""
    first = WorldJournal(tmp_path, {"seed": 1})
    try:
        with pytest.raises(Misuse, match="another sandbox"):
            WorldJournal(tmp_path, {"seed": 1})
    finally:
        first.close()


def test_journal_that_is_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    """A whole line that can't be read is no half-written end."""
    journal = WorldJournal(tmp_path, {"seed": 1})
    journal.write(entry(1))
    journal.close()
    journal.path.write_bytes(journal.path.read_bytes() + b"{]\n" + b"{}\n")

    with pytest.raises(Misuse, match="entry 3 is damaged"):
        WorldJournal(tmp_path, {"seed": 1})
