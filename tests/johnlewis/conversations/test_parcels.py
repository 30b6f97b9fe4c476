"""ST01, ST11, ST12, ST23 and ST24, client against sandbox, happy and failing."""

from collections.abc import Awaitable, Callable

import pytest

from kcjl.errors import NotFound, Refused
from kcjl.johnlewis.parcel_port import ShipmentOutcomeKind
from kcjl.johnlewis.port import Tracking
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.test_seller_api_sandbox import BY_ROYAL_MAIL, one, parcel, serving
from tests.sandbox.marketplace_shop import BEGINNING, Shop, parcel_of, quick

pytestmark = pytest.mark.anyio

DONE, REFUSED = ShipmentOutcomeKind.DONE, ShipmentOutcomeKind.REFUSED


def waiting_parcel(shop: Shop) -> str:
    """A parcel that is packed and has not left."""
    order = shop.order_to_ship()
    (made,) = shop.marketplace.create_shipments([parcel_of(order, {0: 1}, shipped=False)])
    assert made.shipment is not None
    return made.shipment.shipment_id


async def test_parcel_is_made_and_gone() -> None:
    """ST01: the units of the lines, the tracking and our reference are in the truth."""
    async with serving() as world:
        api, kept = world.api(), world.shop.order_to_ship()
        made = await api.create_shipment(parcel(await one(api, kept.order_id), 1, 1))
        (shipment,) = world.shop.marketplace.shipments.values()

    assert (made.shipment_id, "SHIPPED") == (shipment.shipment_id, shipment.status)
    assert [1, 1] == [line.shipped for line in kept.lines]
    assert "SHIPPING" == kept.state
    assert shipment.tracking is not None
    assert "AB123456789GB" == shipment.tracking.number


async def test_parcel_of_more_than_there_is_is_refused() -> None:
    """ST01: a no inside a 201; nothing left the house."""
    async with serving() as world:
        api, kept = world.api(), world.shop.order_to_ship()
        with pytest.raises(Refused) as refusal:
            await api.create_shipment(parcel(await one(api, kept.order_id), 3, 0))

    assert (Refused, 201) == (type(refusal.value), refusal.value.status)
    assert {} == dict(world.shop.marketplace.shipments)
    assert [0, 0] == [line.shipped for line in kept.lines]


async def test_parcels_are_found_by_order_and_by_time() -> None:
    """ST11: those of the order, those since then, and none of an order that nobody knows."""
    async with serving() as world:
        api = world.api()
        one_id, other_id = waiting_parcel(world.shop), waiting_parcel(world.shop)
        kept = world.shop.marketplace.shipments
        of_one = await api.shipments(kept[one_id].order_id)
        of_both = await api.shipments_of([kept[one_id].order_id, kept[other_id].order_id])
        since = await api.shipments_updated(BEGINNING)
        later = await api.shipments_updated(world.shop.agenda.now.replace(year=2027))
        none = await api.shipments("700-B")

    assert [one_id] == [each.shipment_id for each in of_one]
    assert {one_id, other_id} == {each.shipment_id for each in of_both}
    assert {one_id, other_id} == {each.shipment_id for each in since}
    assert [] == [*later, *none]


async def test_what_is_still_to_ship_is_told_by_line() -> None:
    """ST12: what no parcel holds, of the orders that wait for parcels."""
    async with serving() as world:
        waiting_parcel(world.shop)
        (kept,) = world.shop.marketplace.orders.values()
        world.shop.order()
        (left,) = await world.api().orders_to_ship()

    assert kept.order_id == left.order_id
    assert {line.line_id: line.to_ship for line in kept.lines} == {
        item.line_id: item.quantity for item in left.items
    }


async def test_tracking_of_parcels_is_set_one_by_one() -> None:
    """ST23: done for ours, refused for nobody's and for a carrier that is not listed."""
    async with serving() as world:
        first, second = waiting_parcel(world.shop), waiting_parcel(world.shop)
        unlisted = Tracking(carrier_code="", carrier_name="Uncle Bob", tracking_number="1")
        fresh = Tracking(carrier_code="DPD", tracking_number="D2")
        told = await world.api().set_shipment_tracking(
            {first: fresh, "nobody": BY_ROYAL_MAIL, second: unlisted}
        )
        kept = world.shop.marketplace.shipments

    assert [(first, DONE), ("nobody", REFUSED), (second, REFUSED)] == [
        (each.shipment_id, each.kind) for each in told
    ]
    assert all(each.message for each in told if each.kind is REFUSED)
    numbers = [kept[each].tracking for each in (first, second)]
    assert ["D2", "AB123456789GB"] == [each.number for each in numbers if each]


async def test_parcels_leave_once() -> None:
    """ST24: done, then refused: it is on its way already; nobody's is refused too."""
    async with serving() as world:
        api, shipment_id = world.api(), waiting_parcel(world.shop)
        first = await api.ship_shipments([shipment_id, "nobody"])
        again = await api.ship_shipments([shipment_id])
        kept = world.shop.marketplace.shipments[shipment_id]
        order = world.shop.marketplace.orders[kept.order_id]

    assert [DONE, REFUSED] == [each.kind for each in first]
    assert [REFUSED] == [each.kind for each in again]
    assert ("SHIPPED", 1) == (kept.status, order.lines[0].shipped)


CALLS: dict[str, Callable[[SellerApi], Awaitable[object]]] = {
    "ST11": lambda api: api.shipments("700-A"),
    "ST12": SellerApi.orders_to_ship,
    "ST23": lambda api: api.set_shipment_tracking({"x": BY_ROYAL_MAIL}),
    "ST24": lambda api: api.ship_shipments(["x"]),
}


@pytest.mark.parametrize("operation", CALLS)
async def test_tenant_without_parcels_has_none_of_the_operations(operation: str) -> None:
    """Multi-shipment off: not found, which is another thing than no parcels (f.14)."""
    async with serving(quick(call_limits=True, multi_shipment=False)) as world:
        with pytest.raises(NotFound) as missing:
            await CALLS[operation](world.api())

    assert (404, True) == (missing.value.status, missing.value.message.startswith(operation))
