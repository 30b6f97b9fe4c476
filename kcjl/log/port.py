"""The event log as the rest of kcjl sees it: drafts in, recorded events out.

Promises: positions of a merchant are 1, 2, 3, … without a gap, commit order is position order,
an append is all or nothing, and what `append` returned is durable. It decides nothing.
Invariant: one writer a merchant, holding the merchant's lease; anybody may read.
Called by rooms, projections, the CLI. Kept by `postgres.py` and by its twin `memory.py`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from kcjl.log.chain import Entry
from kcjl.vocabulary import Event

__all__ = ["Draft", "Head", "Log", "LogQueries", "LogReader", "Recorded", "Selection"]

PAGE_EVENTS_MAX = 5_000
"""Events in one page of a read: larger pages are slower (docs/decisions)."""


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event that is about to be appended."""

    event: Event
    by: str
    """The actor, or the operator, that decided it."""
    correlation_id: str
    """The unit of work that it belongs to."""
    causation: int | None = None
    """Position of the event that caused it."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as the log holds it."""

    merchant: str
    position: int
    stream: str
    revision: int
    """1, 2, 3, … within its stream."""
    type: str
    schema: int
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    causation: int | None
    by: str
    data: bytes
    """The payload's JSON text: the bytes that are hashed."""
    hash: bytes
    """SHA-256 over the previous hash and this event's canonical bytes."""
    event: Event


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where a merchant's log ends."""

    position: int
    hash: bytes
    epoch: int


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are asked for: those for which everything that is given holds."""

    stream: str | None = None
    types: tuple[str, ...] = ()
    """Any of these names, as the log holds them; none given: every type."""
    after: int = 0
    to: int | None = None
    """Positions `after < position <= to`; None: up to the head of the moment."""
    since: datetime | None = None
    until: datetime | None = None
    """Recorded at `since <= recorded_at < until`."""
    backward: bool = False
    """Newest first."""
    page: int = PAGE_EVENTS_MAX
    """Events in one page at most; 1 to PAGE_EVENTS_MAX."""


class LogReader(Protocol):
    """Reading one merchant's log."""

    merchant: str

    async def head(self) -> Head: ...

    def read(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncIterator[Sequence[Recorded]]:
        """Pages of events with `after < position <= to` (to the present head when None)."""
        ...

    async def read_stream(self, stream: str) -> Sequence[Recorded]: ...

    async def read_streams(self, streams: Sequence[str]) -> Sequence[Recorded]:
        """The events of some streams, in order of position: all that they are, so of a few
        hundred short ones at a time.
        """
        ...

    def follow(self, after: int = 0) -> AsyncIterator[Sequence[Recorded]]:
        """Pages for ever: what is there, then what comes, in order, none missed."""
        ...


class LogQueries(Protocol):
    """Asking one merchant's log for a part of it. Kept by `queries.py`, for both keepers."""

    merchant: str

    def select(self, selection: Selection) -> AsyncIterator[Sequence[Recorded]]:
        """Pages, none empty, of what is there when the first one is asked for.

        Raises CorruptLog at a missing event, and at one that this version can't read.
        """
        ...

    def entries(self, selection: Selection) -> AsyncIterator[Sequence[Entry]]:
        """The same as they are stored, nothing decoded: readable by any version."""
        ...

    async def position_at(self, moment: datetime) -> int:
        """Where the log ended then: the last position recorded at or before it; 0 for none."""
        ...


class Log(LogReader, Protocol):
    """Writing it too."""

    async def append(
        self, drafts: Sequence[Draft], *, expected: Mapping[str, int] | None = None
    ) -> Sequence[Recorded]:
        """Append all, or none. `expected`: stream -> the revision that it must be at.

        Raises Conflict when a stream is elsewhere (nothing of this batch is written), Fenced
        when another process has taken the log over, Unavailable when the database can't be
        reached and nothing was written.
        """
        ...
