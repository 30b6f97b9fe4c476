"""The quick half of verification: passes over what is sound, and stops before what is not.

Promises: the same checks as `verify.py` (place, hash, revision, time, cause) on bare rows,
at a third of the cost: nothing is made of a row, lengths and names are hashed as one text, and
the next rows are fetched meanwhile. It words no finding: where a page is not sound, or holds
what it does not expect, it stops before that page, and the thorough half says what is wrong.
Invariant: what `skim` has passed over, the thorough half would have passed too.
Called by `verify.py`; a reader that gives no bare rows is left to the thorough half.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, runtime_checkable

from kcjl.log.ahead import Ahead
from kcjl.log.chain import BareRow, link_rows

__all__ = ["skim"]

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
    reader: object,
    walk: Walk,
    end: int,
    progress: Callable[[int], None] | None,
    sound: Callable[[Sequence[BareRow]], None] | None = None,
) -> None:
    """Move the walk on over sound rows, handing them to `sound`."""
    if not isinstance(reader, RowReader):
        return
    async with aclosing(reader.rows(walk.position, to=end)) as portions:
        ahead = Ahead(portions)
        while await ahead.more():
            seen = await ahead.work(partial(_look_and_hand, walk, sound))
            if seen is None or not await _begin_rightly(reader, seen):
                return
            _move(walk, seen)
            if progress is not None:
                progress(walk.position)


class _Seen:
    """What is left of sound rows."""

    def __init__(self, last: BareRow) -> None:
        self.last = last
        self.begun: list[BareRow] = []
        """The first event here of each stream that the walk does not know."""
        self.revisions: dict[str, int] = {}


def _look_and_hand(
    walk: Walk, sound: Callable[[Sequence[BareRow]], None] | None, rows: Sequence[BareRow]
) -> _Seen | None:
    """Both while the next rows are on their way."""
    seen = _look(walk, rows)
    if seen is not None and sound is not None:
        sound(rows)
    return seen


def _look(walk: Walk, rows: Sequence[BareRow]) -> _Seen | None:
    """None when a row is not sound; what is `begun` is still to be looked at."""
    if not rows:
        return None
    seen = _Seen(rows[-1])
    position, known, here = walk.position, walk.revisions, seen.revisions
    recorded = -(2**63)
    if walk.recorded_at is not None:
        recorded = (walk.recorded_at - _EPOCH) // _MICROSECOND
    for row, hash_ in zip(rows, link_rows(walk.hash, walk.merchant, rows), strict=True):
        at, stream, revision, _, _, _, learnt, _, causation, _, _, stored = row
        position += 1
        if at != position or stored != hash_ or learnt < recorded:
            return None
        if causation is not None and causation >= position:
            return None
        recorded = learnt
        before = here.get(stream) or known.get(stream)
        if before is None:
            seen.begun.append(row)
        elif before != revision - 1:
            return None
        here[stream] = revision
    return seen


async def _begin_rightly(reader: RowReader, seen: _Seen) -> bool:
    """Do streams that the walk does not know follow what is stored of them?"""
    asked = [row for row in seen.begun if row[2] != 1]
    if not asked:
        return True
    places = await reader.positions([(row[1], row[2] - 1) for row in asked])
    return all(
        place is not None and place < row[0] for row, place in zip(asked, places, strict=True)
    )


def _move(walk: Walk, seen: _Seen) -> None:
    for stream, revision in seen.revisions.items():
        walk.revisions[stream] = revision
        walk.revisions.move_to_end(stream)
    walk.position, walk.hash = seen.last[0], seen.last[11]
    walk.recorded_at = _EPOCH + timedelta(microseconds=seen.last[6])
    walk.forget()
