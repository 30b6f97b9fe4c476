"""The way into an outside system of a run, and what a call goes through there.

Promises: before a call is carried out the world is moved on to the clock's now; between calls
nobody moves it but `outside.py`. A call takes time, and may suffer one mishap: the errors are
those that the adapters raise for it. A write that was refused changed nothing.
Invariant: the world is changed by its own agenda and by `World.change` only.
Called by the simulated marketplace and ERP.
"""

from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import anyio

from kcjl.clock import Clock
from kcjl.errors import OutcomeUnknown, ProtocolSurprise, RateLimited, Refused, Unavailable
from kcjl.sandbox.world import World
from tests.simulation.faults import ClockShift
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_orders import Stamp, same_stamp

__all__ = ["Door", "Reading", "stamp_of", "widest"]

T = TypeVar("T")
R = TypeVar("R")

PAGE_ROWS = 3
"""Of a list that moves under the reading: small, so that it has pages at all."""
PAGES_MAX = 200
NOT_SENT_SHARE = 0.5
"""Of the writes whose caller died before they had arrived: those that had not left it."""


def stamp_of(shifts: Sequence[ClockShift], began: datetime) -> Stamp:
    """What an outside clock shows at a moment, by its shifts since the run began."""
    if not shifts:
        return same_stamp
    steps = sorted(
        (began + timedelta(hours=shift.at_h), timedelta(seconds=shift.fast_s))
        for shift in shifts
    )

    def stamp(moment: datetime) -> datetime:
        fast = timedelta(0)
        for since, by in steps:
            if moment < since:
                break
            fast = by
        return moment + fast

    return stamp


def widest(shifts: Sequence[ClockShift]) -> timedelta:
    """How far the outside clock is ever off."""
    return timedelta(seconds=max((abs(shift.fast_s) for shift in shifts), default=0.0))


class Reading(Generic[R]):
    """How a list of rows is read, and what makes two of its rows the same."""

    def __init__(
        self,
        rows: Callable[[], list[R]],
        key: Callable[[R], Hashable],
        *,
        recall: Hashable = None,
        older: Callable[[list[R], datetime], list[R]] | None = None,
        has_order: bool = False,
    ) -> None:
        self.rows = rows
        self.key = key
        self.recall = recall
        """What makes two readings the same, for stale answers; None: `older` makes them."""
        self.older = older
        """The rows as they stood at a moment of our clock."""
        self.has_order = has_order
        """Whether the port promises an order of the rows."""


class Door:
    """The way into one outside system."""

    def __init__(self, side: str, world: World, mishaps: Mishaps, clock: Clock) -> None:
        self.side = side
        self.world = world
        self.mishaps = mishaps
        self.clock = clock

    def enter(self) -> None:
        """The call has arrived: the world is at now."""
        self.world.agenda.advance(self.clock.now())

    # ── reads ──

    async def read(self, operation: str, look: Callable[[], T], recall: Hashable = None) -> T:
        kind = await self._on_the_way(operation, writes=False, rows=False)
        self.enter()
        if kind == "stale" and recall is not None:
            known = self.mishaps.earlier((operation, recall), self.mishaps.stale_since())
            if known is not None:
                self.mishaps.suffered("stale", operation)
                return known[0]  # type: ignore[return-value]  # the same reading's answer
        answer = look()
        if recall is not None:
            self.mishaps.remember((operation, recall), answer)
        await self._on_the_way_back(operation, kind)
        return answer

    async def rows(self, operation: str, reading: Reading[R]) -> list[R]:
        """A list of rows, with what may become of rows on the way."""
        mishaps = self.mishaps
        kind = await self._on_the_way(operation, writes=False, rows=True)
        self.enter()
        if kind == "moving":
            return await self._page_by_page(operation, reading)
        if kind == "stale":
            found = self._stale(operation, reading)
            if found is not None:
                mishaps.suffered("stale", operation)
                return found
        rows = reading.rows()
        if reading.recall is not None:
            mishaps.remember((operation, reading.recall), rows)
        await self._on_the_way_back(operation, kind)
        if rows and kind == "duplicated":
            mishaps.suffered(kind)
            return mishaps.doubled(rows)
        if len(rows) > 1 and kind == "reordered" and not reading.has_order:
            mishaps.suffered(kind)
            return mishaps.shuffled(rows)
        return rows

    def _stale(self, operation: str, reading: Reading[R]) -> list[R] | None:
        since = self.mishaps.stale_since()
        if reading.older is not None:
            fresh = reading.rows()
            old = reading.older(fresh, since)
            return old if old != fresh else None
        known = self.mishaps.earlier((operation, reading.recall), since)
        return None if known is None else known[0]  # type: ignore[return-value]  # as above

    async def _page_by_page(self, operation: str, reading: Reading[R]) -> list[R]:
        """As the adapters page: by the number of rows seen, each kept as it was last seen."""
        found: dict[Hashable, R] = {}
        offset = 0
        moved = False
        for _ in range(PAGES_MAX):
            rows = reading.rows()
            page = rows[offset : offset + PAGE_ROWS]
            before = len(found)
            found.update((reading.key(row), row) for row in page)
            if not page or len(found) >= len(rows):
                break
            fresh = len(found) > before
            if not fresh and offset + len(page) >= len(rows):
                break
            offset = len(found) if fresh else offset + len(page)
            await self.clock.sleep(self.mishaps.chance.uniform(0.2, 40.0))
            moved = self.world.agenda.advance(self.clock.now()) > 0 or moved
        if moved:
            self.mishaps.suffered("moving", operation)
        return list(found.values())

    # ── writes ──

    async def write(self, operation: str, change: Callable[[], T]) -> T:
        """One change; what it refuses is heard, unless the answer is lost."""
        try:
            kind = await self._on_the_way(operation, writes=True, rows=False)
        except anyio.get_cancelled_exc_class():
            self._cut_off(operation, change)
            raise
        if kind == "arrives_late":
            self.mishaps.suffered(kind)
            late = timedelta(seconds=self.mishaps.late_s())
            self.enter()
            self.world.agenda.after(late, lambda: _quietly(change))
            await self.clock.sleep(self.mishaps.patience_s())
            raise OutcomeUnknown(f"{operation}: no answer came")
        self.enter()
        if kind in ("lost_after", "truncated"):
            _quietly(change)
            await self._on_the_way_back(operation, kind, writes=True)
        try:
            return change()
        finally:
            await self.clock.sleep(self.mishaps.latency_s())
            await self._late(kind)

    def _cut_off(self, operation: str, change: Callable[[], object]) -> None:
        """The caller died meanwhile: what had left it arrives all the same, and soon."""
        if self.mishaps.is_stopped or self.mishaps.chance.random() < NOT_SENT_SHARE:
            return
        self.mishaps.suffered("outlives_caller", operation)
        self.enter()
        soon = timedelta(seconds=self.mishaps.latency_s())
        self.world.agenda.after(soon, lambda: _quietly(change))

    # ── on the way ──

    async def _on_the_way(self, operation: str, *, writes: bool, rows: bool) -> str:
        """Until the call arrives, if it does; the mishap that it carries."""
        mishaps = self.mishaps
        kind = mishaps.draw(operation, "write" if writes else "rows" if rows else "read")
        await self.clock.sleep(mishaps.latency_s())
        if kind == "slow":
            mishaps.suffered(kind)
            await self.clock.sleep(mishaps.slow_s())
        elif kind == "rate_limited":
            mishaps.suffered(kind)
            wait_s = mishaps.begin_storm(operation)
            raise RateLimited(f"{operation}: answered 429", retry_after_s=wait_s)
        elif kind == "exports_off":
            mishaps.suffered(kind)
            raise Refused(f"{operation}: this shop has no exports", reason_code="NO_EXPORTS")
        elif kind in ("lost_before", "silent", "orders_away"):
            mishaps.suffered(kind)
            await self.clock.sleep(mishaps.patience_s())
            if not writes:
                raise Unavailable(f"{operation}: no answer came")
            if mishaps.chance.random() < 0.3:
                raise Unavailable(f"{operation}: could not connect, nothing was sent")
            raise OutcomeUnknown(f"{operation}: no answer came")
        return kind

    async def _on_the_way_back(
        self, operation: str, kind: str, *, writes: bool = False
    ) -> None:
        """What becomes of the answer."""
        await self._late(kind)
        if kind not in ("lost_after", "truncated"):
            return
        self.mishaps.suffered(kind)
        await self.clock.sleep(self.mishaps.patience_s())
        if writes:
            raise OutcomeUnknown(f"{operation}: no whole answer came")
        if kind == "truncated" and self.mishaps.chance.random() < 0.5:
            raise ProtocolSurprise(f"{operation}: an answer could not be read")
        raise Unavailable(f"{operation}: no whole answer came")

    async def _late(self, kind: str) -> None:
        if kind == "answers_late":
            self.mishaps.suffered(kind)
            await self.clock.sleep(self.mishaps.slow_s())


def _quietly(change: Callable[[], object]) -> None:
    """Carry out what nobody hears of; a refusal changes nothing."""
    with suppress(Refused):
        change()
