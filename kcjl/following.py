"""The log's new end, read once for all rooms of a process, and folded into each.

Promises: each page goes to every room that listens, in order; a room that fails at an event is
told so itself and hears no more until it listens again, the others go on. A page that is lost
on the way (the log could not be read) is read again.
It judges nothing and holds nothing back: a room that misses a part reads it from the log.
Invariant: what a room has folded is the log up to there; hearing a page twice changes nothing.
Called by `rooms.py`.
"""

from collections.abc import Sequence

import anyio

from kcjl.actors import Room
from kcjl.errors import Unavailable
from kcjl.log.port import LogReader, Recorded

__all__ = ["Following", "catch_up_together"]


class Following:
    """One reader at the log's end, for rooms that have come up to it."""

    def __init__(self, log: LogReader, position: int) -> None:
        """`position`: a room that listens has folded the log up to there, or further."""
        self._log = log
        self._position = position
        self._listening: dict[Room, _Listening] = {}

    async def run(self) -> None:
        """Read what comes, for ever. Raises what reading the log raises."""
        async for page in self._log.follow(self._position):
            for room in tuple(self._listening):
                if room.applied < page[-1].position:  # its own commits it has folded already
                    await self._tell(room, page)
            self._position = page[-1].position
        raise Unavailable(f"the log of {self._log.merchant} is closed: nothing more will come")

    async def _tell(self, room: Room, page: Sequence[Recorded]) -> None:
        try:
            await room.fold(page)
        except Exception as error:  # noqa: BLE001 - of this room alone: it is told, and says it
            listening = self._listening.pop(room, None)
            if listening is not None:
                listening.fail(error)

    async def listen(self, room: Room) -> None:
        """Have the room hear what comes, until it fails at an event: raises that."""
        listening = self._listening[room] = _Listening()
        try:
            await room.catch_up()  # what came before it listened
            await listening.failed()
        finally:
            if self._listening.get(room) is listening:
                del self._listening[room]


class _Listening:
    """A room's, from its start to its failure."""

    def __init__(self) -> None:
        self._error: Exception | None = None
        self._has_failed = anyio.Event()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._has_failed.set()

    async def failed(self) -> None:
        await self._has_failed.wait()
        if self._error is not None:
            raise self._error


async def catch_up_together(rooms: Sequence[Room], log: LogReader) -> None:
    """Fold the log into all of them, each page read and decoded once.

    A room that fails at an event is left behind: it meets the same one at its own start, where
    that is said and supervised. Raises what reading the log raises.
    """
    folding = list(rooms)
    async for page in log.read(min((room.applied for room in rooms), default=0)):
        for room in tuple(folding):
            try:
                await room.fold(page)
            except Exception:  # noqa: BLE001 - the room itself says it, when it starts
                folding.remove(room)
