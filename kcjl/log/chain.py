"""The chain that makes the log's past provable: canonical bytes, and their hash.

An auditor can build it anew from the columns of `event` alone:

    genesis  = SHA-256 of the text "kcjl-log-1:" + merchant, in UTF-8
    hash     = SHA-256 of: previous hash (32 bytes), then twelve fields, each one as
               its length in bytes (4 bytes, big-endian) followed by its bytes
    fields   = merchant, position, stream, revision, type, schema, occurred_at, recorded_at,
               correlation_id, causation, by, data
    text     is UTF-8; `data` is the JSON text byte for byte; numbers are decimal digits;
    times    are whole microseconds since 1970-01-01T00:00:00Z; causation is "" when null

Invariant: this form never changes; another form would be a new genesis text.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

import msgspec

__all__ = [
    "BareRow",
    "Entry",
    "Fields",
    "bare",
    "counted",
    "genesis",
    "link",
    "link_entry",
    "link_fields",
    "link_rows",
    "microseconds",
]

BareRow: TypeAlias = tuple[
    int, str, int, str, int, int, int, str, int | None, str, bytes, bytes
]
"""An event's columns as they are hashed, in the order of the fields, without the merchant."""
Fields: TypeAlias = tuple[int, str, int, str, int, int, int, str, int | None, str]
"""The same without the payload and the hash."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is stored: nothing decoded, nothing trusted."""

    merchant: str
    position: int
    stream: str
    revision: int
    type: str
    schema: int
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    causation: int | None
    by: str
    data: bytes
    hash: bytes


def genesis(merchant: str) -> bytes:
    """The hash before the first event."""
    return hashlib.sha256(f"kcjl-log-1:{merchant}".encode()).digest()


def link(
    previous: bytes,
    *,
    merchant: str,
    position: int,
    stream: str,
    revision: int,
    type: str,  # noqa: A002 - the column's name
    schema: int,
    occurred_at: datetime,
    recorded_at: datetime,
    correlation_id: str,
    causation: int | None,
    by: str,
    data: bytes,
) -> bytes:
    """The hash of an event that follows the one with the hash `previous`."""
    fields = (
        position,
        stream,
        revision,
        type,
        schema,
        microseconds(occurred_at),
        microseconds(recorded_at),
        correlation_id,
        causation,
        by,
    )
    return link_fields(previous, _counted(merchant), fields, data)


def microseconds(at: datetime) -> int:
    """Since 1970-01-01T00:00:00Z."""
    return (at - _EPOCH) // _MICROSECOND


def link_fields(previous: bytes, owner: bytes, fields: Fields, data: bytes) -> bytes:
    """As `link`; `owner` is the merchant as `counted` gives it."""
    # One text: this runs for each event of an append, and a loop over the fields takes three
    # times as long. Names of ASCII, shorter than 128, are put together as one text, in which a
    # length is four characters below 128, so four bytes.
    (
        position,
        stream,
        revision,
        name,
        schema,
        occurred,
        recorded,
        correlation_id,
        causation,
        by,
    ) = fields
    short = _SHORT
    place, number, kind = str(position), str(revision), str(schema)
    was, learnt = str(occurred), str(recorded)
    cause = "" if causation is None else str(causation)
    try:
        text = (
            f"{short[len(place)]}{place}{short[len(stream)]}{stream}"
            f"{short[len(number)]}{number}{short[len(name)]}{name}"
            f"{short[len(kind)]}{kind}{short[len(was)]}{was}{short[len(learnt)]}{learnt}"
            f"{short[len(correlation_id)]}{correlation_id}{short[len(cause)]}{cause}"
            f"{short[len(by)]}{by}"
        ).encode("ascii")
    except (IndexError, UnicodeEncodeError):
        every = (place, stream, number, name, kind, was, learnt, correlation_id, cause, by)
        text = b"".join([_counted_once(field) for field in every])
    return _sha256(
        b"".join((previous, owner, text, len(data).to_bytes(4, "big"), data))
    ).digest()


def link_entry(previous: bytes, entry: Entry) -> bytes:
    """The hash that this stored event ought to have."""
    return link(
        previous,
        merchant=entry.merchant,
        position=entry.position,
        stream=entry.stream,
        revision=entry.revision,
        type=entry.type,
        schema=entry.schema,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        correlation_id=entry.correlation_id,
        causation=entry.causation,
        by=entry.by,
        data=entry.data,
    )


def bare(entry: Entry) -> BareRow:
    """The entry's columns, for `link_rows`."""
    return (
        entry.position,
        entry.stream,
        entry.revision,
        entry.type,
        entry.schema,
        microseconds(entry.occurred_at),
        microseconds(entry.recorded_at),
        entry.correlation_id,
        entry.causation,
        entry.by,
        entry.data,
        entry.hash,
    )


def link_rows(previous: bytes, merchant: str, rows: Sequence[BareRow]) -> list[bytes]:
    """The hashes that these rows ought to have, each after the STORED hash before it.

    The same form as `link`, in a third of the time: names of ASCII, shorter than 128, are put
    together as one text, in which a length is four characters below 128, so four bytes.
    """
    sha256, short, sizes = hashlib.sha256, _SHORT, _SIZES
    owner = _counted(merchant)
    hashes: list[bytes] = []
    append = hashes.append
    latest, learnt = -1, _short(str(-1))
    kinds: dict[tuple[str, int], str] = {}
    for row in rows:
        (
            position,
            stream,
            revision,
            name,
            schema,
            occurred,
            recorded,
            correlation_id,
            causation,
            by,
            data,
            stored,
        ) = row
        place, number, was = str(position), str(revision), str(occurred)
        cause = "" if causation is None else str(causation)
        try:
            if recorded != latest:  # a whole commit is recorded at one moment
                latest, learnt = recorded, _short(str(recorded))
            kind = kinds.get((name, schema))
            if kind is None:  # there are few
                kind = kinds[name, schema] = _short(name) + _short(str(schema))
            fields = (
                f"{short[len(place)]}{place}{short[len(stream)]}{stream}"
                f"{short[len(number)]}{number}{kind}{short[len(was)]}{was}{learnt}"
                f"{short[len(correlation_id)]}{correlation_id}{short[len(cause)]}{cause}"
                f"{short[len(by)]}{by}"
            ).encode("ascii")
        except (IndexError, UnicodeEncodeError):
            every = (
                *(place, stream, number, name, str(schema), was, str(recorded)),
                *(correlation_id, cause, by),
            )
            fields = b"".join([_counted_once(field) for field in every])
        length = len(data)
        size = sizes[length] if length < _SIZES_KEPT else length.to_bytes(4, "big")
        append(sha256(b"".join((previous, owner, fields, size, data))).digest())
        previous = stored
    return hashes


_sha256 = hashlib.sha256


_SHORT = [f"\0\0\0{chr(size)}" for size in range(128)]
_SIZES_KEPT = 4_096
_SIZES = [size.to_bytes(4, "big") for size in range(_SIZES_KEPT)]


def _short(text: str) -> str:
    """A field of less than 128 characters. Raises IndexError for a longer one."""
    return f"{_SHORT[len(text)]}{text}"


def _counted_once(text: str) -> bytes:
    field = text.encode()
    return len(field).to_bytes(4, "big") + field


_counted = lru_cache(maxsize=1_000)(_counted_once)


def counted(merchant: str) -> bytes:
    """The merchant's field, as it is hashed."""
    return _counted(merchant)
