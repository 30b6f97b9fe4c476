"""What the reading task tells the screens: immutable answers, never widgets.

Promises: every answer carries the world's time at which it was asked for.
Called by the app's reading task (posts) and by the app and the screens (handle).
"""

from collections.abc import Sequence
from datetime import datetime

from textual.message import Message

from kcjl.readmodels import Cut, EventRow, ExceptionStory, Overview
from kcjl.readmodels_policy import PolicyCut, PolicyStory, WhatIf
from kcjl.readmodels_stock import ProductsCut, ProductStory
from tui.model.proposal import Proposal

__all__ = [
    "EventsRead",
    "ExceptionRead",
    "ExceptionsRead",
    "OverviewRead",
    "PoliciesRead",
    "PolicyRead",
    "ProductRead",
    "ProductsRead",
    "Proposed",
    "ReadDone",
    "ReadFailed",
    "ReadWanted",
    "WhatIfRead",
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


class ProductsRead(Message):
    """The list of SKUs has come."""

    def __init__(self, cut: ProductsCut) -> None:
        super().__init__()
        self.cut = cut


class ProductRead(Message):
    """Why so many of one SKU, by its key; None: no offer and no order ever named it."""

    def __init__(self, key: str, story: ProductStory | None) -> None:
        super().__init__()
        self.key = key
        self.story = story


class PoliciesRead(Message):
    """The list of policies has come."""

    def __init__(self, cut: PolicyCut) -> None:
        super().__init__()
        self.cut = cut


class PolicyRead(Message):
    """What was said of one policy has come."""

    def __init__(self, story: PolicyStory) -> None:
        super().__init__()
        self.story = story


class WhatIfRead(Message):
    """What a proposed policy would change has come; None: it is proposed no more."""

    def __init__(self, what_if: WhatIf | None) -> None:
        super().__init__()
        self.what_if = what_if


class Proposed(Message):
    """A screen wants something done, or says why it can't be."""

    def __init__(self, proposal: Proposal | str) -> None:
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
