"""Liveness of deadlines: who is late is told, nobody else is; metrics have their orders.

Promises: judged by the marketplace's own deadlines and states; of a metric one order (or line)
is asked for that makes it bad. Called by `rest.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from kcjl.dispatch.deadline_events import LATE
from kcjl.exceptions.deadline_conditions import ALL_ORDERS
from kcjl.exceptions.events import ExceptionRaised
from kcjl.orders.state import ORDERS
from kcjl.sandbox.world_truth import OrderTruth
from tests.simulation.laws.evidence import Evidence
from tests.simulation.laws.standing import open_exceptions, order_truth

__all__ = ["CAUSES_OF_TIME", "late_ones_are_told"]

OVER = frozenset({"REFUSED", "CANCELED", "SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})
TOLD_WITHIN = timedelta(hours=1)


def late_ones_are_told(evidence: Evidence) -> Iterator[str]:
    """At rest whoever could be shipped and was not is on the desk, by name or in the count."""
    if not evidence.at_rest:
        return
    told = {each.subject for each in open_exceptions(evidence) if each.kind == LATE}
    known = evidence.folded(ORDERS)
    for order in evidence.world.order_truths():
        entry = known.get(order.order_id)
        late = order.shipping_deadline + TOLD_WITHIN < evidence.now
        if order.state != "SHIPPING" or not late or entry is None or entry.passed_over:
            continue
        if told.isdisjoint((order.order_id, ALL_ORDERS)):
            yield f"order {order.order_id} is late, and nobody told"


def _unshipped(evidence: Evidence, raised: ExceptionRaised) -> bool:
    return _some(evidence, raised, lambda order: order.state not in OVER)


def _late(evidence: Evidence, raised: ExceptionRaised) -> bool:
    return _some(
        evidence,
        raised,
        lambda order: order.state not in OVER and order.shipping_deadline < evidence.now,
    )


def _some(
    evidence: Evidence, raised: ExceptionRaised, holds: Callable[[OrderTruth], bool]
) -> bool:
    """Of the order that is named; of any where they were counted."""
    if raised.subject == ALL_ORDERS:
        return any(holds(order) for order in evidence.world.order_truths())
    order = order_truth(evidence, raised.subject)
    return order is not None and holds(order)


def _metric(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """Something that happened makes it bad."""
    metric, _, _ = raised.subject.partition("/")
    return any(_WORSENS[metric](evidence, order) for order in evidence.world.order_truths())


def _was_late(evidence: Evidence, order: OrderTruth) -> bool:
    return (order.shipped_at or evidence.now) > order.shipping_deadline


def _was_cancelled(_evidence: Evidence, order: OrderTruth) -> bool:
    return any(line.state == "CANCELED" for line in order.lines)


def _was_refused(_evidence: Evidence, order: OrderTruth) -> bool:
    return any(line.state == "REFUSED" for line in order.lines)


def _was_untracked(_evidence: Evidence, order: OrderTruth) -> bool:
    return any(not each.tracking_number for each in order.confirmations)


_WORSENS: Mapping[str, Callable[[Evidence, OrderTruth], bool]] = {
    "late_shipment_rate": _was_late,
    "cancelation_rate": _was_cancelled,
    "approval_rate": _was_refused,
    "valid_tracking_rate": _was_untracked,
}

CAUSES_OF_TIME: Mapping[str, Callable[[Evidence, ExceptionRaised], bool]] = {
    "dispatch_at_risk": _unshipped,
    "dispatch_late": _late,
    "seller_metric_near": _metric,
    "seller_metric_crossed": _metric,
}
