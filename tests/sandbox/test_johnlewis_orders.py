"""The order operations of the seller API over real HTTP (johnlewis b.3)."""

from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from tests.sandbox.johnlewis_client import serving
from tests.sandbox.marketplace_shop import SHIRT, SOCKS, quick, refund_of

pytestmark = pytest.mark.anyio


async def test_order_is_shown_as_the_contract_composes_it() -> None:
    """OR11 of the worked example, after its debit: amounts, taxes, dates, address."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        shown = await client.one(order)
        lines = msgspec.convert(shown["order_lines"], list[dict[str, object]])
        customer = msgspec.convert(shown["customer"], dict[str, object])

        assert [shown[name] for name in ("price", "shipping_price", "total_price")] == [
            63.5,
            3.95,
            67.45,
        ]
        assert (
            shown["total_commission"],
            shown["currency_iso_code"],
            shown["order_state"],
        ) == (16.19, "GBP", "SHIPPING")
        assert (
            lines[0]["commission_fee"],
            lines[0]["commission_vat"],
            lines[0]["total_commission"],
        ) == (10.39, 2.08, 12.47)
        assert lines[0]["taxes"] == [
            {
                "code": "VAT20",
                "amount": 8.0,
                "rate": 20,
                "tax_calculation_rule": "PROPORTIONAL_TO_AMOUNT",
            }
        ]
        assert tuple(
            msgspec.convert(part, list[dict[str, object]])[0]["amount"]
            for part in (lines[0]["shipping_taxes"], lines[1]["taxes"])
        ) == (0.66, 2.58)
        assert (
            msgspec.convert(customer["shipping_address"], dict[str, object])["city"] == "Leeds"
        )
        assert shown["shipping_deadline"] == "2026-02-05T23:59:59.999Z"
        assert shown["created_date"] == "2026-02-03T08:01:22Z"
        assert shown["customer_debited_date"] == "2026-02-03T08:02:22.345Z"
        assert shown["references"] == {
            "order_reference_for_customer": order.customer_order_number,
            "order_reference_for_seller": None,
        }


async def test_amounts_are_written_as_exact_json_numbers() -> None:
    """67.45 stands in the bytes as 67.45, not as a string and not as a float's shadow."""
    async with serving() as client:
        order = client.shop.order()
        answer = await client.get(f"/api/orders?order_ids={order.order_id}")

        assert b'"total_price":67.45,' in answer.body
        assert b'"commission_fee":10.39,' in answer.body


@pytest.mark.parametrize(
    ("visible_from", "shown"),
    [
        ("CREATION", [True, True, True]),
        ("ACCEPTANCE", [False, True, True]),
        ("SHIPPING", [False, False, True]),
    ],
)
async def test_addresses_are_hidden_until_the_tenant_shows_them(
    visible_from: str, shown: list[bool]
) -> None:
    """Null before, filled after; both addresses alike."""
    async with serving(quick(addresses_visible_from=visible_from)) as client:
        order = client.shop.order()
        seen = []
        for step in range(3):
            if step == 1:
                client.shop.decide(order)
            if step == 2:
                client.shop.wait(seconds=60)
            customer = msgspec.convert((await client.one(order))["customer"], dict[str, object])
            seen.append(customer["shipping_address"] is not None)
            assert (customer["billing_address"] is None) == (
                customer["shipping_address"] is None
            )

        assert seen == shown


async def test_accept_answers_204_without_a_body_and_the_order_shows_again() -> None:
    """OR21: done is 204; the order's update date moves, and so do its lines'."""
    async with serving() as client:
        order = client.shop.order()
        client.shop.wait(seconds=100)
        since = "2026-02-03T08:02:40Z"
        early = await client.get(f"/api/orders?start_update_date={since}")
        client.shop.wait(seconds=100)
        answer = await client.ask(
            "PUT",
            f"/api/orders/{order.order_id}/accept",
            json={
                "order_lines": [
                    {"id": line.line_id, "accepted": True, "why": "new"} for line in order.lines
                ]
            },
        )
        late = await client.get(f"/api/orders?start_update_date={since}")

        assert (answer.status, answer.body) == (204, b"")
        assert (early.json()["total_count"], late.json()["total_count"]) == (0, 1)
        assert client.gate.changes[-1][1] == "accept"


async def test_accept_in_the_wrong_state_names_its_code() -> None:
    """OR21 twice: 400 with ORDER_INVALID_STATE, in both forms of the error body."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        body = {"order_lines": [{"id": line.line_id, "accepted": True} for line in order.lines]}
        answer = await client.ask("PUT", f"/api/orders/{order.order_id}/accept", json=body)

        assert answer.status == 400
        assert answer.json()["code"] == "ORDER_INVALID_STATE"
        assert answer.rows("errors")[0]["code"] == "ORDER_INVALID_STATE"


async def test_update_filter_reaches_a_little_into_the_past() -> None:
    """start_update_date is moved by the server: repeats happen by design."""
    async with serving(quick(boundary_overlap_s=60)) as client:
        client.shop.order()  # created at 08:01:22
        totals = [
            (await client.get(f"/api/orders?start_update_date=2026-02-03T{time}Z")).json()[
                "total_count"
            ]
            for time in ("08:02:22", "08:02:23")
        ]
        with_offset = await client.get(
            "/api/orders?start_update_date=2026-02-03T08:02:22%2B00:00"
        )

        assert totals == [1, 0]
        assert with_offset.json()["total_count"] == 1


async def test_orders_come_in_creation_order_ten_a_page() -> None:
    """OR11: offset pages by creation, however the orders were updated since."""
    async with serving() as client:
        client.shop.stock({SHIRT: 100, SOCKS: 100})
        orders = [client.shop.order(1, 0) for _ in range(25)]
        client.shop.wait(seconds=5)
        client.shop.decide(orders[3])
        first = await client.get("/api/orders")
        last = await client.get("/api/orders?max=10&offset=20")
        turned = await client.get("/api/orders?order=desc&max=1")
        capped = await client.get("/api/orders?max=500")

        assert [row["order_id"] for row in first.rows("orders")] == [
            order.order_id for order in orders[:10]
        ]
        assert [row["order_id"] for row in last.rows("orders")] == [
            order.order_id for order in orders[20:]
        ]
        assert first.json()["total_count"] == 25
        assert turned.rows("orders")[0]["order_id"] == orders[-1].order_id
        assert len(capped.rows("orders")) == 25
        link = first.headers["Link"]
        asked = dict(parse_qsl(urlsplit(link.partition(">")[0][1:]).query))
        assert asked == {"offset": "10", "max": "10"}
        assert last.headers["Link"].endswith('rel="previous"')


async def test_orders_are_found_by_what_names_them() -> None:
    """OR11's filters: ids, both references, states, creation, debit, channel."""
    async with serving() as client:
        first, second = client.shop.order_to_ship(), client.shop.order()
        await client.ask(
            "PUT",
            "/api/orders",
            json={
                "orders": [
                    {
                        "order_id": first.order_id,
                        "references": {"order_reference_for_seller": "KC-1"},
                    }
                ]
            },
        )
        asked = {
            f"order_ids={first.order_id},{second.order_id},nobody": [first, second],
            f"order_references_for_customer={second.customer_order_number}": [second],
            "order_references_for_seller=KC-1": [first],
            "order_state_codes=SHIPPING": [first],
            "order_state_codes=SHIPPING,WAITING_ACCEPTANCE": [first, second],
            "start_date=2026-02-03T08:02:00Z": [second],
            "end_date=2026-02-03T08:02:00Z": [first],
            "customer_debited=true": [first],
            "channel_codes=ELSEWHERE": [],
            "has_incident=true": [],
            "payment_workflow=PAY_ON_SHIPMENT": [],
            "order_state_codes=SHIPPING&start_update_date=2026-02-03T09:00:00Z": [],
            "order_state_codes=SHIPPING&start_update_date=2026-02-03T08:00:00Z": [first],
        }
        for query, expected in asked.items():
            rows = (await client.get(f"/api/orders?{query}")).rows("orders")
            assert [order.order_id for order in expected] == [row["order_id"] for row in rows]


async def test_references_answer_for_each_order_by_itself() -> None:
    """OR04: 200, with errors per item and what was updated."""
    async with serving() as client:
        order = client.shop.order()
        answer = await client.ask(
            "PUT",
            "/api/orders",
            json={
                "orders": [
                    {
                        "order_id": order.order_id,
                        "references": {"order_reference_for_seller": "KC-SO-1"},
                    },
                    {
                        "order_id": "nobody",
                        "references": {"order_reference_for_seller": "KC-SO-2"},
                    },
                    {
                        "order_id": order.order_id,
                        "references": {"order_reference_for_seller": " "},
                    },
                ]
            },
        )
        rows = answer.rows("updated_orders")

        assert answer.status == 200
        assert rows[0] == {
            "order_id": order.order_id,
            "errors": [],
            "updated": {"references": {"order_reference_for_seller": "KC-SO-1"}},
        }
        assert [row["updated"] for row in rows[1:]] == [None, None]
        for row in rows[1:]:
            (error,) = msgspec.convert(row["errors"], list[dict[str, object]])
            assert error.keys() == {"code", "field", "message"}
        assert order.seller_reference == "KC-SO-1"


async def test_tracking_and_ship_are_two_calls_with_no_body_back() -> None:
    """OR23 sets how it can be followed, OR24 ships; both 204, the second has no body."""
    async with serving(quick(multi_shipment=False)) as client:
        order = client.shop.order_to_ship()
        path = f"/api/orders/{order.order_id}"
        tracked = await client.ask(
            "PUT",
            f"{path}/tracking",
            json={"carrier_code": "RM", "tracking_number": "AB123456789GB"},
        )
        state = order.state
        shipped = await client.ask("PUT", f"{path}/ship", headers={"Content-Length": "0"})
        again = await client.ask("PUT", f"{path}/ship")
        shown = await client.one(order)

        assert (
            tracked.status,
            state,
            shipped.status,
            again.status,
        ) == (204, "SHIPPING", 204, 400)
        assert (
            shown["shipping_carrier_code"],
            shown["shipping_company"],
            shown["shipping_tracking"],
            shown["order_state"],
        ) == ("RM", "Royal Mail", "AB123456789GB", "SHIPPED")


async def test_refund_answers_with_its_id_and_shows_on_the_line() -> None:
    """OR28: numbers or strings for amounts; the line's price stays, the refund hangs on it."""
    async with serving() as client:
        order = client.shop.received_order()
        answer = await client.ask(
            "PUT",
            "/api/orders/refund",
            json={
                "order_tax_mode": "TAX_INCLUDED",
                "refunds": [
                    {**refund_of(order), "amount": 24.00, "shipping_amount": 0},
                    {**refund_of(order), "amount": "10.10"},
                ],
            },
        )
        rows = answer.rows("refunds")
        shown = await client.one(order)
        lines = msgspec.convert(shown["order_lines"], list[dict[str, object]])
        refunds = msgspec.convert(lines[0]["refunds"], list[dict[str, object]])

        assert answer.status == 200
        assert [row["refund_id"] for row in rows] == [row["id"] for row in refunds]
        assert [row["amount"] for row in refunds] == [24.0, 10.1]
        assert (lines[0]["price"], lines[0]["can_refund"]) == (48.0, False)
        assert refunds[0]["refund_state"] == "WAITING_REFUND"


@pytest.mark.parametrize(
    "body",
    [
        {"refunds": []},
        {"refunds": [{"order_line_id": "x"}]},
        {"refunds": [{"order_line_id": "x", "amount": "ten", "shipping_amount": 0}]},
        {"refunds": "all"},
        {},
    ],
)
async def test_refund_that_cannot_be_read_is_400(body: dict[str, object]) -> None:
    """Missing and misshapen fields are refused before anything is done."""
    async with serving() as client:
        answer = await client.ask("PUT", "/api/orders/refund", json=body)

        assert answer.status == 400


async def test_orders_can_be_asked_for_in_the_other_tax_mode() -> None:
    """order_tax_mode gives amounts without the taxes that are inside them."""
    async with serving() as client:
        client.shop.order()
        (shown,) = (await client.get("/api/orders?order_tax_mode=TAX_EXCLUDED")).rows("orders")

        assert (shown["order_tax_mode"], shown["price"]) == ("TAX_EXCLUDED", 52.92)
        assert shown["shipping_price"] == 3.29


async def test_pages_may_repeat_the_row_that_ended_the_page_before() -> None:
    """Offset pages move under a client: with the switch on, a row comes twice, none is lost."""
    async with serving(quick(duplicated_page_rows=True)) as client:
        orders = [client.shop.order(1, 0) for _ in range(4)]
        pages = [
            [row["order_id"] for row in answer.rows("orders")]
            for answer in [
                await client.get(f"/api/orders?max=2&offset={offset}") for offset in (0, 2)
            ]
        ]

        ids = [order.order_id for order in orders]
        assert pages == [ids[:2], ids[1:]]


async def test_page_above_the_limit_is_refused_where_the_tenant_is_strict() -> None:
    """More than 100 rows a page: cut by default, 400 where the switch says so."""
    async with serving(quick(oversized_pages_refused=True)) as client:
        answers = [await client.get(f"/api/orders?max={rows}") for rows in (100, 101)]

        assert [answer.status for answer in answers] == [200, 400]


async def test_order_under_fraud_check_is_staging_first() -> None:
    """STAGING orders are seen, and can't be decided yet."""
    async with serving(quick(staging_s=60)) as client:
        order = client.shop.order()
        states = [(await client.one(order))["order_state"]]
        client.shop.wait(seconds=60)
        states.append((await client.one(order))["order_state"])

        assert states == ["STAGING", "WAITING_ACCEPTANCE"]
