"""Amounts of a reversal: what is left of a line, and what is asked of it.

Promises: pure; never more than was paid less what went back already, never below 0; units are
their part of the price, half up. It names no tax: those are in proportion to what comes out.
Called by `reversal_plan.py`. Source: contract johnlewis b.3, e.5.
"""

from decimal import Decimal

import msgspec

from kcjl.errors import Refused
from kcjl.johnlewis.order_port import OrderLine
from kcjl.money import Money, half_up

__all__ = [
    "Asked",
    "amounts_left",
    "cancel_amounts",
    "commission_back",
    "refund_amounts",
    "within",
]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to give back. Nothing named: all that is left."""

    line_ids: tuple[str, ...] = ()
    """Empty: every line with something left."""
    units: int | None = None
    """Of one line."""
    amount: Decimal | None = None
    """Of one line, goods."""
    shipping: Decimal | None = None
    """Of one line."""
    reason_code: str = ""
    not_to_ship: bool = False


def amounts_left(line: OrderLine) -> tuple[Money, Money]:
    """(goods, shipping) that was paid for the line and has not gone back."""
    goods = sum((refund.amount for refund in line.refunds), Money(0, line.price.currency))
    shipping = sum(
        (refund.shipping_amount for refund in line.refunds),
        Money(0, line.shipping_price.currency),
    )
    return line.price - goods, line.shipping_price - shipping


def refund_amounts(line: OrderLine, asked: Asked) -> tuple[Money, Money, int]:
    goods, shipping = amounts_left(line)
    units = line.quantity if asked.units is None else asked.units
    if not 0 <= units <= line.quantity:
        raise Refused(f"line {line.line_id} has {line.quantity} units, not {units}")
    currency = line.price.currency
    whole = asked.units is None and asked.amount is None and asked.shipping is None
    if asked.amount is not None:
        amount = Money.parse(asked.amount, currency)
    elif asked.units is not None:
        share = Decimal(line.price.amount_minor * units) / (line.quantity or 1)
        amount = min(Money(half_up(share), currency), goods)
    else:
        amount = goods if whole else Money(0, currency)
    zero = shipping if whole else Money(0, currency)
    back = zero if asked.shipping is None else Money.parse(asked.shipping, currency)
    if asked.units is None and asked.amount is not None:
        units = 0
    within(line, amount, back, goods, shipping)
    return amount, back, units


def cancel_amounts(line: OrderLine, asked: Asked) -> tuple[Money, Money, int]:
    """Former cancelations have lowered the price already."""
    gone = sum(each.quantity or 0 for each in line.cancelations)
    units = line.quantity - gone if asked.units is None else asked.units
    if not 1 <= units <= line.quantity - gone:
        raise Refused(
            f"line {line.line_id} has {line.quantity - gone} units left to cancel, not {units}"
        )
    currency, all_units = line.price.currency, units == line.quantity - gone
    if asked.amount is not None:
        amount = Money.parse(asked.amount, currency)
    elif all_units:
        amount = line.price
    else:
        share = Decimal(line.price.amount_minor * units) / (line.quantity - gone)
        amount = Money(half_up(share), currency)
    back = line.shipping_price if all_units else Money(0, currency)
    if asked.shipping is not None:
        back = Money.parse(asked.shipping, currency)
    within(line, amount, back, line.price, line.shipping_price)
    return amount, back, units


def within(
    line: OrderLine, amount: Money, shipping: Money, goods_left: Money, shipping_left: Money
) -> None:
    if min(amount.amount_minor, shipping.amount_minor) < 0:
        raise Refused(f"line {line.line_id}: an amount below 0 can't be given back")
    if amount > goods_left or shipping > shipping_left:
        raise Refused(
            f"line {line.line_id}: {amount} and {shipping} of shipping are more than what was "
            f"paid less what went back already, {goods_left} and {shipping_left} of shipping"
        )
    if not amount and not shipping:
        raise Refused(f"line {line.line_id}: nothing is left of it to give back")


def commission_back(line: OrderLine, back: Money) -> Money:
    """Fee in proportion, half up, and its tax on the rounded fee (contract e.5)."""
    paid = (line.price + line.shipping_price).amount_minor
    if not paid:
        return Money(0, line.price.currency)
    fee = half_up(Decimal(line.commission.amount_minor * back.amount_minor) / paid)
    rate = Decimal(line.commission_tax.amount_minor) / (line.commission.amount_minor or 1)
    return Money(fee + half_up(fee * rate), line.price.currency)
