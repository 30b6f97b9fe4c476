"""The quick half of verification: passes over what is sound, and stops before what is not.

Promises: the same checks as `verify.py` (place, hash, revision, time, cause) on bare rows,
at a third of the cost: nothing is made of a row, lengths and names are hashed as one text, and
the next page is fetched meanwhile. It words no finding: where a page is not sound, or holds
what it does not expect, it stops before that page, and the thorough half says what is wrong.
Invariant: what `skim` has passed over, the thorough half would have passed too.
Called by `verify.py`; a reader that gives no bare rows is left to the thorough half.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

import anyio
import anyio.lowlevel

from kcjl.log.chain import BareRow, link_rows

__all__ = ["skim"]

REQUEST_TURNS = 8
"""Turns of the event loop in which a query gets from here to the socket."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Walk(Protocol):
    """Where verification stands, and what it expects next."""

    merchant: str
    position: int
    hash: bytes
    recorded_at: datetime | None
    revisions: OrderedDict[str, int]

    def forget(self) -> None: ...


@runtime_checkable
class RowReader(Protocol):
    """A reader that gives bare rows too."""

    def rows(self, after: int = 0, *, to: int) -> AsyncGenerator[Sequence[BareRow], None]: ...

    async def positions(self, revisions: Sequence[tuple[str, int]]) -> Sequence[int | None]: ...


async def skim(
    reader: object, walk: Walk, end: int, progress: Callable[[int], None] | None
) -> None:
    """Move the walk on over sound pages."""
    if not isinstance(reader, RowReader):
        return
    async with aclosing(reader.rows(walk.position, to=end)) as pages:
        page = await anext(pages, None)
        while page:
            ahead = _Ahead(pages)
            async with anyio.create_task_group() as group:
                group.start_soon(ahead.fetch)
                await ahead.asked()
                sound = _is_sound(walk, page)
            if not (sound and await _begin_rightly(reader, walk, page)):
                return
            _move(walk, page)
            if progress is not None:
                progress(walk.position)
            page = ahead.page()


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


def _is_sound(walk: Walk, page: Sequence[BareRow]) -> bool:
    """All but the first event here of each stream that the walk does not know."""
    position, known = walk.position, walk.revisions
    recorded = -(2**63)
    if walk.recorded_at is not None:
        recorded = (walk.recorded_at - _EPOCH) // _MICROSECOND
    here: dict[str, int] = {}
    for row, hash_ in zip(page, link_rows(walk.hash, walk.merchant, page), strict=True):
        position += 1
        if row[0] != position or row[11] != hash_ or row[6] < recorded:
            return False
        recorded, causation, stream = row[6], row[8], row[1]
        if causation is not None and causation >= position:
            return False
        before = here.get(stream)
        if before is None:
            before = known.get(stream)
        if before is not None and before != row[2] - 1:
            return False
        here[stream] = row[2]
    return True


async def _begin_rightly(reader: RowReader, walk: Walk, page: Sequence[BareRow]) -> bool:
    """Do streams that the walk does not know follow what is stored of them?"""
    first: dict[str, BareRow] = {}
    for row in page:
        if row[1] not in walk.revisions:
            first.setdefault(row[1], row)
    asked = [row for row in first.values() if row[2] != 1]
    if not asked:
        return True
    places = await reader.positions([(row[1], row[2] - 1) for row in asked])
    return all(
        place is not None and place < row[0] for row, place in zip(asked, places, strict=True)
    )


def _move(walk: Walk, page: Sequence[BareRow]) -> None:
    for row in page:
        walk.revisions[row[1]] = row[2]
        walk.revisions.move_to_end(row[1])
    last = page[-1]
    walk.position, walk.hash = last[0], last[11]
    walk.recorded_at = _EPOCH + timedelta(microseconds=last[6])
    walk.forget()
