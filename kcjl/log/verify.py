"""Proof that a log is what was written: every link computed again from the stored rows.

Promises: an edited byte, a missing, added or swapped event and a head that does not belong are
found, and the first bad position is named; memory is bounded however long the log is. It can't
see a tail that was cut off together with the head: for that, keep a seal elsewhere.
Invariant: nothing is decoded and nothing is trusted but the genesis (or the hash at `after`).
Called by `kcjl log verify`, the audit room, the tests.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

import anyio
import anyio.lowlevel
import msgspec

from kcjl.errors import CorruptLog, KcjlError, Misuse
from kcjl.log.chain import BareRow, Entry, genesis, link_rows
from kcjl.log.port import Head

__all__ = ["BrokenChain", "EntryReader", "Verified", "verify"]

STREAMS_REMEMBERED_MAX = 100_000
"""Streams whose latest revision is held in memory; of others the former event is looked up."""


REQUEST_TURNS = 8
"""Turns of the event loop in which a query gets from here to the socket."""
_BEFORE_ALL_TIME = -(2**63)


class EntryReader(Protocol):
    """A log's reader, as far as verification needs it. Both keepers' readers are one."""

    merchant: str

    async def end(self) -> tuple[Head, int]: ...

    def entries(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]: ...

    def rows(self, after: int = 0, *, to: int) -> AsyncGenerator[Sequence[BareRow], None]: ...

    async def positions(self, revisions: Sequence[tuple[str, int]]) -> Sequence[int | None]: ...


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was proved: the chain is whole up to here."""

    position: int
    hash: bytes
    events: int
    """Links that were computed."""


class BrokenChain(CorruptLog):
    """The log is not what was written."""

    def __init__(self, merchant: str, position: int, finding: str) -> None:
        super().__init__(
            f"the log of {merchant} is broken at position {position}: {finding}; stop writing, "
            "keep the database as it is, and compare with a backup"
        )
        self.position = position
        """The first bad one."""
        self.finding = finding


class _Walk:
    """Where verification stands, and what it expects next."""

    def __init__(self, merchant: str, position: int, hash_: bytes) -> None:
        self.merchant = merchant
        self.position = position
        self.hash = hash_
        self.recorded = _BEFORE_ALL_TIME
        self.revisions: OrderedDict[str, int] = OrderedDict()

    def forget(self) -> None:
        """Keep the bound; between pages only, so that a page's own streams are all known."""
        while len(self.revisions) > STREAMS_REMEMBERED_MAX:
            self.revisions.popitem(last=False)

    def broken(self, position: int, finding: str) -> BrokenChain:
        return BrokenChain(self.merchant, position, finding)


async def verify(
    reader: EntryReader,
    *,
    after: int = 0,
    to: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verified:
    """Compute the chain again for `after < position <= to` (to the present head when None).

    `progress` is called with the position reached after each page. Raises BrokenChain.
    """
    head, last = await reader.end()
    end = head.position if to is None else to
    if not 0 <= after <= end <= head.position:
        raise Misuse(
            f"the log of {reader.merchant} has {head.position} events: give a range in it"
        )
    walk = await _start(reader, after)
    async with aclosing(reader.rows(after, to=end)) as pages:
        page = await anext(pages, None)
        while page is not None:
            ahead = _Ahead(pages)
            async with anyio.create_task_group() as group:
                group.start_soon(ahead.fetch)
                await ahead.asked()
                finding = await _finding(reader, walk, page)
            if finding is not None:
                raise finding
            if page and progress is not None:
                progress(walk.position)
            page = ahead.page()
    if walk.position < end:
        raise walk.broken(
            walk.position + 1, f"it is missing, and the head is at {head.position}"
        )
    if end == head.position:
        if walk.hash != head.hash:
            raise walk.broken(end, "its hash is not the head's")
        if last != head.position:
            raise walk.broken(head.position + 1, f"events after the head, up to {last}")
    return Verified(position=walk.position, hash=walk.hash, events=walk.position - after)


class _Ahead:
    """The next page, fetched while the one before it is computed."""

    def __init__(self, pages: AsyncGenerator[Sequence[BareRow], None]) -> None:
        self._pages = pages
        self._page: Sequence[BareRow] | None = None
        self._error: Exception | None = None

    async def fetch(self) -> None:
        try:
            self._page = await anext(self._pages, None)
        except Exception as error:  # noqa: BLE001 - raised by `page`, and not as a group
            self._error = error

    async def asked(self) -> None:
        """Give the request its turns to leave; after that we compute without a pause."""
        for _ in range(REQUEST_TURNS):
            await anyio.lowlevel.checkpoint()

    def page(self) -> Sequence[BareRow] | None:
        if self._error is not None:
            raise self._error
        return self._page


async def _finding(
    reader: EntryReader, walk: _Walk, page: Sequence[BareRow]
) -> KcjlError | None:
    try:
        await _verify_page(reader, walk, page)
    except KcjlError as error:
        return error
    return None


async def _start(reader: EntryReader, after: int) -> _Walk:
    if after == 0:
        return _Walk(reader.merchant, 0, genesis(reader.merchant))
    async with aclosing(reader.entries(after - 1, to=after)) as pages:
        async for page in pages:
            return _Walk(reader.merchant, after, page[0].hash)
    raise BrokenChain(reader.merchant, after, "it is missing")


async def _verify_page(reader: EntryReader, walk: _Walk, page: Sequence[BareRow]) -> None:
    former = await _former_revisions(reader, walk, page)
    position, recorded, revisions = walk.position, walk.recorded, walk.revisions
    hashes = link_rows(walk.hash, walk.merchant, page)
    for row, hash_ in zip(page, hashes, strict=True):
        position += 1
        if row[0] != position:
            finding = "it is missing" if row[0] > position else "it is there twice"
            raise walk.broken(position, finding)
        if row[11] != hash_:
            raise walk.broken(position, "its content is not what was hashed")
        stream, revision = row[1], row[2]
        before = revisions.get(stream)
        if before is None:
            before = former.get((stream, revision - 1))
        if before != revision - 1:
            raise walk.broken(
                position,
                f"revision {revision} of stream {stream} does not follow {before}",
            )
        if row[6] < recorded:
            raise walk.broken(position, "it was recorded before the one that it follows")
        recorded, causation = row[6], row[8]
        if causation is not None and causation >= position:
            raise walk.broken(position, f"its cause, {causation}, is not before it")
        revisions[stream] = revision
        revisions.move_to_end(stream)
    if page:
        walk.position, walk.hash, walk.recorded = position, page[-1][11], recorded
    walk.forget()


async def _former_revisions(
    reader: EntryReader, walk: _Walk, page: Sequence[BareRow]
) -> dict[tuple[str, int], int]:
    """The revision before a stream's first event on this page, where we don't remember it."""
    first: dict[str, BareRow] = {}
    for row in page:
        if row[1] not in walk.revisions:
            first.setdefault(row[1], row)
    asked = [(stream, row[2] - 1) for stream, row in first.items() if row[2] > 1]
    former = {(stream, 0): 0 for stream, row in first.items() if row[2] == 1}
    if asked:
        places = await reader.positions(asked)
        for (stream, revision), place in zip(asked, places, strict=True):
            if place is not None and place < first[stream][0]:
                former[stream, revision] = revision
    return former
