"""What outlives a process: the database's contents, the outside, the clock, the witness.

Promises: a process that ends leaves here what it committed and did outside, and nothing else.
Everything here is made from the scenario and the seed. It starts no task.
Called by `process.py` and `run.py`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from kcjl.clock import RealClock, SeededIds
from kcjl.commands import MemoryCommands
from kcjl.log.lease_memory import MemoryLeases
from kcjl.log.memory import MemoryStore
from kcjl.projections.store import MemoryRows
from kcjl.rooms import Outside
from kcjl.snapshots import MemorySnapshots
from kcjl.vault import MemoryVault
from tests.simulation.database import Appended, DatabaseLuck
from tests.simulation.loop import VirtualLoop
from tests.simulation.scenario import Scenario
from tests.simulation.trace import Trace

__all__ = ["MERCHANT", "Premises", "VirtualClock"]

MERCHANT = "acme"


class VirtualClock(RealClock):
    """The loop's time, as a date: a run begins when its world does."""

    def __init__(self, began: datetime) -> None:
        self.began = began
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self._at_s, self._now = 0.0, began

    @property
    def elapsed_s(self) -> float:
        return self._loop.now_s

    def now(self) -> datetime:
        """Asked many times before time goes on: a date is made once for each moment."""
        at_s = self._loop.now_s
        if at_s != self._at_s:
            self._at_s, self._now = at_s, self.began + timedelta(seconds=at_s)
        return self._now

    async def sleep(self, seconds: float) -> None:
        """As anyio's, which asks at each sleep under which library it runs."""
        await asyncio.sleep(seconds)


class Premises:
    """One merchant's, for one run."""

    def __init__(
        self,
        scenario: Scenario,
        clock: VirtualClock,
        *,
        outside: Callable[[], Outside],
        keep_lines: bool = False,
    ) -> None:
        self.clock = clock
        self.scenario = scenario
        self.settings = scenario.settings
        self.outside = outside
        """A process's own way to both systems and the ledger."""
        self.trace = Trace(clock, keep=keep_lines)
        self.luck = DatabaseLuck(scenario.faults, scenario.chance("database"), clock)
        self.ids = SeededIds(scenario.seed)
        self.store = MemoryStore()
        self.leases = MemoryLeases(self.store, clock)
        self.rows = MemoryRows()
        self.snapshots = MemorySnapshots()
        self.vault = MemoryVault(MERCHANT, b"k" * 32, scenario.chance("vault").randbytes)
        self.commands = MemoryCommands()
        self.appends: list[Appended] = []
        """Every append that was committed, as it came."""
        self.deaths_in_calls = 0
        self.on_death_in: list[Callable[[str], None]] = []
        """Called with the operation whose answer nobody will hear."""
        self._done: Counter[str] = Counter()
        """Calls that had their effect, by operation."""
        self._deaths_in = {(each.operation, each.call) for each in scenario.deaths_in}

    def dies_in(self, operation: str) -> bool:
        """A call has had its effect: whether its caller dies before he hears of it."""
        self._done[operation] += 1
        dies = (operation, self._done[operation]) in self._deaths_in
        if dies:
            self.deaths_in_calls += 1
            for observer in self.on_death_in:
                observer(operation)
        return dies

    def stop_deaths(self) -> None:
        self._deaths_in = set()
