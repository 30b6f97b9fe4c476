"""An explanation: a question, its answer in sentences, and the chain of events behind it.

Promises: plain records. Each event of the chain has both clocks; what the log can't know, and
so is an estimate, is named as one; policies are those in force when the last event of the chain
was recorded. It reads nothing.
Called by the makers of explanations (`explain_*.py`) and by `kcjl explain`.
"""

from datetime import datetime
from typing import Literal

import msgspec

from kcjl.readmodels_orders import LifeEvent

__all__ = [
    "Change",
    "Explanation",
    "Hop",
    "Kind",
    "PolicyThen",
    "clock",
    "minutes",
]

Kind = Literal["sku", "order", "payout", "penny", "exception", "oversold"]
MINUTE_S = 60.0


class PolicyThen(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that was in force."""

    name: str
    version: int
    said_at: datetime
    by: str
    position: int


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One station of a fall of the stock on its way to the marketplace's window."""

    name: str
    at: datetime | None
    """None: it has not happened, as far as is recorded."""
    since: datetime | None = None
    """It was between the two; None: it was at `at`."""
    before_order_s: float | None = None
    """Seconds from `at` until the order was placed; below 0: it came too late."""
    position: int | None = None
    estimate: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What would have had to be otherwise."""

    name: Literal["cadence", "buffer", "limit"]
    stops: Literal["yes", "perhaps", "no"]
    said: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is as it is, as of a position of the log."""

    kind: Kind
    subject: str
    position: int
    recorded_at: datetime | None
    """When the event at the position was recorded."""
    answer: tuple[str, ...]
    """Plain sentences; the first one answers."""
    policies: tuple[PolicyThen, ...] = ()
    hops: tuple[Hop, ...] = ()
    changes: tuple[Change, ...] = ()
    estimates: tuple[str, ...] = ()
    """What of it is an estimate, and why."""
    chain: tuple[LifeEvent, ...] = ()
    """As a tree of causes, drawn from the top."""
    cut: bool = False
    """The chain is longer."""


def clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def minutes(seconds: float) -> str:
    """A short span in minutes.

    >>> minutes(90), minutes(-30)
    ('1.5 min', '-0.5 min')
    """
    return f"{seconds / MINUTE_S:,.1f} min"
