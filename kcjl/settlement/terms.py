"""The commission terms: what the operator may charge, by category and time, as agreed.

Promises: pure. Terms are TOML as people write them; what they can't mean is refused with the
place. Of several rates that fit, the one of the category goes before the one of all others,
and of two the one that began later. Without a rate nothing is held against a rate.
Called by `expectation.py`, the settlement room and the CLI. Source: design 9, contract e.5.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money, half_up
from kcjl.toml import read_toml

__all__ = [
    "RATES_MAX",
    "CommissionRate",
    "CommissionTerms",
    "part_of",
    "rate_at",
    "read_terms",
    "written_terms",
]

RATES_MAX = 10_000
"""Rates of one set of terms: above it, it is a price list and no contract."""
TOLERANCE_PENCE_MAX = 5
HUNDRED = Decimal(100)


class CommissionRate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of the contract's table."""

    category: str = ""
    """Empty: every category that has no row of its own."""
    percent: Decimal
    on_shipping: bool = True
    valid_from: date | None = None
    valid_until: date | None = None
    """The last day on which it holds; London's days, by when the order was placed."""

    def holds(self, category: str, day: date) -> bool:
        return (
            self.category in ("", category)
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


class CommissionTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it. The default: VAT as in the United Kingdom, and no rate known."""

    note: str = ""
    vat_percent: Decimal = Decimal(20)
    """On the rounded fee (contract e.5)."""
    tolerance_pence: int = 1
    """By so much a rounded amount may be off for each transaction line; it is rounding then."""
    rates: tuple[CommissionRate, ...] = ()


def rate_at(terms: CommissionTerms, category: str, day: date) -> CommissionRate | None:
    """The row that holds for an order line."""
    fitting = [rate for rate in terms.rates if rate.holds(category, day)]
    return max(
        fitting, key=lambda each: (each.category, each.valid_from or date.min), default=None
    )


def part_of(amount: Money, percent: Decimal) -> Money:
    """A percentage of an amount, half up to whole minor units (contract e.5)."""
    return Money(half_up(amount.amount_minor * percent / HUNDRED), amount.currency)


class _RateFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    percent: str | int
    category: str = ""
    on_shipping: bool = True
    valid_from: date | None = None
    valid_until: date | None = None


class _TermsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    note: str = ""
    vat_percent: str | int = 20
    tolerance_pence: int = 1
    rates: tuple[_RateFile, ...] = ()


def read_terms(text: str) -> CommissionTerms:
    r"""Terms from their TOML. Raises Misuse that says what to mend.

    >>> read_terms('[[rates]]\npercent = 15').rates[0].percent
    Decimal('15')
    """
    try:
        read = msgspec.convert(read_toml(text, parse_float=str), _TermsFile)
    except ValueError as error:  # no TOML, odd numbers
        raise _unusable(f"they are no TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise _unusable(str(error)) from None
    if len(read.rates) > RATES_MAX:
        raise _unusable(f"they have {len(read.rates)} rates, and at most {RATES_MAX} are kept")
    if not 0 <= read.tolerance_pence <= TOLERANCE_PENCE_MAX:
        raise _unusable(f"tolerance_pence is 0 to {TOLERANCE_PENCE_MAX}")
    rates = tuple(_rate(rate, number) for number, rate in enumerate(read.rates, start=1))
    _refuse_twice(rates)
    return CommissionTerms(
        note=read.note,
        vat_percent=_percent(read.vat_percent, "vat_percent"),
        tolerance_pence=read.tolerance_pence,
        rates=rates,
    )


def _rate(read: _RateFile, number: int) -> CommissionRate:
    what = f"rate {number} ({read.category or 'all other categories'})"
    begins, ends = read.valid_from, read.valid_until
    if begins is not None and ends is not None and ends < begins:
        raise _unusable(f"{what}: it ends on {ends}, before it begins on {begins}")
    return CommissionRate(
        category=read.category.strip(),
        percent=_percent(read.percent, f"{what}: percent"),
        on_shipping=read.on_shipping,
        valid_from=begins,
        valid_until=ends,
    )


def _percent(told: str | int, what: str) -> Decimal:
    try:
        percent = Decimal(told)
    except InvalidOperation:
        raise _unusable(f"{what}: {told!r} is no number") from None
    if not percent.is_finite() or not 0 <= percent <= HUNDRED:
        raise _unusable(f"{what} is {told}; it is 0 to 100")
    return percent


def _refuse_twice(rates: Sequence[CommissionRate]) -> None:
    seen: set[tuple[str, date | None]] = set()
    for rate in rates:
        key = (rate.category, rate.valid_from)
        if key in seen:
            since = f" from {rate.valid_from}" if rate.valid_from else ""
            raise _unusable(f"{rate.category or 'all other categories'}{since} is there twice")
        seen.add(key)


def _unusable(why: str) -> Misuse:
    return Misuse(f"the commission terms can't be used: {why}. Mend the file and set it again")


def written_terms(terms: CommissionTerms) -> str:
    """The terms as TOML that reads back as the same terms."""
    lines = [f"note = {_text(terms.note)}"] if terms.note else []
    lines += [
        f'vat_percent = "{terms.vat_percent:f}"',
        f"tolerance_pence = {terms.tolerance_pence}",
    ]
    for rate in terms.rates:
        lines += ["", "[[rates]]"]
        if rate.category:
            lines.append(f"category = {_text(rate.category)}")
        lines += [
            f'percent = "{rate.percent:f}"',
            f"on_shipping = {str(rate.on_shipping).lower()}",
        ]
        for name in ("valid_from", "valid_until"):
            if (day := getattr(rate, name)) is not None:
                lines.append(f"{name} = {day.isoformat()}")
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    # A JSON string is a TOML basic string, but for the one sign that TOML wants escaped too.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
