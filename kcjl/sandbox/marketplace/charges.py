"""What a shop writes of amounts that it gives back, read against the order line that is meant.

Promises: amounts are decimal numbers with no more places than the currency has, not below 0;
taxes are named where the line has them (contract b.3: leaving them out is a 400), each once; an
amount in the other tax mode is turned into the order's own. It changes nothing.
Called by the refunds (OR28) and the cancelations (OR30).
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.records import Charge, Order, OrderLine, Tax

__all__ = ["ChargeReader", "ChargeRequest", "TaxRequest"]

AMOUNT_DIGITS_MAX = 12
TAX_MODES = frozenset({"TAX_INCLUDED", "TAX_EXCLUDED"})


class TaxRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Tax on an amount that is given back."""

    code: str
    amount: str


class ChargeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a refund and a cancelation say alike; amounts are decimal numbers written out."""

    order_line_id: str
    amount: str
    shipping_amount: str
    reason_code: str
    currency_iso_code: str | None = None
    taxes: list[TaxRequest] = []
    shipping_taxes: list[TaxRequest] = []


class ChargeReader:
    """Turns what was written into a charge on a line, or refuses it."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def find(self, line_id: str) -> tuple[Order, OrderLine]:
        order = self._book.order_of_line.get(line_id)
        line = order.line(line_id) if order else None
        if order is None or line is None:
            raise ApiError.of(
                400, f"Order line {line_id} not found", code="ORDER_LINE_NOT_FOUND"
            )
        return order, line

    def require_reason(self, code: str, kind: str) -> None:
        """The reason must be of this type, and one that a shop may use."""
        usable = (
            reason.code
            for reason in self._book.settings.reasons
            if reason.type == kind and reason.is_shop_right
        )
        if code not in usable:
            raise ApiError.of(400, f"Reason {code} cannot be used: it is no {kind} of a shop's")

    def charge(
        self, request: ChargeRequest, order: Order, line: OrderLine, tax_mode: str | None
    ) -> Charge:
        """The charge in the order's own tax mode, with the commission that hangs on it."""
        settings = self._book.settings
        if request.currency_iso_code not in {None, settings.currency}:
            raise ApiError.of(400, f"Currency {request.currency_iso_code} is not of this order")
        amount = self._amount(request.amount, "amount")
        shipping = self._amount(request.shipping_amount, "shipping_amount")
        taxes = self._taxes(request.taxes, line.taxes, amount, "taxes")
        shipping_taxes = self._taxes(
            request.shipping_taxes, line.shipping_taxes, shipping, "shipping_taxes"
        )
        mode = tax_mode or order.tax_mode
        if mode not in TAX_MODES:
            raise ApiError.of(400, f"order_tax_mode: {mode} is no tax mode")
        if mode != order.tax_mode:
            sign = 1 if mode == "TAX_EXCLUDED" else -1
            amount += self.sum(taxes).times(sign)
            shipping += self.sum(shipping_taxes).times(sign)
        charge = self._book.tariff.charge(line, amount, shipping)
        charge.taxes = taxes
        charge.shipping_taxes = shipping_taxes
        return charge

    def require_within(self, line: OrderLine, charges: list[Charge]) -> None:
        """Together they are no more than is left of the line, and each is something."""
        amount = self.sum(charges)
        shipping = sum(charge.shipping_amount.amount_minor for charge in charges)
        if any(not charge.amount and not charge.shipping_amount for charge in charges):
            raise ApiError.of(400, f"Order line {line.line_id}: nothing is to be given back")
        if (
            amount.amount_minor > line.refundable.amount_minor
            or shipping > line.refundable_shipping.amount_minor
        ):
            raise ApiError.of(
                400,
                f"Order line {line.line_id}: the amount is above what is left, "
                f"{line.refundable} and {line.refundable_shipping} of shipping",
            )

    def sum(self, parts: Sequence[Tax | Charge]) -> Money:
        minor = sum(part.amount.amount_minor for part in parts)
        return Money(minor, self._book.settings.currency)

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
        """The taxes that are given, in the order of the line's own."""
        parts: dict[str, Money] = {}
        for tax in given:
            if tax.code in parts:
                raise ApiError.of(400, f"{field}: tax {tax.code} is there twice")
            parts[tax.code] = self._amount(tax.amount, field)
        missing = [tax.code for tax in of_line if tax.code not in parts]
        if amount and missing:
            raise ApiError.of(400, f"{field}: the taxes {', '.join(missing)} are missing")
        for code in parts.keys() - {tax.code for tax in of_line}:
            if parts[code]:
                raise ApiError.of(400, f"{field}: tax {code} is not on the order line")
        return [
            Tax(code=tax.code, amount=parts[tax.code], rate=tax.rate)
            for tax in of_line
            if tax.code in parts
        ]
