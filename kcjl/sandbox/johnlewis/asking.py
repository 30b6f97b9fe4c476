"""What a client asked of the John Lewis face: its query, body and file, read strictly.

Promises: a parameter is absent, or of its type, or the call is refused with 400; unknown ones
are ignored; lists come repeated or with commas, at most 100 values (contract b.0). A body is
decoded into a record of the operation, amounts without a float. It changes nothing.
Called by every operation of the face.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import msgspec
from aiohttp import web

from kcjl.sandbox.gate import Gate
from kcjl.sandbox.marketplace import ApiError, Marketplace

__all__ = ["LIST_MAX", "Asked", "OffsetPage", "Operation", "Part", "SeekPage"]

T = TypeVar("T")
LIST_MAX = 100
PAGE_DEFAULT = 10
OFFSET_PAGE_MAX = 100
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Clients that know no beginning send the year 1; nothing here is as old."""


class OffsetPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows of an offset-paged list are wanted."""

    offset: int
    rows: int


class SeekPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows of a seek-paged list are wanted."""

    limit: int
    field: str
    descending: bool
    after: int | None

    def token(self, place: int | None) -> str | None:
        """The token of the page that follows a place."""
        if place is None:
            return None
        written = f"{self.field}:{'D' if self.descending else 'A'}:{place}"
        return base64.urlsafe_b64encode(written.encode()).decode()


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a multipart body."""

    name: str
    file_name: str
    content: bytes


class Asked:
    """One request, as the operations see it."""

    def __init__(
        self,
        marketplace: Marketplace,
        gate: Gate,
        *,
        url: str,
        path: Mapping[str, str],
        query: Sequence[tuple[str, str]],
        body: bytes = b"",
        upload: str | None = None,
        form: Mapping[str, str] | None = None,
        parts: Sequence[Part] = (),
    ) -> None:
        self.marketplace = marketplace
        self.settings = marketplace.settings
        self._gate = gate
        self.url = url
        self.path = path
        self.query = query
        self._body = body
        self.upload = upload
        """The text of the multipart part `file`."""
        self.form = form or {}
        """The other parts of a multipart body, by name."""
        self.parts = parts
        """All parts of the multipart body, where the operation takes files of any kind."""

    def change(self, operation: str, **arguments: object) -> object:
        """Change the marketplace, through the gate."""
        return self._gate.change("johnlewis", operation, arguments)

    # ── the body ───────────────────────────────────────────────────────────────────────────

    def decoded(self, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(self._body, type=kind)
        except msgspec.DecodeError as invalid:
            raise ApiError.of(400, f"The body cannot be read: {invalid}") from None

    # ── the query ──────────────────────────────────────────────────────────────────────────

    def text(self, name: str) -> str | None:
        return next((value for key, value in self.query if key == name and value), None)

    def listed(self, name: str) -> tuple[str, ...]:
        values = tuple(
            part.strip()
            for key, value in self.query
            if key == name
            for part in value.split(",")
            if part.strip()
        )
        if len(values) > LIST_MAX:
            raise ApiError.of(400, f"{name}: at most {LIST_MAX} values are allowed")
        return values

    def among(self, name: str, allowed: frozenset[str]) -> tuple[str, ...]:
        values = self.listed(name)
        for value in values:
            if value not in allowed:
                raise ApiError.of(400, f"{name}: '{value}' is not an allowed value")
        return values

    def moment(self, name: str) -> datetime | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return max(moment, EARLIEST).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ApiError.of(400, f"{name}: '{text}' is not an ISO 8601 date") from None

    def flag(self, name: str) -> bool | None:
        text = self.text(name)
        if text is None:
            return None
        if text.lower() not in {"true", "false"}:
            raise ApiError.of(400, f"{name}: '{text}' is neither true nor false")
        return text.lower() == "true"

    def whole(self, name: str, default: int, *, least: int = 0) -> int:
        text = self.text(name)
        if text is None:
            return default
        try:
            number = int(text)
        except ValueError:
            raise ApiError.of(400, f"{name}: '{text}' is not a whole number") from None
        if number < least:
            raise ApiError.of(400, f"{name}: must be at least {least}")
        return number

    # ── pages ──────────────────────────────────────────────────────────────────────────────

    @property
    def is_further_page(self) -> bool:
        """Whether it goes on with a reading that was begun."""
        return self.text("page_token") is not None or self.text("offset") not in {None, "0"}

    @property
    def is_descending(self) -> bool:
        """`order` of the offset-paged lists; rising where nothing is said."""
        text = (self.text("order") or "asc").lower()
        if text not in {"asc", "desc"}:
            raise ApiError.of(400, f"order: '{text}' is neither asc nor desc")
        return text == "desc"

    def offset_page(self, total: int) -> OffsetPage:
        """`paginate=false` gives all rows, where one page can hold them."""
        rows = self._rows("max", OFFSET_PAGE_MAX)
        if self.flag("paginate") is False and total <= OFFSET_PAGE_MAX:
            return OffsetPage(offset=0, rows=OFFSET_PAGE_MAX)
        return OffsetPage(offset=self.whole("offset", 0), rows=rows)

    def seek_page(self, fields: Sequence[str], *, most: int, default: str) -> SeekPage:
        """`default` is the order where the client names none, e.g. `dateCreated,DESC`."""
        field, _, direction = (self.text("sort") or default).partition(",")
        direction = (direction or "ASC").upper()
        if field not in fields or direction not in {"ASC", "DESC"}:
            raise ApiError.of(400, f"sort: '{self.text('sort')}' is not possible here")
        return SeekPage(
            limit=self._rows("limit", most),
            field=field,
            descending=direction == "DESC",
            after=self._place(field, "D" if direction == "DESC" else "A"),
        )

    def places(self, page: SeekPage, count: int) -> range:
        """The places of a list that never loses rows, in the order and from where is asked."""
        if page.descending:
            stop = count if page.after is None else min(count, page.after)
            return range(stop - 1, -1, -1)
        return range(0 if page.after is None else page.after + 1, count)

    def _rows(self, name: str, most: int) -> int:
        rows = self.whole(name, PAGE_DEFAULT, least=1)
        if rows > most and self.settings.oversized_pages_refused:
            raise ApiError.of(400, f"{name}: must be at most {most}")
        return min(rows, most)

    def _place(self, field: str, direction: str) -> int | None:
        token = self.text("page_token")
        if token is None:
            return None
        try:
            written = base64.b64decode(token, altchars=b"-_", validate=True).decode()
            of_field, of_direction, place = written.split(":")
            number = int(place)
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise ApiError.of(400, "page_token: cannot be read") from None
        if number < 0 or (of_field, of_direction) != (field, direction):
            raise ApiError.of(400, "page_token: is of another order than `sort`")
        return number


class Operation(Protocol):
    """An operation of the seller API: a function of what was asked."""

    __name__: str

    def __call__(self, asked: Asked, /) -> web.Response: ...
