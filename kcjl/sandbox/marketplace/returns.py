"""Returns: units on their way back from a customer, and what the shop says of them.

Promises: the states of contract b.5 and their movers (RT21, RT25, RT26, RT27, RT29); each item
of a call is done or has its message; units are counted, so nothing comes back twice. Without
the tenant's module the operations are not there. A return moves no money: a refund does.
Invariant: a line's `returned` is the sum of its returns that were not refused or cancelled.
Called by the marketplace's door; the world hears of each state and sends the goods.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

import msgspec

from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.moments import seconds
from kcjl.sandbox.marketplace.recency import Recency
from kcjl.sandbox.marketplace.records import Order, OrderLine
from kcjl.sandbox.marketplace.return_records import (
    Compliance,
    Return,
    ReturnLine,
    ReturnOutcome,
    ReturnTracking,
)
from kcjl.sandbox.marketplace.return_requests import (
    AcceptanceRequest,
    ComplianceRequest,
    ReturnRequest,
    UpdateRequest,
)

__all__ = ["Returns"]

T = TypeVar("T", bound=msgspec.Struct)

CREATED_MAX = 200
CHANGED_MAX = 100
RETURNABLE_STATES = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})
BY_MAIL = "RETURN_METHOD_BY_MAIL"
FIRST_RMA = 1000


class Returns:
    """All returns of the shop's orders."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.by_id: dict[str, Return] = {}
        self.by_creation = Recency()
        self.of_order: defaultdict[str, list[Return]] = defaultdict(list)
        self.on_return_state: list[Callable[[Return], None]] = []
        """Called with a return that has come into a state."""

    def require_module(self) -> None:
        if not self._book.settings.returns_module:
            raise ApiError.of(404, "Not Found")

    def returnable(self, order: Order, line: OrderLine) -> int:
        """Units of a line that can still be sent back (RT12)."""
        since = line.received_at or line.shipped_at
        window = timedelta(days=self._book.settings.return_window_days)
        if since is None or order.state not in RETURNABLE_STATES:
            return 0
        if self._book.agenda.now > since + window:
            return 0
        return max(0, line.shipped - line.returned)

    # ── opening ────────────────────────────────────────────────────────────────────────────

    def open(self, order_line_id: str, quantity: int, reason_code: str) -> Return:
        """The customer (or the operator for him) sends units of a line back."""
        self.require_module()
        order = self._book.order_of_line.get(order_line_id)
        if order is None:
            raise ApiError.of(400, f"Order line {order_line_id} not found")
        request = ReturnRequest.of(order.commercial_id, order_line_id, quantity, reason_code)
        return self._open(request, accepted=False)

    def create(self, returns: Sequence[Mapping[str, object]]) -> list[ReturnOutcome]:
        """RT01: the shop opens returns."""
        self._require_count(returns, CREATED_MAX)
        outcomes = []
        for request in _read(returns, ReturnRequest):
            outcome = ReturnOutcome(key=request.order_commercial_id)
            try:
                outcome.made = self._open(request, accepted=bool(request.accepted))
            except ApiError as refusal:
                outcome.message = refusal.message
            outcomes.append(outcome)
        return outcomes

    def _open(self, request: ReturnRequest, *, accepted: bool) -> Return:
        book = self._book
        order, lines = self._lines(request)
        now = seconds(book.agenda.now)
        made = Return(
            return_id=book.agenda.new_id(),
            order_id=order.order_id,
            commercial_id=order.commercial_id,
            customer_id=order.customer.customer_id,
            state="WAITING_ACCEPTANCE",
            created_at=now,
            updated_at=now,
            reason_code=request.reason_code or lines[0].reason_code,
            method_code=request.method_code or BY_MAIL,
            rma=request.rma or f"RMA-{FIRST_RMA + len(self.by_id) + 1}",
            label_url=request.label_url,
            description=request.description,
            lines=lines,
        )
        for part in lines:
            self._line(order, part).returned += part.quantity
        self.by_id[made.return_id] = made
        self.of_order[order.order_id].append(made)
        self.by_creation.touch(made.return_id, now)
        book.touch(order, ())
        if accepted or book.settings.returns_accepted_automatically:
            self._accept(made)
        else:
            self._tell(made)
        return made

    def _lines(self, request: ReturnRequest) -> tuple[Order, list[ReturnLine]]:
        if not request.return_lines:
            raise ApiError.of(400, "return_lines: at least one line is needed")
        lines: list[ReturnLine] = []
        orders: dict[str, Order] = {}
        for wanted in request.return_lines:
            where = f"Order line {wanted.order_line_id}"
            order = self._book.order_of_line.get(wanted.order_line_id)
            if order is None or order.commercial_id != request.order_commercial_id:
                raise ApiError.of(400, f"{where} is not of order {request.order_commercial_id}")
            orders[order.order_id] = order
            line = order.line(wanted.order_line_id)
            left = 0 if line is None else self.returnable(order, line)
            before = sum(
                each.quantity for each in lines if each.order_line_id == wanted.order_line_id
            )
            if not 1 <= wanted.quantity <= left - before:
                raise ApiError.of(400, f"{where}: {left - before} units can be returned")
            reason = wanted.reason_code or request.reason_code or ""
            self._require_reason(reason, "RETURN")
            lines.append(
                ReturnLine(
                    order_line_id=wanted.order_line_id,
                    quantity=wanted.quantity,
                    reason_code=reason,
                )
            )
        if len(orders) > 1:
            raise ApiError.of(400, "The lines of a return are of one order")
        return next(iter(orders.values())), lines

    # ── the shop's word ────────────────────────────────────────────────────────────────────

    def decide(self, returns: Sequence[Mapping[str, object]]) -> list[ReturnOutcome]:
        """RT21: accept or refuse."""
        self._require_count(returns, CHANGED_MAX)
        return [self._decide(request) for request in _read(returns, AcceptanceRequest)]

    def _decide(self, request: AcceptanceRequest) -> ReturnOutcome:
        def decide(found: Return) -> None:
            if request.accepted is None:
                raise ApiError.of(400, "accepted: must not be null")
            if request.accepted:
                self._accept(found)
                return
            self._require_reason(request.rejection_reason_code or "", "RETURN_REJECTION")
            found.rejection_reason_code = request.rejection_reason_code
            self._give_up(found, "REFUSED")

        return self._each(request.id, {"WAITING_ACCEPTANCE"}, decide)

    def receive(self, return_ids: Sequence[str]) -> list[ReturnOutcome]:
        """RT25: the goods are there."""
        return self._move_all(return_ids, {"IN_PROGRESS", "NO_RECEPTION"}, "RECEIVED")

    def close(self, return_ids: Sequence[str]) -> list[ReturnOutcome]:
        """RT27."""
        return self._move_all(return_ids, {"RECEIVED", "NO_RECEPTION"}, "CLOSED")

    def cancel(self, return_ids: Sequence[str]) -> list[ReturnOutcome]:
        """RT29."""
        self._require_count(return_ids, CHANGED_MAX)
        states = {"WAITING_ACCEPTANCE", "IN_PROGRESS", "NO_RECEPTION"}
        return [
            self._each(key, states, lambda found: self._give_up(found, "CANCELED"))
            for key in return_ids
        ]

    def judge(self, returns: Sequence[Mapping[str, object]]) -> list[ReturnOutcome]:
        """RT26: whether what came back is as it should be."""
        self._require_count(returns, CHANGED_MAX)
        return [
            self._each(request.id, {"RECEIVED"}, self._judgement(request))
            for request in _read(returns, ComplianceRequest)
        ]

    def _judgement(self, request: ComplianceRequest) -> Callable[[Return], None]:
        def judge(found: Return) -> None:
            parts = {line.order_line_id: line for line in found.lines}
            for said in request.return_lines:
                if said.order_line_id not in parts:
                    raise ApiError.of(
                        400, f"Order line {said.order_line_id} is not of this return"
                    )
                if said.compliant is None:
                    raise ApiError.of(400, "compliant: must not be null")
                if not said.compliant:
                    code = said.non_compliance_reason_code or ""
                    self._require_reason(code, "RETURN_NON_COMPLIANT")
            for said in request.return_lines:
                parts[said.order_line_id].compliance = Compliance(
                    is_compliant=bool(said.compliant),
                    reason_code=said.non_compliance_reason_code,
                    additional_info=said.non_compliance_additional_info,
                )
            self._touch(found)

        return judge

    def update(self, returns: Sequence[Mapping[str, object]]) -> list[ReturnOutcome]:
        """RT04: number, label and tracking of a return that is not over."""
        self._require_count(returns, CHANGED_MAX)
        states = {"WAITING_ACCEPTANCE", "IN_PROGRESS"}
        return [
            self._each(request.id, states, self._change(request))
            for request in _read(returns, UpdateRequest)
        ]

    def _change(self, request: UpdateRequest) -> Callable[[Return], None]:
        def change(found: Return) -> None:
            found.rma = request.rma or found.rma
            found.label_url = request.label_url or found.label_url
            if request.tracking is not None:
                found.tracking = ReturnTracking(**msgspec.structs.asdict(request.tracking))
            self._touch(found)

        return change

    # ── moving ─────────────────────────────────────────────────────────────────────────────

    def _move_all(
        self, return_ids: Sequence[str], states: Collection[str], state: str
    ) -> list[ReturnOutcome]:
        self._require_count(return_ids, CHANGED_MAX)
        return [
            self._each(key, states, lambda found: self._move(found, state))
            for key in return_ids
        ]

    def _each(
        self, return_id: str, states: Collection[str], action: Callable[[Return], None]
    ) -> ReturnOutcome:
        """Do it to one return that is in one of these states, or say why not."""
        outcome = ReturnOutcome(key=return_id)
        found = self.by_id.get(return_id)
        try:
            if found is None:
                raise ApiError.of(404, f"Return {return_id} not found")
            if found.state not in states:
                raise ApiError.of(400, f"Return {return_id} is in state {found.state}")
            action(found)
            outcome.made = found
        except ApiError as refusal:
            outcome.message = refusal.message
        return outcome

    def _accept(self, found: Return) -> None:
        self._move(found, "IN_PROGRESS")
        days = self._book.settings.return_reception_days
        if days is not None:
            self._book.agenda.after(timedelta(days=days), lambda: self._not_there(found))

    def _not_there(self, found: Return) -> None:
        if found.state == "IN_PROGRESS":
            self._move(found, "NO_RECEPTION")

    def _give_up(self, found: Return, state: str) -> None:
        """Nothing comes back by this return: its units can be returned by another one."""
        order = self._book.orders[found.order_id]
        for part in found.lines:
            self._line(order, part).returned -= part.quantity
        self._move(found, state)

    def _move(self, found: Return, state: str) -> None:
        found.state = state
        self._touch(found)
        self._tell(found)

    def _touch(self, found: Return) -> None:
        found.updated_at = seconds(self._book.agenda.now)

    def _tell(self, found: Return) -> None:
        for observer in self.on_return_state:
            observer(found)

    def _line(self, order: Order, part: ReturnLine) -> OrderLine:
        line = order.line(part.order_line_id)
        if line is None:
            raise ApiError.of(400, f"Order line {part.order_line_id} not found")
        return line

    def _require_count(self, items: Sequence[object], most: int) -> None:
        self.require_module()
        if not 1 <= len(items) <= most:
            raise ApiError.of(400, f"returns: 1 to {most} are allowed in one call")

    def _require_reason(self, code: str, kind: str) -> None:
        reasons = self._book.settings.reasons
        if not any((reason.code, reason.type) == (code, kind) for reason in reasons):
            raise ApiError.of(400, f"Reason '{code}' is no reason of type {kind}")


def _read(items: Sequence[Mapping[str, object]], kind: type[T]) -> list[T]:
    try:
        return [msgspec.convert(item, kind) for item in items]
    except msgspec.ValidationError as invalid:
        raise ApiError.of(400, f"returns: {invalid}") from None
