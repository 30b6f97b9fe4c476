"""Counts and money as they are written on screen.

Promises: thousands are parted, a negative amount carries its sign, an amount always names its
currency, and a list that was cut says how long it really is. No float comes near.
Called by the view models.
"""

from kcjl.money import Money
from tui.model.plain import plain

__all__ = ["amount_text", "count_text", "cut_text", "money_text"]

NOTHING = "-"


def count_text(count: int) -> str:
    """With its thousands parted.

    >>> count_text(12431)
    '12,431'
    """
    return f"{count:,}"


def money_text(amount: Money | None) -> str:
    """Sign, amount and currency; a dash for none.

    >>> money_text(Money(-123456, "GBP"))
    '-1,234.56 GBP'
    """
    return NOTHING if amount is None else plain(str(amount))


def amount_text(amount: Money | None, currency: str) -> str:
    """Beside an amount that has named this currency; of another one, with its own.

    >>> amount_text(Money(-123456, "GBP"), "GBP"), amount_text(Money(5, "EUR"), "GBP")
    ('-1,234.56', '0.05 EUR')
    """
    told = money_text(amount)
    return told.removesuffix(f" {currency}") if amount is not None else told


def cut_text(shown: int, total: int, *, of: str, matching: int | None = None) -> str:
    """How much of a list is on screen: of the whole when it was cut, of what when filtered.

    `of` is what the rows are, in the singular.

    >>> cut_text(500, 12431, of="exception")
    'first 500 of 12,431 exceptions'
    >>> cut_text(500, 12431, of="exception", matching=12)
    '12 match in the first 500 of 12,431 exceptions'
    """
    of = of if total == 1 else f"{of}s"
    if shown < total:
        whole = f"first {count_text(shown)} of {count_text(total)} {of}"
        return whole if matching is None else f"{count_text(matching)} match in the {whole}"
    if matching is None:
        return f"{count_text(total)} {of}"
    return f"{count_text(matching)} of {count_text(total)} {of} match"
