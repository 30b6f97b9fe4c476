"""Exports and files of the seller API over real HTTP (johnlewis b.2, b.3, b.6)."""

import csv
import io
import re
from datetime import UTC

import msgspec
import pytest

from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiKey
from tests.sandbox.johnlewis_client import Answer, Client, all_lines, serving
from tests.sandbox.marketplace_shop import SHIRT, SOCKS, quick

pytestmark = pytest.mark.anyio

OFFERS = "/api/offers/export/async"
ORDERS = "/api/orders/async-export"
LINES = "/api/sellerpayment/transactions_logs/async"
MONTH = {"start_update_date": "2026-02-01T00:00:00Z", "end_update_date": "2026-02-28T00:00:00Z"}


async def start(client: Client, path: str, body: dict[str, object]) -> str:
    taken = await client.ask("POST", path, json=body)
    assert taken.status == 200, taken.body
    return str(taken.json()["tracking_id"])


async def status(client: Client, path: str, tracking_id: str) -> dict[str, object]:
    answer = await client.get(f"{path}/status/{tracking_id}")
    assert answer.status == 200, answer.body
    return answer.json()


async def files(client: Client, path: str, body: dict[str, object]) -> list[Answer]:
    """All files of an export, fetched without a key."""
    tracking_id = await start(client, path, body)
    waiting = await status(client, path, tracking_id)
    client.shop.wait(seconds=20)
    done = await status(client, path, tracking_id)
    assert ("PENDING", "COMPLETED") == (waiting["status"], done["status"])
    urls = msgspec.convert(done["urls"], list[str])
    assert all(url.startswith(client.base) for url in urls)
    return [await client.ask("GET", url.removeprefix(client.base), key="") for url in urls]


def offers_in(files_got: list[Answer]) -> list[dict[str, object]]:
    return [
        row
        for answer in files_got
        for row in msgspec.json.decode(answer.body, type=list[dict[str, object]])
    ]


# ── offers ────────────────────────────────────────────────────────────────────────────────────


async def test_offer_export_since_a_date_has_the_changed_and_the_deleted() -> None:
    """OF52 with last_request_date: what was sold, what ran out, what was deleted; no more."""
    async with serving() as client:
        shop = client.shop.marketplace
        for sku in ("QUIET", "GONE"):
            shop.list_offer(sku, price=Money(100), title=sku)
        client.shop.wait(hours=1)
        since = shop.agenda.now.astimezone(UTC).isoformat()
        client.shop.order(2, 0)
        client.shop.stock({SOCKS: 0})
        shop.import_offers([{"shop_sku": "GONE", "update_delete": "delete"}])
        client.shop.wait(seconds=10)
        body: dict[str, object] = {
            "export_type": "application/json",
            "last_request_date": since,
        }
        rows = offers_in(await files(client, OFFERS, body))
        found = {row["shop_sku"]: row for row in rows}

        assert {SHIRT, SOCKS, "GONE"} == set(found)
        assert (8, True, False) == tuple(
            found[SHIRT][name] for name in ("quantity", "active", "deleted")
        )
        assert (0, False) == (found[SOCKS]["quantity"], found[SOCKS]["active"])
        assert (True, False) == (found["GONE"]["deleted"], found["GONE"]["active"])
        assert "quantity" not in found["GONE"]


async def test_whole_offer_export_has_what_is_active_unless_more_is_asked() -> None:
    """OF52 without a date: active offers; inactive ones by wish; deleted ones never."""
    async with serving() as client:
        client.shop.stock({SOCKS: 0})
        json = {"export_type": "application/json"}
        active = offers_in(await files(client, OFFERS, {**json}))
        every = offers_in(
            await files(client, OFFERS, {**json, "include_inactive_offers": True})
        )
        slim = offers_in(
            await files(client, OFFERS, {**json, "include_fields": ["shop-sku", "quantity"]})
        )

        assert [SHIRT] == [row["shop_sku"] for row in active]
        assert [SHIRT, SOCKS] == [row["shop_sku"] for row in every]
        assert [{"shop_sku": SHIRT, "quantity": 10}] == slim


@pytest.mark.parametrize(("delimiter", "sign"), [("COMMA", ","), ("SEMICOLON", ";")])
async def test_offer_csv_has_the_delimiter_of_the_platform(delimiter: str, sign: str) -> None:
    """OF51 and OF54 in CSV: by PC01's operator_csv_delimiter."""
    async with serving(quick(csv_delimiter=delimiter)) as client:
        features = (await client.get("/api/platform/configuration")).json()["features"]
        at_once = await client.get("/api/offers/export")
        (later,) = await files(client, OFFERS, {"export_type": "text/csv"})
        rows = list(csv.DictReader(io.StringIO(at_once.body.decode()), delimiter=sign))

        assert delimiter == features["operator_csv_delimiter"]  # type: ignore[index]
        assert at_once.body == later.body
        assert "text/csv; charset=UTF-8" == at_once.headers["Content-Type"]
        assert [(SHIRT, "24.00", "10", "true"), (SOCKS, "15.50", "10", "true")] == [
            (row["shop-sku"], row["price"], row["quantity"], row["active"]) for row in rows
        ]


async def test_same_offer_export_in_hand_gives_the_same_id() -> None:
    """d.5: OF52 may be repeated while it is in hand."""
    async with serving() as client:
        first, again = [await start(client, OFFERS, {}) for _ in range(2)]
        other = await start(client, OFFERS, {"include_inactive_offers": True})
        client.shop.wait(seconds=20)
        later = await start(client, OFFERS, {})

        assert first == again
        assert 3 == len({first, other, later})


# ── orders ────────────────────────────────────────────────────────────────────────────────────


async def test_order_export_is_cut_into_chunks_and_shows_what_the_list_shows() -> None:
    """OR13 to OR15: every order once, each as OR11 has it when the export was made."""
    async with serving(quick(export_chunk_items_least=1)) as client:
        orders = [client.shop.order(1, 0) for _ in range(5)]
        listed = (await client.get("/api/orders")).rows("orders")
        got = await files(client, ORDERS, {**MONTH, "items_per_chunk": 2})
        client.shop.decide(orders[0])
        rows = [row for answer in got for row in answer.rows("orders")]

        assert [2, 2, 1] == [len(answer.rows("orders")) for answer in got]
        assert listed == rows


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"start_update_date": "2026-02-01T00:00:00Z"},
        {"end_date": "2026-02-01T00:00:00Z"},
        {"start_date": "2026-02-02T00:00:00Z", "end_date": "2026-02-01T00:00:00Z"},
        {"start_date": "2025-01-01T00:00:00Z", "end_date": "2026-02-01T00:00:00Z"},
        {"start_date": "soon", "end_date": "2026-02-01T00:00:00Z"},
        {**MONTH, "items_per_chunk": 9_999},
        {**MONTH, "items_per_chunk": 1_000_001},
        {**MONTH, "megabytes_per_chunk": 9},
        {**MONTH, "order_state_codes": ["LOST"]},
    ],
)
async def test_order_export_that_asks_too_much_or_too_little_is_refused(
    body: dict[str, object],
) -> None:
    """Dates in pairs, a year at most, chunks within their bounds: else 400."""
    async with serving() as client:
        answer = await client.ask("POST", ORDERS, json=body)

        assert (400, 400) == (answer.status, answer.json()["status"])


async def test_order_export_keeps_to_its_filters() -> None:
    """States, creation dates and channels."""
    async with serving() as client:
        client.shop.order_to_ship(1, 0)
        waiting = client.shop.order(1, 0)
        (mine,) = await files(
            client, ORDERS, {**MONTH, "order_state_codes": ["WAITING_ACCEPTANCE"]}
        )
        (none,) = await files(client, ORDERS, {**MONTH, "channel_codes": ["FR"]})

        assert [waiting.order_id] == [row["order_id"] for row in mine.rows("orders")]
        assert [] == none.rows("orders")


# ── transaction lines ─────────────────────────────────────────────────────────────────────────


async def test_transaction_export_finds_a_payout_by_its_voucher() -> None:
    """TL03 has payment_voucher_number, which TL02 lacks; JSON and NDJSON hold the same rows."""
    async with serving() as client:
        client.shop.received_order()
        assert client.shop.marketplace.run_cycle() is not None
        client.shop.received_order()
        listed = await all_lines(client, "sort=dateCreated,ASC")
        body: dict[str, object] = {"payment_voucher_number": "000001"}
        (as_json,) = await files(client, LINES, body)
        (by_line,) = await files(client, LINES, {**body, "format": "NDJSON"})
        rows = as_json.rows("data")

        assert rows == [row for row in listed if row["payment_voucher_number"] == "000001"]
        assert rows == [
            msgspec.json.decode(line, type=dict[str, object])
            for line in by_line.body.splitlines()
        ]
        assert by_line.headers["Content-Type"].startswith("application/x-ndjson")
        assert 0 < len(rows) < len(listed)


async def test_accounting_exports_and_invoices_need_the_role() -> None:
    """TL03, TL04 and IV02 as TL02: 403 without the accounting role."""
    keys = (ApiKey(key="clerk", accounting=False),)
    async with serving(quick(api_keys=keys)) as client:
        statuses = [
            (await client.ask(method, path, key="clerk")).status
            for method, path in (
                ("POST", LINES),
                ("GET", f"{LINES}/status/x"),
                ("GET", "/api/invoices/981"),
            )
        ]

        assert [403, 403, 403] == statuses


# ── troubles ──────────────────────────────────────────────────────────────────────────────────


async def test_failed_exports_say_so_and_why() -> None:
    """FAILED by hand and by setting; OF53 names the error."""
    async with serving() as client:
        client.shop.marketplace.fail_exports(2)
        offers = await start(client, OFFERS, {})
        orders = await start(client, ORDERS, {**MONTH})
        client.shop.wait(seconds=20)
        of53 = await status(client, OFFERS, offers)
        or14 = await status(client, ORDERS, orders)
        (fine,) = await files(client, OFFERS, {})

        assert ("FAILED", "1") == (of53["status"], of53["error"]["code"])  # type: ignore[index]
        assert ("FAILED", []) == (or14["status"], or14["urls"])
        assert 200 == fine.status
    async with serving(quick(failing_export_share=1)) as client:
        lines = await start(client, LINES, {})
        client.shop.wait(seconds=20)

        assert "FAILED" == (await status(client, LINES, lines))["status"]


async def test_files_are_gone_after_their_time_and_unknown_ones_are_404() -> None:
    """An address that was kept too long, a wrong number, an export of another kind."""
    async with serving(quick(export_files_live_hours=2)) as client:
        await files(client, OFFERS, {})
        tracking_id = await start(client, OFFERS, {"include_inactive_offers": True})
        client.shop.wait(seconds=20)
        path = f"/export-files/offers/{tracking_id}"
        before = await client.get(f"{path}/1")
        wrong = [
            (await client.get(each)).status
            for each in (f"{path}/2", f"{path}/x", f"/export-files/orders/{tracking_id}/1")
        ]
        client.shop.wait(hours=2)
        after = await client.get(f"{path}/1")

        assert (200, [404, 404, 404], 404) == (before.status, wrong, after.status)
        assert 404 == after.json()["status"]


async def test_files_may_need_the_key() -> None:
    """A tenant that keeps its files behind the API asks for the key there too."""
    async with serving(quick(export_files_need_key=True)) as client:
        (answer,) = await files(client, OFFERS, {})
        url = (await status(client, OFFERS, await start(client, OFFERS, {}))).get("urls", [])

        assert (401, []) == (answer.status, url)


# ── invoices ──────────────────────────────────────────────────────────────────────────────────


async def test_invoice_is_a_pdf_with_its_lines() -> None:
    """IV02 by number and by document id: a whole file, each object where its table says."""
    async with serving() as client:
        client.shop.received_order()
        shop = client.shop.marketplace
        shop.operator_credits(Money(1000), "Goodwill (May)")
        assert shop.run_cycle() is not None
        rows = (await client.get("/api/invoices?type=ALL")).rows("invoices")
        by_number = await client.get(f"/api/invoices/{rows[0]['invoice_id']}")
        by_id = await client.get(f"/api/invoices/{rows[0]['id']}")
        absent = await client.get("/api/invoices/none")
        body = by_number.body
        table = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n$", body)[0])
        offsets = [int(start) for start in re.findall(rb"(\d{10}) 00000 n ", body[table:])]

        assert "application/pdf" == by_number.headers["Content-Type"]
        assert f'filename="{rows[0]["number"]}.pdf"' in by_number.headers["Content-Disposition"]
        assert body.startswith(b"%PDF-1.4\n")
        assert body[table:].startswith(b"xref\n")
        assert [f"{number} 0 obj".encode() for number in range(1, len(offsets) + 1)] == [
            body[start:].partition(b"\n")[0] for start in offsets
        ]
        assert rb"Goodwill \(May\)" in body
        assert str(rows[0]["total_amount_incl_taxes"]).encode() in body
        assert (body, 404) == (by_id.body, absent.status)
