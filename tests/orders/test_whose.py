"""Whose a sales order with our reference is: the rules, the room, and both kinds of ERP."""

from datetime import timedelta

import msgspec
import pytest

from kcjl.clock import chance
from kcjl.khaos.port import ErpPort
from kcjl.money import Money
from kcjl.orders.count import Sides, decide_count
from kcjl.orders.events import PostingIntended, SalesOrderMissing, SalesOrderPosted
from kcjl.orders.events_intake import OrdersCounted
from kcjl.orders.posting_events import ReferenceTaken
from kcjl.orders.state import ORDERS, OrderEntry, Posting
from kcjl.orders.whose import Holder, holder_among_ours, why_not_ours
from tests.orders.books import order
from tests.orders.elsewhere import take_elsewhere
from tests.orders.over_http import Shop, opened
from tests.outside.marketplace import marketplace_order
from tests.outside.mishaps import LOST
from tests.rooms import Premises
from tests.simulation.faces import MovingClock, adapters_over
from tests.simulation.faults import Faults
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_erp import SimulatedErp
from tests.simulation.scenario import Scenario
from tests.trade import SHIPPING, at, gbp, intended, made_of, posted, received, sealed

pytestmark = pytest.mark.anyio
replace = msgspec.structs.replace

# ── the rules ───────────────────────────────────────────────────────────────────────────────

SOMEBODY_S = Holder(
    erp_order_code="SO9",
    customer_code="BLOGGS",
    of_our_customer=False,
    sales_source="WEB",
    of_our_source=False,
)


def test_order_whose_lines_are_ours_is_ours() -> None:
    """Our lines' ids went with it: whatever a person has changed of customer and source."""
    assert "" == why_not_ours(order(), replace(SOMEBODY_S, line_refs=("O1-1",)), ())


@pytest.mark.parametrize(
    ("holder", "because"),
    [
        (replace(SOMEBODY_S, line_refs=("X-1",)), "its lines are X-1"),
        (SOMEBODY_S, "it is of customer BLOGGS"),
        (replace(SOMEBODY_S, of_our_customer=None), "its sales source is WEB"),
        (replace(SOMEBODY_S, of_our_customer=True), "its sales source is WEB"),
    ],
)
def test_order_of_another_customer_or_source_or_lines_is_not_ours(
    holder: Holder, because: str
) -> None:
    """Any of them is enough, and is said."""
    assert because in why_not_ours(order(), holder, ())


def test_order_that_says_nothing_of_whose_it_is_is_ours() -> None:
    """An ERP that tells neither is one that fetches its orders from us."""
    assert "" == why_not_ours(order(), Holder(erp_order_code="SO9"), (order(),))


def test_order_of_another_order_of_ours_is_not_this_one() -> None:
    """Two orders of one basket may have one number."""
    twin = replace(received("O2"), customer_order_number="REF-O1")
    there = made_of(ORDERS, "O2", twin, intended(twin), posted(twin))
    holder = Holder(erp_order_code="SO-O2", of_our_customer=True, of_our_source=True)

    assert "our order O2" in why_not_ours(order(), holder, (order(), there))


def test_another_order_of_ours_holds_the_reference_once_it_was_sent() -> None:
    """One that waits holds nothing yet; the first to be sent has it."""
    twin = replace(received("O2"), customer_order_number="REF-O1")
    waits = made_of(ORDERS, "O2", twin, sealed("O2"))
    sent = made_of(ORDERS, "O2", twin, sealed("O2"), intended(twin))

    assert holder_among_ours(order(), (order(), waits)) is None
    assert sent is holder_among_ours(order(), (order(), sent))


TAKEN = ReferenceTaken(
    order_id="O1",
    reference="REF-O1",
    erp_order_code="SO9",
    customer_code="BLOGGS",
    sales_source="WEB",
    because="it is of customer BLOGGS, and not of ours",
    money=gbp(2_000),
    occurred_at=at(9),
)


def test_count_takes_nobody_else_s_order_for_the_sales_order() -> None:
    """The reference is there, and the sales order is not: it is told of."""
    first = received(state=SHIPPING)
    entry = made_of(ORDERS, "O1", first, sealed(), intended(first), TAKEN)
    sides = Sides(
        since=at(0),
        began=at(600),
        at_marketplace=1,
        missed=0,
        entries=[entry],
        in_erp=frozenset({"REF-O1"}),
        listed=1,
        foreign=0,
        unsourced=0,
        strangers=(),
        told=frozenset({"O1"}),
        grace=timedelta(minutes=30),
        currency="GBP",
        by="daily",
    )

    counted = next(e for e in decide_count(sides, {}, at(601)) if isinstance(e, OrdersCounted))

    assert (0, 1) == (counted.with_sales_order.orders, counted.told.orders)


# ── the room ────────────────────────────────────────────────────────────────────────────────


def premises(*order_ids: str) -> Premises:
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    for each in order_ids or ("O1",):
        place.shop.place(marketplace_order(each, state=SHIPPING))
    return place


READ = ("offers", "levels", "intake", "new-skus")


async def test_reference_of_somebody_else_is_never_taken_as_ours() -> None:
    """The ERP says that it is there: by whom is said, and nothing of it is ours."""
    place = premises()
    place.warehouse.take_elsewhere("REF-O1", "BLOGGS")
    async with place.open() as process:
        await process.do(*READ, "posting", "judge")
        place.clock.tick(86_400)
        await process.do("posting", "judge", "write-back")
        entry = process.orders.orders["O1"]

        assert (Posting.REFUSED, "") == (entry.posting, entry.erp_order_code)
        assert {"reference_taken:O1"} == set(process.desk.open)
        message = process.desk.open["reference_taken:O1"].raised.message
        assert "REF-O1 on another order, SO-BLOGGS (customer BLOGGS" in message
    assert [] == await place.said(SalesOrderPosted)
    assert {} == place.shop.references
    assert 1 == place.warehouse.mishaps.times("create_order")


async def test_lost_answer_that_is_looked_up_finds_somebody_else_s_order() -> None:
    """The look-up before a second posting: what is there is not what we sent."""
    place = premises()
    place.warehouse.mishaps.before("create_order", LOST)
    async with place.open() as process:
        await process.do(*READ)
        place.warehouse.take_elsewhere("REF-O1", "BLOGGS")
        await process.do("posting")

    (taken,) = await place.said(ReferenceTaken)
    assert ("BLOGGS", "SO-BLOGGS") == (taken.customer_code, taken.erp_order_code)


async def test_reference_that_is_free_again_is_posted_on_a_person_s_word() -> None:
    """The other order has another reference now: looked up once more, sent, and cleared."""
    place = premises()
    place.warehouse.take_elsewhere("REF-O1", "BLOGGS")
    async with place.open() as process:
        await process.do(*READ, "posting", "judge")
        place.warehouse.taken.clear()
        place.warehouse.customers.clear()
        await process.orders.accepting.retry("O1", reason="renamed there", by="jo")
        await process.do("posting", "judge")
        assert [] == list(process.desk.open)
        place.clock.tick(3_600)
        await process.do("posting", "judge")
        assert Posting.POSTED == process.orders.orders["O1"].posting

    assert 1 == len(await place.said(SalesOrderMissing))
    assert 1 == len(await place.said(SalesOrderPosted))


async def test_two_orders_of_one_number_are_never_one_sales_order() -> None:
    """The first is posted, the second is not sent at all, and it is said which has it."""
    place = premises("O1")
    twin = replace(marketplace_order("O2", state=SHIPPING), customer_order_number="REF-O1")
    place.shop.place(twin)
    async with place.open() as process:
        await process.do(*READ, "posting")

    assert ["O1"] == [each.order_id for each in await place.said(PostingIntended)]
    (taken,) = await place.said(ReferenceTaken)
    assert ("O2", True) == (taken.order_id, "our order O1" in taken.because)


# ── the sandbox, and the simulated ERP ──────────────────────────────────────────────────────


def unposted(shop: Shop) -> OrderEntry:
    return next(
        each
        for each in shop.room.orders.values()
        if not each.erp_order_code and not each.passed_over
    )


async def test_reference_of_the_web_site_is_not_taken_over_http() -> None:
    """The sandbox's web service skips the second one, and shows whose the first one is."""
    async with opened() as (shop, _):
        for _ in range(8):
            shop.clock.at += timedelta(minutes=15)
            shop.world.agenda.advance(shop.clock.at)
            await shop.do("intake")
            if any(each.state == "SHIPPING" for each in shop.room.orders.values()):
                break
        entry = unposted(shop)
        take_elsewhere(shop.world, entry.reference)
        await shop.later(1)
        await shop.later(1)
        entry = shop.room.orders[entry.order_id]

        assert "" == entry.erp_order_code
        assert ["reference_taken"] == shop.kinds(entry.order_id)


async def shown(erp: ErpPort, reference: str) -> tuple[object, ...]:
    status = await erp.find_order(reference)
    assert status is not None
    return (status.customer_code, status.of_our_customer, status.gross_total)


async def test_simulated_erp_says_whose_an_order_is_as_the_sandbox_does() -> None:
    """The same order, over HTTP and in one step."""
    world = Scenario(seed=5).world()
    clock = MovingClock(world.starts_at, world)
    take_elsewhere(world, "JL-1")
    async with adapters_over(world, clock) as outside:
        over_http = await shown(outside.erp, "JL-1")

    calm = Mishaps(Faults(), chance("calm"), clock)
    assert ("SHOPFRONT", False, Money(500)) == over_http
    assert over_http == await shown(SimulatedErp(world, calm, clock), "JL-1")
