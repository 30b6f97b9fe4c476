"""Which rules of a stock policy are in force for a SKU on a day: a cheap look-up.

Promises: pure; the precedence of `policy.py`, worked out once a day for each category and for
each SKU that a rule names, so that 100,000 SKUs cost 100,000 look-ups and no search. It does
not know what a SKU's category is: that is handed in.
Called by the stock actor and the CLI's preview. Source: design 6.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from kcjl.stock.events import stock_key
from kcjl.stock.policy import TERMS, PolicyDocument, Rule, is_open

__all__ = ["InForce", "Rules", "strictest"]

Value = Decimal | int | bool | None


class InForce(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the policy says of one SKU on one day; and for each term, which rule says so."""

    version: int = 0
    buffer: int = 0
    percent: Decimal = Decimal(0)
    speed: Decimal | None = None
    """None: no speed buffer."""
    cap: int | None = None
    multiple: int = 1
    offer: bool = True
    fast_mover_units_a_day: Decimal | None = None
    said_by: tuple[tuple[str, str], ...] = ()
    """(term, name of the rule) for each term that a rule speaks of."""

    def rule_of(self, term: str) -> str:
        """The name of the rule that the term rests on; empty where no rule speaks of it."""
        return next((rule for each, rule in self.said_by if each == term), "")


class Rules:
    """The rules of one version of the policy, ready to be asked."""

    def __init__(self, document: PolicyDocument, version: int) -> None:
        self.version = version
        self._rules = document.rules
        self._day: date | None = None
        self._found: dict[tuple[str, str], InForce] = {}
        self._everywhere: list[int] = []
        self._by_category: dict[str, list[int]] = {}
        self._by_sku: dict[str, list[int]] = {}

    def in_force(self, sku: str, category: str, day: date) -> InForce:
        """What holds for the SKU on the London day."""
        if day != self._day:
            self._open(day)
        key = stock_key(sku)
        asked = (
            key if key in self._by_sku else "",
            category if category in self._by_category else "",
        )
        found = self._found.get(asked)
        if found is None:
            found = self._found[asked] = self._merged(*asked)
        return found

    def changes_between(self, one: date, other: date) -> bool:
        """Whether a window opens or closes from one day to the other: then all is to be
        worked out again.
        """
        return any(is_open(rule, one) != is_open(rule, other) for rule in self._rules)

    def _open(self, day: date) -> None:
        """Sort the rules of the day, weakest first."""
        by_category, by_sku = (
            defaultdict[str, list[int]](list),
            defaultdict[str, list[int]](list),
        )
        everywhere: list[int] = []
        order = [number for number, rule in enumerate(self._rules) if is_open(rule, day)]
        order.sort(key=lambda number: (_has_window(self._rules[number]), number))
        for number in order:
            rule = self._rules[number]
            for category in rule.categories:
                by_category[category].append(number)
            for key in {stock_key(sku) for sku in rule.skus}:
                by_sku[key].append(number)
            if not rule.skus and not rule.categories:
                everywhere.append(number)
        self._day, self._found = day, {}
        self._everywhere = everywhere
        self._by_category, self._by_sku = dict(by_category), dict(by_sku)

    def _merged(self, key: str, category: str) -> InForce:
        """Stronger rules are laid over weaker ones, term by term."""
        said: dict[str, tuple[Value, str]] = {}
        numbers = (
            *self._everywhere,
            *self._by_category.get(category, ()),
            *self._by_sku.get(key, ()),
        )
        for number in numbers:
            rule = self._rules[number]
            for term in TERMS:
                value: Value = getattr(rule, term)
                if value is not None:
                    said[term] = (value, rule.name)
        # false takes a speed buffer, or a cap, away again; `offer` is a yes or no itself.
        values = {
            term: None if value is False and term != "offer" else value
            for term, (value, _) in said.items()
        }
        return msgspec.convert(
            {
                **values,
                "version": self.version,
                "said_by": tuple((term, name) for term, (_, name) in said.items()),
            },
            InForce,
        )


def _has_window(rule: Rule) -> bool:
    return bool(rule.begins or rule.ends)


def strictest(rules: Sequence[InForce]) -> InForce:
    """What holds for several SKUs that share one stock: of each term the strictest.

    Raises ValueError for none.
    """
    if len(rules) == 1:
        return rules[0]
    first, *others = rules
    merged = first
    for other in others:
        merged = _stricter(merged, other)
    return merged


def _stricter(one: InForce, other: InForce) -> InForce:
    if one == other:
        return one
    terms: dict[str, InForce] = {
        "buffer": max(one, other, key=lambda each: each.buffer),
        "percent": max(one, other, key=lambda each: each.percent),
        "speed": max(one, other, key=lambda each: each.speed or 0),
        "cap": min(one, other, key=lambda each: each.cap or math.inf),
        "multiple": max(one, other, key=lambda each: each.multiple),
        "offer": min(one, other, key=lambda each: each.offer),
        "fast_mover_units_a_day": min(
            one, other, key=lambda each: each.fast_mover_units_a_day or math.inf
        ),
    }
    values = {term: getattr(rules, term) for term, rules in terms.items()}
    said_by = tuple(
        (term, rules.rule_of(term)) for term, rules in terms.items() if rules.rule_of(term)
    )
    multiple = math.lcm(one.multiple, other.multiple)
    return InForce(
        **{**values, "multiple": multiple, "version": one.version, "said_by": said_by}
    )
