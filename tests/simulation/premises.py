"""What outlives a process: the database's contents, the outside, the clock, the witness.

Promises: a process that ends leaves here what it committed and did outside, and nothing else.
Everything here is made from the scenario and the seed. It starts no task.
Called by `process.py` and `run.py`.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from kcjl.clock import RealClock, SeededIds
from kcjl.clock import chance as chance_of
from kcjl.commands import MemoryCommands
from kcjl.log.lease_memory import MemoryLeases
from kcjl.log.memory import MemoryStore
from kcjl.projections.store import MemoryRows
from kcjl.rooms import Outside
from kcjl.settings import MerchantSettings
from kcjl.snapshots import MemorySnapshots
from kcjl.vault import MemoryVault
from tests.simulation.database import DatabaseLuck
from tests.simulation.faults import Faults
from tests.simulation.trace import Trace

__all__ = ["MERCHANT", "Premises", "VirtualClock"]

MERCHANT = "acme"


class VirtualClock(RealClock):
    """The loop's time, as a date: a run begins when its world does."""

    def __init__(self, began: datetime) -> None:
        self.began = began
        self._loop = asyncio.get_running_loop()

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self._loop.time())


class Premises:
    """One merchant's, for one run."""

    def __init__(
        self,
        *,
        seed: int,
        clock: VirtualClock,
        settings: MerchantSettings,
        faults: Faults,
        outside: Callable[[], Outside],
        keep_lines: bool = False,
    ) -> None:
        self.clock = clock
        self.settings = settings
        self.outside = outside
        """A process's own way to both systems and the ledger."""
        self.trace = Trace(clock, keep=keep_lines)
        self.luck = DatabaseLuck(faults, self.chance(seed, "database"), clock)
        self.ids = SeededIds(self.chance(seed, "ids").getrandbits(64))
        self.store = MemoryStore()
        self.leases = MemoryLeases(self.store, clock)
        self.rows = MemoryRows()
        self.snapshots = MemorySnapshots()
        self.vault = MemoryVault(MERCHANT, b"k" * 32, self.chance(seed, "vault").randbytes)
        self.commands = MemoryCommands()

    @staticmethod
    def chance(seed: int, what: str) -> Random:
        """Each part has a chance of its own: switching one off does not change the others."""
        return chance_of(f"{what}/{seed}")
