"""Orders, the read model: one row an order; its state is its standing (law 3)."""

from kcjl.orders.decide import standing
from kcjl.orders.state import ORDERS
from kcjl.projections.projection import Projection

__all__ = ["ORDERS_SHOWN"]

ORDERS_SHOWN = Projection("orders", ORDERS, lambda entry: standing(entry).value)
