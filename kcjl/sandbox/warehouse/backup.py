"""A backup of the sandbox's ERP, and the ERP set back to it, as an administrator would.

Promises: what was done since the backup is gone from the ERP, and from it alone; what its
people had planned then, they do now, as much later. A backup can be restored more than once.
Goods and parcels of life do not come back by it. Invariant: after a restore the warehouse
shares nothing with the backup. Called by tests and by the simulation.
"""

import copy
import sys
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from kcjl.sandbox.warehouse.model import Warehouse
from kcjl.sandbox.warehouse.staff import Step

__all__ = ["Backup", "back_up", "restore"]

_DEPTH = 100_000
"""Orders hang together through the items that they wait for: copying them goes deep."""
_KEPT = ("agenda", "settings", "sales_orders")
"""Of a warehouse: what a backup does not hold."""


@dataclass(frozen=True, slots=True)
class Backup:
    """The books of a moment, and what the staff meant to do."""

    taken_at: datetime
    books: dict[str, object]
    plans: list[tuple[datetime, Step]]


def back_up(warehouse: Warehouse) -> Backup:
    """Copy everything that the ERP keeps."""
    books = {name: held for name, held in vars(warehouse).items() if name not in _KEPT}
    plans = warehouse.agenda.planned(Step)
    books, plans = _copied(warehouse, books, plans)
    return Backup(taken_at=warehouse.agenda.now, books=books, plans=plans)


def restore(warehouse: Warehouse, backup: Backup) -> None:
    """Set the ERP back to the backup, now."""
    books, plans = _copied(warehouse, backup.books, backup.plans)
    agenda = warehouse.agenda
    agenda.forget(Step)
    for name, held in books.items():
        setattr(warehouse, name, held)
    warehouse.sales_orders = MappingProxyType(warehouse.orders.by_code)
    later = agenda.now - backup.taken_at
    for when, step in plans:
        agenda.at(when + later, step)


def _copied(
    warehouse: Warehouse, books: dict[str, object], plans: list[tuple[datetime, Step]]
) -> tuple[dict[str, object], list[tuple[datetime, Step]]]:
    shared: list[object] = [warehouse.agenda, warehouse.settings]
    shared += [order.document for order in warehouse.orders.by_code.values()]
    memo = {id(each): each for each in shared}
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEPTH))
    try:
        return copy.deepcopy((books, plans), memo)
    finally:
        sys.setrecursionlimit(before)
