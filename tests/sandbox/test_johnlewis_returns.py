"""The return operations of the seller API over real HTTP (johnlewis b.5)."""

import msgspec
import pytest

from tests.sandbox.johnlewis_client import Answer, Client, serving
from tests.sandbox.marketplace_shop import quick

pytestmark = pytest.mark.anyio

CALLS = (
    ("GET", "/api/returns"),
    ("GET", "/api/returns/items_to_return"),
    ("POST", "/api/returns"),
    ("PUT", "/api/returns"),
    ("PUT", "/api/returns/accept"),
    ("PUT", "/api/returns/receive"),
    ("PUT", "/api/returns/compliance"),
    ("PUT", "/api/returns/close"),
    ("PUT", "/api/returns/cancel"),
)


async def put(client: Client, path: str, *items: dict[str, object]) -> Answer:
    return await client.ask("PUT", f"/api/returns{path}", json={"returns": list(items)})


async def test_return_is_shown_as_the_contract_composes_it() -> None:
    """RT11: every field is there; what is not said is null."""
    async with serving() as client:
        order = client.shop.received_order()
        line_id = order.lines[0].line_id
        made = client.shop.marketplace.open_return(line_id)
        (shown,) = (await client.get("/api/returns")).rows("data")

        assert shown == {
            "id": made.return_id,
            "state": "WAITING_ACCEPTANCE",
            "order_id": order.order_id,
            "order_commercial_id": order.commercial_id,
            "date_created": "2026-02-04T08:02:22Z",
            "last_updated": "2026-02-04T08:02:22Z",
            "reason_code": "RETURN_CHANGED_MIND",
            "method_code": "RETURN_METHOD_BY_MAIL",
            "rma": "RMA-1001",
            "label_url": None,
            "description": None,
            "rejection_reason_code": None,
            "tracking": None,
            "return_address": {
                "company": "Example Brand Ltd",
                "street1": "2 Dock Road",
                "street2": None,
                "city": "Hull",
                "zip_code": "HU1 1AA",
                "country_iso_code": "GBR",
            },
            "documents": [],
            "return_lines": [
                {
                    "order_line_id": line_id,
                    "quantity": 1,
                    "reason_code": "RETURN_CHANGED_MIND",
                    "compliance": None,
                }
            ],
        }


async def test_return_is_taken_through_its_states_by_the_shop() -> None:
    """RT01, RT04, RT21, RT25, RT26, RT27: 200 each, successes and errors item by item."""
    async with serving() as client:
        order = client.shop.received_order()
        line_id = order.lines[0].line_id
        wanted = {
            "order_commercial_id": order.commercial_id,
            "return_lines": [
                {"order_line_id": line_id, "quantity": 1, "reason_code": "RETURN_WRONG_PRODUCT"}
            ],
        }
        strange = {**wanted, "order_commercial_id": "700000099"}
        created = await client.ask("POST", "/api/returns", json={"returns": [wanted, strange]})
        (made,) = created.rows("return_success")
        named = {"id": made["id"]}
        tracked = await put(client, "", {**named, "rma": "R-7", "tracking": {
            "carrier_code": "RM", "tracking_number": "ZZ1"}})  # fmt: skip
        accepted = await put(client, "/accept", {**named, "accepted": True}, {"id": "none"})
        received = await put(client, "/receive", named)
        judged = await put(client, "/compliance", {**named, "return_lines": [{
            "order_line_id": line_id, "compliant": False,
            "non_compliance_reason_code": "RETURN_NON_COMPLIANT_DAMAGED_PRODUCT",
            "non_compliance_additional_info": "scratched"}]})  # fmt: skip
        closed = await put(client, "/close", named)
        again = await put(client, "/cancel", named)
        (shown,) = (await client.get(f"/api/returns?return_id={made['id']}")).rows("data")

        assert created.rows("return_errors")[0]["order_commercial_id"] == "700000099"
        answers = (created, tracked, accepted, received, judged, closed, again)
        assert {200} == {answer.status for answer in answers}
        assert [named] == accepted.rows("return_success") == closed.rows("return_success")
        assert "none" == accepted.rows("return_errors")[0]["id"]
        assert [] == again.rows("return_success")
        assert ("CLOSED", "R-7") == (shown["state"], shown["rma"])
        assert "ZZ1" == msgspec.convert(shown["tracking"], dict[str, object])["tracking_number"]
        (line,) = msgspec.convert(shown["return_lines"], list[dict[str, object]])
        assert line["compliance"] == [
            {
                "compliant": False,
                "non_compliance_reason_code": "RETURN_NON_COMPLIANT_DAMAGED_PRODUCT",
                "non_compliance_additional_info": "scratched",
            }
        ]


async def test_returns_are_filtered_and_come_in_pages() -> None:
    """RT11's filters, one by one, and a token to the last page."""
    async with serving() as client:
        orders, made = [], []
        for _ in range(3):
            order = client.shop.received_order()
            orders.append(order)
            made += [client.shop.marketplace.open_return(line.line_id) for line in order.lines]
        client.shop.wait(hours=1)
        client.shop.marketplace.cancel_returns([made[0].return_id])
        counts = {
            "": 6,
            f"return_id={made[0].return_id}&return_id={made[1].return_id}": 2,
            "return_state=CANCELED": 1,
            "return_state=CANCELED,WAITING_ACCEPTANCE": 6,
            f"order_commercial_id={orders[1].commercial_id}": 2,
            f"order_line_id={orders[2].lines[1].line_id}": 1,
            f"return_rma={made[3].rma}": 1,
            "customer_id=C-881": 6,
            "customer_id=nobody": 0,
            f"return_creation_date_from={made[2].created_at:%Y-%m-%dT%H:%M:%SZ}": 4,
            f"return_creation_date_to={made[2].created_at:%Y-%m-%dT%H:%M:%SZ}": 4,
            f"return_last_updated_from={made[0].updated_at:%Y-%m-%dT%H:%M:%SZ}": 1,
            f"return_last_updated_to={made[1].updated_at:%Y-%m-%dT%H:%M:%SZ}": 1,
        }
        found = {
            query: len((await client.get(f"/api/returns?limit=100&{query}")).rows("data"))
            for query in counts
        }
        pages: list[object] = []
        token = ""
        while True:
            answer = await client.get(f"/api/returns?limit=4&sort=date_created,DESC{token}")
            pages += [row["id"] for row in answer.rows("data")]
            following = answer.json()["next_page_token"]
            if following is None:
                break
            token = f"&page_token={following}"
        wrong = await client.get("/api/returns?return_state=LOST")

        assert counts == found
        assert [each.return_id for each in reversed(made)] == pages
        assert 400 == wrong.status


async def test_items_to_return_say_what_can_still_come_back() -> None:
    """RT12: units that were sent and are in no return; a page a line."""
    async with serving() as client:
        order = client.shop.received_order()
        client.shop.order_to_ship()
        client.shop.marketplace.open_return(order.lines[0].line_id)
        answer = await client.get("/api/returns/items_to_return?limit=1")
        rest = await client.get(
            f"/api/returns/items_to_return?page_token={answer.json()['next_page_token']}"
        )
        named = await client.get(
            f"/api/returns/items_to_return?order_line_id={order.lines[1].line_id}"
        )

        (first,) = answer.rows("data")
        assert (order.lines[0].line_id, 1, 30) == (
            first["order_line_id"],
            first["returnable_quantity"],
            first["return_window"],
        )
        assert [order.lines[1].line_id] == [row["order_line_id"] for row in rest.rows("data")]
        assert rest.rows("data") == named.rows("data")


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_returns_without_the_module_are_404(method: str, path: str) -> None:
    """Returns off: the operations are not there, and PC01 says so."""
    async with serving(quick(returns_module=False)) as client:
        answer = await client.ask(method, path, json={"returns": []})
        features = (await client.get("/api/platform/configuration")).json()["features"]

        assert 404 == answer.status
        off = {"marketplace": False, "drop_ship": False, "one_creditor": False}
        assert off == msgspec.convert(features, dict[str, object])["returns"]


@pytest.mark.parametrize(("method", "path", "most"), [(*CALLS[2], 200), (*CALLS[5], 100)])
async def test_returns_above_the_limit_are_400(method: str, path: str, most: int) -> None:
    """RT01 takes 200, the others 100; none is no call at all."""
    async with serving() as client:
        item = {"id": "x", "order_commercial_id": "7", "return_lines": []}
        statuses = [
            (await client.ask(method, path, json={"returns": [item] * count})).status
            for count in (0, most, most + 1)
        ]

        assert [400, 200, 400] == statuses
