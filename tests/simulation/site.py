"""Whoever keeps the service running in a run: starts it, and starts it again after a death.

Promises: as long as it is open there is a process, or one will be started soon; one that was
taken over is not started again. What ended a process otherwise is kept for the run to judge.
Called by `run.py`.
"""

import asyncio
from collections import Counter
from random import Random

from anyio.abc import TaskGroup

from tests.simulation.loop import VirtualLoop
from tests.simulation.premises import Premises
from tests.simulation.process import Process

__all__ = ["Site"]

AWAY_S = (0.5, 90.0)
"""From a death to the next start: a supervisor's pause."""
EXPECTED = frozenset({"killed", "fenced", "lapsed"})


class Site:
    """The processes of one merchant, one after the other, and now and then two at once."""

    def __init__(self, premises: Premises, group: TaskGroup, chance: Random) -> None:
        self.current: Process | None = None
        self.odd_ends: list[str] = []
        """How processes ended that should not have."""
        self.suffered: Counter[str] = Counter()
        self.started = 0
        self._premises = premises
        self._group = group
        self._chance = chance
        self._closing = False

    def start(self, holder: str | None = None) -> None:
        """One more, which is the one from now on; under a new name when none is given."""
        self.started += 1
        process = Process(
            self._premises, self.started, holder=holder or f"machine:{self.started}"
        )
        self.current = process
        self._group.start_soon(self._live, process)

    def take_over(self) -> None:
        """The same holder comes back while its former self still works."""
        if self.current is not None and not self._closing:
            self.suffered["take-over"] += 1
            self._premises.trace.happened("a second process takes over")
            self.start(self.current.holder)

    def kill_in(self, steps: int) -> None:
        """Whoever is there when so many more steps have been run dies between two of them."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.after_steps(steps, self._die)

    def close(self) -> None:
        """Start none any more, and end the last."""
        self._closing = True
        self._kill()

    def _die(self) -> None:
        if self.current is not None and self.current.ended is None and not self._closing:
            self.suffered["death"] += 1
            self._kill()

    def _kill(self) -> None:
        if self.current is not None:
            self.current.kill()

    async def _live(self, process: Process) -> None:
        await process.run()
        if process.ended not in EXPECTED:
            self.odd_ends.append(f"process {process.number} ended: {process.ended}")
        if process is not self.current or self._closing:
            return
        await self._premises.clock.sleep(self._chance.uniform(*AWAY_S))
        if process is self.current and not self._closing:
            same = self._chance.random() < 0.5
            self.start(process.holder if same else None)
