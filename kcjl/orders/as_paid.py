"""Orders, the border: an order's amounts as the customer pays them.

Promises: pure; taxes that the marketplace tells beside its amounts (TAX_EXCLUDED) are put onto
them, line by line, and so are they on refunds and cancelations; fees that the customer paid go
with the shipping, for the ERP knows one charge beside the goods. `tax_mode` stays as it was
told. Invariant: goods + shipping of a line is what its customer pays for it, to the penny.
Called by the orders room for every order that it takes in. Source: contract johnlewis b.3, e.6.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from kcjl.johnlewis.order_port import (
    Cancelation,
    Order,
    OrderLine,
    OrderState,
    Refund,
    TaxAmount,
)
from kcjl.money import Money, half_up

__all__ = ["as_paid", "tax_of"]

EXCLUDED = "TAX_EXCLUDED"
R = TypeVar("R", Refund, Cancelation)


def as_paid(order: Order) -> Order:
    """The same order with gross amounts; one whose amounts are gross already is itself."""
    excluded = order.tax_mode == EXCLUDED
    if not excluded and not any(line.fees for line in order.lines):
        return order
    zero = Money(0, order.currency)
    counted = [line for line in order.lines if line.state is not OrderState.REFUSED]
    fees = sum((line.fees or zero for line in counted), zero)
    on_goods = on_shipping = of_all = zero
    if excluded:
        on_goods = sum((_sum(line.taxes, zero) for line in counted), zero)
        on_shipping = sum((_sum(line.shipping_taxes, zero) for line in counted), zero)
        # Told for the whole order only: the lines then lack it, and it is seen that they do.
        of_all = max(on_goods + on_shipping, _sum(order.order_taxes, zero))
    return msgspec.structs.replace(
        order,
        price=order.price + on_goods,
        shipping_price=order.shipping_price + on_shipping + fees,
        total_price=order.total_price + of_all,
        lines=tuple(_line(line, excluded=excluded) for line in order.lines),
    )


def tax_of(line: OrderLine) -> Money | None:
    """The taxes on a line's goods and shipping; None where the marketplace lists none."""
    taxes = (*line.taxes, *line.shipping_taxes)
    return _sum(taxes, Money(0, line.price.currency)) if taxes else None


def _line(line: OrderLine, *, excluded: bool) -> OrderLine:
    zero = Money(0, line.price.currency)
    price, unit = line.price, line.unit_price
    shipping = line.shipping_price + (line.fees or zero)
    if excluded:
        price += _sum(line.taxes, zero)
        shipping += _sum(line.shipping_taxes, zero)
        if line.quantity:
            unit = Money(half_up(Decimal(price.amount_minor) / line.quantity), price.currency)
    return msgspec.structs.replace(
        line,
        unit_price=unit,
        price=price,
        shipping_price=shipping,
        refunds=tuple(_reversal(each, excluded=excluded) for each in line.refunds),
        cancelations=tuple(_reversal(each, excluded=excluded) for each in line.cancelations),
    )


def _reversal(reversal: R, *, excluded: bool) -> R:
    zero = Money(0, reversal.amount.currency)
    amount, shipping = reversal.amount, reversal.shipping_amount + (reversal.fees or zero)
    if excluded:
        amount += _sum(reversal.taxes, zero)
        shipping += _sum(reversal.shipping_taxes, zero)
    return msgspec.structs.replace(reversal, amount=amount, shipping_amount=shipping)


def _sum(taxes: Sequence[TaxAmount], zero: Money) -> Money:
    return sum((tax.amount for tax in taxes), zero)
