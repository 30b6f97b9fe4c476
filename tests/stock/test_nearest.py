"""The codes nearest to a SKU: what a person is proposed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.stock.nearest import NEAREST_MAX, nearest_codes
from tests.patience import unhurried


@pytest.mark.parametrize(
    ("sku", "code"),
    [
        ("85123a", "85123A"),
        ("85123A ", "85123A"),
        ("0085123A", "85123A"),
        ("851-23A", "85123A"),
        ("85132A", "85123A"),
    ],
    ids=["case", "blank", "leading zeros", "hyphen", "two digits exchanged"],
)
def test_nearest_finds_the_usual_slips(sku: str, code: str) -> None:
    """Case, blanks, zeros, hyphens and exchanged digits are the usual slips."""
    assert (code,) == nearest_codes(sku, [code, "99999Z"])


def test_nearest_says_nothing_where_nothing_is_near() -> None:
    """A wild guess is worse than none."""
    assert () == nearest_codes("TABLE-9", ["85123A", "71053"])


@unhurried
@given(st.text("aA01 -", min_size=1, max_size=6), st.lists(st.text("aA01 -", max_size=6)))
def test_nearest_is_few_and_the_same_in_any_order(sku: str, codes: list[str]) -> None:
    """The same codes in another order are proposed alike, and never more than three."""
    found = nearest_codes(sku, codes)

    assert found == nearest_codes(sku, reversed(codes))
    assert len(found) <= NEAREST_MAX
    assert set(found) <= set(codes)
