"""OR12, OR30, OR31 and OR64 of the seller API over real HTTP (johnlewis b.3)."""

import msgspec
import pytest

from tests.sandbox.johnlewis_client import serving
from tests.sandbox.marketplace_shop import quick

pytestmark = pytest.mark.anyio


async def test_one_order_is_read_as_in_the_list() -> None:
    """OR12 is deprecated and still answers; an unknown order is 404."""
    async with serving() as client:
        order = client.shop.order()
        one = await client.get(f"/api/orders/{order.order_id}")
        missing = await client.get("/api/orders/700000099-A")

        assert await client.one(order) == one.json()
        assert (404, "ORDER_NOT_FOUND") == (missing.status, missing.json()["code"])


@pytest.mark.parametrize("number", [24.00, "24.00"])
async def test_cancelation_answers_what_was_asked_with_its_id(number: object) -> None:
    """OR30: amounts as numbers or as text; the order shows the cancelation and less money."""
    async with serving(quick(payment_workflow="PAY_ON_SHIPMENT")) as client:
        order = client.shop.order_to_ship()
        asked = {
            "order_line_id": order.lines[0].line_id,
            "amount": number,
            "shipping_amount": 0,
            "quantity": 1,
            "reason_code": "34",
            "taxes": [{"code": "VAT20", "amount": 4.0}],
            "shipping_taxes": [],
        }
        answer = await client.ask(
            "PUT",
            "/api/orders/cancel",
            json={"order_tax_mode": "TAX_INCLUDED", "cancelations": [asked]},
        )
        (made,) = answer.rows("cancelations")
        shown = await client.one(order)
        (line, _) = msgspec.convert(shown["order_lines"], list[dict[str, object]])
        (part,) = msgspec.convert(line["cancelations"], list[dict[str, object]])

        assert (200, "TAX_INCLUDED") == (answer.status, answer.json()["order_tax_mode"])
        assert (24.0, 1, "34") == (made["amount"], made["quantity"], made["reason_code"])
        assert made["cancelation_id"] == part["id"]
        assert (24.0, 4.8, 0.96, 5.76) == (
            part["amount"],
            part["commission_amount"],
            msgspec.convert(part["commission_taxes"], list[dict[str, object]])[0]["amount"],
            part["commission_total_amount"],
        )
        assert (24.0, 2, 43.45) == (line["price"], line["quantity"], shown["total_price"])


async def test_cancelation_that_is_not_possible_is_400_or_not_there() -> None:
    """Paid on acceptance: 400. No quantity: 400. Without the feature: 404."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        item = {
            "order_line_id": order.lines[0].line_id,
            "amount": 24,
            "shipping_amount": 0,
            "reason_code": "34",
            "taxes": [{"code": "VAT20", "amount": 4}],
        }
        statuses = []
        for body in ({**item, "quantity": 1}, item):
            call = {"cancelations": [body]}
            statuses.append((await client.ask("PUT", "/api/orders/cancel", json=call)).status)
        client.shop.marketplace.switch({"line_cancelation": False})
        off = await client.ask("PUT", "/api/orders/cancel", json={"cancelations": []})

        assert [400, 400] == statuses
        assert 404 == off.status


async def test_incident_shows_and_is_resolved() -> None:
    """has_incident, its filter, INCIDENT_OPEN on the line; OR64 answers 204."""
    async with serving() as client:
        quiet, order = client.shop.received_order(), client.shop.received_order()
        line_id = order.lines[0].line_id
        client.shop.marketplace.open_incident(line_id)
        with_one = (await client.get("/api/orders?has_incident=true")).rows("orders")
        without = (await client.get("/api/orders?has_incident=false")).rows("orders")
        (line, _) = msgspec.convert(with_one[0]["order_lines"], list[dict[str, object]])
        path = f"/api/orders/{order.order_id}/lines/{line_id}/resolve_incident"
        wrong = await client.ask("PUT", path, json={"reason_code": "17"})
        done = await client.ask("PUT", path, json={"reason_code": "22"})
        again = await client.ask("PUT", path, json={"reason_code": "22"})
        unknown = await client.ask(
            "PUT", path.replace(line_id, "nobody"), json={"reason_code": "22"}
        )

        assert [order.order_id] == [row["order_id"] for row in with_one]
        assert [quiet.order_id] == [row["order_id"] for row in without]
        assert (True, "INCIDENT_OPEN", "1") == (
            with_one[0]["has_incident"],
            line["order_line_state"],
            line["order_line_state_reason_code"],
        )
        assert [400, 204, 400, 404] == [
            answer.status for answer in (wrong, done, again, unknown)
        ]
        assert (await client.one(order))["has_incident"] is False


async def test_own_fields_are_written_whole_or_not_at_all() -> None:
    """OR31: 200 both times; the result, or the errors with what was sent."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        path = f"/api/orders/{order.order_id}/additional_fields"
        line_id = order.lines[0].line_id
        good = {
            "order_additional_fields": [{"code": "pack-note", "value": "x"}],
            "order_lines": [
                {
                    "order_line_id": line_id,
                    "order_line_additional_fields": [{"code": "serial", "value": "S1"}],
                }
            ],
        }
        bad = {
            "order_additional_fields": [
                {"code": "pack-note", "value": "y"},
                {"code": "pack-date", "value": "soon"},
                {"code": "loyalty-tier", "value": "gold"},
                {"code": "colour", "value": "blue"},
            ]
        }
        taken = (await client.ask("PUT", path, json=good)).json()
        refused = await client.ask("PUT", path, json=bad)
        shown = await client.one(order)
        (line, _) = msgspec.convert(shown["order_lines"], list[dict[str, object]])
        told = msgspec.convert(refused.json()["order_update_errors"], dict[str, object])
        errors = msgspec.convert(told["errors"], list[dict[str, str]])

        assert "order_update_errors" not in taken
        assert (200, ["pack-date", "loyalty-tier", "colour"]) == (
            refused.status,
            [error["field"] for error in errors],
        )
        assert [{"code": "pack-note", "type": "STRING", "value": "x"}] == shown[
            "order_additional_fields"
        ]
        assert [{"code": "serial", "type": "STRING", "value": "S1"}] == line[
            "order_line_additional_fields"
        ]
