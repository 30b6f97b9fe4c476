"""The watch: what has moved in the ERP is looked for each minute, between two polls.

Promises: a level that has changed is said and has the orders read, so that a fresh figure
follows; while the watch holds, the speed buffer covers the minute instead of the poll. Where
more has moved than one look may ask for, it lapses and says so: the next poll reads that.
It does not read what the polls read besides: edited and unknown codes, sweeps; nor does it move
their cursor, so what a look has missed the next poll makes good.
Called by `actor.py`. Source: design 6; contract khaos b.1, b.2.
"""

from kcjl.settings import StockSettings
from kcjl.stock.decide import decide_watch
from kcjl.stock.reading import StockReader
from kcjl.stock.room import StockRoom

__all__ = ["StockWatch"]


class StockWatch:
    """The room's watch, from one poll to the next."""

    def __init__(self, room: StockRoom, reader: StockReader, settings: StockSettings) -> None:
        self._room = room
        self._reader = reader
        self._codes_max = settings.watch_codes_max

    async def look(self) -> None:
        """Read the levels of what has moved; a process begins with a poll."""
        room, reads = self._room, self._room.last_reads
        if reads is None or not self._reader.has_polled:
            return
        began = room.clock.now()
        look = await self._reader.read_moved(codes_max=self._codes_max)
        said = decide_watch(reads, look, self._codes_max, began=began, now=room.clock.now())
        await room.commit(said)
        room.watched_at = None if look.changed is None else began
