"""Values as a person or a journal gives them, checked: prices and quantities.

Promises: a price may be a text, Money, or Money as a journal wrote it; a quantity that comes
in is above 0. It knows no item. Invariant: what can't be is a Misuse that says so.
Called by the warehouse model.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money

__all__ = ["Given", "above_0", "price_of"]

Given = int | str | Decimal
"""A quantity as somebody gives it."""


def price_of(price: Money | str | Mapping[str, object], currency: str) -> Money:
    if isinstance(price, str):
        return Money.parse(price, currency)
    return msgspec.convert(price, Money, from_attributes=True)


def above_0(quantity: Given) -> Decimal:
    units = Decimal(quantity)
    if units <= 0:
        raise Misuse(f"a quantity of {units} can't come in")
    return units
