"""HTTP to Xero: the access token, one request, its answer, its errors.

Promises: a token is fetched when there is none, when it is about to expire, and once when a
call is answered 401; it is kept in memory only, and a refresh token that comes with it is on
the disk first. A write is one request, never repeated behind the caller's back but after that
401, which did nothing. One that may have arrived and was not answered raises OutcomeUnknown.
Neither secret nor token is in a message. Every answer is bounded in time and size.
Invariant: no redirect is followed.
Called by `xero.py`. Source: Xero's OAuth 2.0 and API limits guides.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import anyio.to_thread
import msgspec
from aiohttp import hdrs

from kcjl.calls.port import Side
from kcjl.calls.sync_log import Attempt, SyncLog
from kcjl.clock import Clock
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
from kcjl.ledger.xero_access import XeroAccess
from kcjl.ledger.xero_keeping import keep_refresh_token, kept_refresh_token
from kcjl.ledger.xero_wire import Token, decoded, refusal_words

__all__ = ["XeroHttp"]

TOKEN_MARGIN = timedelta(minutes=2)
"""So long before its end a token is replaced."""
RETRY_AFTER_DEFAULT_S = 60.0
RETRY_AFTER_S_MAX = 86_400.0
"""The longest of their limits is a day's."""
_OK = range(200, 300)
_UNAUTHORISED, _NOT_FOUND, _TIMED_OUT, _TOO_MANY, _SERVERS_FAULT = 401, 404, 408, 429, 500
_FORBIDDEN, _REFUSED = 403, 400

_UNSENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)
"""Errors that are raised before anything of the request has left the machine."""


class _Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, and about what."""

    operation: str
    subject: str = ""
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    page: int = 1
    writes: bool = False

    def __str__(self) -> str:
        return f"Xero {self.operation} {self.subject}".rstrip()


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


class XeroHttp:
    """Requests to one organisation's books."""

    def __init__(
        self,
        access: XeroAccess,
        *,
        clock: Clock,
        session: aiohttp.ClientSession,
        sync_log: SyncLog | None = None,
    ) -> None:
        self._access = access
        self._clock = clock
        self._session = session
        self._sync_log = sync_log or SyncLog(None, clock)
        self._token = Secret()
        self._token_ends: datetime | None = None

    async def get(
        self,
        path: str,
        *,
        subject: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        page: int = 1,
    ) -> bytes:
        """Read. Raises Unavailable, NotFound, CredentialsRefused."""
        url = f"{self._root}/{path}" + (f"?{urlencode(query)}" if query else "")
        return await self._asked(
            _Call(
                operation="GET ManualJournals",
                subject=subject,
                method=hdrs.METH_GET,
                url=url,
                headers=headers or {},
                page=page,
            )
        )

    async def post(self, path: str, body: bytes, *, subject: str, key: str) -> bytes:
        """Write, once for a key. Raises Refused, OutcomeUnknown, Unavailable."""
        headers = {hdrs.CONTENT_TYPE: "application/json", "Idempotency-Key": key}
        return await self._asked(
            _Call(
                operation="POST ManualJournals",
                subject=subject,
                method=hdrs.METH_POST,
                url=f"{self._root}/{path}",
                headers=headers,
                body=body,
                writes=True,
            )
        )

    @property
    def _root(self) -> str:
        return f"{self._access.base_url.rstrip('/')}/api.xro/2.0"

    # ── the token ───────────────────────────────────────────────────────────────────────────

    async def _authorised(self, call: _Call) -> _Call:
        now = self._clock.now()
        if self._token_ends is None or self._token_ends <= now + TOKEN_MARGIN:
            await self._fetch_token()
        tenant = {"Xero-Tenant-Id": self._access.tenant_id} if self._access.tenant_id else {}
        headers = {
            **call.headers,
            **tenant,
            hdrs.AUTHORIZATION: Secret(f"Bearer {self._token}"),
            hdrs.ACCEPT: "application/json",
        }
        return msgspec.structs.replace(call, headers=headers)

    async def _fetch_token(self) -> None:
        access = self._access
        form = {"grant_type": "client_credentials", "scope": access.scope}
        file = Path(access.refresh_token_file)
        if access.refresh_token_file:
            kept = await anyio.to_thread.run_sync(kept_refresh_token, file)
            form = {"grant_type": "refresh_token", "refresh_token": kept}
        login = aiohttp.encode_basic_auth(access.client_id, access.client_secret)
        call = _Call(
            operation="token",
            method=hdrs.METH_POST,
            url=access.token_url,
            headers={
                hdrs.AUTHORIZATION: Secret(login),
                hdrs.CONTENT_TYPE: "application/x-www-form-urlencoded",
                hdrs.ACCEPT: "application/json",
            },
            body=urlencode(form).encode(),
        )
        asked_at = self._clock.now()
        try:
            answer = await self._exchange(call)
        except Refused as error:
            raise CredentialsRefused(
                f"{error.message}; check client_id, the secret and scope, and that the "
                "connection to the organisation is still there (Xero's developer portal); "
                "a refresh token that is refused is had anew by connecting the app again",
                reason_code=error.reason_code,
                status=error.status,
            ) from None
        token = decoded(answer.body, Token, str(call))
        if access.refresh_token_file and token.refresh_token:
            await anyio.to_thread.run_sync(keep_refresh_token, file, token.refresh_token)
        self._token = Secret(token.access_token)
        self._token_ends = asked_at + timedelta(seconds=token.expires_in)

    # ── one request ─────────────────────────────────────────────────────────────────────────

    async def _asked(self, call: _Call) -> bytes:
        try:
            answer = await self._exchange(await self._authorised(call))
        except CredentialsRefused as error:
            if error.status != _UNAUTHORISED or self._token_ends is None:
                raise
            self._token_ends = None  # revoked, or their clock is ahead of ours
            answer = await self._exchange(await self._authorised(call))
        return answer.body

    async def _exchange(self, call: _Call) -> _Answer:
        with self._sync_log.attempt(
            Side.XERO,
            call.operation,
            subject=call.subject,
            page=call.page,
            writes=call.writes,
        ) as attempt:
            answer = await self._received(call, attempt)
            if answer.status not in _OK:
                raise self._failure(call, answer)
            return answer

    async def _received(self, call: _Call, attempt: Attempt) -> _Answer:
        access = self._access
        attempt.bytes_sent = len(call.body or b"")
        try:
            with self._clock.deadline(access.connect_timeout_s + access.read_timeout_s):
                async with self._session.request(
                    call.method,
                    call.url,
                    headers=call.headers,
                    data=call.body,
                    allow_redirects=False,
                    raise_for_status=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=access.connect_timeout_s),
                ) as response:
                    attempt.status = response.status
                    parts = bytearray()
                    async for part in response.content.iter_any():
                        parts += part
                        attempt.bytes_received = len(parts)
                        if len(parts) > access.body_bytes_max:
                            too_long = f"the answer is over {access.body_bytes_max} bytes"
                            raise self._unclear(call, too_long, ProtocolSurprise)
                    return _Answer(
                        status=response.status,
                        headers=response.headers,
                        body=Hidden(bytes(parts)),
                    )
        except _UNSENT as error:
            raise Unavailable(f"{call}: could not connect: {error}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = f"no whole answer ({type(error).__name__})"
            raise self._unclear(call, what, Unavailable) from None

    # ── what went wrong ─────────────────────────────────────────────────────────────────────

    def _failure(self, call: _Call, answer: _Answer) -> KcjlError:
        status = answer.status
        words = refusal_words(answer.body).replace(self._access.client_secret, "***")
        said = f"answered {status}: {words or 'no reason given'}"
        if status == _TOO_MANY:
            problem = answer.headers.get("X-Rate-Limit-Problem", "")
            limit = f" ({problem[:40]} limit)" if problem else ""
            wait_s = _retry_after_s(answer.headers)
            return RateLimited(f"{call}: {said}{limit}", retry_after_s=wait_s)
        if status >= _SERVERS_FAULT or status == _TIMED_OUT:
            return self._unclear(call, said, Unavailable)
        if status < _REFUSED:
            return self._unclear(call, said, ProtocolSurprise)
        kind = {
            _UNAUTHORISED: CredentialsRefused,
            _FORBIDDEN: CredentialsRefused,
            _NOT_FOUND: NotFound,
        }.get(status, Refused)
        return kind(f"{call}: {said}", status=status)

    def _unclear(self, call: _Call, what: str, for_reads: type[Unavailable]) -> KcjlError:
        """A read can be asked again; of a write nobody knows whether it was done."""
        if call.writes:
            return OutcomeUnknown(f"{call}: {what}")
        return for_reads(f"{call}: {what}")


def _retry_after_s(headers: Mapping[str, str]) -> float:
    told = headers.get(hdrs.RETRY_AFTER, "").strip()
    seconds = float(told) if re.fullmatch(r"\d{1,9}", told) else RETRY_AFTER_DEFAULT_S
    return min(seconds, RETRY_AFTER_S_MAX)
