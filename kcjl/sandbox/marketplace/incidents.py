"""Incidents: a customer complains about an order line, and the line stands still meanwhile.

Promises: an open incident shows as INCIDENT_OPEN and is ended by the shop's word (OR64), by the
operator, or by a refund on the line (contract c.2); then the line is in the state it would have
had. Its billing is held meanwhile, where the tenant has it so. It refunds nothing.
Invariant: a line has one open incident at most. Called by the marketplace's door.
"""

from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.charges import ChargeReader
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.inputs import Reason
from kcjl.sandbox.marketplace.records import Order, OrderLine

__all__ = ["Incidents"]

COMPLAINT_STATES = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED"})


class Incidents:
    """Opening and ending."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._charges = ChargeReader(book)

    def open(self, order_line_id: str, reason_code: str) -> None:
        """A customer opens one about a line that was sent."""
        order, line = self._charges.find(order_line_id)
        where = f"Order line {order_line_id}"
        if order.state not in COMPLAINT_STATES or not line.is_live:
            raise ApiError.of(400, f"{where} is in state {line.state}: no incident is possible")
        if line.has_incident:
            raise ApiError.of(400, f"{where} has an open incident already")
        line.reason = self._reason(reason_code, "INCIDENT_OPEN")
        line.state_under_incident = line.state
        line.state = "INCIDENT_OPEN"
        line.incidents += 1
        if self._book.settings.incident_holds_billing:
            self._book.ledger.hold(order, line.line_id)
        self._book.touch(order, [line])

    def resolve(self, order_id: str, order_line_id: str, reason_code: str) -> None:
        """OR64: the shop says that it is settled."""
        order = self._book.order(order_id)
        line = order.line(order_line_id)
        if line is None:
            raise ApiError.of(
                404, f"Order line {order_line_id} not found", code="ORDER_LINE_NOT_FOUND"
            )
        if not line.has_incident:
            raise ApiError.of(400, f"Order line {order_line_id} has no open incident")
        self._charges.require_reason(reason_code, "INCIDENT_CLOSE")
        self._end(order, line, self._reason(reason_code, "INCIDENT_CLOSE"))

    def operator_closes(self, order_line_id: str, reason_code: str) -> None:
        order, line = self._charges.find(order_line_id)
        if not line.has_incident:
            raise ApiError.of(400, f"Order line {order_line_id} has no open incident")
        self._end(order, line, self._reason(reason_code, "INCIDENT_CLOSE"))

    def refunded(self, order: Order, line: OrderLine) -> None:
        """A refund was made on the line: whatever was open about it is settled."""
        if line.has_incident:
            self._end(order, line, None)

    def _end(self, order: Order, line: OrderLine, reason: Reason | None) -> None:
        line.state = line.state_under_incident or order.state
        line.state_under_incident = None
        line.reason = reason
        self._book.ledger.release(order, line.line_id)
        self._book.touch(order, [line])

    def _reason(self, code: str, kind: str) -> Reason:
        for reason in self._book.settings.reasons:
            if (reason.code, reason.type) == (code, kind):
                return Reason(code=code, label=reason.label)
        raise ApiError.of(400, f"Reason {code} is no reason of type {kind}")
