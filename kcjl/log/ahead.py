"""One step ahead: the next rows are fetched while those before them are worked on.

Promises: at most one portion is held beside the one in hand; what goes wrong on the way is
raised when its turn comes, after the portion before it. Portions are small: a socket holds some
400 events, the server waits when it is full, and what was just received is still in the
processor's cache.
Called by `postgres.py` (reading) and `skim.py` (verification).
"""

from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

import anyio
import anyio.lowlevel

__all__ = ["PORTION_EVENTS", "Ahead"]

PORTION_EVENTS = 700
REQUEST_TURNS = 2
"""Turns of the event loop in which a query gets from here to the socket."""

P = TypeVar("P")
W = TypeVar("W")


class Ahead(Generic[P]):
    """Portions out of a source that has its connection already."""

    def __init__(self, source: AsyncIterator[P]) -> None:
        self._source = source
        self._fetched: list[P] = []
        self._error: Exception | None = None
        self._begun = False

    async def more(self) -> bool:
        """Is there a portion to work on? Raises what went wrong when it was fetched."""
        if not self._begun:
            self._begun = True
            await self._fetch()
        if self._error is not None:
            raise self._error
        return bool(self._fetched)

    async def work(self, work: Callable[[P], W]) -> W:
        """Work on the portion, which is let go then, while the next one is on its way."""
        done: list[W] = []
        failure: Exception | None = None
        portion = self._fetched
        self._fetched = []
        async with anyio.create_task_group() as group:
            group.start_soon(self._fetch)
            for _ in range(REQUEST_TURNS):
                await anyio.lowlevel.checkpoint()
            try:
                done.append(work(portion.pop()))
            except Exception as error:  # noqa: BLE001 - raised below, and not as a group
                failure = error
                group.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return done[0]

    async def _fetch(self) -> None:
        try:
            self._fetched = [await anext(self._source)]
        except StopAsyncIteration:
            return
        except Exception as error:  # noqa: BLE001 - raised by `more`, and not as a group
            self._error = error
