"""Deadlines, the shell: looks at what waits when an order's standing may change, and says so.

Promises: a look at the latest every quarter of an hour, earlier when a deadline is sooner; the
stage that the ERP shows is recorded when it changes. It writes nothing outside and holds no
rule: those stand in `deadlines.py` and `timing.py`.
Called by the dispatch room. Source: design 8.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from kcjl.actors import Job
from kcjl.clock import Clock
from kcjl.dispatch.deadline_events import (
    DeadlinesCounted,
    SalesOrderStaged,
    StageInErp,
)
from kcjl.dispatch.deadlines import DeadlineRules, decide_deadlines
from kcjl.dispatch.outage import Silence
from kcjl.dispatch.timing import Timing, is_waiting
from kcjl.fold import Table
from kcjl.khaos.port import OrderStatus, Stage
from kcjl.log.port import Recorded
from kcjl.vocabulary import Event

__all__ = ["DeadlineWatch", "WatchingRoom", "staged"]

LOOK_EVERY = timedelta(minutes=15)
LOOK_PAUSE = timedelta(minutes=1)
"""Deadlines that follow one another are looked at together."""


class WatchingRoom(Protocol):
    """What the watch needs of its room."""

    clock: Clock
    timings: Table[Timing]
    counted: Table[DeadlinesCounted]
    silences: Table[Silence]

    async def commit(self, events: Sequence[Event]) -> Sequence[Recorded]: ...


class DeadlineWatch:
    """Says which orders are at risk, and which are late."""

    def __init__(self, room: WatchingRoom, rules: DeadlineRules) -> None:
        self._room = room
        self._rules = rules
        self.job = Job("deadlines", self._look, every=LOOK_EVERY)

    async def _look(self) -> float:
        now = self._room.clock.now()
        waiting = [timing for _, timing in self._room.timings.watched()]
        counted = dict(self._room.counted.items())
        silences = sorted(
            (each for _, each in self._room.silences.items()), key=lambda each: each.since
        )
        await self._room.commit(
            decide_deadlines(waiting, counted, self._rules, now, silences=silences)
        )
        changes = (self._rules.next_change(timing, now) for timing in waiting)
        soonest = min((each for each in changes if each is not None), default=now + LOOK_EVERY)
        pause = min(max(soonest - now, LOOK_PAUSE), LOOK_EVERY)
        return pause.total_seconds()


def staged(
    timing: Timing | None, status: OrderStatus, began: datetime
) -> tuple[SalesOrderStaged, ...]:
    """That the ERP shows the order at another stage than was last said."""
    shown = _least_far(status)
    if timing is None or not is_waiting(timing) or shown is None:
        return ()
    stage, named = shown
    if stage == (timing.in_erp or "accepted"):
        return ()
    return (
        SalesOrderStaged(order_id=timing.order_id, stage=stage, named=named, occurred_at=began),
    )


_MEANING: dict[Stage, StageInErp] = {
    Stage.ON_HOLD: "on_hold",
    Stage.BLOCKED_PAYMENT: "on_hold",
    Stage.ACCEPTED: "accepted",
    Stage.IN_WAREHOUSE: "in_warehouse",
    Stage.UNKNOWN: "in_warehouse",
}
"""A stage that is not known is in progress (contract khaos c); what was shipped or cancelled is
told by other events."""
_FAR: Sequence[StageInErp] = ("on_hold", "accepted", "in_warehouse")


def _least_far(status: OrderStatus) -> tuple[StageInErp, str] | None:
    """The stage of the invoice that is the least far, and its name there."""
    found = [
        (_FAR.index(meaning), meaning, invoice.stage_raw)
        for invoice in status.invoices
        if (meaning := _MEANING.get(invoice.stage)) is not None
    ]
    if not found:
        return None
    _, stage, named = min(found)
    return stage, named
