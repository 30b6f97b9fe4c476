"""What people look at: the read models of one merchant, for the monitor and the CLI.

Promises: every answer says up to which position of the log it is true, and when that was
recorded; a list that is cut says how long it really is. It changes nothing.
Invariant: rows come from projections, events from the log; nothing else is known.
Called by the CLI and by the monitor's live source. Source: design 3, tui brief 4.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

from kcjl.money import Money

if TYPE_CHECKING:
    from kcjl.readmodels_dispatch import DispatchReading
    from kcjl.readmodels_health import HealthModels
    from kcjl.readmodels_money import MoneyModels
    from kcjl.readmodels_orders import OrdersReading
    from kcjl.readmodels_policy import PolicyReading
    from kcjl.readmodels_stock import StockReading

__all__ = [
    "Cut",
    "EventRow",
    "ExceptionRow",
    "ExceptionStory",
    "Freshness",
    "Lane",
    "Overview",
    "ReadModels",
    "Said",
]


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """How true an answer is."""

    position: int
    """Up to this position of the log."""
    recorded_at: datetime | None
    """When that event was recorded; None for an empty log."""
    now: datetime
    """The service's (world's) time when the answer was made."""


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One concern at a glance."""

    name: str
    """Stock, Orders, Dispatch, Money."""
    done: int
    waiting: int
    excepted: int
    last_read_at: datetime | None
    """When the outside was last read for this lane; its age is the lane's freshness."""
    oldest_deadline: datetime | None
    facts: tuple[tuple[str, str], ...]
    """Further lines to show: (label, value)."""
    per_minute: tuple[int, ...]
    """Events of this lane recorded in each of the last minutes (world time), oldest first."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    merchant: str
    fresh: Freshness
    lanes: tuple[Lane, ...]
    events: int
    exceptions_open: int
    money_at_risk: tuple[Money, ...]
    """Of the open exceptions: one amount a currency, the largest first."""
    writes_allowed: bool
    """False while outbound writes are switched off."""


class ExceptionRow(msgspec.Struct, frozen=True, kw_only=True):
    exception_id: str
    kind: str
    severity: str
    """critical, high, medium, low."""
    subject: str
    """The order, SKU, parcel, payout or job that it is about."""
    message: str
    next_step: str
    owner: str
    money_at_risk: Money | None
    deadline: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    seen: int
    state: str
    """open, parked, accepted or cleared."""
    cleared_at: datetime | None = None
    lane: str = ""
    """Stock, Orders, Dispatch, Money or Service."""
    opened: int = 1
    """How often it came onto the desk: above 1, it re-opened."""
    attempts: int = 0
    """How often a person has had it tried again."""
    parked_until: datetime | None = None
    folded: int = 1
    """Exceptions that this row stands for: above 1, it is a storm of one kind."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One word of the desk about an exception."""

    at: datetime
    by: str
    text: str


class ExceptionStory(msgspec.Struct, frozen=True, kw_only=True):
    """What one exception's row has no room for."""

    exception_id: str
    clears: str
    """What closes it by itself."""
    commands: tuple[str, ...]
    """What is typed to mend it."""
    offers: tuple[str, ...]
    """What the desk offers: assign, note, park, retry, accept."""
    page: str
    """In the manual."""
    owned: str
    """Why it is that owner's."""
    stays: str
    """Why it can't be accepted; empty: it can be."""
    words: tuple[Said, ...]
    """Oldest first."""
    words_before: int
    """Older ones, which only the log has."""


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    type: str
    stream: str
    revision: int
    occurred_at: datetime
    recorded_at: datetime
    by: str
    correlation_id: str
    causation: int | None
    data: str
    """The payload's JSON text."""
    hash: str
    """Hexadecimal."""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A list with its whole length: shown as «first 500 of 12,431» when it was cut."""

    exceptions: tuple[ExceptionRow, ...]
    total: int
    """Rows there are: a storm counts as one."""
    fresh: Freshness


class ReadModels(Protocol):
    """What can be asked. Errors: Unavailable while the database can't be reached."""

    @property
    def money(self) -> "MoneyModels": ...

    @property
    def health(self) -> "HealthModels": ...

    @property
    def orders(self) -> "OrdersReading": ...

    @property
    def dispatch(self) -> "DispatchReading": ...

    @property
    def stock(self) -> "StockReading": ...

    @property
    def policy(self) -> "PolicyReading": ...

    async def overview(self) -> Overview: ...

    async def exceptions(self, *, state: str = "open", kind: str = "", limit: int = 500) -> Cut:
        """Most urgent first: deadline and money at risk. A storm of one kind is one row, but
        where that kind is asked for.
        """
        ...

    async def exception(self, exception_id: str) -> ExceptionStory | None: ...

    async def events(
        self, *, after: int | None = None, before: int | None = None, limit: int = 200
    ) -> Sequence[EventRow]:
        """Oldest first. With `after`: what follows it; with `before`: what precedes it;
        with neither: the newest.
        """
        ...

    async def next_event(self, types: Sequence[str], *, after: int) -> int | None:
        """The position of the first event of these types that follows; None: there is none."""
        ...
