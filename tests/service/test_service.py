"""One merchant's service against both systems: what becomes of orders, and who may serve."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from kcjl import service
from kcjl.clock import RandomIds, RealClock
from kcjl.database import Database
from kcjl.dispatch.events import ParcelConfirmed
from kcjl.errors import Fenced, SettingsUnusable
from kcjl.exceptions.events import (
    ExceptionCleared,
    ExceptionRaised,
    JobInterrupted,
    JobResumed,
)
from kcjl.log.lease import LeaseHeld
from kcjl.orders.events import (
    OrderHeld,
    OrderReceived,
    OrderReleased,
    OrdersRead,
    PostingUnknown,
    ReferenceWritten,
    SalesOrderPosted,
)
from kcjl.sandbox.faults import Fault
from kcjl.service import check_outside, outside_alone, run_merchant
from kcjl.settings import Settings
from kcjl.stock.events import SkuUnmatched, StockRead
from kcjl.worker import Worker
from tests.service.running import (
    MERCHANT,
    Shop,
    busy_world,
    quiet_world,
    serving,
    settings_for,
    shop,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def busy(database_dsn: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(database_dsn, tmp_path, busy_world()) as running:
        yield running


@pytest.fixture
async def quiet(database_dsn: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(database_dsn, tmp_path, quiet_world()) as running:
        yield running


# ── a day's trade ───────────────────────────────────────────────────────────────────────────


async def test_orders_of_a_morning_are_posted_once_and_their_parcels_confirmed(
    busy: Shop,
) -> None:
    """One sales order per marketplace order, its number written back, its parcel told of."""
    async with serving(busy):
        written = await busy.until(ReferenceWritten)
        confirmed = await busy.until(ParcelConfirmed)
        await busy.until(SalesOrderPosted, count=5)
    truth = busy.sandbox.world.truth()
    order = busy.order(written.order_id)
    dispatched = busy.order(confirmed.order_id)

    assert 1 == truth.sales_orders_per_order_max
    assert 0 == truth.sales_orders_of_no_order
    assert 0 == truth.parcels_confirmed_twice
    assert truth.orders_in_erp >= 5
    assert [written.erp_order_code] == [each.code for each in order.sales_orders]
    assert written.erp_order_code == order.seller_reference
    assert order.total == order.sales_orders[0].gross_total
    assert confirmed.shipment_id in [each.shipment_id for each in dispatched.confirmations]
    assert dispatched.confirmations[0].tracking_number in [
        parcel.consignment for parcel in dispatched.sales_orders[0].parcels
    ]


async def test_log_of_a_served_morning_holds_no_personal_data(
    busy: Shop, database_dsn: str
) -> None:
    """Law 7: the ERP knows where to send the parcel, the log does not."""
    async with serving(busy):
        await busy.until(SalesOrderPosted, count=5)
        await busy.until(ParcelConfirmed)
    async with Database(database_dsn, role=None) as database:
        events = await database.fetch(
            "select stream, by, correlation_id, data::text as data from event"
        )
        sealed = await database.fetchval("select count(*) from vault")
    words = {
        word
        for row in events
        for text in (row["stream"], row["by"], row["correlation_id"], *_texts(row["data"]))
        for word in (text, *re.split(r"[\s,;:()]+", text))
    }
    told = "\n".join(sorted(words))
    world = busy.sandbox.world
    told_to_the_erp = {
        address.postcode
        for each in world.warehouse.sales_orders.values()
        if (address := each.document.customer.deliver_to) is not None
    }

    assert sealed >= 5
    assert len(told_to_the_erp) >= 5
    assert told_to_the_erp <= {
        each.customer.delivery.postcode for each in world.marketplace.orders.values()
    }
    for order in world.marketplace.orders.values():
        buyer = order.customer
        at = buyer.delivery
        for personal in (
            at.street_1,
            at.postcode,
            at.phone,
            buyer.customer_id,
            order.notification_email,
        ):
            assert personal
            assert personal not in told
        assert not {buyer.first_name, buyer.last_name} & words


def _texts(data: str) -> Iterator[str]:
    """Every text in a payload, at any depth."""

    def within(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for each in value.values():
                yield from within(each)
        elif isinstance(value, list):
            for each in value:
                yield from within(each)

    return within(msgspec.json.decode(data))


# ── a code that the ERP does not know ───────────────────────────────────────────────────────


async def test_order_with_an_unknown_code_is_held_and_goes_on_when_the_code_is_made(
    quiet: Shop,
) -> None:
    """The exception names the nearest codes; mending it in the ERP is all that is needed."""
    price = {"amount_minor": 1_250}
    quiet.change(
        "khaos", "add_product", code="LAMP 77X", description="A lamp", sell_price=price
    )
    quiet.change("johnlewis", "list_offer", sku="LAMP-77", price=price, title="A lamp")
    async with serving(quiet):
        await quiet.until(SkuUnmatched, lambda event: event.sku == "LAMP-77")
        order_id = quiet.buy("LAMP-77", 2)
        held = await quiet.until(OrderHeld, lambda event: event.order_id == order_id)
        raised = await quiet.until(ExceptionRaised, lambda event: event.subject == order_id)
        before = quiet.order(order_id)
        quiet.change(
            "khaos",
            "add_product",
            code="LAMP-77",
            description="A lamp",
            sell_price=price,
            physical=9,
        )
        await quiet.until(SalesOrderPosted, lambda event: event.order_id == order_id)
        await quiet.until(ExceptionCleared, lambda event: event.subject == order_id)
        await quiet.until(
            ExceptionCleared,
            lambda event: (event.kind, event.subject) == ("sku_unmatched", "lamp-77"),
        )
        released = await quiet.events(OrderReleased)
    after = quiet.order(order_id)

    assert ("unknown_sku", "order_held") == (held.reason, raised.kind)
    assert "LAMP 77X" in raised.message
    assert "LAMP 77X" in held.skus[0].nearest
    assert held.money == raised.money_at_risk == before.total
    assert ("WAITING_ACCEPTANCE", ()) == (before.state, before.sales_orders)
    assert [order_id] == [each.order_id for each in released]
    assert 1 == len(after.sales_orders)
    assert before.total == after.sales_orders[0].gross_total


# ── answers that are lost, systems that are away ────────────────────────────────────────────


async def test_order_whose_answer_the_erp_lost_is_found_and_not_sent_again(
    quiet: Shop,
) -> None:
    """The ERP took the order and the connection broke: it is looked up, not posted twice."""
    quiet.fails(Fault(kind="lost_after", side="khaos", operation="ImportOrders"))
    async with serving(quiet):
        order_id = quiet.buy(quiet.an_offer())
        posted = await quiet.until(SalesOrderPosted)
        await quiet.until(ReferenceWritten)
        unknown = await quiet.events(PostingUnknown)
    order = quiet.order(order_id)

    assert (order_id, True) == (posted.order_id, posted.found_by_lookup)
    assert [order_id] == [each.order_id for each in unknown]
    assert [posted.erp_order_code] == [each.code for each in order.sales_orders]
    assert posted.erp_order_code == order.seller_reference


async def test_order_that_never_reached_the_erp_is_sent_again_after_a_look(
    quiet: Shop,
) -> None:
    """The connection broke before the ERP saw it: the look-up says so, and it is sent anew."""
    quiet.fails(Fault(kind="lost_before", side="khaos", operation="ImportOrders"))
    async with serving(quiet):
        order_id = quiet.buy(quiet.an_offer())
        posted = await quiet.until(SalesOrderPosted)
    order = quiet.order(order_id)

    assert (order_id, False) == (posted.order_id, posted.found_by_lookup)
    assert [posted.erp_order_code] == [each.code for each in order.sales_orders]


async def test_erp_that_is_away_interrupts_each_job_once_and_doubles_nothing(
    quiet: Shop,
) -> None:
    """While it is away one exception a job says so; when it is back all goes on."""
    async with serving(quiet):
        await quiet.until(StockRead)
        quiet.fails(Fault(kind="status", side="khaos", status=503, times=None))
        order_id = quiet.buy(quiet.an_offer())
        await quiet.until(JobInterrupted, lambda event: event.job == "levels")
        await quiet.until(JobInterrupted, lambda event: event.job == "posting")
        await quiet.until(OrderReceived)
        reads = len(await quiet.events(OrdersRead))
        await quiet.until(OrdersRead, count=reads + 3)
        quiet.works_again()
        await quiet.until(SalesOrderPosted)
        await _works_again(quiet, "stock", "levels")
        await _works_again(quiet, "orders", "posting")
        interrupted = Counter(each.stream for each in await quiet.events(JobInterrupted))
        resumed = Counter(each.stream for each in await quiet.events(JobResumed))
    order = quiet.order(order_id)

    assert {1} == set(interrupted.values())
    assert {"job-stock-levels", "job-orders-posting"} <= interrupted.keys()
    assert resumed <= interrupted
    assert 1 == len(order.sales_orders)


async def _works_again(shop: Shop, room: str, job: str) -> None:
    """The job said that it resumed, and the desk cleared what it had raised."""
    await shop.until(JobResumed, lambda event: (event.room, event.job) == (room, job))
    await shop.until(ExceptionCleared, lambda event: event.subject == f"{room}/{job}")


# ── who serves ──────────────────────────────────────────────────────────────────────────────


async def test_service_that_ends_gives_its_lease_back(quiet: Shop) -> None:
    """Another machine goes on at once, not after the lease has run out."""
    async with serving(quiet):
        await quiet.until(OrdersRead)
    async with serving(quiet, holder="second") as next_one:
        reads = len(await quiet.events(OrdersRead))
        await quiet.until(OrdersRead, count=reads + 1)

    assert next_one.serves
    assert next_one.ended is None


async def test_service_beside_a_living_one_is_refused_and_does_nothing(quiet: Shop) -> None:
    """One process a merchant: the second is told who has it, and for how long."""
    async with serving(quiet) as first:
        await quiet.until(OrdersRead)
        async with serving(quiet, holder="second") as second:
            refusal = await second.why_it_ended()
        reads = len(await quiet.events(OrdersRead))
        await quiet.until(OrdersRead, count=reads + 1)

    assert not second.serves
    assert isinstance(refusal, LeaseHeld)
    assert "first" == refusal.holder
    assert refusal.retry_after_s is not None
    assert refusal.retry_after_s > 0
    assert first.ended is None


async def test_service_that_was_taken_over_stops_and_leaves_the_lease_alone(
    quiet: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fenced: the former one ends at its next write, and the new one goes on undisturbed."""
    monkeypatch.setattr(service, "RENEW_S", 5.9)  # its own write, not the lease, must tell it
    async with serving(quiet, holder="here") as former:
        await quiet.until(OrdersRead)
        async with serving(quiet, holder="here") as successor:
            end = await former.why_it_ended()
            reads = len(await quiet.events(OrdersRead))
            await quiet.until(OrdersRead, count=reads + 2)
            async with serving(quiet, holder="elsewhere") as third:
                refusal = await third.why_it_ended()
            order_id = quiet.buy(quiet.an_offer())
            await quiet.until(SalesOrderPosted)

    assert isinstance(end, Fenced)
    assert successor.serves
    assert successor.ended is None
    assert isinstance(refusal, LeaseHeld)
    assert 1 == len(quiet.order(order_id).sales_orders)


# ── live systems ────────────────────────────────────────────────────────────────────────────

HERE = ("http://127.0.0.1:1", "http://localhost:1/KhaosKSD.exe")


@pytest.mark.parametrize(
    ("johnlewis", "khaos", "named"),
    [
        ("https://tenant.example", HERE[1], "johnlewis is at tenant.example"),
        (HERE[0], "https://erp.example/KhaosKSD.exe", "khaos is at erp.example"),
        ("https://127.0.0.1.tenant.example", HERE[1], "tenant.example"),
        ("https://localhost@tenant.example", HERE[1], "tenant.example"),
        ("https://10.0.0.7", HERE[1], r"10\.0\.0\.7"),
    ],
)
async def test_system_elsewhere_is_not_called_without_live_true(
    johnlewis: str, khaos: str, named: str, tmp_path: Path, database_dsn: str
) -> None:
    """Neither the check nor the service itself goes on, whoever calls it."""
    settings = settings_for(johnlewis, khaos, tmp_path)

    with pytest.raises(SettingsUnusable, match=named):
        check_outside(settings, MERCHANT)
    async with Worker.open(database_dsn, RealClock()) as worker:
        with pytest.raises(SettingsUnusable, match="live = true"):
            await run_merchant(
                settings, MERCHANT, worker=worker, holder="here", ids=RandomIds()
            )


def test_systems_on_this_machine_need_no_live_true(tmp_path: Path) -> None:
    """A sandbox is called as it stands."""
    check_outside(settings_for(*HERE, tmp_path), MERCHANT)
    check_outside(settings_for("http://[::1]:1", HERE[1], tmp_path), MERCHANT)


def test_live_systems_are_called_with_live_true(tmp_path: Path) -> None:
    """The word of the one who configures it is enough."""
    away = settings_for("https://tenant.example", "https://erp.example/KhaosKSD.exe", tmp_path)
    check_outside(msgspec.structs.replace(away, live=True), MERCHANT)


async def test_who_reads_only_needs_no_live_true(tmp_path: Path) -> None:
    """The check before going live is made before it: it writes nothing."""
    away = settings_for("https://tenant.example", "https://erp.example/KhaosKSD.exe", tmp_path)
    async with outside_alone(away, MERCHANT, clock=RealClock()) as (marketplace, erp):
        there = (marketplace is not None, erp is not None)

    assert (True, True) == there


def test_key_that_is_not_there_is_named_before_anything_starts(tmp_path: Path) -> None:
    """Which file, and what it should have held."""
    settings: Settings = settings_for(*HERE, tmp_path)
    (tmp_path / "johnlewis.key").unlink()

    with pytest.raises(SettingsUnusable, match=r"johnlewis api key: .*johnlewis\.key"):
        check_outside(settings, MERCHANT)
