"""A capsule: what the log says of one incident, in a file that needs nothing else.

Form: gzip, of lines of JSON. The header says whose log, up to where, what for, and under which
version and settings; then the events with the hash before each, then rows as they were, and
last the SHA-256 of all lines before it. The same capsule is the same bytes each time.
Promises: each event's hash is computed again when it is read; a damaged file, and one of a
newer kcjl, is refused in words. A row is in it only where every event that it is folded
of is in it too. It holds no personal data: the log has references only.
It does not prove alone that the events are of the log: for that its hashes are held against
the log or an export (`against`).
Called by `kcjl capsule` and by tests/capsules.
"""

import gzip
import hashlib
import zlib
from collections.abc import AsyncIterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from kcjl.errors import CorruptLog, Misuse
from kcjl.log.chain import Entry, link_entry
from kcjl.log.export import whole
from kcjl.log.seal import Seal
from kcjl.projections.projection import Projection
from kcjl.vocabulary import Event, Vocabulary

__all__ = [
    "EVENTS_MAX",
    "Capsule",
    "CapsuleEvent",
    "CapsuleHeader",
    "CapsuleRow",
    "Difference",
    "Replayed",
    "against",
    "read_capsule",
    "replay_capsule",
    "write_capsule",
]

FORMAT = "kcjl-capsule-1"
EVENTS_MAX = 50_000
"""Of one capsule: an incident, not a log; what is larger is an export."""
CAPSULE_BYTES_MAX = 256 * 1024 * 1024
"""Unpacked; it is held in memory whole."""
HASH_DIGITS = 64

Why = Literal["asked", "effect", "cause", "policy"]


class CapsuleHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What the capsule is of, and what was in force."""

    format: str = FORMAT
    merchant: str
    asked: str
    """As it was asked for: order O1, sku A-1, exception kind:subject, positions 3 to 90."""
    position: int
    """Rows and events are as of here."""
    hash: str
    """Of the event there, as 64 hexadecimal digits; the chain was verified up to it."""
    version: str
    """Of the kcjl that made it."""
    schema: str
    """The database's newest migration; empty where it was made from an export."""
    settings: dict[str, Any]
    """The merchant's that decide, without names of hosts, keys and people."""
    seals: tuple[Seal, ...]
    """The log was held against these when the capsule was made."""
    rows_of: Literal["live", "folded"]
    """The read models' own rows, or a fold of the events by the version that made it."""
    policies: dict[str, int]
    """The position of the newest word, by the stream of the policy."""
    events: int
    rows: int


class CapsuleEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event, every column of it, and the hash before it."""

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
    data: str
    previous: str
    hash: str
    why: Why
    """asked: of the streams and rows that were asked for; effect: caused by one of those;
    cause: it caused one; policy: what was in force.
    """


class CapsuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a read model, byte for byte."""

    projection: str
    key: str
    data: str
    position: int
    """Of the last event that touched it."""


class Capsule(msgspec.Struct, frozen=True, kw_only=True):
    header: CapsuleHeader
    events: tuple[CapsuleEvent, ...]
    """In order of position."""
    rows: tuple[CapsuleRow, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first row that is not as it was."""

    projection: str
    key: str
    field: str
    was: str
    is_now: str
    position: int
    """Of the last event that touched the row."""
    event: str


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    events: int
    rows: int
    difference: Difference | None


class _Foot(msgspec.Struct, frozen=True, kw_only=True):
    sha256: str


class _Form(msgspec.Struct, frozen=True, kw_only=True):
    format: str


_ENCODER = msgspec.json.Encoder(order="deterministic")


def write_capsule(capsule: Capsule, path: Path) -> None:
    """The whole file or none. Raises Misuse where it can't be written."""
    content = _ENCODER.encode_lines([capsule.header, *capsule.events, *capsule.rows])
    foot = _Foot(sha256=hashlib.sha256(content).hexdigest())
    with whole(path) as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(content + _ENCODER.encode(foot) + b"\n")


def read_capsule(path: Path) -> Capsule:
    """Raises Misuse for what is no capsule of ours, CorruptLog for one that was changed."""
    lines = _content(path).split(b"\n")
    try:
        form = msgspec.json.decode(lines[0], type=_Form).format
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Misuse(f"{path} is not a capsule: `kcjl capsule make` makes one") from None
    if form != FORMAT:
        newer = form.startswith("kcjl-capsule-")
        told = (
            "a newer kcjl made it: read it with that version" if newer else "it is no capsule"
        )
        raise Misuse(f"{path} is of the form {form}, this kcjl reads {FORMAT}: {told}")
    body, foot = b"\n".join(lines[:-2]) + b"\n", lines[-2] if len(lines) > 1 else b""
    digest = ""
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        digest = msgspec.json.decode(foot, type=_Foot).sha256
    if lines[-1] or not digest:
        raise CorruptLog(f"the capsule {path} is cut off: get it again from who made it")
    found = hashlib.sha256(body).hexdigest()
    try:
        header = msgspec.json.decode(lines[0], type=CapsuleHeader)
        end = 1 + header.events
        events = tuple(msgspec.json.decode(each, type=CapsuleEvent) for each in lines[1:end])
        rows = tuple(msgspec.json.decode(each, type=CapsuleRow) for each in lines[end:-2])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptLog(f"the capsule {path} can't be read ({error}): get it again") from None
    _check_events(path, header, events)
    if found != digest or len(events) != header.events or len(rows) != header.rows:
        raise CorruptLog(
            f"the capsule {path} was changed after it was made: expected the digest {digest}, "
            f"found {found}; its events hold, so it is its header or a row"
        )
    return Capsule(header=header, events=events, rows=rows)


def _content(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as packed:
            content = packed.read(CAPSULE_BYTES_MAX + 1)
    except (FileNotFoundError, IsADirectoryError):
        raise Misuse(f"there is no capsule at {path}") from None
    except gzip.BadGzipFile:
        raise Misuse(f"{path} is not a capsule: `kcjl capsule make` makes one") from None
    except (EOFError, zlib.error) as error:
        raise CorruptLog(f"the capsule {path} is damaged or cut off ({error})") from None
    except OSError as error:
        raise Misuse(f"{path} can't be read: {error.strerror}") from None
    if len(content) > CAPSULE_BYTES_MAX:
        raise Misuse(f"{path} has more than {CAPSULE_BYTES_MAX:,} bytes: it is no capsule")
    return content


def _check_events(path: Path, header: CapsuleHeader, events: Sequence[CapsuleEvent]) -> None:
    """Each content is what was hashed, and neighbours are linked."""
    before: CapsuleEvent | None = None
    for each in events:
        entry = entry_of(header.merchant, each)
        if link_entry(bytes.fromhex(each.previous), entry) != entry.hash:
            raise CorruptLog(
                f"the capsule {path}: the content of event {each.position} ({each.type}) is "
                "not what was hashed"
            )
        if before is not None and (
            before.position >= each.position
            or (before.position + 1 == each.position and before.hash != each.previous)
        ):
            raise CorruptLog(
                f"the capsule {path}: event {each.position} does not follow {before.position}"
            )
        before = each
    if before is not None and before.position == header.position and before.hash != header.hash:
        raise CorruptLog(f"the capsule {path}: its last event is not at the hash of its header")


def entry_of(merchant: str, event: CapsuleEvent) -> Entry:
    """The event as it is stored in the log."""
    fields = {
        name: getattr(event, name)
        for name in Entry.__struct_fields__
        if name not in ("merchant", "data", "hash")
    }
    return Entry(
        merchant=merchant, data=event.data.encode(), hash=bytes.fromhex(event.hash), **fields
    )


# ── replay ──────────────────────────────────────────────────────────────────────────────────


def replay_capsule(
    capsule: Capsule, vocabulary: Vocabulary, projections: Sequence[Projection[Any]]
) -> Replayed:
    """Fold every row anew, in memory, and compare byte for byte.

    Raises CorruptLog for an event that this version can't read, Misuse for a row of a read
    model that it does not have.
    """
    merchant = capsule.header.merchant
    events = [(each, decoded(each, vocabulary, merchant)) for each in capsule.events]
    known = {projection.name: projection for projection in projections}
    entries: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(row.projection for row in capsule.rows):
        if name not in known:
            raise Misuse(
                f"the capsule has rows of {name}, which this kcjl lacks: it was made by "
                f"kcjl {capsule.header.version}"
            )
        wanted = {row.key for row in capsule.rows if row.projection == name}
        touches = known[name].touches([event for _, event in events])
        entries[name] = {}
        known[name].fold([each for each in touches if each[0] in wanted], entries[name])
    for row in capsule.rows:
        entry = entries[row.projection].get(row.key)
        now = "" if entry is None else known[row.projection].encode(entry).decode()
        if now != row.data:
            difference = _difference(row, now, capsule.events)
            return Replayed(events=len(events), rows=len(capsule.rows), difference=difference)
    return Replayed(events=len(events), rows=len(capsule.rows), difference=None)


def decoded(event: CapsuleEvent, vocabulary: Vocabulary, merchant: str) -> Event:
    """Raises CorruptLog, which names the position."""
    try:
        return vocabulary.decode(event.type, event.schema, event.data)
    except CorruptLog as error:
        key = (event.type, event.schema)
        raise vocabulary.unreadable(merchant, event.position, key, error) from None


def _difference(row: CapsuleRow, now: str, events: Sequence[CapsuleEvent]) -> Difference:
    then = msgspec.json.decode(row.data)
    field, was, is_now = (
        ("", row.data, "no row") if not now else _first(then, msgspec.json.decode(now), "")
    )
    last = next((each.type for each in events if each.position == row.position), "")
    return Difference(
        projection=row.projection,
        key=row.key,
        field=field,
        was=was,
        is_now=is_now,
        position=row.position,
        event=last,
    )


def _first(was: object, now: object, path: str) -> tuple[str, str, str]:
    """(field, value, value) of the first that differs, by name and by place."""
    if isinstance(was, dict) and isinstance(now, dict):
        pairs = [(name, was.get(name), now.get(name)) for name in sorted({*was, *now})]
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        pairs = [(str(place), *both) for place, both in enumerate(zip(was, now, strict=True))]
    else:
        pairs = []
    for name, one, other in pairs:
        if one != other:
            return _first(one, other, f"{path}.{name}".lstrip("."))
    return path, msgspec.json.encode(was).decode(), msgspec.json.encode(now).decode()


# ── proof ───────────────────────────────────────────────────────────────────────────────────


async def against(capsule: Capsule, log: AsyncIterable[Sequence[Entry]]) -> None:
    """Hold every event's hash against the log's own. Raises CorruptLog for the first other one.

    `log`: its entries from the first to the capsule's position, of a log that was verified.
    """
    wanted = {each.position: each.hash for each in capsule.events}
    wanted[capsule.header.position] = capsule.header.hash
    async for page in log:
        for entry in page:
            if wanted.pop(entry.position, entry.hash.hex()) != entry.hash.hex():
                raise CorruptLog(
                    f"event {entry.position} of the capsule is not the one in this log of "
                    f"{entry.merchant}"
                )
    if wanted:
        raise CorruptLog(
            f"this log of {capsule.header.merchant} has no event {min(wanted)}, the capsule "
            "has: it ends before, or is another log"
        )
