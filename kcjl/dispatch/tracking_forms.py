"""The forms that carriers' tracking numbers have, with check digits where they are published.

Promises: pure; a number is never altered: blanks and case alone are looked past. A carrier that
is not in the table has no form, and its numbers pass. The forms are wide on purpose: what they
refuse was not written by that carrier, what they pass need not be right.
Invariant: each row names where it comes from. Called by `decide.py` and `sending_on.py`.
"""

import re
from collections.abc import Callable, Sequence

import msgspec

from kcjl.dispatch.carriers_state import Carriers
from kcjl.dispatch.parcel import Parcel
from kcjl.dispatch.terms import Terms

__all__ = ["FORMS", "CarrierForms", "Form", "families_of", "fits_a_form", "is_malformed"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def _s10(number: str) -> bool:
    """UPU S10: two letters, eight digits, a check digit by weights and 11, a country."""
    digits = [int(each) for each in number[2:10]]
    left = 11 - sum(d * w for d, w in zip(digits, S10_WEIGHTS, strict=True)) % 11
    return int(number[10]) == {10: 0, 11: 5}.get(left, left)


def _ups(number: str) -> bool:
    """1Z: letters count as 2, 3, …; every second sign counts twice; filled up to the ten."""
    values = [
        int(each) if each.isdigit() else (LETTERS.index(each) + 2) % 10 for each in number[2:17]
    ]
    total = sum(values[0::2]) + 2 * sum(values[1::2])
    return int(number[17]) == -total % 10


def _dhl_express(number: str) -> bool:
    """A waybill: what is left of all but the last digit by 7 is the last."""
    return int(number[:-1]) % 7 == int(number[-1])


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One form, of numbers without blanks and in capitals."""

    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None = None
    """The check digit, where it is published."""
    source: str


class CarrierForms(msgspec.Struct, frozen=True, kw_only=True):
    """A carrier, by how its names begin, and the forms of its numbers."""

    name: str
    known_by: tuple[str, ...]
    """First words of a courier's or a carrier's name, in folded case and run together."""
    forms: tuple[Form, ...]


S10 = Form(
    pattern=re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}"),
    check=_s10,
    source="UPU standard S10: thirteen signs with a check digit",
)
FORMS: tuple[CarrierForms, ...] = (
    CarrierForms(
        name="Royal Mail",
        known_by=("royalmail",),
        forms=(
            S10,
            Form(
                pattern=re.compile(r"[0-9A-F]{21}|\d{16}"),
                source="Royal Mail, the item's identifier in the 2D barcode",
            ),
        ),
    ),
    CarrierForms(
        name="Parcelforce",
        known_by=("parcelforce",),
        forms=(
            S10,
            Form(
                pattern=re.compile(r"[A-Z]{2}\d{7}|[A-Z]{4}\d{10}|\d{12}"),
                source="Parcelforce, help: tracking number formats",
            ),
        ),
    ),
    CarrierForms(
        name="DPD",
        known_by=("dpd", "interlink"),
        forms=(
            Form(
                pattern=re.compile(r"\d{10}|\d{14}[0-9A-Z]?"),
                source="DPD: consignment of ten digits; parcel of fourteen and a check sign",
            ),
            Form(
                pattern=re.compile(r"\d{27}[0-9A-Z]"),
                source="DPD, parcel label: postcode, parcel, service, country, check sign",
            ),
        ),
    ),
    CarrierForms(
        name="Evri",
        known_by=("evri", "hermes"),
        forms=(
            Form(
                pattern=re.compile(r"[0-9A-Z]\d{15}|[A-Z]\d{2}[A-Z]{3}\d{10}"),
                source="Evri, help: the barcode's sixteen signs",
            ),
            Form(pattern=re.compile(r"\d{8}"), source="Evri, help: the calling card's number"),
        ),
    ),
    CarrierForms(
        name="UPS",
        known_by=("ups", "unitedparcelservice"),
        forms=(
            Form(
                pattern=re.compile(r"1Z[0-9A-Z]{15}\d"),
                check=_ups,
                source="UPS: 1Z, shipper, service, parcel, check digit",
            ),
        ),
    ),
    CarrierForms(
        name="DHL",
        known_by=("dhl",),
        forms=(
            Form(
                pattern=re.compile(r"\d{10,11}"),
                check=_dhl_express,
                source="DHL Express waybill: check digit by 7",
            ),
            Form(
                pattern=re.compile(r"J[A-Z]{1,3}\d{9,18}"),
                source="DHL licence plate: J, letters of the issuer, digits",
            ),
            Form(
                pattern=re.compile(r"\d{14}|[A-Z]{2}\d{10,39}"),
                source="DHL eCommerce and DHL Parcel UK",
            ),
        ),
    ),
    CarrierForms(
        name="Yodel",
        known_by=("yodel",),
        forms=(
            Form(
                pattern=re.compile(r"JJ?D\d{16}"),
                source="Yodel: JD or JJD and sixteen digits",
            ),
        ),
    ),
)


def families_of(*names: str) -> tuple[CarrierForms, ...]:
    """The carriers of the table that these names mean.

    >>> [each.name for each in families_of("RM24", "Royal Mail Tracked 24")]
    ['Royal Mail']
    """
    begun = {beginning for name in names for beginning in _beginnings(name)}
    return tuple(each for each in FORMS if begun.intersection(each.known_by))


def _beginnings(name: str) -> list[str]:
    """The first one, two, three words of a name, run together; without a code's digits."""
    words = [each.rstrip("0123456789") for each in re.split(r"[\W_]+", name.casefold())]
    return ["".join(words[:count]) for count in (1, 2, 3)]


def fits_a_form(number: str, families: Sequence[CarrierForms]) -> bool:
    """Whether one of these carriers may have written it.

    >>> fits_a_form("1z 999 aa1 01 2345 6784", families_of("UPS"))
    True
    """
    plain = re.sub(r"[\s-]+", "", number).upper()
    return any(
        form.pattern.fullmatch(plain) is not None
        and plain.isascii()
        and (form.check is None or form.check(plain))
        for family in families
        for form in family.forms
    )


def is_malformed(parcel: Parcel, carriers: Carriers, carrier_code: str, terms: Terms) -> str:
    """Against whose forms the parcel's number offends; empty where it does not.

    The courier's name in the ERP counts as much as the carrier's: some hand on to others.
    """
    number = parcel.tracking_number
    if not terms.tracking_forms or not number or number == parcel.number_let_through:
        return ""
    label = dict(carriers.codes).get(carrier_code, "")
    families = families_of(carrier_code, label, parcel.courier_name)
    if not families or fits_a_form(number, families):
        return ""
    return " or ".join(each.name for each in families)
