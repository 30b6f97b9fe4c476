"""HTTP to the marketplace: one request, its answer, its errors.

Promises: one call is one request, never repeated behind the caller's back; it waits for its
turn first; every answer is bounded in time and size; the key is in no message. A write that
may have arrived and was not answered raises `OutcomeUnknown`, one that was refused `Refused`,
one that was certainly not taken `Unavailable`. It knows no field of any record; `paging.py`
reads lists with it. Invariant: nothing but the fetching of a file is sent to any host but the
one in the settings (redirects are not followed), and no key to any other.
Called by `exports.py` and the classes of calls. Source: contract johnlewis b.0, d.
"""

import email.utils
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

import aiohttp
from aiohttp import hdrs
from yarl import URL

from kcjl.calls.port import Side
from kcjl.calls.sync_log import Attempt, SyncLog
from kcjl.clock import Clock, real_monotonic
from kcjl.discretion import Hidden, Secret
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
from kcjl.johnlewis.budget import PAGES_COUNT, CallBudgets, TenantBudgets
from kcjl.johnlewis.buyers import Buyers
from kcjl.johnlewis.paging import PagedReading
from kcjl.johnlewis.reading import plain_text, without_nul, words_of_refusal
from kcjl.johnlewis.request import Answer, Call, multipart
from kcjl.johnlewis.unknown import Listener

__all__ = ["SellerHttp"]

RETRY_AFTER_S_MAX = 7 * 86_400.0
"""More is a mistake of theirs."""


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


class SellerHttp(PagedReading):
    """Requests to one shop."""

    def __init__(
        self,
        settings: SellerApiSettings,
        *,
        clock: Clock,
        session: aiohttp.ClientSession,
        sync_log: SyncLog | None = None,
        tenants: TenantBudgets | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._session = session
        self._sync_log = sync_log or SyncLog(None, clock)
        self._budgets: CallBudgets = (tenants or TenantBudgets(clock)).of(
            settings.root, settings.budgets, external_partner=settings.external_partner
        )
        self._buyers = Buyers()
        self._unknown = Listener(self._sync_log.surprises)
        bearer = "Bearer " if settings.authorization == "bearer" else ""
        self._headers = {
            hdrs.AUTHORIZATION: Secret(bearer + settings.api_key),
            hdrs.USER_AGENT: settings.user_agent,
        }

    async def send(self, call: Call, judge: Callable[[Answer], object] | None = None) -> Answer:
        """Wait for the turn, then one request and its answer.

        `judge` raises where a 2xx says no: the sync log then has the call as refused.
        """
        turn = await self._budgets.turn(call.operation)
        try:
            return await self._exchange(call, judge)
        finally:
            self._budgets.answered(turn)

    async def send_further(self, call: Call) -> Answer:
        """A further page: part of the call that was counted, but where pages count (d.1)."""
        if call.operation in PAGES_COUNT:
            return await self.send(call)
        await self._budgets.rest(call.operation)
        return await self._exchange(call)

    def remember(self, rows: Sequence[tuple[str, object]]) -> None:
        self._buyers.remember(rows)

    # ── one request ─────────────────────────────────────────────────────────────────────────

    async def _exchange(
        self, call: Call, judge: Callable[[Answer], object] | None = None
    ) -> Answer:
        self._unknown.listen()
        self._buyers.listen(call.path, call.subject, call.json)
        with self._sync_log.attempt(
            Side.JOHNLEWIS,
            call.operation,
            subject=call.subject,
            page=call.page,
            writes=call.writes,
        ) as attempt:
            answer = await self._asked(call, attempt)
            if judge is not None:
                judge(answer)
            return answer

    async def _asked(self, call: Call, attempt: Attempt) -> Answer:
        limits = self._settings
        attempt.bytes_sent = len(call.json or call.file or b"")
        bytes_max = call.bytes_max or limits.body_bytes_max
        try:
            with self._clock.deadline(limits.connect_timeout_s + limits.read_timeout_s):
                async with self._request(call) as response:
                    attempt.status = response.status
                    body = await self._body(response, bytes_max, attempt)
                    if not call.takes_bytes or not _is_success(response.status):
                        body = Hidden(without_nul(body))
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
        self._budgets.went_well(call.operation)
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
            body = multipart(call.parts)
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

    async def _body(
        self, response: aiohttp.ClientResponse, bytes_max: int, attempt: Attempt
    ) -> bytes:
        parts = bytearray()
        async for part in response.content.iter_any():
            parts += part
            attempt.bytes_received = len(parts)
            if len(parts) > bytes_max:
                raise _TooLong
        return Hidden(bytes(parts))

    # ── one file ────────────────────────────────────────────────────────────────────────────

    async def pieces(
        self, call: Call, url: URL, *, with_key: bool
    ) -> AsyncGenerator[bytes, None]:
        """A file as it arrives. Time counts while we wait for it, not while it is used."""
        turn = await self._budgets.turn(call.operation)
        with self._sync_log.attempt(
            Side.JOHNLEWIS, call.operation, subject=call.subject, writes=False
        ) as attempt:
            try:
                try:
                    response = await self._opened(call, url, with_key=with_key)
                finally:
                    self._budgets.answered(turn)
                async with response:
                    attempt.status = response.status
                    if not _is_success(response.status):
                        raise await self._no_file(call, response, attempt, with_key=with_key)
                    async for piece in self._arriving(call, response, attempt):
                        yield piece
            except (_CutOff, aiohttp.ClientError, TimeoutError, OSError) as error:
                name = str(error) if isinstance(error, _CutOff) else type(error).__name__
                raise Unavailable(self._message(call, f"no whole file ({name})")) from None

    async def _opened(self, call: Call, url: URL, *, with_key: bool) -> aiohttp.ClientResponse:
        limits = self._settings
        headers = {hdrs.USER_AGENT: limits.user_agent, hdrs.ACCEPT: call.accept}
        with self._clock.deadline(limits.connect_timeout_s + limits.read_timeout_s):
            return await self._session.get(
                url,
                headers={**self._headers, **headers} if with_key else headers,
                allow_redirects=False,
                raise_for_status=False,
                timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect_timeout_s),
                middlewares=(_send_once,),
            )

    async def _arriving(
        self, call: Call, response: aiohttp.ClientResponse, attempt: Attempt
    ) -> AsyncGenerator[bytes, None]:
        limits = self._settings
        waited_s = 0.0
        while True:
            left_s = min(limits.read_timeout_s, limits.file_timeout_s - waited_s)
            began = real_monotonic()
            with self._clock.deadline(max(left_s, 0.0)):
                piece = await response.content.readany()
            waited_s += real_monotonic() - began
            attempt.bytes_received += len(piece)
            if attempt.bytes_received > limits.file_bytes_max:
                too_long = f"the file is longer than {limits.file_bytes_max} bytes"
                raise ProtocolSurprise(self._message(call, too_long))
            if not piece:
                return
            yield piece

    async def _no_file(
        self,
        call: Call,
        response: aiohttp.ClientResponse,
        attempt: Attempt,
        *,
        with_key: bool,
    ) -> KcjlError:
        with self._clock.deadline(self._settings.read_timeout_s):
            body = await self._body(response, self._settings.body_bytes_max, attempt)
        failure = self._failure(call, response.status, response.headers, body)
        if isinstance(failure, CredentialsRefused) and not with_key:
            # Another host: its address was good for a time, and our key has no part in it.
            return NotFound(failure.message, status=failure.status)
        return failure

    # ── what went wrong ─────────────────────────────────────────────────────────────────────

    def _failure(
        self, call: Call, status: int, headers: Mapping[str, str], body: bytes
    ) -> KcjlError:
        words, reason_code = words_of_refusal(
            body.replace(self._settings.api_key.encode(), b"***")
        )
        said = f"answered {status}: {words or 'no reason given'}"
        retry_after_s = self._retry_after_s(headers)
        if status == 429:  # noqa: PLR2004 - Too Many Requests
            default_s = self._settings.retry_after_default_s
            retry_after_s = self._budgets.hold(
                call.operation, retry_after_s, default_s=default_s
            )
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


def _http_date(told: str) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return None
