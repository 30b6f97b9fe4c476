"""How the sandbox's warehouse is set up: its toggles, its people's hours, its pace.

Promises: every uncertain point of the contract (khaos h) that the simulator takes a side in
is a field here, with the contract's default. It holds no state. Invariant: frozen; the same
settings and the same agenda give the same warehouse.
Called by whoever makes a `Warehouse`; read by each of its parts and by the SOAP face.
"""

import re
from datetime import date
from typing import Literal

import msgspec

from kcjl.errors import SettingsUnusable
from kcjl.money import Money

__all__ = [
    "CompanyClass",
    "Country",
    "Courier",
    "Customer",
    "Minutes",
    "Site",
    "WarehouseSettings",
]


_NAMESPACE = re.compile(r"[!#-;=?-\[\]_a-z~]+")


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the settings."""


class Minutes(Setting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A span that chance draws from, in minutes of working time."""

    at_least: int
    at_most: int

    def __post_init__(self) -> None:
        if not 0 <= self.at_least <= self.at_most:
            raise SettingsUnusable(f"{self.at_least}–{self.at_most} minutes is no span")


class Site(Setting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    site_id: int
    name: str


class Courier(Setting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    code: str = ""
    weight: int = 1
    """How often the warehouse takes this one, beside the others' weights; 0 is never."""
    consignment: str = ""
    """Form of its numbers: # any digit, = the S10 check digit; empty when it gives none."""
    tracking_url: str = ""
    """With {consignment}."""


class CompanyClass(Setting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    """Case-sensitive."""
    calculation: Literal["gross", "net"] = "gross"


class Customer(Setting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer that the ERP knew before the first order."""

    code: str
    name: str
    other_ref: str = ""


class Country(Setting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of GetCountryList."""

    name: str
    code2: str
    code3: str
    eu_member: bool = False
    pays_vat: bool = False
    currency: str = "GBP"
    zone: str = ""


def _countries() -> tuple[Country, ...]:
    return (
        Country(name="United Kingdom", code2="GB", code3="GBR", pays_vat=True, zone="UK"),
        Country(name="Ireland", code2="IE", code3="IRL", eu_member=True, currency="EUR"),
        Country(name="Jersey", code2="JE", code3="JEY"),
    )


def _couriers() -> tuple[Courier, ...]:
    return (
        Courier(
            name="DPD Next Day",
            code="DPD24",
            weight=50,
            consignment="1550##########",
            tracking_url="https://track.dpd.example/parcels/{consignment}",
        ),
        Courier(
            name="Royal Mail Tracked 24",
            code="RM24",
            weight=30,
            consignment="TQ########=GB",
            tracking_url="https://track.royalmail.example/{consignment}",
        ),
        Courier(
            name="Evri",
            code="EVRI",
            weight=15,
            consignment="H0############0#",
            tracking_url="https://track.evri.example/{consignment}",
        ),
        Courier(name="Van", weight=5),
    )


class WarehouseSettings(Setting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every toggle and timing of the sandbox's ERP."""

    # ── the web service ──
    version: str = "8.173"
    user: str = ""
    """HTTP Basic when not empty (IIS-level; the service itself has none)."""
    password: str = ""
    body_parameter: str = ""
    """When not empty, every call has to carry a parameter of that name (d, undocumented)."""
    body_parameter_value: str = ""
    fault_status: int = 500
    """HTTP status of a SOAP fault."""
    fault_detail: Literal["EWebServiceError", "ERemotableException", "none"] = (
        "EWebServiceError"
    )
    """What stands in a fault's detail; the second one is older builds'."""
    service_namespace: str = "urn:IKosWebIntf-IKosWeb"
    """Of the calls (h.15); SOAPAction is this, #, and the operation."""
    types_namespace: str = "urn:IKosWebIntf"
    part_names: Literal["documented", "prefixed", "lower"] = "documented"
    """How the WSDL calls the parameters: StockCode, AStockCode or stockcode (h.15)."""
    strict_calls: bool = False
    """True: only calls in the WSDL's namespace and with its part names are understood."""
    charset: Literal["utf-8", "windows-1252"] = "utf-8"
    """In which answers are written."""
    multi_reference: bool = False
    """Objects and array items as href/id, as Delphi may send them."""
    empty_answer: Literal["root", "string", "fault"] = "root"
    """What an export gives when nothing was found (h.5)."""
    all_sites_answer: Literal["items", "roots"] = "items"
    """SiteID -1: one document with SITE in each item, or one root a site (h.6)."""
    status_since: Literal["movement", "revision"] = "movement"
    """Which date ExportStockStatus.LastUpdated means (h.7)."""
    since_is_inclusive: bool = True
    extra_tags: bool = True
    """Tags that live systems send beyond the template."""
    unknown_tags: bool = False
    """Tags, attributes and fields that no contract names, as a newer build would send."""
    scs_answer: Literal["alone", "in_parent"] = "alone"
    """ExportStock of a size or colour: an item of its own, or inside its parent (b.7)."""
    typed_dates: Literal["milliseconds_z", "z", "plain", "offset"] = "milliseconds_z"
    """Times of typed answers: …:26.497Z, …:26Z, …:26, …:26.497+01:00."""
    document_dates: Literal["documented", "british", "iso"] = "documented"
    """Dates in documents: the status DD/MM/YYYY and the stock ISO, or all of them one way."""
    no_date: Literal["documented", "1899", "empty"] = "documented"
    """An empty date: "" in the status and 1899-12-30 elsewhere, or everywhere one of them."""
    wall_clock: Literal["london", "utc"] = "london"
    """The clock by which times are shown and understood."""
    clock_error_s: int = 0
    """So many seconds that clock is fast (below 0: slow)."""

    # ── system values ──
    sites: tuple[Site, ...] = (Site(site_id=1, name="Main Site"),)
    couriers: tuple[Courier, ...] = msgspec.field(default_factory=_couriers)
    company_classes: tuple[CompanyClass, ...] = (
        CompanyClass(name="Marketplace"),
        CompanyClass(name="Retail"),
        CompanyClass(name="Trade", calculation="net"),
    )
    customers: tuple[Customer, ...] = (Customer(code="JLMKT", name="John Lewis Marketplace"),)
    sales_sources: tuple[str, ...] = ("JOHN LEWIS", "John Lewis", "WEB", "TELEPHONE")
    brands: tuple[str, ...] = ()
    """Empty: any brand is taken."""
    keycodes: tuple[str, ...] = ()
    """Empty: any keycode is taken."""
    company_types: tuple[str, ...] = ()
    """Empty here and in the next four: any is taken."""
    source_codes: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    invoice_priorities: tuple[str, ...] = ()
    website_names: tuple[str, ...] = ()
    company_statuses: tuple[str, ...] = ("Active", "On Stop")
    manufacturers: tuple[str, ...] = ()
    keycode_types: tuple[str, ...] = ()
    price_lists: tuple[str, ...] = ()
    mailing_statuses: tuple[str, ...] = ("Mail", "Do not mail")
    """Numbered from 1."""
    countries: tuple[Country, ...] = msgspec.field(default_factory=_countries)
    tax_percent: dict[int, int] = msgspec.field(default_factory=lambda: {1: 20, 2: 0, 4: 5})
    """Tax code to rate in percent."""
    system_currency: str = "GBP"

    # ── order import ──
    external_ref_max: int = 15
    """15 by the guide, 50 by the template (h.2)."""
    phone_max: int = 19
    orders_per_call_max: int = 100
    duplicate_answer: Literal["skip", "fault"] = "skip"
    """A second order with an ASSOCIATED_REF that is there (h.3)."""
    batch_is_atomic: bool = False
    """False: orders before a refused one stay; True: none of the call is taken (h.4)."""
    imports_unconfirmed: bool = False
    """True: a person confirms each order before invoices are made of it (h.9)."""
    unconfirmed_reserves: bool = True
    """Whether stock is assigned to an order before it is confirmed (h.9)."""
    creates_unknown_stock: bool = False
    """Option 019821."""
    amount_mismatch_answer: Literal["accept", "fault"] = "accept"
    """ORDER_AMOUNT is not what the ERP computes."""
    refuses_unknown_courier: bool = False
    """False: the default courier is taken instead."""
    keeps_unicode: bool = False
    """False: characters outside Windows-1252 become question marks."""
    refuses_unwritable: bool = False
    """True: an order with characters outside Windows-1252 is refused (h.17)."""
    unknown_customer: Literal["create", "fault"] = "create"
    """A COMPANY_CODE that the ERP does not have."""
    own_delivery_charge: Money = Money(495)
    """What the ERP charges when a document leaves the delivery charge blank."""
    near_delivery_days: int = 14
    """An order with a later delivery date waits at Awaiting Date until a day before it."""

    # ── the people ──
    round_the_clock: bool = False
    opens: str = "08:00"
    """London wall time."""
    closes: str = "18:00"
    working_days: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    """Monday is 0."""
    closed_on: tuple[date, ...] = ()
    released_after: Minutes = Minutes(at_least=5, at_most=20)
    shipped_after: Minutes = Minutes(at_least=40, at_most=180)
    """From the release to Confirm Shipment."""
    issued_after: Minutes = Minutes(at_least=30, at_most=120)
    """From Confirm Shipment to Issue."""
    stages_before_shipping: tuple[int, ...] = (12, 13)
    stages_after_shipping: tuple[int, ...] = (15, 16)
    """Between Shipping (14) and Issued (70); the client orders them as it likes."""
    ships_in_parts: bool = True
    """Short stock: what is there goes at once, the rest waits for goods-in."""
    two_boxes_from_units: int = 6
    keeps_ordered_courier_percent: int = 50
    """Of the orders that name a courier; the others get one by weight."""
    late_consignment_percent: int = 0
    """Of the shipments whose consignment numbers come only after the shipment."""
    late_consignment_after: Minutes = Minutes(at_least=20, at_most=90)
    consignment_separator: str = ","
    """Between the numbers in INVOICE@CONSIGNMENT_REF of an invoice in several boxes (h.13)."""

    @classmethod
    def quick(cls) -> "WarehouseSettings":
        """A warehouse that works round the clock."""
        return cls(round_the_clock=True)

    def __post_init__(self) -> None:
        if not self.sites or not self.couriers:
            raise SettingsUnusable("a warehouse needs a site and a courier")
        if not self.company_classes or self.orders_per_call_max < 1:
            raise SettingsUnusable(
                "a warehouse needs a company class, and takes an order a call"
            )
        if not any(courier.weight > 0 for courier in self.couriers):
            raise SettingsUnusable("at least one courier needs a weight above 0")
        if not self.round_the_clock and not (self.opens < self.closes and self.working_days):
            raise SettingsUnusable(f"working hours {self.opens}–{self.closes} never come")
        if self.body_parameter and not self.body_parameter.isidentifier():
            raise SettingsUnusable(f"{self.body_parameter!r} can't name a parameter")
        for namespace in (self.service_namespace, self.types_namespace):
            if not _NAMESPACE.fullmatch(namespace):
                raise SettingsUnusable(f"{namespace!r} is no namespace")
        if self.user and ":" in self.user:
            raise SettingsUnusable("a user of HTTP Basic can't hold a colon")
