"""Keys, roles, refusals, settings and call limits of the seller API over real HTTP."""

import re
from datetime import timedelta

import msgspec
import pytest
from aiohttp import FormData

from kcjl.sandbox.johnlewis.http import MULTIPART, ROUTES, UPLOADS
from kcjl.sandbox.marketplace import ApiKey
from tests.sandbox.johnlewis_client import KEY, serving
from tests.sandbox.marketplace_shop import SHIRT, quick

pytestmark = pytest.mark.anyio

PATH_VALUES = {"order_id": "x", "offer": "1", "import_id": "x", "line": "1", "document_id": "1"}


# ── keys, roles, refusals ─────────────────────────────────────────────────────────────────────


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
        ("GET", "/api/offers/٣", 404),
        ("GET", "/api/orders?offset=-1", 400),
        ("GET", "/api/orders?max=0", 400),
        ("GET", "/api/orders?max=" + "9" * 5000, 400),
        ("GET", "/api/orders?customer_debited=perhaps", 400),
        ("GET", "/api/orders?shop_id=mine", 400),
        ("GET", "/api/orders?start_date=2026-02-03T08:00:00+00:00", 400),
        ("GET", "/api/shipments?page_token=é", 400),
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
            await client.ask(method, re.sub(r"\{\w+\}", "1", path))

        uploads = UPLOADS | MULTIPART
        assert [code for code, *_ in ROUTES if code not in uploads] == [
            code for _, code in client.gate.entered
        ]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"shipments": [null]}',
        b'{"shipments": [{"order_id": 7, "shipment_lines": []}]}',
        b'{"shipments": [{"order_id": "x", "shipment_lines": [{"quantity": "1"}]}]}',
        b"\xff\xfe",
    ],
)
async def test_body_that_cannot_be_read_is_400(sent: bytes) -> None:
    """Misshapen JSON is refused, and nothing is asked of the marketplace."""
    async with serving() as client:
        answer = await client.ask(
            "POST", "/api/shipments", data=sent, headers={"Content-Type": "application/json"}
        )

        assert (answer.status, answer.json()["status"]) == (400, 400)
        assert not client.gate.changes


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"x"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n\xff\xfe\r\n--b--\r\n',
        ),
    ],
)
async def test_upload_that_cannot_be_read_is_400(kind: str, sent: bytes) -> None:
    """A broken multipart body, or a file that is not text, is refused at once."""
    async with serving() as client:
        answer = await client.ask(
            "POST", "/api/offers/stock/imports", data=sent, headers={"Content-Type": kind}
        )

        assert (answer.status, answer.json()["status"]) == (400, 400)


async def test_the_year_one_is_a_beginning_like_any_other() -> None:
    """Some clients write "from the beginning" as the first year there is."""
    async with serving() as client:
        client.shop.order()
        answer = await client.get("/api/orders?start_update_date=0001-01-01T00:00:00")

        assert (answer.status, answer.json()["total_count"]) == (200, 1)


async def test_unknown_parameters_are_ignored() -> None:
    """A parameter that the platform does not know changes nothing."""
    async with serving() as client:
        client.shop.order()
        answer = await client.get("/api/orders?colour=blue&locale=en_GB&shop_id=4021")

        assert (answer.status, answer.json()["total_count"]) == (200, 1)


# ── settings ──────────────────────────────────────────────────────────────────────────────────


async def test_platform_tells_how_the_tenant_is_set_up() -> None:
    """PC01 follows the switches."""
    async with serving(quick(multi_shipment=False, auto_accept=True)) as client:
        features = msgspec.convert(
            (await client.get("/api/platform/configuration")).json()["features"],
            dict[str, object],
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


# ── call limits ───────────────────────────────────────────────────────────────────────────────


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


async def test_daily_lists_allow_a_small_margin_and_then_wait_for_the_day() -> None:
    """Once a day, with a margin for restarts; other operations have their own count."""
    settings = quick(call_limits=True, call_window_slack=0, daily_calls=2)
    async with serving(settings) as client:
        statuses = [(await client.get("/api/account")).status for _ in range(3)]
        other = await client.get("/api/shipping/carriers")
        client.shop.wait(hours=24)
        later = await client.get("/api/account")

        assert statuses == [200, 200, 429]
        assert (other.status, later.status) == (200, 200)
