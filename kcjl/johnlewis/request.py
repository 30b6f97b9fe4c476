"""A request to the marketplace and its answer, before and after HTTP.

Promises: a call says all that a request needs: operation, path, query, and at most one body. It
sends nothing. Invariant: a call that only reads, or only asks for an export, writes nothing.
Called by the classes of calls, `http.py`, `paging.py` and `exports.py`.
"""

import aiohttp
import msgspec

__all__ = ["Answer", "Call", "Part", "further_page", "multipart"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a multipart body; with a file name it is a file, else text in UTF-8."""

    name: str
    content: bytes
    content_type: str
    file_name: str | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request to make."""

    operation: str
    path: str
    """Below the root, already quoted."""
    method: str = "GET"
    subject: str = ""
    """What it is about, for messages."""
    query: tuple[tuple[str, str], ...] = ()
    json: bytes | None = None
    file: bytes | None = None
    """A CSV file, sent as the multipart part `file`."""
    accept: str = "application/json"
    changes: bool = True
    """False for a POST that only asks for an export: it may be asked again."""
    bytes_max: int | None = None
    """Of the answer, where it is not `body_bytes_max`."""
    parts: tuple[Part, ...] = ()
    """A multipart body of several parts."""
    takes_bytes: bool = False
    """The answer is a file, to be left as it is to the byte."""
    page: int = 1
    """Which page of a list, for the sync log."""

    @property
    def writes(self) -> bool:
        return self.method != "GET" and self.changes

    def __str__(self) -> str:
        return f"{self.operation} {self.subject}".strip()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A 2xx answer."""

    body: bytes
    location: str | None = None
    has_next: bool | None = None
    """Whether the `Link` header names a next page; None without that header."""
    content_type: str = ""
    """In small letters, without its parameters."""
    disposition: str = ""
    """The `Content-Disposition` header, as it came."""


def further_page(call: Call, page: int, *query: tuple[str, str]) -> Call:
    """The same call, for one page of its list."""
    return msgspec.structs.replace(call, query=(*call.query, *query), page=page)


def multipart(parts: tuple[Part, ...]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for part in parts:
        if part.file_name is None:
            words = part.content.decode()  # bytes would be made a file
            form.add_field(part.name, words, content_type=part.content_type)
        else:
            form.add_field(
                part.name,
                part.content,
                filename=part.file_name,
                content_type=part.content_type,
            )
    return form
