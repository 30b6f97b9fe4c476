"""Everything that a run is made of, drawn from its seed before it begins.

Promises: `draw(seed)` gives the same scenario wherever it is called; each part has a chance of
its own, so that switching one off (`without`) leaves the others as they are. `Scenario(seed=…)`
alone is a calm day. It runs nothing. Invariant: hours count from the world's beginning, and
every fault is over by `faults_until_h`.
Called by the run, its command and the tests.
"""

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Literal, TypeVar, get_type_hints

import msgspec

from kcjl.clock import chance
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import WorldSettings
from kcjl.settings import (
    DispatchSettings,
    InvoiceAddress,
    JohnLewisSettings,
    KhaosSettings,
    MerchantSettings,
    OpeningPolicy,
    OrderSettings,
    SettlementSettings,
    StockSettings,
)
from tests.simulation.asks import Asks, draw_asks, draw_gives_back
from tests.simulation.faults import (
    CALL_KINDS,
    LOG_KINDS,
    ClockShift,
    DeathIn,
    Fault,
    Faults,
    Restore,
)
from tests.simulation.people import Acts, plan_people

__all__ = ["CARRIERS", "Scenario", "draw"]

T = TypeVar("T")

OPEN_H = 12
"""Hours of trade of an usual day; orders a day are those of such a day."""
FIRST_DAYS = (
    date(2026, 11, 2), date(2026, 10, 24), date(2027, 3, 27), date(2026, 10, 30),
)  # fmt: skip
"""A Monday; the two changes of the clocks; the end of a month."""
LAST_HOUR = 23
"""Trade of a day has ended by then."""
CARRIERS = {"DPD24": "DPD", "RM24": "RM"}
SHARES: dict[str, tuple[float, float]] = {
    "slow": (0.01, 0.1),
    "lost_before": (0.01, 0.1),
    "lost_after": (0.01, 0.15),
    "arrives_late": (0.01, 0.1),
    "rate_limited": (0.002, 0.02),
    "truncated": (0.01, 0.1),
    "duplicated": (0.05, 0.3),
    "reordered": (0.05, 0.3),
    "stale": (0.01, 0.15),
    "moving": (0.02, 0.2),
    "log_slow": (0.01, 0.1),
    "log_refuses": (0.002, 0.05),
    "log_dies_before_commit": (0.001, 0.02),
    "log_dies_after_commit": (0.001, 0.02),
}
OPERATIONS: dict[str, tuple[str, ...]] = {
    "stale": ("OR11", "OF21", "ST11", "STO02", "TL02", "SBC11", "ExportOrderStatusEx"),
    "arrives_late": (
        "ImportOrders",
        "OR21",
        "OR04",
        "OR23",
        "OR24",
        "ST01",
        "OR28",
        "OR29",
        "OR30",
    ),
}
"""Where a kind is drawn for some operations only: a level that is old, or a stock import that
arrives behind a newer one, no seller could know of."""
WITHOUT_TRACKING: tuple[Literal["wait", "confirm"], ...] = ("wait", "wait", "confirm")
PARCELS = ("ST01", "ST11", "ST23", "OR23", "OR24")
SILENCES = 0.35
"""In so many seeds the marketplace is silent for a while."""
NIGHTS, BOOKS_LOST, LATE_ANSWERS, DEATH_IN_SHARE = 0.4, 0.5, 0.4, 0.08
"""In so many seeds the faults go on until payouts were made; the books are lost in some of
these; answers come late; a process dies in a call of one kind."""
DEATHS_IN: dict[str, int] = {
    "accept": 10,
    "create_order": 12,
    "create_shipment": 10,
    "ship": 8,
    "publish_stock": 30,
    "write_seller_references": 12,
    "stock_levels": 60,
    "orders_updated_since": 100,
    "transaction_lines": 20,
    "refund": 3,
    "cancel_line": 1,
    "cancel_order": 1,
}
"""At which call at the latest, by a port's method."""


RECEIVED_H = ((0.2, 1.0), (0.5, 2.0), (0.5, 3.0), (3.0, 8.0))
"""From leaving the warehouse to the customer's door, least and most."""
QUICK_NIGHT_H, NIGHT_H = 6.0, 16.0
"""Hours after the trade until which the faults go on at most, by how often payouts come."""
BALANCE_NEEDED = 0.3
OUTAGES, OUTAGE_H, EXPORTS_OFF_H = 0.2, (1.5, 3.0), 2.0
"""In so many seeds no order can be read for so many hours, and an export does not help for some
more; they are longer than a read reaches back."""
CATCH_UP_AFTER_H, ACCEPTANCE_H = 0.25, 6.0
"""Sooner than in life, so that a day has it."""
DAILY_PAYOUTS = 0.15
"""Of the seeds: a billing cycle a day, read once or twice a day, as in life."""
CYCLES_READ_DAILY = (("06:30",), ("21:00", "06:30"))
CYCLES_READ_OFTEN = (
    tuple(f"{hour:02}:15" for hour in range(0, 24, 2)),
    tuple(f"{hour:02}:40" for hour in range(24)),
)


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run is made of."""

    seed: int
    days: int = 1
    opens_at_hour: int = 8
    open_h: int = OPEN_H
    """Hours of trade a day."""
    orders_a_day: float = 40.0
    """Baskets of the marketplace, in a day of usual length."""
    skus: int = 40
    packs: int = 0
    """Pack headers that are on offer beside the trade's wares."""
    first_day: date = FIRST_DAYS[0]
    tenant: dict[str, object] = {}
    """Switches of the marketplace, over those of the sandbox's quick preset."""
    warehouse: dict[str, object] = {}
    """Toggles of the ERP, likewise."""
    mismatches: int = 2
    discontinued: int = 3
    return_share: float = 0.05
    people: Acts = Acts()
    """What staff and the operator do unasked."""
    asks: Asks = Asks()
    """What people ask of the service: its commands."""
    merchant: dict[str, object] = {}
    """Sections of the merchant's settings that are not as usual, as `kcjl.toml` has them."""
    faults: Faults = Faults()
    faults_until_h: float = 24.0
    """Then nothing goes wrong any more, and all has to come to rest."""
    deaths_h: tuple[float, ...] = ()
    """The process is killed at these hours, at whichever await it stands then."""
    deaths_in: tuple[DeathIn, ...] = ()
    """The process is killed between a call's effect and its answer."""
    live_ledger: bool = False
    """Journals are entered in a live ledger, too. It is drawn for no seed, so that those that
    were found keep their stories: `test_live_ledger` has runs with it."""
    takeovers_h: tuple[float, ...] = ()
    """A second process takes the lease over at these hours, while the first goes on."""

    def without(self, *parts: str) -> "Scenario":
        """A smaller one: parts are kinds of faults or asks, or fields of the scenario."""
        calm = Scenario(seed=self.seed)
        kinds = [part for part in parts if part in Faults.__struct_fields__]
        asked = [part for part in parts if part in Asks.__struct_fields__]
        fields = {part: getattr(calm, part) for part in parts if part not in kinds + asked}
        smaller = msgspec.structs.replace(self, **fields)
        return smaller.with_(
            faults=smaller.faults.without(*kinds), asks=smaller.asks.without(*asked)
        )

    def with_(self, **fields: object) -> "Scenario":
        return msgspec.structs.replace(self, **fields)

    @property
    def parts(self) -> tuple[str, ...]:
        """What could be switched off, to see whether a failure stays."""
        calm = Scenario(seed=self.seed)
        keep = {"seed", "faults", "faults_until_h", "asks"}
        fields = [name for name in self.__struct_fields__ if name not in keep]
        differing = [name for name in fields if getattr(self, name) != getattr(calm, name)]
        return (*self.faults.kinds, *self.asks.kinds, *differing)

    def chance(self, part: str) -> Random:
        """A part's own chance."""
        return chance(f"{part}/{self.seed}")

    # ── what it makes ──

    def world(self) -> World:
        """A new world, with its people's acts on the agenda."""
        world = World(self.world_settings)
        plan_people(world, self.people, self.chance("people"), packs=self.packs)
        return world

    @property
    def world_settings(self) -> WorldSettings:
        trade = GeneratedTrade(
            first_day=self.first_day,
            days=self.days,
            opens_at_hour=self.opens_at_hour,
            closes_at_hour=self.opens_at_hour + self.open_h,
            orders_per_hour=self.orders_a_day / OPEN_H / 0.6,
            skus=self.skus,
            seed=self.seed,
        )
        quick = WorldSettings.of("quick", seed=self.seed, trade=trade)
        replaced = msgspec.structs.replace
        return replaced(
            quick,
            mismatches=self.mismatches,
            discontinued=self.discontinued,
            return_share=self.return_share,
            marketplace=replaced(quick.marketplace, **self.tenant),
            warehouse=replaced(quick.warehouse, **self.warehouse),
        )

    @property
    def settings(self) -> MerchantSettings:
        usual = MerchantSettings(
            johnlewis=JohnLewisSettings(base_url="https://simulated.example"),
            khaos=KhaosSettings(
                base_url="https://erp.simulated.example",
                invoice_address=InvoiceAddress(
                    line1="1 Example Road", town="London", postcode="ZZ1 1ZZ"
                ),
            ),
            opening_policy=OpeningPolicy(speed=False, carriers=CARRIERS),
        )
        sections = get_type_hints(MerchantSettings)
        told = {  # out of a file a section comes as it was written
            name: msgspec.convert(section, sections[name])
            for name, section in self.merchant.items()
        }
        return msgspec.structs.replace(usual, **told)


# ── drawing ──


def draw(seed: int) -> Scenario:
    """The scenario of a seed."""
    luck = chance(f"scenario/{seed}")
    rhythm = _rhythm(chance(f"scenario/rhythm/{seed}"))
    is_quick = "cycle_every_hours" in rhythm
    days = luck.choice((1, 1, 1, 1, 1, 1, 2))
    opens_at_hour = luck.choice((8, 8, 8, 15, 19))
    open_h = min(luck.choice((3, 3, 4, 4, 6, 12)), LAST_HOUR - opens_at_hour)
    hours = (days - 1) * 24.0 + 2.0 * open_h
    until_h = 2.0 + luck.uniform(0.5, 1.0) * hours
    night, late = chance(f"scenario/night/{seed}"), chance(f"scenario/late/{seed}")
    night_h = (
        2.0 + hours + night.uniform(1.0, QUICK_NIGHT_H if is_quick else NIGHT_H)
        if night.random() < NIGHTS
        else 0.0
    )
    return Scenario(
        seed=seed,
        days=days,
        opens_at_hour=opens_at_hour,
        open_h=open_h,
        orders_a_day=luck.choice((20.0, 30.0, 50.0, 80.0)),
        skus=luck.randint(20, 60),
        packs=luck.choice((0, 0, 1, 3)),
        first_day=luck.choice(FIRST_DAYS),
        tenant=_tenant(chance(f"scenario/tenant/{seed}")) | rhythm | _balance(seed),
        warehouse=_warehouse(chance(f"scenario/warehouse/{seed}")),
        mismatches=luck.choice((0, 1, 2, 4)),
        discontinued=luck.choice((0, 3, 6)),
        return_share=luck.choice((0.0, 0.05, 0.3)),
        people=_labels(
            _acts(chance(f"scenario/people/{seed}")), chance(f"scenario/labels/{seed}")
        ),
        asks=msgspec.structs.replace(
            draw_asks(chance(f"scenario/asks/{seed}"), until_h, busy_h=1.0 + open_h),
            **draw_gives_back(chance(f"scenario/money back/{seed}"), until_h),
        ),
        merchant=_merchant(
            chance(f"scenario/merchant/{seed}"),
            CYCLES_READ_OFTEN if is_quick else CYCLES_READ_DAILY,
            without_tracking=chance(f"scenario/numbers/{seed}").choice(WITHOUT_TRACKING),
        ),
        faults=_with_outage(
            _with_silence(
                _with_late(
                    _faults(chance(f"scenario/faults/{seed}"), until_h), late, until_h, night_h
                ),
                chance(f"scenario/silence/{seed}"),
                until_h,
            ),
            chance(f"scenario/outage/{seed}"),
            open_h,
        ),
        faults_until_h=max(until_h, night_h),
        deaths_h=_moments(chance(f"scenario/deaths/{seed}"), until_h, (0, 0, 1, 3, 8)),
        deaths_in=_deaths_in(chance(f"scenario/deaths in/{seed}"), night_h),
        takeovers_h=_moments(chance(f"scenario/takeovers/{seed}"), until_h, (0, 0, 0, 1, 2)),
    )


def _tenant(luck: Random) -> dict[str, object]:
    switches: dict[str, Callable[[], object]] = {
        "auto_accept": lambda: luck.random() < 0.3,
        "multi_shipment": lambda: luck.random() < 0.6,
        "payment_workflow": lambda: luck.choice(
            ("PAY_ON_ACCEPTANCE", "PAY_ON_ACCEPTANCE", "PAY_ON_SHIPMENT", "PAY_ON_DELIVERY")
        ),
        "offer_lowered_at": lambda: luck.choice(("CREATION", "CREATION", "ACCEPTANCE")),
        "offer_put_back": lambda: luck.random() < 0.3,
        "refusal_empties_offer": lambda: luck.random() < 0.7,
        "addresses_visible_from": lambda: luck.choice(("SHIPPING", "SHIPPING", "ACCEPTANCE")),
        "mandatory_tracking": lambda: luck.random() < 0.3,
        "failing_debit_share": lambda: luck.choice((0.0, 0.0, 0.05)),
        "customer_cancel_share": lambda: luck.choice((0.0, 0.03, 0.15)),
        "operator_refund_share": lambda: luck.choice((0.0, 0.05, 0.2)),
        "incident_share": lambda: luck.choice((0.0, 0.05)),
        "returns_module": lambda: luck.random() < 0.7,
        "separate_tax_lines": lambda: luck.random() < 0.2,
        "taxes_filled": lambda: luck.random() < 0.8,
        "import_s_max": lambda: luck.choice((20.0, 20.0, 600.0)),
        "boundary_overlap_s": lambda: luck.choice((0.0, 60.0)),
        "staging_s": lambda: luck.choice((0.0, 0.0, 600.0)),
    }
    return {name: value() for name, value in switches.items()}


def _balance(seed: int) -> dict[str, object]:
    """Where the shop's balance has to cover a refund, a refund may have to wait."""
    luck = chance(f"scenario/balance/{seed}")
    return {"refund_needs_payable_balance": luck.random() < BALANCE_NEEDED}


def _rhythm(luck: Random) -> dict[str, object]:
    """How soon parcels arrive and payouts come; most often sooner than in life.

    Payouts of a day would have each run wait a day for them, with nothing else going on.
    """
    least_h, most_h = luck.choice(RECEIVED_H)
    rhythm: dict[str, object] = {
        "received_after_hours_min": least_h,
        "received_after_hours_max": most_h,
    }
    if luck.random() < DAILY_PAYOUTS:
        return rhythm
    return rhythm | {"cycle_every_hours": luck.choice((2.0, 3.0, 5.0)), "daily_calls": 100}


def _warehouse(luck: Random) -> dict[str, object]:
    return {
        "ships_in_parts": luck.random() < 0.7,
        "two_boxes_from_units": luck.choice((2, 4, 6, 50)),
        "late_consignment_percent": luck.choice((0, 0, 20, 60)),
        "duplicate_answer": luck.choice(("skip", "fault")),
        "since_is_inclusive": luck.random() < 0.7,
        "round_the_clock": luck.random() < 0.8,
    }


def _acts(luck: Random) -> Acts:
    if luck.random() < 0.4:
        return Acts()
    names = Acts.__struct_fields__
    return Acts(**{name: luck.choice((0, 0, 0, 1, 2)) for name in names})


def _labels(acts: Acts, luck: Random) -> Acts:
    """Slips at the labels, and labels that are made anew."""
    counts = (0, 0, 1, 3)
    return msgspec.structs.replace(
        acts, slips=luck.choice(counts), relabels=luck.choice(counts)
    )


def _merchant(
    luck: Random,
    cycles: tuple[tuple[str, ...], ...],
    *,
    without_tracking: Literal["wait", "confirm"],
) -> dict[str, object]:
    return {
        "stock": StockSettings(
            poll_s=luck.choice((300.0, 900.0, 1200.0, 1800.0)),
            watch_s=luck.choice((0.0, 0.0, 60.0, 300.0)),
        ),
        "orders": OrderSettings(
            poll_s=luck.choice((120.0, 300.0, 600.0, 900.0)),
            catch_up_after_hours=CATCH_UP_AFTER_H,
            acceptance_hours=ACCEPTANCE_H,
        ),
        "dispatch": DispatchSettings(
            poll_s=luck.choice((600.0, 600.0, 1800.0)),
            tracking_wait_hours=luck.choice((0.0, 1.0, 4.0)),
            without_tracking=without_tracking,
        ),
        "settlement": SettlementSettings(
            transactions_poll_s=luck.choice((1200.0, 1200.0, 4320.0)),
            cycles_read_at=luck.choice(cycles),
            close_on=luck.choice(("paid", "paid", "cycle")),
        ),
        "opening_policy": OpeningPolicy(
            buffer_units=luck.choice((0, 0, 1, 3)),
            speed=luck.choice((False, False, 0.99, 0.999)),
            carriers=CARRIERS,
        ),
    }


def _faults(luck: Random, until_h: float) -> Faults:
    """Some kinds, each from some hour to another; now and then none at all."""
    if luck.random() < 0.1:
        return Faults()
    chosen: dict[str, object] = {}
    for kind in (*CALL_KINDS, *LOG_KINDS):
        if kind in SHARES and luck.random() < 0.45:
            least, most = SHARES[kind]
            from_h = luck.uniform(0, until_h / 2)
            chosen[kind] = Fault(
                share=luck.uniform(least, most),
                from_h=luck.choice((0.0, from_h)),
                until_h=luck.choice((until_h, luck.uniform(from_h, until_h))),
                operations=OPERATIONS.get(kind, ()),
            )
    for side in ("marketplace_clock", "erp_clock"):
        if luck.random() < 0.25:
            chosen[side] = _shifts(luck, until_h)
    if luck.random() < 0.15:
        at_h = luck.uniform(2.0, max(2.5, until_h))
        chosen["restores"] = (Restore(at_h=at_h),)
    return msgspec.convert(msgspec.to_builtins(chosen), Faults)


def _with_late(faults: Faults, luck: Random, until_h: float, night_h: float) -> Faults:
    """News that are old when they come; and a night in which the books do not answer."""
    if luck.random() < LATE_ANSWERS:
        share = luck.uniform(0.1, 0.9)
        operations = luck.choice((("ExportStockStatus",), ("ExportStockStatus", "OR11")))
        fault = Fault(share=share, until_h=until_h, operations=operations)
        faults = msgspec.structs.replace(faults, answers_late=fault)
    if night_h and luck.random() < BOOKS_LOST:
        fault = Fault(share=luck.uniform(0.3, 0.9), until_h=night_h, operations=("prepare",))
        faults = msgspec.structs.replace(faults, books_lost=fault)
    return faults


def _with_outage(faults: Faults, luck: Random, open_h: float) -> Faults:
    """Orders can't be read while customers buy; when they can be, no export is to be had."""
    if luck.random() >= OUTAGES:
        return faults
    begins_h = 1.0 + luck.uniform(0.0, open_h / 2)
    ends_h = begins_h + luck.uniform(*OUTAGE_H)
    return msgspec.structs.replace(
        faults,
        orders_away=Fault(
            share=1.0, from_h=begins_h, until_h=ends_h, operations=("OR11", "OR13")
        ),
        exports_off=Fault(
            share=1.0, from_h=ends_h, until_h=ends_h + EXPORTS_OFF_H, operations=("OR13",)
        ),
    )


def _with_silence(faults: Faults, luck: Random, until_h: float) -> Faults:
    """Hours in which the marketplace answers nothing about parcels, or nothing about orders."""
    if luck.random() >= SILENCES:
        return faults
    from_h = luck.uniform(1.0, until_h * 0.6)
    for_h = luck.choice((1.0, 3.0, 6.0))
    operations = luck.choice((PARCELS, (*PARCELS, "OR11")))
    silent = Fault(
        share=1.0, from_h=from_h, until_h=min(from_h + for_h, until_h), operations=operations
    )
    return msgspec.structs.replace(faults, silent=silent)


def _deaths_in(luck: Random, night_h: float) -> tuple[DeathIn, ...]:
    """Between effect and answer: where a look-up has to save the day."""
    deaths = [
        DeathIn(operation=operation, call=luck.randint(1, most))
        for operation, most in DEATHS_IN.items()
        if luck.random() < DEATH_IN_SHARE
    ]
    if night_h and luck.random() < BOOKS_LOST:
        deaths.append(DeathIn(operation="prepare", call=luck.randint(1, 2)))
    return tuple(deaths)


def _shifts(luck: Random, until_h: float) -> tuple[ClockShift, ...]:
    """Off from the beginning or by a jump, and right again in the end."""
    count = luck.randint(1, 3)
    hours = sorted(luck.uniform(0, until_h) for _ in range(count))
    off = [
        ClockShift(at_h=at_h, fast_s=float(luck.choice((-300, -60, -5, 5, 60, 300))))
        for at_h in hours
    ]
    return (*off, ClockShift(at_h=until_h, fast_s=0.0))


def _moments(luck: Random, until_h: float, counts: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(sorted(luck.uniform(0.01, until_h) for _ in range(luck.choice(counts))))
