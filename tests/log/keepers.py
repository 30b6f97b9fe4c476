"""Both keepers of the log behind one face, and the small trade that they are tried on.

A keeper opens writers (each one takes the log over, as a new process would), gives readers, and
can be tampered with the way an intruder with the highest rights would.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

import asyncpg
import msgspec

from kcjl.clock import Clock, RealClock
from kcjl.database import Database
from kcjl.log.chain import Entry
from kcjl.log.lease import acquire
from kcjl.log.memory import MemoryLog, MemoryLogReader, MemoryStore
from kcjl.log.port import Draft, Head, Log, Recorded
from kcjl.log.postgres import PostgresLog, PostgresLogReader
from kcjl.vocabulary import Event, Vocabulary

if TYPE_CHECKING:
    Admin: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Admin = asyncpg.Connection

MERCHANT = "acme"
MORNING = datetime(2026, 10, 1, 8, 0, 0, 123456, tzinfo=UTC)


class Counted(Event, frozen=True, kw_only=True):
    """So many units of a SKU were on the shelf."""

    sku: str
    units: int

    @property
    def stream(self) -> str:
        return f"stock-{self.sku}"


class Noted(Event, frozen=True, kw_only=True):
    """Somebody wrote something down."""

    subject: str
    text: str

    @property
    def stream(self) -> str:
        return f"note-{self.subject}"


VOCABULARY = Vocabulary([Counted, Noted])


class SetClock(RealClock):
    """A clock that a test sets."""

    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def counted(sku: str, units: int, *, causation: int | None = None) -> Draft:
    return Draft(
        event=Counted(occurred_at=MORNING, sku=sku, units=units),
        by="stock",
        correlation_id=f"count-{sku}",
        causation=causation,
    )


def noted(subject: str, text: str) -> Draft:
    return Draft(
        event=Noted(occurred_at=MORNING, subject=subject, text=text),
        by="jo",
        correlation_id="notes",
    )


class AnyReader(Protocol):
    """Reads events, and the bare rows too."""

    merchant: str

    async def head(self) -> Head: ...

    def read(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncIterator[Sequence[Recorded]]: ...

    async def read_stream(self, stream: str) -> Sequence[Recorded]: ...

    async def read_streams(self, streams: Sequence[str]) -> Sequence[Recorded]: ...

    def follow(self, after: int = 0) -> AsyncIterator[Sequence[Recorded]]: ...

    async def end(self) -> tuple[Head, int]: ...

    def entries(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]: ...

    async def positions(self, revisions: Sequence[tuple[str, int]]) -> Sequence[int | None]: ...


class Keeper(Protocol):
    """One of the two."""

    def writer(
        self, clock: Clock | None = None, merchant: str = MERCHANT
    ) -> AbstractAsyncContextManager[Log]:
        """Take the log over and write it."""
        ...

    def reader(self, merchant: str = MERCHANT) -> AnyReader: ...

    async def edit(self, position: int, *, old: str, new: str) -> None:
        """Change the payload of a stored event."""
        ...

    async def remove(self, position: int) -> None: ...

    async def swap(self, one: int, other: int) -> None:
        """Exchange the places of two events."""
        ...

    async def duplicate(self, position: int, *, at: int) -> None:
        """Put a copy of an event at another position, under another revision."""
        ...


async def all_events(reader: AnyReader | Log, after: int = 0) -> list[Recorded]:
    return [event async for page in reader.read(after) for event in page]


def units_of(event: Recorded) -> int:
    assert isinstance(event.event, Counted)
    return event.event.units


class MemoryKeeper:
    """The twin."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    def writer(
        self, clock: Clock | None = None, merchant: str = MERCHANT
    ) -> AbstractAsyncContextManager[Log]:
        epoch = self.store.take_over(merchant)
        return MemoryLog.open(self.store, merchant, VOCABULARY, clock or SetClock(), epoch)

    def reader(self, merchant: str = MERCHANT) -> MemoryLogReader:
        return MemoryLogReader(self.store, merchant)

    async def edit(self, position: int, *, old: str, new: str) -> None:
        events = self.store.shelf(MERCHANT).events
        event = events[position - 1]
        edited = event.data.replace(old.encode(), new.encode())
        events[position - 1] = msgspec.structs.replace(event, data=edited)

    async def remove(self, position: int) -> None:
        del self.store.shelf(MERCHANT).events[position - 1]

    async def swap(self, one: int, other: int) -> None:
        events = self.store.shelf(MERCHANT).events
        first, second = events[one - 1], events[other - 1]
        events[one - 1] = msgspec.structs.replace(second, position=one)
        events[other - 1] = msgspec.structs.replace(first, position=other)

    async def duplicate(self, position: int, *, at: int) -> None:
        events = self.store.shelf(MERCHANT).events
        copied = events[position - 1]
        events.append(msgspec.structs.replace(copied, position=at, revision=1_000))


class PostgresKeeper:
    """The real one, on a database of its own."""

    def __init__(self, dsn: str, database: Database) -> None:
        self.dsn = dsn
        self.database = database

    @asynccontextmanager
    async def writer(
        self, clock: Clock | None = None, merchant: str = MERCHANT
    ) -> AsyncIterator[PostgresLog]:
        lease = await acquire(self.database, merchant, "tests", ttl_s=60)
        async with PostgresLog.open(
            self.database, merchant, VOCABULARY, clock or SetClock(), lease.epoch
        ) as log:
            yield log

    def reader(self, merchant: str = MERCHANT) -> PostgresLogReader:
        return PostgresLogReader(self.database, merchant, VOCABULARY)

    async def edit(self, position: int, *, old: str, new: str) -> None:
        await self._tamper(
            "update event set data = replace(data::text, $2, $3)::json where position = $1",
            (position, old, new),
        )

    async def remove(self, position: int) -> None:
        await self._tamper("delete from event where position = $1", (position,))

    async def swap(self, one: int, other: int) -> None:
        move = "update event set position = $2 where position = $1"
        spare = 1_000_000
        await self._tamper(move, (one, spare), (other, one), (spare, other))

    async def duplicate(self, position: int, *, at: int) -> None:
        await self._tamper(
            """
            insert into event
            select $2, causation, occurred_at, recorded_at, 1000, schema, merchant, stream,
                type, correlation_id, by, hash, data
            from event where position = $1
            """,
            (position, at),
        )

    async def _tamper(self, statement: str, *arguments: tuple[object, ...]) -> None:
        """As somebody who owns the server: the trigger is taken off, and put on again."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute("alter table event disable trigger event_append_only")
            for each in arguments:
                await connection.execute(statement, *each)
            await connection.execute(
                "alter table event enable always trigger event_append_only"
            )
        finally:
            await connection.close()
