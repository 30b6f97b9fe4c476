"""Numbers that come when the order is received, or when its confirmation was lost."""

import pytest

from kcjl.dispatch.events import (
    ConfirmationIntended,
    ParcelConfirmed,
    TrackingIntended,
    TrackingRefused,
    TrackingSent,
)
from kcjl.errors import Refused, Unavailable
from kcjl.exceptions.events import ExceptionRaised
from kcjl.johnlewis.port import ShipmentRequest
from kcjl.settings import DispatchSettings
from tests.dispatch.test_dispatch_actor import post_all, premises
from tests.dispatch.test_numbers import (
    BOTH,
    DPD,
    HOUR,
    OTHER,
    optional_tracking,
    said,
    told,
)
from tests.outside.erp import parcel
from tests.outside.mishaps import LOST

pytestmark = pytest.mark.anyio


@BOTH
@pytest.mark.parametrize("state", ["TO_COLLECT", "RECEIVED", "CLOSED"])
async def test_new_number_of_an_order_that_is_received_is_not_sent_but_told_with_steps(
    *,
    multi_shipment: bool,
    state: str,
) -> None:
    """The marketplace would refuse it: a person hears what to do, at once and once."""
    place = premises()
    place.shop.multi_shipment = multi_shipment
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        await process.do("shipments", "confirm", "intake", "confirm")
        place.shop.set_state("O1", state)
        place.clock.tick(2 * HOUR)
        place.warehouse.ship("REF-O1", parcel(tracking=OTHER))
        await process.do("intake", "shipments", "confirm", "judge", "confirm", "judge")
        assert {"tracking_not_sent:O1/INV1/1"} == set(process.desk.open)
        with pytest.raises(Refused, match=f"O1 is {state}"):
            await said(process, "dispatch-retry", order_id="O1")

    (raised,) = await place.said(ExceptionRaised)
    assert [] == await place.said(TrackingIntended)
    assert raised.message.startswith(f"the number {OTHER} is not taken: the order is {state}")
    assert f"it has {DPD}" in raised.message
    assert "send it to the marketplace's support: order O1" in raised.message


async def test_number_that_waits_to_be_sent_on_is_told_when_the_order_is_received() -> None:
    """It was refused, and then the customer had the parcel: nothing is tried for ever."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        await process.do("shipments", "confirm", "intake", "confirm")
        place.warehouse.ship("REF-O1", parcel(tracking=OTHER))
        place.clock.tick(2 * HOUR)
        place.shop.mishaps.before("set_shipment_tracking", *[Refused("not now")] * 99)
        await process.do("shipments", "confirm")
        place.shop.set_state("O1", "RECEIVED")
        place.clock.tick(2 * HOUR)
        await process.do("intake", "confirm", "confirm")

    assert [False, True] == [each.given_up for each in await place.said(TrackingRefused)]
    assert 1 == place.shop.mishaps.times("set_shipment_tracking")


@BOTH
async def test_number_whose_answers_were_lost_is_looked_for_before_it_is_given_up(
    *, multi_shipment: bool
) -> None:
    """It had arrived: nobody is told that the marketplace lacks what it has."""
    call = "set_shipment_tracking" if multi_shipment else "set_tracking"
    place = premises()
    place.shop.multi_shipment = multi_shipment
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        await process.do("shipments", "confirm", "intake", "confirm")
        place.warehouse.ship("REF-O1", parcel(tracking=OTHER))
        place.clock.tick(2 * HOUR)
        place.shop.mishaps.after(call, LOST)
        await process.do("shipments", "confirm")
        place.shop.set_state("O1", "RECEIVED")
        place.shop.mishaps.before(
            "shipments" if multi_shipment else "orders_by_id", Unavailable("503")
        )
        place.clock.tick(2 * HOUR)
        await process.do("intake", "confirm", "judge")
        assert [False] == [each.given_up for each in await place.said(TrackingRefused)]
        place.clock.tick(HOUR)
        await process.do("confirm", "confirm", "judge")
        assert set() == set(process.desk.open)

    assert [OTHER] == told(place)
    assert [OTHER] == [each.tracking_number for each in await place.said(TrackingSent)]
    raised = {each.kind for each in await place.said(ExceptionRaised)}
    assert raised <= {"confirmations_stopped"}
    assert 1 + (not multi_shipment) == place.shop.mishaps.times(call)


async def test_number_that_is_put_back_in_the_erp_is_nobodys_task_any_more() -> None:
    """The slip is mended: the marketplace has had this number all along."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        await process.do("shipments", "confirm", "intake", "confirm")
        place.shop.set_state("O1", "RECEIVED")
        place.warehouse.ship("REF-O1", parcel(tracking=OTHER))
        place.clock.tick(2 * HOUR)
        await process.do("intake", "shipments", "confirm", "judge")
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        place.clock.tick(2 * HOUR)
        await process.do("shipments", "confirm", "judge")
        assert set() == set(process.desk.open)

    assert 1 == len(await place.said(ExceptionRaised))


async def test_mistyped_number_of_an_order_that_is_received_is_a_slip_and_no_advice() -> None:
    """Nobody is told to give a customer a number that is none."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        await process.do("shipments", "confirm", "intake", "confirm")
        place.shop.set_state("O1", "RECEIVED")
        place.clock.tick(2 * HOUR)
        place.warehouse.ship("REF-O1", parcel(tracking="SLIP"))
        await process.do("intake", "shipments", "confirm", "judge", "confirm", "judge")

        assert {"tracking_malformed:O1/INV1/1"} == set(process.desk.open)


@pytest.mark.parametrize("number_comes", ["before it is found", "after it"])
async def test_number_of_a_parcel_whose_confirmation_came_through_late_is_sent_on(
    number_comes: str,
) -> None:
    """Found by simulation (seed 18): taken for shipped by others, its number was never sent."""
    place = premises()
    place.dispatch_settings = DispatchSettings(without_tracking="confirm")
    async with place.open() as process:
        await optional_tracking(process, place)
        place.warehouse.ship("REF-O1", parcel(tracking=""))
        await process.do("shipments")
        place.clock.tick(4 * HOUR)
        place.shop.mishaps.before("create_shipment", LOST)
        await process.do("confirm")
        (intended,) = await place.said(ConfirmationIntended)
        lines = tuple((each.line_id, each.quantity) for each in intended.lines)
        late = ShipmentRequest(
            order_id="O1", lines=lines, tracking=None, package_reference="INV1/1"
        )
        await place.shop.create_shipment(late)
        place.shop.set_state("O1", "SHIPPED")
        if number_comes == "before it is found":
            place.warehouse.ship("REF-O1", parcel(tracking=DPD))
            await process.do("shipments")
        await process.do("intake", "confirm", "confirm")
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        for _ in range(3):
            place.clock.tick(2 * HOUR)
            await process.do("shipments", "confirm", "judge")
        assert set() == set(process.desk.open)
        assert process.dispatch.dispatches["O1"].closed

    assert [DPD] == told(place)
    (confirmed,) = await place.said(ParcelConfirmed)
    assert confirmed.shipment_id


async def test_parcels_that_go_without_a_number_are_counted_in_a_silence() -> None:
    """Seen by hand: "0 parcels wait", and fourteen did."""
    place = premises(orders=4)
    place.dispatch_settings = DispatchSettings(without_tracking="confirm")
    async with place.open() as process:
        await optional_tracking(process, place)
        for number in range(1, 5):
            place.warehouse.ship(f"REF-O{number}", parcel(f"INV{number}/1", tracking=""))
        await process.do("shipments")
        place.clock.tick(4 * HOUR)
        for call in ("create_shipment", "shipments"):
            place.shop.mishaps.before(call, *[Unavailable("503")] * 99)
        for _ in range(8):
            await process.do("confirm", "judge")
            place.clock.tick(300)

        assert {"confirmations_stopped:marketplace"} == set(process.desk.open)

    (raised,) = await place.said(ExceptionRaised)
    assert raised.message.startswith("4 parcels wait")
