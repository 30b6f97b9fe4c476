"""Goods that are bought as they run down: when, how many, and what there is at the beginning.

Promises: what is bought depends on past demand, of all channels, and on the ERP's own level and
open purchases; demand is what customers wanted, whatever a client showed them. It moves nothing
itself but the purchase that it notes. Orders that wait for goods in vain are given up.
Invariant: the same trade, settings and levels give the same purchases.
Called by the shelf each morning, and by the world in the afternoon.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from kcjl.clock import LONDON
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.trade import MarketplaceBasket, SaleElsewhere, Trade, is_product_code
from kcjl.sandbox.warehouse import SalesOrder, Warehouse
from kcjl.sandbox.world_settings import Reordering
from kcjl.sandbox.world_truth import Counters

__all__ = ["Purchasing", "give_up_short_orders"]

_OPENING_SHARE = (0.5, 1.5)
"""Of the demand of a product's first weeks: what lies there at the beginning."""
_ARRIVES = (time(8), 8 * 3600)
"""A delivery comes within so many seconds from that time of day on."""


class Purchasing:
    """Every product's demand so far, and what it makes the buyer buy."""

    def __init__(
        self,
        settings: Reordering,
        agenda: Agenda,
        warehouse: Warehouse,
        trade: Trade,
        luck: Random,
    ) -> None:
        self._settings = settings
        self._agenda = agenda
        self._warehouse = warehouse
        self._luck = luck
        self._wanted: defaultdict[date, Counter[str]] = defaultdict(Counter)
        """By London day, then by SKU in upper case."""
        self._first_day: dict[str, date] = {}
        self._recent: Counter[str] = Counter()
        """Demand of the last `demand_days`, as of `_counted_to`."""
        for happening in trade.happenings:
            if isinstance(happening, MarketplaceBasket | SaleElsewhere):
                day = _day(happening.at)
                for line in happening.lines:
                    if is_product_code(line.sku):
                        key = line.sku.upper()
                        self._wanted[day][key] += line.quantity
                        self._first_day.setdefault(key, day)
        self._began = _day(agenda.now)
        self._counted_to = self._began - timedelta(days=1)

    def opening_units(self, sku: str) -> int:
        """What lies there at the beginning: about what its first weeks of sale ask for."""
        key = sku.upper()
        first = self._first_day.get(key)
        wanted = 0
        if first is not None:
            days = (first + timedelta(days=n) for n in range(self._settings.demand_days))
            wanted = sum(self._wanted[day][key] for day in days if day in self._wanted)
        share = self._luck.uniform(*_OPENING_SHARE)
        return max(self._settings.least_units, math.ceil(wanted * share))

    def review(
        self, code_of: Callable[[str], str | None]
    ) -> Iterator[tuple[str, int, datetime]]:
        """What is bought this morning: code, units, and when it arrives."""
        settings, today = self._settings, _day(self._agenda.now)
        self._count_to(today - timedelta(days=1))
        days = min(settings.demand_days, max(1, (today - self._began).days))
        for key in sorted(self._recent):
            code = code_of(key)
            if code is None or not self._recent[key]:
                continue
            a_day = self._recent[key] / days
            item = self._warehouse.stock.get(code)
            position = item.level() + item.units_on_order() - item.units_on_back_order()
            if position > a_day * settings.lead_days * settings.safety:
                continue
            units = max(settings.least_units, math.ceil(a_day * settings.cover_days))
            units += max(0, -int(position))
            arrives = self._arrival(today + timedelta(days=settings.lead_days))
            self._warehouse.purchase(item.code, units, _day(arrives))
            yield item.code, units, arrives

    def _count_to(self, day: date) -> None:
        """Demand of the days that are over, without those that are too long ago."""
        while self._counted_to < day:
            self._counted_to += timedelta(days=1)
            self._recent.update(self._wanted.get(self._counted_to, {}))
            gone = self._counted_to - timedelta(days=self._settings.demand_days)
            self._recent.subtract(self._wanted.get(gone, {}))

    def _arrival(self, day: date) -> datetime:
        opens, span_s = _ARRIVES
        at = datetime.combine(day, opens, LONDON).astimezone(UTC)
        return at + timedelta(seconds=self._luck.randrange(span_s))


def give_up_short_orders(warehouse: Warehouse, now: datetime, counted: Counters) -> None:
    """A person cancels what still waits for stock; what was there goes first."""
    for order in warehouse.orders.open_or_completed_within(timedelta(0), now):
        units = sum(int(line.back_order.quantity) for line in order.lines if line.back_order)
        if units and order.cancelled is None and not _goes_on(order):
            warehouse.cancel_order(order.external_ref, "out of stock")
            counted.orders_given_up += 1
            counted.units_given_up += units


def _goes_on(order: SalesOrder) -> bool:
    """A part of it has not left yet, and will."""
    return any(
        invoice.shipped_at is None and not invoice.closed and not invoice.waits_for_stock
        for invoice in order.invoices
    )


def _day(moment: datetime) -> date:
    return moment.astimezone(LONDON).date()
