"""Documents of orders as the rest of kcjl sees them.

Promises: a document is known by its id; what is uploaded is told file by file. A document may
hold personal data (an invoice does): its bytes go to no log. Invariant: a second upload makes a
second document: look with OR72, by `missing_documents`, before a repeat. Where the tenant asks
for accounting documents (`Platform.documents_asked_of_shop`) invoices do not go here at all.
Called by the actors; implemented by `documents.py`. Source: contract johnlewis b.3, d.5, f.30.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from kcjl.johnlewis.reversal_port import ItemResult

__all__ = [
    "DocumentFile",
    "DocumentOutcome",
    "DocumentPort",
    "DocumentUpload",
    "Download",
    "OrderDocument",
    "missing_documents",
]


class DocumentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the records of this module."""


class OrderDocument(DocumentRecord, frozen=True, kw_only=True):
    """OR72: a document that is on an order."""

    document_id: str
    order_id: str
    file_name: str
    type_code: str
    """SYSTEM_DELIVERY_BILL, CUSTOMER_INVOICE, … (DO01)."""
    uploaded_at: datetime | None = None
    size_bytes: int | None = None


class DocumentFile(DocumentRecord, frozen=True, kw_only=True):
    """One file. Its name is a name, never to be used as a path."""

    file_name: str
    content: bytes

    def __repr__(self) -> str:
        return f"DocumentFile({self.file_name!r}, {len(self.content)} bytes)"


class Download(DocumentRecord, frozen=True, kw_only=True):
    """OR73: what came: one file, or a ZIP of several with its files taken out."""

    content_type: str
    is_archive: bool
    files: tuple[DocumentFile, ...]


class DocumentUpload(DocumentRecord, frozen=True, kw_only=True):
    """OR74: a file for an order."""

    file_name: str
    """ASCII; distinct among the files of one upload."""
    type_code: str
    content: bytes
    content_type: str = "application/pdf"

    def __repr__(self) -> str:
        return f"DocumentUpload({self.file_name!r}, {len(self.content)} bytes)"


class DocumentOutcome(DocumentRecord, frozen=True, kw_only=True):
    """What became of one file of an upload."""

    file_name: str
    result: ItemResult
    message: str = ""
    reason_code: str = ""


class DocumentPort(Protocol):
    """Documents of orders."""

    async def order_documents(
        self, order_ids: Sequence[str]
    ) -> Sequence[OrderDocument]: ...  # OR72

    async def download_document(self, document_id: str) -> Download: ...  # OR73

    async def download_documents(
        self, *, order_ids: Sequence[str] = (), document_ids: Sequence[str] = ()
    ) -> Download: ...  # OR73

    async def upload_documents(
        self, order_id: str, uploads: Sequence[DocumentUpload]
    ) -> Sequence[DocumentOutcome]:
        """OR74, one request. Raises `Refused`, `Unavailable` or `OutcomeUnknown`; after that
        one read OR72, and send what `missing_documents` says.
        """
        ...


def missing_documents(
    order_id: str, there: Sequence[OrderDocument], wanted: Sequence[DocumentUpload]
) -> tuple[DocumentUpload, ...]:
    """What of an upload is not on the order yet: by name, type and size, each found once.

    A size or a type that OR72 does not tell matches any.
    """
    left = [each for each in there if each.order_id == order_id]
    missing: list[DocumentUpload] = []
    for upload in wanted:
        found = next((each for each in left if _is_same(each, upload)), None)
        if found is None:
            missing.append(upload)
        else:
            left.remove(found)
    return tuple(missing)


def _is_same(document: OrderDocument, upload: DocumentUpload) -> bool:
    return (
        document.file_name == upload.file_name
        and document.type_code in ("", upload.type_code)
        and document.size_bytes in (None, len(upload.content))
    )
