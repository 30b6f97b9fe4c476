"""What projections say after the events up to a position: folded from the first one.

Promises: the same folds as the live read model's, in memory; nothing is read but the log, and
nothing is written. A time means: all that had been recorded by then. Not quick: what people are
shown of the past stands on keyframes (asofdatabase.py), and is held against this.
Invariant: as of the live rows' position, the entries encode to the live rows, byte for byte.
Called by replay, by the CLI's times, and by tests.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kcjl.errors import CorruptLog
from kcjl.log.port import LogReader, Recorded
from kcjl.projections.projection import Projection

__all__ = ["fold_log", "position_at"]


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
    log: LogReader, projections: Sequence[Projection[Any]], *, to: int
) -> list[dict[str, Any]]:
    """The entries of each projection after the events up to and with `to`, all in memory."""
    folded: list[dict[str, Any]] = [{} for _ in projections]
    async for page in log.read(0, to=to):
        events = [recorded.event for recorded in page]
        for projection, entries in zip(projections, folded, strict=True):
            touches = projection.touches(events)
            projection.fold(touches, entries)
            for gone in {each for each, _ in touches if entries[each] is None}:
                del entries[gone]
    return folded


async def _recorded(log: LogReader, position: int) -> Recorded:
    async for page in log.read(position - 1, to=position):
        return page[0]
    raise CorruptLog(f"the log of {log.merchant} has no event at position {position}")
