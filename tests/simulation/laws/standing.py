"""Where things stand when a run is over: shared by the laws of completeness and of rest.

Promises: open exceptions are folded from the log; what stops a sales order is the ERP's own
word. Called by `complete.py` and `rest.py`.
"""

from kcjl.dispatch.deadline_events import DEADLINE_KINDS
from kcjl.exceptions.decide import OPEN
from kcjl.exceptions.events import ExceptionRaised
from kcjl.sandbox.warehouse import StageId
from kcjl.sandbox.world_truth import OrderTruth, sales_orders_of
from tests.simulation.laws.evidence import Evidence

__all__ = ["is_stuck_in_erp", "open_exceptions", "open_subjects", "order_truth"]

_STOPPED = frozenset(
    {
        StageId.ORDERS_AUTHORISEPAYMENT,
        StageId.ORDERS_FUTURE_HOLD,
        StageId.ORDERS_FUTURE_TERMS,
        StageId.ORDERS_FUTURE_STOCK,
    }
)


def open_exceptions(evidence: Evidence) -> list[ExceptionRaised]:
    """What the desk shows as open, oldest first."""
    return [each.raised for each in evidence.folded(OPEN).values()]


def open_subjects(evidence: Evidence) -> set[str]:
    """Of what needs a person; that an order is late says nothing of why."""
    return {
        raised.subject
        for raised in open_exceptions(evidence)
        if raised.kind not in DEADLINE_KINDS
    }


def order_truth(evidence: Evidence, order_id: str) -> OrderTruth | None:
    """The order on both sides; None where the marketplace has none."""
    order = evidence.world.marketplace.orders.get(order_id)
    return None if order is None else evidence.world.order_truth(order)


def is_stuck_in_erp(evidence: Evidence, order_id: str) -> bool:
    """The ERP has it, and a person there has to do something, or goods have to come in."""
    order = evidence.world.marketplace.orders.get(order_id)
    if order is None:
        return False
    sales_orders = sales_orders_of(evidence.world.warehouse, order)
    return any(
        sales_order.cancelled is not None
        or any(invoice.stage in _STOPPED for invoice in sales_order.invoices)
        for sales_order in sales_orders
    )
