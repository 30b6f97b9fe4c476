"""Documents of orders: OR72, OR73 and OR74.

Promises: at most 100 ids a call; a download is bounded, packed and unpacked alike, and left as
it is to the byte; an upload is one request, never repeated by itself, and tells what became of
each file: those that come back are REFUSED, the others DONE. It writes no file.
Invariant: a name out of an archive is a name, never a path; names that an upload can't hold
raise `Misuse` before anything is sent.
Called by `seller_api.py`, of which it is a part. Source: contract johnlewis b.3, d.2, d.5.
"""

import io
import zipfile
import zlib
from collections.abc import Sequence
from email.message import Message

import msgspec

from kcjl.errors import Misuse, OutcomeUnknown, ProtocolSurprise
from kcjl.johnlewis.asking import IDS_MAX, chunks, distinct_ids, json_of, segment
from kcjl.johnlewis.calls import AreaCalls
from kcjl.johnlewis.documents_port import (
    DocumentFile,
    DocumentOutcome,
    DocumentUpload,
    Download,
    OrderDocument,
)
from kcjl.johnlewis.reading import (
    ZERO,
    holds,
    key,
    listed,
    plain_text,
    text,
    time,
    whole,
    words_of_refusal,
)
from kcjl.johnlewis.request import Answer, Call, Part
from kcjl.johnlewis.reversal_port import ItemResult
from kcjl.johnlewis.wire import decoded
from kcjl.johnlewis.wire_values import WireId, WireNumber, WireRead, WireText

__all__ = ["DocumentCalls", "downloaded", "order_documents", "upload_outcomes"]

DOCUMENTS_MAX = 50
"""Of one order (contract d.2)."""

UNPACKED_BYTES_MAX = 256 * 1024 * 1024
"""What an archive may hold in all; more is no set of order documents."""

FILES_MAX = 5_000
"""Files of one archive: 100 orders with 50 documents each."""

_ZIP_BEGINS = b"PK\x03\x04"
_EMPTY_ZIP_BEGINS = b"PK\x05\x06"
_CODE_CHARACTERS_MAX = 100


class WireDocument(WireRead, frozen=True, kw_only=True):
    id: WireId = None
    order_id: WireId = None
    file_name: WireText = None
    type: WireText = None
    type_code: WireText = None
    date_uploaded: str | None = None
    file_size: WireNumber = None


class WireDocuments(WireRead, frozen=True, kw_only=True):
    order_documents: list[WireDocument] | None = None


class WireUploadInput(WireRead, frozen=True, kw_only=True):
    file_name: WireText = None


class WireUploadError(WireRead, frozen=True, kw_only=True):
    """The file is named beside its errors, or in an `input` as in OR31: d.4 does not say."""

    file_name: WireText = None
    input: WireUploadInput | None = None
    code: WireText = None
    message: WireText = None
    errors: msgspec.Raw = msgspec.Raw(b"")


class WireUploadAnswer(WireRead, frozen=True, kw_only=True):
    errors_count: WireNumber = None
    order_documents: list[WireUploadError] | None = None


class DocumentCalls(AreaCalls):
    """Documents of orders."""

    async def order_documents(self, order_ids: Sequence[str]) -> list[OrderDocument]:
        """OR72; of orders without documents nothing comes back."""
        found: dict[str, OrderDocument] = {}
        for part in chunks(distinct_ids(order_ids, "OR72")):
            call = Call(
                operation="OR72",
                path="/api/orders/documents",
                subject=f"of {len(part)} orders from {part[0]} on",
                query=(("order_ids", ",".join(part)),),
            )
            told = order_documents((await self._http.send(call)).body)
            found.update((each.document_id, each) for each in told)
        return list(found.values())

    async def download_document(self, document_id: str) -> Download:
        """OR73 of one document: the file as it is, also when it is itself an archive."""
        return await self._download("document_ids", [document_id], may_be_archive=False)

    async def download_documents(
        self, *, order_ids: Sequence[str] = (), document_ids: Sequence[str] = ()
    ) -> Download:
        """OR73 of the documents of these orders, or of these documents: one file or a ZIP."""
        if bool(order_ids) == bool(document_ids):
            raise Misuse("OR73: name orders or documents, one of the two")
        name = "order_ids" if order_ids else "document_ids"
        return await self._download(name, order_ids or document_ids, may_be_archive=True)

    async def _download(
        self, name: str, ids: Sequence[str], *, may_be_archive: bool
    ) -> Download:
        wanted = distinct_ids(ids, f"OR73: {name}")
        if not 0 < len(wanted) <= IDS_MAX:
            raise Misuse(f"OR73: {len(wanted)} {name}; a download holds 1 to {IDS_MAX}")
        call = Call(
            operation="OR73",
            path="/api/orders/documents/download",
            subject=f"of {name} {wanted[0]}" + (" and others" if len(wanted) > 1 else ""),
            query=((name, ",".join(wanted)),),
            accept="application/octet-stream, */*;q=0.5",
            takes_bytes=True,
        )
        answer = await self._http.send(call)
        return downloaded(answer, str(call), may_be_archive=may_be_archive)

    async def upload_documents(
        self, order_id: str, uploads: Sequence[DocumentUpload]
    ) -> list[DocumentOutcome]:
        """OR74. A second upload makes a second document: see `missing_documents` first."""
        _check(order_id, uploads)
        described = [
            {"file_name": each.file_name, "type_code": each.type_code} for each in uploads
        ]
        files = (
            Part(
                name="files",
                file_name=each.file_name,
                content=each.content,
                content_type=each.content_type,
            )
            for each in uploads
        )
        description = Part(
            name="order_documents",
            content=json_of({"order_documents": described}),
            content_type="application/json",
        )
        call = Call(
            operation="OR74",
            method="POST",
            path=f"/api/orders/{segment(order_id)}/documents",
            subject=f"of order {order_id}",
            parts=(*files, description),
        )
        answer = await self._http.send(call)
        names = [each.file_name for each in uploads]
        try:
            return upload_outcomes(answer.body, str(call), names)
        except ProtocolSurprise as surprise:
            raise OutcomeUnknown(surprise.message) from None


def _check(order_id: str, uploads: Sequence[DocumentUpload]) -> None:
    what = f"OR74 of order {order_id}"
    if not 0 < len(uploads) <= DOCUMENTS_MAX:
        raise Misuse(f"{what}: {len(uploads)} files; an order holds 1 to {DOCUMENTS_MAX}")
    for each in uploads:
        name = each.file_name
        plain = name.isascii() and name.isprintable() and not set('/\\";') & set(name)
        if not plain or name != name.strip() or not name.strip("."):
            raise Misuse(f"{what}: {name!r} is no ASCII file name without a path")
        if not each.type_code.strip() or not each.content:
            raise Misuse(f"{what}: {name} needs a type code and a content")
    if len({each.file_name.casefold() for each in uploads}) < len(uploads):
        raise Misuse(f"{what}: two files have one name, and their outcomes could not be told")


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def order_documents(body: bytes) -> list[OrderDocument]:
    read = decoded(body, WireDocuments, "OR72").order_documents
    return [_document(row) for row in listed(read, body, "OR72")]


def _document(row: WireDocument) -> OrderDocument:
    document_id = key(row.id, "OR72: a document's id")
    what = f"OR72: document {document_id}"
    return OrderDocument(
        document_id=document_id,
        order_id=key(row.order_id, f"{what}: its order"),
        file_name=text(row.file_name),
        type_code=text(row.type) or text(row.type_code),
        uploaded_at=time(row.date_uploaded, what),
        size_bytes=None if row.file_size is None else whole(row.file_size, what),
    )


def downloaded(answer: Answer, what: str, *, may_be_archive: bool) -> Download:
    """The files of a download. An archive is opened; a name comes without its folders."""
    is_archive = may_be_archive and answer.body.startswith((_ZIP_BEGINS, _EMPTY_ZIP_BEGINS))
    if is_archive:
        files = _unpacked(answer.body, what)
    else:
        files = (DocumentFile(file_name=_file_name(answer), content=answer.body),)
    return Download(content_type=answer.content_type, is_archive=is_archive, files=files)


def _unpacked(body: bytes, what: str) -> tuple[DocumentFile, ...]:
    """Bounded before and while it is unpacked: what an archive says of itself may be wrong."""
    files: list[DocumentFile] = []
    left = UNPACKED_BYTES_MAX
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > FILES_MAX:
                raise ProtocolSurprise(f"{what}: an archive of more than {FILES_MAX} files")
            for entry in entries:
                with archive.open(entry) as file:
                    content = file.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise ProtocolSurprise(
                        f"{what}: an archive of more than {UNPACKED_BYTES_MAX} bytes"
                    )
                files.append(
                    DocumentFile(file_name=_last_part(entry.filename), content=content)
                )
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError,
            ValueError, OSError) as error:  # fmt: skip
        raise ProtocolSurprise(
            f"{what}: an archive of {len(body)} bytes could not be opened: "
            f"{type(error).__name__}"
        ) from None
    return tuple(files)


def _file_name(answer: Answer) -> str:
    """The name in `Content-Disposition`, without any folder; empty where none is told."""
    header = Message()
    header["Content-Disposition"] = plain_text(answer.disposition)
    return _last_part(header.get_filename("") or "")


def _last_part(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return plain_text("" if last in (".", "..") else last)


def upload_outcomes(body: bytes, what: str, names: Sequence[str]) -> list[DocumentOutcome]:
    """An outcome for each file. Errors that name no file of ours leave the rest unknown."""
    read = decoded(body, WireUploadAnswer, what)
    failed = {_failed_name(each): _words(each) for each in read.order_documents or ()}
    count = whole(read.errors_count or ZERO, f"{what}: errors_count")
    unnamed = max(count - len(failed), 0) > 0 or bool(set(failed) - set(names))
    outcomes: list[DocumentOutcome] = []
    for name in names:
        message, reason_code = failed.get(name, ("", ""))
        result = ItemResult.DONE
        if name in failed:
            result = ItemResult.REFUSED
        elif unnamed:
            result = ItemResult.UNKNOWN
            message = "a file failed, and the answer does not say which"
        outcomes.append(
            DocumentOutcome(
                file_name=name, result=result, message=message, reason_code=reason_code
            )
        )
    return outcomes


def _failed_name(error: WireUploadError) -> str:
    return text(error.file_name) or (text(error.input.file_name) if error.input else "")


def _words(error: WireUploadError) -> tuple[str, str]:
    inner = holds(error.errors)
    message, reason_code = words_of_refusal(inner) if inner else ("", "")
    words = plain_text(text(error.message)) or message or "refused without a reason"
    return words, plain_text(text(error.code), _CODE_CHARACTERS_MAX) or reason_code
