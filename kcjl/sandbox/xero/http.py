"""Xero's face over HTTP: the token's door, and manual journals in JSON.

Promises: a call without a good token is 401, of another organisation 403, one too many 429 with
Retry-After in seconds of the world and X-Rate-Limit-Problem; what the books refuse is a 400 in
Xero's form. Changes go through the gate by name; reads ask the books. Tokens and counts of
calls live in this face: started again, it knows none.
Invariant: the world moves on to now before anything is read.
Called by the sandbox's server.
"""

import hashlib
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

import msgspec
from aiohttp import encode_basic_auth, hdrs, web
from aiohttp.typedefs import Handler

from kcjl.sandbox.gate import Gate
from kcjl.sandbox.xero.books import (
    Books,
    BooksRefusal,
    ManualJournal,
    ManualLine,
    NewJournal,
)

__all__ = ["OPERATIONS", "xero_app"]

OPERATIONS = ("Token", "JournalList", "JournalGet", "JournalEnter", "JournalChange")
"""The names of the routes, for faults."""
PATH = "/api.xro/2.0/ManualJournals"
BODY_BYTES_MAX = 3_500_000
"""Xero's own."""
_PAGE_MAX = 1_000
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_encoder = msgspec.json.Encoder(decimal_format="number")
Answering: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WrittenLine(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    line_amount: Decimal
    account_code: str = ""
    description: str = ""
    tax_type: str = "NONE"


class WrittenJournal(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    narration: str = ""
    date: str = ""
    status: str = "DRAFT"
    line_amount_types: str = "Exclusive"
    journal_lines: tuple[WrittenLine, ...] = ()


class WrittenJournals(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    manual_journals: tuple[WrittenJournal, ...] = ()


class _Problem(Exception):
    """Raised for an answer that is none of the journals' own."""

    def __init__(
        self, status: int, title: str, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.answer = _json(
            {"Title": title, "Status": status, "Detail": detail}, status, headers or {}
        )


def xero_app(books: Books, gate: Gate, now: Callable[[], datetime]) -> web.Application:
    """The application of one organisation."""
    face = _Face(books, gate, now)
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[face.guarded])
    app.add_routes(
        [
            web.post("/connect/token", face.token, name="Token"),
            web.get(PATH, face.read_list, name="JournalList"),
            web.get(f"{PATH}/{{journal_id}}", face.read_one, name="JournalGet"),
            web.post(PATH, face.enter, name="JournalEnter"),
            web.put(PATH, face.enter),
            web.post(f"{PATH}/{{journal_id}}", face.change, name="JournalChange"),
        ]
    )
    return app


class _Face:
    def __init__(self, books: Books, gate: Gate, now: Callable[[], datetime]) -> None:
        self._books = books
        self._gate = gate
        self._now = now
        self._tokens: dict[str, datetime] = {}
        self._refresh = {books.settings.refresh_token: self._refresh_ends()}
        self._calls: deque[datetime] = deque()
        self._under_way = 0

    @web.middleware
    async def guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The token's door is open; of the journals each call is let in and counted."""
        self._gate.enter("xero", request.match_info.route.name or request.method)
        if request.path == "/connect/token" or request.match_info.http_exception is not None:
            return await handler(request)
        try:
            self._let_in(request)
            self._under_way += 1
            try:
                self._count()
                return await handler(request)
            finally:
                self._under_way -= 1
        except _Problem as problem:
            return problem.answer

    async def token(self, request: web.Request) -> web.StreamResponse:
        settings = self._books.settings
        form = await request.post()
        login = encode_basic_auth(settings.client_id, settings.client_secret)
        if request.headers.get(hdrs.AUTHORIZATION, "") != login:
            return _json({"error": "invalid_client"}, 400)
        if form.get("grant_type") not in ("client_credentials", "refresh_token"):
            return _json({"error": "unsupported_grant_type"}, 400)
        again: dict[str, object] = {}
        if form.get("grant_type") == "refresh_token":
            used, now = str(form.get("refresh_token", "")), self._now()
            if used not in self._refresh or self._refresh[used] <= now:
                return _json({"error": "invalid_grant"}, 400)
            grace = now + timedelta(minutes=settings.reuse_minutes)
            self._refresh[used] = min(self._refresh[used], grace)
            again["refresh_token"] = secrets.token_urlsafe(32)
            self._refresh[str(again["refresh_token"])] = self._refresh_ends()
        asked = str(form.get("scope", "")).split()
        if not set(asked) <= set(settings.scopes):
            return _json({"error": "invalid_scope"}, 400)
        token = secrets.token_urlsafe(32)
        lives_s = settings.token_minutes * 60
        self._tokens[token] = self._now() + timedelta(seconds=lives_s)
        said = {"access_token": token, "expires_in": int(lives_s), "token_type": "Bearer"}
        return _json({**said, **again, "scope": " ".join(asked)}, 200)

    def _refresh_ends(self) -> datetime:
        return self._now() + timedelta(days=self._books.settings.refresh_days)

    def _let_in(self, request: web.Request) -> None:
        settings = self._books.settings
        kind, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        ends = self._tokens.get(token)
        if kind != "Bearer" or ends is None:
            raise _Problem(401, "Unauthorized", "AuthenticationUnsuccessful")
        if ends <= self._now():
            raise _Problem(401, "Unauthorized", f"TokenExpired: token expired at {ends:%x %X}")
        tenant = request.headers.get("Xero-Tenant-Id", "")
        if tenant != settings.tenant_id and (tenant or settings.tenant_header_required):
            raise _Problem(403, "Forbidden", "AuthenticationUnsuccessful")

    def _count(self) -> None:
        """Raises the problem where it is one call too many; that one is not counted."""
        settings, now = self._books.settings, self._now()
        while self._calls and now - self._calls[0] >= _DAY:
            self._calls.popleft()
        if self._under_way > settings.calls_at_once:
            raise _too_many("concurrent", 1)
        for problem, most, window in (
            ("minute", settings.calls_per_minute, _MINUTE),
            ("day", settings.calls_per_day, _DAY),
        ):
            lately = [at for at in self._calls if now - at < window]
            if len(lately) >= most:
                free_at = lately[-most] + window
                raise _too_many(problem, int((free_at - now).total_seconds()) + 1)
        self._calls.append(now)

    async def read_list(self, request: web.Request) -> web.StreamResponse:
        settings = self._books.settings
        page = _whole(request.query.get("page", "1"))
        size = _whole(request.query.get("pageSize", str(settings.journals_per_page)))
        since = _since(request.headers.get(hdrs.IF_MODIFIED_SINCE, ""))
        if page is None or size is None or page < 1 or not 0 < size <= _PAGE_MAX:
            return _refused("The page or its size is not valid")
        if set(request.query) - {"page", "pageSize", "summarizeErrors"}:
            return _refused("The sandbox knows page, pageSize and If-Modified-Since only")
        rows = [
            each
            for each in self._books.journals.values()
            if since is None or each.updated_at >= since
        ]
        rows.sort(key=lambda each: each.updated_at)
        shown = rows[(page - 1) * size : page * size]
        body = self._body([_shown(each, lines=settings.lines_in_lists) for each in shown])
        pages = {
            "page": page,
            "pageSize": size,
            "pageCount": -(-len(rows) // size),
            "itemCount": len(rows),
        }
        return self._answer({**body, "pagination": pages})

    async def read_one(self, request: web.Request) -> web.StreamResponse:
        found = self._books.journals.get(request.match_info["journal_id"])
        if found is None:
            raise _Problem(404, "Not Found", "The resource you're looking for can't be found")
        return self._answer(self._body([_shown(found, lines=True)]))

    async def enter(self, request: web.Request) -> web.StreamResponse:
        written = await request.read()
        key = request.headers.get("Idempotency-Key", "")
        longest = 128
        if len(key) > longest:
            return _refused("The idempotency key is longer than 128 characters")
        fingerprint = hashlib.sha256(written).hexdigest()
        arguments: dict[str, object] = {"key": key, "fingerprint": fingerprint}
        return self._changed(written, "enter_journal", arguments)

    async def change(self, request: web.Request) -> web.StreamResponse:
        journal_id = request.match_info["journal_id"]
        if journal_id not in self._books.journals:
            raise _Problem(404, "Not Found", "The resource you're looking for can't be found")
        return self._changed(await request.read(), "change_journal", {"journal_id": journal_id})

    def _changed(
        self, written: bytes, operation: str, arguments: dict[str, object]
    ) -> web.StreamResponse:
        try:
            journals = msgspec.json.decode(written, type=WrittenJournals).manual_journals
            if len(journals) != 1:
                return _refused("The sandbox takes one journal a call")
            journal = _understood(journals[0])
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
            return _refused(f"The body can't be read: {error}")
        try:
            made = self._gate.change("xero", operation, {"journal": journal, **arguments})
        except BooksRefusal as refusal:
            return _refused(*refusal.messages)
        found = msgspec.convert(made, ManualJournal, from_attributes=True)
        return self._answer(self._body([_shown(found, lines=True)]))

    def _body(self, journals: list[dict[str, object]]) -> dict[str, object]:
        return {
            "Status": "OK",
            "ProviderName": "kcjl sandbox",
            "DateTimeUTC": _milliseconds(self._now()),
            "ManualJournals": journals,
        }

    def _answer(self, body: dict[str, object]) -> web.Response:
        settings, now = self._books.settings, self._now()
        lately = sum(1 for at in self._calls if now - at < _MINUTE)
        left = {
            "X-MinLimit-Remaining": str(settings.calls_per_minute - lately),
            "X-DayLimit-Remaining": str(settings.calls_per_day - len(self._calls)),
        }
        return _json(body, 200, left)


def _understood(journal: WrittenJournal) -> NewJournal:
    written = {
        "narration": journal.narration,
        "day": journal.date[:10] or None,
        "status": journal.status,
        "line_amount_types": journal.line_amount_types,
        "lines": [
            {
                "account_code": line.account_code,
                "line_amount": line.line_amount,
                "description": line.description,
                "tax_type": line.tax_type,
            }
            for line in journal.journal_lines
        ],
    }
    return msgspec.convert(written, NewJournal)


def _shown(journal: ManualJournal, *, lines: bool) -> dict[str, object]:
    midnight = datetime(journal.day.year, journal.day.month, journal.day.day, tzinfo=UTC)
    return {
        "Date": _milliseconds(midnight, "+0000"),
        "Status": journal.status,
        "LineAmountTypes": journal.line_amount_types,
        "UpdatedDateUTC": _milliseconds(journal.updated_at, "+0000"),
        "ManualJournalID": journal.journal_id,
        "Narration": journal.narration,
        "JournalLines": [_shown_line(each) for each in journal.lines] if lines else [],
        "ShowOnCashBasisReports": True,
        "HasAttachments": False,
    }


def _shown_line(line: ManualLine) -> dict[str, object]:
    return {
        "Description": line.description,
        "TaxType": line.tax_type,
        "TaxAmount": line.tax_amount,
        "LineAmount": line.line_amount,
        "AccountCode": line.account_code,
        "Tracking": [],
        "IsBlank": False,
    }


def _milliseconds(moment: datetime, zone: str = "") -> str:
    return f"/Date({int(moment.timestamp() * 1000)}{zone})/"


def _since(told: str) -> datetime | None:
    """As they write it: UTC without a zone, 2026-10-01T08:00:00; what can't be read is none."""
    try:
        return datetime.fromisoformat(told).replace(tzinfo=UTC) if told else None
    except ValueError:
        return None


def _whole(told: str) -> int | None:
    return int(told) if told.isascii() and told.isdigit() else None


def _refused(*messages: str) -> web.Response:
    faults = [{"Message": each} for each in messages]
    return _json(
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": [{"ValidationErrors": faults}],
        },
        400,
    )


def _too_many(problem: str, wait_s: int) -> _Problem:
    headers = {"Retry-After": str(wait_s), "X-Rate-Limit-Problem": problem}
    return _Problem(429, "Too Many Requests", f"{problem} limit exceeded", headers)


def _json(
    body: dict[str, object], status: int, headers: dict[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=_encoder.encode(body),
        status=status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )
