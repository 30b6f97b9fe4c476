"""What has changed after intake, in the world: the causes of its exceptions, and what is owed.

Promises: refunds, returns, incidents and units are read from the marketplace's and the ERP's
own books. Called by `rest.py`.
"""

from collections.abc import Callable, Iterator, Mapping

from kcjl.exceptions.events import ExceptionRaised
from kcjl.orders.events import SalesOrderPosted
from kcjl.sandbox.marketplace.records import OrderLine
from tests.simulation.laws.evidence import Evidence
from tests.simulation.laws.standing import open_exceptions, order_truth

__all__ = ["CAUSES_AFTER_INTAKE", "corrections_are_on_the_desk"]

ENDED = frozenset({"REFUSED", "CANCELED"})


def corrections_are_on_the_desk(evidence: Evidence) -> Iterator[str]:
    """At rest every refund of a line that the ERP has is on the desk: nobody has said done."""
    if not evidence.at_rest:
        return
    told = {(each.kind, each.subject) for each in open_exceptions(evidence)}
    posted = {
        (event.order_id, line.line_id)
        for _, event in evidence.said(SalesOrderPosted)
        for line in event.lines
    }
    for order_id, line_id in sorted(posted):
        truth = order_truth(evidence, order_id)
        if truth is None or all(each.cancelled for each in truth.sales_orders):
            continue  # lost, or cancelled there: that is told of, and nothing is to be reduced
        line = _line(evidence, order_id, line_id)
        reduced = ("sales_order_to_reduce", f"{order_id}/{line_id}/units") in told
        for refund in line.refunds if line else ():
            subject = f"{order_id}/{refund.refund_id}/refund"
            if ("refund_to_enter", subject) not in told and not reduced:
                yield f"refund {refund.refund_id} of order {order_id} is owed, and nobody told"


def _line(evidence: Evidence, order_id: str, line_id: str) -> OrderLine | None:
    order = evidence.world.marketplace.orders.get(order_id)
    lines = order.lines if order else ()
    return next((line for line in lines if line.line_id == line_id), None)


def _refunded(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order_id, refund_id, _ = raised.subject.split("/")
    order = evidence.world.marketplace.orders[order_id]
    return any(each.refund_id == refund_id for line in order.lines for each in line.refunds)


def _is_to_come_back(evidence: Evidence, raised: ExceptionRaised) -> bool:
    back = evidence.world.marketplace.returns.by_id[raised.subject.split("/")[1]]
    return back.state in ("WAITING_ACCEPTANCE", "IN_PROGRESS")


def _is_back(evidence: Evidence, raised: ExceptionRaised) -> bool:
    back = evidence.world.marketplace.returns.by_id[raised.subject.split("/")[1]]
    return back.state in ("RECEIVED", "CLOSED")


def _is_too_much(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """The line is wanted less than it was posted: a refusal, a cancelation or a refund."""
    order_id, line_id, _ = raised.subject.split("/")
    line = _line(evidence, order_id, line_id)
    return line is not None and bool(line.state in ENDED or line.cancelations or line.refunds)


def _incident(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order_id, line_id = raised.subject.split("/")
    line = _line(evidence, order_id, line_id)
    return line is not None and line.state == "INCIDENT_OPEN"


def _has_none(evidence: Evidence, raised: ExceptionRaised) -> bool:
    truth = order_truth(evidence, raised.subject)
    return truth is not None and not truth.sales_orders and truth.state not in ENDED


def _is_unpaid_too_long(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """Accepted, and the customer's payment has not come by the time to ship by."""
    truth = order_truth(evidence, raised.subject)
    return (
        truth is not None
        and truth.state in ("STAGING", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT")
        and truth.shipping_deadline < evidence.now
    )


def _never(_evidence: Evidence, _raised: ExceptionRaised) -> bool:
    return False


CAUSES_AFTER_INTAKE: Mapping[str, Callable[[Evidence, ExceptionRaised], bool]] = {
    "refund_to_enter": _refunded,
    "return_expected": _is_to_come_back,
    "return_to_book": _is_back,
    "sales_order_to_reduce": _is_too_much,
    "incident_open": _incident,
    "order_without_sales_order": _has_none,
    "sales_order_without_order": _never,
    "order_unaccounted": _is_unpaid_too_long,
}
"""By kind: whether it still has its cause."""
