"""The shop of the oversell benchmark: ten months of real trade, and stock that runs down.

Promises: the same file, days and seed give the same world and the same customers, whoever
publishes; every assumption that is not the sandbox's own is a line here, and in
docs/oversell.md. It finds the trade file as other tests do. Called by each run.
"""

import os
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import msgspec

from kcjl.sandbox.shoppers import Shopper
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import Reordering, TradeFile, WorldSettings

__all__ = ["FIRST_DAY", "LAST_DAY", "TRADE_FILE", "Shop", "open_shop"]

SHARED = Path(os.environ.get("KCJL_SHARED") or Path(__file__).parents[3].parent / "shared")
TRADE_FILE = SHARED / "data" / "online_retail.csv.gz"
FIRST_DAY, LAST_DAY = date(2010, 12, 1), date(2011, 9, 30)
SHARE = 60.0
"""Percentage of the invoices that a household may have had which are the marketplace's."""
HOUSEHOLD = 12
"""Units of a product that a household buys at most; the file's other invoices are wholesale."""


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """Which world is opened."""

    path: str = str(TRADE_FILE)
    first_day: date = FIRST_DAY
    last_day: date = LAST_DAY
    seed: int = 1
    share: float = SHARE
    household: int | None = HOUSEHOLD

    @property
    def settings(self) -> WorldSettings:
        trade = TradeFile(
            path=self.path,
            first_day=self.first_day,
            days=(self.last_day - self.first_day + timedelta(days=1)).days,
            share=self.share,
            household=self.household,
            products_only=True,
        )
        return msgspec.structs.replace(
            WorldSettings.of("life", seed=self.seed, trade=trade),
            reordering=Reordering(),
            lines_in_part=True,
            mismatches=0,
            discontinued=0,
            return_share=0.0,
        )


def open_shop(shop: Shop) -> World:
    """All buyers live at one plain address: what posting makes of others is shown elsewhere."""
    with patch("kcjl.sandbox.trade.shopper", _buyer):
        return World(shop.settings)


def _buyer(_seed: int | str, who: str) -> Shopper:
    return Shopper(
        customer_id=f"C{who}",
        first_name="Ada",
        last_name="Abbott",
        street_1="1 Station Road",
        city="Leeds",
        postcode="LS1 1AA",
        phone="07700 900001",
        email=f"{who}@notification.example",
    )
