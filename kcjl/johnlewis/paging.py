"""Lists read page by page, to the end, while they move.

Promises: every row once, as it was last seen; a list that lost rows under the reading is read
again, and said where it never rests; one whose pages go round or never end is refused. It knows
no field of any record, and sends nothing itself.
Invariant: rows are kept by their key, never by their place.
Extended by `http.py`. Source: contract johnlewis b.0, f.5.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis.reading import Page
from kcjl.johnlewis.request import Answer, Call, further_page

__all__ = ["PAGES_MAX", "PAGE_ROWS", "SWEEPS_MAX", "PagedReading"]

PAGE_ROWS = 100
"""`max` of the offset family; its default of 10 loses rows (contract f.5)."""

PAGES_MAX = 10_000
"""No list of a shop has more pages; reaching this is told, never cut."""

SWEEPS_MAX = 3
"""So often a list that lost rows while it was read is read from the start."""

_Row = TypeVar("_Row")
_say = structlog.get_logger("kcjl.johnlewis")


class PagedReading(ABC):
    """Whoever can send one call can read a list."""

    @abstractmethod
    async def send(self, call: Call) -> Answer: ...

    @abstractmethod
    async def send_further(self, call: Call) -> Answer:
        """A further page of a reading that was counted when it began."""

    @abstractmethod
    def remember(self, rows: Sequence[tuple[str, object]]) -> None:
        """Rows that have just been read."""

    async def offset_rows(
        self, call: Call, read: Callable[[bytes], Page[_Row]], *, rows_leave: bool = False
    ) -> list[_Row]:
        """All rows of the offset family, each once, as it was last seen.

        `rows_leave`: of a list that loses rows; then each page begins with the last row of the
        one before, for the count can't tell that one left in front and another came behind.
        """
        rows: dict[str, _Row] = {}
        for _ in range(SWEEPS_MAX):
            if await self._sweep(call, read, rows, overlap=1 if rows_leave else 0):
                break
        else:
            # What came is true; what may be missing comes with the caller's next reading.
            _say.warning(
                "list_still_moved", operation=call.operation, sweeps=SWEEPS_MAX, rows=len(rows)
            )
        return list(rows.values())

    async def _sweep(
        self,
        call: Call,
        read: Callable[[bytes], Page[_Row]],
        rows: dict[str, _Row],
        *,
        overlap: int,
    ) -> bool:
        """One reading from the start; False when rows may have slipped past it.

        The offset is the number of different rows seen, so that a repeat makes it step back.
        """
        seen: set[str] = set()
        offset, count, shrank = 0, None, False
        last: str | None = None
        """The row that the page has to begin with; None where any will do."""
        for number in range(1, PAGES_MAX + 1):
            asked = further_page(call, number, ("offset", str(offset)), ("max", str(PAGE_ROWS)))
            answer = await (self.send_further(asked) if offset else self.send(asked))
            page = read(answer.body)
            self.remember(page.rows)
            fresh = {key for key, _ in page.rows} - seen
            seen |= fresh
            rows.update(page.rows)
            slipped = last is not None and last not in dict(page.rows)
            shrank = shrank or slipped or _is_less(page.total, count)
            count = page.total
            if not page.rows:
                break
            if count is not None and count < len(page.rows):
                count = None  # it counts less than it shows: not to be trusted
            if count is not None and len(seen) >= count:
                break
            if count is None and (not fresh or answer.has_next is False):
                break
            if count is not None and not fresh and offset + len(page.rows) >= count:
                break  # the end, and rows have slipped in front: they are in the next sweep
            overlaps = overlap if fresh and len(page.rows) > 1 else 0
            offset = len(seen) - overlaps if fresh else offset + len(page.rows)
            last = page.rows[-1][0] if overlaps else None
        else:
            raise ProtocolSurprise(f"{call}: more than {PAGES_MAX} pages; nothing was taken")
        if count and not seen:
            raise ProtocolSurprise(f"{call}: it counts {count} rows and shows none")
        return not shrank and (count is None or len(seen) >= count)

    async def seek_rows(self, call: Call, read: Callable[[bytes], Page[_Row]]) -> list[_Row]:
        """All rows of the seek family, each once, as it was last seen."""
        rows: dict[str, _Row] = {}
        tokens: set[str] = set()
        page = read((await self.send(call)).body)
        rows.update(page.rows)
        while token := page.next_token:
            if token in tokens or len(tokens) >= PAGES_MAX:
                raise ProtocolSurprise(f"{call}: its pages do not come to an end")
            tokens.add(token)
            asked = further_page(call, 1 + len(tokens), ("page_token", token))
            page = read((await self.send_further(asked)).body)
            rows.update(page.rows)
        return list(rows.values())


def _is_less(count: int | None, before: int | None) -> bool:
    return count is not None and before is not None and count < before
