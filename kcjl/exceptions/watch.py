"""The service's watch over itself and its surroundings, the shell.

Promises: each probe looks at its own pace; what it finds is said once, and said to be over when
a later look does not find it. A probe that can't look is an interrupted job like any other.
Invariant: what is found is in the log, so a restart knows what was wrong before.
It holds no rule: the probes say what holds. Called by `rooms.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from kcjl.actors import Job, Room
from kcjl.clock import Clock, Ids
from kcjl.exceptions.probes import Feeds
from kcjl.exceptions.service_events import ServiceConditionFound, ServiceKind
from kcjl.exceptions.service_state import FEEDS_READ, FOUND, Finding, decide_look
from kcjl.log.port import Log

__all__ = ["Probe", "ServiceWatch"]


class Probe(Protocol):
    """Looks at one thing."""

    name: str
    kinds: tuple[ServiceKind, ...]
    every: timedelta

    async def look(
        self, now: datetime, known: Sequence[ServiceConditionFound], /
    ) -> Sequence[Finding]:
        """All that is wrong now, of its kinds. `known`: what was found before and is open."""
        ...


class ServiceWatch(Room):
    """Runs the probes."""

    name = "watch"

    def __init__(
        self,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        probes: Sequence[Probe] = (),
        stale_after: Mapping[str, timedelta] | None = None,
    ) -> None:
        """`stale_after`: by feed (orders, shipments, transactions)."""
        super().__init__(log, clock, ids)
        self.found = self.table(FOUND)
        self._reads = self.table(FEEDS_READ)
        feeds = Feeds(self._last_read, stale_after or {}, began=clock.now())
        self.jobs = tuple(
            Job(probe.name, partial(self._look, probe), every=probe.every)
            for probe in (*probes, feeds)
        )

    def _last_read(self, feed: str) -> datetime | None:
        read = self._reads.get(feed)
        return None if read is None else read.at

    async def _look(self, probe: Probe) -> None:
        known = [each for each in self.found.values() if each.kind in probe.kinds]
        findings = await probe.look(self.clock.now(), known)
        if events := decide_look(findings, known, self.clock.now()):
            await self.record(*events)
