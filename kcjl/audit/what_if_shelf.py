"""What was there, what was shown, and what was sold of it: measured alike for two worlds.

Promises: both worlds are measured against the same levels and the same orders, so with the same
figures shown they come to the same sums, exactly. It decides nothing; what it can't see, and so
estimates, stands in docs/decisions/0022.
Invariant: `happened` is what was shown in truth, as far as the log knows; `other` what would
have been. Called by `what_if.py`.
"""

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from kcjl.fold import Table
from kcjl.in_flight import is_sold
from kcjl.orders.events import OrderReceived
from kcjl.stock.available import shelf_of
from kcjl.stock.conditions import group_key
from kcjl.stock.events import stock_key
from kcjl.stock.policy import LONDON, london_day
from kcjl.stock.state import Product

__all__ = ["HAPPENED", "OTHER", "Meter", "Oversold", "Sums", "added_up"]

HAPPENED, OTHER = 0, 1
WORLDS = (HAPPENED, OTHER)
SHOWN_KEPT = 8
"""Figures of an offer that are remembered: an order is seen minutes after it was placed."""
NAMED_MAX = 1_000
HOUR_S = 3600.0


class Sums(msgspec.Struct, kw_only=True):
    """Of one world: a day's, or of all days together."""

    units_sold: int = 0
    units_oversold: int = 0
    """Short by the next read of the level; a sale elsewhere before it counts as the earlier."""
    units_oversold_at_least: int = 0
    """Of these, short also by the read before the order was placed."""
    units_oversold_at_most: int = 0
    """With those that the ERP had taken by then, at a level of 0: it shows none below."""
    orders_oversold: int = 0
    """Lines of orders, of `units_oversold`."""
    units_turned_away: int = 0
    """Of orders that were placed, and that would have found less on offer."""
    unit_hours_withheld: float = 0.0
    """There, and not shown."""
    unit_hours_overshown: float = 0.0
    """Shown, and not there: what an oversell waits for."""


class Oversold(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of one product that were judged together, and of which something was not there."""

    sku: str
    placed_at: datetime
    happened: int
    """Units."""
    other: int


class _Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    line_id: str
    sku: str
    placed_at: datetime
    units: int
    other: int
    """Units that would have been sold."""


class _Ware:
    """One stock code: what was so since its last change."""

    __slots__ = ("free", "free_before", "is_empty", "pending", "shown", "since")

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.free: int | None = None
        self.is_empty = False
        """The level is 0, or below."""
        self.free_before: int | None = None
        """At the last read, but for orders placed after it."""
        self.shown = [0, 0]
        self.pending: list[_Order] = []


class Meter:
    """Told of each change, in the order of the log."""

    def __init__(self, products: Table[Product]) -> None:
        """`products`: as they were in truth, grouped by `group_key`."""
        self.days: tuple[dict[date, Sums], dict[date, Sums]] = ({}, {})
        self.oversold: list[Oversold] = []
        """The first ones; `Sums` count them all."""
        self._products = products
        self._wares: dict[str, _Ware] = {}
        self._group_of: dict[str, str] = {}
        self._pending: dict[str, None] = {}
        self._shown: tuple[defaultdict[str, deque[tuple[datetime, int]]], ...] = tuple(
            defaultdict(lambda: deque(maxlen=SHOWN_KEPT)) for _ in WORLDS
        )
        self._midnight: datetime | None = None
        self._now: datetime | None = None

    # ── what changes ──

    def shows(self, world: int, sku: str, units: int, at: datetime) -> None:
        """The marketplace shows so many from then on."""
        self._shown[world][sku].append((at, units))

    def placed(self, order: OrderReceived) -> None:
        """An order was seen: what either world sold of it."""
        if not is_sold(order):
            return
        at = order.occurred_at
        for line in order.lines:
            there = [_shown_at(self._shown[world][line.sku], at) for world in WORLDS]
            # What was bought in truth was shown in truth: the log may know it late.
            same = there[HAPPENED] == there[OTHER]
            other = line.quantity if same else min(line.quantity, there[OTHER])
            self._sums(HAPPENED, at).units_sold += line.quantity
            sums = self._sums(OTHER, at)
            sums.units_sold += other
            sums.units_turned_away += line.quantity - other
            for world, sold in ((HAPPENED, line.quantity), (OTHER, other)):
                _take_off(self._shown[world][line.sku], sold, at)
            group = self._group(stock_key(line.sku))
            if group is not None:
                placed = _Order(
                    line_id=line.line_id,
                    sku=line.sku,
                    placed_at=at,
                    units=line.quantity,
                    other=other,
                )
                self._wares[group].pending.append(placed)
                self._pending[group] = None

    def note(self, keys: Iterable[str], at: datetime) -> None:
        """Something of these products has changed, or of what is shown of them."""
        self._go_on_to(at)
        for key in keys:
            before, product = self._group_of.get(key), self._products.get(key)
            after = None if product is None else group_key(product)
            for group in dict.fromkeys((before, after)):
                if group is not None:
                    ware = self._wares.setdefault(group, _Ware(at))
                    self._settle(ware, at)
                    self._look(ware, self._products.grouped(group))
            if after is not None:
                self._group_of[key] = after

    def read(self, began: datetime, key: str | None = None) -> None:
        """A level was read that began then (None: of all): orders from before are judged."""
        if key is None:
            for group in list(self._pending):
                self._judge(group, began)
            return
        group = self._group_of.get(key, "")
        ware = self._wares.get(group)
        if ware is None or ware.free is None:
            return
        if group in self._pending:
            self._judge(group, began)
        ware.free_before = ware.free + sum(each.units for each in ware.pending)

    def end(self, at: datetime) -> None:
        """Count to the log's end."""
        self._go_on_to(at)
        for ware in self._wares.values():
            self._settle(ware, at)

    @property
    def undecided(self) -> int:
        """Orders that no read has followed."""
        return sum(len(self._wares[group].pending) for group in self._pending)

    # ── sums ──

    def _group(self, key: str) -> str | None:
        product = self._products.get(key)
        if product is None:
            return None
        group = self._group_of.setdefault(key, group_key(product))
        if group not in self._wares and self._now is not None:
            self._wares[group] = _Ware(self._now)
        return group if group in self._wares else None

    def _judge(self, group: str, began: datetime) -> None:
        """Orders placed before the read, against what it found."""
        ware = self._wares[group]
        due = [each for each in ware.pending if each.placed_at <= began]
        if not due or ware.free is None:
            return
        ware.pending = [each for each in ware.pending if each.placed_at > began]
        if not ware.pending:
            del self._pending[group]
        wanted, other = sum(each.units for each in due), sum(each.other for each in due)
        taken = self._taken(group, due) if ware.is_empty else ()
        last, before, short = due[-1], ware.free_before, [0, 0]
        for world, units, free in (
            (HAPPENED, wanted, ware.free),
            (OTHER, other, ware.free + wanted - other),
        ):
            short[world] = min(units, max(0, -free))
            unseen = sum(each.units if world == HAPPENED else each.other for each in taken)
            sums = self._sums(world, last.placed_at)
            sums.units_oversold += short[world]
            sums.units_oversold_at_most += min(units, short[world] + unseen)
            sums.orders_oversold += _lines_of(due, short[world], world)
            if before is not None:
                least = min(units, max(0, units - before))
                sums.units_oversold_at_least += min(least, short[world])
        if before is not None:
            ware.free_before = before - wanted
        if any(short) and len(self.oversold) < NAMED_MAX:
            self.oversold.append(
                Oversold(
                    sku=last.sku,
                    placed_at=last.placed_at,
                    happened=short[HAPPENED],
                    other=short[OTHER],
                )
            )

    def _taken(self, group: str, due: Sequence[_Order]) -> Sequence[_Order]:
        """Those that the ERP had taken when its level was read: they are in flight no more."""
        sharing = self._products.grouped(group)
        flying = {each.line_id for product in sharing for each in product.in_flight}
        return [each for each in due if each.line_id not in flying]

    def _look(self, ware: _Ware, sharing: Sequence[Product]) -> None:
        shelf = shelf_of(sharing) if sharing else None
        known = shelf is not None and any(each.levels is not None for each in sharing)
        ware.free, ware.is_empty = None, False
        if shelf is not None and known and not shelf.closed:
            level = math.floor(sum(level for _, level in shelf.levels))
            ware.free, ware.is_empty = level - shelf.in_flight, level <= 0
        skus = [shown.sku for product in sharing for shown in product.shown]
        for world in WORLDS:
            values = (self._shown[world].get(sku) for sku in skus)
            ware.shown[world] = sum(each[-1][1] for each in values if each)

    def _settle(self, ware: _Ware, at: datetime) -> None:
        """What was so until now."""
        if ware.free is not None and at > ware.since:
            hours = (at - ware.since).total_seconds() / HOUR_S
            for world in WORLDS:
                there = max(0, ware.free) - ware.shown[world]
                sums = self._sums(world, ware.since)
                if there > 0:
                    sums.unit_hours_withheld += there * hours
                else:
                    sums.unit_hours_overshown -= there * hours
        ware.since = max(at, ware.since)

    def _go_on_to(self, at: datetime) -> None:
        """At each midnight on the way all is settled, so that each day has its own."""
        if self._midnight is None:
            self._midnight = _midnight_after(at)
        while self._midnight <= at:
            for ware in self._wares.values():
                self._settle(ware, self._midnight)
            self._midnight = _midnight_after(self._midnight)
        self._now = at

    def _sums(self, world: int, at: datetime) -> Sums:
        return self.days[world].setdefault(london_day(at), Sums())


def added_up(sums: Iterable[Sums]) -> Sums:
    """Several days together."""
    total = Sums()
    for each in sums:
        for name in Sums.__struct_fields__:
            setattr(total, name, getattr(total, name) + getattr(each, name))
    return total


def _shown_at(shown: Sequence[tuple[datetime, int]], at: datetime) -> int:
    """What was shown then; of a time before all that is known, the first."""
    before = [units for since, units in shown if since <= at]
    if before:
        return before[-1]
    return shown[0][1] if shown else 0


def _take_off(shown: deque[tuple[datetime, int]], units: int, at: datetime) -> None:
    """The marketplace lowers its figure itself, unless a later one of ours stands there."""
    if shown and shown[-1][0] <= at:
        shown.append((at, max(0, shown[-1][1] - units)))


def _lines_of(due: Sequence[_Order], short: int, world: int) -> int:
    """How many lines are short: those that were placed last."""
    lines = 0
    for each in reversed(due):
        if short <= 0:
            break
        units = each.units if world == HAPPENED else each.other
        lines += units > 0
        short -= units
    return lines


def _midnight_after(at: datetime) -> datetime:
    day = london_day(at) + timedelta(days=1)
    return datetime.combine(day, time(), LONDON).astimezone(UTC)
