"""Parts of a merchant's log: by stream, position, type and time, both ways, page by page.

Promises: what is given is what matches, in order, each once, up to the head at the start; a
statement looks at a bounded number of rows, however long the log is. A missing event stops it
(CorruptLog), unless types are asked for: what is missing then can't be told; verify can.
Invariant: positions and revisions have no gaps, and the time of recording never goes back. So a
time is found by halving over positions, a position by halving over a stream's revisions: there
is no index to keep on time or on type.
Called by the CLI, the audit room and the tests. `MemoryQueries` is the twin.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import anyio.lowlevel
import asyncpg
import msgspec

from kcjl.database import Reading
from kcjl.errors import CorruptLog, Misuse
from kcjl.log.chain import Entry
from kcjl.log.drafting import check_merchant
from kcjl.log.memory import MemoryStore
from kcjl.log.port import PAGE_EVENTS_MAX, Recorded, Selection
from kcjl.log.rows import COLUMNS, all_recorded
from kcjl.vocabulary import Vocabulary

__all__ = ["MemoryQueries", "PostgresQueries"]

SCAN_EVENTS_MAX = 20_000
"""Rows that one statement looks through for the types that are asked for."""

_MICROSECOND = timedelta(microseconds=1)
"""What the clock of the log counts in."""

_COLUMNS = """
    position, stream, revision, type, schema, occurred_at, recorded_at,
    correlation_id, causation, by, data, hash
"""
_HASHES = "select position, hash from event where merchant = $1 and position = any($2)"
_HEAD = "select position from log_head where merchant = $1"
# Halving in one round trip: some twenty look-ups by key. "offset 0" keeps each of them one,
# also while the table has no statistics. No row comes out when an event is missing on the way.
_FIRST_POSITION_SINCE = """
with recursive search (low, high) as (
    select 1::bigint, $3::bigint + 1
    union all
    select
        case when middle.recorded_at < $2 then middle.position + 1 else search.low end,
        case when middle.recorded_at < $2 then search.high else middle.position end
    from search
    cross join lateral (
        select event.position, event.recorded_at from event
        where event.merchant = $1 and event.position = (search.low + search.high) / 2
        offset 0
    ) as middle
    where search.low < search.high
)
select low from search where low = high
"""
_FIRST_REVISION_SINCE = """
with recursive search (low, high) as (
    select 1::bigint, 1 + (
        select coalesce(max(event.revision), 0) from event
        where event.merchant = $1 and event.stream = $2
    )
    union all
    select
        case when middle.position < $3 then middle.revision + 1 else search.low end,
        case when middle.position < $3 then search.high else middle.revision end
    from search
    cross join lateral (
        select event.position, event.revision from event
        where event.merchant = $1 and event.stream = $2
            and event.revision = (search.low + search.high) / 2
        offset 0
    ) as middle
    where search.low < search.high
)
select low from search where low = high
"""


class _Run:
    """Numbers to walk over: positions of the log, or revisions of a stream."""

    def __init__(self, column: str, first: int, last: int) -> None:
        self.column = column
        self.first = first
        self.last = last


class PostgresQueries:
    """Asking one merchant's log in PostgreSQL."""

    def __init__(self, database: Reading, merchant: str, vocabulary: Vocabulary) -> None:
        self.merchant = check_merchant(merchant)
        self._database = database
        self._vocabulary = vocabulary

    async def select(self, selection: Selection) -> AsyncIterator[Sequence[Recorded]]:
        async for page in self._pages(selection, COLUMNS):
            yield all_recorded(page, self.merchant, self._vocabulary)

    async def entries(self, selection: Selection) -> AsyncGenerator[Sequence[Entry], None]:
        async for page in self._pages(selection, _COLUMNS):
            yield [self._entry(row) for row in page]

    async def _pages(
        self, selection: Selection, columns: str
    ) -> AsyncGenerator[Sequence[asyncpg.Record], None]:
        _check(selection)
        run = await self._run(selection)
        first, last = run.first, run.last
        size = SCAN_EVENTS_MAX if selection.types else selection.page
        while first <= last:
            if selection.backward:
                low, high = max(first, last - size + 1), last
            else:
                low, high = first, min(last, first + size - 1)
            rows = await self._fetch(selection, columns, run.column, low, high)
            if not selection.types:
                self._refuse_gap(run.column, rows, low, high, selection)
            full = bool(selection.types) and len(rows) == selection.page
            if selection.backward:
                last = rows[-1][run.column] - 1 if full else low - 1
            else:
                first = rows[-1][run.column] + 1 if full else high + 1
            if rows:
                yield rows

    async def hashes(self, positions: Sequence[int]) -> Mapping[int, bytes]:
        """Of these events, as the chain has them; one that is not there is left out."""
        rows = await self._database.fetch(_HASHES, self.merchant, positions)
        return {row["position"]: row["hash"] for row in rows}

    async def position_at(self, moment: datetime) -> int:
        head = await self._database.fetchval(_HEAD, self.merchant) or 0
        return await self._position_since(_aware(moment) + _MICROSECOND, head) - 1

    async def _run(self, selection: Selection) -> _Run:
        """Where the matching events lie, but for their types."""
        head = await self._database.fetchval(_HEAD, self.merchant) or 0
        first = selection.after + 1
        last = head if selection.to is None else min(selection.to, head)
        if selection.since is not None:
            first = max(first, await self._position_since(selection.since, head))
        if selection.until is not None:
            last = min(last, await self._position_since(selection.until, head) - 1)
        if selection.stream is None or first > last:
            return _Run("position", first, last)
        begin = await self._revision_since(selection.stream, first) if first > 1 else 1
        end = await self._revision_since(selection.stream, last + 1) - 1
        return _Run("revision", begin, end)

    async def _position_since(self, moment: datetime, head: int) -> int:
        found = await self._database.fetchval(
            _FIRST_POSITION_SINCE, self.merchant, moment, head
        )
        return self._found(found, f"for {moment:%Y-%m-%d %H:%M:%S} UTC")

    async def _revision_since(self, stream: str, position: int) -> int:
        found = await self._database.fetchval(
            _FIRST_REVISION_SINCE, self.merchant, stream, position
        )
        return self._found(found, f"in stream {stream}")

    def _found(self, found: int | None, where: str) -> int:
        if found is None:
            raise CorruptLog(
                f"the log of {self.merchant} lacks an event that was looked at {where}: "
                "verify the log"
            )
        return found

    async def _fetch(
        self, selection: Selection, columns: str, column: str, low: int, high: int
    ) -> list[asyncpg.Record]:
        conditions = [f"{column} between $2 and $3"]
        arguments: list[object] = [self.merchant, low, high]
        if selection.stream is not None:
            arguments.append(selection.stream)
            conditions.append(f"stream = ${len(arguments)}")
        if selection.types:
            arguments.append(list(selection.types))
            conditions.append(f"type = any(${len(arguments)}::text[])")
        order = "desc" if selection.backward else "asc"
        statement = (
            f"select {columns} from event where merchant = $1 and {' and '.join(conditions)} "  # noqa: S608 - constants of ours; what is asked for goes as arguments
            f"order by {column} {order}"
        )
        if selection.types:
            statement += f" limit {selection.page:d}"
        return await self._database.fetch(statement, *arguments)

    def _refuse_gap(
        self,
        column: str,
        rows: Sequence[asyncpg.Record],
        low: int,
        high: int,
        selection: Selection,
    ) -> None:
        """A page of numbers without gaps has them all."""
        if len(rows) == high - low + 1:
            return
        there = {row[column] for row in rows}
        missing = next(number for number in range(low, high + 1) if number not in there)
        stream = f" of stream {selection.stream}" if column == "revision" else ""
        raise CorruptLog(
            f"the log of {self.merchant} has no event at {column} {missing}{stream}, where "
            "there must be one: verify the log"
        )

    def _entry(self, row: asyncpg.Record) -> Entry:
        columns = dict(row)
        columns["data"] = columns["data"].encode()
        return Entry(merchant=self.merchant, **columns)


class MemoryQueries:
    """Asking one merchant's log in a store: the same answers, by looking at everything."""

    def __init__(self, store: MemoryStore, merchant: str, vocabulary: Vocabulary) -> None:
        self.merchant = merchant
        self._shelf = store.shelf(merchant)
        self._vocabulary = vocabulary

    async def select(self, selection: Selection) -> AsyncIterator[Sequence[Recorded]]:
        async for page in self.entries(selection):
            yield [_decoded(entry, self._vocabulary) for entry in page]

    async def entries(self, selection: Selection) -> AsyncGenerator[Sequence[Entry], None]:
        _check(selection)
        found = [_stored(event) for event in self._shelf.events if _fits(selection, event)]
        if selection.backward:
            found.reverse()
        self._refuse_gap(selection, found)
        for start in range(0, len(found), selection.page):
            await anyio.lowlevel.checkpoint()
            yield found[start : start + selection.page]

    async def position_at(self, moment: datetime) -> int:
        then = _aware(moment)
        positions = (e.position for e in self._shelf.events if e.recorded_at <= then)
        return max(positions, default=0)

    def _refuse_gap(self, selection: Selection, found: Sequence[Entry]) -> None:
        if selection.types:
            return
        column = "position" if selection.stream is None else "revision"
        numbers = sorted(getattr(entry, column) for entry in found)
        for before, after in pairwise(numbers):
            if after != before + 1:
                raise CorruptLog(
                    f"the log of {self.merchant} has no event at {column} {before + 1}, where "
                    "there must be one: verify the log"
                )


def _fits(selection: Selection, event: Recorded) -> bool:
    return (
        selection.after < event.position
        and (selection.to is None or event.position <= selection.to)
        and (selection.stream is None or event.stream == selection.stream)
        and (not selection.types or event.type in selection.types)
        and (selection.since is None or event.recorded_at >= selection.since)
        and (selection.until is None or event.recorded_at < selection.until)
    )


def _stored(event: Recorded) -> Entry:
    return Entry(**{name: getattr(event, name) for name in Entry.__struct_fields__})


def _decoded(entry: Entry, vocabulary: Vocabulary) -> Recorded:
    try:
        event = vocabulary.decode(entry.type, entry.schema, entry.data)
    except CorruptLog as error:
        raise CorruptLog(
            f"the log of {entry.merchant}, position {entry.position}: {error.message}"
        ) from None
    return Recorded(event=event, **msgspec.structs.asdict(entry))


def _check(selection: Selection) -> None:
    if not 1 <= selection.page <= PAGE_EVENTS_MAX:
        raise Misuse(f"a page of {selection.page} events: it takes 1 to {PAGE_EVENTS_MAX}")
    if selection.after < 0:
        raise Misuse(f"positions begin at 1: nothing is after {selection.after}")
    for moment in (selection.since, selection.until):
        if moment is not None:
            _aware(moment)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise Misuse(f"the time {moment} has no time zone: it could mean several moments")
    return moment
