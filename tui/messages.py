"""What the reading task tells the screens: immutable answers, never widgets.

Promises: every answer carries the world's time at which it was asked for.
Called by the app's reading task (posts) and by the app and the screens (handle).
"""

from collections.abc import Sequence
from datetime import datetime

from textual.message import Message

from kcjl.readmodels import Cut, EventRow, ExceptionStory, Overview
from tui.model.proposal import Proposal

__all__ = [
    "EventsRead",
    "ExceptionRead",
    "ExceptionsRead",
    "OverviewRead",
    "Proposed",
    "ReadDone",
    "ReadFailed",
    "ReadWanted",
]


class OverviewRead(Message):
    """The overview has come."""

    def __init__(self, overview: Overview) -> None:
        super().__init__()
        self.overview = overview


class ExceptionsRead(Message):
    """The work list has come."""

    def __init__(self, cut: Cut) -> None:
        super().__init__()
        self.cut = cut


class EventsRead(Message):
    """A page of the log has come; `older` when it precedes what is shown."""

    def __init__(self, page: Sequence[EventRow], *, at: datetime, older: bool = False) -> None:
        super().__init__()
        self.page = tuple(page)
        self.at = at
        self.older = older


class ExceptionRead(Message):
    """All about one exception has come; None: there never was one of that id."""

    def __init__(self, story: ExceptionStory | None) -> None:
        super().__init__()
        self.story = story


class Proposed(Message):
    """A screen wants something done."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__()
        self.proposal = proposal


class ReadDone(Message):
    """All that the screen asked for has come."""


class ReadFailed(Message):
    """The source did not answer."""

    def __init__(self, cause: str, *, retry_after_s: float | None = None) -> None:
        super().__init__()
        self.cause = cause
        self.retry_after_s = retry_after_s


class ReadWanted(Message):
    """A screen has come up, or wants more: read now rather than at the next tick."""
