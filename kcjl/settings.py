"""kcjl.toml, read once: typed, frozen, unknown keys refused.

Promises: secrets come from the environment or from files, never from the config, and are
never printed. Buffers, carrier maps and account maps are not here: they are events; what stands
under `opening_policy` is recorded as the first events of a new log and never read again.
Called by the CLI and by `service.py`. Over 400 lines, because all sections stand together.
"""

import os
import tomllib
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from kcjl.calls.sync_log import KEEP_DAYS_DEFAULT
from kcjl.discretion import Secret
from kcjl.errors import Misuse, SettingsUnusable
from kcjl.johnlewis.frequencies import advised_s
from kcjl.stock.policy import PolicyDocument, Rule, checked
from kcjl.vaultkey import VaultSettings

__all__ = [
    "BANK_FILE_COLUMNS",
    "WEEKDAYS",
    "BankSettings",
    "CallSettings",
    "ClockSettings",
    "CloudSection",
    "DeadlineSettings",
    "DispatchSettings",
    "InvoiceAddress",
    "JohnLewisSettings",
    "KhaosSettings",
    "MerchantSettings",
    "MetricSettings",
    "OpeningPolicy",
    "OrderSettings",
    "Settings",
    "SettlementSettings",
    "StockSettings",
    "read_settings",
    "secret",
]


BANK_FILE_COLUMNS = ("Number", "Date", "Account", "Amount", "Subcategory", "Memo")
"""Of the clearing account's file, as the ERP's bank import lists them (contract khaos f)."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the sections: a key that we do not know is refused."""


def _above_zero(**settings: float) -> None:
    for name, value in settings.items():
        if not value > 0:
            raise ValueError(f"{name} has to be above 0, not {value:g}")


def _time_of_day(name: str, told: str) -> None:
    try:
        time.fromisoformat(told)
    except ValueError:
        raise ValueError(f"{name}: {told!r} is no time of day") from None


class ClockSettings(Section, frozen=True, kw_only=True):
    """Whose time it is. `world`: the control address of a sandbox whose time is followed."""

    world: str = ""


class HealthSettings(Section, frozen=True, kw_only=True):
    """Where the service says how it is: `/healthz`, `/readyz`, `/metrics`."""

    host: str = "127.0.0.1"
    port: int = 9640
    """0: nowhere."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= PORT_MAX:
            raise ValueError(f"[health] port: 0 to {PORT_MAX:,}, not {self.port:,}")


class StockSettings(Section, frozen=True, kw_only=True):
    poll_s: float = 300
    """How often levels that moved are read; the vendor advises 5 to 30 minutes."""
    watch_s: float = 60
    """How often the ERP is asked between two polls what has moved, and the levels of that are
    read; 0: never. When some have changed the orders are read as well."""
    watch_codes_max: int = 250
    """Where more stock codes than this have moved since the last look, the next poll reads
    them, and the buffers are those of the poll. Fifty go in one call."""
    sites: tuple[str, ...] = ()
    """Site ids that the order import will use; empty: the ERP's default site."""
    sweep_hours: float = 6
    """How often all products and levels are read, not only what was edited or moved: an ERP set
    back to a backup says of nothing that it is otherwise now."""
    follow_s: float = 20
    """How often a stock import is asked for (STO02: at most every 15 s)."""
    lines_max: int = 10_000
    """Lines of one stock file; the marketplace states no limit (STO01)."""
    publish_every_s: float = 60
    """At most one stock import in so many seconds; what changes meanwhile goes together."""
    import_ends_within_s: float = 3600
    """An import that takes longer is given up, and fresh figures are sent."""
    guard_to_zero_share: float = 0.2
    """More than this share of the offered SKUs to 0 at once waits for a person's word."""
    guard_moved_share: float = 0.5
    """More than this share that moves by more than a factor of two waits likewise."""
    guard_skus_min: int = 10
    """Fewer SKUs than this are no mass change."""
    stale_soft_s: float | None = None
    """So old may the last read of stock be before buffers widen; none: three polls."""
    stale_hard_s: float = 7200
    """So old before fast movers go to 0."""
    read_back_at: str = "03:00"
    """London time of day at which every offer is read back and compared."""

    def __post_init__(self) -> None:
        _above_zero(
            poll_s=self.poll_s,
            sweep_hours=self.sweep_hours,
            follow_s=self.follow_s,
            lines_max=self.lines_max,
            publish_every_s=self.publish_every_s,
            watch_codes_max=self.watch_codes_max,
            import_ends_within_s=self.import_ends_within_s,
            guard_skus_min=self.guard_skus_min,
            soft_s=self.soft_s,
        )
        if self.watch_s < 0:
            raise ValueError("watch_s can't be below 0; 0 switches the watch off")
        for name in ("guard_to_zero_share", "guard_moved_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share, 0 to 1, not {getattr(self, name):g}")
        if self.stale_hard_s < self.soft_s:
            raise ValueError(
                f"stale_hard_s ({self.stale_hard_s:g}) can't be below stale_soft_s "
                f"({self.soft_s:g})"
            )
        _time_of_day("read_back_at", self.read_back_at)

    @property
    def soft_s(self) -> float:
        three_polls_s = min(3 * self.poll_s, self.stale_hard_s)
        return three_polls_s if self.stale_soft_s is None else self.stale_soft_s


class OrderSettings(Section, frozen=True, kw_only=True):
    poll_s: float = advised_s("OR11")
    """How often orders are read (OR11: advised 5 minutes, at most once a minute; 15 minutes for
    an External Partner, whatever stands here)."""
    overlap_s: float = 3600
    """How far a read reaches back behind the cursor; their own shift is not known."""
    catch_up_after_hours: float = 24
    """After so long without a read, and at the first one, orders come as one export (OR13)
    before they are read by pages: it is for large volumes, and a full one is advised once a
    day, while pages of 100 move under the reading (OR11)."""
    count_at: str = "05:00"
    """London time of day at which orders and sales orders are counted against each other."""
    count_days: float = 30
    """The count asks the marketplace for orders updated in so many days; older ones are
    counted while they are open."""
    count_grace_minutes: float = 60
    """An order may be on its way to the ERP for so long before the count calls it a gap."""
    acceptance_hours: float = 24
    """The operator's time limit for accepting: unknown for John Lewis, so a setting."""
    start_at: datetime | None = None
    """Orders older than this are recorded and never posted."""
    personal_data_days: float = 90
    return_reason: str = ""
    """The ERP's own reason under which goods that came back are handed to its channel, where it
    fetches returns; it decides what happens to the stock. Empty: a person enters them."""
    missing_after_minutes: float = 20
    """A sales order that the ERP shows no more is taken for gone when it is still not shown so
    long after the first answer that left it out: a replica may lag behind."""

    def __post_init__(self) -> None:
        _above_zero(
            poll_s=self.poll_s,
            overlap_s=self.overlap_s,
            catch_up_after_hours=self.catch_up_after_hours,
            count_days=self.count_days,
            count_grace_minutes=self.count_grace_minutes,
            acceptance_hours=self.acceptance_hours,
            personal_data_days=self.personal_data_days,
            missing_after_minutes=self.missing_after_minutes,
        )
        _time_of_day("count_at", self.count_at)
        if self.start_at is not None and self.start_at.tzinfo is None:
            raise ValueError(f"start_at needs a time zone, e.g. {self.start_at.isoformat()}Z")


PORT_MAX = 65_535
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class DeadlineSettings(Section, frozen=True, kw_only=True):
    """When the merchant works, and how early it is told that an order will be late."""

    working_days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = (
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
    )
    opens_at: str = "08:00"
    """London time of day; business time counts from here."""
    closes_at: str = "18:00"
    """Until here; 00:00 is the midnight at the day's end."""
    cut_off: str = ""
    """What is ready by this London time of day goes out the same working day; one that has not
    gone by its end is at risk. Empty: no such promise."""
    bank_holidays: Literal["ENG", "WLS", "SCT", "NIR", "none"] = "ENG"
    """Whose bank holidays are kept; England and Wales have the same."""
    closed_on: tuple[str, ...] = ()
    """Further days on which nobody works, e.g. 2026-12-24."""
    warn_hours: float = 4
    """Business hours before the marketplace's deadline from which on an order is at risk."""
    named_max: int = 25
    """With more orders at risk, or late, than this the others are one exception and a count."""

    def __post_init__(self) -> None:
        _above_zero(warn_hours=self.warn_hours, named_max=self.named_max)
        if not self.working_days:
            raise ValueError("working_days needs a day, e.g. mon")
        for name in ("opens_at", "closes_at"):
            _time_of_day(name, getattr(self, name))
        opens, closes = time.fromisoformat(self.opens_at), time.fromisoformat(self.closes_at)
        if closes <= opens and closes != time(0):
            raise ValueError(
                f"closes_at ({self.closes_at}) has to be after opens_at ({self.opens_at}); "
                "00:00 is the midnight at the day's end"
            )
        if self.cut_off:
            _time_of_day("cut_off", self.cut_off)
            if time.fromisoformat(self.cut_off) < opens:
                raise ValueError(
                    f"cut_off ({self.cut_off}) is before opens_at ({self.opens_at})"
                )
        for day in self.closed_on:
            try:
                date.fromisoformat(day)
            except ValueError:
                raise ValueError(f"closed_on: {day!r} is no day, e.g. 2026-12-24") from None


class MetricSettings(Section, frozen=True, kw_only=True):
    """Thresholds of the shop's metrics. John Lewis' own are not known before onboarding: these
    are the strictest that other operators publish.
    """

    late_shipment_max: float = 0.05
    """Orders shipped after their deadline, of those shipped or due."""
    cancelation_max: float = 0.05
    """Accepted lines with a cancelation, of accepted lines."""
    approval_min: float = 0.96
    """Accepted lines, of those accepted or refused."""
    valid_tracking_min: float = 0.9
    """Orders whose parcels all have a number, of those shipped."""
    near_share: float = 0.8
    """At this share of the way to a threshold a person is told."""
    orders_min: int = 30
    """A rate of fewer orders (or lines) than this is shown, and not judged."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if name != "orders_min" and not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share above 0, up to 1")
        _above_zero(orders_min=self.orders_min)


class DispatchSettings(Section, frozen=True, kw_only=True):
    poll_s: float = 600
    """How often open sales orders are looked at in the ERP."""
    tracking_wait_hours: float = 4
    """A parcel shipped without a number is raised after this time."""
    without_tracking: Literal["wait", "confirm", "raise"] = "wait"
    """Where the marketplace does not demand a number: "wait" confirms without it just before
    the parcel is late, "confirm" when it has waited, "raise" never."""
    late_tracking_days: float = 7
    """So long after the posting a number is looked for that a confirmation went without."""
    tracking_forms: bool = True
    """Tracking numbers are held against the forms of their carrier, where those are known."""
    retry_first_minutes: float = 5
    """Pause before a confirmation is tried again; it doubles with each attempt."""
    retry_max_minutes: float = 120
    retry_hours: float = 24
    """A confirmation that does not get through is tried again for so long."""
    silent_minutes: float = 15
    """A person is told when the marketplace has answered no confirmation for so long."""
    backup_hours: float = 24
    """How old a backup may be that the ERP is set back to: sales orders are looked for so long
    after they were posted, also when all is confirmed."""
    deadlines: DeadlineSettings = DeadlineSettings()
    metrics: MetricSettings = MetricSettings()

    def __post_init__(self) -> None:
        _above_zero(
            poll_s=self.poll_s,
            backup_hours=self.backup_hours,
            late_tracking_days=self.late_tracking_days,
            retry_first_minutes=self.retry_first_minutes,
            retry_max_minutes=self.retry_max_minutes,
            retry_hours=self.retry_hours,
            silent_minutes=self.silent_minutes,
        )
        if self.tracking_wait_hours < 0:
            raise ValueError("tracking_wait_hours can't be below 0")


class BankSettings(Section, frozen=True, kw_only=True):
    """The bank: payouts that come in, and the file of the clearing account for the ERP."""

    received_within_days: int = 5
    """Working days after which a payout that is paid should be in the bank; 0: never asked."""
    matched_within_days: int = 10
    """So many days after the payment a statement's line may be its money by amount alone."""
    columns: dict[str, str] = {}
    """Heading by role of a statement in CSV whose layout is none of those that are known."""
    layout: Literal["barclays", "amazon"] = "barclays"
    """Of the clearing account's file: a bank's CSV, or the TSV in the shape of Amazon's."""
    file_columns: tuple[str, ...] = BANK_FILE_COLUMNS
    """The bank's CSV, in their order."""
    file_date: str = "%d/%m/%Y"
    """How its days are written."""
    file_account: str = ""
    """What stands in its column Account; empty: the clearing account's name."""
    tsv_date: str = "%Y-%m-%d"
    """How the days of the TSV are written, in UTC."""
    tsv_order: Literal["customer_order_number", "order_id"] = "customer_order_number"
    """What the TSV calls an order: the ERP's number of it, or the marketplace's."""

    def __post_init__(self) -> None:
        if self.received_within_days < 0 or self.matched_within_days < 0:
            raise ValueError("days can't be below 0")
        if sorted(self.file_columns) != sorted(BANK_FILE_COLUMNS):
            raise ValueError(
                f"file_columns are {', '.join(BANK_FILE_COLUMNS)}, each once, in any order"
            )


class SettlementSettings(Section, frozen=True, kw_only=True):
    transactions_poll_s: float = advised_s("TL02")
    """How often transaction lines are read (TL02: 20 a day advised)."""
    cycles_read_at: tuple[str, ...] = ("06:30",)
    """London times of day at which billing cycles are read (SBC11: once a day)."""
    close_on: Literal["paid", "cycle"] = "paid"
    """"paid": a payout closes when the marketplace shows it as paid; "cycle": at the cycle, for
    tenants that do not confirm payments."""

    cycle_days: float = 11
    """How long a billing cycle lasts at most (Mirakl's three a month: 11 days). Money that is
    payable for longer, and on no cycle, is raised; a payout whose cycle spans a month's end has
    its journal split there."""
    sweep_days: float = 10
    """How far back transaction lines are read again once a day."""
    bank: BankSettings = BankSettings()

    def __post_init__(self) -> None:
        _above_zero(
            transactions_poll_s=self.transactions_poll_s,
            cycle_days=self.cycle_days,
            sweep_days=self.sweep_days,
        )
        if not self.cycles_read_at:
            raise ValueError("cycles_read_at needs a time of day, e.g. 06:30")
        for each in self.cycles_read_at:
            _time_of_day("cycles_read_at", each)


class CallSettings(Section, frozen=True, kw_only=True):
    """The sync log: notes of each call to either side."""

    keep_days: float = KEEP_DAYS_DEFAULT
    """Then they are deleted."""

    def __post_init__(self) -> None:
        _above_zero(keep_days=self.keep_days)


class OpeningPolicy(Section, frozen=True, kw_only=True):
    """The first policy events of a new log."""

    buffer_units: int = 0
    speed: float | bool = 0.999
    """Service level of the speed buffer; false: none."""
    fast_mover_units_a_day: float = 20
    """From this speed on nothing is offered while the stock feed is stale past the hard limit;
    0: always offered."""
    carriers: dict[str, str] = {}
    """Courier name or code in the ERP -> the marketplace's carrier code."""
    accounts: dict[str, str] = {}
    """Role -> nominal account; roles left out keep the house's defaults."""
    acceptance: Literal["known_and_available", "known", "manual"] = "known_and_available"
    """Which orders are accepted by themselves; rules by value, SKU and country come later."""
    acceptance_at_the_end: Literal["leave", "accept", "refuse"] = "leave"
    """What happens to an order whose time for accepting is nearly over."""

    def __post_init__(self) -> None:
        if self.buffer_units < 0:
            raise ValueError("buffer_units can't be below 0")
        try:
            checked(self.stock_policy)
        except Misuse as fault:
            raise ValueError(fault.message) from None

    @property
    def stock_policy(self) -> PolicyDocument:
        """The document that opens a log: one rule, for everything."""
        fast = self.fast_mover_units_a_day
        opening = Rule(
            name="opening",
            buffer=self.buffer_units,
            speed=self.speed if isinstance(self.speed, bool) else Decimal(str(self.speed)),
            fast_mover_units_a_day=Decimal(str(fast)) if fast else None,
        )
        return PolicyDocument(note="opening policy of the settings", rules=(opening,))


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
    couriers: dict[str, str] = {}
    """The marketplace's shipping type -> courier code."""
    include_email: bool = True

    def __post_init__(self) -> None:
        if self.kind == "kws" and not self.base_url:
            raise ValueError('base_url is missing: kind "kws" calls the ERP there')
        if self.kind == "cloud" and not self.cloud.user:
            raise ValueError('cloud.user is missing: kind "cloud" lets the ERP in by it')


class MerchantSettings(Section, frozen=True, kw_only=True):
    johnlewis: JohnLewisSettings
    khaos: KhaosSettings
    stock: StockSettings = StockSettings()
    orders: OrderSettings = OrderSettings()
    dispatch: DispatchSettings = DispatchSettings()
    settlement: SettlementSettings = SettlementSettings()
    calls: CallSettings = CallSettings()
    opening_policy: OpeningPolicy = OpeningPolicy()

    @property
    def paced_orders(self) -> OrderSettings:
        """The orders' settings, not quicker than the contract lets this key's user be (d.1)."""
        if not self.johnlewis.external_partner:
            return self.orders
        slowest_s = max(self.orders.poll_s, advised_s("OR11", external_partner=True))
        return msgspec.structs.replace(self.orders, poll_s=slowest_s)


class Settings(Section, frozen=True, kw_only=True):
    merchants: dict[str, MerchantSettings]
    database: str = "embedded"
    """"embedded", or a DSN of PostgreSQL 15 or newer."""
    data_dir: str = "kcjl-data"
    live: bool = False
    """Without it nothing is written to a system that is not on this machine."""
    clock: ClockSettings = ClockSettings()
    health: HealthSettings = HealthSettings()
    vault: VaultSettings = VaultSettings()


def read_settings(path: Path) -> Settings:
    """Read and check a kcjl.toml. Raises SettingsUnusable with one clear line."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsUnusable(
            f"there is no configuration at {path}: write one, or try `kcjl demo`"
        ) from None
    except OSError as error:
        raise SettingsUnusable(f"{path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsUnusable(f"{path} is not TOML: {error}") from None
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise SettingsUnusable(f"{path}: {error}") from None
    if not settings.merchants:
        raise SettingsUnusable(f"{path}: no merchant is configured under [merchants.NAME]")
    return settings


def secret(*, env: str, file: str = "", what: str) -> Secret:
    """A secret from a file or from the environment."""
    if file:
        try:
            value = Secret(Path(file).read_text(encoding="utf-8").strip())
        except OSError as error:
            raise SettingsUnusable(f"{what}: {file} can't be read: {error.strerror}") from None
        if not value:
            raise SettingsUnusable(f"{what}: {file} is empty")
        return value
    value = Secret(os.environ.get(env, ""))
    if not value:
        raise SettingsUnusable(f"{what}: set the environment variable {env}, or name a file")
    return value
