"""HTTP to the marketplace: one request, its errors, its pages.

Promises: one call is one request, never repeated behind the caller's back; it waits for its
turn first; every answer is bounded in time and size; the key is in no message. A write that
may have arrived and was not answered raises `OutcomeUnknown`, one that was refused `Refused`,
one that was certainly not taken `Unavailable`. Pages are read to the end, rows that move under
the paging are taken once. It knows no field of any record. It has more than 400 lines,
because pages and files share the request's errors. Invariant: nothing is sent to any
host but the one in the settings (redirects are not followed), and no key to any other.
Called by `exports.py` and the classes of calls. Source: contract johnlewis b.0, d.
"""

import email.utils
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from aiohttp import hdrs
from yarl import URL

from kcjl.clock import Clock, real_monotonic
from kcjl.errors import (
    CredentialsRefused,
    KcjlError,
    NotFound,
    OutcomeUnknown,
    ProtocolSurprise,
    RateLimited,
    Refused,
    Unavailable,
)
from kcjl.johnlewis.access import SellerApiSettings
from kcjl.johnlewis.budget import PAGES_COUNT, CallBudgets
from kcjl.johnlewis.reading import Page, plain_text, without_nul, words_of_refusal

__all__ = ["Answer", "Call", "Part", "SellerHttp"]

RETRY_AFTER_S_DEFAULT = 60.0
"""Back-off after a 429 that does not say for how long (contract g)."""

RETRY_AFTER_S_MAX = 7 * 86_400.0
"""More is a mistake of theirs."""

PAGE_ROWS = 100
"""`max` of the offset family; its default of 10 loses rows (contract f.5)."""

PAGES_MAX = 10_000
"""No list of a shop has more pages; reaching this is told, never cut."""

SWEEPS_MAX = 3
"""So often a list that shrank while it was read is read again from the start."""

_Row = TypeVar("_Row")


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


class _CutOff(Exception):
    """Raised when the connection broke after something may have been sent."""


class _TooLong(Exception):
    """Raised when an answer is longer than the settings allow."""


_UNSENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
)
"""Errors that are raised before anything of the request has left the machine."""


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """One try. The client library repeats a PUT by itself when the connection breaks, and the
    answer to the second would hide that the first was done.
    """
    try:
        return await handler(request)
    except _UNSENT:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _CutOff(type(error).__name__) from None


class SellerHttp:
    """Requests to one shop."""

    def __init__(
        self, settings: SellerApiSettings, *, clock: Clock, session: aiohttp.ClientSession
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._session = session
        self._budgets = CallBudgets(settings.budgets, clock)
        bearer = "Bearer " if settings.authorization == "bearer" else ""
        self._headers = {
            hdrs.AUTHORIZATION: bearer + settings.api_key,
            hdrs.USER_AGENT: settings.user_agent,
        }

    async def send(self, call: Call) -> Answer:
        """Wait for the turn, then one request and its answer."""
        turn = await self._budgets.turn(call.operation)
        try:
            return await self._exchange(call)
        finally:
            self._budgets.answered(turn)

    # ── pages ───────────────────────────────────────────────────────────────────────────────

    async def offset_rows(self, call: Call, read: Callable[[bytes], Page[_Row]]) -> list[_Row]:
        """All rows of the offset family, each once, as it was last seen."""
        rows: dict[str, _Row] = {}
        for _ in range(SWEEPS_MAX):
            if await self._sweep(call, read, rows):
                break
        return list(rows.values())

    async def _sweep(
        self, call: Call, read: Callable[[bytes], Page[_Row]], rows: dict[str, _Row]
    ) -> bool:
        """One reading from the start; False when rows may have slipped past it.

        The offset is the number of different rows seen, so that a repeat makes it step back.
        """
        seen: set[str] = set()
        offset, count, shrank = 0, None, False
        for _ in range(PAGES_MAX):
            asked = _with(call, ("offset", str(offset)), ("max", str(PAGE_ROWS)))
            answer = await (self._further(asked) if offset else self.send(asked))
            page = read(answer.body)
            fresh = {key for key, _ in page.rows} - seen
            seen |= fresh
            rows.update(page.rows)
            shrank = shrank or _is_less(page.total, count)
            count = page.total
            if not page.rows:
                break
            if count is not None and count < len(page.rows):
                count = None  # it counts less than it shows: not to be trusted
            if count is not None and len(seen) >= count:
                break
            if count is None and (not fresh or answer.has_next is False):
                break
            if count is not None and not fresh and offset + len(page.rows) >= count:
                break  # the end, and rows have slipped in front: they are in the next sweep
            offset = len(seen) if fresh else offset + len(page.rows)
        else:
            raise ProtocolSurprise(f"{call}: more than {PAGES_MAX} pages; nothing was taken")
        if count and not seen:
            raise ProtocolSurprise(f"{call}: it counts {count} rows and shows none")
        return not shrank and (count is None or len(seen) >= count)

    async def seek_rows(self, call: Call, read: Callable[[bytes], Page[_Row]]) -> list[_Row]:
        """All rows of the seek family, each once, as it was last seen."""
        rows: dict[str, _Row] = {}
        tokens: set[str] = set()
        page = read((await self.send(call)).body)
        rows.update(page.rows)
        while token := page.next_token:
            if token in tokens or len(tokens) >= PAGES_MAX:
                raise ProtocolSurprise(f"{call}: its pages do not come to an end")
            tokens.add(token)
            page = read((await self._further(_with(call, ("page_token", token)))).body)
            rows.update(page.rows)
        return list(rows.values())

    async def _further(self, call: Call) -> Answer:
        """A further page: part of the call that was counted, but where pages count (d.1)."""
        counts = call.operation in PAGES_COUNT
        return await (self.send(call) if counts else self._exchange(call))

    # ── one request ─────────────────────────────────────────────────────────────────────────

    async def _exchange(self, call: Call) -> Answer:
        limits = self._settings
        bytes_max = call.bytes_max or limits.body_bytes_max
        try:
            with self._clock.deadline(limits.connect_timeout_s + limits.read_timeout_s):
                async with self._request(call) as response:
                    body = await self._body(response, bytes_max)
                    if not call.takes_bytes or not _is_success(response.status):
                        body = without_nul(body)
                    status, headers = response.status, response.headers
        except _UNSENT as error:
            raise Unavailable(self._message(call, f"could not connect: {error}")) from None
        except _TooLong:
            too_long = f"the answer is longer than {bytes_max} bytes"
            raise self._unclear(call, too_long, ProtocolSurprise) from None
        except (_CutOff, aiohttp.ClientError, TimeoutError, OSError) as error:
            name = str(error) if isinstance(error, _CutOff) else type(error).__name__
            raise self._unclear(call, f"no whole answer ({name})", Unavailable) from None
        if not _is_success(status):
            raise self._failure(call, status, headers, body)
        link = headers.get(hdrs.LINK)
        return Answer(
            body=body,
            location=headers.get(hdrs.LOCATION),
            has_next=None if link is None else 'rel="next"' in link or "rel=next" in link,
            content_type=headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower(),
            disposition=headers.get(hdrs.CONTENT_DISPOSITION, ""),
        )

    def _request(self, call: Call) -> "aiohttp.client._RequestContextManager":
        query = call.query
        if self._settings.shop_id is not None:
            query = (*query, ("shop_id", str(self._settings.shop_id)))
        encoded = "?" + urlencode(query, quote_via=quote) if query else ""
        headers = {**self._headers, hdrs.ACCEPT: call.accept}
        body: bytes | aiohttp.FormData | None = call.json
        if call.json is not None:
            headers[hdrs.CONTENT_TYPE] = "application/json"
        elif call.file is not None:
            body = aiohttp.FormData()
            body.add_field("file", call.file, filename="stock.csv", content_type="text/csv")
        elif call.parts:
            body = _form(call.parts)
        elif call.writes:
            headers[hdrs.CONTENT_LENGTH] = "0"
        return self._session.request(
            call.method,
            URL(self._settings.root + call.path + encoded, encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
            raise_for_status=False,
            skip_auto_headers=() if body is not None else (hdrs.CONTENT_TYPE,),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._settings.connect_timeout_s),
            middlewares=(_send_once,),
        )

    async def _body(self, response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
        parts = bytearray()
        async for part in response.content.iter_any():
            parts += part
            if len(parts) > bytes_max:
                raise _TooLong
        return bytes(parts)

    # ── one file ────────────────────────────────────────────────────────────────────────────

    async def pieces(
        self, call: Call, url: URL, *, with_key: bool
    ) -> AsyncGenerator[bytes, None]:
        """A file as it arrives. Time counts while we wait for it, not while it is used."""
        limits = self._settings
        taken, waited_s = 0, 0.0
        headers = {hdrs.USER_AGENT: limits.user_agent, hdrs.ACCEPT: call.accept}
        turn = await self._budgets.turn(call.operation)
        asking = self._session.get(
            url,
            headers={**self._headers, **headers} if with_key else headers,
            allow_redirects=False,
            raise_for_status=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect_timeout_s),
            middlewares=(_send_once,),
        )
        try:
            try:
                with self._clock.deadline(limits.connect_timeout_s + limits.read_timeout_s):
                    response = await asking
            finally:
                self._budgets.answered(turn)
            async with response:
                if not _is_success(response.status):
                    raise await self._no_file(call, response, with_key=with_key)
                while True:
                    left_s = min(limits.read_timeout_s, limits.file_timeout_s - waited_s)
                    began = real_monotonic()
                    with self._clock.deadline(max(left_s, 0.0)):
                        piece = await response.content.readany()
                    waited_s += real_monotonic() - began
                    taken += len(piece)
                    if taken > limits.file_bytes_max:
                        too_long = f"the file is longer than {limits.file_bytes_max} bytes"
                        raise ProtocolSurprise(self._message(call, too_long))
                    if not piece:
                        return
                    yield piece
        except (_CutOff, aiohttp.ClientError, TimeoutError, OSError) as error:
            name = str(error) if isinstance(error, _CutOff) else type(error).__name__
            raise Unavailable(self._message(call, f"no whole file ({name})")) from None

    async def _no_file(
        self, call: Call, response: aiohttp.ClientResponse, *, with_key: bool
    ) -> KcjlError:
        with self._clock.deadline(self._settings.read_timeout_s):
            body = await self._body(response, self._settings.body_bytes_max)
        failure = self._failure(call, response.status, response.headers, body)
        if isinstance(failure, CredentialsRefused) and not with_key:
            # Another host: its address was good for a time, and our key has no part in it.
            return NotFound(failure.message, status=failure.status)
        return failure

    # ── what went wrong ─────────────────────────────────────────────────────────────────────

    def _failure(
        self, call: Call, status: int, headers: Mapping[str, str], body: bytes
    ) -> KcjlError:
        hidden = body.replace(self._settings.api_key.encode(), b"***")
        words, reason_code = words_of_refusal(hidden)
        said = f"answered {status}: {words or 'no reason given'}"
        retry_after_s = self._retry_after_s(headers)
        if status == 429:  # noqa: PLR2004 - Too Many Requests
            retry_after_s = RETRY_AFTER_S_DEFAULT if retry_after_s is None else retry_after_s
            self._budgets.hold(call.operation, retry_after_s)
            return RateLimited(self._message(call, said), retry_after_s=retry_after_s)
        if status >= 500 or status == 408 or status < 400:  # noqa: PLR2004 - classes of status
            surprise = status < 400  # noqa: PLR2004 - a redirect, which is never followed
            for_reads = ProtocolSurprise if surprise else Unavailable
            return self._unclear(call, said, for_reads, retry_after_s)
        kind = {401: CredentialsRefused, 403: CredentialsRefused, 404: NotFound}.get(
            status, Refused
        )
        return kind(self._message(call, said), reason_code=reason_code, status=status)

    def _unclear(
        self,
        call: Call,
        what: str,
        for_reads: type[Unavailable],
        retry_after_s: float | None = None,
    ) -> KcjlError:
        """A read can be asked again; of a write nobody knows whether it was done."""
        message = self._message(call, what)
        if call.writes:
            return OutcomeUnknown(message)
        return for_reads(message, retry_after_s=retry_after_s)

    def _message(self, call: Call, what: str) -> str:
        return plain_text(f"{call}: {what}".replace(self._settings.api_key, "***"))

    def _retry_after_s(self, headers: Mapping[str, str]) -> float | None:
        """Seconds, or a date against the answer's own; None where nothing sensible is said."""
        told = headers.get(hdrs.RETRY_AFTER, "").strip()
        if re.fullmatch(r"-?[0-9]+(\.[0-9]*)?", told):
            seconds = float(told)
        else:
            until, answered = _http_date(told), _http_date(headers.get(hdrs.DATE, ""))
            if until is None:
                return None
            seconds = (until - (answered or self._clock.now())).total_seconds()
        return min(max(seconds, 0.0), RETRY_AFTER_S_MAX)


def _is_success(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - the success statuses


def _form(parts: tuple[Part, ...]) -> aiohttp.FormData:
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


def _is_less(count: int | None, before: int | None) -> bool:
    return count is not None and before is not None and count < before


def _http_date(told: str) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return None


def _with(call: Call, *query: tuple[str, str]) -> Call:
    return msgspec.structs.replace(call, query=(*call.query, *query))
