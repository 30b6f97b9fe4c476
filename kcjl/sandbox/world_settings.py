"""How a sandbox world is set up: its trade, its seed, its pace, its troubles.

Promises: `quick` makes a day of trade end in paid payouts some 30 to 40 world hours after its
start; `life` keeps the hours and cycles of life. The speed of time is not here: it changes no
world. Invariant: the same settings make the same world.
Called by the world, and by the server that records them in the journal.
"""

import hashlib
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from kcjl.errors import Misuse
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.journal import plain
from kcjl.sandbox.khaos_cloud.settings import ChannelSettings
from kcjl.sandbox.marketplace import MarketplaceSettings
from kcjl.sandbox.warehouse.settings import Minutes, WarehouseSettings
from kcjl.sandbox.xero.settings import BooksSettings

__all__ = ["Preset", "Reordering", "TradeFile", "WorldSettings"]

Preset = Literal["quick", "life"]


class TradeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Real trade out of a file."""

    path: str
    first_day: date
    days: int = 1
    share: float = 60.0
    """Percentage of the sale invoices that come in through the marketplace."""
    household: int | None = None
    """Invoices with a line of more units are no marketplace customer's, and sold elsewhere."""
    products_only: bool = False
    """Lines whose code is no product (postage, charges) are left out of every sale."""

    def fingerprint(self) -> str:
        """What the file holds, wherever it lies."""
        try:
            return hashlib.sha256(Path(self.path).read_bytes()).hexdigest()
        except OSError as trouble:
            raise Misuse(f"the trade file {self.path} can't be read: {trouble}") from None


class Reordering(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stock that runs down and is bought again: each product by its own past demand.

    Every morning a product whose level and open purchases have fallen to its reorder point,
    which is the demand of the lead time times `safety`, is bought for `cover_days`. Demand is
    what customers of all channels wanted, a day, over the last `demand_days`: the same whatever
    a client does. What orders wait for in vain is cancelled, once a day.
    """

    lead_days: int = 7
    cover_days: int = 14
    demand_days: int = 28
    safety: float = 1.3
    least_units: int = 6
    """Of one purchase."""

    def __post_init__(self) -> None:
        for name in ("lead_days", "cover_days", "demand_days", "least_units"):
            if getattr(self, name) < 1:
                raise Misuse(f"reordering: {name} is at least 1, not {getattr(self, name)}")
        if self.safety < 0:
            raise Misuse(f"reordering: safety can't be below 0, and is {self.safety}")


class WorldSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that makes a world what it is."""

    seed: int = 1
    trade: TradeFile | GeneratedTrade = GeneratedTrade()
    lead_in_minutes: int = 60
    """The world begins so long before its first happening: time to publish stock."""
    horizon_days: float = 30.0
    """The world ends so long after its last trade, whatever is left to do then."""

    # ── stock ──
    scarce_share: float = 0.08
    """Of the products: stock for a part of the demand, the rest comes in later."""
    run_to_zero_share: float = 0.02
    """Of the products: few left, and none to come."""
    reordering: Reordering | None = None
    """None: stock is made from the demand to come. Else it is bought as it runs down, and
    `scarce_share` and `run_to_zero_share` mean nothing."""
    lines_in_part: bool = False
    """A customer of the marketplace who wants more than is shown orders what is shown; False:
    nothing of that line."""
    discontinued: int = 5
    """Products without demand that the ERP has discontinued."""

    # ── troubles ──
    mismatches: int = 2
    """Products with demand whose stock code the ERP spells differently at first."""
    mismatch_mended_after_h: float = 6.0
    return_share: float = 0.05
    """Of the delivered marketplace orders: some units come back and are refunded."""

    # ── both systems ──
    marketplace: MarketplaceSettings = MarketplaceSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    cloud: ChannelSettings = ChannelSettings()
    """The Cloud ERP's channel, where that is the ERP."""
    xero: BooksSettings = BooksSettings()
    """The organisation's books, where they are served."""

    def __post_init__(self) -> None:
        for name in ("scarce_share", "run_to_zero_share", "return_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise Misuse(f"{name} is a share from 0 to 1, not {getattr(self, name)}")
        for name in ("lead_in_minutes", "discontinued", "mismatches"):
            if getattr(self, name) < 0:
                raise Misuse(f"{name} can't be below 0")
        if self.horizon_days <= 0 or self.mismatch_mended_after_h < 0:
            raise Misuse("a world needs a horizon, and its mismatches a time to be mended")

    @classmethod
    def of(
        cls, preset: Preset, *, seed: int = 1, trade: TradeFile | GeneratedTrade | None = None
    ) -> "WorldSettings":
        """The settings of a preset."""
        trade = GeneratedTrade(seed=seed) if trade is None else trade
        if preset == "life":
            return cls(seed=seed, trade=trade, marketplace=_LIFE_MARKETPLACE, horizon_days=60.0)
        return cls(
            seed=seed, trade=trade, marketplace=_QUICK_MARKETPLACE, warehouse=_QUICK_WAREHOUSE
        )

    def recorded(self) -> dict[str, object]:
        """The settings as a journal keeps them; a trade file by what it holds."""
        written = plain({name: getattr(self, name) for name in self.__struct_fields__})
        if isinstance(self.trade, TradeFile):
            trade = dict(written["trade"]) if isinstance(written["trade"], dict) else {}
            trade["path"] = Path(self.trade.path).name
            trade["sha256"] = self.trade.fingerprint()
            written["trade"] = trade
        return written


_LIFE_MARKETPLACE = MarketplaceSettings(
    returns_accepted_automatically=True,
    received_after_hours_min=48,
    received_after_hours_max=144,
    cycle_days_of_month=(1, 11, 21),
)

_QUICK_MARKETPLACE = MarketplaceSettings(
    returns_accepted_automatically=True,
    debit_delay_s_min=120,
    debit_delay_s_max=600,
    received_after_hours_min=3,
    received_after_hours_max=8,
    cycle_every_days=1,
    cycle_time="20:00",
    payout_paid_after_hours=0.5,
)

_QUICK_WAREHOUSE = WarehouseSettings(
    round_the_clock=True,
    shipped_after=Minutes(at_least=60, at_most=180),
)
