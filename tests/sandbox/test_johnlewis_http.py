"""The seller API over real HTTP: paths, fields, pages, keys and limits of the contract."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from aiohttp import ClientResponse, ClientSession, FormData, web

from kcjl.money import Money
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.johnlewis_http import ROUTES, johnlewis_app
from kcjl.sandbox.marketplace import ApiKey, MarketplaceSettings, Order
from tests.sandbox.marketplace_shop import SHIRT, SOCKS, Shop, parcel_of, quick, refund_of

pytestmark = pytest.mark.anyio

KEY = "johnlewis-sandbox-key"


class Answer:
    """A status, headers, and the body as JSON with exact numbers."""

    def __init__(self, response: ClientResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = body

    def json(self) -> dict[str, object]:
        return msgspec.json.decode(self.body, type=dict[str, object])

    def rows(self, name: str) -> list[dict[str, object]]:
        return msgspec.convert(self.json()[name], list[dict[str, object]])


class Client:
    """A client of the shop's, as plain as can be."""

    def __init__(self, shop: Shop, gate: DirectGate, session: ClientSession, base: str) -> None:
        self.shop = shop
        self.gate = gate
        self._session = session
        self.base = base

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        key: str = KEY,
        headers: Mapping[str, str] | None = None,
        data: FormData | bytes | None = None,
    ) -> Answer:
        sent = {"Authorization": key, **(headers or {})}
        if json is not None:
            data = msgspec.json.encode(json)
            sent["Content-Type"] = "application/json"
        async with self._session.request(
            method, self.base + path, headers=sent, data=data
        ) as response:
            return Answer(response, await response.read())

    async def get(self, path: str) -> Answer:
        return await self.ask("GET", path)

    async def one(self, order: Order) -> dict[str, object]:
        """The order as OR11 shows it."""
        (shown,) = (await self.get(f"/api/orders?order_ids={order.order_id}")).rows("orders")
        return shown


@asynccontextmanager
async def serving(settings: MarketplaceSettings | None = None) -> AsyncIterator[Client]:
    """A shop's seller API on a port of this machine."""
    shop = Shop(settings)
    gate = DirectGate(shop.agenda, {"johnlewis": shop.marketplace})
    runner = web.AppRunner(johnlewis_app(shop.marketplace, gate))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with ClientSession() as session:
            yield Client(shop, gate, session, f"http://{host}:{port}")
    finally:
        await runner.cleanup()


def stock_file(content: str) -> FormData:
    form = FormData()
    form.add_field("file", content.encode(), filename="stock.csv", content_type="text/csv")
    return form


# ── keys, roles, refusals ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["", "wrong", f"Bearer {KEY}"])
async def test_key_that_is_not_the_raw_one_is_401(key: str) -> None:
    """The key is sent as it is; the world is not even looked at for a stranger."""
    async with serving() as client:
        answer = await client.ask("GET", "/api/orders", key=key)

        assert answer.status == 401
        assert answer.json()["status"] == 401
        assert not client.gate.entered


async def test_key_without_the_accounting_role_is_403_on_accounts_alone() -> None:
    """TL02, SBC11 and IV01 need the accounting role; orders do not."""
    keys = (ApiKey(key="clerk", accounting=False),)
    async with serving(quick(api_keys=keys)) as client:
        statuses = [
            (await client.ask("GET", path, key="clerk")).status
            for path in (
                "/api/sellerpayment/transactions_logs",
                "/api/seller-billing-cycles",
                "/api/invoices",
                "/api/orders",
            )
        ]

        assert statuses == [403, 403, 403, 200]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("DELETE", "/api/orders", 405),
        ("PUT", "/api/orders/700000099-A/accept", 400),
        ("PUT", "/api/orders/700000099-A/ship", 404),
        ("GET", "/api/orders?max=many", 400),
        ("GET", "/api/orders?start_update_date=yesterday", 400),
        ("GET", "/api/orders?order_state_codes=LOST", 400),
        ("GET", "/api/orders?sort=updated", 400),
        ("GET", "/api/orders?order_ids=" + ",".join(map(str, range(101))), 400),
        ("GET", "/api/sellerpayment/transactions_logs?page_token=abc", 400),
        ("GET", "/api/offers/abc", 404),
        ("GET", "/api/offers/stock/imports/none/status", 404),
    ],
)
async def test_refusal_has_a_json_body(method: str, path: str, status: int) -> None:
    """Every refusal says what and which status, as the contract's d.4 has it."""
    async with serving() as client:
        answer = await client.ask(method, path)

        assert answer.status == status
        assert answer.json()["status"] == status
        assert answer.json()["message"]


async def test_body_that_is_not_json_is_415() -> None:
    """Bodies are JSON in UTF-8."""
    async with serving() as client:
        form = FormData({"orders": "x"})
        answer = await client.ask("PUT", "/api/orders", data=form)

        assert answer.status == 415


async def test_each_route_enters_the_gate_under_its_operation() -> None:
    """Each operation is known by its code, to the gate and to whoever injects faults."""
    async with serving() as client:
        for _, method, path, _ in ROUTES:
            await client.ask(method, path.format(order_id="x", offer="1", import_id="x"))

        uploads = {"STO01"}
        assert [code for code, *_ in ROUTES if code not in uploads] == [
            code for _, code in client.gate.entered
        ]


async def test_unknown_parameters_are_ignored() -> None:
    """A parameter that the platform does not know changes nothing."""
    async with serving() as client:
        client.shop.order()
        answer = await client.get("/api/orders?colour=blue&locale=en_GB&shop_id=4021")

        assert (answer.status, answer.json()["total_count"]) == (200, 1)


# ── settings ────────────────────────────────────────────────────────────────────────────────


async def test_platform_tells_how_the_tenant_is_set_up() -> None:
    """PC01 follows the switches."""
    async with serving(quick(multi_shipment=False, auto_accept=True)) as client:
        features = msgspec.convert(
            (await client.get("/api/platform/configuration")).json()["features"],
            dict[str, dict[str, object] | object],
        )

        assert features["shipment"] == {
            "multi_shipment": False,
            "multi_part_item_shipment": False,
        }
        workflows = msgspec.convert(features["order_workflows"], dict[str, object])
        assert workflows["order_acceptance"] == "AUTOMATIC"
        assert features["disable_seller_alternative_carrier"] is True


async def test_lists_name_carriers_reasons_and_shipping_types() -> None:
    """SH21 by label, RE01 and SH12 as the tenant has them; A01 says who we are."""
    async with serving() as client:
        carriers = (await client.get("/api/shipping/carriers")).rows("carriers")
        reasons = (await client.get("/api/reasons")).rows("reasons")
        types = (await client.get("/api/shipping/types")).rows("shipping_types")
        account = (await client.get("/api/account")).json()
        version = await client.get("/api/version")

        assert [row["label"] for row in carriers] == sorted(
            str(row["label"]) for row in carriers
        )
        assert {"RM", "EVRI", "DPD", "DHL", "UPS", "YODEL"} == {row["code"] for row in carriers}
        assert {"15", "17"} <= {row["code"] for row in reasons if row["is_shop_right"]}
        assert types[0]["mandatory_tracking"] is False
        assert (account["shop_id"], account["model"]) == (4021, "MARKETPLACE")
        assert version.status == 200


# ── offers and stock ────────────────────────────────────────────────────────────────────────


async def test_offers_come_in_pages_with_links() -> None:
    """OF21: 10 a page unless said otherwise, by price, with the next page in the header."""
    async with serving() as client:
        for number in range(23):
            client.shop.marketplace.list_offer(f"S{number}", price=Money(number), title="x")
        seen: list[object] = []
        path = "/api/offers"
        while path:
            answer = await client.get(path)
            seen += [row["shop_sku"] for row in answer.rows("offers")]
            links = answer.headers.get("Link", "").split(", ")
            following = [link for link in links if link.endswith('rel="next"')]
            path = following[0].partition(">")[0][1 + len(client.base) :] if following else ""

        assert len(seen) == 25
        assert len(set(seen)) == 25
        assert seen[-2:] == [SOCKS, SHIRT]


async def test_offer_shows_its_quantity_and_that_it_is_active() -> None:
    """OF22 and OF26 by the platform's own number."""
    async with serving() as client:
        client.shop.stock({SOCKS: 0})
        (shirt,) = (await client.get(f"/api/offers?sku={SHIRT}")).rows("offers")
        (socks,) = (await client.get(f"/api/offers?sku={SOCKS}")).rows("offers")
        again = (await client.get(f"/api/offers/{shirt['offer_id']}")).json()
        quantity = (await client.get(f"/api/offers/{shirt['offer_id']}/quantity")).json()

        assert shirt == again
        assert (shirt["quantity"], shirt["active"]) == (10, True)
        assert (socks["quantity"], socks["active"]) == (0, False)
        assert socks["inactivity_reasons"] == ["ZERO_QUANTITY"]
        assert quantity == {"offer_id": shirt["offer_id"], "quantity": 10}


async def test_stock_import_is_taken_then_run_then_reported() -> None:
    """STO01 201 with a string id, STO02 until COMPLETE, STO03 with the lines as they came."""
    async with serving() as client:
        taken = await client.ask(
            "POST",
            "/api/offers/stock/imports",
            data=stock_file(
                '"offer-sku";"quantity";"warehouse-code";"update-delete"\n'
                f'"{SHIRT}";"3";"";""\n"NOBODY";"3";"";""\n'
            ),
        )
        import_id = taken.json()["import_id"]
        path = f"/api/offers/stock/imports/{import_id}"
        before = (await client.get(f"{path}/status")).json()
        client.shop.wait(seconds=10)
        after = (await client.get(f"{path}/status")).json()
        report = await client.get(f"{path}/error_report")
        rows = list(csv.reader(io.StringIO(report.body.decode()), delimiter=";"))

        assert (taken.status, isinstance(import_id, str)) == (201, True)
        assert str(import_id) in taken.headers["Location"]
        assert before["status"] == "WAITING"
        assert after["status"] == "COMPLETE"
        assert (
            after["lines_in_success"],
            after["lines_in_error"],
            after["has_error_report"],
        ) == (1, 1, True)
        assert after["shop_id"] == 4021
        assert rows[0][2:] == ["offer-sku", "quantity", "warehouse-code", "update-delete"]
        assert rows[1][0] == "3"
        assert rows[1][2:] == ["NOBODY", "3", "", ""]
        assert client.shop.marketplace.offered(SHIRT) == 3


async def test_stock_import_without_its_file_is_refused() -> None:
    """The multipart part is called `file`."""
    async with serving() as client:
        form = FormData()
        form.add_field("stock", b"x", filename="x.csv")
        wrong_part = await client.ask("POST", "/api/offers/stock/imports", data=form)
        no_multipart = await client.ask("POST", "/api/offers/stock/imports", json={})

        assert (wrong_part.status, no_multipart.status) == (400, 415)


# ── orders ──────────────────────────────────────────────────────────────────────────────────


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


# ── shipments ───────────────────────────────────────────────────────────────────────────────


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
        json = {"shipments": []} if method != "GET" else None
        answer = await client.ask(method, path, json=json)

        assert answer.status == 404


# ── accounting ──────────────────────────────────────────────────────────────────────────────


async def all_lines(client: Client, query: str) -> list[dict[str, object]]:
    """TL02 to its last page."""
    rows: list[dict[str, object]] = []
    token = ""
    while True:
        answer = await client.get(f"/api/sellerpayment/transactions_logs?{query}{token}")
        rows += answer.rows("data")
        following = answer.json()["next_page_token"]
        if following is None:
            return rows
        token = f"&page_token={following}"


async def test_payout_of_the_worked_example_is_told_by_all_three_calls() -> None:
    """TL02, SBC11 and IV01 agree: 21.02 to the shop, 22.43 to the operator."""
    async with serving(quick(subscription_fee=Money(1000))) as client:
        order = client.shop.received_order()
        client.shop.marketplace.refund([refund_of(order)])
        client.shop.wait(seconds=30)
        client.shop.marketplace.run_cycle()
        (cycle,) = (await client.get("/api/seller-billing-cycles")).rows("data")
        lines = await all_lines(
            client, f"limit=4&sort=lastUpdated,ASC&seller_billing_cycle_id={cycle['id']}"
        )
        (invoice,) = (await client.get("/api/invoices")).rows("invoices")
        summary = msgspec.convert(invoice["summary"], dict[str, object])
        total = sum(Decimal(str(line["amount"])) for line in lines if line["type"] != "PAYMENT")
        refund_line = next(line for line in lines if line["type"] == "REFUND_ORDER_AMOUNT")
        entities = msgspec.convert(refund_line["entities"], dict[str, dict[str, object] | str])

        assert len(lines) == 15
        assert len({line["id"] for line in lines}) == 15
        assert total == Decimal("21.02")
        assert (
            cycle["amount_transferred_to_seller"],
            cycle["amount_transferred_to_operator"],
        ) == (21.02, 22.43)
        assert (
            summary["amount_transferred"],
            invoice["total_amount_incl_taxes"],
        ) == (21.02, 22.43)
        assert (
            invoice["total_amount_excl_taxes"],
            invoice["total_taxes"],
        ) == (18.69, [{"code": "TAXDEFAULT", "amount": 3.74}])
        assert entities["refund"] == {"id": order.lines[0].refunds[0].refund_id}
        assert entities["order_line"] == {"id": order.lines[0].line_id}
        assert (refund_line["amount_credited"], refund_line["amount_debited"]) == (0, 24.0)


async def test_cycle_waits_for_its_payment_and_then_names_it() -> None:
    """pay_out: TO_PAY, then PAID with reference and date."""
    async with serving() as client:
        client.shop.received_order()
        client.shop.marketplace.run_cycle()
        waiting = (await client.get("/api/seller-billing-cycles?pay_out_state=TO_PAY")).rows(
            "data"
        )
        client.shop.wait(hours=48)
        paid = (await client.get("/api/seller-billing-cycles?pay_out_state=PAID")).rows("data")

        assert waiting[0]["pay_out"] == {
            "state": "TO_PAY",
            "reference": None,
            "transaction_date": None,
            "failure_reason": None,
        }
        assert paid[0]["pay_out"] == {
            "state": "PAID",
            "reference": "BACS-889001",
            "transaction_date": "2026-02-06T08:02:22Z",
            "failure_reason": None,
        }


async def test_lines_by_last_update_show_again_when_their_state_moves() -> None:
    """A cursor on last_updated meets a line when it is made, payable, and paid."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        seen = []
        cursor = "2026-02-03T00:00:00Z"
        for step in ("", "ship", "cycle"):
            if step == "ship":
                client.shop.marketplace.ship(order.order_id)
                client.shop.wait(hours=24)
            if step == "cycle":
                client.shop.wait(hours=1)
                client.shop.marketplace.run_cycle()
            rows = await all_lines(
                client, f"limit=3&sort=lastUpdated,ASC&last_updated_from={cursor}"
            )
            fresh = [row for row in rows if row["last_updated"] != cursor]
            seen.append((len(fresh), {row["payment_state"] for row in fresh}))
            cursor = str(rows[-1]["last_updated"])

        assert seen == [(8, {"PENDING"}), (8, {"PAYABLE"}), (9, {"PAID"})]


async def test_lines_that_move_while_a_client_pages_are_not_passed_over() -> None:
    """What changes between two pages comes again at the end, and nothing is missed."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        query = "/api/sellerpayment/transactions_logs?limit=3&sort=lastUpdated,ASC"
        first = await client.get(query)
        client.shop.marketplace.ship(order.order_id)
        client.shop.wait(hours=24)
        rest = await all_lines(
            client, f"limit=3&sort=lastUpdated,ASC&page_token={first.json()['next_page_token']}"
        )
        made = set(client.shop.marketplace.transactions)

        assert made == {str(row["id"]) for row in rest}
        assert {"PAYABLE"} == {row["payment_state"] for row in rest}


async def test_lines_are_filtered_by_what_they_are_tied_to() -> None:
    """TL02's filters: order, line, references, type, state, creation; newest first."""
    async with serving() as client:
        first, second = client.shop.order_to_ship(), client.shop.order_to_ship()
        counts = {
            f"order_id={first.order_id}": 8,
            f"order_id={first.order_id}&order_id={second.order_id}": 16,
            f"order_line_id={first.lines[0].line_id}": 4,
            f"order_reference_for_customer={second.customer_order_number}": 8,
            "order_reference_for_seller=KC-1": 0,
            "transaction_type=COMMISSION_FEE": 4,
            "payment_state=PAYABLE": 0,
            "date_created_from=2026-02-03T08:03:00Z": 8,
            "date_created_to=2026-02-03T08:03:00Z": 8,
            "limit=2000": 16,
        }
        found = {query: len(await all_lines(client, query)) for query in counts}
        newest = (await all_lines(client, "limit=5"))[0]

        assert found == counts
        entities = msgspec.convert(newest["entities"], dict[str, object])
        assert msgspec.convert(entities["order"], dict[str, object])["id"] == second.order_id


# ── call limits ─────────────────────────────────────────────────────────────────────────────


async def test_calls_above_the_limit_are_429_with_world_seconds_to_wait() -> None:
    """OR11 once a minute; after Retry-After seconds of the world it is answered again."""
    async with serving(quick(call_limits=True, call_window_slack=0)) as client:
        first = await client.get("/api/orders")
        client.shop.wait(seconds=20)
        second = await client.get("/api/orders")
        client.shop.wait(seconds=int(second.headers["Retry-After"]))
        third = await client.get("/api/orders")

        assert [first.status, second.status, third.status] == [200, 429, 200]
        assert second.headers["Retry-After"] == "40"
        assert second.json()["status"] == 429


async def test_further_pages_are_not_counted_against_a_reading() -> None:
    """A reading that was begun may be read to its end."""
    async with serving(quick(call_limits=True)) as client:
        client.shop.stock({SHIRT: 100})
        for _ in range(3):
            client.shop.order(1, 0)
        statuses = [
            (await client.get(f"/api/orders?max=1&offset={offset}")).status
            for offset in (0, 1, 2)
        ]

        assert statuses == [200, 200, 200]


async def test_transaction_lines_may_be_read_twenty_times_a_minute_and_sixty_an_hour() -> None:
    """TL02 has both limits, and its pages count."""
    async with serving(quick(call_limits=True, call_window_slack=0)) as client:
        path = "/api/sellerpayment/transactions_logs?limit=1"
        refused = []
        for call in range(80):
            answer = await client.get(path)
            if answer.status == 429:
                refused.append((call, answer.headers["Retry-After"]))
                client.shop.wait(seconds=int(answer.headers["Retry-After"]))

        assert refused[:2] == [(20, "60"), (41, "60")]
        assert int(refused[2][1]) > 3000


async def test_limits_can_be_switched_off() -> None:
    """A test that polls as fast as it likes says so."""
    async with serving(quick(call_limits=False)) as client:
        statuses = {(await client.get("/api/account")).status for _ in range(30)}

        assert statuses == {200}


async def test_external_partner_reads_orders_every_quarter_of_an_hour() -> None:
    """OR11 for External Partner users: every 15 minutes at most."""
    keys = (ApiKey(key=KEY, external_partner=True),)
    settings = quick(call_limits=True, call_window_slack=0, api_keys=keys)
    async with serving(settings) as client:
        await client.get("/api/orders")
        client.shop.wait(seconds=timedelta(minutes=14).total_seconds())
        answer = await client.get("/api/orders")

        assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
