"""Money: whole minor units and a currency.

Promises: no float comes near it; two currencies are never added; rounding names its rule.
It does not convert between currencies. Invariant: `amount_minor` is pence for GBP.
Called by every room that touches an amount.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

import msgspec

from kcjl.errors import Misuse

__all__ = ["Money", "half_up", "total_by_currency"]

_EXPONENTS = {"GBP": 2, "EUR": 2, "USD": 2, "JPY": 0}
"""Minor-unit exponents, ISO 4217; currencies not named here have two places."""


class Money(msgspec.Struct, frozen=True, order=True, gc=False):
    """An amount in whole minor units of one currency."""

    amount_minor: int
    currency: str = "GBP"

    @classmethod
    def parse(cls, amount: "Decimal | int | str", currency: str) -> "Money":
        """An exact amount of major units; more places than the currency has are refused.

        >>> Money.parse("67.45", "GBP")
        Money(amount_minor=6745, currency='GBP')
        """
        try:
            minor = Decimal(amount).scaleb(_EXPONENTS.get(currency, 2))
        except InvalidOperation:
            raise Misuse(f"{amount!r} is not an amount of money") from None
        if not minor.is_finite() or minor != minor.to_integral_value():
            raise Misuse(f"{amount} {currency} has more decimal places than the currency")
        return cls(int(minor), currency)

    def decimal(self) -> Decimal:
        """The amount in major units, exact, with all its decimal places."""
        return Decimal(self.amount_minor).scaleb(-_EXPONENTS.get(self.currency, 2))

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise Misuse(f"{self} and {other} are of two currencies and can't be added")
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return self + -other

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.amount_minor), self.currency)

    def times(self, quantity: int) -> "Money":
        return Money(self.amount_minor * quantity, self.currency)

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def __str__(self) -> str:
        return f"{self.decimal():,} {self.currency}"


def half_up(amount: Decimal) -> int:
    """A decimal number of minor units to whole ones, halves away from zero (contract e.5)."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def total_by_currency(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """The sums, one a currency, the largest first.

    >>> total_by_currency([Money(100, "EUR"), Money(250), Money(50)])
    (Money(amount_minor=300, currency='GBP'), Money(amount_minor=100, currency='EUR'))
    """
    sums: dict[str, Money] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Money(0, amount.currency)) + amount
    return tuple(sorted(sums.values(), key=lambda each: -each.amount_minor))
