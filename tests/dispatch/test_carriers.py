"""The carrier map: policy with versions, held against the marketplace's list each day."""

import pytest

from kcjl.dispatch.asked import dispatch_words
from kcjl.dispatch.carrier_map import decide_map_checked, decide_withdrawal
from kcjl.dispatch.carrier_names import nearest_carriers
from kcjl.dispatch.carriers_state import CARRIERS
from kcjl.dispatch.events import (
    CarrierMapped,
    CarriersRead,
    ConfirmationIntended,
    CourierAwaitedNoMore,
    CourierUnmapped,
    UnmappedCouriersSeen,
)
from kcjl.dispatch.policy_events import (
    CarrierMapWithdrawn,
    CouriersListed,
    MappedCarrierBack,
    MappedCarrierGone,
)
from kcjl.errors import NotFound, Refused
from kcjl.exceptions.events import ExceptionRaised
from kcjl.khaos.port import Courier
from kcjl.projections.dispatchreading import courier_rows
from kcjl.vocabulary import Event
from tests.dispatch.parcels import READ, mapped
from tests.dispatch.test_dispatch_actor import post_all, premises
from tests.outside.erp import parcel
from tests.rooms import Process
from tests.trade import at, made_of

pytestmark = pytest.mark.anyio

DAY = 86_400


def nobody(_name: str, _code: str | None) -> tuple[str, ...]:
    return ()


async def said(process: Process, verb: str, **arguments: str) -> str | None:
    await process.dispatch.catch_up()
    return await dispatch_words(process.dispatch)[verb](arguments, "jo")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("DPD Next Day", "DPD24"), ("dpd",)),
        (("Royal Mail Tracked 24",), ("RM",)),
        (("RM24",), ("RM",)),
        (("Evri Standard",), ("evri",)),
        (("Bike",), ()),
        (("",), ()),
    ],
)
def test_near_carriers_are_named_by_the_words_of_the_courier(
    names: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """What people would think of first; nothing where nothing is near."""
    carriers = (("dpd", "DPD UK"), ("evri", "Evri"), ("RM", "Royal Mail"))

    assert expected == nearest_carriers(names, carriers)


def test_carrier_that_the_marketplace_lists_no_more_is_said_once_and_when_it_is_back() -> None:
    """The map is held against the list of the day."""
    less = CarriersRead(carriers=(("evri", "Evri"),), multi_shipment=True, occurred_at=at(9))
    one = mapped("Bike", "dpd")
    (gone,) = decide_map_checked(made_of(CARRIERS, "carriers", one, less), nobody, at(10))
    known = made_of(CARRIERS, "carriers", one, less, gone)
    (back,) = decide_map_checked(
        made_of(CARRIERS, "carriers", one, less, gone, READ), nobody, at(11)
    )

    assert gone == MappedCarrierGone(courier="bike", carrier_code="dpd", occurred_at=at(10))
    assert () == decide_map_checked(known, nobody, at(11))
    assert back == MappedCarrierBack(courier="bike", carrier_code="dpd", occurred_at=at(11))
    assert () == decide_map_checked(made_of(CARRIERS, "carriers", one), nobody, at(1))


def test_courier_that_is_taken_out_counts_the_version_up() -> None:
    """A map that grows smaller is a new map."""
    known = made_of(CARRIERS, "carriers", READ, mapped("Bike", "dpd"))
    (event,) = decide_withdrawal(known, courier="BIKE", reason="sold", now=at(2))

    assert isinstance(event, CarrierMapWithdrawn)
    after = made_of(CARRIERS, "carriers", READ, mapped("Bike", "dpd"), event)
    assert (("dpd", 2), ((), 2)) == ((event.carrier_code, event.version), (after.mapped, 2))
    assert () == decide_withdrawal(after, courier="Bike", reason="", now=at(3))


async def test_courier_is_said_to_be_unmapped_before_the_box_is_shipped() -> None:
    """The first time that it is seen; mapped, the exception goes, and the parcel with it."""
    place = premises(orders=2)
    async with place.open() as process:
        await post_all(process)
        for order in ("O1", "O2"):
            place.warehouse.ship(f"REF-{order}", parcel(courier="DPD Moped", shipped=False))
        await process.do("shipments", "confirm", "judge", "shipments", "confirm", "judge")
        assert {"courier_unmapped:dpd moped"} == set(process.desk.open)
        await said(process, "map-courier", courier="dpd moped", carrier_code="dpd")
        await process.do("confirm", "shipments", "confirm", "judge")
        assert set() == set(process.desk.open)
        place.warehouse.ship("REF-O1", parcel(courier="DPD Moped"))
        await process.do("shipments", "confirm", "judge")

    (raised,) = await place.said(ExceptionRaised)
    assert "near to its name: dpd" in raised.message
    assert [] == await place.said(CourierUnmapped)
    assert 1 == len(place.shop.shipments_there)
    (intended,) = await place.said(ConfirmationIntended)
    assert 1 == intended.policy_version


async def test_box_that_goes_with_another_courier_takes_the_exception_away() -> None:
    """Renamed or packed anew before it was shipped: nobody waits for the old one."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(courier="Bike", shipped=False))
        await process.do("shipments", "confirm", "judge")
        assert {"courier_unmapped:bike"} == set(process.desk.open)
        place.warehouse.ship("REF-O1", parcel(courier="DPD"))
        await process.do("shipments", "confirm", "judge")
        assert set() == set(process.desk.open)

    assert [1, 0] == [len(each.couriers) for each in await place.said(UnmappedCouriersSeen)]
    assert ["bike"] == [each.courier for each in await place.said(CourierAwaitedNoMore)]


async def test_parcel_without_a_courier_is_raised_by_itself() -> None:
    """Nobody can map a courier that has no name."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(courier=""))
        await process.do("shipments", "confirm", "judge")
        assert {"courier_unmapped:O1/INV1/1"} == set(process.desk.open)
        place.warehouse.ship("REF-O1", parcel(courier="DPD"))
        await process.do("shipments", "confirm", "judge")
        assert set() == set(process.desk.open)


async def test_carrier_that_goes_is_on_the_desk_until_its_courier_is_mapped_anew() -> None:
    """Each day's list; the parcels wait, for the marketplace would refuse them."""
    place = premises()
    place.opening_carriers = {"Bike": "evri"}
    async with place.open() as process:
        await post_all(process)
        place.shop.carriers_shown = 1
        place.clock.tick(DAY)
        await process.do("carriers", "judge")
        assert {"carrier_gone:bike"} == set(process.desk.open)
        place.warehouse.ship("REF-O1", parcel(courier="Bike"))
        await process.do("shipments", "confirm", "judge")
        assert [] == place.shop.shipments_there
        await said(process, "map-courier", courier="Bike", carrier_code="dpd", reason="moved")
        await process.do("confirm", "judge")
        assert set() == set(process.desk.open)

    assert 1 == len(place.shop.shipments_there)
    assert ["", "moved"] == [each.reason for each in await place.said(CarrierMapped)]


async def test_words_about_the_map_say_what_came_of_them() -> None:
    """Mapped, mapped already, not a carrier, taken out, not mapped at all."""
    place = premises()
    place.warehouse.couriers_there = (Courier(name="Bike", code="B1"),)
    async with place.open() as process:
        await process.do("carriers", "couriers", "couriers")
        assert "Bike is dpd from now on" == await said(
            process, "map-courier", courier="Bike", carrier_code="dpd"
        )
        assert "has none of that name" in str(
            await said(process, "map-courier", courier="Bkie", carrier_code="dpd")
        )
        assert "already" in str(
            await said(process, "map-courier", courier="BIKE", carrier_code="dpd")
        )
        with pytest.raises(Refused, match="near to it: dpd"):
            await said(process, "map-courier", courier="Bike", carrier_code="dpd uk")
        with pytest.raises(Refused, match="say which courier"):
            await said(process, "map-courier", courier=" ", carrier_code="dpd")
        assert "mapped no more" in str(await said(process, "unmap-courier", courier="bike"))
        with pytest.raises(NotFound, match="Bike is not mapped"):
            await said(process, "unmap-courier", courier="Bike")

    assert 1 == len(await place.said(CouriersListed))


def test_rows_of_the_map_tell_what_each_courier_is() -> None:
    """Mapped, by code, of the same name, gone, waited for, and nothing at all."""
    said_of: tuple[Event, ...] = (
        READ,
        CouriersListed(
            couriers=(("Bike", "B1"), ("Evri", ""), ("Horse", ""), ("Van", "V1")),
            occurred_at=at(1),
        ),
        mapped("b1", "dpd"),
        mapped("Zeppelin", "ZZ"),
        UnmappedCouriersSeen(
            order_id="O1",
            couriers=(),
            deadline=None,
            occurred_at=at(2),
        ),
        CourierUnmapped(
            order_id="O1",
            parcel_key="INV1/1",
            courier_name="Horse",
            courier_code=None,
            deadline=None,
            occurred_at=at(2),
        ),
    )
    rows = {row.courier: row for row in courier_rows(made_of(CARRIERS, "carriers", *said_of))}

    assert {
        "b1": "mapped",
        "Bike": "mapped",
        "Evri": "same_name",
        "Horse": "waiting",
        "Van": "none",
        "zeppelin": "gone",
    } == {courier: row.state for courier, row in rows.items()}
    assert ("dpd", "DPD UK") == (rows["Bike"].carrier_code, rows["Bike"].carrier)
