"""Money given back on order lines, by the shop or by the operator.

Promises: a call of several refunds is taken whole or not at all; no line gives back more than
it took; a refund is WAITING_REFUND, then WAITING_REFUND_PAYMENT, then REFUNDED, when its
transaction lines are made (contract c.3, e.3). A refund never changes a line's
price or quantity. It does not know a repeat from a second refund: the platform has no key
for it (d.5). Called by the marketplace's door.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec

from kcjl.money import Money
from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.charges import ChargeReader, ChargeRequest
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.moments import seconds
from kcjl.sandbox.marketplace.records import (
    Charge,
    Order,
    OrderLine,
    Refund,
)

__all__ = ["Refunds"]

REFUNDABLE_STATES = frozenset({"SHIPPING", "SHIPPED", "TO_COLLECT", "RECEIVED"})
FIRST_REFUND_ID = 55_000
FIRST_REFUND_TRANSACTION = 800_000


class RefundRequest(ChargeRequest, frozen=True, kw_only=True):
    """One refund of an OR28 call."""

    quantity: int = 0
    excluded_from_shipment: bool = False


class Refunds:
    """Refunds asked for and carried out."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._charges = ChargeReader(book)
        self._count = 0
        self.on_refunded: list[Callable[[Order, OrderLine], None]] = []
        """Called when a refund is done, before the line's state is looked at."""

    def refund(
        self, refunds: Sequence[Mapping[str, object]], order_tax_mode: str | None
    ) -> list[Refund]:
        """OR28."""
        if not refunds:
            raise ApiError.of(400, "refunds: at least one refund is needed")
        try:
            requests = msgspec.convert(refunds, list[RefundRequest])
        except msgspec.ValidationError as invalid:
            raise ApiError.of(400, f"refunds: {invalid}") from None
        ready: list[tuple[Order, OrderLine, RefundRequest, Charge]] = []
        for request in requests:
            order, line, charge = self._check(request, order_tax_mode)
            asked = [earlier for _, other, _, earlier in ready if other is line]
            self._charges.require_within(line, [*asked, charge])
            ready.append((order, line, request, charge))
        self._check_balance([charge for *_, charge in ready])
        batch = self._book.agenda.new_id()
        return [
            self._begin(
                order,
                line,
                charge,
                quantity=request.quantity,
                reason_code=request.reason_code,
                excluded=request.excluded_from_shipment,
                batch=batch,
            )
            for order, line, request, charge in ready
        ]

    def customer_returns(
        self, order_line_id: str, quantity: int, *, reason_code: str, with_shipping: bool
    ) -> Refund:
        """The operator refunds delivered units that came back; the shop is not asked."""
        order, line = self._charges.find(order_line_id)
        if order.state not in {"SHIPPED", "TO_COLLECT", "RECEIVED"} or not line.is_live:
            raise ApiError.of(400, f"Order line {order_line_id} is in state {line.state}")
        if order.debited_at is None:
            raise ApiError.of(400, f"Order line {order_line_id} has not been paid for")
        if quantity <= 0 or quantity > line.shipped:
            raise ApiError.of(
                400, f"{quantity} units cannot come back of {line.shipped} shipped"
            )
        amount = min(line.unit_price.times(quantity), line.refundable)
        nothing = Money(0, amount.currency)
        shipping = line.refundable_shipping if with_shipping else nothing
        if not amount and not shipping:
            raise ApiError.of(400, f"Order line {order_line_id} has been refunded already")
        return self._begin(
            order,
            line,
            self._book.tariff.charge(line, amount, shipping),
            quantity=quantity,
            reason_code=reason_code,
            excluded=False,
            batch=self._book.agenda.new_id(),
        )

    def operator_refunds(
        self,
        order_line_id: str,
        *,
        amount: Money,
        shipping_amount: Money,
        quantity: int,
        reason_code: str,
    ) -> Refund:
        """The operator gives money back; neither the shop nor its balance is asked."""
        order, line = self._charges.find(order_line_id)
        self._require_refundable(order, line)
        if min(amount.amount_minor, shipping_amount.amount_minor) < 0:
            raise ApiError.of(400, "amount: must not be negative")
        charge = self._book.tariff.charge(line, amount, shipping_amount)
        self._charges.require_within(line, [charge])
        return self._begin(
            order,
            line,
            charge,
            quantity=quantity,
            reason_code=reason_code,
            excluded=False,
            batch=self._book.agenda.new_id(),
        )

    # ── checking ───────────────────────────────────────────────────────────────────────────

    def _check(
        self, request: RefundRequest, tax_mode: str | None
    ) -> tuple[Order, OrderLine, Charge]:
        """The line that is meant, and the charge in the order's own tax mode."""
        order, line = self._charges.find(request.order_line_id)
        self._require_refundable(order, line)
        self._charges.require_reason(request.reason_code, "REFUND")
        if request.quantity < 0:
            raise ApiError.of(400, "quantity: must not be negative")
        return order, line, self._charges.charge(request, order, line, tax_mode)

    def _require_refundable(self, order: Order, line: OrderLine) -> None:
        where = f"Order line {line.line_id}"
        if order.state not in REFUNDABLE_STATES or not line.is_live:
            raise ApiError.of(400, f"{where} is in state {line.state} and cannot be refunded")
        if order.debited_at is None:
            raise ApiError.of(400, f"{where} has not been paid for and cannot be refunded")

    def _check_balance(self, charges: list[Charge]) -> None:
        if not self._book.settings.refund_needs_payable_balance:
            return
        total = sum(
            charge.amount.amount_minor + charge.shipping_amount.amount_minor
            for charge in charges
        )
        if self._book.ledger.total("PAYABLE").amount_minor < total:
            raise ApiError.of(400, "The payable balance of the shop is too low for this refund")

    # ── carrying out ───────────────────────────────────────────────────────────────────────

    def _begin(
        self,
        order: Order,
        line: OrderLine,
        charge: Charge,
        *,
        quantity: int,
        reason_code: str,
        excluded: bool,
        batch: str,
    ) -> Refund:
        settings = self._book.settings
        agenda = self._book.agenda
        self._count += 1
        refund = Refund(
            refund_id=str(FIRST_REFUND_ID + self._count),
            order_refund_id=batch,
            order_line_id=line.line_id,
            charge=charge,
            quantity=quantity,
            reason_code=reason_code,
            excluded_from_shipment=excluded,
            state="WAITING_REFUND",
            created_at=seconds(agenda.now),
        )
        line.refunds.append(refund)
        if excluded:
            whole = line.is_fully_refunded
            line.not_to_ship += line.to_ship if whole else min(quantity, line.to_ship)
        self._book.touch(order, [line])
        self._book.settle(order)
        agenda.after(
            timedelta(seconds=settings.refund_accepted_after_s),
            lambda: self._await_payment(order, line, refund),
        )
        agenda.after(
            timedelta(seconds=settings.refund_accepted_after_s + settings.refund_paid_after_s),
            lambda: self._done(order, line, refund),
        )
        return refund

    def _await_payment(self, order: Order, line: OrderLine, refund: Refund) -> None:
        refund.state = "WAITING_REFUND_PAYMENT"
        self._book.touch(order, [line])

    def _done(self, order: Order, line: OrderLine, refund: Refund) -> None:
        refund.state = "REFUNDED"
        refund.transaction_at = seconds(self._book.agenda.now)
        number = FIRST_REFUND_TRANSACTION + int(refund.refund_id)
        refund.transaction_number = f"RX-{number}"
        self._book.ledger.refund(order, line, refund)
        for observer in self.on_refunded:
            observer(order, line)
        done = all(other.state == "REFUNDED" for other in line.refunds)
        if line.is_fully_refunded and done and line.is_live:
            line.state = "REFUNDED"
        self._book.touch(order, [line])
        self._book.settle(order)
