"""The ERP's arithmetic of an order line (the vendor's sales order calculation sheet).

Promises: gross classes take the tax out of the gross line, net classes put it onto the net
line; each amount is rounded once, half up, to the penny. A unit price may have more places
than the currency. It knows no order. Invariant: net + tax = gross. Source: contract khaos
b.3, CALC.
Called by the import desk of the sandbox's warehouse.
"""

from decimal import Decimal

import msgspec

from kcjl.money import Money, half_up

__all__ = ["LineAmounts", "UnitPrice", "money_of", "net_of", "price_line"]

_HUNDRED = Decimal(100)


class UnitPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A price of one unit as somebody gave it, in major units."""

    amount: Decimal
    is_net: bool


class LineAmounts(msgspec.Struct, frozen=True, kw_only=True):
    unit: UnitPrice
    """As the customer's class calculates."""
    net: Money
    tax: Money
    gross: Money


def price_line(
    price: UnitPrice,
    quantity: Decimal,
    *,
    class_is_net: bool,
    tax_percent: Decimal,
    discount_percent: Decimal,
    currency: str,
) -> LineAmounts:
    """What a line comes to for a customer of that class."""
    unit = _in_the_way_of_the_class(price, tax_percent, class_is_net=class_is_net)
    line = unit.amount * quantity
    base = money_of(line, currency) - money_of(line * discount_percent / _HUNDRED, currency)
    if class_is_net:
        tax = money_of(base.decimal() * tax_percent / _HUNDRED, currency)
        return LineAmounts(unit=unit, net=base, tax=tax, gross=base + tax)
    net = net_of(base, tax_percent)
    return LineAmounts(unit=unit, net=net, tax=base - net, gross=base)


def net_of(gross: Money, tax_percent: Decimal) -> Money:
    """What is left of a gross amount when the tax is taken out."""
    return money_of(gross.decimal() / (1 + tax_percent / _HUNDRED), gross.currency)


def money_of(amount: Decimal, currency: str) -> Money:
    """An amount in major units, rounded half up to the currency's places."""
    exponent = Money(1, currency).decimal()
    return Money(half_up(amount / exponent), currency)


def _in_the_way_of_the_class(
    price: UnitPrice, tax_percent: Decimal, *, class_is_net: bool
) -> UnitPrice:
    """A price given the other way is turned round, to the penny: the source of penny gaps."""
    if price.is_net == class_is_net:
        return price
    factor = 1 + tax_percent / _HUNDRED
    turned = price.amount / factor if class_is_net else price.amount * factor
    return UnitPrice(amount=Decimal(half_up(turned * 100)) / 100, is_net=class_is_net)
