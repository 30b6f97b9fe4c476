"""The seller API: documents of orders, listed, downloaded and uploaded."""

import io
import zipfile
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP as HTTP_POLICY

import msgspec
import pytest

from kcjl.errors import Misuse, NotFound, OutcomeUnknown, ProtocolSurprise, Refused
from kcjl.johnlewis import documents
from kcjl.johnlewis.documents_port import (
    DocumentFile,
    DocumentPort,
    DocumentUpload,
    OrderDocument,
    missing_documents,
)
from kcjl.johnlewis.reversal_port import ItemResult
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.conftest import MakeApi
from tests.johnlewis.samples import DOCUMENTS
from tests.johnlewis.server import CUT, Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7\x00\x01\xff\\u0000 end"
INVOICE = DocumentUpload(file_name="inv.pdf", type_code="CUSTOMER_INVOICE", content=PDF)
BILL = DocumentUpload(file_name="bill.pdf", type_code="SYSTEM_DELIVERY_BILL", content=b"%PDF")


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return packed.getvalue()


def parts_of(asked: Asked) -> list[tuple[object, object, str, object]]:
    """(name, file name, content type, content) of each part of a multipart body."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP_POLICY).parsebytes(head + asked.body)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


async def test_seller_api_as_a_document_port_has_every_call(api: SellerApi) -> None:
    """The adapter can stand wherever documents are asked for."""
    port: DocumentPort = api

    assert port is api


# ── OR72 ────────────────────────────────────────────────────────────────────────────────────


async def test_documents_of_many_orders_are_listed_in_parts(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR72: the order ids are mandatory, and at most 100 (b.3)."""
    market.by = lambda _: said(200, DOCUMENTS)

    listed = await api.order_documents([f"{number}-A" for number in range(120)])

    assert [100, 20] == [len((a.one("order_ids") or "").split(",")) for a in market.asked]
    assert [
        OrderDocument(
            document_id="501",
            order_id="700123456-A",
            file_name="inv.pdf",
            type_code="CUSTOMER_INVOICE",
            uploaded_at=datetime(2026, 2, 4, 10, tzinfo=UTC),
            size_bytes=1204,
        )
    ] == listed


async def test_documents_of_no_order_are_not_asked_for(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A filter that is mandatory is never sent empty."""
    assert [] == await api.order_documents([])
    assert [] == market.asked


async def test_documents_with_nulls_are_listed(market: ScriptedServer, api: SellerApi) -> None:
    """Sizes and dates may be missing; the id and the order may not."""
    market.will_say(
        said(200, {"order_documents": [{"id": 1, "order_id": "A", "file_size": None}]}),
        said(200, {"order_documents": [{"id": 1}]}),
        said(200, {"order_documents": None}),
    )

    assert [OrderDocument(document_id="1", order_id="A", file_name="", type_code="")] == (
        await api.order_documents(["A"])
    )
    with pytest.raises(ProtocolSurprise, match="OR72: document 1: its order is missing"):
        await api.order_documents(["A"])
    assert [] == await api.order_documents(["A"])


# ── OR73 ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="inv.pdf"', "inv.pdf"),
        ("attachment; filename*=UTF-8''inv%20%C3%A9.pdf", "inv é.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\x\\\\inv.pdf"', "inv.pdf"),
        ('attachment; filename=".."', ""),
        ("attachment", ""),
        ("nonsense;;=", ""),
    ],
)
async def test_document_is_downloaded_to_the_byte(
    market: ScriptedServer, api: SellerApi, disposition: str, name: str
) -> None:
    """A PDF holds NULs; a name is a name, and no path."""
    market.will_say(
        said(
            200,
            PDF,
            Content_Type="application/pdf; x=1",
            headers={"Content-Disposition": disposition},
        )
    )

    download = await api.download_document("501")

    assert ("/api/orders/documents/download", "501") == (
        market.asked[0].path,
        market.asked[0].one("document_ids"),
    )
    assert (DocumentFile(file_name=name, content=PDF),) == download.files
    assert ("application/pdf", False) == (download.content_type, download.is_archive)


async def test_documents_of_several_orders_come_out_of_their_archive(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR73: a ZIP when there are several; folders are left behind (b.3)."""
    packed = archive({"O1/inv.pdf": PDF, "O2/": b"", "O2/../inv.pdf": b"2"})
    market.will_say(said(200, packed, Content_Type="application/zip"), said(200, PDF))

    several = await api.download_documents(order_ids=["O1", "O2"])
    single = await api.download_documents(order_ids=["O1"])

    assert "O1,O2" == market.asked[0].one("order_ids")
    assert [("inv.pdf", PDF), ("inv.pdf", b"2")] == [
        (each.file_name, each.content) for each in several.files
    ]
    assert (True, False) == (several.is_archive, single.is_archive)
    assert (DocumentFile(file_name="", content=PDF),) == single.files


async def test_document_that_is_itself_an_archive_stays_whole(
    market: ScriptedServer, api: SellerApi
) -> None:
    """One document asked for is one file."""
    packed = archive({"a": b"1"})
    market.will_say(said(200, packed, Content_Type="application/zip"))

    download = await api.download_document("501")

    assert [packed] == [each.content for each in download.files]


@pytest.mark.parametrize("broken", [0, 20, 40])
async def test_archive_that_is_broken_is_a_surprise(
    market: ScriptedServer, api: SellerApi, broken: int
) -> None:
    """Half an archive is not "no documents"."""
    packed = archive({"a.pdf": PDF * 9})
    market.will_say(said(200, packed[: len(packed) - 1 - broken]))

    with pytest.raises(ProtocolSurprise, match="OR73 of order_ids A: an archive of"):
        await api.download_documents(order_ids=["A"])


async def test_archive_that_unpacks_beyond_all_bounds_is_given_up(
    market: ScriptedServer, api: SellerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says of its size is not believed."""
    monkeypatch.setattr(documents, "UNPACKED_BYTES_MAX", 100_000)
    market.will_say(said(200, archive({"a": b" " * 60_000, "b": b" " * 60_000})))

    with pytest.raises(ProtocolSurprise, match="more than 100000 bytes"):
        await api.download_documents(document_ids=["1", "2"])


async def test_download_longer_than_allowed_is_given_up(
    market: ScriptedServer, make_api: MakeApi
) -> None:
    """Bodies are bounded."""
    api = make_api(body_bytes_max=1000)
    market.will_say(said(200, b"x" * 1001, close=True))

    with pytest.raises(ProtocolSurprise, match="longer than 1000 bytes"):
        await api.download_document("1")


async def test_download_that_is_refused_says_why(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Errors are JSON, also where a file was asked for."""
    market.will_say(said(404, {"message": "no such document", "status": 404}))

    with pytest.raises(NotFound, match="no such document"):
        await api.download_document("501")
    with pytest.raises(Misuse, match="one of the two"):
        await api.download_documents()
    with pytest.raises(Misuse, match="one of the two"):
        await api.download_documents(order_ids=["A"], document_ids=["1"])
    with pytest.raises(Misuse, match="holds 1 to 100"):
        await api.download_documents(order_ids=[f"{number}" for number in range(101)])


# ── OR74 ────────────────────────────────────────────────────────────────────────────────────


async def test_documents_are_uploaded_as_in_the_contract(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR74: the files, and what they are (b.3)."""
    market.will_say(said(200, {"errors_count": 0, "order_documents": []}))

    outcomes = await api.upload_documents("7/A", [INVOICE, BILL])

    asked = market.asked[0]
    assert ("POST", "/api/orders/7%2FA/documents") == (asked.method, asked.target)
    files, (described,) = parts_of(asked)[:2], parts_of(asked)[2:]
    description = described[3]
    assert isinstance(description, bytes)
    assert [
        ("files", "inv.pdf", "application/pdf", PDF),
        ("files", "bill.pdf", "application/pdf", b"%PDF"),
    ] == files
    assert ("order_documents", None, "application/json") == described[:3]
    assert {
        "order_documents": [
            {"file_name": "inv.pdf", "type_code": "CUSTOMER_INVOICE"},
            {"file_name": "bill.pdf", "type_code": "SYSTEM_DELIVERY_BILL"},
        ]
    } == msgspec.json.decode(description)
    assert [("inv.pdf", ItemResult.DONE), ("bill.pdf", ItemResult.DONE)] == [
        (each.file_name, each.result) for each in outcomes
    ]


@pytest.mark.parametrize(
    ("body", "invoice", "bill"),
    [
        ({}, "DONE", "DONE"),
        ({"errors_count": None, "order_documents": None}, "DONE", "DONE"),
        ({"errors_count": 1, "order_documents": [{"file_name": "inv.pdf"}]}, "REFUSED", "DONE"),
        ({"errors_count": 1, "order_documents": []}, "UNKNOWN", "UNKNOWN"),
        ({"order_documents": [{"message": "bad type"}]}, "UNKNOWN", "UNKNOWN"),
        (
            {"errors_count": 2, "order_documents": [{"file_name": "inv.pdf"}]},
            "REFUSED",
            "UNKNOWN",
        ),
    ],
)
async def test_upload_tells_what_became_of_each_file(
    market: ScriptedServer, api: SellerApi, body: object, invoice: str, bill: str
) -> None:
    """Only failed ones come back; what does not say which leaves the rest unknown."""
    market.will_say(said(200, body))

    outcomes = await api.upload_documents("A", [INVOICE, BILL])

    assert [invoice, bill] == [each.result.value for each in outcomes]


async def test_upload_that_failed_says_why(market: ScriptedServer, api: SellerApi) -> None:
    """Errors per file are code, field and message (d.4)."""
    failed = {
        "file_name": "inv.pdf",
        "errors": [{"code": "TYPE_UNKNOWN", "field": "type_code", "message": "unknown type"}],
    }
    market.will_say(said(200, {"errors_count": 1, "order_documents": [failed]}))

    (outcome,) = await api.upload_documents("A", [INVOICE])

    assert ("type_code: unknown type", "TYPE_UNKNOWN") == (outcome.message, outcome.reason_code)


async def test_upload_without_a_clear_answer_is_unknown(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A repeat makes a second document: look first (d.5)."""
    market.will_say(CUT, said(502, b"<p>"), said(200, b"ok"), said(400, {"message": "50"}))

    for _ in range(3):
        with pytest.raises(OutcomeUnknown, match="OR74 of order A"):
            await api.upload_documents("A", [INVOICE])
    with pytest.raises(Refused):
        await api.upload_documents("A", [INVOICE])
    assert 4 == len(market.asked)


@pytest.mark.parametrize(
    "uploads",
    [
        [],
        [INVOICE, INVOICE],
        [INVOICE] * 51,
        [msgspec.structs.replace(INVOICE, file_name="naïve.pdf")],
        [msgspec.structs.replace(INVOICE, file_name="a/b.pdf")],
        [msgspec.structs.replace(INVOICE, file_name='a".pdf')],
        [msgspec.structs.replace(INVOICE, file_name="a\r\nb")],
        [msgspec.structs.replace(INVOICE, file_name="..")],
        [msgspec.structs.replace(INVOICE, file_name="")],
        [msgspec.structs.replace(INVOICE, type_code=" ")],
        [msgspec.structs.replace(INVOICE, content=b"")],
    ],
)
async def test_upload_that_can_not_be_told_apart_is_misuse(
    market: ScriptedServer, api: SellerApi, uploads: list[DocumentUpload]
) -> None:
    """Names are ASCII and distinct (b.3); nothing is sent."""
    with pytest.raises(Misuse, match="OR74 of order A"):
        await api.upload_documents("A", uploads)
    assert [] == market.asked


def test_upload_and_file_show_no_content() -> None:
    """An invoice holds a name and an address."""
    file = DocumentFile(file_name="inv.pdf", content=b"Ada Secret")
    upload = msgspec.structs.replace(INVOICE, content=b"Ada Secret")

    assert "Secret" not in repr(file) + repr(upload)


def test_missing_documents_are_those_that_are_not_there_yet() -> None:
    """By name, type and size, on this order; each found once (d.5)."""
    there = OrderDocument(
        document_id="1",
        order_id="A",
        file_name="inv.pdf",
        type_code="CUSTOMER_INVOICE",
        size_bytes=len(PDF),
    )
    elsewhere = msgspec.structs.replace(there, order_id="B")
    untold = msgspec.structs.replace(there, type_code="", size_bytes=None)
    longer = msgspec.structs.replace(there, size_bytes=1)

    assert (BILL,) == missing_documents("A", [there], [INVOICE, BILL])
    assert (BILL,) == missing_documents("A", [untold], [INVOICE, BILL])
    assert (INVOICE,) == missing_documents("A", [longer, elsewhere], [INVOICE])
    assert (INVOICE,) == missing_documents("A", [there], [INVOICE, INVOICE])
