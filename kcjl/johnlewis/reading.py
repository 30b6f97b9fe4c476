"""How single values of an answer are read: keys, texts, times, numbers, money, lists.

Promises: no float; blank and null are alike; times come out aware and in UTC; text from outside
is cut and cleaned before it may stand in a message. It knows no operation of the marketplace.
Invariant: what must be there and is not raises `ProtocolSurprise` that says what it was.
Called by `records.py`, `shop_account.py`, `http.py` and `seller_api.py`.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec

from kcjl.errors import Misuse, ProtocolSurprise
from kcjl.johnlewis.buyers import without_buyers
from kcjl.money import Money

__all__ = [
    "BYTE_ORDER_MARK",
    "ZERO",
    "Page",
    "both_times",
    "exact",
    "given",
    "holds",
    "key",
    "listed",
    "number",
    "optional",
    "plain_text",
    "rounded",
    "sound",
    "text",
    "time",
    "told_as_text",
    "total",
    "whole",
    "without_nul",
    "words_of_refusal",
]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

ZERO = Decimal(0)

TEXT_CHARACTERS_MAX = 500
"""Texts from outside are cut to this before they go into a message."""

_CODE_CHARACTERS_MAX = 100
_RAW_CHARACTERS_MAX = 20_000
"""So much of a text is looked at before it is cut."""
_REASONS_MAX = 10
"""Of a refusal with many reasons so many are told; the text bound would cut them anyway."""

_AMOUNT_DIGITS_MAX = 15
"""No amount or quantity of a shop has more digits before the point, or places after it."""

_EXACT_DIGITS_MAX = 28
"""What decimal arithmetic keeps without rounding."""

_COUNT_MAX = 2**63

_KEPT_MAX = 10_000
"""Times and amounts recur: so many are made once, and shared by the records that hold them."""

_Row = TypeVar("_Row")
_Value = TypeVar("_Value")


class Page(msgspec.Struct, Generic[_Row], frozen=True, kw_only=True):
    """One page of a list: rows by their key, how many there are in all, where it goes on."""

    rows: Sequence[tuple[str, _Row]]
    total: int | None = None
    next_token: str | None = None


# ── keys and texts ──────────────────────────────────────────────────────────────────────────


def text(value: str | int | None) -> str:
    return "" if value is None else str(value)


def optional(value: str | int | None) -> str | None:
    return text(value) or None


def key(value: str | int | None, what: str) -> str:
    """A number or a string that must be there."""
    if not text(value).strip():
        raise ProtocolSurprise(f"{what} is missing")
    return text(value)


def given(value: _Value | None, what: str) -> _Value:
    if value is None:
        raise ProtocolSurprise(f"{what} is missing")
    return value


def listed(rows: list[_Value] | None, body: bytes, what: str) -> list[_Value]:
    """The rows of an answer. No list, no rows, unless it talks of failure."""
    if rows is not None:
        return rows
    message, reason_code = words_of_refusal(body)
    if reason_code or message:
        raise ProtocolSurprise(f"{what}: a success without its list, which says: {message}")
    return []


def holds(part: msgspec.Raw) -> bytes | None:
    """The bytes of a part of an answer that is there and not empty."""
    raw = bytes(part).strip()
    return None if raw in (b"", b"null", b"[]", b"{}") else raw


def told_as_text(value: msgspec.Raw) -> str:
    """A value of any kind as text: a list by commas, what is nested as its JSON."""
    raw = holds(value)
    if raw is None:
        return ""
    try:
        told = msgspec.json.decode(raw, type=str | list[str])
    except (msgspec.MsgspecError, RecursionError):
        return raw.decode("utf-8", "replace")
    return told if isinstance(told, str) else ",".join(told)


def without_nul(body: bytes) -> bytes:
    """A NUL fits into no text of the database."""
    return body.replace(b"\\u0000", b"\\ufffd").replace(b"\0", b"")


def plain_text(raw: str, characters_max: int = TEXT_CHARACTERS_MAX) -> str:
    """Text from outside, fit for a message: one line, nothing that can't be printed, cut."""
    printable = "".join(
        letter if letter.isprintable() else " " for letter in raw[:_RAW_CHARACTERS_MAX]
    )
    short = " ".join(printable.split())
    return short if len(short) <= characters_max else short[: characters_max - 1] + "…"


# ── times ───────────────────────────────────────────────────────────────────────────────────


def time(value: str | None, what: str) -> datetime | None:
    """ISO 8601 with seconds or milliseconds; without a zone it is UTC (contract b.0)."""
    if not value or not value.strip():
        return None
    try:
        return _in_utc(value.strip())
    except (ValueError, OverflowError):
        raise ProtocolSurprise(f"{what}: {plain_text(value, 40)!r} is not a time") from None


@lru_cache(_KEPT_MAX)
def _in_utc(value: str) -> datetime:
    told = datetime.fromisoformat(value)
    if told.tzinfo is UTC:
        return told
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def both_times(
    created: str | None, updated: str | None, what: str
) -> tuple[datetime, datetime]:
    """When a row was made and last changed; one stands in for the other where it is absent."""
    made, changed = time(created, what), time(updated, what)
    first = made or changed
    if first is None:
        raise ProtocolSurprise(f"{what}: it came without any time")
    return first, changed or first


# ── numbers and money ───────────────────────────────────────────────────────────────────────


def number(value: str | int | None, what: str) -> Decimal:
    """An id that must be a whole number, whichever way it is written."""
    if not re.fullmatch(r"-?[0-9]{1,18}", text(value)):
        raise ProtocolSurprise(f"{what} is not a number: {plain_text(text(value), 40)!r}")
    return Decimal(text(value))


def whole(value: Decimal, what: str) -> int:
    if sound(value, what) != value.to_integral_value():
        raise ProtocolSurprise(f"{what}: {value} is not a whole number")
    return int(value)


def total(value: Decimal | None) -> int | None:
    """A count of rows, as far as it makes sense."""
    if value is None or not value.is_finite() or not 0 <= value < _COUNT_MAX:
        return None
    return int(value)


def exact(amount: Decimal, currency: str, what: str) -> Money:
    if len(amount.as_tuple().digits) > _EXACT_DIGITS_MAX:
        raise ProtocolSurprise(f"{what}: an amount has more digits than can be kept exact")
    try:
        return Money.parse(sound(amount, what), currency)
    except Misuse as error:
        raise ProtocolSurprise(f"{what}: {error}") from None


def rounded(amount: Decimal, currency: str, what: str) -> Money:
    """Half up to the currency's last place: tenants may show more (contract b.0, PC01)."""
    return _half_up(sound(amount, what), currency)


@lru_cache(_KEPT_MAX)
def _half_up(amount: Decimal, currency: str) -> Money:
    place = Money(0, currency).decimal()
    return Money.parse(amount.quantize(place, ROUND_HALF_UP), currency)


def sound(value: Decimal, what: str) -> Decimal:
    """A number that can be reckoned with. Texts may hold "NaN", which no sum survives."""
    if not value.is_finite() or value.adjusted() >= _AMOUNT_DIGITS_MAX:
        raise ProtocolSurprise(f"{what}: a number is out of all bounds")
    return value


# ── refusals ────────────────────────────────────────────────────────────────────────────────


def words_of_refusal(body: bytes) -> tuple[str, str]:
    """(message, reason code) of an error body in any of the forms of contract d.4.

    What it quotes of a buyer is left out.

    >>> words_of_refusal(b'{"message":"no such order","status":404}')
    ('no such order', '')
    >>> words_of_refusal(b'<style>p{color:red}</style><p>Bad gateway</p>')
    ('Bad gateway', '')
    """
    try:
        told = msgspec.json.decode(body.removeprefix(BYTE_ORDER_MARK))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raw = body[:_RAW_CHARACTERS_MAX].decode("utf-8", "replace")
        words = re.sub(r"(?is)<(style|script)\b.*?(</\1>|$)", " ", raw)
        markup_free = re.sub(r"<[^<>]{0,1000}>", " ", words)
        return plain_text(without_buyers(markup_free)), ""
    messages: list[str] = []
    codes: list[str] = []
    _gather(told, messages, codes)
    words = "; ".join(dict.fromkeys(messages))[:_RAW_CHARACTERS_MAX]
    return plain_text(without_buyers(words)), plain_text(
        without_buyers(codes[0]) if codes else "", _CODE_CHARACTERS_MAX
    )


def _gather(told: object, messages: list[str], codes: list[str], depth: int = 0) -> None:
    """Messages and codes of one error, then those of the errors inside it."""
    if depth > 3 or len(messages) > _REASONS_MAX:  # noqa: PLR2004 - no form goes deeper
        return
    if isinstance(told, str):
        messages.append(told)
    elif isinstance(told, list):
        for inner in told[:_REASONS_MAX]:
            _gather(inner, messages, codes, depth + 1)
    elif isinstance(told, dict):
        code = told.get("code") or told.get("error_code") or told.get("reason_code")
        if isinstance(code, str | int):
            codes.append(str(code))
        words = [told.get(name) for name in ("message", "detail", "errorDescription")]
        sentence = next((word for word in words if isinstance(word, str) and word), "")
        field = told.get("field")
        if sentence:
            messages.append(f"{field}: {sentence}" if isinstance(field, str) else sentence)
        elif isinstance(code, str):
            messages.append(code)
        for name in ("error", "errors"):
            _gather(told.get(name), messages, codes, depth + 1)
