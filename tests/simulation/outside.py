"""The outside of a run: one world, the books, and each process's own way to them.

Promises: `ports` gives a new process its ways in, with call budgets of its own; what the world
and the faces remember is shared. `advance` moves the world on to the clock's now; between calls
nobody else does. Backups of the ERP are taken and restored at their hours, by the agenda.
Invariant: the same seed, faults and calls give the same outside.
Called by the run and its premises.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from kcjl.clock import Clock
from kcjl.rooms import Outside
from kcjl.sandbox.johnlewis.limits import CallLimits
from kcjl.sandbox.warehouse.backup import Backup, back_up, restore
from kcjl.sandbox.world import World
from tests.outside.live_books import LiveBooks
from tests.simulation.faults import Faults, Restore
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_books import SimulatedBooks
from tests.simulation.outside_door import stamp_of
from tests.simulation.outside_erp import KWS, SimulatedErp
from tests.simulation.outside_ledger import SimulatedLedger
from tests.simulation.outside_marketplace import SimulatedMarketplace
from tests.simulation.outside_orders import ShownOrders
from tests.simulation.outside_sales_orders import ShownSalesOrders

__all__ = ["SimulatedOutside"]


class SimulatedOutside:
    """Both systems and the books, as long as a run lasts."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        chance: Random,
        clock: Clock,
        *,
        live_ledger: bool = False,
    ) -> None:
        self.world = world
        self.mishaps = Mishaps(faults, chance, clock)
        self.ledger = SimulatedLedger(self.mishaps, clock)
        self.books = LiveBooks(clock.now) if live_ledger else None
        self._faults = faults
        self._clock = clock
        self._limits = CallLimits(world.marketplace)
        self.on_restored: list[Callable[[Restore], None]] = []
        """Called when the ERP has been set back: levels and orders are others now."""
        for each in faults.restores:
            self._plan(each)
        stamp = stamp_of(faults.marketplace_clock, world.starts_at)
        self._shown = ShownOrders(world.marketplace, stamp)
        self._sales_orders = ShownSalesOrders(
            stamp_of(faults.erp_clock, world.starts_at), KWS.company_code
        )

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
        erp = SimulatedErp(
            self.world,
            self.mishaps,
            self._clock,
            shifts=faults.erp_clock,
            shown=self._sales_orders,
        )
        books = None
        if self.books is not None:
            books = SimulatedBooks(self.books, self.world, self.mishaps, self._clock)
        return Outside(marketplace, erp, self.ledger, self.ledger, books)

    def advance(self) -> int:
        """Let the world come to the clock's now; how many things happened in it."""
        return self.world.agenda.advance(self._clock.now())

    # ── the ERP set back ──

    def _plan(self, each: Restore) -> None:
        restored_at = self.world.starts_at + timedelta(hours=each.at_h)
        taken_at = max(restored_at - timedelta(hours=each.age_h), self.world.starts_at)

        def take() -> None:
            backup = back_up(self.world.warehouse)
            self.world.agenda.at(restored_at, lambda: self.set_back(each, backup))

        self.world.agenda.at(taken_at, take)

    def set_back(self, each: Restore, backup: Backup) -> None:
        """The ERP is as it was in the backup, now; who observes is told."""
        if self.mishaps.is_stopped:
            return
        restore(self.world.warehouse, backup)
        self.mishaps.suffered("restores")
        buying = self.world.buying
        for order in self.world.marketplace.orders.values():
            for line in order.lines:  # what the ERP had, it may not have any more
                buying.note_waiting(order.order_id, line)
        for observer in self.on_restored:
            observer(each)

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
