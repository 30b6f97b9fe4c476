"""Offer and price imports of the seller API over real HTTP (johnlewis b.2)."""

import csv
import io

import pytest
from aiohttp import FormData

from kcjl.sandbox.marketplace import Offer
from tests.sandbox.johnlewis_client import Answer, Client, serving
from tests.sandbox.marketplace_shop import SHIRT, SOCKS, quick

pytestmark = pytest.mark.anyio

EAN = "5012345678900"
WHOLE: dict[str, object] = {
    "shop_sku": SHIRT,
    "product_id": EAN,
    "product_id_type": "EAN",
    "state_code": "11",
    "price": 42.5,
    "quantity": 12,
    "description": "Blue",
    "internal_description": "shelf 7",
    "price_additional_info": "now lower",
    "min_quantity_alert": 2,
    "available_started": "2026-01-01T00:00:00Z",
    "available_ended": "2027-01-01T00:00:00Z",
    "logistic_class": "BIG",
    "leadtime_to_ship": 5,
    "min_order_quantity": 2,
    "max_order_quantity": 9,
    "package_quantity": 3,
    "allow_quote_requests": True,
    "discount": {
        "price": "36.00",
        "start_date": "2026-02-01T00:00:00Z",
        "end_date": "2026-03-15T00:00:00Z",
    },
    "all_prices": [{"channel_code": "JLUK", "unit_origin_price": 41}],
    "update_delete": "update",
}
BARE: dict[str, object] = {
    "shop_sku": SHIRT,
    "state_code": "11",
    "price": 40,
    "update_delete": "update",
}


async def send(client: Client, *offers: dict[str, object]) -> Answer:
    return await client.ask("POST", "/api/offers", json={"offers": list(offers)})


async def done(client: Client, taken: Answer) -> dict[str, object]:
    """The import, once it is over."""
    assert taken.status == 201, taken.body
    client.shop.wait(seconds=10)
    return (await client.get(f"/api/offers/imports/{taken.json()['import_id']}")).json()


async def shown(client: Client, sku: str = SHIRT) -> dict[str, object]:
    (row,) = (await client.get(f"/api/offers?sku={sku}")).rows("offers")
    return row


def offer_file(content: str, **fields: str) -> FormData:
    form = FormData()
    for name, value in {"import_mode": "NORMAL", **fields}.items():
        form.add_field(name, value)
    form.add_field("file", content.encode(), filename="offers.csv", content_type="text/csv")
    return form


async def send_file(client: Client, content: str, **fields: str) -> Answer:
    return await client.ask("POST", "/api/offers/imports", data=offer_file(content, **fields))


async def report(client: Client, import_id: object) -> list[dict[str, str]]:
    answer = await client.get(f"/api/offers/imports/{import_id}/error_report")
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.body.decode()), delimiter=";"))


# ── OF24 ──────────────────────────────────────────────────────────────────────────────────────


async def test_offer_by_json_is_written_whole() -> None:
    """OF24: 201, a number, Location; then every field as it was sent."""
    async with serving() as client:
        taken = await send(client, WHOLE)
        finished = await done(client, taken)
        offer = await shown(client)

        assert isinstance(taken.json()["import_id"], int)
        assert taken.headers["Location"].endswith(
            f"/api/offers/imports/{taken.json()['import_id']}"
        )
        assert ("COMPLETE", 1, 0, 1, 0) == tuple(
            finished[name]
            for name in (
                "status",
                "lines_in_success",
                "offer_inserted",
                "offer_updated",
                "offer_deleted",
            )
        )
        assert (12, 36, "Blue", "shelf 7", 5, 2, 9, 3) == tuple(
            offer[name]
            for name in (
                "quantity",
                "price",
                "description",
                "internal_description",
                "leadtime_to_ship",
                "min_order_quantity",
                "max_order_quantity",
                "package_quantity",
            )
        )
        assert {"reference": EAN, "reference_type": "EAN"} in offer["product_references"]  # type: ignore[operator]
        assert [None, "JLUK"] == [
            price["channel_code"]
            for price in offer["all_prices"]  # type: ignore[attr-defined]
        ]


async def test_what_json_leaves_out_is_reset_and_the_quantity_is_zero() -> None:
    """OF24 is a whole offer each time: only the product is kept."""
    async with serving() as client:
        fresh = await shown(client)
        await done(client, await send(client, WHOLE))
        await done(client, await send(client, BARE))
        offer = await shown(client)

        assert (0, 40, False) == (offer["quantity"], offer["price"], offer["active"])
        assert ["ZERO_QUANTITY"] == offer["inactivity_reasons"]
        assert {"reference": EAN, "reference_type": "EAN"} in offer["product_references"]  # type: ignore[operator]
        for name in (
            "description",
            "internal_description",
            "price_additional_info",
            "min_quantity_alert",
            "available_start_date",
            "available_end_date",
            "logistic_class",
            "leadtime_to_ship",
            "min_order_quantity",
            "max_order_quantity",
            "package_quantity",
            "allow_quote_requests",
        ):
            assert fresh[name] == offer[name], name
        assert 1 == len(offer["all_prices"])  # type: ignore[arg-type]
        assert offer["applicable_pricing"]["discount_start_date"] is None  # type: ignore[index]


async def test_same_request_in_hand_gives_the_same_import_and_a_new_one_afterwards() -> None:
    """d.5: OF24 may be repeated; what is over is not in hand any more."""
    async with serving() as client:
        first, again = await send(client, BARE), await send(client, BARE)
        other = await send(client, {**BARE, "price": 41})
        client.shop.wait(seconds=20)
        later = await send(client, BARE)
        numbers = [answer.json()["import_id"] for answer in (first, again, other, later)]

        assert numbers[0] == numbers[1]
        assert 3 == len(set(numbers))


async def test_new_offer_is_made_and_a_deleted_one_is_gone_and_comes_back() -> None:
    """update-delete; a deleted offer is not found, and keeps its number when made again."""
    async with serving() as client:
        new = {**BARE, "shop_sku": "NEW-1", "product_id": EAN, "product_id_type": "EAN"}
        made = await done(client, await send(client, {**new, "quantity": 3}))
        before = await shown(client, "NEW-1")
        gone = await done(client, await send(client, {**new, "update_delete": "delete"}))
        absent = await client.get(f"/api/offers/{before['offer_id']}")
        listed = (await client.get("/api/offers?sku=NEW-1")).rows("offers")
        await done(client, await send(client, {**new, "quantity": 4}))
        after = await shown(client, "NEW-1")

        assert (1, 1) == (made["offer_inserted"], gone["offer_deleted"])
        assert (404, []) == (absent.status, listed)
        assert (before["offer_id"], 4) == (after["offer_id"], after["quantity"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shop_sku": None}, "SKU"),
        ({"shop_sku": "a/b"}, "SKU"),
        ({"shop_sku": "x" * 41}, "SKU"),
        ({"price": None}, "price is required"),
        ({"price": 0}, "not above 0"),
        ({"price": 1.999}, "decimal places"),
        ({"state_code": None}, "state is required"),
        ({"update_delete": "remove"}, "not a value of update-delete"),
        ({"quantity": -1}, "not a whole number"),
        ({"quantity": 10**9 + 1}, "above"),
        ({"leadtime_to_ship": "soon"}, "not a whole number"),
        ({"available_started": "tomorrow"}, "not an ISO 8601 date"),
        ({"discount": {"price": 39}}, "start date and an end date"),
        ({"discount": {"price": 40, "start_date": "x", "end_date": "y"}}, "not below"),
        ({"discount": {"start_date": "2026-01-01"}}, "no price"),
        ({"all_prices": [{"channel_code": "JLUK"}]}, "no unit_origin_price"),
        ({"shop_sku": "NEW-2"}, "product id and its type are required"),
        ({"shop_sku": "NEW-2", "product_id": "1", "product_id_type": "EAN"}, "does not exist"),
        ({"shop_sku": "NEW-2", "update_delete": "delete"}, "does not exist"),
        ({"product_id": "MP000002", "product_id_type": "SKU"}, "differs"),
    ],
)
async def test_offer_that_cannot_be_used_is_reported_and_the_others_count(
    change: dict[str, object], message: str
) -> None:
    """COMPLETE with errors is normal; OF03 has the columns as sent, then line and message."""
    async with serving() as client:
        taken = await send(client, {**BARE, **change}, {**BARE, "shop_sku": SOCKS})
        finished = await done(client, taken)
        (row,) = await report(client, finished["import_id"])
        names = list(row)

        assert ("COMPLETE", 2, 1, 1, True) == (
            finished["status"],
            finished["lines_read"],
            finished["lines_in_success"],
            finished["lines_in_error"],
            finished["has_error_report"],
        )
        assert ["error-line", "error-message"] == names[-2:]
        assert {"sku", "price", "state"} <= set(names)
        assert "1" == row["error-line"]
        assert message in row["error-message"]
        assert 40 == (await shown(client, SOCKS))["price"]


async def test_offers_of_no_list_are_refused_at_once() -> None:
    """400 for what is no list of offers; the amounts may be written as strings."""
    async with serving() as client:
        bodies: list[object] = [{}, {"offers": []}, {"offers": [{"price": "cheap"}]}, []]
        answers = [await client.ask("POST", "/api/offers", json=body) for body in bodies]
        written = await done(client, await send(client, {**BARE, "price": "12.30"}))

        assert [400] * 4 == [answer.status for answer in answers]
        assert 1 == written["lines_in_success"]
        assert 404 == (await client.get("/api/offers/imports/99")).status


async def test_imports_are_listed_newest_first_in_pages() -> None:
    """OF04: seek pages over all offer imports."""
    async with serving() as client:
        for price in (41, 42, 43):
            await done(client, await send(client, {**BARE, "price": price}))
        first = (await client.get("/api/offers/imports?limit=2")).json()
        token = first["next_page_token"]
        rest = (await client.get(f"/api/offers/imports?limit=2&page_token={token}")).json()
        rows = [*first["data"], *rest["data"]]  # type: ignore[misc]

        assert [20442, 20441, 20440] == [row["import_id"] for row in rows]
        assert rest["next_page_token"] is None


async def test_slow_import_stays_in_hand_and_a_failing_one_did_nothing() -> None:
    """Two troubles by setting and by hand: slow ones wait, failed ones change nothing."""
    async with serving(quick(failing_import_share=1)) as client:
        client.shop.marketplace.slow_imports(3600)
        taken = await send(client, BARE)
        soon = await done(client, taken)
        client.shop.wait(hours=1)
        late = await done(client, taken)

        assert ("WAITING", "FAILED") == (soon["status"], late["status"])
        assert late["reason_status"]
        assert 24 == (await shown(client))["price"]


# ── OF01 ──────────────────────────────────────────────────────────────────────────────────────


async def test_file_keeps_what_it_has_no_column_for_and_resets_what_is_empty() -> None:
    """OF01 NORMAL: an absent column keeps, an empty cell resets (unlike OF24)."""
    async with serving() as client:
        await done(client, await send(client, WHOLE))
        finished = await done(
            client,
            await send_file(
                client, f"sku;price;state;description;logistic-class\n{SHIRT};50;11;;BIG\n"
            ),
        )
        offer = await shown(client)

        assert (1, "NORMAL") == (finished["offer_updated"], finished["mode"])
        assert (None, 12, "shelf 7") == (
            offer["description"],
            offer["quantity"],
            offer["internal_description"],
        )
        assert {"code": "BIG", "label": "BIG"} == offer["logistic_class"]
        assert 36 == offer["price"]


async def test_replace_deletes_what_is_not_in_the_file() -> None:
    """OF01 REPLACE: the file is the whole shop; custom columns are custom fields."""
    async with serving() as client:
        content = (
            f'sku;price;quantity;state;discount-ranges;gift-wrap\n{SHIRT};50;3;11;;true\n"A'
        )
        broken = await done(client, await send_file(client, content, import_mode="REPLACE"))
        content = (
            f"sku;price;quantity;state;price-ranges;gift-wrap\n{SHIRT};50;3;11;5|45;true\n"
        )
        finished = await done(client, await send_file(client, content, import_mode="REPLACE"))
        (offer,) = (await client.get("/api/offers")).rows("offers")

        assert "FAILED" == broken["status"]
        assert (1, 1) == (finished["offer_updated"], finished["offer_deleted"])
        assert [{"code": "gift-wrap", "type": "STRING", "value": "true"}] == offer[
            "offer_additional_fields"
        ]
        assert [1, 5] == [
            step["quantity_threshold"]
            for step in offer["applicable_pricing"]["volume_prices"]  # type: ignore[index]
        ]


async def test_file_without_its_mode_or_of_another_one_is_refused() -> None:
    """import_mode is NORMAL or REPLACE; the file part is needed."""
    async with serving() as client:
        no_file = FormData()
        no_file.add_field("import_mode", "NORMAL")
        answers = [
            await send_file(client, "sku;price\n", import_mode="OVERWRITE"),
            await send_file(client, "sku;price\n", import_mode=""),
            await client.ask("POST", "/api/offers/imports", data=no_file),
        ]

        assert [400, 400, 415] == [answer.status for answer in answers]


async def test_refused_line_of_a_file_keeps_its_number_and_its_cells() -> None:
    """OF03 after OF01: ready to be mended and sent again."""
    async with serving() as client:
        finished = await done(
            client, await send_file(client, f"sku;price;state\n\n{SHIRT};dear;11\n")
        )
        (row,) = await report(client, finished["import_id"])

        assert (SHIRT, "dear", "11") == (row["sku"], row["price"], row["state"])
        assert "3" == row["error-line"]


# ── PRI01 ─────────────────────────────────────────────────────────────────────────────────────


async def prices(client: Client, content: str) -> dict[str, object]:
    taken = await client.ask("POST", "/api/offers/pricing/imports", data=offer_file(content))
    assert taken.status == 201, taken.body
    import_id = taken.json()["import_id"]
    assert isinstance(import_id, str)
    client.shop.wait(seconds=10)
    path = f"/api/offers/pricing/imports?import_id={import_id}"
    assert taken.headers["Location"].endswith(path)
    (row,) = (await client.get(path)).rows("data")
    return row


def offer_of(client: Client, sku: str = SHIRT) -> Offer:
    return client.shop.marketplace.offers[sku]


async def test_prices_of_an_offer_are_deleted_and_replaced() -> None:
    """PRI01: exactly the prices of the file; the quantity is not touched."""
    async with serving() as client:
        await done(client, await send(client, WHOLE))
        row = await prices(
            client,
            "offer-sku;price;discount-price;discount-start-date;discount-end-date;channels;price-ranges\n"
            f"{SHIRT};30;25;2026-02-01;2026-03-01;;1|30,10|28\n{SHIRT};29;;;;JLUK;\n",
        )
        offer = await shown(client)

        assert ("COMPLETE", 2, 1, False) == (
            row["status"],
            row["lines_in_success"],
            row["offers_updated"],
            row["has_error_report"],
        )
        assert (25, 12) == (offer["price"], offer["quantity"])
        assert 2 == len(offer["all_prices"])  # type: ignore[arg-type]
        assert 2900 == offer_of(client).further_prices[0].price.amount_minor


@pytest.mark.parametrize(
    ("lines", "errors", "message"),
    [
        (f"{SHIRT};30;\n{SHIRT};dear;JLUK\n", 2, "in error"),
        (f"{SHIRT};30;JLUK\n", 1, "for everybody"),
        (f"{SHIRT};30;\n{SOCKS};9;\n{SHIRT};29;JLUK\n", 1, "do not follow each other"),
        (f"{SHIRT};30;FR\n", 1, "channel 'FR'"),
        ("NOBODY;30;\n", 1, "does not exist"),
        (f"{SHIRT};30;\n" + f"{SHIRT};29;JLUK\n" * 50, 51, "at most 50"),
    ],
)
async def test_offer_with_a_wrong_price_keeps_what_it_had(
    lines: str, errors: int, message: str
) -> None:
    """PRI03 has all lines of such an offer, number and reason first."""
    async with serving() as client:
        row = await prices(client, "offer-sku;price;channels\n" + lines)
        path = f"/api/offers/pricing/imports/{row['import_id']}/error_report"
        found = (await client.get(path)).body.decode()
        rows = list(csv.reader(io.StringIO(found), delimiter=";"))

        assert (errors, 1) == (row["lines_in_error"], row["offers_in_error"])
        assert ["line", "error-message", "offer-sku", "price", "channels"] == rows[0]
        assert message in rows[1][1]
        assert offer_of(client).price.amount_minor in {2400, 3000}
