"""Tracking numbers: what a carrier can't have written is found, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.dispatch.tracking_forms import FORMS, families_of, fits_a_form
from tests.patience import unhurried


@pytest.mark.parametrize(
    ("carrier", "number"),
    [
        ("Royal Mail", "RB123456785GB"),
        ("Royal Mail", "rb 123 456 785 gb"),
        ("Parcelforce", "PB1234567"),
        ("Parcelforce", "PBXY1234567890"),
        ("DPD", "1550123456"),
        ("DPD", "15501234567890"),
        ("Evri", "H0123456789012345"[:16]),
        ("UPS", "1Z999AA10123456784"),
        ("UPS", "1Z5R89390357567127"),
        ("DHL", "3318810025"),
        ("DHL", "JJD0099999999"),
        ("Yodel", "JD0002242617644732"),
    ],
)
def test_number_as_its_carrier_writes_it_passes(carrier: str, number: str) -> None:
    """Published examples, with blanks and in any case."""
    assert fits_a_form(number, families_of(carrier))


@pytest.mark.parametrize(
    ("carrier", "number"),
    [
        ("Royal Mail", "RB123456784GB"),
        ("Royal Mail", "15501234567890"),
        ("Parcelforce", "PB123456"),
        ("DPD", "TRK1"),
        ("DPD", "155012345678"),
        ("Evri", "RB123456785GB"),
        ("UPS", "1Z999AA10123456785"),
        ("DHL", "3318810010"),
        ("Yodel", "JC0002254405060992"),
        ("Yodel", "JD00022426176447٣2"),
    ],
)
def test_number_that_its_carrier_can_not_have_written_is_found(
    carrier: str, number: str
) -> None:
    """A wrong check digit, a sign too few, another carrier's form."""
    assert not fits_a_form(number, families_of(carrier))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("RM24", "Royal Mail Tracked 24"), ["Royal Mail"]),
        (("DPD24",), ["DPD"]),
        (("hermes-uk",), ["Evri"]),
        (("ups standard",), ["UPS"]),
        (("Upstairs Van",), []),
        (("Bike", ""), []),
        (("EVRI", "DPD Next Day"), ["DPD", "Evri"]),
    ],
)
def test_carrier_is_known_by_the_first_words_of_its_names(
    names: tuple[str, ...], expected: list[str]
) -> None:
    """By name or code; who is not in the table has no form."""
    assert expected == [each.name for each in families_of(*names)]


@pytest.mark.parametrize("digit", "0123456789")
def test_royal_mail_check_digit_is_one_of_ten(digit: str) -> None:
    """Of ten numbers that differ in the check digit alone, one is right."""
    assert ("5" == digit) == fits_a_form(f"RB12345678{digit}GB", families_of("Royal Mail"))


def test_every_form_names_its_source() -> None:
    """The table is worth what its sources are."""
    assert all(form.source for family in FORMS for form in family.forms)


@unhurried
@given(st.text(max_size=40), st.sampled_from([each.name for each in FORMS]))
def test_any_text_is_judged_without_falling_over(text: str, carrier: str) -> None:
    """Whatever somebody typed into the ERP."""
    assert fits_a_form(text, families_of(carrier)) in (True, False)
