"""The kill switch: nothing is written to the outside, and everything else goes on."""

import pytest

from kcjl.exceptions.events import WritesSwitched
from kcjl.orders.events import OrderReceived, SalesOrderPosted
from tests.outside.erp import parcel
from tests.outside.marketplace import marketplace_order
from tests.outside.mishaps import Killed
from tests.rooms import Premises, Process
from tests.trade import SHIPPING

pytestmark = pytest.mark.anyio

WRITES = (
    "accept",
    "publish_stock",
    "write_seller_references",
    "set_tracking",
    "ship",
    "create_shipment",
    "create_order",
)


def premises() -> Premises:
    """One order to accept, one to post."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 3
    place.shop.place(marketplace_order("O1", state=SHIPPING), marketplace_order("O2"))
    return place


def written(place: Premises) -> list[str]:
    calls = (*place.shop.mishaps.calls, *place.warehouse.mishaps.calls)
    return [call for call in calls if call in WRITES]


async def a_round(process: Process) -> None:
    """Every job that reads, and every job that writes."""
    await process.do("carriers", "offers", "levels", "intake", "new-skus", "publish")
    await process.do("acceptance", "posting", "write-back", "shipments", "confirm", "judge")


async def test_writes_that_are_stopped_are_not_made_and_reading_goes_on() -> None:
    """Stopped: nothing is written, orders and levels are read, and it is on the desk."""
    place = premises()
    async with place.open() as process:
        await process.desk.switch_writes(allowed=False, reason="stocktaking", by="jo")
        await a_round(process)

        assert {"writes_off:service"} == set(process.desk.open)
    assert [] == written(place)
    assert 2 == len(await place.said(OrderReceived))


async def test_writes_stay_stopped_over_a_restart() -> None:
    """The switch is in the log: a new process finds it as it was."""
    place = premises()
    async with place.open() as process:
        await process.desk.switch_writes(allowed=False, reason="stocktaking", by="jo")
    async with place.open() as process:
        await a_round(process)

    assert [] == written(place)


async def test_writes_that_are_allowed_again_go_out() -> None:
    """What waited goes out, and the exception closes."""
    place = premises()
    async with place.open() as process:
        await process.desk.switch_writes(allowed=False, reason="stocktaking", by="jo")
        await a_round(process)
        await process.desk.switch_writes(allowed=True, reason="counted", by="jo")
        await a_round(process)

        assert set() == set(process.desk.open)
    assert {"accept", "publish_stock", "create_order", "write_seller_references"} == set(
        written(place)
    )


async def test_parcels_are_not_confirmed_while_writes_are_stopped() -> None:
    """A parcel that ships meanwhile waits, and is confirmed afterwards."""
    place = premises()
    async with place.open() as process:
        await a_round(process)
        await process.desk.switch_writes(allowed=False, reason="stocktaking", by="jo")
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm")
        assert 0 == place.shop.mishaps.times("create_shipment")
        await process.desk.switch_writes(allowed=True, reason="counted", by="jo")
        await process.do("confirm")

    assert 1 == place.shop.mishaps.times("create_shipment")


async def test_open_outcome_is_looked_up_while_writes_are_stopped() -> None:
    """Looking is not writing: what was sent before the stop is found."""
    place = premises()
    place.warehouse.mishaps.after("create_order", Killed())
    async with place.open() as process:
        await process.do("offers", "levels", "intake", "new-skus")
        with pytest.raises(Killed):
            await process.do("posting")
    async with place.open() as process:
        await process.desk.switch_writes(allowed=False, reason="stocktaking", by="jo")
        await process.do("posting")

    assert 1 == len(await place.said(SalesOrderPosted))
    assert ["create_order"] == written(place)


async def test_switch_carries_the_name_and_is_said_once() -> None:
    """Who, when, why; the same again is nothing new."""
    place = premises()
    async with place.open() as process:
        for _ in range(2):
            await process.desk.switch_writes(allowed=False, reason="stocktaking", by="jo")

    said = [each for each in await place.recorded() if isinstance(each.event, WritesSwitched)]
    assert ["jo"] == [each.by for each in said]
