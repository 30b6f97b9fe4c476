"""The outside of a run: one world, the books, and each process's own way to them.

Promises: `ports` gives a new process its ways in, with call budgets of its own; what the world
and the faces remember is shared. `advance` moves the world on to the clock's now; between calls
nobody else does. Backups of the ERP are taken and restored at their hours, by the agenda.
Invariant: the same seed, faults and calls give the same outside.
Called by the run and its premises.
"""

from collections import Counter
from datetime import datetime
from random import Random

from kcjl.clock import Clock
from kcjl.rooms import Outside
from kcjl.sandbox.johnlewis.limits import CallLimits
from kcjl.sandbox.world import World
from tests.simulation.faults import Faults
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_door import stamp_of
from tests.simulation.outside_erp import SimulatedErp
from tests.simulation.outside_ledger import SimulatedLedger
from tests.simulation.outside_marketplace import SimulatedMarketplace
from tests.simulation.outside_orders import ShownOrders

__all__ = ["SimulatedOutside"]


class SimulatedOutside:
    """Both systems and the books, as long as a run lasts."""

    def __init__(self, world: World, faults: Faults, chance: Random, clock: Clock) -> None:
        self.world = world
        self.mishaps = Mishaps(faults, chance, clock)
        self.ledger = SimulatedLedger(self.mishaps, clock)
        self._faults = faults
        self._clock = clock
        self._limits = CallLimits(world.marketplace)
        stamp = stamp_of(faults.marketplace_clock, world.starts_at)
        self._shown = ShownOrders(world.marketplace, stamp)

    def ports(self) -> Outside:
        """A process's own ways in."""
        faults = self._faults
        marketplace = SimulatedMarketplace(
            self.world,
            self.mishaps,
            self._clock,
            shifts=faults.marketplace_clock,
            limits=self._limits,
            shown=self._shown,
        )
        erp = SimulatedErp(self.world, self.mishaps, self._clock, shifts=faults.erp_clock)
        return Outside(marketplace, erp, self.ledger)

    def advance(self) -> int:
        """Let the world come to the clock's now; how many things happened in it."""
        return self.world.agenda.advance(self._clock.now())

    @property
    def next_at(self) -> datetime | None:
        """When the next thing happens in the world."""
        return self.world.agenda.next_at

    def stop_faults(self) -> None:
        """Calls go well from now on. The outside's clocks stay as their shifts have them."""
        self.mishaps.stop()

    @property
    def faults_by_kind(self) -> Counter[str]:
        return self.mishaps.counted
