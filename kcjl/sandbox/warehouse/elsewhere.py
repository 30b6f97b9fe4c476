"""What other channels take off the shelves: stock that goes without a sales order.

Promises: only free stock is taken, a pack's by its children, the first site first. It assigns
nothing. Invariant: what is assigned to orders stays where it is.
Called by the warehouse model.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, Decimal

from kcjl.sandbox.warehouse.stock import StockBook, StockItem

__all__ = ["sell_free_stock"]

_NOTHING = Decimal(0)
_ALWAYS_THERE = 10**9
"""Packs that an item without stock control makes."""


def sell_free_stock(
    stock: StockBook, site_ids: Iterable[int], lines: Sequence[Sequence[str | int]]
) -> tuple[int, int]:
    """Sell (code, units) at once; returns units short, and units of codes nobody knows."""
    sites = tuple(site_ids)
    short = unknown = 0
    for code, units in lines:
        item = stock.find(str(code))
        if item is None:
            unknown += int(units)
            continue
        parts = [(stock.get(child), each) for child, each in item.pack_of] or [
            (item, Decimal(1))
        ]
        wanted = int(units)
        there = min([wanted, *(_packs(part, each) for part, each in parts)])
        short += wanted - there
        for part, each in parts:
            _take(stock, sites, part, there * each)
    return short, unknown


def _take(stock: StockBook, sites: tuple[int, ...], item: StockItem, units: Decimal) -> None:
    if not item.holds_stock:
        return
    for site_id in sites:
        here = min(units, max(_NOTHING, item.level(site_id)))
        stock.put(item, site_id, -here)
        units -= here


def _packs(item: StockItem, each: Decimal) -> int:
    """How many times `each` units are free over all sites."""
    if not item.holds_stock:
        return _ALWAYS_THERE
    free = sum((max(_NOTHING, item.level(site)) for site in item.physical), _NOTHING)
    return int((free / each).to_integral_value(ROUND_FLOOR))
