"""Liveness of deadlines: who is late is told, nobody else is; metrics have their orders; the
time for accepting is told when it has gone, and not before.

Promises: judged by the marketplace's own deadlines and states; of a metric one order (or line)
is asked for that makes it bad. Called by `rest.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from kcjl.dispatch.deadline_events import LATE
from kcjl.exceptions.deadline_conditions import ALL_ORDERS
from kcjl.exceptions.events import ExceptionRaised
from kcjl.orders.acceptance_events import AcceptanceTimePassed
from kcjl.orders.events import AcceptanceIntended, OrderChanged, OrderPassedOver, OrderReceived
from kcjl.orders.state import ORDERS
from kcjl.sandbox.world_truth import OrderTruth
from tests.simulation.laws.evidence import Evidence
from tests.simulation.laws.standing import open_exceptions, order_truth
from tests.simulation.people import SLIP

__all__ = ["CAUSES_OF_TIME", "late_ones_are_told", "time_for_accepting_is_told"]

WAITING = "WAITING_ACCEPTANCE"
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


def time_for_accepting_is_told(evidence: Evidence) -> Iterator[str]:
    """No step of it before its time; and of whoever waited for our answer well past half."""
    waits = {
        event.order_id: event
        for _, event in evidence.said(OrderReceived)
        if event.state == WAITING and event.accept_by is not None
    }
    told = set()
    for _, event in evidence.said(AcceptanceTimePassed):
        told.add(event.order_id)
        order = waits.get(event.order_id)
        if order and event.occurred_at < _after(order, event.accept_by, event.percent):
            yield f"order {event.order_id}: {event.percent} % of its time have not gone yet"
    ended = {event.order_id for _, event in evidence.said(AcceptanceIntended, OrderPassedOver)}
    left: dict[str, datetime] = {}
    for recorded, changed in evidence.said(OrderChanged):
        if changed.state != WAITING:
            left.setdefault(changed.order_id, recorded.recorded_at)
    for order_id, order in waits.items():
        if order.accept_by is None or order_id in told | ended:
            continue
        half = _after(order, order.accept_by, 50)
        if left.get(order_id, evidence.now) > half + TOLD_WITHIN:
            yield f"order {order_id} waited past half of its time, and nobody was told"


def _after(order: OrderReceived, accept_by: datetime, percent: int) -> datetime:
    return order.occurred_at + (accept_by - order.occurred_at) * percent / 100


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


def _was_untracked(evidence: Evidence, order: OrderTruth) -> bool:
    """Confirmed without a number, or one that no carrier has was on a box of it."""
    slipped = any(
        number.startswith(SLIP)
        for reference, number, _ in evidence.witness.sent
        if reference == order.customer_order_number
    )
    return slipped or any(not each.tracking_number for each in order.confirmations)


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
