"""A marketplace that does not answer: one exception with a count, and no storm of them."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from kcjl.dispatch.asked import dispatch_words
from kcjl.dispatch.events import (
    ConfirmationGivenUp,
    ConfirmationIntended,
    ConfirmationsResumed,
    ConfirmationsStopped,
    ConfirmationUnknown,
    ParcelConfirmed,
)
from kcjl.errors import OutcomeUnknown, RateLimited, Refused, Unavailable
from kcjl.exceptions.events import ExceptionRaised
from tests.dispatch.test_dispatch_actor import post_all, premises
from tests.outside.erp import parcel
from tests.outside.mishaps import LOST
from tests.rooms import Premises, Process
from tests.trade import at

pytestmark = pytest.mark.anyio

HOURS = 3_600
CALLS = ("create_shipment", "set_tracking", "ship", "shipments", "orders_by_id")


async def shipped_from(process: Process, place: Premises, count: int) -> None:
    """Orders of which each is later than the one before it in name, all sent."""
    await post_all(process)
    for number in range(1, count + 1):
        place.warehouse.ship(f"REF-O{number}", parcel(f"INV{number}/1"))
    await process.do("shipments")


def goes_down(place: Premises, calls: Sequence[str] = CALLS) -> None:
    for call in calls:
        place.shop.mishaps.before(call, *[Unavailable("503 Service Unavailable")] * 500)


async def said(process: Process, verb: str, **arguments: str) -> str | None:
    """What a person says, as the queue hands it over."""
    return await dispatch_words(process.dispatch)[verb](arguments, "jo")


def is_back(place: Premises) -> None:
    for call in CALLS:
        place.shop.mishaps.mended(call)


@pytest.mark.parametrize("multi_shipment", [True, False])
async def test_six_hours_down_are_one_exception_with_a_count_then_all_are_caught_up(
    *,
    multi_shipment: bool,
) -> None:
    """Nothing is lost, nobody is told forty times, the most urgent goes first."""
    place = premises(orders=40)
    place.shop.multi_shipment = multi_shipment
    for number, (order_id, order) in enumerate(list(place.shop.orders_there.items())):
        place.shop.place(replace(order, ship_by=at(60 * (72 - number))))
        assert order_id == order.order_id
    async with place.open() as process:
        await shipped_from(process, place, 40)
        goes_down(place)
        for _ in range(6 * 12):
            await process.do("confirm", "judge")
            place.clock.tick(300)
        assert {"confirmations_stopped:marketplace"} == set(process.desk.open)
        is_back(place)
        place.clock.tick(600)
        for _ in range(4):
            await process.do("confirm", "judge")
        assert set() == set(process.desk.open)

    raised = [each.message for each in await place.said(ExceptionRaised)]
    assert 1 == len(raised)
    assert raised[0].startswith("40 parcels wait")
    done = [each.order_id for each in await place.said(ParcelConfirmed)]
    probe, *rest = done
    assert [f"O{number}" for number in range(40, 0, -1) if f"O{number}" != probe] == rest
    assert 1 == len(await place.said(ConfirmationsResumed))
    assert len(await place.said(ConfirmationIntended)) <= 60


async def test_short_silence_is_told_to_nobody() -> None:
    """A few minutes: it is tried again, and that is all."""
    place = premises(orders=3)
    async with place.open() as process:
        await shipped_from(process, place, 3)
        place.shop.mishaps.before("create_shipment", *[Unavailable("503")] * 3)
        await process.do("confirm", "judge")
        for _ in range(4):
            place.clock.tick(150)
            await process.do("confirm", "judge")

    assert [] == await place.said(ExceptionRaised)
    assert 3 == len(await place.said(ParcelConfirmed))
    assert [False] == [each.told for each in await place.said(ConfirmationsStopped)]


async def test_writes_that_are_lost_while_reads_work_are_one_exception_too() -> None:
    """Each answer is lost and nothing arrives: after three nobody else is tried in vain."""
    place = premises(orders=20)
    async with place.open() as process:
        await shipped_from(process, place, 20)
        place.shop.mishaps.before("create_shipment", *[LOST] * 500)
        for _ in range(30):
            await process.do("confirm", "judge")
            place.clock.tick(300)
        assert {"confirmations_stopped:marketplace"} == set(process.desk.open)
        is_back(place)
        for _ in range(8):
            place.clock.tick(1_800)
            await process.do("confirm", "judge")
        assert set() == set(process.desk.open)

    assert 20 == len(place.shop.shipments_there)
    assert 20 == len(await place.said(ParcelConfirmed))


@pytest.mark.parametrize("answered", ["shipped_there", "cancelled"])
async def test_silence_for_which_nothing_waits_any_more_is_off_the_desk(answered: str) -> None:
    """Liveness: what waited was answered another way, and "0 parcels wait" stayed for ever."""
    place = premises(orders=4)
    async with place.open() as process:
        await shipped_from(process, place, 4)
        place.shop.mishaps.before("create_shipment", *[LOST] * 500)
        for _ in range(12):
            await process.do("confirm", "judge")
            place.clock.tick(300)
        assert {"confirmations_stopped:marketplace"} == set(process.desk.open)
        for number in range(1, 5):
            state = "SHIPPED" if answered == "shipped_there" else "CANCELED"
            place.shop.set_state(f"O{number}", state)
        await process.do("intake")
        for _ in range(4):
            await process.do("confirm", "judge")
            place.clock.tick(300)
        assert not [each for each in process.desk.open if "stopped" in each]

    assert 1 == len(await place.said(ConfirmationsResumed))
    assert all(each.waiting for each in await place.said(ConfirmationsStopped))


async def test_silence_goes_on_for_a_parcel_that_waits_for_its_pause() -> None:
    """Four wait, three are answered another way: whether it answers is still not known."""
    place = premises(orders=4)
    async with place.open() as process:
        await shipped_from(process, place, 4)
        place.shop.mishaps.before("create_shipment", *[LOST] * 500)
        for _ in range(12):
            await process.do("confirm", "judge")
            place.clock.tick(300)
        for number in range(1, 4):
            place.shop.set_state(f"O{number}", "SHIPPED")
        await process.do("intake")
        for _ in range(4):
            await process.do("confirm", "judge")
            place.clock.tick(300)
        assert {"confirmations_stopped:marketplace"} == set(process.desk.open)
        is_back(place)
        for _ in range(8):
            place.clock.tick(1_800)
            await process.do("confirm", "judge")
        assert set() == set(process.desk.open)


async def test_rest_that_the_marketplace_asks_for_is_kept() -> None:
    """A 429 ends the round; nothing is asked before its time."""
    place = premises(orders=3)
    async with place.open() as process:
        await shipped_from(process, place, 3)
        place.shop.mishaps.before("create_shipment", RateLimited("429", retry_after_s=90))
        await process.do("confirm")
        place.clock.tick(89)
        await process.do("confirm")
        assert 1 == place.shop.mishaps.times("create_shipment")
        place.clock.tick(1)
        await process.do("confirm", "confirm")

    assert 3 == len(place.shop.shipments_there)


async def test_parcel_that_alone_is_never_settled_holds_up_no_other_and_is_told() -> None:
    """Its look fails for ever; the others go, and somebody hears of the one."""
    place = premises(orders=4)
    async with place.open() as process:
        await shipped_from(process, place, 3)
        place.shop.mishaps.before("create_shipment", OutcomeUnknown("cut off"))
        place.shop.mishaps.before("shipments", *[Unavailable("502")] * 500)
        for _ in range(10):
            await process.do("confirm", "judge")
            place.clock.tick(300)
        assert {"O2", "O3"} == {each.order_id for each in place.shop.shipments_there}
        place.warehouse.ship("REF-O4", parcel("INV4/1"))
        for _ in range(10):
            await process.do("shipments", "confirm", "judge")
            place.clock.tick(300)
        assert {"O2", "O3", "O4"} == {each.order_id for each in place.shop.shipments_there}
        assert "confirmation_refused:O1/INV1/1" in process.desk.open
        place.shop.mishaps.mended("shipments")
        for _ in range(4):
            await process.do("confirm", "judge")
            place.clock.tick(300)
        assert set() == set(process.desk.open)

    assert [False, True] == [each.lasting for each in await place.said(ConfirmationUnknown)]
    assert 4 == len(place.shop.shipments_there)


async def test_one_parcel_whose_answer_was_lost_is_tried_again_after_its_pause() -> None:
    """Nothing else is due: whether the marketplace answers is known when it is sent again."""
    place = premises()
    async with place.open() as process:
        await shipped_from(process, place, 1)
        place.shop.mishaps.before("create_shipment", LOST)
        await process.do("confirm")
        place.clock.tick(60)
        job = next(each for each in process.dispatch.jobs if each.name == "confirm")
        assert 300 == await job.run()
        assert [] == await place.said(ConfirmationsResumed)
        place.clock.tick(300)
        await process.do("confirm")

    assert 1 == len(await place.said(ConfirmationsResumed))
    assert 1 == len(place.shop.shipments_there)


async def test_refused_for_a_day_is_given_up_with_the_last_answer_and_resumed_by_a_person() -> (
    None
):
    """Growing pauses, an end, one entry; "retry" begins anew."""
    place = premises()
    async with place.open() as process:
        await shipped_from(process, place, 1)
        place.shop.mishaps.before("create_shipment", *[Refused("no such carrier")] * 100)
        for _ in range(30):
            await process.do("confirm", "judge")
            place.clock.tick(HOURS)
        (given_up,) = await place.said(ConfirmationGivenUp)
        tried = place.shop.mishaps.times("create_shipment")
        assert {"confirmation_refused:O1/INV1/1"} == set(process.desk.open)
        is_back(place)
        await process.do("confirm")
        assert tried == place.shop.mishaps.times("create_shipment")
        await said(process, "dispatch-retry", order_id="O1")
        await process.do("confirm", "judge")
        assert set() == set(process.desk.open)

    assert (tried, "no such carrier") == (given_up.attempts, given_up.message)
    assert 1 == len(place.shop.shipments_there)
