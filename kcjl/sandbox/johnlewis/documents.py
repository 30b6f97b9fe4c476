"""Documents of orders over HTTP: OR72, OR73, OR74 and OR76 of the John Lewis face.

Promises: fields and statuses of the contract (b.3); several files come as one ZIP, one file as
it is; an upload answers 200 and lists the failed files only. It keeps nothing.
Called by the face's routes.
"""

import base64
import io
import zipfile

import msgspec
from aiohttp import web

from kcjl.sandbox.johnlewis.answers import Json, answer, nothing, second
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.marketplace import ApiError
from kcjl.sandbox.marketplace.documents import Document

__all__ = ["ROUTES"]

FILES = "files"
LISTING = "order_documents"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Which file is what."""

    file_name: str
    type_code: str


class UploadCall(msgspec.Struct, frozen=True, kw_only=True):
    """The part that lists the files."""

    order_documents: list[Named]


def list_documents(asked: Asked) -> web.Response:
    """OR72."""
    order_ids = asked.listed("order_ids")
    if not order_ids:
        raise ApiError.of(400, "order_ids: is mandatory")
    shown = [_view(document) for document in _of_orders(asked, order_ids)]
    return answer({"order_documents": shown, "total_count": len(shown)})


def download_documents(asked: Asked) -> web.Response:
    """OR73."""
    order_ids, numbers = asked.listed("order_ids"), asked.listed("document_ids")
    if not order_ids and not numbers:
        raise ApiError.of(400, "order_ids or document_ids: one of them is mandatory")
    kept = asked.marketplace.documents.by_id
    found = _of_orders(asked, order_ids) if order_ids else list(kept.values())
    if numbers:
        found = [document for document in found if str(document.document_id) in numbers]
    types = asked.listed("document_codes")
    found = [document for document in found if not types or document.type_code in types]
    if not found:
        raise ApiError.of(404, "There are no such documents")
    if len(found) == 1:
        return _file(found[0].file_name, found[0].content, "application/octet-stream")
    return _file("documents.zip", _zipped(found), "application/zip")


def upload_documents(asked: Asked) -> web.Response:
    """OR74."""
    order_id = asked.path["order_id"]
    asked.marketplace.book.order(order_id)
    listing = next((part.content for part in asked.parts if part.name == LISTING), None)
    if listing is None:
        raise ApiError.of(400, f"The multipart part '{LISTING}' is missing")
    try:
        named = msgspec.json.decode(listing, type=UploadCall).order_documents
    except (msgspec.DecodeError, UnicodeDecodeError) as invalid:
        raise ApiError.of(400, f"{LISTING}: cannot be read: {invalid}") from None
    files = {part.file_name: part.content for part in asked.parts if part.name == FILES}
    documents = [
        {
            "file_name": each.file_name,
            "type_code": each.type_code,
            "content": _written(files.get(each.file_name)),
        }
        for each in named
    ]
    outcomes = asked.change("upload_documents", order_id=order_id, documents=documents)
    if not isinstance(outcomes, list):
        raise TypeError("the gate answered documents with something else than outcomes")
    failed = [
        {
            "input": {"file_name": each.file_name, "type_code": each.type_code},
            "errors": [wrong],
        }
        for each, wrong in zip(named, outcomes, strict=True)
        if wrong is not None
    ]
    return answer({"errors_count": len(failed), "order_documents": failed})


def delete_document(asked: Asked) -> web.Response:
    """OR76."""
    written = asked.path["document_id"]
    if not (written.isascii() and written.isdigit()):
        raise ApiError.of(404, f"Document {written} not found")
    asked.change("delete_document", document_id=int(written))
    return nothing()


def _of_orders(asked: Asked, order_ids: tuple[str, ...]) -> list[Document]:
    of_order = asked.marketplace.documents.of_order
    return [document for key in dict.fromkeys(order_ids) for document in of_order.get(key, ())]


def _view(document: Document) -> Json:
    return {
        "id": document.document_id,
        "order_id": document.order_id,
        "file_name": document.file_name,
        "type": document.type_code,
        "date_uploaded": second(document.uploaded_at),
        "file_size": len(document.content),
    }


def _written(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _zipped(documents: list[Document]) -> bytes:
    """Each under its order and name; the times in the archive are the uploads'."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for document in documents:
            entry = zipfile.ZipInfo(
                f"{document.order_id}/{document.file_name}",
                document.uploaded_at.timetuple()[:6],
            )
            archive.writestr(entry, document.content)
    return kept.getvalue()


def _file(name: str, content: bytes, kind: str) -> web.Response:
    safe = name.replace('"', "'").replace("\\", "_")
    headers = {"Content-Disposition": f'attachment; filename="{safe}"'}
    return web.Response(body=content, content_type=kind, headers=headers)


ROUTES = (
    ("OR72", "GET", "/api/orders/documents", list_documents),
    ("OR73", "GET", "/api/orders/documents/download", download_documents),
    ("OR74", "POST", "/api/orders/{order_id}/documents", upload_documents),
    ("OR76", "DELETE", "/api/orders/documents/{document_id}", delete_document),
)
