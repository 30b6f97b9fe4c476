"""What the service looks at: its disk, clocks, feeds, lists, log and lease.

Promises: each says what holds now, in words that stay the same while it holds, and changes
nothing. Certificates are looked at in `certificates.py`. Built by `service.py`, run by the
watch.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import anyio.to_thread

from kcjl.calls.heard_clocks import HeardClocks
from kcjl.calls.port import Side
from kcjl.exceptions.service_conditions import SIDES
from kcjl.exceptions.service_events import ServiceConditionFound, ServiceKind
from kcjl.exceptions.service_state import Finding
from kcjl.log.port import LogReader
from kcjl.log.verify import BrokenChain, EntryReader, verify
from kcjl.projections.store import RowStore

__all__ = ["Chain", "Clocks", "Disk", "Feeds", "Lease", "Lists"]

MB = 1024 * 1024
HELD_FOR = timedelta(hours=1)
"""After so long a lease that was lost is the past."""


class Disk:
    """The room that is left where the data are."""

    name = "disk"
    kinds: tuple[ServiceKind, ...] = ("disk_low",)
    every = timedelta(minutes=5)

    def __init__(self, data_dir: Path, free_mb_min: int) -> None:
        self._data_dir = data_dir
        self._free_mb_min = free_mb_min

    async def look(
        self,
        _now: datetime,
        _known: Sequence[ServiceConditionFound],
    ) -> Sequence[Finding]:
        usage = await anyio.to_thread.run_sync(shutil.disk_usage, self._data_dir)
        if usage.free >= self._free_mb_min * MB:
            return ()
        message = f"less than {self._free_mb_min:,} MB are free where data_dir is"
        return (Finding(kind="disk_low", subject="data_dir", message=message),)


class Clocks:
    """Our clock against those of the two sides, by the dates of their answers."""

    name = "clocks"
    kinds: tuple[ServiceKind, ...] = ("clock_skew",)
    every = timedelta(minutes=5)

    def __init__(self, heard: HeardClocks, skew_s_max: float) -> None:
        self._heard = heard
        self._skew_s_max = skew_s_max

    async def look(
        self,
        _now: datetime,
        _known: Sequence[ServiceConditionFound],
    ) -> Sequence[Finding]:
        return tuple(
            Finding(
                kind="clock_skew",
                subject=side.value,
                message=f"our clock and that of {SIDES[side.value]} are more than "
                f"{self._skew_s_max:g} s apart; ours is {'behind' if ahead_s > 0 else 'ahead'}",
            )
            for side in Side
            if (ahead_s := self._heard.ahead_s(side)) is not None
            and abs(ahead_s) > self._skew_s_max
        )


class Feeds:
    """When orders, shipments and transactions were last read."""

    name = "feeds"
    kinds: tuple[ServiceKind, ...] = ("feed_stale",)
    every = timedelta(minutes=5)

    def __init__(
        self,
        last_read: Callable[[str], datetime | None],
        stale_after: Mapping[str, timedelta],
        began: datetime,
    ) -> None:
        """`last_read`: by feed; `began`: when this service started, which is no fault of it."""
        self._last_read = last_read
        self._stale_after = stale_after
        self._began = began

    async def look(
        self,
        now: datetime,
        known: Sequence[ServiceConditionFound],
    ) -> Sequence[Finding]:
        before = {each.subject: each for each in known}
        found = []
        for feed, stale_after in self._stale_after.items():
            read_at = self._last_read(feed)
            if read_at is None:
                continue
            since = max(read_at, self._began)
            if feed in before and read_at <= before[feed].occurred_at:
                since = read_at  # it was stale before this service started, and still is
            if now - since > stale_after:
                message = f"{feed} were last read at {read_at:%Y-%m-%d %H:%M} UTC"
                found.append(Finding(kind="feed_stale", subject=feed, message=message))
        return found


class Lists:
    """How far the read models are behind the log."""

    name = "lists"
    kinds: tuple[ServiceKind, ...] = ("projection_behind",)
    every = timedelta(minutes=1)

    def __init__(
        self, log: LogReader, rows: RowStore, names: Sequence[str], behind_max: timedelta
    ) -> None:
        self._log = log
        self._rows = rows
        self._names = tuple(names)
        self._behind_max = behind_max

    async def look(
        self,
        now: datetime,
        _known: Sequence[ServiceConditionFound],
    ) -> Sequence[Finding]:
        reached = await self._rows.position(self._names)
        head = await self._log.head()
        if reached >= head.position:
            return ()
        async for page in self._log.read(reached, to=reached + 1):
            if now - page[0].recorded_at > self._behind_max:
                minutes = self._behind_max.total_seconds() / 60
                message = f"the lists are more than {minutes:g} minutes behind the log"
                return (Finding(kind="projection_behind", subject="lists", message=message),)
        return ()


class Chain:
    """The log's chain, a part of it at a time, round and round."""

    name = "chain"
    kinds: tuple[ServiceKind, ...] = ("chain_broken",)
    every = timedelta(hours=1)

    def __init__(self, reader: EntryReader, events_at_once: int) -> None:
        self._reader = reader
        self._events_at_once = events_at_once
        self._after = 0

    async def look(
        self,
        _now: datetime,
        known: Sequence[ServiceConditionFound],
    ) -> Sequence[Finding]:
        head, _ = await self._reader.end()
        to = min(self._after + self._events_at_once, head.position)
        try:
            await verify(self._reader, after=self._after, to=to)
        except BrokenChain as broken:
            self._after = 0
            return (Finding(kind="chain_broken", subject="log", message=broken.message),)
        self._after = 0 if to == head.position else to
        if self._after == 0:
            return ()
        # This part is whole; what was found before is over when a whole round finds nothing.
        return tuple(
            Finding(kind=each.kind, subject=each.subject, message=each.message)
            for each in known
        )


class Lease:
    """Whether the right to write this merchant's log was lost, and got back."""

    name = "lease"
    kinds: tuple[ServiceKind, ...] = ("lease_lost",)
    every = timedelta(minutes=5)

    def __init__(self, lost: str) -> None:
        """`lost`: how, by the run before this one in the same process; empty: it was not."""
        self._lost = lost

    async def look(
        self, now: datetime, known: Sequence[ServiceConditionFound]
    ) -> Sequence[Finding]:
        if self._lost:
            lost, self._lost = self._lost, ""
            return (Finding(kind="lease_lost", subject="lease", message=lost),)
        return tuple(
            Finding(kind=each.kind, subject=each.subject, message=each.message)
            for each in known
            if now - each.occurred_at < HELD_FOR
        )
