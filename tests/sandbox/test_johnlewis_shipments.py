"""The shipment operations of the seller API over real HTTP (johnlewis b.4)."""

import msgspec
import pytest

from tests.sandbox.johnlewis_client import serving
from tests.sandbox.marketplace_shop import SHIRT, parcel_of, quick

pytestmark = pytest.mark.anyio


async def test_shipments_answer_201_with_success_and_errors() -> None:
    """ST01: 201 even where items failed; errors are tied to the order id alone."""
    async with serving() as client:
        order, unready = client.shop.order_to_ship(), client.shop.order()
        answer = await client.ask(
            "POST",
            "/api/shipments",
            json={"shipments": [parcel_of(order, {0: 1}), parcel_of(unready, {0: 1})]},
        )
        (done,), (failed,) = answer.rows("shipment_success"), answer.rows("shipment_errors")
        (listed,) = (await client.get(f"/api/shipments?order_id={order.order_id}")).rows("data")

        assert answer.status == 201
        assert failed.keys() == {"order_id", "message"}
        assert failed["order_id"] == unready.order_id
        assert (done["status"], done["order_id"]) == ("SHIPPED", order.order_id)
        assert listed == done
        assert done["shipment_lines"] == [
            {
                "order_line_id": order.lines[0].line_id,
                "offer_sku": SHIRT,
                "quantity": 1,
                "package_reference": None,
            }
        ]


async def test_shipment_made_first_can_be_tracked_and_shipped_later() -> None:
    """ST01 without shipped, then ST23, then ST24; each answers per shipment."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        made = await client.ask(
            "POST",
            "/api/shipments",
            json={"shipments": [parcel_of(order, {0: 2, 1: 1}, shipped=False, tracking=None)]},
        )
        (shipment,) = made.rows("shipment_success")
        tracked = await client.ask(
            "POST",
            "/api/shipments/tracking",
            json={
                "shipments": [
                    {
                        "id": shipment["id"],
                        "tracking": {"carrier_code": "DPD", "tracking_number": "1"},
                    }
                ]
            },
        )
        shipped = await client.ask(
            "PUT",
            "/api/shipments/ship",
            json={"shipments": [{"id": shipment["id"]}, {"id": "nobody"}]},
        )

        assert shipment["status"] == "SHIPPING"
        assert tracked.json() == {
            "shipment_success": [{"id": shipment["id"]}],
            "shipment_errors": [],
        }
        assert (
            shipped.status,
            len(shipped.rows("shipment_success")),
            len(shipped.rows("shipment_errors")),
        ) == (200, 1, 1)
        assert order.state == "SHIPPED"


async def test_items_to_ship_fall_with_every_parcel() -> None:
    """ST12 shows what is still to ship, page by page."""
    async with serving() as client:
        orders = [client.shop.order_to_ship(2, 0) for _ in range(3)]
        await client.ask(
            "POST", "/api/shipments", json={"shipments": [parcel_of(orders[0], {0: 1})]}
        )
        await client.ask(
            "POST", "/api/shipments", json={"shipments": [parcel_of(orders[1], {0: 2})]}
        )
        first = await client.get("/api/shipments/items_to_ship?limit=1")
        token = first.json()["next_page_token"]
        second = await client.get(f"/api/shipments/items_to_ship?limit=1&page_token={token}")
        rows = [*first.rows("data"), *second.rows("data")]
        units = [
            (row["order_id"], line["quantity"])
            for row in rows
            for line in msgspec.convert(row["shipment_lines"], list[dict[str, object]])
        ]

        assert units == [(orders[0].order_id, 1), (orders[2].order_id, 2)]
        assert second.json()["next_page_token"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/shipments"),
        ("GET", "/api/shipments"),
        ("GET", "/api/shipments/items_to_ship"),
        ("POST", "/api/shipments/tracking"),
        ("PUT", "/api/shipments/ship"),
    ],
)
async def test_shipments_without_the_feature_are_404(method: str, path: str) -> None:
    """Multi-shipment off: the operations are not there."""
    async with serving(quick(multi_shipment=False)) as client:
        answer = await client.ask(method, path, json={"shipments": []})

        assert answer.status == 404
