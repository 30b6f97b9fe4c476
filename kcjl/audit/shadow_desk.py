"""Shadow, the exceptions desk: what it raises and clears, event by event.

Promises: the desk itself decides again, on the event that the recorded word names as its cause
and on what was open when the word was said; a word that is missing is a difference, as is one
too many. What was not judged yet when the log ends is told as such. Called by `shadow.py`.
"""

from collections import deque

from kcjl.audit.shadow import Report, fields_that_differ
from kcjl.clock import Clock, Ids
from kcjl.exceptions.actor import Desk
from kcjl.exceptions.decide import SAYS_NOTHING, conditions
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.log.port import Log, Recorded
from kcjl.vocabulary import Event

__all__ = ["DeskShadow"]

PENDING_MAX = 100_000
"""Events that wait for the desk's word; a desk that is further behind is not followed."""


class DeskShadow:
    """The desk's decisions."""

    types: tuple[type[Event], ...] = (ExceptionRaised, ExceptionCleared)

    def __init__(self, log: Log, clock: Clock, ids: Ids) -> None:
        """`log` is read only; `clock` and `ids` are never asked."""
        self._desk = Desk(log, clock, ids)
        self._pending: deque[Recorded] = deque(maxlen=PENDING_MAX)
        """Events that may have something to say, and that the desk has not judged yet."""
        self._cause: Recorded | None = None
        self._expected: list[Event] = []
        """What is still to be said of the cause."""

    async def hear(self, recorded: Recorded, report: Report) -> None:
        event = recorded.event
        if isinstance(event, ExceptionRaised | ExceptionCleared):
            if recorded.causation is None:
                report.not_checked(recorded, "it names no cause")
            else:
                self._said(recorded, recorded.causation, report)
        elif not isinstance(event, SAYS_NOTHING) and conditions(event):
            self._pending.append(recorded)
        await self._desk.fold((recorded,))

    def _said(self, recorded: Recorded, cause: int, report: Report) -> None:
        if self._cause is None or self._cause.position != cause:
            self._end_of_cause(report)
            self._go_on_to(cause, report)
            if self._cause is None:
                report.differs(
                    recorded,
                    fields_that_differ(recorded.event, None),
                    f"this version says nothing to event {cause:,}",
                )
                return
        event = recorded.event
        if event in self._expected:
            self._expected.remove(event)
            report.same(recorded)
            return
        like = [each for each in self._expected if _named(each) == _named(event)]
        now = like[0] if like else None
        if now is not None:
            self._expected.remove(now)
        report.differs(recorded, fields_that_differ(event, now))

    def _go_on_to(self, cause: int, report: Report) -> None:
        """The events before were judged by then: what they say, nobody has said."""
        while self._pending and self._pending[0].position <= cause:
            judged = self._pending.popleft()
            said = list(self._desk.said_to(judged.event))
            if judged.position == cause:
                self._cause, self._expected = judged, said
                return
            for each in said:
                report.missing(judged, each, "nobody has said it")

    def _end_of_cause(self, report: Report) -> None:
        cause, self._cause = self._cause, None
        if cause is not None:
            for each in self._expected:
                report.missing(cause, each, "nobody has said it")
        self._expected = []


def _named(event: Event) -> tuple[object, ...]:
    return type(event), getattr(event, "kind", ""), getattr(event, "subject", "")
