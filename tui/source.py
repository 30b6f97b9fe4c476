"""The monitor's one port: what can be asked, and what time it is in the world shown.

Promises: whoever gives a `Source` decides whether the monitor shows live, as-of or made-up
figures; the monitor asks one thing at a time and never while an answer is outstanding.
It gives no way to change anything.
Invariant: `now()` is aware UTC of the world's clock, the same one that stamps the answers.
Called by the app; implemented by `LiveSource` here, and by the tests and the demo.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kcjl.clock import Clock
from kcjl.readmodels import Cut, EventRow, Overview, ReadModels

__all__ = ["LiveSource", "Source"]


class Source(ReadModels, Protocol):
    """Read models, and the world's time."""

    def now(self) -> datetime: ...


class LiveSource:
    """The read models of a running service, by its clock."""

    def __init__(self, read_models: ReadModels, clock: Clock) -> None:
        self._read_models = read_models
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def overview(self) -> Overview:
        return await self._read_models.overview()

    async def exceptions(self, *, state: str = "open", limit: int = 500) -> Cut:
        return await self._read_models.exceptions(state=state, limit=limit)

    async def events(
        self, *, after: int | None = None, before: int | None = None, limit: int = 200
    ) -> Sequence[EventRow]:
        return await self._read_models.events(after=after, before=before, limit=limit)
