"""The people who buy in the sandbox: names and UK addresses, invented from a seed.

Promises: the same seed gives the same shopper; among many there are long lines, accents (some
outside Latin-1), apostrophes, `&` and `<`: such addresses exist in life and break imports.
None of them is a real person; postcodes are of no real area where one was to be had.
Called by the trade readers; the world hands shoppers to the marketplace.
"""

import msgspec

from kcjl.clock import chance

__all__ = ["Shopper", "shopper"]


class Shopper(msgspec.Struct, frozen=True, kw_only=True):
    """One buyer, with the address that the parcel goes to."""

    customer_id: str
    first_name: str
    last_name: str
    street_1: str
    city: str
    postcode: str
    phone: str
    company: str = ""
    street_2: str = ""
    county: str = ""
    additional: str = ""
    email: str = ""


_FIRST_NAMES = (
    "Ada", "Amina", "Beatrice", "Callum", "Chloé", "David", "Eilidh", "Farah", "François",
    "George", "Hannah", "Imran", "Jürgen", "Kofi", "Łukasz", "Mairéad", "Niamh", "Oluwaseun",
    "Priya", "Renée", "Siân", "Thomas", "Ursula", "Wei", "Zoë",
)  # fmt: skip
_LAST_NAMES = (
    "Abbott", "Ahmed", "Brontë", "Carter", "D'Arcy", "Evans", "Fitzgerald-Montgomery", "Green",
    "Hughes", "Jones", "Kowalska", "Lloyd", "MacDonald", "Núñez", "O'Connor", "O’Neill",
    "Patel", "Roberts", "Smith", "Taylor", "van der Berg", "Williams", "Young",
)  # fmt: skip
_STREETS = (
    "Station Road", "High Street", "Church Lane", "Victoria Road", "Queen's Drive", "The Green",
    "St. John's Wood Terrace", "Mill Lane", "King Street", "Windsor Road", "Manor Park",
    "Great Western Row", "Llanfairpwllgwyngyll Way",
)  # fmt: skip
_TOWNS = (
    ("Leeds", "West Yorkshire", "LS"), ("Bristol", "", "BS"), ("Cardiff", "South Glam.", "CF"),
    ("Glasgow", "", "G"), ("Norwich", "Norfolk", "NR"), ("Exeter", "Devon", "EX"),
    ("London", "", "SW"), ("Belfast", "Co. Antrim", "BT"), ("Reading", "Berkshire", "RG"),
    ("Kingston upon Hull", "East Riding of Yorkshire", "HU"), ("Ynys Môn", "Gwynedd", "LL"),
    ("Bishop's Stortford", "Hertfordshire", "CM"), ("St Andrews", "Fife", "KY"),
)  # fmt: skip
_LONG_FIRST_STREETS = (
    "The Old Coach House, Lower Ground Floor Flat",
    "Apartment 1204, The Grand Northern Warehouse Building",
    "Flat 3 & 4, Rose Cottage, behind the Village Hall",
)
_UNBREAKABLE_STREET = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
"""A word that is longer than the ERP's address lines: rare, as in life."""
_COMPANIES = ("Marks & Daughters", "Smith <Interiors> Ltd", 'The "Green" Door B&B', "Café Été")
_NOTES = (
    "Leave with neighbour if out",
    "Ring & wait",
    "Gate code <4711>",
    "c/o the front desk",
)


def shopper(seed: int | str, who: str) -> Shopper:
    """The shopper of this seed behind a name that is unique, e.g. an invoice number.

    >>> shopper(7, "536365") == shopper(7, "536365")
    True
    """
    luck = chance(f"shopper/{seed}/{who}")
    town, county, area = luck.choice(_TOWNS)
    first, last = luck.choice(_FIRST_NAMES), luck.choice(_LAST_NAMES)
    street = f"{luck.randint(1, 240)} {luck.choice(_STREETS)}"
    long_address = luck.random() < 0.12  # noqa: PLR2004 - one in eight is long
    postcode = (
        f"{area}{luck.randint(1, 20)} {luck.randint(1, 9)}"
        f"{luck.choice('ABDEFGHJLN')}{luck.choice('PQRSTUWXYZ')}"
    )
    if luck.random() < 0.004:  # noqa: PLR2004 - one in 250
        street = _UNBREAKABLE_STREET
    return Shopper(
        customer_id=f"C{luck.randint(100_000, 999_999)}",
        first_name=first,
        last_name=last,
        company=luck.choice(_COMPANIES) if luck.random() < 0.06 else "",  # noqa: PLR2004
        street_1=luck.choice(_LONG_FIRST_STREETS) if long_address else street,
        street_2=street if long_address else "",
        city=town,
        county=county,
        postcode=postcode,
        phone=f"07700 9{luck.randint(0, 99_999):05d}",
        additional=luck.choice(_NOTES) if luck.random() < 0.08 else "",  # noqa: PLR2004
        email=f"{luck.getrandbits(40):010x}@notification.example",
    )
