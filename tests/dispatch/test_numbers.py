"""Tracking numbers: missing, malformed, late, several, and on another label than before."""

from typing import Literal

import msgspec
import pytest

from kcjl.dispatch.asked import dispatch_words
from kcjl.dispatch.events import (
    ConfirmationIntended,
    ParcelConfirmed,
    SalesOrdersKept,
    TrackingIntended,
    TrackingMalformed,
    TrackingRefused,
    TrackingSent,
)
from kcjl.errors import NotFound, Refused
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.khaos.port import Parcel
from kcjl.settings import DispatchSettings
from tests.dispatch.test_dispatch_actor import post_all, premises
from tests.outside.erp import parcel
from tests.outside.mishaps import LOST, Killed
from tests.rooms import Premises, Process
from tests.tenant.readings import tenant_read

pytestmark = pytest.mark.anyio

HOUR = 3_600
DPD = "15501234567890"
OTHER = "15501234567891"

BOTH = pytest.mark.parametrize("multi_shipment", [True, False], ids=["shipments", "whole"])


async def said(process: Process, verb: str, **arguments: str) -> str | None:
    await process.dispatch.catch_up()
    return await dispatch_words(process.dispatch)[verb](arguments, "jo")


async def optional_tracking(process: Process, place: Premises) -> None:
    """A tenant whose shipping type does not demand a number."""
    types = (("STD", False),)
    read = tenant_read(multi_shipment=place.shop.multi_shipment, shipping_types=types)
    await process.dispatch.record(read)
    await post_all(process)


def told(place: Premises) -> list[str | None]:
    """The numbers that the marketplace has."""
    of_orders: list[str | None] = [each.tracking_number for each in place.shop.tracked.values()]
    return [*of_orders, *(each.tracking_number for each in place.shop.shipments_there)]


def several(*numbers: str, units: int = 2) -> Parcel:
    return msgspec.structs.replace(
        parcel(units=units, tracking=numbers[0]), more_tracking_numbers=numbers[1:]
    )


@pytest.mark.parametrize(
    ("policy", "after_wait", "near_the_end"),
    [("wait", 0, 1), ("confirm", 1, 1), ("raise", 0, 0)],
)
async def test_parcel_without_a_number_goes_as_the_merchant_has_it(
    policy: Literal["wait", "confirm", "raise"], after_wait: int, near_the_end: int
) -> None:
    """After the wait, just before it is late, or never; raised where it stays."""
    place = premises()
    place.dispatch_settings = DispatchSettings(without_tracking=policy)
    async with place.open() as process:
        await optional_tracking(process, place)
        place.warehouse.ship("REF-O1", parcel(tracking=""))
        await process.do("shipments", "confirm")
        place.clock.tick(4 * HOUR)
        await process.do("confirm", "judge")
        assert after_wait == len(place.shop.shipments_there)
        place.clock.tick(42 * HOUR)
        await process.do("confirm", "judge")
        assert near_the_end == len(place.shop.shipments_there)
        raised = set() if near_the_end else {"tracking_missing:O1/INV1/1"}
        assert raised == set(process.desk.open)


@pytest.mark.parametrize("policy", ["wait", "confirm", "raise"])
async def test_number_that_is_demanded_is_never_gone_without(
    policy: Literal["wait", "confirm", "raise"],
) -> None:
    """Whatever the merchant would like: the marketplace would refuse it."""
    place = premises()
    place.dispatch_settings = DispatchSettings(without_tracking=policy)
    async with place.open() as process:
        await process.dispatch.record(tenant_read())
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=""))
        for _ in range(6):
            await process.do("shipments", "confirm")
            place.clock.tick(12 * HOUR)

    assert [] == await place.said(ConfirmationIntended)


@BOTH
async def test_number_that_comes_after_the_confirmation_is_sent_on(
    *,
    multi_shipment: bool,
) -> None:
    """Confirmed without one, closed; entered later, the marketplace has it, once."""
    place = premises()
    place.shop.multi_shipment = multi_shipment
    place.dispatch_settings = DispatchSettings(without_tracking="confirm")
    async with place.open() as process:
        await optional_tracking(process, place)
        place.warehouse.ship("REF-O1", parcel(tracking=""))
        await process.do("shipments", "confirm")
        place.clock.tick(4 * HOUR)
        await process.do("confirm", "intake", "confirm")
        assert [True, []] == [
            process.dispatch.dispatches["O1"].closed,
            [number for number in told(place) if number],
        ]
        place.clock.tick(30 * HOUR)
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        for _ in range(3):
            await process.do("shipments", "confirm")
            place.clock.tick(HOUR)

    assert [DPD] == told(place)
    assert [DPD] == [each.tracking_number for each in await place.said(TrackingSent)]
    assert 1 == len(await place.said(ParcelConfirmed))


async def test_number_that_never_comes_is_looked_for_a_week_and_named_then() -> None:
    """A bound, and what it cuts off is said."""
    place = premises()
    place.dispatch_settings = DispatchSettings(without_tracking="confirm")
    async with place.open() as process:
        await optional_tracking(process, place)
        place.warehouse.ship("REF-O1", parcel(tracking=""))
        await process.do("shipments", "confirm")
        place.clock.tick(4 * HOUR)
        await process.do("confirm", "intake", "confirm")
        place.clock.tick(6 * 24 * HOUR)
        await process.do("shipments")
        assert [] == await place.said(SalesOrdersKept)
        place.clock.tick(24 * HOUR)
        await process.do("shipments")

    (kept,) = await place.said(SalesOrdersKept)
    assert (("O1",), ("O1",)) == (kept.order_ids, kept.without_tracking)


@BOTH
@pytest.mark.parametrize("mishap", ["nothing", "lost", "killed before", "killed after"])
async def test_parcel_that_is_labelled_anew_has_its_new_number_at_the_marketplace(
    *,
    multi_shipment: bool,
    mishap: str,
) -> None:
    """A spoilt label: the new number replaces the old one, whatever goes wrong meanwhile."""
    place = premises()
    place.shop.multi_shipment = multi_shipment
    call = "set_shipment_tracking" if multi_shipment else "set_tracking"
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        await process.do("shipments", "confirm", "intake", "confirm")
        place.warehouse.ship("REF-O1", parcel(tracking=OTHER))
        place.clock.tick(2 * HOUR)
        if mishap == "lost":
            place.shop.mishaps.after(call, LOST)
        elif mishap != "nothing":
            plan = place.shop.mishaps.before if "before" in mishap else place.shop.mishaps.after
            plan(call, Killed())
            with pytest.raises(Killed):
                await process.do("shipments", "confirm")
        await process.do("shipments", "confirm")
    async with place.open() as process:
        for _ in range(3):
            place.clock.tick(2 * HOUR)
            await process.do("shipments", "confirm")

    assert [OTHER] == told(place)
    assert 1 == len(await place.said(TrackingSent))
    assert 1 == len(await place.said(ParcelConfirmed))


async def test_new_number_that_is_refused_is_raised_and_given_up_then_retried() -> None:
    """The parcel is confirmed all the same; a person may begin anew."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        await process.do("shipments", "confirm", "intake", "confirm")
        place.warehouse.ship("REF-O1", parcel(tracking=OTHER))
        place.clock.tick(2 * HOUR)
        place.shop.mishaps.before("set_shipment_tracking", *[Refused("not now")] * 99)
        for _ in range(30):
            await process.do("shipments", "confirm", "judge")
            place.clock.tick(HOUR)
        assert {"tracking_not_sent:O1/INV1/1"} == set(process.desk.open)
        assert (await place.said(TrackingRefused))[-1].given_up
        place.shop.mishaps.mended("set_shipment_tracking")
        await process.do("confirm")
        assert [DPD] == told(place)
        await said(process, "dispatch-retry", order_id="O1", parcel_key="INV1/1")
        await process.do("confirm", "judge")
        assert set() == set(process.desk.open)

    assert [OTHER] == told(place)


async def test_malformed_number_waits_for_a_person_who_says_send_it_as_it_is() -> None:
    """Raised, never altered; the word holds for this number alone."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking="trk 1"))
        await process.do("shipments", "confirm", "judge", "shipments", "confirm")
        assert {"tracking_malformed:O1/INV1/1"} == set(process.desk.open)
        with pytest.raises(Refused, match=r"none of its parcels was refused; INV1/1 is malf"):
            await said(process, "dispatch-retry", order_id="O1")
        with pytest.raises(NotFound, match="it has INV1/1"):
            await said(process, "dispatch-as-is", order_id="O1", parcel_key="INV9")
        with pytest.raises(NotFound, match="no parcel of order O9"):
            await said(process, "dispatch-as-is", order_id="O9")
        await said(process, "dispatch-as-is", order_id="O1", reason="a trial label")
        await process.do("confirm", "judge")
        assert set() == set(process.desk.open)
        with pytest.raises(Refused, match="in doubt"):
            await said(process, "dispatch-as-is", order_id="O1")

    assert ["trk 1"] == told(place)
    assert 1 == len(await place.said(TrackingMalformed))
    assert ["a trial label"] == [each.reason for each in await place.said(ExceptionCleared)]


async def test_malformed_number_that_is_corrected_goes_by_itself() -> None:
    """The warehouse's correction is enough."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking="TRK1"))
        await process.do("shipments", "confirm", "judge")
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        await process.do("shipments", "confirm", "judge")
        assert set() == set(process.desk.open)

    assert [DPD] == told(place)


async def test_forms_can_be_switched_off() -> None:
    """A merchant with labels of his own."""
    place = premises()
    place.dispatch_settings = DispatchSettings(tracking_forms=False)
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking="TRK1"))
        await process.do("shipments", "confirm")

    assert ["TRK1"] == told(place)


async def test_new_number_that_is_malformed_is_not_sent_over_a_good_one() -> None:
    """A slip at the new label: the marketplace keeps the old number until somebody looks."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking=DPD))
        await process.do("shipments", "confirm", "intake", "confirm")
        place.warehouse.ship("REF-O1", parcel(tracking="1550"))
        place.clock.tick(2 * HOUR)
        await process.do("shipments", "confirm", "judge", "confirm")
        assert {"tracking_malformed:O1/INV1/1"} == set(process.desk.open)
        assert [DPD] == told(place)
        await said(process, "dispatch-as-is", order_id="O1")
        await process.do("confirm", "judge")
        assert set() == set(process.desk.open)

    assert ["1550"] == told(place)


@BOTH
async def test_several_consignments_in_one_field_are_told_as_the_tenant_takes_them(
    *,
    multi_shipment: bool,
) -> None:
    """A shipment each with its share; or one number, and the others named in the log."""
    place = premises()
    place.shop.multi_shipment = multi_shipment
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", several(DPD, OTHER))
        await process.do("shipments", "confirm", "shipments", "confirm")
        place.warehouse.ship("REF-O1", several(DPD, OTHER))
        await process.do("shipments", "confirm")

    assert ([DPD, OTHER] if multi_shipment else [DPD]) == told(place)
    left = [each.numbers_left for each in await place.said(ConfirmationIntended)]
    assert ([(), ()] if multi_shipment else [(OTHER,)]) == left
    assert "SHIPPED" == place.shop.orders_there["O1"].state_raw


async def test_boxes_of_an_order_that_ships_as_a_whole_are_confirmed_together() -> None:
    """One number is told, one call ships it; no box overwrites another one's number."""
    place = premises()
    place.shop.multi_shipment = False
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship(
            "REF-O1",
            parcel("INV1/1", 1, tracking=DPD),
            parcel("INV1/2", 1, tracking=OTHER),
        )
        await process.do("shipments", "confirm", "intake", "confirm")
        assert process.dispatch.dispatches["O1"].closed

    assert [DPD] == told(place)
    assert 1 == place.shop.mishaps.times("ship")
    assert ["", "INV1/1"] == [each.with_parcel for each in await place.said(ParcelConfirmed)]
    assert [(OTHER,)] == [each.numbers_left for each in await place.said(ConfirmationIntended)]
    assert [] == await place.said(TrackingIntended)


async def test_trouble_with_numbers_is_told_with_its_owner() -> None:
    """The warehouse makes the labels."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.warehouse.ship("REF-O1", parcel(tracking="TRK1"))
        await process.do("shipments", "confirm", "judge")

    assert ["warehouse"] == [each.owner for each in await place.said(ExceptionRaised)]
