"""Cancelations by line (OR30): the shop takes units out of an order before they are paid for.

Promises: a call of several is taken whole or not at all; only what the payment workflow leaves
open can be cancelled (contract b.3): under PAY_ON_ACCEPTANCE nothing, then a refund is the way;
amounts of the line fall, and an order of which nothing is left is CANCELED. Without the
tenant's feature the operation is not there. Called by the marketplace's door.
"""

from collections.abc import Mapping, Sequence

import msgspec

from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.charges import ChargeReader, ChargeRequest
from kcjl.sandbox.marketplace.counter import Counter
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.inputs import Reason
from kcjl.sandbox.marketplace.records import Cancelation, Charge, Order, OrderLine

__all__ = ["Cancelations"]


class CancelationRequest(ChargeRequest, frozen=True, kw_only=True):
    """One cancelation of an OR30 call; the quantity counts here."""

    quantity: int


class Cancelations:
    """Units that the shop can't supply, before the customer is debited."""

    def __init__(self, book: Book, counter: Counter) -> None:
        self._book = book
        self._counter = counter
        self._charges = ChargeReader(book)

    def require_feature(self) -> None:
        if not self._book.settings.line_cancelation:
            raise ApiError.of(404, "Not Found")

    def cancel(
        self, cancelations: Sequence[Mapping[str, object]], order_tax_mode: str | None
    ) -> list[Cancelation]:
        """OR30."""
        self.require_feature()
        if not cancelations:
            raise ApiError.of(400, "cancelations: at least one cancelation is needed")
        try:
            requests = msgspec.convert(cancelations, list[CancelationRequest])
        except msgspec.ValidationError as invalid:
            raise ApiError.of(400, f"cancelations: {invalid}") from None
        ready: list[tuple[Order, OrderLine, CancelationRequest, Charge]] = []
        for request in requests:
            order, line = self._charges.find(request.order_line_id)
            self._require_cancellable(order, line)
            self._charges.require_reason(request.reason_code, "CANCELATION")
            charge = self._charges.charge(request, order, line, order_tax_mode)
            before = [(other, earlier) for _, of, other, earlier in ready if of is line]
            self._charges.require_within(line, [*(earlier for _, earlier in before), charge])
            self._require_units(line, [*(other for other, _ in before), request])
            ready.append((order, line, request, charge))
        made = [
            self._book.cancel_part(
                order, line, request.quantity, charge, self._reason(request.reason_code)
            )
            for order, line, request, charge in ready
        ]
        for order in {order.order_id: order for order, *_ in ready}.values():
            touched = [line for of, line, *_ in ready if of is order]
            reason = self._reason(requests[-1].reason_code)
            self._book.after_cancelation(order, touched, reason)
        return made

    def _require_cancellable(self, order: Order, line: OrderLine) -> None:
        where = f"Order line {line.line_id}"
        if not self._counter.is_before_debit(order) or not line.is_live:
            raise ApiError.of(
                400,
                f"{where} is in state {line.state} under {order.payment_workflow} "
                "and cannot be canceled",
            )

    def _require_units(self, line: OrderLine, requests: list[CancelationRequest]) -> None:
        left = line.quantity - line.shipped - line.parcelled - line.not_to_ship
        wanted = sum(request.quantity for request in requests)
        if any(request.quantity < 1 for request in requests):
            raise ApiError.of(400, f"Order line {line.line_id}: quantity must be at least 1")
        if wanted > left:
            raise ApiError.of(
                400,
                f"Order line {line.line_id}: {wanted} units are more than the {left} that can "
                "be canceled",
            )

    def _reason(self, code: str) -> Reason:
        reasons = self._book.settings.reasons
        label = next((each.label for each in reasons if each.code == code), code)
        return Reason(code=code, label=label)
