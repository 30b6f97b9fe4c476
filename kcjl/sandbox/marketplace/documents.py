"""Documents of orders: invoices and whatever else the shop puts beside an order (OR72..OR76).

Promises: of an upload each file is kept or has its mistake; names are ASCII and distinct, an
order has no more of them than the tenant allows (contract b.3, d.2). It opens no file.
Invariant: a document's number is never used again. Called by the marketplace's door.
"""

import base64
import binascii
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.moments import seconds
from kcjl.sandbox.marketplace.records import Order

__all__ = ["Document", "DocumentError", "Documents"]

FIRST_DOCUMENT_ID = 770
CUSTOMER_INVOICE = "CUSTOMER_INVOICE"

DocumentError: TypeAlias = dict[str, str]
"""Of one file: code, field, message."""


@dataclass(slots=True, kw_only=True)
class Document:
    """One file."""

    document_id: int
    order_id: str
    file_name: str
    type_code: str
    uploaded_at: datetime
    content: bytes


class Documents:
    """All documents of the shop's orders."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.by_id: dict[int, Document] = {}
        self.of_order: defaultdict[str, list[Document]] = defaultdict(list)
        self._count = 0

    def has_invoice(self, order_id: str) -> bool:
        kept = self.of_order.get(order_id, ())
        return any(document.type_code == CUSTOMER_INVOICE for document in kept)

    def upload(
        self, order_id: str, documents: Sequence[Mapping[str, str | None]]
    ) -> list[DocumentError | None]:
        """OR74: for each file what was wrong with it; `content` is in base64."""
        order = self._book.order(order_id)
        if not documents:
            raise ApiError.of(400, "order_documents: at least one document is needed")
        names = [each.get("file_name") or "" for each in documents]
        outcomes = [
            self._keep(order, document, is_twice=names.count(name) > 1)
            for document, name in zip(documents, names, strict=True)
        ]
        if None in outcomes:
            self._book.touch(order, ())
        return outcomes

    def _keep(
        self, order: Order, document: Mapping[str, str | None], *, is_twice: bool
    ) -> DocumentError | None:
        settings = self._book.settings
        name, type_code = document.get("file_name") or "", document.get("type_code") or ""
        types = {each.code for each in settings.document_types if each.by_shop}
        kept = self.of_order[order.order_id]
        if not name or not name.isascii() or not name.isprintable():
            return _error("INVALID_FILE_NAME", "file_name", "The name must be ASCII")
        if is_twice or any(other.file_name == name for other in kept):
            return _error("DUPLICATE_FILE_NAME", "file_name", f"{name} is there already")
        if type_code not in types:
            return _error("INVALID_TYPE", "type_code", f"'{type_code}' can't be uploaded")
        if len(kept) >= settings.documents_max:
            message = f"An order has at most {settings.documents_max} documents"
            return _error("TOO_MANY_DOCUMENTS", "order_documents", message)
        written = document.get("content")
        if written is None:
            return _error("FILE_MISSING", "files", f"No file {name} was sent")
        try:
            content = base64.b64decode(written, validate=True)
        except binascii.Error:
            return _error("INVALID_FILE", "files", f"The file {name} can't be read")
        self._count += 1
        number = FIRST_DOCUMENT_ID + self._count
        made = Document(
            document_id=number,
            order_id=order.order_id,
            file_name=name,
            type_code=type_code,
            uploaded_at=seconds(self._book.agenda.now),
            content=content,
        )
        self.by_id[number] = made
        kept.append(made)
        return None

    def delete(self, document_id: int) -> None:
        """OR76."""
        document = self.by_id.get(document_id)
        if document is None:
            raise ApiError.of(404, f"Document {document_id} not found")
        del self.by_id[document_id]
        self.of_order[document.order_id].remove(document)
        self._book.touch(self._book.orders[document.order_id], ())


def _error(code: str, field: str, message: str) -> DocumentError:
    return {"code": code, "field": field, "message": message}
