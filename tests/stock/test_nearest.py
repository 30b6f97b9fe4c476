"""The codes nearest to a SKU: what a person is proposed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.stock.nearest import NEAREST_MAX, CodeIndex, how_near, nearest_codes
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


def test_nearest_ranks_the_most_harmless_difference_first() -> None:
    """Case before blanks, punctuation, leading zeros, several of them, and edits."""
    codes = ["ab-12", "AB 12", "A/B12", "0AB12", "0ab12", "AB13", "AB21"]
    found = CodeIndex(codes).nearest("AB12", limit=10)

    assert [
        ("AB 12", "only blanks differ"),
        ("A/B12", "only punctuation differs"),
        ("0AB12", "only leading zeros differ"),
        ("ab-12", "only case and punctuation differ"),
        ("0ab12", "only case and leading zeros differ"),
        ("AB13", "1 edit"),
        ("AB21", "1 edit"),
    ] == [(near.code, near.reason) for near in found]


def test_nearest_of_codes_that_differ_by_several_slips_names_them_all() -> None:
    """What is different is said, so that a person sees what happened."""
    assert "only case, blanks, punctuation and leading zeros differ" == (
        how_near("lamp 1", "0LAMP-1").reason
    )


def test_index_forgets_a_code_in_any_case_and_counts_what_is_left() -> None:
    """A code that was deleted is proposed no more."""
    index = CodeIndex(["LAMP-1", "LAMP-2"])
    index.discard("lamp-1")

    assert 1 == len(index)
    assert ("LAMP-2",) == tuple(each.code for each in index.nearest("LAMP-1"))


@unhurried
@given(st.text("aA01 -", min_size=1, max_size=6), st.lists(st.text("aA01 -", max_size=6)))
def test_nearest_is_few_and_the_same_in_any_order(sku: str, codes: list[str]) -> None:
    """The same codes in another order are proposed alike, and never more than three."""
    found = nearest_codes(sku, codes)

    assert found == nearest_codes(sku, reversed(codes))
    assert len(found) <= NEAREST_MAX
    assert set(found) <= set(codes)
