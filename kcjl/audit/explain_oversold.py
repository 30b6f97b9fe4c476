"""Why a unit was sold that was not there: the true cause, the hops, and what would have helped.

Promises: pure; made of recorded events and nothing else. What is short by a level that was read
before the order is certain; what shows at the next read only may have been sold elsewhere after
the order, and is said to be an estimate. Its own bounds: `explain_oversold_read.py`.
Called by `explain_reading.py` and tests.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from kcjl.audit.explain import Change, Hop, clock, minutes
from kcjl.audit.explain_oversold_read import AroundLine, Import, Read
from kcjl.in_flight import is_sold
from kcjl.log.port import Recorded
from kcjl.orders.events import OrderReceived
from kcjl.stock.state import Product

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


class _Case(AroundLine):
    """What came of it, and why."""

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

    def _cause(self, rests_on: Read, shown: Import | None) -> tuple[Cause, Import | None]:
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

    # ── the hops ──

    def _hops(
        self,
        cause: Cause,
        rests_on: Read,
        lower: datetime | None,
        way: Import | None,
        shown: Import | None,
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
        self, cause: Cause, rests_on: Read, lower: datetime | None, way: Import | None
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

    def _buffer(self, judged: Read) -> Change:
        short = self._short(judged)
        said = f"Yes: a buffer of {short:,} more would have kept back what was not there."
        return Change(name="buffer", stops="yes", said=said)

    def _limit(self, judged: Read, shown: Import | None) -> Change:
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
        self, rests_on: Read, shown: Import | None, way: Import | None
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
