"""The event log in PostgreSQL: a reader for anybody, and the one writer's log.

Promises: pages are read by position and are whole: a gap is CorruptLog, never skipped; readers
in the writer's process are fed from memory, others are woken by NOTIFY and look every second as
well, because a notification is a hint and the page is the truth. Memory is bounded by a page.
Invariant: an event is yielded only when it is durable.
Called by the service (log), the CLI, the monitor and the audit room (reader).
"""

import asyncio
import copy
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from itertools import zip_longest
from typing import cast

import anyio
import anyio.lowlevel
import asyncpg

from kcjl.clock import Clock
from kcjl.database import Database, Session
from kcjl.errors import CorruptLog, KcjlError
from kcjl.log.ahead import PORTION_EVENTS, Ahead
from kcjl.log.chain import BareRow, Entry, genesis
from kcjl.log.drafting import check_merchant, prepare
from kcjl.log.ear import Ear
from kcjl.log.pen import Pen
from kcjl.log.port import PAGE_EVENTS_MAX, Draft, Head, Recorded
from kcjl.log.rows import COLUMNS, all_recorded
from kcjl.log.tail import TAIL_EVENTS_MAX, Tail
from kcjl.log.writer import GroupWriter
from kcjl.vocabulary import Vocabulary

__all__ = ["PostgresLog", "PostgresLogReader"]

CLOSE_S = 5.0
APPENDS_MAX = 4_096
"""In hand at a time, drawn up or waiting; more callers are held back at the door."""
READ_EVENTS_MAX = 3 * PORTION_EVENTS
"""Events in one page of ours: what is made of more of them leaves the processor's cache."""

_COLUMNS = """
    position, stream, revision, type, schema, occurred_at, recorded_at,
    correlation_id, causation, by, data, hash
"""
# Positions and revisions have no gaps, so a page is a range of them. Not "limit": on a table
# without statistics the planner then sorts all that is left of the log for each page.
_PAGE = f"""
select {COLUMNS} from event
where merchant = $1 and position > $2 and position <= $3
order by position
"""  # noqa: S608 - constants of ours
_ENTRIES = f"""
select {_COLUMNS} from event
where merchant = $1 and position > $2 and position <= $3
order by position
"""  # noqa: S608 - constants of ours
# Times as whole microseconds, as they are hashed: a datetime costs more to make than to read.
_BARE = """
select
    position, stream, revision, type, schema,
    case when isfinite(occurred_at)
        then (extract(epoch from occurred_at) * 1000000)::bigint else -1 end,
    case when isfinite(recorded_at)
        then (extract(epoch from recorded_at) * 1000000)::bigint else -1 end,
    correlation_id, causation, by, json_send(data), hash
from event
where merchant = $1 and position > $2 and position <= $3
order by position
"""
_STREAM = f"""
select {COLUMNS} from event
where merchant = $1 and stream = $2 and revision > $3 and revision <= $4
order by revision
"""  # noqa: S608 - constants of ours
_STREAMS = f"""
select {COLUMNS} from event
where merchant = $1 and stream = any($2::text[])
order by position
"""  # noqa: S608 - constants of ours
_HEAD = "select position, hash, epoch from log_head where merchant = $1"
_END = """
select
    (select coalesce(max(event.position), 0) from event where event.merchant = $1) as last,
    log_head.position, log_head.hash, log_head.epoch
from (values ($1::text)) as wanted (merchant)
left join log_head on log_head.merchant = wanted.merchant
"""
_POSITIONS = """
select event.position
from unnest($2::text[], $3::bigint[]) with ordinality as wanted (stream, revision, number)
left join event
    on event.merchant = $1
    and event.stream = wanted.stream
    and event.revision = wanted.revision
order by wanted.number
"""


class PostgresLogReader:
    """Reading one merchant's log."""

    def __init__(self, database: Database, merchant: str, vocabulary: Vocabulary) -> None:
        self.merchant = check_merchant(merchant)
        self._database = database
        self._vocabulary = vocabulary

    async def head(self) -> Head:
        row = await self._database.fetchrow(_HEAD, self.merchant)
        if row is None:
            return Head(position=0, hash=genesis(self.merchant), epoch=0)
        return Head(position=row["position"], hash=row["hash"], epoch=row["epoch"])

    async def read(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncIterator[Sequence[Recorded]]:
        last = (await self.head()).position
        if to is not None:
            last = min(last, to)
        position = after
        while position < last:
            page = await self.page(position, to=last)
            yield page
            position = page[-1].position

    async def page(self, after: int, *, to: int) -> Sequence[Recorded]:
        """The first page of `after < position <= to`. Raises CorruptLog for a gap in it."""
        end = min(to, after + READ_EVENTS_MAX)
        page: list[Recorded] = []
        async with (
            self._database.session() as session,
            aclosing(self._portions(session, after, end)) as portions,
        ):
            ahead = Ahead(portions)
            while await ahead.more():
                page += await ahead.work(self._all_recorded)
        return page

    async def _portions(
        self, session: Session, after: int, to: int
    ) -> AsyncGenerator[list[asyncpg.Record], None]:
        for start in range(after, to, PORTION_EVENTS):
            end = min(to, start + PORTION_EVENTS)
            rows = await session.fetch(_PAGE, self.merchant, start, end)
            wanted = range(start + 1, end + 1)
            if [row[0] for row in rows] != [*wanted]:
                pairs = zip_longest(wanted, rows)
                raise self._gap(next(at for at, row in pairs if row is None or row[0] != at))
            yield rows
            del rows  # while the next ones are fetched, the only ones are those in hand

    async def read_stream(self, stream: str) -> Sequence[Recorded]:
        events: list[Recorded] = []
        while True:
            after = len(events)
            rows = await self._database.fetch(
                _STREAM, self.merchant, stream, after, after + PAGE_EVENTS_MAX
            )
            events += self._all_recorded(rows)
            if len(rows) < PAGE_EVENTS_MAX:
                return events

    async def read_streams(self, streams: Sequence[str]) -> Sequence[Recorded]:
        rows = await self._database.fetch(_STREAMS, self.merchant, list(streams))
        return self._all_recorded(rows)

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Recorded]]:
        """Raises Unavailable when the database goes away: follow again from where you were."""
        position = after
        ear = Ear(self._database, self.merchant)
        try:
            while True:
                await ear.listen()
                async for page in self.read(position):
                    yield page
                    position = page[-1].position
                await ear.wait()
        finally:
            ear.close()

    async def end(self) -> tuple[Head, int]:
        """The head, and the last position that there really is, at one moment."""
        row = await self._database.fetchrow(_END, self.merchant)
        if row is None or row["position"] is None:
            last = row["last"] if row else 0
            return Head(position=0, hash=genesis(self.merchant), epoch=0), last
        head = Head(position=row["position"], hash=row["hash"], epoch=row["epoch"])
        return head, row["last"]

    async def entries(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]:
        """Pages as they are stored, gaps and all: for verification."""
        last = (await self.head()).position if to is None else to
        position = after
        while position < last:
            end = min(last, position + PAGE_EVENTS_MAX)
            rows = await self._database.fetch(_ENTRIES, self.merchant, position, end)
            if rows:
                yield [self._entry(row) for row in rows]
            position = end

    async def positions(self, revisions: Sequence[tuple[str, int]]) -> Sequence[int | None]:
        """Where the events of these streams and revisions are."""
        rows = await self._database.fetch(
            _POSITIONS,
            self.merchant,
            [stream for stream, _ in revisions],
            [revision for _, revision in revisions],
        )
        return [row["position"] for row in rows]

    async def rows(self, after: int = 0, *, to: int) -> AsyncGenerator[Sequence[BareRow], None]:
        """Bare rows by portions, gaps and all: for verification. Keeps a connection."""
        async with self._database.session() as session:
            for start in range(after, to, PORTION_EVENTS):
                end = min(to, start + PORTION_EVENTS)
                rows = await session.fetch(_BARE, self.merchant, start, end)
                yield cast("Sequence[BareRow]", rows)
                del rows  # as in `_portions`

    def _all_recorded(self, rows: Sequence[asyncpg.Record]) -> list[Recorded]:
        return all_recorded(rows, self.merchant, self._vocabulary)

    def _entry(self, row: asyncpg.Record) -> Entry:
        columns = dict(row)
        columns["data"] = columns["data"].encode()
        return Entry(merchant=self.merchant, **columns)

    def _gap(self, position: int) -> CorruptLog:
        return CorruptLog(
            f"the log of {self.merchant} has no event at position {position}, where there must "
            "be one: verify the log"
        )


class PostgresLog:
    """Writing it too: got from `PostgresLog.open`, in an epoch that the lease gave."""

    def __init__(
        self,
        reader: PostgresLogReader,
        writer: GroupWriter,
        pen: Pen,
        tail: Tail,
        vocabulary: Vocabulary,
    ) -> None:
        self.merchant = reader.merchant
        self._vocabulary = vocabulary
        self._reader = reader
        self._writer = writer
        self._pen = pen
        self._tail = tail
        self._places = asyncio.Semaphore(APPENDS_MAX)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        database: Database,
        merchant: str,
        vocabulary: Vocabulary,
        clock: Clock,
        epoch: int,
        *,
        tail_events_max: int = TAIL_EVENTS_MAX,
    ) -> AsyncIterator["PostgresLog"]:
        """Runs the writer for as long as the block lasts; then what it took is committed.

        Raises Fenced when the log is in another epoch, CorruptLog when its end is not sound.
        """
        reader = PostgresLogReader(database, merchant, vocabulary)
        pen = Pen(database, merchant, epoch)
        failure: Exception | None = None
        try:
            head, latest = await pen.start()
            tail = Tail(head.position, events_max=tail_events_max)
            writer = GroupWriter(pen, merchant, clock, head=head, latest=latest, tail=tail)
            async with anyio.create_task_group() as group:
                group.start_soon(writer.run)
                try:
                    yield cls(reader, writer, pen, tail, vocabulary)
                except Exception as error:  # noqa: BLE001 - re-raised below, not as a group
                    failure = error
                finally:
                    writer.close()
                    with anyio.move_on_after(CLOSE_S, shield=True):
                        await writer.finished.wait()
                    group.cancel_scope.cancel()
        finally:
            pen.close()
        if failure is not None:
            raise failure

    @property
    def stopped(self) -> KcjlError | None:
        """Why nothing can be appended any more (fenced, corrupt); None when it can."""
        return self._writer.stopped

    @property
    def trouble(self) -> str | None:
        """Why an append under way waits so long; None when all is well."""
        return self._pen.trouble

    async def append(
        self, drafts: Sequence[Draft], *, expected: Mapping[str, int] | None = None
    ) -> Sequence[Recorded]:
        """As the port says. When the connection is lost it waits until the fate is known.

        When APPENDS_MAX are in hand it waits at the door, in order, with nothing encoded yet.
        """
        await self._places.acquire()
        try:
            prepared = prepare(drafts, expected or {}, self._vocabulary)
            return await self._writer.append(prepared, expected or {})
        finally:
            self._places.release()

    async def head(self) -> Head:
        return self._writer.head

    async def read(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncIterator[Sequence[Recorded]]:
        last = self._tail.last if to is None else min(to, self._tail.last)
        position = after
        while position < last:
            page = await self._page(position, last)
            yield page
            position = page[-1].position

    async def read_stream(self, stream: str) -> Sequence[Recorded]:
        return await self._reader.read_stream(stream)

    async def read_streams(self, streams: Sequence[str]) -> Sequence[Recorded]:
        return await self._reader.read_streams(streams)

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Recorded]]:
        """Ends when the log is closed; raises what stopped it."""
        position = after
        while await self._tail.wait_beyond(position):
            page = await self._page(position, self._tail.last)
            yield page
            position = page[-1].position
        if self._tail.error is not None:
            raise copy.copy(self._tail.error)

    async def end(self) -> tuple[Head, int]:
        return await self._reader.end()

    def entries(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]:
        return self._reader.entries(after, to=to)

    def rows(self, after: int = 0, *, to: int) -> AsyncGenerator[Sequence[BareRow], None]:
        return self._reader.rows(after, to=to)

    async def positions(self, revisions: Sequence[tuple[str, int]]) -> Sequence[int | None]:
        return await self._reader.positions(revisions)

    async def _page(self, after: int, to: int) -> Sequence[Recorded]:
        page = self._tail.after(after, to=to)
        if page is None:
            return await self._reader.page(after, to=to)
        await anyio.lowlevel.checkpoint()
        return page
