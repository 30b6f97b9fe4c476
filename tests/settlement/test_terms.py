"""Settlement, the commission terms: what they say, and what they can't mean."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Misuse
from kcjl.settlement.accounts import decide_terms
from kcjl.settlement.state import TERMS, TERMS_KEY
from kcjl.settlement.terms import (
    RATES_MAX,
    CommissionRate,
    CommissionTerms,
    part_of,
    rate_at,
    read_terms,
    written_terms,
)
from kcjl.settlement.terms_events import CommissionTermsSet
from tests.patience import unhurried
from tests.trade import at, gbp, made_of

CONTRACT = """
note = "as signed"
vat_percent = "20"

[[rates]]
percent = 18.5

[[rates]]
category = "lamps"
percent = "12.25"
on_shipping = false
valid_from = 2026-04-01
valid_until = 2026-12-31
"""


def test_terms_are_read_as_they_are_written() -> None:
    """Percentages exact, days as days."""
    terms = read_terms(CONTRACT)

    assert (
        CommissionTerms(
            note="as signed",
            rates=(
                CommissionRate(percent=Decimal("18.5")),
                CommissionRate(
                    category="lamps",
                    percent=Decimal("12.25"),
                    on_shipping=False,
                    valid_from=date(2026, 4, 1),
                    valid_until=date(2026, 12, 31),
                ),
            ),
        )
        == terms
    )
    assert terms == read_terms(written_terms(terms))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rates = 1", "the commission terms can't be used"),
        ("[[rates]", "they are no TOML"),
        ("[[rates]]\npercent = 101", r"rate 1 \(all other categories\): percent is 101"),
        ("[[rates]]\npercent = 'much'", "'much' is no number"),
        ("[[rates]]\npercent = 1\n[[rates]]\npercent = 2", "is there twice"),
        ("[[rates]]\npercent = 1\ncategroy = 'x'", "categroy"),
        ("tolerance_pence = 6", "tolerance_pence is 0 to 5"),
        (
            "[[rates]]\npercent = 1\nvalid_from = 2026-02-01\nvalid_until = 2026-01-01",
            "before it begins",
        ),
        ("[[rates]]\npercent = 1\n" * (RATES_MAX + 1), "at most 10000"),
    ],
)
def test_terms_that_can_not_be_meant_are_refused(text: str, why: str) -> None:
    """What is wrong is named, with its place."""
    with pytest.raises(Misuse, match=why):
        read_terms(text)


def test_rate_is_of_the_category_and_the_latest_that_has_begun() -> None:
    """The category's own goes before all others'; of two the one that began later."""
    terms = read_terms(CONTRACT)

    def percent(category: str, day: date) -> Decimal | None:
        rate = rate_at(terms, category, day)
        return None if rate is None else rate.percent

    assert Decimal("12.25") == percent("lamps", date(2026, 12, 31))
    assert Decimal("18.5") == percent("lamps", date(2027, 1, 1))
    assert Decimal("18.5") == percent("toys", date(2026, 5, 1))
    assert rate_at(CommissionTerms(), "toys", date(2026, 5, 1)) is None


@pytest.mark.parametrize(
    ("amount", "percent", "part"),
    [(2_224, 20, 445), (1_039, 20, 208), (303, 20, 61), (0, 20, 0)],
)
def test_part_is_half_up(amount: int, percent: int, part: int) -> None:
    """Contract e.5, on the platform's own fixtures."""
    assert gbp(part) == part_of(gbp(amount), Decimal(percent))


def test_terms_are_set_in_versions() -> None:
    """The same terms again are nothing new."""
    (first,) = decide_terms(None, read_terms(CONTRACT), "as signed", at(0))

    assert isinstance(first, CommissionTermsSet)
    known = made_of(TERMS, TERMS_KEY, first)
    assert () == decide_terms(known, read_terms(CONTRACT), "again", at(1))
    (second,) = decide_terms(known, CommissionTerms(), "ended", at(2))
    assert isinstance(second, CommissionTermsSet)
    assert (1, 2) == (first.version, second.version)


DAYS = st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2030, 1, 1)))


@unhurried
@given(
    note=st.text(st.characters(codec="utf-8"), max_size=20),
    percent=st.decimals(0, 100, places=3),
    on_shipping=st.booleans(),
    begins=DAYS,
)
def test_any_terms_read_back_as_they_are(
    *, note: str, percent: Decimal, on_shipping: bool, begins: date | None
) -> None:
    """What `show` writes can be set again."""
    terms = CommissionTerms(
        note=note,
        vat_percent=percent,
        rates=(CommissionRate(percent=percent, on_shipping=on_shipping, valid_from=begins),),
    )

    assert terms == read_terms(written_terms(terms))
