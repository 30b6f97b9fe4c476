"""Keeping read models up to date: follow the log, fold, write rows and checkpoint together.

Promises: each event is folded once into each projection, in order of position; a crash loses
nothing and doubles nothing, since rows and checkpoint are one transaction. A batch decodes and
encodes each row that it touches once. When a rebuild swaps a version in, it goes on with that
one. Memory is bounded by a batch.
Called by `service.py`, tests and whoever wants the rows brought up to the head.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kcjl.log.port import LogReader, Recorded
from kcjl.projections.projection import Projection
from kcjl.projections.store import RowStore, Swapped
from kcjl.vocabulary import Event

__all__ = ["ProjectionRunner"]

BATCH_EVENTS_MAX = 5_000
"""Events folded in one transaction: a page. Less only when there is less: what is fresh is not
held back for a batch to fill.
"""


class ProjectionRunner:
    """Folds one merchant's log into its read models, for ever."""

    def __init__(
        self, log: LogReader, store: RowStore, projections: Sequence[Projection[Any]]
    ) -> None:
        self._log = log
        self._store = store
        self._projections = tuple(projections)
        self._names = [projection.name for projection in projections]
        self.position = 0

    async def run(self) -> None:
        await self._start()
        async for page in self._log.follow(self.position):
            for start in range(0, len(page), BATCH_EVENTS_MAX):
                await self._fold(page[start : start + BATCH_EVENTS_MAX])

    async def catch_up(self, *, to: int | None = None) -> int:
        """Fold to there (to the present head when None), once; returns what was reached."""
        await self._start()
        async for page in self._log.read(self.position, to=to):
            for start in range(0, len(page), BATCH_EVENTS_MAX):
                await self._fold(page[start : start + BATCH_EVENTS_MAX])
        return self.position

    async def _start(self) -> None:
        """Find where they are; one that is behind (new in an old log) first comes up alone."""
        reached = {name: await self._store.position([name]) for name in self._names}
        furthest = max(reached.values(), default=0)
        for projection in self._projections:
            if reached[projection.name] < furthest:
                alone = ProjectionRunner(self._log, self._store, (projection,))
                await alone.catch_up(to=furthest)
        self.position = furthest

    async def _fold(self, batch: Sequence[Recorded]) -> None:
        while fresh := [each for each in batch if each.position > self.position]:
            try:
                await self._write(fresh)
            except Swapped:
                await self._start()

    async def _write(self, fresh: Sequence[Recorded]) -> None:
        events = [recorded.event for recorded in fresh]
        touched = [
            (each, touches) for each in self._projections if (touches := each.touches(events))
        ]
        wanted = sorted({(each.name, key) for each, touches in touched for key, _ in touches})
        stored = await self._store.fetch(wanted) if wanted else {}
        changes: dict[tuple[str, str], bytes | None] = {}
        for projection, touches in touched:
            changes.update(_folded(projection, touches, stored))
        after = fresh[-1].position
        await self._store.write(self._names, changes, before=self.position, after=after)
        self.position = after


def _folded(
    projection: Projection[Any],
    touches: Sequence[tuple[str, Event]],
    stored: Mapping[tuple[str, str], bytes],
) -> dict[tuple[str, str], bytes | None]:
    """The rows that are not as they were stored: decoded once, folded, encoded once."""
    name = projection.name
    before = {key: stored.get((name, key)) for key, _ in touches}
    entries = {
        key: None if row is None else projection.entry(row) for key, row in before.items()
    }
    projection.fold(touches, entries)
    changes: dict[tuple[str, str], bytes | None] = {}
    for key, entry in entries.items():
        row = None if entry is None else projection.encode(entry)
        if row != before[key]:
            changes[name, key] = row
    return changes
