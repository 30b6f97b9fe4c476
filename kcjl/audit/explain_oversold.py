"""Why a unit was sold that was not there: the true cause, the hops, and what would have helped.

Promises: pure; made of recorded events and nothing else. What is short by a level that was read
before the order is certain; what shows at the next read only may have been sold elsewhere after
the order, and is said to be an estimate. It does not know units that the ERP had already given
to the order at a level of 0: an ERP shows no level below that.
Invariant: free = the level, less units in flight, less what was ordered until then.
Called by `explain_reading.py` and tests.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from kcjl.audit.explain import Change, Hop, clock, minutes
from kcjl.in_flight import is_sold
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

__all__ = ["Cause", "Oversold", "oversold_line", "said_of"]


class Cause(StrEnum):
    """What let the marketplace show more than was there."""

    NOT_READ = "not_read"
    """The units had gone elsewhere, and the level had not been read since."""
    NOT_SENT = "not_sent"
    """The level had been read, and no figure of it had been sent."""
    UNDER_WAY = "under_way"
    """The right figure was on its way, and not shown yet."""
    REFUSED = "refused"
    """The right figure was sent, and the marketplace did not take it."""
    PUT_BACK = "put_back"
    """Our figure was shown over orders that were placed after they had been read for it."""


class Oversold(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order that was not there."""

    order_id: str
    sku: str
    placed_at: datetime
    units: int
    free: int
    """What was there for it, by the read that shows it."""
    short: int
    certain: bool
    """Short by what had been read, or ordered, before it was placed."""
    short_at_least: int
    """0: it may all have been there, and gone elsewhere after the order."""
    cause: Cause
    shown: int | None
    """The figure that stood there last; None: none of ours was acknowledged."""
    hops: tuple[Hop, ...]
    changes: tuple[Change, ...]
    positions: tuple[int, ...]
    """The events that it rests on."""


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    """A level, and what was free of it for the order."""

    began: datetime
    ended: datetime
    free: int
    position: int | None
    hidden: int = 0
    """So much more may have been free: the ERP had given it to this order or later ones, and
    shows no level below 0.
    """


class _Import(msgspec.Struct, kw_only=True):
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


def oversold_line(
    order: Recorded,
    sku: str,
    before: Sequence[Product],
    events: Sequence[Recorded],
) -> Oversold | None:
    """None where nothing that is recorded says that it was not there.

    `before`: all products of the stock code, as they stood before the first of `events`, which
    are those of reads, orders and imports from then on, to the first level after the order.
    """
    received = order.event
    if not isinstance(received, OrderReceived) or not is_sold(received):
        return None
    return _Case(order, received, sku, before, events).told()


class _Case:
    """One order line, and all that bears on it."""

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

    def told(self) -> Oversold | None:
        known = [each for each in self._reads if each.began <= self._at]
        later = next((each for each in self._reads if each.began > self._at), None)
        last = known[-1] if known else None
        if last is not None and self._short(last):
            certain, rests_on = True, self._first_short(known)
        elif later is not None and self._short(later):
            certain, rests_on = False, later
        else:
            return None
        judged = last if certain and last is not None else rests_on
        shown = self._shown()
        cause, answer = self._cause(rests_on, shown) if certain else (Cause.NOT_READ, None)
        lower = self._not_fallen_by(known, rests_on)
        way = answer or self._next_of(rests_on)
        hops = tuple(self._hops(cause, rests_on, lower, way, shown))
        return Oversold(
            order_id=self._received.order_id,
            sku=self._sku,
            placed_at=self._at,
            units=self._units,
            free=max(0, judged.free),
            short=self._short(judged),
            certain=certain,
            short_at_least=self._short(judged) if certain else 0,
            cause=cause,
            shown=None if shown is None else shown.units,
            hops=hops,
            changes=(
                self._cadence(cause, rests_on, lower, way),
                self._buffer(judged),
                self._limit(judged, shown),
            ),
            positions=self._positions(rests_on, shown, way),
        )

    # ── what was there ──

    def _short(self, read: _Read) -> int:
        return min(self._units, max(0, self._units - max(0, read.free)))

    def _levels(self, before: Sequence[Product]) -> Iterator[_Read]:
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
    ) -> _Read:
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
        return _Read(
            began=began,
            ended=ended,
            free=level - flying - since + (taken if level > 0 else 0),
            position=position,
            hidden=taken if level <= 0 else 0,
        )

    def _first_short(self, known: Sequence[_Read]) -> _Read:
        """From when on it was recorded as short, without a break."""
        found = known[-1]
        for each in reversed(known):
            if not self._short(each):
                break
            found = each
        return found

    def _not_fallen_by(self, known: Sequence[_Read], rests_on: _Read) -> datetime | None:
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

    def _shown(self) -> _Import | None:
        """The figure that stood there when the order was placed."""
        there = [e for e in self._imports if e.finished and e.finished.occurred_at <= self._at]
        return there[-1] if there else None

    def _cause(self, rests_on: _Read, shown: _Import | None) -> tuple[Cause, _Import | None]:
        """Why it was shown though it was known, and the import that had the right figure."""
        level_read_at = shown.level_read_at if shown is not None else None
        if level_read_at is not None and rests_on.began <= level_read_at:
            return Cause.PUT_BACK, shown
        right = [
            each
            for each in self._imports
            if each.intended.occurred_at <= self._at
            and each is not shown
            and (each.level_read_at or each.orders_read_at) >= rests_on.began
        ]
        if not right:
            return Cause.NOT_SENT, None
        failed = right[-1].failed
        if failed is not None and failed.occurred_at <= self._at:
            return Cause.REFUSED, right[-1]
        return Cause.UNDER_WAY, right[-1]

    def _next_of(self, rests_on: _Read) -> _Import | None:
        """The first import that had what was read then."""
        return next(
            (
                each
                for each in self._imports
                if (each.level_read_at or each.orders_read_at) >= rests_on.began
            ),
            None,
        )

    # ── the hops ──

    def _hops(
        self,
        cause: Cause,
        rests_on: _Read,
        lower: datetime | None,
        way: _Import | None,
        shown: _Import | None,
    ) -> Iterator[Hop]:
        if cause is Cause.PUT_BACK and shown is not None:
            yield self._hop("orders read for the figure", shown.orders_read_at)
            if shown.finished is not None:
                yield self._hop("shown over a newer order", shown.finished)
            yield Hop(name="marketplace order", at=self._at, position=self._order.position)
            return
        gone = self._hop("sale elsewhere", min(rests_on.began, self._at))
        yield msgspec.structs.replace(gone, since=lower, estimate=True)
        read = self._hop("ERP read", rests_on.ended)
        yield msgspec.structs.replace(read, position=rests_on.position)
        steps = (
            ("push decided", way.intended if way else None),
            ("pushed", way.sent if way else None),
            ("acknowledged", way.finished if way else None),
        )
        for name, recorded in steps:
            yield self._hop(name, recorded)
        yield Hop(name="marketplace order", at=self._at, position=self._order.position)

    def _hop(self, name: str, at: datetime | Recorded | None) -> Hop:
        if at is None:
            return Hop(name=name, at=None)
        moment = at if isinstance(at, datetime) else at.occurred_at
        return Hop(
            name=name,
            at=moment,
            before_order_s=(self._at - moment).total_seconds(),
            position=None if isinstance(at, datetime) else at.position,
        )

    # ── what would have stopped it ──

    def _cadence(
        self, cause: Cause, rests_on: _Read, lower: datetime | None, way: _Import | None
    ) -> Change:
        """Read so often that the fall is read, and shown, before the order is placed."""
        if cause is Cause.PUT_BACK:
            said = "No: the level was right; the figure came over an order placed meanwhile."
            return Change(name="cadence", stops="no", said=said)
        if way is None or way.finished is None or lower is None:
            said = "Not known: no figure followed that was acknowledged, so its way is not."
            return Change(name="cadence", stops="perhaps", said=said)
        way_s = (way.finished.occurred_at - rests_on.began).total_seconds()
        left = (self._at - lower).total_seconds() - way_s
        if left <= 0:
            said = (
                f"No: from the read to the window it took {minutes(way_s)}, and the stock was "
                f"still there {minutes((self._at - lower).total_seconds())} before the order."
            )
            return Change(name="cadence", stops="no", said=said)
        gone_by = self._at - timedelta(seconds=way_s)
        said = (
            f"Perhaps: read at least every {minutes(left)}, if the units had gone by "
            f"{clock(gone_by)}: from the read to the window it took {minutes(way_s)}."
        )
        return Change(name="cadence", stops="perhaps", said=said)

    def _buffer(self, judged: _Read) -> Change:
        short = self._short(judged)
        said = f"Yes: a buffer of {short:,} more would have kept back what was not there."
        return Change(name="buffer", stops="yes", said=said)

    def _limit(self, judged: _Read, shown: _Import | None) -> Change:
        """So many shown at most: what was free, and what the figure had sold before."""
        if shown is None or shown.finished is None:
            return Change(name="limit", stops="no", said="No: no figure of ours stood there.")
        since = shown.finished.occurred_at
        sold = sum(units for at, units in self._placed.values() if since < at < self._at)
        cap = max(0, judged.free) + sold
        if not cap:
            return Change(name="limit", stops="no", said="No: nothing at all was there.")
        said = f"Yes: a limit of {cap:,} shown at most would have ended at what was there."
        return Change(name="limit", stops="yes", said=said)

    def _positions(
        self, rests_on: _Read, shown: _Import | None, way: _Import | None
    ) -> tuple[int, ...]:
        found = {self._order.position}
        if rests_on.position is not None:
            found.add(rests_on.position)
        for each in (shown, way):
            if each is not None:
                parts = (each.intended, each.sent, each.finished, each.failed)
                found |= {part.position for part in parts if part is not None}
        return tuple(sorted(found))


WHY = {
    Cause.NOT_READ: "the units had gone elsewhere, and the ERP's level had not been read since",
    Cause.NOT_SENT: "what was left was known, and no figure of it had been sent",
    Cause.UNDER_WAY: "the right figure was on its way, and the marketplace did not show it yet",
    Cause.REFUSED: "the right figure was sent, and the marketplace did not take it",
    Cause.PUT_BACK: "our figure was shown over an order that was placed after orders were read",
}


def said_of(found: Oversold) -> tuple[str, ...]:
    """The answer in sentences."""
    certainly = "" if found.certain else " (by the next read of the level)"
    window = "" if found.shown is None else f" The figure of ours there was {found.shown:,}."
    what = f"{found.short:,} of {found.units:,} {found.sku} in order {found.order_id}"
    return (
        f"{what} were not there{certainly}: {WHY[found.cause]}.",
        f"{found.free:,} were free when it was placed at {clock(found.placed_at)}.{window}",
    )


def _units_of(
    order: OrderReceived | SalesOrderPosted | SalesOrderFoundAgain, keys: frozenset[str]
) -> int:
    return sum(line.quantity for line in order.lines if stock_key(line.sku) in keys)


def _imports_of(events: Sequence[Recorded], skus: set[str]) -> list[_Import]:
    """Those with a figure of one of these SKUs, oldest first, each with its outcome."""
    found: dict[str, _Import] = {}
    for each in events:
        event = each.event
        if isinstance(event, StockImportIntended):
            figures = tuple(figure for figure in event.figures if figure.sku in skus)
            if figures:
                found[event.publish_id] = _Import(intended=each, figures=figures)
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
