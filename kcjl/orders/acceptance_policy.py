"""The acceptance policy: which orders are accepted by themselves, and what holds the others.

Promises: pure. A policy is TOML as people write it; what it can't mean is refused with the name
of the rule. Of several rules that hold an order the first in the file is named.
It does not: know stock, or what a person has said (`acceptance.py`).
Called by `acceptance.py`, the orders room and the CLI. Source: design 7, law 9.
"""

from typing import Literal

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.toml import read_toml

__all__ = [
    "RULES_MAX",
    "AcceptancePolicy",
    "AtTheEnd",
    "HoldRule",
    "Mode",
    "read_policy",
    "written_policy",
]

RULES_MAX = 1_000
"""Rules of one policy: above it, it is a list of orders and no policy."""
END_MIN, END_MAX = 81, 99

Mode = Literal["known_and_available", "known", "manual"]
AtTheEnd = Literal["leave", "accept", "refuse"]


class HoldRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule holds an order for which everything that it names is so."""

    name: str
    above: Money | None = None
    """The order's total is above it; of orders in that currency only."""
    skus: tuple[str, ...] = ()
    """One of its SKUs is one of these."""
    countries: tuple[str, ...] = ()
    """It goes to one of these; as the marketplace writes them, such as GBR."""
    countries_other_than: tuple[str, ...] = ()
    """It goes to none of these."""


class AcceptancePolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole policy."""

    note: str = ""
    accept: Mode = "known_and_available"
    """What is accepted where no rule holds it: what the ERP knows and has; what it knows,
    whether it has it or not; nothing without a person's word.
    """
    at_the_end: AtTheEnd = "leave"
    """When the time is nearly over: leave it to a person; accept the lines that are known and
    there, and refuse the others; refuse all.
    """
    end_percent: int = 95
    """Of the time for accepting, when that is."""
    holds: tuple[HoldRule, ...] = ()


class _RuleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule in a file: a key that nobody knows is a slip of the pen."""

    name: str = ""
    above: str | int | None = None
    currency: str = "GBP"
    skus: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    countries_other_than: tuple[str, ...] = ()


class _PolicyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    note: str = ""
    accept: Mode = "known_and_available"
    at_the_end: AtTheEnd = "leave"
    end_percent: int = 95
    holds: tuple[_RuleFile, ...] = ()


def read_policy(text: str) -> AcceptancePolicy:
    """A policy from its TOML. Raises Misuse that says which rule, and what to mend.

    >>> read_policy('accept = "known"').accept
    'known'
    """
    try:
        read = msgspec.convert(read_toml(text, parse_float=str), _PolicyFile)
    except ValueError as error:  # no TOML, odd numbers
        raise _unusable(f"it is no TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise _unusable(str(error)) from None
    if not END_MIN <= read.end_percent <= END_MAX:
        raise _unusable(f"end_percent is {read.end_percent}; it is {END_MIN} to {END_MAX}")
    if len(read.holds) > RULES_MAX:
        raise _unusable(f"it has {len(read.holds)} rules, and at most {RULES_MAX} are kept")
    names = [rule.name.strip() for rule in read.holds]
    if not all(names):
        raise _unusable("a rule has no name; a held order names the rule that holds it")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise _unusable(f"two rules are called {twice!r}")
    return AcceptancePolicy(
        note=read.note,
        accept=read.accept,
        at_the_end=read.at_the_end,
        end_percent=read.end_percent,
        holds=tuple(_rule(rule) for rule in read.holds),
    )


def _rule(read: _RuleFile) -> HoldRule:
    lists = (read.skus, read.countries, read.countries_other_than)
    if read.above is None and not any(lists):
        raise _unusable(
            f"rule {read.name!r} names nothing: above, skus, countries or "
            'countries_other_than; to hold every order, accept = "manual"'
        )
    if any(not each.strip() for codes in lists for each in codes):
        raise _unusable(f"rule {read.name!r}: an empty code is no SKU and no country")
    above = None
    if read.above is not None:
        try:
            above = Money.parse(read.above, read.currency)
        except Misuse as error:
            raise _unusable(f"rule {read.name!r}: above: {error.message}") from None
        if above.amount_minor < 0:
            raise _unusable(f"rule {read.name!r}: above is {above}; it is 0 or more")
    return HoldRule(
        name=read.name.strip(),
        above=above,
        skus=read.skus,
        countries=tuple(each.upper() for each in read.countries),
        countries_other_than=tuple(each.upper() for each in read.countries_other_than),
    )


def _unusable(why: str) -> Misuse:
    return Misuse(f"the acceptance policy can't be used: {why}. Mend the file and set it again")


def written_policy(policy: AcceptancePolicy) -> str:
    """The policy as TOML that reads back as the same policy."""
    lines = [f"note = {_text(policy.note)}"] if policy.note else []
    lines += [
        f"accept = {_text(policy.accept)}",
        f"at_the_end = {_text(policy.at_the_end)}",
        f"end_percent = {policy.end_percent}",
    ]
    for rule in policy.holds:
        lines += ["", "[[holds]]", f"name = {_text(rule.name)}"]
        if rule.above is not None:
            lines.append(f"above = {_text(f'{rule.above.decimal():f}')}")
            lines.append(f"currency = {_text(rule.above.currency)}")
        for key in ("skus", "countries", "countries_other_than"):
            if codes := getattr(rule, key):
                lines.append(f"{key} = [{', '.join(map(_text, codes))}]")
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    # A JSON string is a TOML basic string, but for the one sign that TOML wants escaped too.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
