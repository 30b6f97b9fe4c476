"""Publishing, the shell: one stock import at a time, followed to its end, at most one a minute.

Promises: an intention before each import and an outcome after it; one whose answer was lost, or
that does not end, is replaced by fresh absolute figures. While publishing is switched off, or
held by a guard, what is on its way is still followed. It holds no rule.
Called by `actor.py`. Source: design 6; contract johnlewis b.2.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from kcjl.calls.correlation import correlated
from kcjl.errors import NotFound, OutcomeUnknown, Refused
from kcjl.johnlewis.port import (
    MarketplacePort,
    StockFigure,
    StockImport,
    StockImportError,
    StockImportStatus,
)
from kcjl.settings import StockSettings
from kcjl.stock.conditions import Conditions, conditions_at
from kcjl.stock.decide import cut, may_publish
from kcjl.stock.differing import Differing
from kcjl.stock.events import (
    Figure,
    StockImportFailed,
    StockImportFinished,
    StockImportIntended,
    StockImportSent,
    StockImportUnknown,
    stock_key,
)
from kcjl.stock.guards import GuardLimits, decide_guard
from kcjl.stock.publishing_state import Publish
from kcjl.stock.reads import Reads
from kcjl.stock.room import StockRoom
from kcjl.stock.sending import (
    decide_given_up,
    decide_late,
    offered_skus,
    refused_lines,
    wait_s,
)

__all__ = ["StockPublisher"]

WATCH_HOLDS_FOR = 3
"""So many intervals after its last good look the watch still holds."""
ZEROS_ALONE_AFTER = timedelta(minutes=10)
"""So long no orders were read: what is 0 whatever they hold waits for them no more."""
NEVER = datetime.min.replace(tzinfo=UTC)


class _WorkedOut(NamedTuple):
    """The figures that differ, and what they were worked out under."""

    conditions: Conditions
    figures: Sequence[Figure]
    reads: Reads
    orders_read_at: datetime


class StockPublisher:
    """What the stock room says to the marketplace."""

    def __init__(
        self, room: StockRoom, marketplace: MarketplacePort, settings: StockSettings
    ) -> None:
        self._room = room
        self._marketplace = marketplace
        self._settings = settings
        self._differing = Differing(room.products)
        self._conditions: Conditions | None = None
        self._began = room.clock.now()
        self._limits = GuardLimits(
            to_zero_share=settings.guard_to_zero_share,
            moved_share=settings.guard_moved_share,
            skus_min=settings.guard_skus_min,
        )

    async def publish(self) -> float | None:
        """Follow what is on its way; then send what differs as one stock import."""
        for publish_id, publish in self._room.publishes.items():
            if not publish.import_id:
                await self._lost(publish, "the service stopped before the answer came")
                continue
            with correlated(publish_id):
                ended = await self._followed(publish)
            if not ended:
                return self._settings.follow_s
        if not self._is_allowed():
            return None
        publishing, now = self._room.publishing, self._room.clock.now()
        pause_s = wait_s(publishing, now, every_s=self._settings.publish_every_s)
        if pause_s > 0:
            return pause_s
        found = await self._worked_out()
        if found is None or not self._is_allowed():
            return None
        figures = await self._guarded(found.figures)
        if not figures:
            return None
        sent = [
            msgspec.structs.replace(each, orders_read_at=found.orders_read_at)
            for each in cut(figures, self._settings.lines_max)
        ]
        await self._send(sent, found)
        return self._settings.follow_s

    def _is_allowed(self) -> bool:
        return self._room.publishing.is_on and self._room.writes_allowed

    async def figures(self) -> Sequence[Figure] | None:
        """All that differ; None while that can't be told: a read is not followed by its orders,
        or none was made by this process, which knows nothing of what was ordered since.
        """
        found = await self._worked_out()
        return None if found is None else found.figures

    async def _worked_out(self) -> _WorkedOut | None:
        """The same, under which conditions, and after which read of orders.

        What came while they were worked out is in them: they are as of when this returns.
        """
        while True:
            conditions, reads = self._conditions_now(), self._room.last_reads
            if conditions is None or reads is None or reads.orders_began_at is None:
                return None
            orders_read_at = reads.orders_began_at
            if orders_read_at < self._began or not may_publish(reads):
                return await self._zeros(conditions, reads, orders_read_at)
            found = await self._differing.figures(conditions, reads, now=self._room.clock.now())
            after = self._conditions_now()
            if after is None or after.key != conditions.key or reads != self._room.last_reads:
                continue
            if self._room.publishing.hold and not found.all_read:
                return None  # a hold ends by what the figures say, not by what nobody has read
            return _WorkedOut(conditions, found.figures, reads, orders_read_at)

    async def _zeros(
        self, conditions: Conditions, reads: Reads, orders_read_at: datetime
    ) -> _WorkedOut | None:
        """While no orders can be read: what is 0 whatever they hold."""
        now = self._room.clock.now()
        is_silent = now - max(orders_read_at, self._began) >= ZEROS_ALONE_AFTER
        if not is_silent or self._room.publishing.hold:
            return None
        zeros = await self._differing.zeros(conditions, reads, now=now)
        return _WorkedOut(conditions, zeros, reads, orders_read_at)

    def _conditions_now(self) -> Conditions | None:
        room = self._room
        found = conditions_at(
            room.policies,
            room.publishing,
            room.last_reads,
            room.clock.now(),
            poll_s=self._interval_s(),
            known=self._conditions.rules if self._conditions else None,
        )
        self._conditions = found
        return found

    def _interval_s(self) -> float:
        """How old a level may be by the next read of it: a look of the watch, or a poll."""
        at, watch_s = self._room.watched_at, self._settings.watch_s
        if at is None or not watch_s:
            return self._settings.poll_s
        age_s = (self._room.clock.now() - at).total_seconds()
        holds = age_s <= WATCH_HOLDS_FOR * watch_s
        return min(watch_s, self._settings.poll_s) if holds else self._settings.poll_s

    async def _guarded(self, figures: Sequence[Figure]) -> Sequence[Figure]:
        """The figures, unless a guard holds them."""
        hold = self._room.publishing.hold
        if not figures and hold is None:
            return ()
        said, may_go = decide_guard(
            hold,
            figures,
            offered=lambda: offered_skus(self._room.products.values()),
            limits=self._limits,
            new_hold_id=self._room.ids.new,
            now=self._room.clock.now(),
        )
        await self._room.commit(said)
        return figures if may_go else ()

    async def _send(self, figures: Sequence[Figure], worked_out: _WorkedOut) -> None:
        publish_id = self._room.ids.new()
        await self._room.commit(
            (
                StockImportIntended(
                    publish_id=publish_id,
                    figures=tuple(figures),
                    policy_version=worked_out.conditions.version,
                    stock_read_at=self._rests_on(figures, worked_out.reads),
                    lag_s=int(worked_out.conditions.lag_s),
                    staleness=self._room.publishing.stale,
                    occurred_at=self._room.clock.now(),
                ),
            ),
            correlation_id=publish_id,
        )
        try:
            with correlated(publish_id):
                import_id = await self._marketplace.publish_stock(
                    [StockFigure(sku=each.sku, quantity=each.quantity) for each in figures]
                )
        except OutcomeUnknown as lost:
            await self._lost(self._room.publishes[publish_id], lost.message)
            return
        except Refused as refusal:
            await self._failed(self._room.publishes[publish_id], refusal.message)
            raise
        await self._room.commit(
            (
                StockImportSent(
                    publish_id=publish_id,
                    import_id=import_id,
                    skus=tuple(figure.sku for figure in figures),
                    occurred_at=self._room.clock.now(),
                ),
            ),
            correlation_id=publish_id,
        )

    def _rests_on(self, figures: Sequence[Figure], reads: Reads) -> datetime | None:
        """The beginning of the last read of levels that the figures know of: one of theirs, a
        poll, or a look of the watch that found nothing moved and was followed by the orders.

        `reads`: as they stood when the figures were worked out; one may have ended since.
        """
        looked_at = self._room.watched_at
        known = [figure.level_read_at for figure in figures]
        known.append(reads.stock_began_at)
        if looked_at is not None and looked_at <= (reads.orders_began_at or NEVER):
            known.append(looked_at)
        return max((at for at in known if at is not None), default=None)

    async def _lost(self, publish: Publish, message: str) -> None:
        await self._room.commit(
            (
                StockImportUnknown(
                    publish_id=publish.publish_id,
                    message=message,
                    skus=publish.skus,
                    occurred_at=self._room.clock.now(),
                ),
            ),
            correlation_id=publish.publish_id,
        )

    async def _failed(self, publish: Publish, message: str) -> None:
        await self._room.commit(
            (
                StockImportFailed(
                    publish_id=publish.publish_id,
                    message=message,
                    skus=publish.skus,
                    occurred_at=self._room.clock.now(),
                ),
            ),
            correlation_id=publish.publish_id,
        )

    # ── following ───────────────────────────────────────────────────────────────────────────

    async def _followed(self, publish: Publish) -> bool:
        """True when the import has come to its end, or is not waited for any more."""
        try:
            state = await self._marketplace.stock_import(publish.import_id)
        except NotFound as gone:
            await self._failed(publish, gone.message)
            return True
        if state.status == StockImportStatus.FAILED:
            await self._failed(publish, "the marketplace gave the import up")
            return True
        if state.status != StockImportStatus.COMPLETE:
            given_up = decide_given_up(
                publish,
                self._room.clock.now(),
                ends_within_s=self._settings.import_ends_within_s,
            )
            await self._room.commit(given_up, correlation_id=publish.publish_id)
            return bool(given_up)
        errors = await self._errors(state)
        now = self._room.clock.now()
        refused = refused_lines(
            [(error.sku, error.message) for error in errors], self._refusals(errors), now
        )
        await self._room.commit(
            (
                StockImportFinished(
                    publish_id=publish.publish_id,
                    import_id=publish.import_id,
                    skus=publish.skus,
                    refused=refused,
                    occurred_at=now,
                ),
            ),
            correlation_id=publish.publish_id,
        )
        return True

    async def _errors(self, state: StockImport) -> Sequence[StockImportError]:
        if not (state.has_error_report or state.lines_in_error):
            return ()
        return await self._marketplace.stock_import_errors(state.import_id)

    def _refusals(self, errors: Sequence[StockImportError]) -> dict[str, int]:
        """How often each of these SKUs was refused in a row before."""
        before: dict[str, int] = {}
        for error in errors:
            product = self._room.products.get(stock_key(error.sku))
            for shown in product.shown if product else ():
                before[shown.sku] = shown.refusals
        return before

    async def look_at_late(self) -> None:
        """Imports that were given up: once one has ended, what it overwrote is said again."""
        for publish_id, publish in self._room.late.items():
            ended, overwrote = "", False
            try:
                state = await self._marketplace.stock_import(publish.import_id)
            except NotFound as gone:
                ended = gone.message
            else:
                if state.status in (StockImportStatus.COMPLETE, StockImportStatus.FAILED):
                    overwrote = state.status == StockImportStatus.COMPLETE
                    ended = f"import {publish.import_id} ended after it had been given up"
            said = decide_late(
                publish, self._room.clock.now(), ended=ended, overwrote=overwrote
            )
            await self._room.commit(said, correlation_id=publish_id)
