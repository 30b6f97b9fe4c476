"""Events as a fold needs them, out of PostgreSQL: the payload and nothing else.

Promises: pages by position, whole: a gap, or an event that this version can't read, is
CorruptLog with its position, never skipped. Streams, times, causes and hashes are not fetched,
nor payloads of types that nobody here hears, once one of the type has been decoded and seen.
Invariant: one type and schema is always decoded into the same class of events.
Called by rebuild and by the past's overlay.
"""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import msgspec

from kcjl.database import Reading
from kcjl.errors import CorruptLog
from kcjl.log.port import PAGE_EVENTS_MAX
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["Feed"]

_PAGE = """
select type, schema, case when type <> all($4::text[]) then json_send(data) end as data
from event
where merchant = $1 and position > $2 and position <= $3
order by position
"""
_HEAD = "select position from log_head where merchant = $1"


class Feed:
    """The payloads of one merchant's log that are of the classes in `hears`."""

    def __init__(
        self,
        database: Reading,
        merchant: str,
        vocabulary: Vocabulary,
        hears: tuple[type[Event], ...],
        *,
        page: int = 0,
    ) -> None:
        """`page`: fewer events than a page has, where a page takes too long."""
        self._page_events = page
        self._database = database
        self._merchant = merchant
        self._vocabulary = vocabulary
        self._hears = _Hears(hears)
        self._unheard: set[tuple[str, int]] = set()

    async def head(self) -> int:
        return int(await self._database.fetchval(_HEAD, self._merchant) or 0)

    async def read(self, after: int, *, to: int) -> AsyncIterator[tuple[int, Sequence[Event]]]:
        """(position reached, events) page by page, for `after < position <= to`."""
        while after < to:
            end = min(to, after + (self._page_events or PAGE_EVENTS_MAX))
            rows = await self._page(after, end, list({name for name, _ in self._unheard}))
            if any(row[2] is None and (row[0], row[1]) not in self._unheard for row in rows):
                rows = await self._page(after, end, [])  # a new schema of an unheard type
            self._refuse_gap(rows, after, end)
            yield end, self._decoded(rows, after)
            after = end

    async def numbered(self, after: int, *, to: int) -> Sequence[tuple[int, Sequence[Event]]]:
        """The same of a few events, each with its own position; those unheard left out."""
        rows = await self._page(after, to, [])
        self._refuse_gap(rows, after, to)
        numbered = enumerate(rows, start=after + 1)
        steps = [(at, self._decoded([row], at - 1)) for at, row in numbered]
        return [(at, events) for at, events in steps if events]

    def _refuse_gap(self, rows: Sequence[asyncpg.Record], after: int, to: int) -> None:
        if len(rows) != to - after:
            raise CorruptLog(
                f"the log of {self._merchant} has {len(rows)} events after position "
                f"{after} up to {to}, where there must be {to - after}: verify the log"
            )

    async def _page(self, after: int, to: int, unheard: list[str]) -> Sequence[asyncpg.Record]:
        return await self._database.fetch(_PAGE, self._merchant, after, to, unheard)

    def _decoded(self, rows: Sequence[asyncpg.Record], after: int) -> Sequence[Event]:
        readings, hears, unheard = self._vocabulary.readings, self._hears, self._unheard
        events: list[Event] = []
        position, name, schema = after, "", 0
        try:
            for position, (name, schema, data) in enumerate(rows, start=after + 1):  # noqa: B007
                if data is None:
                    continue
                event = readings[name, schema](data)
                if hears[type(event)]:
                    events.append(event)
                else:
                    unheard.add((name, schema))
        except (CorruptLog, msgspec.MsgspecError) as error:
            raise self._vocabulary.unreadable(
                self._merchant, position, (name, schema), error
            ) from None
        return events


class _Hears(dict[type[Event], bool]):
    """Is a class one of these? Asked once a class: an event that is none takes 0.1 µs."""

    def __init__(self, kinds: tuple[type[Event], ...]) -> None:
        super().__init__()
        self._kinds = kinds

    def __missing__(self, kind: type[Event]) -> bool:
        return self.setdefault(kind, issubclass(kind, self._kinds))
