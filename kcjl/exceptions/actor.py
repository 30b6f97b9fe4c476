"""The exceptions desk, the shell: hears every event, raises and clears.

Promises: events are judged in order of position, each once, also across restarts: what the desk
says carries the position that caused it, and it goes on after the last of those. No rules here.
Called by `service.py`.
"""

from collections.abc import Sequence
from datetime import timedelta

from kcjl.actors import Job, Room
from kcjl.clock import Clock, Ids
from kcjl.exceptions.decide import OPEN, SAYS_NOTHING, decide_desk, decide_switch
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.log.port import Log, Recorded
from kcjl.vocabulary import Event

__all__ = ["Desk"]

LISTEN_EVERY = timedelta(minutes=5)


class Desk(Room):
    """The exceptions actor."""

    name = "exceptions"

    def __init__(self, log: Log, clock: Clock, ids: Ids) -> None:
        super().__init__(log, clock, ids)
        self.open = self.table(OPEN, group=lambda each: each.raised.subject)
        self._judged = 0
        self.jobs = (
            Job(
                "judge",
                self._judge,
                every=LISTEN_EVERY,
                wakes_on=(Event,),
                sleeps_through=SAYS_NOTHING,
            ),
        )

    async def switch_writes(self, *, allowed: bool, reason: str, by: str) -> None:
        """The operator's command: stop all writes to the outside, or allow them again."""
        now = self.clock.now()
        await self.commit(
            decide_switch(
                allowed_now=self.writes_allowed, allowed=allowed, reason=reason, now=now
            ),
            by=by,
        )

    def _apply(self, page: Sequence[Recorded]) -> None:
        super()._apply(page)
        for recorded in page:
            if isinstance(recorded.event, ExceptionRaised | ExceptionCleared):
                self.marks["judged"] = max(self.marks.get("judged", 0), recorded.causation or 0)

    async def _judge(self) -> None:
        self._judged = max(self._judged, self.marks.get("judged", 0))
        async for page in self.log.read(self._judged, to=self.applied):
            for recorded in page:
                if recorded.position <= self._judged:
                    continue
                said = decide_desk(recorded.event, self.open.grouped)
                await self.commit(
                    said,
                    correlation_id=recorded.correlation_id,
                    causation=recorded.position,
                )
                self._judged = recorded.position
            # Most events give no cause to say anything: a snapshot keeps how far we are.
            self.marks["judged"] = self._judged
