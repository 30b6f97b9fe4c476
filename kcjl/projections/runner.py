"""Keeping read models up to date: follow the log, fold, write rows and checkpoint together.

Promises: each event is folded once into each projection, in order of position; a crash loses
nothing and doubles nothing, since rows and checkpoint are one transaction. Memory is bounded.
Called by `service.py`; `fold_page` also by replay.
"""

from collections.abc import Sequence
from typing import Any

from kcjl.log.port import LogReader, Recorded
from kcjl.projections.projection import Projection
from kcjl.projections.store import RowStore

__all__ = ["ProjectionRunner", "fold_page"]

BATCH_EVENTS_MAX = 500
"""Events folded in one transaction: larger is faster, smaller is fresher (measured.md)."""


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
        fresh = [recorded for recorded in batch if recorded.position > self.position]
        if not fresh:
            return
        touched = {
            (projection.name, key)
            for projection in self._projections
            for recorded in fresh
            for key in projection.keys(recorded.event)
        }
        rows: dict[tuple[str, str], bytes | None] = dict(
            await self._store.fetch(sorted(touched))
        )
        changes = fold_page(self._projections, fresh, rows)
        after = fresh[-1].position
        await self._store.write(self._names, changes, before=self.position, after=after)
        self.position = after


def fold_page(
    projections: Sequence[Projection[Any]],
    page: Sequence[Recorded],
    rows: dict[tuple[str, str], bytes | None],
) -> dict[tuple[str, str], bytes | None]:
    """Fold a page into `rows` (changed in place); returns only what changed."""
    changes: dict[tuple[str, str], bytes | None] = {}
    for recorded in page:
        for projection in projections:
            for key in projection.keys(recorded.event):
                where = (projection.name, key)
                row = projection.evolve(rows.get(where), recorded.event, key)
                if row != rows.get(where):
                    rows[where] = changes[where] = row
    return changes
