"""Time travel: what a projection said at a position of the log, or at a time.

Promises: the same folds as the live read model's, from the first event up to there, in memory;
nothing is read but the log, and nothing is written. A time means: all that had been recorded by
then. Not quick: the log is read from its beginning.
Invariant: as of the live rows' position, the entries encode to the live rows, byte for byte.
Called by `kcjl log state`, by replay and by tests.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from kcjl.errors import CorruptLog, Misuse
from kcjl.log.port import LogReader, Recorded
from kcjl.projections.projection import Projection

__all__ = ["AsOf", "as_of", "fold_log", "position_at"]

S = TypeVar("S")


class AsOf(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """The entries of a projection, by key in order, as of a position."""

    position: int
    recorded_at: datetime | None
    """When the event at that position was recorded; None before the first one."""
    entries: dict[str, S]


async def as_of(
    log: LogReader, projection: Projection[S], *, position: int, key: str | None = None
) -> AsOf[S]:
    """Fold up to and with `position`. With `key` only that entry is held in memory.

    Raises Misuse for a position that the log has not reached.
    """
    head = (await log.head()).position
    if not 0 <= position <= head:
        raise Misuse(
            f"the log of {log.merchant} has positions up to {head:,}: give one of them"
        )
    (entries,) = await fold_log(log, (projection,), to=position, key=key)
    last = await _recorded(log, position) if position else None
    return AsOf(
        position=position,
        recorded_at=None if last is None else last.recorded_at,
        entries={key: entries[key] for key in sorted(entries)},
    )


async def position_at(log: LogReader, moment: datetime) -> int:
    """The last position that had been recorded at `moment` or before; 0 when none had.

    Recording times never go back along the log, so this looks at some twenty events.
    """
    known, beyond = 0, (await log.head()).position + 1
    while beyond - known > 1:
        middle = (known + beyond) // 2
        if (await _recorded(log, middle)).recorded_at <= moment:
            known = middle
        else:
            beyond = middle
    return known


async def fold_log(
    log: LogReader, projections: Sequence[Projection[Any]], *, to: int, key: str | None = None
) -> list[dict[str, Any]]:
    """The entries of each projection after the events up to and with `to`.

    Bounded by the entries; by one page and one entry of each where a key is given.
    """
    folded: list[dict[str, Any]] = [{} for _ in projections]
    async for page in log.read(0, to=to):
        events = [recorded.event for recorded in page]
        for projection, entries in zip(projections, folded, strict=True):
            touches = projection.touches(events)
            if key is not None:
                touches = [touch for touch in touches if touch[0] == key]
            projection.fold(touches, entries)
            for gone in {each for each, _ in touches if entries[each] is None}:
                del entries[gone]
    return folded


async def _recorded(log: LogReader, position: int) -> Recorded:
    async for page in log.read(position - 1, to=position):
        return page[0]
    raise CorruptLog(f"the log of {log.merchant} has no event at position {position}")
