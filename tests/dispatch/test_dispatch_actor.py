"""Dispatch, the shell: one confirmation a parcel, whatever answer is lost."""

from collections.abc import Callable
from typing import Literal

import pytest

from kcjl.dispatch import reading as dispatching
from kcjl.dispatch.events import (
    CarrierMapped,
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmationUnknown,
    CourierAwaitedNoMore,
    CourierUnmapped,
    DispatchClosed,
    ParcelConfirmed,
    ParcelEvent,
    ParcelShipped,
    ParcelsLeft,
    SalesOrderCancelled,
    SalesOrderNotShown,
    ShipmentsRead,
    TrackingAwaited,
)
from kcjl.errors import Refused, Unavailable
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.johnlewis.port import Shipment, ShipmentRequest, Tracking
from tests.outside.erp import parcel
from tests.outside.marketplace import marketplace_order
from tests.outside.mishaps import LOST, Killed
from tests.rooms import Premises, Process
from tests.tenant.readings import tenant_read
from tests.trade import SHIPPING

pytestmark = pytest.mark.anyio

CONFIRMATIONS = (
    ConfirmationIntended,
    ConfirmationUnknown,
    ConfirmationRefused,
    ParcelConfirmed,
    DispatchClosed,
)


def premises(orders: int = 1) -> Premises:
    """Orders of two lamps each, ready to be posted."""
    place = Premises()
    place.warehouse.put("A-1", 10_000)
    place.shop.offers_there["A-1"] = 10
    for number in range(1, orders + 1):
        place.shop.place(marketplace_order(f"O{number}", state=SHIPPING))
    return place


async def post_all(process: Process) -> None:
    await process.do("carriers", "offers", "levels", "intake", "new-skus", "posting")


async def test_parcel_that_ships_is_confirmed_once_and_the_order_closed() -> None:
    """Shipped in the warehouse, confirmed at the marketplace, done."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        await process.do("shipments", "confirm")
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm", "shipments", "confirm")

    assert ["ConfirmationIntended", "ParcelConfirmed", "DispatchClosed"] == await place.story(
        *CONFIRMATIONS
    )
    (shipment,) = place.shop.shipments_there
    assert (("O1-1", 2),) == shipment.lines
    assert "15500000000001" == shipment.tracking_number


async def test_parcel_that_is_not_shipped_is_not_seen() -> None:
    """A box that stands in the warehouse is nobody's news."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(shipped=False))
        await process.do("shipments", "confirm")

    assert [] == await place.said(ParcelEvent)


async def test_confirmation_whose_answer_was_lost_is_found_there() -> None:
    """Taken there, answer lost: found among its shipments, and no second parcel."""
    place = premises()
    place.shop.mishaps.after("create_shipment", LOST)
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm", "confirm")

    assert [
        "ConfirmationIntended",
        "ConfirmationUnknown",
        "ParcelConfirmed",
        "DispatchClosed",
    ] == await place.story(*CONFIRMATIONS)
    assert ["S1"] == [each.shipment_id for each in await place.said(ParcelConfirmed)]
    assert 1 == len(place.shop.shipments_there)


async def test_confirmation_of_a_part_whose_answer_was_lost_makes_no_second_parcel() -> None:
    """While units are left the marketplace would take it twice: so it is looked up."""
    place = premises()
    place.shop.mishaps.after("create_shipment", LOST)
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(units=1))
        await process.do("shipments", "confirm")
        place.clock.tick(3_600)
        await process.do("confirm")

    assert 1 == place.shop.mishaps.times("create_shipment")
    assert 1 == len(place.shop.shipments_there)


async def test_confirmation_that_never_arrived_is_sent_again_after_a_pause() -> None:
    """Not there: said, and sent once more."""
    place = premises()
    place.shop.mishaps.before("create_shipment", LOST)
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm", "confirm")
        assert 1 == place.shop.mishaps.times("create_shipment")
        place.clock.tick(300)
        await process.do("confirm")

    assert 2 == place.shop.mishaps.times("create_shipment")
    assert 1 == len(place.shop.shipments_there)


async def test_confirmation_that_arrives_after_the_look_makes_no_second_parcel() -> None:
    """Not there when it was looked for, there when it would be sent again: found by then."""
    place = premises()
    place.shop.mishaps.before("create_shipment", LOST)
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(units=1))
        await process.do("shipments", "confirm")
        place.shop.shipments_there.append(
            Shipment(
                shipment_id="S1",
                order_id="O1",
                status="SHIPPED",
                lines=(("O1-1", 1),),
                tracking_number="15500000000001",
            )
        )
        place.clock.tick(300)
        await process.do("confirm")

    assert 1 == place.shop.mishaps.times("create_shipment")
    (confirmed,) = await place.said(ParcelConfirmed)
    assert ("S1", True) == (confirmed.shipment_id, confirmed.already)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_restart_in_the_middle_of_a_confirmation_looks_first(
    when: Literal["before", "after"],
) -> None:
    """Killed while confirming: the new process reads the shipments before it writes."""
    place = premises()
    plan: Callable[..., None] = getattr(place.shop.mishaps, when)
    plan("create_shipment", Killed())
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel())
        with pytest.raises(Killed):
            await process.do("shipments", "confirm")

    async with place.open() as process:
        place.shop.mishaps.calls.clear()
        await process.do("confirm")
        place.clock.tick(600)
        await process.do("confirm")

    assert "shipments" == place.shop.mishaps.calls[0]
    assert 1 == len(place.shop.shipments_there)
    assert 1 == len(await place.said(ParcelConfirmed))


async def test_confirmation_refused_because_it_was_shipped_is_done_with_a_note() -> None:
    """Somebody confirmed it in the back office: that is a success, and noted as one."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel())
        place.shop.set_state("O1", "SHIPPED")
        await process.do("shipments", "confirm")

    (confirmed,) = await place.said(ParcelConfirmed)
    assert confirmed.already
    assert [] == await place.said(ConfirmationRefused)


async def test_confirmation_that_arrives_after_the_look_is_not_sent_again() -> None:
    """Law 2: not there when it was looked for, there before it is sent again (seed 62)."""
    place = premises()
    place.shop.mishaps.before("create_shipment", LOST)
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(units=1))
        await process.do("shipments", "confirm")
        await place.shop.create_shipment(
            ShipmentRequest(
                order_id="O1",
                lines=(("O1-1", 1),),
                tracking=Tracking(carrier_code="dpd", tracking_number="15500000000001"),
                package_reference="INV1/1",
            )
        )
        place.clock.tick(3_600)
        await process.do("confirm")

    assert [
        "ConfirmationIntended",
        "ConfirmationUnknown",
        "ConfirmationRefused",
        "ParcelConfirmed",
    ] == await place.story(*CONFIRMATIONS)
    assert 1 == len(place.shop.shipments_there)


async def test_parcel_in_trouble_of_an_order_that_ends_is_left_and_off_the_desk() -> None:
    """Nobody has to confirm it any more (seeds 6, 46), nor to map its courier (seed 20)."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(courier="Bike"))
        await process.do("shipments", "confirm", "judge")
        place.shop.set_state("O1", "CANCELED")
        place.clock.tick(600)
        await process.do("intake", "confirm", "confirm", "judge")

    assert ["CourierUnmapped", "ParcelsLeft", "CourierAwaitedNoMore"] == await place.story(
        CourierUnmapped, ParcelsLeft, CourierAwaitedNoMore
    )
    assert ["courier_unmapped"] == [each.kind for each in await place.said(ExceptionCleared)]


async def test_courier_that_is_renamed_is_off_the_desk_under_its_old_name() -> None:
    """The parcel waits under the new name, and one exception says so (seed 44)."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(courier="Bike"))
        await process.do("shipments", "confirm", "judge")
        place.warehouse.ship("REF-O1", parcel(courier="Bike (new)"))
        place.clock.tick(600)
        await process.do("shipments", "confirm", "judge")

    assert ["bike"] == [each.courier for each in await place.said(CourierAwaitedNoMore)]
    assert ["bike", "bike (new)"] == [
        each.subject for each in await place.said(ExceptionRaised)
    ]
    assert ["bike"] == [each.subject for each in await place.said(ExceptionCleared)]


async def test_confirmation_that_is_refused_is_said_and_tried_again() -> None:
    """A no is an exception that closes when it gets through."""
    place = premises()
    place.shop.mishaps.before("create_shipment", Refused("try later"))
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm", "judge")
        assert {"confirmation_refused:O1/INV1/1"} == set(process.desk.open)
        place.clock.tick(300)
        await process.do("confirm", "judge")

        assert set() == set(process.desk.open)


async def test_two_boxes_alike_are_two_parcels() -> None:
    """One number, one unit each: the second box is not taken for the first."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel("INV1/1", 1))
        await process.do("shipments", "confirm")
        place.shop.mishaps.before("create_shipment", LOST)
        place.warehouse.ship("REF-O1", parcel("INV1/1", 1), parcel("INV1/2", 1))
        await process.do("shipments", "confirm")
        place.clock.tick(600)
        await process.do("confirm")

    assert 2 == len(place.shop.shipments_there)
    assert "SHIPPED" == place.shop.orders_there["O1"].state_raw


async def test_without_shipments_the_order_is_tracked_then_shipped() -> None:
    """Multi-shipment off: the number, then the order as a whole."""
    place = premises()
    place.shop.multi_shipment = False
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm")

    assert "15500000000001" == place.shop.tracked["O1"].tracking_number
    assert "SHIPPED" == place.shop.orders_there["O1"].state_raw
    assert 1 == len(await place.said(ParcelConfirmed))


@pytest.mark.parametrize("call", ["set_tracking", "ship"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_without_shipments_a_crash_between_the_calls_is_a_normal_state(
    call: str, when: str
) -> None:
    """Killed between the number and the shipping: the order's state tells what is left."""
    place = premises()
    place.shop.multi_shipment = False
    getattr(place.shop.mishaps, when)(call, Killed())
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel())
        with pytest.raises(Killed):
            await process.do("shipments", "confirm")
    async with place.open() as process:
        await process.do("confirm")
        place.clock.tick(600)
        await process.do("confirm")

    assert "SHIPPED" == place.shop.orders_there["O1"].state_raw
    assert 1 == len(await place.said(ParcelConfirmed))


async def test_courier_that_a_person_maps_lets_the_parcel_go() -> None:
    """Unmapped is said once; mapped, what waited is sent and the exception closes."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(courier="Bike"))
        await process.do("shipments", "confirm", "confirm", "judge")
        assert {"courier_unmapped:bike"} == set(process.desk.open)
        await process.dispatch.couriers.map("Bike", "dpd", by="jo")
        await process.do("confirm", "judge")

        assert set() == set(process.desk.open)
    assert 1 == len(await place.said(CourierUnmapped))
    assert 1 == len(place.shop.shipments_there)


async def test_courier_mapped_to_what_the_marketplace_lacks_is_refused() -> None:
    """A carrier code that is not listed helps nobody: it is refused with the list."""
    place = premises()
    async with place.open() as process:
        await process.do("carriers")
        with pytest.raises(Refused, match=r"'bike' is no carrier code .* it has dpd, evri"):
            await process.dispatch.couriers.map("Bike", "bike", by="jo")


async def test_opening_carriers_are_mapped_once_and_a_wrong_one_stops_no_other() -> None:
    """The wrong code is said; the others are mapped; a restart maps nothing again."""
    place = premises()
    place.opening_carriers = {"Bike": "nonsense", "Van": "dpd"}
    async with place.open() as process:
        with pytest.raises(Refused):
            await process.do("carriers")
        await process.do("carriers")
    async with place.open() as process:
        await process.do("carriers")

    assert ["Van"] == [each.courier for each in await place.said(CarrierMapped)]
    assert 1 == place.shop.mishaps.times("carriers")


async def test_opening_carriers_are_mapped_after_a_kill_before_it() -> None:
    """Killed between reading the carriers and mapping: the next process maps."""
    place = premises()
    place.opening_carriers = {"Van": "dpd"}
    async with place.open() as process:
        process.dispatch.couriers._opening = {}
        await process.do("carriers")
    async with place.open() as process:
        await process.do("carriers")

    assert ["Van"] == [each.courier for each in await place.said(CarrierMapped)]


async def test_carriers_are_read_once_a_day_also_over_restarts() -> None:
    """A once-a-day call keeps its hour."""
    place = premises()
    async with place.open() as process:
        await process.do("carriers")
    place.clock.tick(86_399)
    async with place.open() as process:
        await process.do("carriers")
        assert 1 == place.shop.mishaps.times("carriers")
        place.clock.tick(1)
        await process.do("carriers")

    assert 2 == place.shop.mishaps.times("carriers")


async def test_number_that_comes_later_is_confirmed() -> None:
    """Shipped without a number: awaited, said, and confirmed when it is entered."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=""))
        await process.do("shipments", "confirm")
        place.clock.tick(4 * 3_600)
        await process.do("confirm", "judge")
        (told,) = process.desk.open.values()
        assert "shipped with DPD without a tracking number" == told.raised.message
        place.warehouse.ship("REF-O1", parcel(tracking="15500000000007"))
        await process.do("shipments", "confirm")

    assert 1 == len(await place.said(TrackingAwaited))
    assert ["", "15500000000007"] == [
        each.tracking_number for each in await place.said(ParcelShipped)
    ]
    assert "15500000000007" == place.shop.shipments_there[0].tracking_number


async def test_parcel_of_somebody_else_who_has_our_reference_is_not_confirmed() -> None:
    """The ERP was set back, and another customer's order took the number: ours is not shown."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.forget("REF-O1")
        place.warehouse.take_elsewhere("REF-O1", "BLOGGS")
        place.warehouse.ship("REF-O1", parcel())
        place.clock.tick(600)
        await process.do("shipments", "confirm")

    assert [] == await place.said(ParcelShipped)
    assert [] == place.shop.shipments_there
    (missed,) = await place.said(SalesOrderNotShown)
    assert "REF-O1" == missed.reference


async def test_order_cancelled_in_the_erp_is_said() -> None:
    """Cancelled there, wanted here: a person refunds it or enters it again."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.cancelled["REF-O1"] = "no stock"
        await process.do("shipments", "judge")

        assert {"cancelled_in_erp:O1"} == set(process.desk.open)


async def test_order_cancelled_after_posting_is_open_until_the_erp_shows_it_cancelled() -> None:
    """A task for a person, closed by what the ERP then shows; nobody is to refund it again."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.clock.tick(60)
        place.shop.set_state("O1", "CANCELED")
        await process.do("intake", "shipments", "confirm", "judge")
        assert {"cancelled_after_posting:O1"} == set(process.desk.open)
        place.warehouse.cancelled["REF-O1"] = "customer"
        await process.do("shipments", "judge")
        assert {"cancelled_after_posting:O1"} == set(process.desk.open)
        await process.do("confirm", "judge")

        assert set() == set(process.desk.open)
    assert 1 == len(await place.said(SalesOrderCancelled))


async def test_shipments_of_many_orders_are_read_in_parts_then_there_is_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each open order is asked about once a round, and a round has an end."""
    monkeypatch.setattr(dispatching, "READ_MAX", 2)
    place = premises(orders=5)
    async with place.open() as process:
        await post_all(process)
        job = next(job for job in process.dispatch.jobs if job.name == "shipments")

        due = [await job.run() for _ in range(3)]

    assert [0.0, 0.0, None] == due
    assert [2, 2, 1] == [each.asked for each in await place.said(ShipmentsRead)]


async def test_shipments_that_could_not_be_read_are_read_from_there_again() -> None:
    """A read that failed said nothing and moved nothing."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel())
        place.warehouse.mishaps.before("order_statuses", Unavailable())
        with pytest.raises(Unavailable):
            await process.do("shipments")
        await process.do("shipments")

    assert 1 == len(await place.said(ParcelShipped))


@pytest.mark.parametrize("multi_shipment", [True, False])
@pytest.mark.parametrize("answer_is_lost", [False, True])
async def test_parcel_without_a_number_goes_before_it_is_late(
    *,
    multi_shipment: bool,
    answer_is_lost: bool,
) -> None:
    """Where tracking is not mandatory: awaited, said, and confirmed without it, once."""
    place = premises()
    place.shop.multi_shipment = multi_shipment
    read = tenant_read(multi_shipment=multi_shipment, shipping_types=(("STD", False),))
    if answer_is_lost:
        place.shop.mishaps.after("create_shipment" if multi_shipment else "ship", LOST)
    async with place.open() as process:
        await process.dispatch.record(read)
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=""))
        await process.do("shipments", "confirm")
        place.clock.tick(4 * 3_600)
        await process.do("confirm")
        assert [] == await place.said(ConfirmationIntended)
        place.clock.tick(42 * 3_600)
        await process.do("intake", "confirm", "intake", "confirm")

    assert 1 == len(await place.said(TrackingAwaited))
    assert 1 == len(await place.said(ConfirmationIntended))
    assert 1 == len(await place.said(ParcelConfirmed))
    assert {} == place.shop.tracked
    assert [None] * multi_shipment == [
        each.tracking_number for each in place.shop.shipments_there
    ]
    assert "SHIPPED" == place.shop.orders_there["O1"].state_raw
