"""What is true in a shop while it trades: oversold, withheld and lost, exactly, day by day.

Promises: it asks the outside worlds' own models at each change, so its integrals are exact; a
product is counted over all its offers together; the same for whoever publishes.
Invariant: units free = the ERP's level less units of marketplace orders that it does not have;
oversold = units of a sale beyond what was free; withheld = free and not offered.
Called by each run of the oversell benchmark, and by its test.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from kcjl.clock import LONDON
from kcjl.sandbox.marketplace.inputs import PlacedOrder
from kcjl.sandbox.marketplace.offer_records import Offer
from kcjl.sandbox.trade import MarketplaceBasket, SaleElsewhere, is_product_code
from kcjl.sandbox.warehouse.stock import StockItem
from kcjl.sandbox.world import World

__all__ = ["Observer", "Tally", "added_up"]

HOUR_S = 3600.0
COUNTED = {
    "units_lost": "units_lost",
    "units_lost_at_zero": "units_lost_at_zero",
    "units_lost_though_there": "units_lost_though_free",
    "orders_cancelled": "orders_given_up",
    "units_cancelled": "units_given_up",
}
"""What the world counts itself: our name, and its."""


class Tally(msgspec.Struct, kw_only=True):
    """One day's, or of several days together."""

    sales: int = 0
    """Lines that customers of all channels wanted: the same whoever publishes."""
    orders: int = 0
    """Of the marketplace, as all that follows."""
    units_sold: int = 0
    units_oversold: int = 0
    """Sold beyond what was free at that moment."""
    orders_oversold: int = 0
    units_lost: int = 0
    """Wanted, and the offer showed less."""
    units_lost_at_zero: int = 0
    units_lost_though_there: int = 0
    orders_cancelled: int = 0
    """Of which something was never there: oversold, or sold by others before it was posted."""
    units_cancelled: int = 0
    unit_hours_withheld: float = 0.0
    unit_hours_overshown: float = 0.0
    """Offered, and not free: what an oversell waits for."""
    marketplace_calls: int = 0
    erp_calls: int = 0


class _Product:
    """One stock code: its offers, and what was so since its last change."""

    __slots__ = ("free", "offers", "shown", "since")

    def __init__(self, offers: list[Offer], now: datetime) -> None:
        self.offers = offers
        self.since = now
        self.free = 0
        self.shown = 0


class Observer:
    """Watches a world from the beginning of its trade."""

    def __init__(self, world: World, calls: Callable[[], Counter[str]]) -> None:
        """`calls`: those made so far, by operation."""
        self.days: dict[date, Tally] = {}
        self._world = world
        self._calls = calls
        self._now = world.trade.starts_at
        self._today = Tally()
        self._counted: dict[str, int] = {}
        self._products: dict[str, _Product] = {}
        world.agenda.at(world.trade.starts_at, self._begin)

    def close(self) -> None:
        """Count to the world's present."""
        self._settle_all()
        self._end_day()

    # ── day by day ──

    def _begin(self) -> None:
        world, now = self._world, self._world.agenda.now
        by_key: defaultdict[str, list[Offer]] = defaultdict(list)
        for offer in world.marketplace.catalogue.offers.values():
            if world.shelf.is_known(offer.sku):
                by_key[offer.sku.upper()].append(offer)
        self._products = {key: _Product(offers, now) for key, offers in by_key.items()}
        for key, product in self._products.items():
            self._look(key, product)
        self._counted = self._totals()
        world.warehouse.stock.on_moved.append(self._moved)
        world.marketplace.catalogue.on_quantity.append(self._offered)
        world.marketplace.on_order_placed.append(self._placed)
        world.marketplace.on_order_state.append(self._changed_state)
        for day, sales in _sales_by_day(world).items():
            self.days[day] = Tally(sales=sales)
        self._open_day()

    def _open_day(self) -> None:
        day = self._world.agenda.now.astimezone(LONDON).date()
        self._today = self.days.setdefault(day, Tally())
        midnight = datetime.combine(day + timedelta(days=1), time(0), LONDON)
        self._world.agenda.at(midnight.astimezone(UTC), self._next_day)

    def _next_day(self) -> None:
        self._settle_all()
        self._end_day()
        self._open_day()

    def _end_day(self) -> None:
        """What others count, since the day before."""
        before, self._counted = self._counted, self._totals()
        for name, total in self._counted.items():
            since = total - before.get(name, 0)
            setattr(self._today, name, getattr(self._today, name) + since)

    def _totals(self) -> dict[str, int]:
        counted = self._world.counted
        totals = {ours: int(getattr(counted, theirs)) for ours, theirs in COUNTED.items()}
        calls = self._calls()
        totals["marketplace_calls"] = sum(
            times for operation, times in calls.items() if _is_marketplaces(operation)
        )
        totals["erp_calls"] = sum(calls.values()) - totals["marketplace_calls"]
        return totals

    # ── change by change ──

    def _moved(self, item: StockItem) -> None:
        self._note(item.code)

    def _offered(self, offer: Offer) -> None:
        self._note(offer.sku)

    def _changed_state(self, order_id: str, _state: str) -> None:
        for line in self._world.marketplace.orders[order_id].lines:
            self._note(line.sku)

    def _placed(self, placed: PlacedOrder) -> None:
        """What was sold of each product, beside what was free before."""
        today, units = self._today, Counter[str]()
        for line in placed.lines:
            units[line.sku.upper()] += line.quantity
        today.orders += 1
        today.units_sold += units.total()
        oversold = 0
        for key, sold in units.items():
            self._note(key)
            product = self._products.get(key)
            if product is not None:
                oversold += min(sold, max(0, -product.free))
        today.units_oversold += oversold
        today.orders_oversold += oversold > 0

    def _note(self, sku: str) -> None:
        key = sku.upper()
        product = self._products.get(key)
        if product is not None:
            self._settle(product)
            self._look(key, product)

    def _look(self, key: str, product: _Product) -> None:
        product.free = self._world.buying.free(key)
        product.shown = sum(offer.quantity for offer in product.offers)

    def _settle(self, product: _Product) -> None:
        """What was so until now."""
        now = self._world.agenda.now
        if now == product.since:
            return
        there = max(0, product.free) - product.shown
        if there:
            unit_hours = there * (now - product.since).total_seconds() / HOUR_S
            if there > 0:
                self._today.unit_hours_withheld += unit_hours
            else:
                self._today.unit_hours_overshown -= unit_hours
        product.since = now

    def _settle_all(self) -> None:
        for product in self._products.values():
            self._settle(product)


def added_up(tallies: Iterable[Tally]) -> Tally:
    """Several days together."""
    total = Tally()
    for each in tallies:
        for name in Tally.__struct_fields__:
            setattr(total, name, getattr(total, name) + getattr(each, name))
    return total


def _sales_by_day(world: World) -> Counter[date]:
    sales: Counter[date] = Counter()
    for happening in world.trade.happenings:
        if isinstance(happening, MarketplaceBasket | SaleElsewhere):
            day = happening.at.astimezone(LONDON).date()
            sales[day] += sum(is_product_code(line.sku) for line in happening.lines)
    return sales


def _is_marketplaces(operation: str) -> bool:
    """OR11, STO01: letters, then two digits; the ERP's are words."""
    return operation[-2:].isdigit() and operation[:-2].isupper()
