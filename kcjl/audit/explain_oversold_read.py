"""What was there of a stock code, and what was shown of it, around one order line.

Promises: pure; made of recorded events and nothing else. Units that the ERP had already given
to the order at a level of 0 are not known: an ERP shows no level below that.
Invariant: free = the level, less units in flight, less what was ordered until then.
Called by `explain_oversold.py`.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from kcjl.log.port import Recorded
from kcjl.orders.events import OrderReceived, SalesOrderFoundAgain, SalesOrderPosted
from kcjl.stock.available import shelf_of
from kcjl.stock.events import (
    Figure,
    LevelRead,
    LevelsWatched,
    PublishEvent,
    StockImportFailed,
    StockImportFinished,
    StockImportGivenUp,
    StockImportIntended,
    StockImportSent,
    StockRead,
    stock_key,
)
from kcjl.stock.state import PRODUCTS, Product

__all__ = ["AroundLine", "Import", "Read"]


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A level, and what was free of it for the order."""

    began: datetime
    ended: datetime
    free: int
    position: int | None


class Import(msgspec.Struct, kw_only=True):
    """One import with a figure of the stock code, as far as it came."""

    intended: Recorded
    figures: tuple[Figure, ...]
    sent: Recorded | None = None
    finished: Recorded | None = None
    failed: Recorded | None = None

    @property
    def units(self) -> int:
        return sum(each.quantity for each in self.figures)

    @property
    def level_read_at(self) -> datetime | None:
        return max((e.level_read_at for e in self.figures if e.level_read_at), default=None)

    @property
    def orders_read_at(self) -> datetime:
        return max(each.orders_read_at for each in self.figures)


class AroundLine:
    """One order line, and all reads, orders and imports that bear on it."""

    def __init__(
        self,
        order: Recorded,
        received: OrderReceived,
        sku: str,
        before: Sequence[Product],
        events: Sequence[Recorded],
    ) -> None:
        self._order = order
        self._received = received
        self._at = received.occurred_at
        self._sku = sku
        self._keys = frozenset(each.key for each in before)
        self._units = _units_of(received, self._keys)
        self._events = events
        self._placed = {
            each.event.order_id: (each.event.occurred_at, _units_of(each.event, self._keys))
            for each in events
            if isinstance(each.event, OrderReceived)
        }
        """When, and how many units of it."""
        self._taken = {
            each.event.order_id: (each.event, each.event.taken_by)
            for each in events
            if isinstance(each.event, SalesOrderPosted | SalesOrderFoundAgain)
        }
        self._later = {key for key, (at, _) in self._placed.items() if at > self._at}
        self._reads = list(self._levels(before))
        skus = {shown.sku for each in before for shown in each.shown} | {sku}
        self._imports = _imports_of(events, skus)

    # ── what was there ──

    def _short(self, read: Read) -> int:
        return min(self._units, max(0, self._units - max(0, read.free)))

    def _levels(self, before: Sequence[Product]) -> Iterator[Read]:
        """What each read left for the order, less what was ordered between the two."""
        table: dict[str, Product] = {each.key: each for each in before}
        began = max((e.level_read_at for e in before if e.level_read_at), default=None)
        ended = max((e.level_read_by for e in before if e.level_read_by), default=began)
        position: int | None = None
        seen: set[str] = set()
        if began is not None and ended is not None:
            yield self._free(table, began, ended, None, seen)
        for each in self._events:
            event = each.event
            if isinstance(event, OrderReceived):
                seen.add(event.order_id)
            touched = [key for key in PRODUCTS.keys(event) if key in self._keys]
            for key in touched:
                entry = PRODUCTS.evolve(table.get(key), event, key)
                if entry is not None:
                    table[key] = entry
            if not touched:
                continue
            if isinstance(event, LevelRead):
                began, ended = event.occurred_at, event.finished_at or each.recorded_at
                position = each.position
                yield self._free(table, began, ended, position, seen)

    def _free(
        self,
        table: dict[str, Product],
        began: datetime,
        ended: datetime,
        position: int | None,
        seen: set[str],
    ) -> Read:
        """`seen`: the orders that were recorded by then; the others are in no level's sum."""
        products = list(table.values())
        level = math.floor(sum(level for _, level in shelf_of(products).levels))
        others = self._later | {self._received.order_id}
        flying = sum(
            each.units
            for product in products
            for each in product.in_flight
            if each.order_id not in others
        )
        since = sum(
            units
            for order_id, (at, units) in self._placed.items()
            if at < self._at and order_id not in others and order_id not in seen
        )
        taken = sum(
            _units_of(order, self._keys)
            for order, at in self._taken.values()
            if order.order_id in others and at < began
        )
        return Read(
            began=began,
            ended=ended,
            free=level - flying - since + (taken if level > 0 else 0),
            position=position,
        )

    def _first_short(self, known: Sequence[Read]) -> Read:
        """From when on it was recorded as short, without a break."""
        found = known[-1]
        for each in reversed(known):
            if not self._short(each):
                break
            found = each
        return found

    def _not_fallen_by(self, known: Sequence[Read], rests_on: Read) -> datetime | None:
        """The last moment at which the level was seen, and had not fallen yet."""
        seen = [each.began for each in known if each.began < rests_on.began]
        seen += [
            each.event.occurred_at
            for each in self._events
            if isinstance(each.event, StockRead | LevelsWatched)
            and each.event.occurred_at < min(rests_on.began, self._at)
        ]
        return max(seen, default=None)

    # ── what was shown ──

    def _shown(self) -> Import | None:
        """The figure that stood there when the order was placed."""
        there = [e for e in self._imports if e.finished and e.finished.occurred_at <= self._at]
        return there[-1] if there else None

    def _next_of(self, rests_on: Read) -> Import | None:
        """The first import that had what was read then."""
        return next(
            (
                each
                for each in self._imports
                if (each.level_read_at or each.orders_read_at) >= rests_on.began
            ),
            None,
        )


def _units_of(
    order: OrderReceived | SalesOrderPosted | SalesOrderFoundAgain, keys: frozenset[str]
) -> int:
    return sum(line.quantity for line in order.lines if stock_key(line.sku) in keys)


def _imports_of(events: Sequence[Recorded], skus: set[str]) -> list[Import]:
    """Those with a figure of one of these SKUs, oldest first, each with its outcome."""
    found: dict[str, Import] = {}
    for each in events:
        event = each.event
        if isinstance(event, StockImportIntended):
            figures = tuple(figure for figure in event.figures if figure.sku in skus)
            if figures:
                found[event.publish_id] = Import(intended=each, figures=figures)
            continue
        if not isinstance(event, PublishEvent) or event.publish_id not in found:
            continue
        known = found[event.publish_id]
        if isinstance(event, StockImportSent):
            known.sent = each
        elif isinstance(event, StockImportFinished):
            refused = {line.sku for line in event.refused}
            if refused.isdisjoint(skus):
                known.finished = each
            else:
                known.failed = each
        elif isinstance(event, StockImportFailed | StockImportGivenUp):
            known.failed = each
    return list(found.values())
