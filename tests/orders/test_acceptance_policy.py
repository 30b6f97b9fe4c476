"""The acceptance policy as people write it: read, refused with what to mend, written again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Misuse
from kcjl.orders.acceptance_policy import (
    AcceptancePolicy,
    HoldRule,
    read_policy,
    written_policy,
)
from tests.patience import unhurried
from tests.trade import gbp

CODES = st.lists(st.text(min_size=1).filter(str.strip), max_size=3).map(tuple)
COUNTRIES = st.lists(st.sampled_from(("GBR", "FRA", "IE")), max_size=2).map(tuple)
RULES = st.builds(
    HoldRule,
    name=st.text(min_size=1).map(str.strip).filter(bool),
    above=st.integers(0, 10**9).map(gbp),
    skus=CODES,
    countries=COUNTRIES,
    countries_other_than=COUNTRIES,
)
POLICIES = st.builds(
    AcceptancePolicy,
    note=st.text(),
    accept=st.sampled_from(("known", "known_and_available", "manual")),
    at_the_end=st.sampled_from(("leave", "accept", "refuse")),
    end_percent=st.integers(81, 99),
    holds=st.lists(RULES, max_size=4, unique_by=lambda rule: rule.name).map(tuple),
)


def test_policy_is_read_as_it_is_written() -> None:
    """Value, SKU, country; amounts to the penny."""
    assert AcceptancePolicy(
        accept="known",
        at_the_end="refuse",
        holds=(
            HoldRule(name="dear", above=gbp(50_050)),
            HoldRule(name="far", skus=("A-1",), countries=("FRA",)),
        ),
    ) == read_policy(
        """
        accept = "known"
        at_the_end = "refuse"
        [[holds]]
        name = "dear"
        above = 500.50
        [[holds]]
        name = "far"
        skus = ["A-1"]
        countries = ["fra"]
        """
    )


@given(POLICIES)
@unhurried
def test_policy_that_is_written_reads_back_as_the_same(policy: AcceptancePolicy) -> None:
    """What `show` prints can be edited and set again."""
    assert policy == read_policy(written_policy(policy))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("accept = ", "no TOML"),
        ('accept = "some"', "Invalid enum value"),
        ("wish = 1", "unknown field"),
        ("end_percent = 80", "end_percent is 80"),
        ("[[holds]]\nabove = 1", "no name"),
        ('[[holds]]\nname = "a"', "names nothing"),
        ('[[holds]]\nname = "a"\nabove = -1', "0 or more"),
        ('[[holds]]\nname = "a"\nabove = "lots"', "not an amount"),
        ('[[holds]]\nname = "a"\nskus = [" "]', "empty code"),
        ('[[holds]]\nname = "a"\nabove=1\n[[holds]]\nname = "a"\nabove=2', "two rules"),
    ],
)
def test_policy_that_cant_be_meant_is_refused_with_what_to_mend(text: str, fault: str) -> None:
    """One clear line, and nothing is changed."""
    with pytest.raises(Misuse, match=fault):
        read_policy(text)
