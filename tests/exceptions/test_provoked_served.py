"""Kinds of exceptions in served worlds: one walk a concern, each kind told once and over.

The sandbox is served with all its faults and hands; the rooms run as the service has them, and
the clock is handed: days pass in seconds.
"""

import pytest
from msgspec.structs import replace

from kcjl.sandbox.faults import Fault
from tests.exceptions.handed import LEVELS, Handed, handed, merchant
from tests.service.running import quiet_world

pytestmark = pytest.mark.anyio

STOCK = {
    "stock_line_refused",
    "stock_import_stuck",
    "publish_held",
    "stock_feed_stale",
    "offer_drifted",
    "offer_inactive",
    "shop_closed",
}


async def _published(place: Handed, hours: float = 0.1) -> None:
    """Figures go out, and it is heard what became of them."""
    await place.later(hours, *LEVELS)
    await place.later(0.1, "publish")


async def test_what_goes_wrong_with_stock_is_told_once_and_over() -> None:
    """Imports, guards, the feed, the shop, and other hands on the offers."""
    settings = merchant()
    guarded = replace(settings.stock, guard_skus_min=3)
    async with handed(quiet_world(), replace(settings, stock=guarded)) as place:
        market = place.world.marketplace
        first, second, third = place.offers()[:3]

        # deleted between our look and our file, and back by the catalogue's hand
        market.catalogue.delete(market.offers[first])
        place.hand("khaos", "adjust", code=first, delta=-1, reason="broken")
        await place.later(0.1, "levels", "intake", "publish")
        await place.later(0.1, "publish")
        place.raised("stock_line_refused", first)
        price = {"amount_minor": 1_250}
        place.hand("johnlewis", "list_offer", sku=first, price=price, title="A lamp")
        await place.ask("retry-offer", sku=first)
        await _published(place)

        # an import that does not end
        place.hand("johnlewis", "slow_imports", seconds_each=20_000)
        place.hand("khaos", "adjust", code=second, delta=-3, reason="broken")
        await place.later(0.1, "levels", "intake", "publish")
        await place.later(1.1, "publish")
        place.raised("stock_import_stuck")
        await place.later(6, "levels", "intake", "publish")
        await _published(place)

        # the ERP forgets all its stock
        levels = {sku: int(place.world.warehouse.level(sku)) for sku in place.offers()}
        for sku, units in levels.items():
            place.hand("khaos", "adjust", code=sku, delta=-units, reason="a slip")
        await _published(place)
        place.raised("publish_held")
        for sku, units in levels.items():
            place.hand("khaos", "adjust", code=sku, delta=units, reason="put right")
        await _published(place)

        # nothing is read for hours
        place.fails(Fault(kind="status", side="khaos", status=503, times=None))
        await place.later(3, "levels", "freshness")
        place.raised("stock_feed_stale")
        place.works_again()
        await place.later(0.1, "levels", "freshness")

        # another tool writes, and the offer's time is over
        csv = f"offer-sku;quantity;update-delete\n{third};99;update\n"
        place.hand("johnlewis", "import_stock", csv_text=csv)
        market.offers[second].available_until = place.clock.now()
        market.catalogue.touch(market.offers[second])
        await place.later(24, "levels", "intake", "offers", "drift")
        place.raised("offer_drifted", third)
        place.raised("offer_inactive", second)
        market.offers[second].available_until = None
        await _published(place)
        await place.later(24, "levels", "intake", "offers", "drift")

        # the operator closes the shop
        place.hand("johnlewis", "switch", settings={"shop_state": "SUSPENDED"})
        await place.later(24, "tenant")
        place.raised("shop_closed")
        place.hand("johnlewis", "switch", settings={"shop_state": "OPEN"})
        await place.later(24, "tenant")

        await place.told_once_and_over(STOCK)
