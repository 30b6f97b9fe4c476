"""Money: whole pence, one currency, no float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Misuse
from kcjl.money import Money, half_up
from tests.patience import unhurried

PENCE = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("67.45", "GBP", 6745),
        ("-0.01", "GBP", -1),
        (Decimal("67.4500"), "GBP", 6745),
        (67, "GBP", 6700),
        ("67", "JPY", 67),
        ("1E+2", "GBP", 10_000),
        ("1.23", "CHF", 123),
    ],
)
def test_parse_is_exact(amount: str | int | Decimal, currency: str, minor: int) -> None:
    """An amount is what it says, in its currency's own units."""
    assert Money(minor, currency) == Money.parse(amount, currency)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("67.455", "GBP"), ("0.5", "JPY"), ("NaN", "GBP"), ("Infinity", "GBP"), ("ten", "GBP")],
)
def test_parse_of_what_is_no_amount_is_refused(amount: str, currency: str) -> None:
    """A third decimal place is refused, never rounded away; words are no money."""
    with pytest.raises(Misuse):
        Money.parse(amount, currency)


def test_two_currencies_are_never_added() -> None:
    """Pounds and euros make no sum."""
    with pytest.raises(Misuse, match="two currencies"):
        Money(1, "GBP") + Money(1, "EUR")
    with pytest.raises(Misuse, match="two currencies"):
        Money(1, "GBP") - Money(1, "EUR")


@unhurried
@given(PENCE, PENCE)
def test_sums_are_sums_of_pence(one: int, other: int) -> None:
    """Adding and taking away is done in whole pence, signs and all."""
    assert Money(one + other) == Money(one) + Money(other)
    assert Money(one - other) == Money(one) - Money(other)
    assert Money(-one) == -Money(one)
    assert Money(abs(one)) == abs(Money(one))
    assert (one < other) == (Money(one) < Money(other))
    assert bool(one) == bool(Money(one))


@unhurried
@given(PENCE, st.sampled_from(["GBP", "JPY", "CHF"]))
def test_parse_of_what_was_written_is_the_same(pence: int, currency: str) -> None:
    """Written out and read again it is the same amount, exactly."""
    money = Money(pence, currency)

    assert money == Money.parse(money.decimal(), currency)


@unhurried
@given(PENCE, st.integers(0, 1_000))
def test_times_is_a_sum_of_equal_amounts(pence: int, quantity: int) -> None:
    """Three at 9.99 are 29.97."""
    assert Money(pence * quantity) == Money(pence).times(quantity)


def test_text_is_for_people() -> None:
    """Grouped, with all places and the currency."""
    assert "1,640.00 GBP" == str(Money(164_000))
    assert "-0.05 GBP" == str(Money(-5))


@pytest.mark.parametrize(
    ("amount", "whole"), [("0.5", 1), ("-0.5", -1), ("1.49", 1), ("2.5", 3), ("-2.51", -3)]
)
def test_half_up_rounds_halves_away_from_nought(amount: str, whole: int) -> None:
    """The rule has a name, and this is it."""
    assert whole == half_up(Decimal(amount))
