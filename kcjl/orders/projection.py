"""Orders, the read model: one row an order; its state is its standing (law 3)."""

from kcjl.orders.decide import standing
from kcjl.orders.state import ORDERS, OrderEntry
from kcjl.projections.projection import Projection

__all__ = ["ORDERS_SHOWN"]

ORDERS_SHOWN = Projection("orders", ORDERS, OrderEntry, lambda entry: standing(entry).value)
