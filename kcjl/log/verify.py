"""Proof that a log is what was written: every link computed again from the stored rows.

Promises: an edited byte, a missing, added or swapped event and a head that does not belong are
found, and the first bad position is named, with what was expected and what stands there; memory
is bounded however long the log is. It can't see a tail that was cut off together with the head:
for that, keep a seal elsewhere (seal.py).
Invariant: nothing is decoded and nothing is trusted but the genesis (or the hash at `after`).
Called by `kcjl log verify`, the audit room, the tests.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Protocol

import msgspec

from kcjl.errors import CorruptLog, Misuse
from kcjl.log.chain import BareRow, Entry, bare, genesis, link_entry
from kcjl.log.port import Head
from kcjl.log.skim import skim

__all__ = ["BrokenChain", "EntryReader", "Verified", "verify"]

STREAMS_REMEMBERED_MAX = 100_000
"""Streams whose latest revision is held in memory; of others the former event is looked up."""


class EntryReader(Protocol):
    """A log's reader, as far as verification needs it. Both keepers' readers are one."""

    merchant: str

    async def end(self) -> tuple[Head, int]: ...

    def entries(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]: ...

    async def positions(self, revisions: Sequence[tuple[str, int]]) -> Sequence[int | None]: ...


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was proved: the chain is whole up to here."""

    position: int
    hash: bytes
    events: int
    """Links that were computed."""


class BrokenChain(CorruptLog):
    """The log is not what was written."""

    def __init__(
        self, merchant: str, position: int, finding: str, *, expected: str = "", found: str = ""
    ) -> None:
        told = f"{finding}: expected {expected}, found {found}" if expected else finding
        super().__init__(
            f"the log of {merchant} is broken at position {position}: {told}; stop writing, "
            "keep the database as it is, and compare with a backup"
        )
        self.position = position
        """The first bad one."""
        self.finding = finding
        self.expected = expected
        self.found = found


class _Walk:
    """Where verification stands, and what it expects next."""

    def __init__(self, merchant: str, position: int, hash_: bytes) -> None:
        self.merchant = merchant
        self.position = position
        self.hash = hash_
        self.recorded_at: datetime | None = None
        self.revisions: OrderedDict[str, int] = OrderedDict()

    def remember(self, entry: Entry) -> None:
        self.position, self.hash = entry.position, entry.hash
        self.recorded_at = entry.recorded_at
        self.revisions[entry.stream] = entry.revision
        self.revisions.move_to_end(entry.stream)

    def forget(self) -> None:
        """Keep the bound; between pages only, so that a page's own streams are all known."""
        while len(self.revisions) > STREAMS_REMEMBERED_MAX:
            self.revisions.popitem(last=False)

    def broken(self, position: int, finding: str, expected: str, found: str) -> BrokenChain:
        return BrokenChain(self.merchant, position, finding, expected=expected, found=found)


async def verify(
    reader: EntryReader,
    *,
    after: int = 0,
    to: int | None = None,
    previous: bytes | None = None,
    progress: Callable[[int], None] | None = None,
    sound: Callable[[Sequence[BareRow]], None] | None = None,
) -> Verified:
    """Compute the chain again for `after < position <= to` (to the present head when None).

    `previous`: the hash at `after`, where it is known from elsewhere; otherwise the stored one
    is trusted. `progress` is called with the position reached after each page. `sound` is
    handed every row, in order, once its own link was computed: who folds a log while it is
    verified drops what was folded when BrokenChain is raised after all. Raises BrokenChain.
    """
    head, last = await reader.end()
    end = head.position if to is None else to
    if not 0 <= after <= end <= head.position:
        raise Misuse(
            f"the log of {reader.merchant} has {head.position} events: give a range in it"
        )
    walk = await _start(reader, after, previous)
    await skim(reader, walk, end, progress, sound)
    async with aclosing(reader.entries(walk.position, to=end)) as pages:
        async for page in pages:
            await _verify_page(reader, walk, page)
            if sound is not None:
                sound([bare(entry) for entry in page])
            if progress is not None:
                progress(walk.position)
    if walk.position < end:
        wanted = f"events up to {end}, as the head says"
        raise walk.broken(walk.position + 1, "it is missing", wanted, "none")
    if end == head.position:
        if walk.hash != head.hash:
            raise walk.broken(
                end, "its hash is not the head's", head.hash.hex(), walk.hash.hex()
            )
        if last != head.position:
            finding, wanted = "it is past the head", f"none after {head.position}"
            raise walk.broken(head.position + 1, finding, wanted, f"events up to {last}")
    return Verified(position=walk.position, hash=walk.hash, events=walk.position - after)


async def _start(reader: EntryReader, after: int, previous: bytes | None) -> _Walk:
    if after == 0:
        return _Walk(reader.merchant, 0, genesis(reader.merchant))
    if previous is not None:
        return _Walk(reader.merchant, after, previous)
    async with aclosing(reader.entries(after - 1, to=after)) as pages:
        async for page in pages:
            if page[0].position == after:
                walk = _Walk(reader.merchant, after, page[0].hash)
                walk.recorded_at = page[0].recorded_at
                return walk
    raise BrokenChain(reader.merchant, after, "it is missing")


async def _verify_page(reader: EntryReader, walk: _Walk, page: Sequence[Entry]) -> None:
    former = await _former_revisions(reader, walk, page)
    for entry in page:
        position = walk.position + 1
        if entry.position != position:
            finding = "it is missing" if entry.position > position else "it is there twice"
            raise walk.broken(position, finding, f"position {position}", _what(entry))
        hash_ = link_entry(walk.hash, entry)
        if entry.hash != hash_:
            finding = "its content is not what was hashed"
            found = f"{entry.hash.hex()} on {_what(entry)}"
            raise walk.broken(position, finding, hash_.hex(), found)
        known = walk.revisions.get(entry.stream)
        before = former.get((entry.stream, entry.revision - 1)) if known is None else known
        if before != entry.revision - 1:
            finding = f"revision {entry.revision} of stream {entry.stream} does not follow"
            wanted = f"revision {entry.revision - 1} before it"
            raise walk.broken(position, finding, wanted, str(before or "none"))
        if walk.recorded_at is not None and entry.recorded_at < walk.recorded_at:
            finding = "it was recorded before the one that it follows"
            wanted = f"{walk.recorded_at.isoformat()} or later"
            raise walk.broken(position, finding, wanted, entry.recorded_at.isoformat())
        if entry.causation is not None and entry.causation >= position:
            finding = "its cause is not before it"
            raise walk.broken(position, finding, "an earlier position", str(entry.causation))
        walk.remember(entry)
    walk.forget()


def _what(entry: Entry) -> str:
    """What stands there, for people."""
    return (
        f"position {entry.position}, {entry.type} (revision {entry.revision} of "
        f"{entry.stream}, recorded {entry.recorded_at.isoformat()} by {entry.by})"
    )


async def _former_revisions(
    reader: EntryReader, walk: _Walk, page: Sequence[Entry]
) -> dict[tuple[str, int], int]:
    """The revision before a stream's first event on this page, where we don't remember it."""
    first: dict[str, Entry] = {}
    for entry in page:
        if entry.stream not in walk.revisions:
            first.setdefault(entry.stream, entry)
    asked = [
        (entry.stream, entry.revision - 1) for entry in first.values() if entry.revision > 1
    ]
    former = {(stream, 0): 0 for stream, entry in first.items() if entry.revision == 1}
    if asked:
        places = await reader.positions(asked)
        for (stream, revision), place in zip(asked, places, strict=True):
            if place is not None and place < first[stream].position:
                former[stream, revision] = revision
    return former
