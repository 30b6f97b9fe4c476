"""Whose an exception is, the rules: by kind, lane, SKU and amount to a person or a role.

Promises: pure. Rules are TOML as people write them; what they can't mean is refused with the
name of the rule. The first rule of which everything that it names is so, names the owner;
where none does, it is the kind's own. It does not: assign what a person has assigned.
Called by the desk and the CLI. Source: design 10, law 9.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from kcjl.errors import Misuse
from kcjl.exceptions.catalogue import KINDS, lane_of
from kcjl.exceptions.kind import LANES
from kcjl.money import Money
from kcjl.toml import read_toml

__all__ = [
    "RULES_MAX",
    "Moved",
    "RoutingRule",
    "RoutingRules",
    "read_rules",
    "route",
    "written_rules",
]

RULES_MAX = 1_000
"""Rules of one document: above it, it is a list of exceptions and no policy."""


class RoutingRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An exception for which everything that is named is so belongs to the owner."""

    name: str
    owner: str
    """A person or a role."""
    kinds: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    """One of its SKUs is one of these, or begins like one that ends with an asterisk."""
    above: Money | None = None
    """The money at risk is above it; of that currency only."""


class RoutingRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole document."""

    note: str = ""
    rules: tuple[RoutingRule, ...] = ()


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Open exceptions that rules would give to somebody, of one kind and by one rule."""

    kind: str
    rule: str
    """Empty: none, it is the kind's own owner."""
    before: str
    after: str
    exceptions: int


def route(
    rules: RoutingRules, *, kind: str, skus: Sequence[str], money: Money | None
) -> RoutingRule | None:
    """The first rule that fits; None: the kind's own owner."""
    for rule in rules.rules:
        if _fits(rule, kind, skus, money):
            return rule
    return None


def _fits(rule: RoutingRule, kind: str, skus: Sequence[str], money: Money | None) -> bool:
    if rule.kinds and kind not in rule.kinds:
        return False
    if rule.lanes and lane_of(kind) not in rule.lanes:
        return False
    if rule.skus and not _one_of(skus, rule.skus):
        return False
    if rule.above is None:
        return True
    return (
        money is not None
        and money.currency == rule.above.currency
        and money.amount_minor > rule.above.amount_minor
    )


def _one_of(skus: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(
        fnmatchcase(sku.casefold(), pattern.casefold()) for sku in skus for pattern in patterns
    )


# ── the document ────────────────────────────────────────────────────────────────────────────


class _RuleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule in a file: a key that nobody knows is a slip of the pen."""

    name: str = ""
    owner: str = ""
    kinds: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    above: str | int | None = None
    currency: str = "GBP"


class _RulesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    note: str = ""
    rules: tuple[_RuleFile, ...] = ()


def read_rules(text: str) -> RoutingRules:
    """Rules from their TOML. Raises Misuse that says which rule, and what to mend.

    >>> read_rules('rules = [{name = "money", lanes = ["Money"], owner = "jo"}]').rules[0].owner
    'jo'
    """
    try:
        read = msgspec.convert(read_toml(text, parse_float=str), _RulesFile)
    except ValueError as error:  # no TOML, odd numbers
        raise _unusable(f"they are no TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise _unusable(str(error)) from None
    if len(read.rules) > RULES_MAX:
        raise _unusable(f"there are {len(read.rules)}, and at most {RULES_MAX} are kept")
    names = [rule.name.strip() for rule in read.rules]
    if not all(names):
        raise _unusable("a rule has no name")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise _unusable(f"two rules are called {twice!r}")
    return RoutingRules(note=read.note, rules=tuple(_rule(rule) for rule in read.rules))


def _rule(read: _RuleFile) -> RoutingRule:
    name, owner = read.name.strip(), read.owner.strip()
    if not owner:
        raise _unusable(f"rule {name!r} names no owner")
    for kind in read.kinds:
        if kind not in KINDS:
            raise _unusable(f"rule {name!r}: there is no kind {kind!r}; docs/exceptions.md")
    for lane in read.lanes:
        if lane not in LANES:
            raise _unusable(f"rule {name!r}: there is no lane {lane!r}; {', '.join(LANES)}")
    if any(not each.strip() for each in read.skus):
        raise _unusable(f"rule {name!r}: an empty text is no SKU")
    return RoutingRule(
        name=name,
        owner=owner,
        kinds=read.kinds,
        lanes=read.lanes,
        skus=read.skus,
        above=None if read.above is None else _above(name, read.above, read.currency),
    )


def _above(name: str, amount: str | int, currency: str) -> Money:
    try:
        above = Money.parse(amount, currency)
    except Misuse as error:
        raise _unusable(f"rule {name!r}: above: {error.message}") from None
    if above.amount_minor < 0:
        raise _unusable(f"rule {name!r}: above is {above}; it is 0 or more")
    return above


def _unusable(why: str) -> Misuse:
    return Misuse(f"the routing rules can't be used: {why}. Mend the file and set it again")


def written_rules(rules: RoutingRules) -> str:
    """The rules as TOML that reads back as the same rules."""
    blocks = [[f"note = {_text(rules.note)}"]] if rules.note else []
    for rule in rules.rules:
        lists: Mapping[str, Sequence[str]] = {
            "kinds": rule.kinds,
            "lanes": rule.lanes,
            "skus": rule.skus,
        }
        block = ["[[rules]]", f"name = {_text(rule.name)}"]
        block += [
            f"{key} = [{', '.join(map(_text, each))}]" for key, each in lists.items() if each
        ]
        if rule.above is not None:
            block.append(f"above = {_text(f'{rule.above.decimal():f}')}")
            block.append(f"currency = {_text(rule.above.currency)}")
        blocks.append([*block, f"owner = {_text(rule.owner)}"])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n" if blocks else ""


def _text(value: str) -> str:
    # A JSON string is a TOML basic string, but for the one sign that TOML wants escaped too.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
