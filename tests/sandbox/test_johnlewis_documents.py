"""The document operations of the seller API over real HTTP (johnlewis b.3)."""

import io
import zipfile

import msgspec
import pytest
from aiohttp import FormData

from kcjl.sandbox.marketplace import Order
from tests.sandbox.johnlewis_client import Answer, Client, serving
from tests.sandbox.marketplace_shop import quick

pytestmark = pytest.mark.anyio


def form(files: dict[str, bytes], kinds: dict[str, str]) -> FormData:
    """Files, and the part that says what they are."""
    made = FormData()
    for name, content in files.items():
        made.add_field("files", content, filename=name, content_type="application/pdf")
    listed = [{"file_name": name, "type_code": kind} for name, kind in kinds.items()]
    made.add_field(
        "order_documents",
        msgspec.json.encode({"order_documents": listed}).decode(),
        content_type="application/json",
    )
    return made


async def upload(
    client: Client, order: Order, files: dict[str, bytes], kind: str = "CUSTOMER_INVOICE"
) -> Answer:
    path = f"/api/orders/{order.order_id}/documents"
    return await client.ask("POST", path, data=form(files, dict.fromkeys(files, kind)))


async def test_documents_are_kept_listed_downloaded_and_deleted() -> None:
    """OR74, OR72, OR73 (one file as it is, several as a ZIP), OR76; has_invoice follows."""
    async with serving() as client:
        order, other = client.shop.order_to_ship(), client.shop.order_to_ship()
        taken = await upload(client, order, {"inv.pdf": b"\x00%PDF", "note.txt": b"hello"})
        await upload(client, other, {"inv.pdf": b"other"}, "OTHER")
        listed = (await client.get(f"/api/orders/documents?order_ids={order.order_id}")).rows(
            "order_documents"
        )
        download = "/api/orders/documents/download"
        one = await client.get(f"{download}?document_ids={listed[0]['id']}")
        several = await client.get(f"{download}?order_ids={order.order_id},{other.order_id}")
        archive = zipfile.ZipFile(io.BytesIO(several.body))
        invoiced = [(await client.one(each))["has_invoice"] for each in (order, other)]
        deleted = await client.ask("DELETE", f"/api/orders/documents/{listed[0]['id']}")
        gone = await client.ask("DELETE", f"/api/orders/documents/{listed[0]['id']}")

        assert {"errors_count": 0, "order_documents": []} == taken.json()
        assert {
            "id": 771,
            "order_id": order.order_id,
            "file_name": "inv.pdf",
            "type": "CUSTOMER_INVOICE",
            "date_uploaded": "2026-02-03T08:03:22Z",
            "file_size": 5,
        } == listed[0]
        assert b"\x00%PDF" == one.body
        assert 'filename="inv.pdf"' in one.headers["Content-Disposition"]
        assert "application/zip" == several.headers["Content-Type"]
        assert {
            f"{order.order_id}/inv.pdf": b"\x00%PDF",
            f"{order.order_id}/note.txt": b"hello",
            f"{other.order_id}/inv.pdf": b"other",
        } == {name: archive.read(name) for name in archive.namelist()}
        assert [True, False] == invoiced
        assert [204, 404] == [deleted.status, gone.status]


async def test_upload_names_each_file_that_could_not_be_kept() -> None:
    """ASCII names, distinct, of an allowed type, with their file; the others are kept."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        await upload(client, order, {"inv.pdf": b"1"})
        kinds = {
            "inv.pdf": "CUSTOMER_INVOICE",
            "façade.pdf": "CUSTOMER_INVOICE",
            "bill.pdf": "SYSTEM_DELIVERY_BILL",
            "lost.pdf": "CUSTOMER_INVOICE",
            "good.pdf": "CUSTOMER_INVOICE",
        }
        files = {name: b"x" for name in kinds if name != "lost.pdf"}
        answer = await client.ask(
            "POST", f"/api/orders/{order.order_id}/documents", data=form(files, kinds)
        )
        failed = {
            msgspec.convert(row["input"], dict[str, str])["file_name"]: msgspec.convert(
                row["errors"], list[dict[str, str]]
            )[0]["code"]
            for row in answer.rows("order_documents")
        }
        kept = client.shop.marketplace.documents.of_order[order.order_id]

        assert (200, 4) == (answer.status, answer.json()["errors_count"])
        assert {
            "inv.pdf": "DUPLICATE_FILE_NAME",
            "façade.pdf": "INVALID_FILE_NAME",
            "bill.pdf": "INVALID_TYPE",
            "lost.pdf": "FILE_MISSING",
        } == failed
        assert ["inv.pdf", "good.pdf"] == [document.file_name for document in kept]


async def test_order_has_no_more_documents_than_the_tenant_allows() -> None:
    """Fifty by the contract."""
    async with serving(quick(documents_max=2)) as client:
        order = client.shop.order_to_ship()
        answer = await upload(client, order, {f"{n}.pdf": b"x" for n in range(3)})

        assert 1 == answer.json()["errors_count"]
        assert 50 == quick().documents_max


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/orders/documents", 400),
        ("GET", "/api/orders/documents?order_ids=" + ",".join(map(str, range(101))), 400),
        ("GET", "/api/orders/documents/download", 400),
        ("GET", "/api/orders/documents/download?document_ids=1", 404),
        ("DELETE", "/api/orders/documents/abc", 404),
        ("POST", "/api/orders/x/documents", 415),
    ],
)
async def test_document_call_that_is_wrong_is_refused(
    method: str, path: str, status: int
) -> None:
    """Orders must be named, at most 100; files come as multipart."""
    async with serving() as client:
        assert status == (await client.ask(method, path)).status


async def test_upload_without_its_listing_or_order_is_refused() -> None:
    """The part `order_documents` says what the files are."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        bare = FormData()
        bare.add_field("files", b"x", filename="x.pdf")
        path = f"/api/orders/{order.order_id}/documents"
        statuses = [
            (await client.ask("POST", path, data=bare)).status,
            (await client.ask("POST", "/api/orders/x/documents", data=form({}, {}))).status,
            (await client.ask("POST", path, data=form({}, {}))).status,
        ]

        assert [400, 404, 400] == statuses
