"""The sections of kcjl.toml that say how the two outside systems are reached.

Promises: nothing that only the tenant knows has a guessed default; a secret is named here by
its variable or file, never held. Called by `file.py`.
"""

from typing import Literal

import msgspec

from kcjl.settings.section import Section

__all__ = ["CloudSection", "InvoiceAddress", "JohnLewisSettings", "KhaosSettings"]


class JohnLewisSettings(Section, frozen=True, kw_only=True):
    """The tenant. Unknown for John Lewis until onboarding: nothing has a guessed default."""

    base_url: str
    api_key_env: str = "KCJL_JOHNLEWIS_KEY"
    api_key_file: str = ""
    shop_id: int | None = None
    allow_plain_http: bool = False
    external_partner: bool = False
    """The key counts as an "External Partner": orders are read every 15 minutes (OR11)."""
    export_hosts: tuple[str, ...] = ()
    """Hosts beside the tenant's whose files of exports are fetched, without the key."""
    export_age_s_max: float = 21_600
    authorization: Literal["key", "bearer"] = "key"
    """How the key travels: raw, or as a bearer token where the tenant wants that."""
    currency_default: str = "GBP"
    """Of amounts that come without a currency."""
    rates_are_percent: bool = False
    """The shop's statistics (A21) are 0 to 100, not 0 to 1; which of them is not documented."""
    offers_a_call_max: int = 2_000
    """Offers in one call (OF24); the marketplace states no limit."""
    retry_after_default_s: float = 60
    """Rest after a 429 that does not say for how long."""


class InvoiceAddress(Section, frozen=True, kw_only=True):
    """The constant invoice address of all marketplace orders; never the buyer's."""

    line1: str
    town: str
    postcode: str
    country_code: str = "GBR"
    surname: str = "Accounts"


class CloudSection(Section, frozen=True, kw_only=True):
    """Kind "cloud": our endpoints, which the ERP's channel calls."""

    user: str = ""
    password_env: str = "KCJL_CLOUD_PASSWORD"  # noqa: S105 - a variable's name
    password_file: str = ""
    host: str = "127.0.0.1"
    port: int = 8443
    certificate_file: str = ""
    key_file: str = ""
    public_url: str = ""
    """How the ERP reaches us, where a proxy stands before us."""
    format: Literal["json", "xml"] = "json"
    frequency_minutes: int = 15
    """How often the ERP is asked to fetch orders and returns."""
    fetched_within_minutes: float = 45
    status_within_minutes: float = 120
    silent_after_minutes: float = 90
    order_ref_format: str = "{0}"
    """The channel's "Order Ref. Format", e.g. KCC{0}."""
    site_id: str = "1"
    problem_items: Literal["Abort", "ImportAndHold"] = "ImportAndHold"
    add_buildable: bool = False
    orders_per_answer: int = 1_000
    body_bytes_max: int = 33_554_432
    requests_per_minute: int = 600
    keep_days: float = 180
    """How long what the ERP has confirmed is kept in the feed."""


class KhaosSettings(Section, frozen=True, kw_only=True):
    """The ERP: how it is reached, and what orders are created with."""

    kind: Literal["kws", "cloud"] = "kws"
    """"kws": we call its web service. "cloud": its channel calls us."""
    cloud: CloudSection = CloudSection()
    base_url: str = ""
    """Of kind "kws": up to and with the executable, as in https://erp.example/KhaosKSD.exe"""
    auth: Literal["none", "basic", "body"] = "none"
    user: str = ""
    password_env: str = "KCJL_KHAOS_PASSWORD"  # noqa: S105 - a variable's name
    password_file: str = ""
    auth_parameter: str = "Password"
    """Name of the extra body parameter that carries the password when `auth` is "body"."""
    certificate_sha256: str = ""
    allow_plain_http: bool = False
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 120.0
    codes_per_call: int = 50
    compression: Literal["none", "zip", "bzip2"] = "none"
    flags_as: Literal["typed", "minus_one"] = "typed"
    characters: Literal["transliterate", "refuse"] = "transliterate"
    other_text: Literal["windows-1252", "refuse"] = "windows-1252"
    add_buildable: bool = False
    fold_packs: bool = True
    max_external_ref: int = 15
    site_name: str = "Main Site"
    company_code: str = "JLMKT"
    company_class: str = "Marketplace"
    company_name: str = "John Lewis Marketplace"
    sales_source: str = "JOHN LEWIS"
    clearing_account: str = "John Lewis Clearing"
    invoice_address: InvoiceAddress
    courier_code: str = ""
    couriers: dict[str, str] = msgspec.field(default_factory=dict)
    """The marketplace's shipping type -> courier code."""
    include_email: bool = True

    def __post_init__(self) -> None:
        if self.kind == "kws" and not self.base_url:
            raise ValueError('base_url is missing: kind "kws" calls the ERP there')
        if self.kind == "cloud" and not self.cloud.user:
            raise ValueError('cloud.user is missing: kind "cloud" lets the ERP in by it')
