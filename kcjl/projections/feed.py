"""Events as a fold needs them, out of PostgreSQL: the payload and nothing else.

Promises: pages by position, whole: a gap, or an event that this version can't read, is
CorruptLog with its position, never skipped. Streams, times, causes and hashes are not fetched.
Invariant: what is decoded is what the reader of the log would have decoded.
Called by rebuild.
"""

from collections.abc import AsyncIterator, Sequence

from kcjl.database import Database
from kcjl.errors import CorruptLog
from kcjl.log.port import PAGE_EVENTS_MAX
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["Feed"]

_PAGE = """
select type, schema, data::text as data from event
where merchant = $1 and position > $2 and position <= $3
order by position
"""
_HEAD = "select position from log_head where merchant = $1"


class Feed:
    """The payloads of one merchant's log."""

    def __init__(self, database: Database, merchant: str, vocabulary: Vocabulary) -> None:
        self._database = database
        self._merchant = merchant
        self._vocabulary = vocabulary

    async def head(self) -> int:
        return int(await self._database.fetchval(_HEAD, self._merchant) or 0)

    async def read(self, after: int, *, to: int) -> AsyncIterator[tuple[int, Sequence[Event]]]:
        """(position reached, events) page by page, for `after < position <= to`."""
        while after < to:
            end = min(to, after + PAGE_EVENTS_MAX)
            rows = await self._database.fetch(_PAGE, self._merchant, after, end)
            if len(rows) != end - after:
                raise CorruptLog(
                    f"the log of {self._merchant} has {len(rows)} events after position "
                    f"{after} up to {end}, where there must be {end - after}: verify the log"
                )
            decode = self._vocabulary.decode
            events: list[Event] = []
            try:
                events.extend(decode(name, schema, data) for name, schema, data in rows)
            except CorruptLog as error:
                raise CorruptLog(
                    f"the log of {self._merchant}, position {after + len(events) + 1}: "
                    f"{error.message}"
                ) from None
            yield end, events
            after = end
