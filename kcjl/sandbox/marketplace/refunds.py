"""Money given back on order lines, by the shop or by the operator.

Promises: a call of several refunds is taken whole or not at all; no line gives back more than
it took; a refund is WAITING_REFUND, then WAITING_REFUND_PAYMENT, then REFUNDED, when its
transaction lines are made (contract c.3, e.3). A refund never changes a line's
price or quantity. It does not know a repeat from a second refund: the platform has no key
for it (d.5). Called by the marketplace's door.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.moments import seconds
from kcjl.sandbox.marketplace.records import (
    Charge,
    Order,
    OrderLine,
    Refund,
    Tax,
)

__all__ = ["Refunds"]

REFUNDABLE_STATES = frozenset({"SHIPPING", "SHIPPED", "TO_COLLECT", "RECEIVED"})
AMOUNT_DIGITS_MAX = 12
FIRST_REFUND_ID = 55_000
FIRST_REFUND_TRANSACTION = 800_000


class TaxRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Tax on an amount that is given back."""

    code: str
    amount: str


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One refund of an OR28 call; amounts are decimal numbers written out."""

    order_line_id: str
    amount: str
    shipping_amount: str
    reason_code: str
    quantity: int = 0
    currency_iso_code: str | None = None
    excluded_from_shipment: bool = False
    taxes: list[TaxRequest] = []
    shipping_taxes: list[TaxRequest] = []


class Refunds:
    """Refunds asked for and carried out."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._count = 0

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
            self._check_amounts(line, [*asked, charge])
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
        order, line = self._find(order_line_id)
        if order.state not in {"SHIPPED", "TO_COLLECT", "RECEIVED"} or not line.is_live:
            raise ApiError.of(400, f"Order line {order_line_id} is in state {line.state}")
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

    # ── checking ───────────────────────────────────────────────────────────────────────────

    def _find(self, line_id: str) -> tuple[Order, OrderLine]:
        order = self._book.order_of_line.get(line_id)
        line = order.line(line_id) if order else None
        if order is None or line is None:
            raise ApiError.of(
                400, f"Order line {line_id} not found", code="ORDER_LINE_NOT_FOUND"
            )
        return order, line

    def _check(
        self, request: RefundRequest, tax_mode: str | None
    ) -> tuple[Order, OrderLine, Charge]:
        """The line that is meant, and the charge in the order's own tax mode."""
        settings = self._book.settings
        order, line = self._find(request.order_line_id)
        where = f"Order line {line.line_id}"
        if order.state not in REFUNDABLE_STATES or not line.is_live:
            raise ApiError.of(400, f"{where} is in state {line.state} and cannot be refunded")
        if order.debited_at is None:
            raise ApiError.of(400, f"{where} has not been paid for and cannot be refunded")
        usable = (
            reason.code
            for reason in settings.reasons
            if reason.type == "REFUND" and reason.is_shop_right
        )
        if request.reason_code not in usable:
            raise ApiError.of(400, f"Reason {request.reason_code} cannot be used for a refund")
        if request.currency_iso_code not in {None, settings.currency}:
            raise ApiError.of(400, f"Currency {request.currency_iso_code} is not of this order")
        amount = self._amount(request.amount, "amount")
        shipping = self._amount(request.shipping_amount, "shipping_amount")
        taxes = self._taxes(request.taxes, line.taxes, amount, "taxes")
        shipping_taxes = self._taxes(
            request.shipping_taxes, line.shipping_taxes, shipping, "shipping_taxes"
        )
        mode = tax_mode or order.tax_mode
        if mode not in {"TAX_INCLUDED", "TAX_EXCLUDED"}:
            raise ApiError.of(400, f"order_tax_mode: {mode} is no tax mode")
        if mode != order.tax_mode:
            sign = 1 if mode == "TAX_EXCLUDED" else -1
            amount += self._sum(taxes).times(sign)
            shipping += self._sum(shipping_taxes).times(sign)
        charge = self._book.tariff.charge(line, amount, shipping)
        charge.taxes = taxes
        charge.shipping_taxes = shipping_taxes
        return order, line, charge

    def _amount(self, text: str, field: str) -> Money:
        try:
            if Decimal(text).adjusted() > AMOUNT_DIGITS_MAX:
                raise ApiError.of(400, f"{field}: is too large")
            amount = Money.parse(text, self._book.settings.currency)
        except InvalidOperation:
            raise ApiError.of(400, f"{field}: is not a number") from None
        except Misuse as misuse:
            raise ApiError.of(400, f"{field}: {misuse}") from None
        if amount.amount_minor < 0:
            raise ApiError.of(400, f"{field}: must not be negative")
        return amount

    def _taxes(
        self, given: list[TaxRequest], of_line: list[Tax], amount: Money, field: str
    ) -> list[Tax]:
        """Taxes are named where the line has them: leaving them out is refused."""
        rates = {tax.code: tax.rate for tax in of_line}
        if amount and rates.keys() - {tax.code for tax in given}:
            raise ApiError.of(400, f"{field}: the taxes {', '.join(sorted(rates))} are missing")
        taxes = []
        for tax in given:
            part = self._amount(tax.amount, field)
            if tax.code in rates:
                taxes.append(Tax(code=tax.code, amount=part, rate=rates[tax.code]))
            elif part:
                raise ApiError.of(400, f"{field}: tax {tax.code} is not on the order line")
        return taxes

    def _check_amounts(self, line: OrderLine, charges: list[Charge]) -> None:
        amount = self._sum(charges)
        shipping = sum(charge.shipping_amount.amount_minor for charge in charges)
        if any(not charge.amount and not charge.shipping_amount for charge in charges):
            raise ApiError.of(400, f"Order line {line.line_id}: nothing is to be refunded")
        if (
            amount.amount_minor > line.refundable.amount_minor
            or shipping > line.refundable_shipping.amount_minor
        ):
            raise ApiError.of(
                400,
                f"Order line {line.line_id}: the amount is above what is left to refund, "
                f"{line.refundable} and {line.refundable_shipping} of shipping",
            )

    def _check_balance(self, charges: list[Charge]) -> None:
        if not self._book.settings.refund_needs_payable_balance:
            return
        total = sum(
            charge.amount.amount_minor + charge.shipping_amount.amount_minor
            for charge in charges
        )
        if self._book.ledger.total("PAYABLE").amount_minor < total:
            raise ApiError.of(400, "The payable balance of the shop is too low for this refund")

    def _sum(self, parts: Sequence[Tax | Charge]) -> Money:
        minor = sum(part.amount.amount_minor for part in parts)
        return Money(minor, self._book.settings.currency)

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
        done = all(other.state == "REFUNDED" for other in line.refunds)
        if line.is_fully_refunded and done and line.is_live:
            line.state = "REFUNDED"
        self._book.touch(order, [line])
        self._book.settle(order)
