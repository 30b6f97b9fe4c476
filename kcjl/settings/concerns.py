"""The sections of kcjl.toml that say how a merchant's concerns work.

Promises: what can't be meant is refused, with its name. Buffers, carrier maps and account maps
are not here: they are events; what stands under `opening_policy` is recorded as the first
events of a new log and never read again. Called by `file.py`.
"""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

import msgspec

from kcjl.calls.sync_log import KEEP_DAYS_DEFAULT
from kcjl.errors import Misuse
from kcjl.johnlewis.frequencies import advised_s
from kcjl.settings.section import Section, above_zero, time_of_day
from kcjl.stock.policy import PolicyDocument, Rule, checked

__all__ = [
    "BANK_FILE_COLUMNS",
    "WEEKDAYS",
    "BankSettings",
    "CallSettings",
    "DeadlineSettings",
    "DispatchSettings",
    "MetricSettings",
    "OpeningPolicy",
    "OrderSettings",
    "SettlementSettings",
    "StockSettings",
]

BANK_FILE_COLUMNS = ("Number", "Date", "Account", "Amount", "Subcategory", "Memo")
"""Of the clearing account's file, as the ERP's bank import lists them (contract khaos f)."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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
        above_zero(
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
        time_of_day("read_back_at", self.read_back_at)

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
    """After so long without a read, and at the first one, orders come as one export (OR13)."""
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
        above_zero(
            poll_s=self.poll_s,
            overlap_s=self.overlap_s,
            catch_up_after_hours=self.catch_up_after_hours,
            count_days=self.count_days,
            count_grace_minutes=self.count_grace_minutes,
            acceptance_hours=self.acceptance_hours,
            personal_data_days=self.personal_data_days,
            missing_after_minutes=self.missing_after_minutes,
        )
        time_of_day("count_at", self.count_at)
        if self.start_at is not None and self.start_at.tzinfo is None:
            raise ValueError(f"start_at needs a time zone, e.g. {self.start_at.isoformat()}Z")


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
        above_zero(warn_hours=self.warn_hours, named_max=self.named_max)
        if not self.working_days:
            raise ValueError("working_days needs a day, e.g. mon")
        for name in ("opens_at", "closes_at"):
            time_of_day(name, getattr(self, name))
        opens, closes = time.fromisoformat(self.opens_at), time.fromisoformat(self.closes_at)
        if closes <= opens and closes != time(0):
            raise ValueError(
                f"closes_at ({self.closes_at}) has to be after opens_at ({self.opens_at}); "
                "00:00 is the midnight at the day's end"
            )
        if self.cut_off:
            time_of_day("cut_off", self.cut_off)
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
    """The strictest thresholds that operators publish: John Lewis' own are not known yet."""

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
        above_zero(orders_min=self.orders_min)


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
        above_zero(
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
    columns: dict[str, str] = msgspec.field(default_factory=dict)
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
        above_zero(
            transactions_poll_s=self.transactions_poll_s,
            cycle_days=self.cycle_days,
            sweep_days=self.sweep_days,
        )
        if not self.cycles_read_at:
            raise ValueError("cycles_read_at needs a time of day, e.g. 06:30")
        for each in self.cycles_read_at:
            time_of_day("cycles_read_at", each)


class CallSettings(Section, frozen=True, kw_only=True):
    """The sync log: notes of each call to either side."""

    keep_days: float = KEEP_DAYS_DEFAULT
    """Then they are deleted."""

    def __post_init__(self) -> None:
        above_zero(keep_days=self.keep_days)


class OpeningPolicy(Section, frozen=True, kw_only=True):
    """The first policy events of a new log."""

    buffer_units: int = 0
    speed: float | bool = 0.999
    """Service level of the speed buffer; false: none."""
    fast_mover_units_a_day: float = 20
    """From it on nothing is offered while the feed is stale past the hard limit; 0: always."""
    carriers: dict[str, str] = msgspec.field(default_factory=dict)
    """Courier name or code in the ERP -> the marketplace's carrier code."""
    accounts: dict[str, str] = msgspec.field(default_factory=dict)
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
