"""Routing: whose an exception is, by rules that people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Misuse
from kcjl.exceptions.catalogue import KINDS, lane_of
from kcjl.exceptions.kind import LANES
from kcjl.exceptions.routing import (
    RULES_MAX,
    RoutingRule,
    RoutingRules,
    read_rules,
    route,
    written_rules,
)
from kcjl.money import Money
from tests.patience import unhurried

DOCUMENT = """
note = "who has what"

[[rules]]
name = "dear sofas"
skus = ["SOFA-*"]
above = 500.00
owner = "jo"

[[rules]]
name = "sofas"
skus = ["SOFA-*"]
owner = "sam"

[[rules]]
name = "the books"
lanes = ["Money"]
owner = "accounts"

[[rules]]
name = "postings"
kinds = ["posting_refused"]
owner = "night shift"
"""


def whose(kind: str, *skus: str, pence: int | None = None, currency: str = "GBP") -> str:
    money = None if pence is None else Money(pence, currency)
    rule = route(read_rules(DOCUMENT), kind=kind, skus=skus, money=money)
    return "" if rule is None else rule.owner


def test_first_rule_of_which_all_is_so_names_the_owner() -> None:
    """By SKU and amount, by lane, by kind; in the order of the file."""
    assert "jo" == whose("posting_refused", "B-1", "sofa-3", pence=50_001)
    assert "sam" == whose("posting_refused", "SOFA-3", pence=50_000)
    assert "sam" == whose("posting_refused", "SOFA-3", pence=50_001, currency="EUR")
    assert "sam" == whose("posting_refused", "SOFA-3")
    assert "accounts" == whose("payout_open", pence=90_000)
    assert "night shift" == whose("posting_refused", "B-1", pence=90_000)
    assert "" == whose("order_held", "B-1")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("[[rules]", "no TOML"),
        ("[[rule]]", "rule"),
        ('rules = [{owner = "jo"}]', "no name"),
        ('rules = [{name = "a"}]', "'a' names no owner"),
        ('rules = [{name = "a", owner = "jo"}, {name = "a", owner = "jo"}]', "two rules"),
        ('rules = [{name = "a", owner = "jo", kinds = ["x"]}]', "no kind 'x'"),
        ('rules = [{name = "a", owner = "jo", lanes = ["x"]}]', "no lane 'x'"),
        ('rules = [{name = "a", owner = "jo", skus = [" "]}]', "no SKU"),
        ('rules = [{name = "a", owner = "jo", above = 1.234}]', "above"),
        ('rules = [{name = "a", owner = "jo", above = -1}]', "0 or more"),
        ('rules = [{name = "a", owner = "jo", brand = "x"}]', "brand"),
    ],
)
def test_rules_that_cant_be_meant_are_refused_by_name(document: str, said: str) -> None:
    """A slip of the pen gives nobody's work to nobody."""
    with pytest.raises(Misuse, match=said):
        read_rules(document)


def test_more_rules_than_are_kept_are_refused() -> None:
    """Law 8: the bound has a number, and says it."""
    many = "\n".join(
        f'[[rules]]\nname = "{number}"\nowner = "jo"' for number in range(RULES_MAX + 1)
    )

    with pytest.raises(Misuse, match=f"{RULES_MAX}"):
        read_rules(many)


WORDS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8
)
RULE = st.builds(
    RoutingRule,
    name=WORDS,
    owner=WORDS,
    kinds=st.lists(st.sampled_from(sorted(KINDS)), max_size=2).map(tuple),
    lanes=st.lists(st.sampled_from(LANES), max_size=2).map(tuple),
    skus=st.lists(st.sampled_from(("A-1", "B-*", "*")), max_size=2).map(tuple),
    above=st.none() | st.integers(0, 9_999_999).map(lambda pence: Money(pence, "GBP")),
)
RULES = st.builds(
    RoutingRules,
    note=st.just("") | WORDS,
    rules=st.lists(RULE, max_size=5, unique_by=lambda rule: rule.name).map(tuple),
)


@unhurried
@given(RULES)
def test_rules_are_written_as_they_are_read(rules: RoutingRules) -> None:
    """`show` writes what `set` takes."""
    assert rules == read_rules(written_rules(rules))


@unhurried
@given(
    RULES,
    st.sampled_from(sorted(KINDS)),
    st.lists(st.sampled_from(("A-1", "B-2", "C-3")), max_size=2),
    st.none() | st.integers(0, 9_999_999).map(lambda pence: Money(pence, "GBP")),
)
def test_no_rule_before_the_one_that_names_the_owner_fits(
    rules: RoutingRules, kind: str, skus: list[str], money: Money | None
) -> None:
    """First match wins, and alone it would have matched as well."""
    rule = route(rules, kind=kind, skus=skus, money=money)
    fitting = [
        each
        for each in rules.rules
        if route(RoutingRules(rules=(each,)), kind=kind, skus=skus, money=money)
    ]

    assert rule == (fitting[0] if fitting else None)
    if rule is not None:
        assert not rule.kinds or kind in rule.kinds
        assert not rule.lanes or lane_of(kind) in rule.lanes
        assert rule.above is None or (money is not None and money > rule.above)
