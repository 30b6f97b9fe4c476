"""Offers and stock imports of the seller API over real HTTP (johnlewis b.2)."""

import csv
import io

import pytest
from aiohttp import FormData

from kcjl.money import Money
from tests.sandbox.johnlewis_client import serving, stock_file
from tests.sandbox.marketplace_shop import SHIRT, SOCKS

pytestmark = pytest.mark.anyio


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
