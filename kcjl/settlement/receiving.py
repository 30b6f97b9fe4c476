"""Settlement, the shell of what comes after closing: money in the bank, gaps that end.

Promises: what people say of the bank is decided on all that is in the log, and committed whole
or not at all; it holds no rule (`received.py`, `gaps_since.py`) and writes nothing outside.
Called by the settlement room and `asked.py`. Source: design 9.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol

from kcjl.clock import Clock
from kcjl.fold import Fold, Table
from kcjl.log.port import Recorded
from kcjl.settlement.gaps_since import GAPS_SINCE, OrderSince, decide_gaps_ended
from kcjl.settlement.received import (
    Receipt,
    decide_receipt_overdue,
    decide_receipts,
    decide_withdrawn,
    receipt_words,
)
from kcjl.settlement.state import Cycle
from kcjl.vocabulary import Event

__all__ = ["Receiving", "ReceivingRoom"]


class ReceivingRoom(Protocol):
    """What it needs of its room."""

    clock: Clock
    cycles: Table[Cycle]

    def table(
        self, fold: Fold[OrderSince], *, watch: Callable[[OrderSince], bool]
    ) -> Table[OrderSince]: ...

    async def commit(
        self,
        events: Sequence[Event],
        *,
        correlation_id: str | None = None,
        by: str | None = None,
    ) -> Sequence[Recorded]: ...


class Receiving:
    """What comes of payouts after they were closed."""

    def __init__(
        self,
        room: ReceivingRoom,
        *,
        within_days: int,
        is_working_day: Callable[[date], bool],
    ) -> None:
        self._room = room
        self._within_days = within_days
        self._is_working_day = is_working_day
        self._since = room.table(GAPS_SINCE, watch=lambda each: bool(each.over))

    async def receive(self, told: Sequence[Receipt], *, by: str) -> str:
        """The operator's command: this money is in the bank."""
        cycles = {each.cycle_id: self._room.cycles.get(each.cycle_id) for each in told}
        known = {cycle_id: cycle for cycle_id, cycle in cycles.items() if cycle is not None}
        events = decide_receipts(known, told, self._now())
        await self._room.commit(events, by=by)
        words = [
            f"payout {cycle_id}: {receipt_words(self._room.cycles[cycle_id])}"
            for cycle_id in dict.fromkeys(event.cycle_id for event in events)
        ]
        return "; ".join(words) or "nothing new: all of it was known"

    async def withdraw(
        self, cycle_id: str, receipt: int | None, reason: str, *, by: str
    ) -> str:
        """The operator's command: it did not come, or is of something else."""
        cycle = self._room.cycles.get(cycle_id)
        events = decide_withdrawn(cycle, cycle_id, receipt, reason, self._now())
        await self._room.commit(events, by=by)
        words = receipt_words(self._room.cycles[cycle_id]) or "nothing of it is in the bank"
        return f"payout {cycle_id}: {words}"

    async def look_again(self) -> None:
        """Gaps that are gone, and payouts that should be in the bank by now."""
        now = self._now()
        for _, since in self._since.watched():
            of_gaps = {gap.cycle_id for gap in since.over}
            cycles = (self._room.cycles.get(each) for each in of_gaps)
            known = [each for each in cycles if each is not None]
            await self._room.commit(decide_gaps_ended(since, known, now))
        overdue: list[Event] = []
        for cycle in self._room.cycles.values():
            overdue.extend(
                decide_receipt_overdue(
                    cycle,
                    within_days=self._within_days,
                    is_working_day=self._is_working_day,
                    now=now,
                )
            )
        await self._room.commit(overdue)

    def _now(self) -> datetime:
        return self._room.clock.now()
