"""The read model of the service's own health: who works, what is read, what goes wrong.

Promises: each row says how it stands in a word, since when, and by which events; a row that has
no past (a lease is only known as it is now) says so. It changes nothing.
Called by the monitor, through `ReadModels.health`. Source: design 10, tui brief 4.
"""

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from kcjl.readmodels import Freshness

__all__ = ["Fault", "HealthModels", "HealthReading", "HealthRow", "Series", "Standing"]

Standing = Literal["bad", "warn", "ok", "unknown"]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Counts or seconds in equal steps, oldest first."""

    name: str
    unit: str
    """Of a count, such as calls or s."""
    step: str
    """What one of them is of, such as 1 h or one read."""
    counts: tuple[int, ...]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went wrong, or was over."""

    position: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    subject: str
    said: str


class HealthRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is watched."""

    key: str
    group: str
    """room, feed, calls, lists, lease, clock, chain, disk, certificate, switch or job."""
    name: str
    standing: Standing
    said: str
    """How it stands, in words."""
    at: datetime | None
    """Its last sign of life, or since when it stands so."""
    series: tuple[Series, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()
    """The newest about it, newest first."""
    has_past: bool = True
    """False: known only as it is now."""


class HealthReading(msgspec.Struct, frozen=True, kw_only=True):
    """What needs somebody first, then group by group."""

    rows: tuple[HealthRow, ...]
    faults_total: int
    """Looked at: the newest, as many as these."""
    fresh: Freshness


class HealthModels(Protocol):
    """What can be asked. Errors: Unavailable while the database can't be reached."""

    async def reading(self) -> HealthReading: ...
