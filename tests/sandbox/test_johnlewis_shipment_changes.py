"""ST06, ST26 and ST31 of the seller API over real HTTP (johnlewis b.4)."""

import msgspec
import pytest

from kcjl.sandbox.marketplace import Order
from tests.sandbox.johnlewis_client import Client, serving
from tests.sandbox.marketplace_shop import parcel_of, quick

pytestmark = pytest.mark.anyio


def packed(client: Client) -> tuple[Order, str]:
    """An order with a parcel that has not left."""
    order = client.shop.order_to_ship()
    (made,) = client.shop.marketplace.create_shipments(
        [parcel_of(order, {0: 2}, shipped=False)]
    )
    assert made.shipment is not None
    return order, made.shipment.shipment_id


async def change(client: Client, what: str, *shipment_ids: str) -> tuple[list[object], int]:
    body = {"shipments": [{"id": shipment_id} for shipment_id in shipment_ids]}
    answer = await client.ask("PUT", f"/api/shipments/{what}", json=body)
    assert 200 == answer.status
    return [row["id"] for row in answer.rows("shipment_success")], len(
        answer.rows("shipment_errors")
    )


async def test_shipment_when_deleted_gives_its_units_back_and_is_shown_no_more() -> None:
    """ST06: the units are to ship again; a second time, and once shipped, it is an error."""
    async with serving() as client:
        order, shipment_id = packed(client)
        before = order.lines[0].to_ship
        done = await change(client, "delete", shipment_id, "none")
        again = await change(client, "delete", shipment_id)
        listed = (await client.get(f"/api/shipments?order_id={order.order_id}")).rows("data")
        every = (await client.get("/api/shipments?sort=lastUpdated,DESC")).rows("data")
        _, left = packed(client)
        await change(client, "ship", left)
        late = await change(client, "delete", left)

        assert (0, 2) == (before, order.lines[0].to_ship)
        assert ([shipment_id], 1) == done
        assert ([], 1) == again == late
        assert [] == listed == every


async def test_shipment_is_ready_for_pick_up_and_then_leaves() -> None:
    """ST26: READY_FOR_PICK_UP, from which ST24 still ships."""
    async with serving() as client:
        order, shipment_id = packed(client)
        ready = await change(client, "ready_for_pick_up", shipment_id)
        (shown,) = (
            await client.get("/api/shipments?shipment_state_code=READY_FOR_PICK_UP")
        ).rows("data")
        again = await change(client, "ready_for_pick_up", shipment_id)
        sent = await change(client, "ship", shipment_id)

        assert ([shipment_id], 0) == ready == sent
        assert shipment_id == shown["id"]
        assert ([], 1) == again
        assert 2 == order.lines[0].shipped


async def test_shipment_is_described_field_by_field() -> None:
    """ST31: what is right is kept, what is wrong is named under its shipment."""
    async with serving() as client:
        _, first = packed(client)
        _, second = packed(client)
        fields = [
            {"code": "pallet", "type": "STRING", "value": "P7"},
            {"code": "packed-on", "type": "DATE", "value": "2026-02-03"},
        ]
        wrong = [{"code": "packed-on", "type": "DATE", "value": "soon"}]
        answer = await client.ask(
            "PUT",
            "/api/shipments/additional_information",
            json={
                "shipments": [
                    {"id": first, "shipment_additional_information": fields},
                    {"shipment_id": second, "shipment_additional_information": wrong},
                    {"id": "none", "shipment_additional_information": fields},
                ]
            },
        )
        shown = {
            row["id"]: row["shipment_additional_information"]
            for row in (await client.get("/api/shipments")).rows("data")
        }
        errors = {
            row["shipment_id"]: msgspec.convert(row["errors"], list[dict[str, str]])[0]["code"]
            for row in answer.rows("shipment_update_errors")
        }

        assert [{"shipment_id": first}] == answer.rows("shipment_update_success")
        assert {second: "INVALID_VALUE", "none": "NOT_FOUND"} == errors
        assert {first: fields, second: []} == shown


async def test_shipment_says_where_it_comes_from_as_it_was_created() -> None:
    """ST01 takes shipping_from and additional information, and shows them again."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        more = [{"code": "pallet", "type": "STRING", "value": "P7"}]
        written = parcel_of(
            order,
            {0: 1},
            shipping_from={"warehouse": {"code": "MAIN"}},
            shipment_additional_information=more,
        )
        answer = await client.ask("POST", "/api/shipments", json={"shipments": [written]})
        (made,) = answer.rows("shipment_success")

        assert {"address": None, "warehouse": {"code": "MAIN"}} == made["shipping_from"]
        assert more == made["shipment_additional_information"]


@pytest.mark.parametrize("path", ["delete", "ready_for_pick_up", "additional_information"])
async def test_shipment_changes_without_the_feature_are_404(path: str) -> None:
    """Multi-shipment off: the operations are not there."""
    async with serving(quick(multi_shipment=False)) as client:
        answer = await client.ask("PUT", f"/api/shipments/{path}", json={"shipments": []})

        assert 404 == answer.status
