"""What people say at the exceptions desk, how it is routed, and when a kind is a storm.

Stream: exception-<kind>-<subject>, exception-rules, exception-storm-<kind>. Who said it is the
log's `by`, and stands in the event too, where lists show it.
"""

from datetime import datetime

from kcjl.exceptions.events import DeskEvent
from kcjl.exceptions.routing import RoutingRules
from kcjl.vocabulary import Event

__all__ = [
    "ExceptionAccepted",
    "ExceptionAssigned",
    "ExceptionNoted",
    "ExceptionParked",
    "ExceptionRetried",
    "ExceptionUnparked",
    "RoutingRulesSet",
    "StormBegan",
    "StormEnded",
]


class DeskWord(DeskEvent, frozen=True, kw_only=True):
    """Base of what a person says about one exception."""

    by: str


class ExceptionAssigned(DeskWord, frozen=True, kw_only=True):
    """A person has given it to a person or a role; no rule takes it away again."""

    owner: str


class ExceptionNoted(DeskWord, frozen=True, kw_only=True):
    """A person has written something down about it."""

    note: str


class ExceptionParked(DeskWord, frozen=True, kw_only=True):
    """A person has put it aside until then; the condition still holds."""

    until: datetime
    reason: str


class ExceptionUnparked(DeskEvent, frozen=True, kw_only=True):
    """The time for which it was put aside is over: it is on the desk again."""


class ExceptionRetried(DeskWord, frozen=True, kw_only=True):
    """A person has had it tried again; what came of it is said by the room that it is of."""

    outcome: str


class ExceptionAccepted(DeskWord, frozen=True, kw_only=True):
    """A person lets it be: it leaves the desk, until something new is said of it."""

    reason: str


class RoutingRulesSet(Event, frozen=True, kw_only=True):
    """A person has set the rules by which exceptions get their owners, from now on."""

    version: int
    rules: RoutingRules
    reason: str

    @property
    def stream(self) -> str:
        return "exception-rules"


class StormEvent(Event, frozen=True, kw_only=True):
    kind: str

    @property
    def stream(self) -> str:
        return f"exception-storm-{self.kind}"


class StormBegan(StormEvent, frozen=True, kw_only=True):
    """So many exceptions of one kind came in a short time that they are shown as one."""

    exceptions: int
    """Open ones of the kind."""
    raised: int
    """Those that were raised within the window."""
    window_minutes: int


class StormEnded(StormEvent, frozen=True, kw_only=True):
    """Few enough of the kind are open again: each is shown by itself."""

    exceptions: int
