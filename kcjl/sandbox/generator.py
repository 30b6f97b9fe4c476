"""A day's trade out of a seed, for a sandbox that has no trade file.

Promises: the same settings give the same happenings, in the same form as `trade.py` reads them:
Poisson arrivals over the opening hours, few SKUs that sell fast and many that sell slowly, some
returns and stock counts. It is not measured on any retailer.
Called by the world.
"""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import msgspec

from kcjl.clock import LONDON, chance
from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.shoppers import shopper
from kcjl.sandbox.trade import (
    Happening,
    MarketplaceBasket,
    ReturnElsewhere,
    SaleElsewhere,
    StockAdjustment,
    Trade,
    TradeLine,
    TradeTally,
)

__all__ = ["GeneratedTrade", "generate_trade"]

_SKUS_MAX = 100_000
"""Five digits are the codes of this retailer."""

_THINGS = (
    ("TABLE LAMP", 4995), ("CUSHION", 2200), ("WOOL THROW", 6500), ("MUG", 1050),
    ("TEA TOWEL", 850), ("SCENTED CANDLE", 1895), ("PICTURE FRAME", 1600), ("VASE", 3450),
    ("STORAGE BASKET", 2750), ("WALL CLOCK", 5500), ("BATH MAT", 1999), ("LUNCH BAG", 1295),
)  # fmt: skip
_KINDS = (
    "OAK", "LINEN", "INDIGO", "RETROSPOT", "VINTAGE ROSE", "STONEWARE", "HERRINGBONE",
    "MUSTARD", "SAGE", "BRUSHED STEEL", "HEART OF WICKER", "UNION JACK", "FRENCH BLUE",
    "IVORY", "WALNUT",
)  # fmt: skip
_SIZES = ("", "A", "B", "L", "S")


class GeneratedTrade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to generate. Rates are means; times are London's."""

    first_day: date = date(2026, 11, 2)
    days: int = 1
    opens_at_hour: int = 8
    closes_at_hour: int = 20
    orders_per_hour: float = 30.0
    """Over all channels."""
    skus: int = 120
    share: float = 60.0
    """Percentage of the baskets that come in through the marketplace."""
    seed: int = 1


class _Ware(msgspec.Struct, frozen=True):
    sku: str
    description: str
    price: Money


def generate_trade(wanted: GeneratedTrade) -> Trade:
    """The happenings of the days, in order of time."""
    if not 1 <= wanted.skus <= _SKUS_MAX:
        raise Misuse(f"the generated trade can have 1 to {_SKUS_MAX} SKUs, not {wanted.skus}")
    if not 0 <= wanted.opens_at_hour < wanted.closes_at_hour <= 23:  # noqa: PLR2004 - hours
        raise Misuse("the opening hours must lie within one day, the opening before the close")
    if wanted.days < 1 or wanted.orders_per_hour <= 0:
        raise Misuse("the generated trade needs at least one day and some orders an hour")
    luck = chance(f"generated trade/{wanted.seed}")
    wares = _wares(wanted.skus, luck)
    weights = [1 / (rank + 3) for rank in range(len(wares))]
    happenings: list[Happening] = []
    for number in range(wanted.days):
        day = wanted.first_day + timedelta(days=number)
        for at in _arrivals(day, wanted, luck):
            invoice = f"{900_001 + len(happenings)}"
            happenings.append(_happening(at, invoice, wanted, luck, (wares, weights)))
    if not happenings:
        raise Misuse("the generated trade is empty: ask for more orders an hour or more days")
    return Trade(
        happenings=tuple(happenings),
        tally=_tally(happenings),
        starts_at=_london(wanted.first_day, wanted.opens_at_hour),
        ends_at=happenings[-1].at,
    )


def _wares(count: int, luck: Random) -> list[_Ware]:
    codes = luck.sample(range(10_000, 10_000 + max(count, 90_000)), count)
    wares = []
    for code in codes:
        thing, pence = luck.choice(_THINGS)
        price = max(100, round(pence * luck.uniform(0.6, 1.5)) // 50 * 50 - 5)
        wares.append(
            _Ware(
                sku=f"{code:05d}{luck.choice(_SIZES)}",
                description=f"{luck.choice(_KINDS)} {thing}",
                price=Money(price),
            )
        )
    return wares


def _arrivals(day: date, wanted: GeneratedTrade, luck: Random) -> Iterator[datetime]:
    at = _london(day, wanted.opens_at_hour)
    closes = _london(day, wanted.closes_at_hour)
    while True:
        gap_h = -math.log(1 - luck.random()) / wanted.orders_per_hour
        at += timedelta(seconds=round(gap_h * 3600))
        if at >= closes:
            return
        yield at


def _happening(
    at: datetime,
    invoice: str,
    wanted: GeneratedTrade,
    luck: Random,
    shop: tuple[list[_Ware], list[float]],
) -> Happening:
    wares, weights = shop
    kind = luck.random()
    if kind < 0.01:  # noqa: PLR2004 - one in a hundred is a count
        ware = luck.choice(wares)
        delta = luck.choice((-3, -2, -1, -1, 1, 2))
        return StockAdjustment(
            at=at, invoice=invoice, sku=ware.sku, delta=delta, reason="stock count"
        )
    if kind < 0.03:  # noqa: PLR2004 - two in a hundred bring goods back
        ware = luck.choices(wares, weights)[0]
        return ReturnElsewhere(at=at, invoice=f"C{invoice}", lines=(_line(ware, 1),))
    chosen = luck.choices(wares, weights, k=luck.choice((1, 1, 1, 2, 2, 3, 5)))
    lines = tuple(_line(ware, luck.choice((1, 1, 1, 1, 2, 2, 3, 6))) for ware in chosen)
    if luck.random() < wanted.share / 100:
        buyer = shopper(wanted.seed, invoice)
        return MarketplaceBasket(at=at, invoice=invoice, lines=lines, customer=buyer)
    return SaleElsewhere(at=at, invoice=invoice, lines=lines)


def _line(ware: _Ware, quantity: int) -> TradeLine:
    return TradeLine(
        sku=ware.sku, description=ware.description, quantity=quantity, unit_price=ware.price
    )


def _london(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=LONDON).astimezone(UTC)


def _tally(happenings: list[Happening]) -> TradeTally:
    tally = TradeTally()
    for happening in happenings:
        rows = 1 if isinstance(happening, StockAdjustment) else len(happening.lines)
        tally.rows_in += rows
        if isinstance(happening, MarketplaceBasket):
            tally.marketplace_rows += rows
            tally.marketplace_invoices += 1
        elif isinstance(happening, SaleElsewhere):
            tally.elsewhere_rows += rows
            tally.elsewhere_invoices += 1
        elif isinstance(happening, ReturnElsewhere):
            tally.return_rows += rows
            tally.return_invoices += 1
        else:
            tally.adjustment_rows += rows
    return tally
