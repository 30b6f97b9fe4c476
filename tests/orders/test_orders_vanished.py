"""What the ERP has lost is noticed, told, found again, and posted again on a person's word."""

from datetime import timedelta

import msgspec
import pytest

from kcjl.dispatch.events import DispatchEvent, SalesOrderNotShown, SalesOrdersKept
from kcjl.errors import Refused
from kcjl.exceptions.events import DeskEvent, ExceptionRaised
from kcjl.orders.events import (
    PostingApproved,
    PostingIntended,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderMissing,
    SalesOrderPosted,
    SalesOrderVanished,
)
from kcjl.orders.posting_events import ReferenceTaken
from kcjl.orders.state import ORDERS, Posting
from kcjl.orders.vanished import decide_forgone
from kcjl.stock.state import Product
from tests.outside.erp import parcel
from tests.outside.marketplace import marketplace_order
from tests.outside.mishaps import LOST
from tests.rooms import Premises, Process
from tests.trade import (
    SHIPPING,
    changed,
    gbp,
    intended,
    made_of,
    ordered,
    received,
    sealed,
    stands,
)
from tests.trade import posted as sold
from tests.trade import vanished as gone

pytestmark = pytest.mark.anyio

LIFE = (
    PostingApproved,
    PostingIntended,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderMissing,
    SalesOrderPosted,
    SalesOrderVanished,
    SalesOrderNotShown,
)
MINUTES = 60


def premises() -> Premises:
    """One order of two lamps, ready to be posted; ten lamps on the shelf."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    place.shop.place(marketplace_order(state=SHIPPING))
    return place


async def posted(process: Process) -> None:
    """Posted, seen in the ERP, and its units off the level that was read."""
    await process.do("carriers", "offers", "levels", "intake", "new-skus", "posting")
    await process.do("posting", "write-back", "shipments")


async def lost(place: Premises, process: Process) -> None:
    """The ERP forgets it, and is looked at twice."""
    place.warehouse.forget("REF-O1")
    place.clock.tick(10 * MINUTES)
    await process.do("shipments", "vanished")
    place.clock.tick(20 * MINUTES)
    await process.do("vanished", "judge")


def lamp(process: Process) -> Product:
    return process.stock.products["a-1"]


async def test_sales_order_that_the_erp_has_lost_is_told_with_money_and_deadline() -> None:
    """Law 3: nobody posts it again in silence, and nobody is left in the dark."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        await lost(place, process)
        await process.do("posting", "shipments")

    (vanished,) = await place.said(SalesOrderVanished)
    (raised,) = await place.said(ExceptionRaised)
    assert ("REF-O1", "SO-REF-O1", gbp(2_000), True) == (
        vanished.reference,
        vanished.erp_order_code,
        vanished.money,
        vanished.still_wanted,
    )
    assert timedelta(minutes=30) == vanished.occurred_at - vanished.last_seen_at
    assert ("sales_order_vanished", "O1", gbp(2_000), vanished.ship_by) == (
        raised.kind,
        raised.subject,
        raised.money_at_risk,
        raised.deadline,
    )
    assert 1 == place.warehouse.mishaps.times("create_order")


async def test_sales_order_that_one_answer_leaves_out_is_looked_up_and_not_raised() -> None:
    """A replica lags: the next look finds it, and nothing is wrong."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        taken = place.warehouse.taken.pop("REF-O1")
        place.clock.tick(10 * MINUTES)
        await process.do("shipments")
        place.warehouse.taken["REF-O1"] = taken
        place.clock.tick(20 * MINUTES)
        await process.do("vanished", "judge")

    assert [
        "PostingIntended",
        "SalesOrderPosted",
        "SalesOrderNotShown",
        "SalesOrderFoundAgain",
    ] == await place.story(*LIFE)
    assert [] == await place.said(DeskEvent)


async def test_sales_order_that_is_not_found_at_once_is_given_the_time_that_is_set() -> None:
    """Two looks, and some minutes between them: before that nothing is said."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        place.warehouse.forget("REF-O1")
        place.clock.tick(10 * MINUTES)
        await process.do("shipments", "vanished")
        place.clock.tick(19 * MINUTES)
        await process.do("vanished")

        assert [] == await place.said(SalesOrderVanished)

        place.clock.tick(1 * MINUTES)
        await process.do("vanished")

    assert 1 == len(await place.said(SalesOrderVanished))


async def test_look_whose_answer_is_lost_settles_nothing() -> None:
    """Only a clean answer counts."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        place.warehouse.forget("REF-O1")
        place.clock.tick(10 * MINUTES)
        await process.do("shipments")
        place.clock.tick(60 * MINUTES)
        place.warehouse.mishaps.before("find_order", LOST)
        with pytest.raises(type(LOST)):
            await process.do("vanished")

    assert [] == await place.said(SalesOrderVanished)


async def test_units_of_a_sales_order_that_is_not_shown_are_in_flight_again_at_once() -> None:
    """Law 4: from the first answer that leaves it out, before anybody is sure."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        place.clock.tick(5 * MINUTES)
        await process.do("levels")
        before = lamp(process)
        place.warehouse.forget("REF-O1")
        place.clock.tick(5 * MINUTES)
        await process.do("shipments")

        assert (8, 0) == (int(before.level), before.units_in_flight)
        assert (8, 2) == (int(lamp(process).level), lamp(process).units_in_flight)

        place.clock.tick(20 * MINUTES)
        await process.do("vanished", "levels")

        assert (10, 2) == (int(lamp(process).level), lamp(process).units_in_flight)


async def test_every_level_is_read_again_when_a_sales_order_has_vanished() -> None:
    """An ERP set back has moved everything, and says so of nothing."""
    place = premises()
    place.warehouse.put("B-2", 5)
    place.shop.offers_there["B-2"] = 5
    async with place.open() as process:
        await posted(process)
        place.clock.tick(180 * MINUTES)
        await process.do("levels", "levels")
        place.warehouse.asked_levels.clear()
        await lost(place, process)
        place.clock.tick(1)
        await process.do("levels")

        assert {"A-1", "B-2"} == {
            code for each in place.warehouse.asked_levels for code in each
        }

        place.warehouse.asked_levels.clear()
        place.clock.tick(10 * MINUTES)
        await process.do("levels")

        assert [("A-1",)] == place.warehouse.asked_levels


async def test_sales_order_that_is_found_again_clears_what_was_raised() -> None:
    """A person has keyed it, or the restore was undone: dispatch goes on with it."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        taken = place.warehouse.taken["REF-O1"]
        await lost(place, process)
        place.warehouse.taken["REF-O1"] = taken
        process.orders.look_now("O1")
        place.clock.tick(10 * MINUTES)
        await process.do("vanished", "judge", "write-back")
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm")

    assert ["ExceptionRaised", "ExceptionCleared"] == await place.story(DeskEvent)
    assert "ParcelConfirmed" in await place.story(DispatchEvent)
    assert 1 == place.warehouse.mishaps.times("create_order")


async def test_person_has_it_posted_again_after_one_more_look() -> None:
    """Looked up, missing, then an intention and one sales order."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        await lost(place, process)
        await process.orders.post_again("O1", reason="looked, and gone", by="ann")
        await process.orders.post_again("O1", reason="looked, and gone", by="ann")
        await process.do("posting")
        place.clock.tick(2 * MINUTES)
        await process.do("posting", "judge", "write-back")

    assert [
        "PostingIntended",
        "SalesOrderPosted",
        "SalesOrderNotShown",
        "SalesOrderVanished",
        "PostingApproved",
        "SalesOrderMissing",
        "PostingIntended",
        "SalesOrderPosted",
    ] == await place.story(*LIFE)
    assert ["ExceptionRaised", "ExceptionCleared"] == await place.story(DeskEvent)
    assert ["REF-O1"] == list(place.warehouse.taken)
    (approved,) = [
        each for each in await place.recorded() if isinstance(each.event, PostingApproved)
    ]
    assert "ann" == approved.by


async def test_sales_order_that_is_there_when_a_person_wants_it_again_is_not_posted() -> None:
    """Somebody has keyed it meanwhile: the last look finds it."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        taken = place.warehouse.taken["REF-O1"]
        await lost(place, process)
        place.warehouse.taken["REF-O1"] = taken
        await process.orders.post_again("O1", reason="gone", by="ann")
        await process.do("posting", "judge")

    assert 1 == place.warehouse.mishaps.times("create_order")
    assert (await place.said(SalesOrderPosted))[-1].found_by_lookup
    assert ["ExceptionRaised", "ExceptionCleared"] == await place.story(DeskEvent)


async def test_sales_order_that_nobody_lost_is_not_posted_again() -> None:
    """A person's slip makes no second sales order."""
    place = premises()
    async with place.open() as process:
        await posted(process)

        with pytest.raises(Refused, match="is not one that the ERP has lost"):
            await process.orders.post_again("O1", reason="why not", by="ann")
        with pytest.raises(Refused, match="there is no order O9"):
            await process.orders.post_again("O9", reason="why not", by="ann")


async def test_sales_order_whose_parcels_were_sent_is_not_posted_again() -> None:
    """Its goods would go twice; what was confirmed stays confirmed."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm")
        place.warehouse.forget("REF-O1")
        place.clock.tick(61 * MINUTES)
        await process.do("shipments")
        place.clock.tick(20 * MINUTES)
        await process.do("vanished", "judge")

        with pytest.raises(Refused, match="parcels of order O1 have been sent"):
            await process.orders.post_again("O1", reason="gone", by="ann")

    (vanished,) = await place.said(SalesOrderVanished)
    (raised,) = await place.said(ExceptionRaised)
    assert vanished.left_warehouse
    assert "stays confirmed" in raised.message


async def test_vanished_order_that_the_marketplace_cancels_is_nobodys_work_any_more() -> None:
    """The exception closes, and its units are free."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        await lost(place, process)
        place.clock.tick(10 * MINUTES)
        place.shop.set_state("O1", "CANCELED")
        await process.do("intake", "judge", "confirm")

        assert 0 == lamp(process).units_in_flight
        assert process.dispatch.dispatches["O1"].closed

    assert ["SalesOrderForgone"] == await place.story(SalesOrderForgone)
    assert ["ExceptionRaised", "ExceptionCleared"] == await place.story(DeskEvent)


async def test_vanished_order_whose_delivery_was_not_refunded_is_still_a_persons_work() -> None:
    """The merchant keeps the delivery charge: it has to be in the ERP."""
    line = msgspec.structs.replace(ordered(), shipping_price=gbp(395))
    order = received("O1", line)
    lost = made_of(
        ORDERS, "O1", order, changed(order), sealed(), intended(order), sold(order), gone(order)
    )
    goods = changed(order, "RECEIVED", stands(line, "RECEIVED", refunded=2_000))
    whole = changed(order, "RECEIVED", stands(line, "RECEIVED", refunded=2_395))

    assert () == decide_forgone(lost, goods)
    assert [SalesOrderForgone] == [type(each) for each in decide_forgone(lost, whole)]


async def test_order_that_is_done_is_looked_for_until_every_backup_has_it() -> None:
    """A day long, each hour; then no more."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm")
        asked = place.warehouse.mishaps.times("order_statuses")
        place.clock.tick(10 * MINUTES)
        await process.do("shipments")

        assert asked == place.warehouse.mishaps.times("order_statuses")

        place.clock.tick(51 * MINUTES)
        await process.do("shipments")

        assert asked + 1 == place.warehouse.mishaps.times("order_statuses")

        place.clock.tick(24 * 60 * MINUTES)
        await process.do("shipments")

        assert asked + 1 == place.warehouse.mishaps.times("order_statuses")

    assert [("O1",)] == [each.order_ids for each in await place.said(SalesOrdersKept)]


async def test_reference_that_somebody_else_has_now_is_not_the_order_found_again() -> None:
    """The ERP is set back, and another shop's order takes the number: ours is still lost, who
    has the reference is said once, and when that is renamed ours may be posted again.
    """
    place = premises()
    async with place.open() as process:
        await posted(process)
        await lost(place, process)
        place.warehouse.take_elsewhere("REF-O1", "BLOGGS")
        place.clock.tick(20 * MINUTES)
        await process.do("vanished", "judge")
        await process.do("vanished", "judge")
        lost_one = process.orders.orders["O1"]

        assert (Posting.VANISHED, True) == (lost_one.posting, lost_one.reference_taken)
        assert {"sales_order_vanished:O1", "reference_taken:O1"} == set(process.desk.open)

        place.warehouse.taken.clear()
        place.warehouse.customers.clear()
        await process.orders.post_again("O1", reason="renamed there", by="jo")
        await process.do("posting", "judge")
        place.clock.tick(2 * MINUTES)
        await process.do("posting", "judge")

        assert Posting.POSTED == process.orders.orders["O1"].posting
        assert [] == list(process.desk.open)
    assert 1 == len(await place.said(ReferenceTaken))
    assert [] == await place.said(SalesOrderFoundAgain)


async def test_doubt_is_not_settled_by_an_order_of_somebody_else() -> None:
    """The look finds the reference, with other lines of another customer: ours has vanished."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        place.warehouse.forget("REF-O1")
        place.clock.tick(10 * MINUTES)
        await process.do("shipments")
        place.warehouse.take_elsewhere("REF-O1", "BLOGGS")
        await process.do("vanished")
        place.clock.tick(20 * MINUTES)
        await process.do("vanished")

    assert [
        "PostingIntended",
        "SalesOrderPosted",
        "SalesOrderNotShown",
        "SalesOrderVanished",
    ] == await place.story(*LIFE)
    assert 1 == len(await place.said(ReferenceTaken))
