"""The log's twin in memory: the same laws as PostgreSQL's, for simulations and quick tests.

Promises: keeps the law suite of the log (tests/log/laws.py), conflict, chain and fence too; an
append is one step that nothing can interrupt half-way. It keeps nothing past the process, and
uses no thread and no socket; what differs from the real one is time, and that nothing fails.
Invariant: a `MemoryStore` stands for the database; logs and readers come and go on it.
Called by the simulation and by the tests of rooms.
"""

from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio.lowlevel
import msgspec

from kcjl.clock import Clock
from kcjl.errors import Fenced
from kcjl.log.chain import Entry, genesis
from kcjl.log.drafting import check_merchant, objection, prepare, record, recording_time
from kcjl.log.port import PAGE_EVENTS_MAX, Draft, Head, Recorded
from kcjl.log.tail import Tail
from kcjl.vocabulary import Vocabulary

__all__ = ["MemoryLog", "MemoryLogReader", "MemoryStore"]

_NO_BOUND = 2**62
"""The store is the only place that has the events: it lets none of them go."""


class _Shelf:
    """One merchant's log in the store."""

    def __init__(self, merchant: str) -> None:
        self.events: list[Recorded] = []
        self.head = Head(position=0, hash=genesis(merchant), epoch=0)
        self.revisions: dict[str, int] = {}
        self.tail = Tail(0, events_max=_NO_BOUND, bytes_max=_NO_BOUND)


class MemoryStore:
    """What the database is to the real log: every merchant's events, heads and epochs."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}

    def shelf(self, merchant: str) -> _Shelf:
        return self._shelves.setdefault(check_merchant(merchant), _Shelf(merchant))

    def take_over(self, merchant: str) -> int:
        """A new epoch, which fences the writer that was there before."""
        shelf = self.shelf(merchant)
        shelf.head = msgspec.structs.replace(shelf.head, epoch=shelf.head.epoch + 1)
        return shelf.head.epoch


class MemoryLogReader:
    """Reading one merchant's log out of a store."""

    def __init__(self, store: MemoryStore, merchant: str) -> None:
        self.merchant = merchant
        self._shelf = store.shelf(merchant)

    async def head(self) -> Head:
        return self._shelf.head

    async def read(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncIterator[Sequence[Recorded]]:
        last = self._shelf.head.position
        for page in _pages(self._shelf.events, after, last if to is None else min(to, last)):
            await anyio.lowlevel.checkpoint()
            yield page

    async def read_stream(self, stream: str) -> Sequence[Recorded]:
        return [event for event in self._shelf.events if event.stream == stream]

    async def read_streams(self, streams: Sequence[str]) -> Sequence[Recorded]:
        wanted = frozenset(streams)
        return [event for event in self._shelf.events if event.stream in wanted]

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Recorded]]:
        shelf, position = self._shelf, after
        while True:
            if shelf.head.position > position:
                await anyio.lowlevel.checkpoint()
            else:
                await shelf.tail.wait_beyond(position)
            for page in _pages(shelf.events, position, shelf.head.position):
                yield page
                position = page[-1].position

    async def end(self) -> tuple[Head, int]:
        """The head, and the last position that there really is."""
        events = self._shelf.events
        return self._shelf.head, events[-1].position if events else 0

    async def entries(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]:
        async for page in self.read(after, to=to):
            yield [_entry(event) for event in page]

    async def positions(self, revisions: Sequence[tuple[str, int]]) -> Sequence[int | None]:
        """Where the events of these streams and revisions are."""
        where = {(event.stream, event.revision): event.position for event in self._shelf.events}
        return [where.get(each) for each in revisions]


class MemoryLog(MemoryLogReader):
    """Writing it too, in the epoch that was taken over."""

    def __init__(
        self,
        store: MemoryStore,
        merchant: str,
        vocabulary: Vocabulary,
        clock: Clock,
        epoch: int,
    ) -> None:
        super().__init__(store, merchant)
        self._vocabulary = vocabulary
        self._clock = clock
        self._epoch = epoch

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        store: MemoryStore,
        merchant: str,
        vocabulary: Vocabulary,
        clock: Clock,
        epoch: int,
    ) -> AsyncIterator["MemoryLog"]:
        """Opened as the real one is."""
        log = cls(store, merchant, vocabulary, clock, epoch)
        log._refuse_if_fenced()
        yield log

    async def append(
        self, drafts: Sequence[Draft], *, expected: Mapping[str, int] | None = None
    ) -> Sequence[Recorded]:
        prepared = prepare(drafts, expected or {}, self._vocabulary)
        await anyio.lowlevel.checkpoint()  # the last moment at which it can be cancelled
        self._refuse_if_fenced()
        shelf = self._shelf
        refusal = objection(
            prepared, expected or {}, head=shelf.head, revisions=shelf.revisions
        )
        if refusal is not None:
            raise refusal
        latest = shelf.events[-1].recorded_at if shelf.events else None
        events, shelf.head = record(
            prepared,
            merchant=self.merchant,
            head=shelf.head,
            recorded_at=recording_time(self._clock.now(), latest),
            revisions=shelf.revisions,
        )
        shelf.events.extend(events)
        shelf.tail.extend(events)
        return events

    def _refuse_if_fenced(self) -> None:
        epoch = self._shelf.head.epoch
        if epoch != self._epoch:
            raise Fenced(
                f"the log of {self.merchant} is in epoch {epoch}, this writer in {self._epoch}"
            )


def _pages(events: Sequence[Recorded], after: int, to: int) -> Iterator[Sequence[Recorded]]:
    """By position, as the database would: an event that was tampered away is just not there."""
    if events and events[-1].position == len(events):
        start, stop = max(after, 0), to  # none is missing: each stands at its number
    else:
        start = bisect_right(events, after, key=_position)
        stop = bisect_right(events, to, key=_position)
    for at in range(start, stop, PAGE_EVENTS_MAX):
        yield events[at : min(at + PAGE_EVENTS_MAX, stop)]


def _position(event: Recorded) -> int:
    return event.position


def _entry(event: Recorded) -> Entry:
    return Entry(**{name: getattr(event, name) for name in Entry.__struct_fields__})
