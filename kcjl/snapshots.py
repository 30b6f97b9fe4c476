"""Snapshots of what rooms have folded, so that a start folds the end of the log only.

Promises: a snapshot is a cache: without it a start takes longer, and nothing else is different.
One that another version of kcjl took, of another log, from beyond the log's head, or that is
damaged, is left aside and said so. It is taken off the hot path: the copy is one short step,
the rest is done in slices and in a thread.
Invariant: what is put back is what folding the log up to that position gives.
Called by `service.py`.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.lowlevel
import anyio.to_thread
import msgspec
import structlog

import kcjl
from kcjl.actors import Folded, Room
from kcjl.clock import real_sleep
from kcjl.database import Database
from kcjl.errors import KcjlError
from kcjl.fold import Contents
from kcjl.log.port import LogReader
from kcjl.packed import Packed

__all__ = [
    "MemorySnapshots",
    "PostgresSnapshots",
    "Snapshot",
    "SnapshotPace",
    "SnapshotStore",
    "fingerprint",
    "keep_snapshots",
    "load_snapshots",
    "program",
    "take_snapshots",
]

EVENTS_BETWEEN_MIN = 10_000
"""Events between two snapshots of a room: about half a second of folding at a start."""
EVENTS_BETWEEN_SHARE = 10
"""And at least a tenth of its entries, so that a large room is not written all the time."""
LOOK_EVERY_S = 5.0
ENTRIES_A_PART = 1_000
STATE_BYTES_MAX = 128 * 1024 * 1024
"""A room that is larger, compressed, keeps no snapshot; that is said, and its start is slow."""
_LENGTH = struct.Struct(">I")

_say = structlog.get_logger("kcjl.snapshots")


class SnapshotPace(msgspec.Struct, frozen=True, kw_only=True):
    """When snapshots are due."""

    look_every_s: float
    events_min: int
    """Between two of a room; more where the room has many entries."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a room had folded, as bytes, and by what it is known to be right."""

    room: str
    position: int
    log_hash: bytes
    fingerprint: bytes
    sha256: bytes
    state: bytes
    taken_at: datetime


class SnapshotStore(Protocol):
    """One merchant's snapshots: the newest of each room."""

    async def load(self, room: str) -> Snapshot | None: ...

    async def save(self, snapshot: Snapshot) -> None: ...


class PostgresSnapshots:
    """Snapshots in the table `snapshot`."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    async def load(self, room: str) -> Snapshot | None:
        row = await self._database.fetchrow(
            """
            select room, position, log_hash, fingerprint, sha256, state, taken_at
            from snapshot where merchant = $1 and room = $2
            """,
            self._merchant,
            room,
        )
        return None if row is None else Snapshot(**dict(row))

    async def save(self, snapshot: Snapshot) -> None:
        await self._database.execute(
            """
            insert into snapshot
                (merchant, room, position, log_hash, fingerprint, sha256, state, taken_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (merchant, room) do update set
                position = excluded.position, log_hash = excluded.log_hash,
                fingerprint = excluded.fingerprint, sha256 = excluded.sha256,
                state = excluded.state, taken_at = excluded.taken_at
            """,
            self._merchant,
            snapshot.room,
            snapshot.position,
            snapshot.log_hash,
            snapshot.fingerprint,
            snapshot.sha256,
            snapshot.state,
            snapshot.taken_at,
        )


class MemorySnapshots:
    """The memory twin."""

    def __init__(self) -> None:
        self.kept: dict[str, Snapshot] = {}

    async def load(self, room: str) -> Snapshot | None:
        return self.kept.get(room)

    async def save(self, snapshot: Snapshot) -> None:
        self.kept[snapshot.room] = snapshot


# ── load ────────────────────────────────────────────────────────────────────────────────────


async def load_snapshots(
    rooms: Sequence[Room], log: LogReader, store: SnapshotStore
) -> dict[str, int]:
    """Put back what can be trusted, in rooms that have folded nothing; positions by room."""
    loaded: dict[str, int] = {}

    async def load(room: Room) -> None:
        try:
            odd = await _load(room, log, store)
        except KcjlError as error:
            odd = error.message
        if odd:
            _say.info("snapshot_left_aside", merchant=log.merchant, room=room.name, because=odd)
        elif room.applied:
            loaded[room.name] = room.applied

    async with anyio.create_task_group() as group:
        for room in rooms:
            if room.applied == 0:
                group.start_soon(load, room)
    return loaded


async def _load(room: Room, log: LogReader, store: SnapshotStore) -> str:
    """Put a room's snapshot back, if it has one; or why not."""
    snapshot = await store.load(room.name)
    if snapshot is None:
        return ""
    if snapshot.fingerprint != await anyio.to_thread.run_sync(fingerprint, room):
        return "it was taken by another version of kcjl"
    if snapshot.position > (await log.head()).position:
        return "it is of a log that was longer"
    async for page in log.read(snapshot.position - 1, to=snapshot.position):
        if page[0].hash != snapshot.log_hash:
            return "it is of another log"
    try:
        folded = await anyio.to_thread.run_sync(_unpacked, snapshot, len(room.tables))
    except (ValueError, zlib.error, struct.error, msgspec.MsgspecError) as error:
        return f"it is damaged: {error}"
    room.put_back(folded)
    return ""


class _Part(msgspec.Struct, omit_defaults=True):
    """A piece of a state. Entries stay JSON until somebody asks for them."""

    table: int = 0
    entries: dict[str, msgspec.Raw] = {}
    watched: list[str] = []
    groups: dict[str, list[str]] = {}
    revisions: dict[str, int] = {}
    marks: dict[str, int] = {}


def _unpacked(snapshot: Snapshot, tables: int) -> Folded:
    if hashlib.sha256(snapshot.state).digest() != snapshot.sha256:
        raise ValueError("its bytes are not those that were written")
    contents: list[Contents[Any]] = [Contents() for _ in range(tables)]
    revisions: dict[str, int] = {}
    marks: dict[str, int] = {}
    decoder = msgspec.json.Decoder(_Part)
    view = memoryview(snapshot.state)
    while view:
        (length,) = _LENGTH.unpack_from(view)
        end = _LENGTH.size + length
        part = decoder.decode(zlib.decompress(view[_LENGTH.size : end]))
        view = view[end:]
        if part.table >= tables:
            raise ValueError(f"it has a table {part.table}, of {tables}")
        table = contents[part.table]
        table.entries.update(part.entries)
        table.watched.extend(part.watched)
        table.groups.update(part.groups)
        revisions.update(part.revisions)
        marks.update(part.marks)
    return Folded(
        position=snapshot.position,
        log_hash=snapshot.log_hash,
        tables=contents,
        revisions=revisions,
        marks=marks,
    )


# ── take ────────────────────────────────────────────────────────────────────────────────────


async def keep_snapshots(
    rooms: Sequence[Room],
    merchant: str,
    store: SnapshotStore,
    now: Callable[[], datetime],
    *,
    kept: Mapping[str, int],
    pace: SnapshotPace | None = None,
) -> None:
    """Take snapshots when they are due, for ever. `kept`: positions of those that there are."""
    if pace is None:
        pace = SnapshotPace(look_every_s=LOOK_EVERY_S, events_min=EVENTS_BETWEEN_MIN)
    taken = {room.name: kept.get(room.name, 0) for room in rooms}
    while True:
        await real_sleep(pace.look_every_s)
        due = [room for room in rooms if _due(room, taken[room.name], pace)]
        # Noted before: one that can't be kept is tried again when the next one is due.
        taken.update((room.name, room.applied) for room in due)
        await take_snapshots(due, merchant, store, now)


def _due(room: Room, taken: int, pace: SnapshotPace) -> bool:
    entries = sum(len(table) for table in room.tables)
    return room.applied - taken >= max(pace.events_min, entries // EVENTS_BETWEEN_SHARE)


async def take_snapshots(
    rooms: Sequence[Room], merchant: str, store: SnapshotStore, now: Callable[[], datetime]
) -> None:
    """Take one of each room, one after the other."""
    for room in rooms:
        folded = room.folded()
        if folded.position == 0:
            continue
        state = await _packed(folded)
        if state is None:
            _say.warning(
                "snapshot_too_large",
                merchant=merchant,
                room=room.name,
                bytes_max=STATE_BYTES_MAX,
            )
            continue
        snapshot = Snapshot(
            room=room.name,
            position=folded.position,
            log_hash=folded.log_hash,
            fingerprint=await anyio.to_thread.run_sync(fingerprint, room),
            sha256=await anyio.to_thread.run_sync(_sha256, state),
            state=state,
            taken_at=now(),
        )
        try:
            await store.save(snapshot)
        except KcjlError as error:
            _say.warning(
                "snapshot_not_kept", merchant=merchant, room=room.name, because=error.message
            )


async def _packed(folded: Folded) -> bytes | None:
    """Part by part, so that nobody waits for long; None when it is larger than it may be."""
    encoder = msgspec.json.Encoder(enc_hook=_as_json)
    packed = bytearray()
    for part in _parts(folded):
        raw = encoder.encode(part)
        compressed = await anyio.to_thread.run_sync(zlib.compress, raw, 1)
        packed += _LENGTH.pack(len(compressed)) + compressed
        if len(packed) > STATE_BYTES_MAX:
            return None
    return bytes(packed)


def _parts(folded: Folded) -> Iterator[dict[str, object]]:
    """As `_Part`, with entries that may not be JSON yet."""
    for number, table in enumerate(folded.tables):
        for entries in _sliced(table.entries):
            yield {"table": number, "entries": entries}
        yield {"table": number, "watched": table.watched, "groups": table.groups}
    for revisions in _sliced(folded.revisions):
        yield {"revisions": revisions}
    yield {"marks": folded.marks}


def _as_json(entry: object) -> msgspec.Raw:
    """Of an entry that its table has packed."""
    if isinstance(entry, Packed):
        return msgspec.Raw(entry.json())
    raise NotImplementedError(f"a snapshot holds no {type(entry).__name__}")


def _sliced(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    items = list(whole.items())
    for start in range(0, len(items), ENTRIES_A_PART):
        yield dict(items[start : start + ENTRIES_A_PART])


# ── what it depends on ──────────────────────────────────────────────────────────────────────


def fingerprint(room: Room) -> bytes:
    """Of the program, and of what this room folds: any change of either gives another one."""
    digest = hashlib.sha256(program())
    digest.update(room.name.encode())
    for table in room.tables:
        digest.update(f"\n{table.entry_type.__module__}.{table.entry_type.__name__}".encode())
    return digest.digest()


@cache
def program() -> bytes:
    """Every source file: a fold can change without any struct or version number changing."""
    digest = hashlib.sha256(kcjl.__version__.encode())
    package = Path(kcjl.__file__).parent
    for file in sorted(package.rglob("*.py")):
        digest.update(f"\n{file.relative_to(package).as_posix()}\n".encode())
        digest.update(file.read_bytes())
    return digest.digest()


def _sha256(state: bytes) -> bytes:
    return hashlib.sha256(state).digest()
