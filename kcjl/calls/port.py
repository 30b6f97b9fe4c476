"""The sync log as others see it: one record a call to either side, and what can be asked.

Promises: a record holds what was called, when, for how long, how much, and how it ended; no
body, no secret, no buyer. It is kept apart from the event log, and expires: nothing may be
decided on it. `outcome` is that of the call, also where a 2xx says no to the one thing that was
asked; what it says of many things is in the event log.
Invariant: times are aware UTC of the service's clock, durations are real ms.
Called by the adapters (through `SyncLog`), the CLI and the keepers.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.errors import KcjlError, OutcomeUnknown, RateLimited, Refused, Unavailable

__all__ = [
    "ROWS_MAX",
    "Asked",
    "CallKeeper",
    "CallOutcome",
    "CallQueries",
    "CallRecord",
    "Kept",
    "OperationSummary",
    "Side",
    "Surprise",
    "outcome_of",
]

ROWS_MAX = 10_000
"""More in one answer is a job for SQL."""


class Side(StrEnum):
    """Which system was called."""

    JOHNLEWIS = "johnlewis"
    KHAOS = "khaos"
    XERO = "xero"
    EMAIL = "email"
    WEBHOOK = "webhook"


class CallOutcome(StrEnum):
    """How a call ended."""

    DONE = "done"
    REFUSED = "refused"
    """They said no."""
    UNAVAILABLE = "unavailable"
    """Certainly not done, or an answer to a read that did not come or was not understood."""
    UNKNOWN = "unknown"
    """A write that may have been done."""
    RATE_LIMITED = "rate_limited"


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One call to one side."""

    side: Side
    operation: str
    subject: str = ""
    """What it was about: ids and counts, never a buyer."""
    page: int = 1
    """Which page of a list; 1 for a call without pages."""
    attempted_at: datetime
    took_ms: int
    bytes_sent: int = 0
    """Of the body."""
    bytes_received: int = 0
    """Of the body, unpacked, as far as it was read."""
    status: int | None = None
    """Of HTTP; None where no answer came."""
    outcome: CallOutcome
    reason_code: str = ""
    """Theirs for a refusal, else ours."""
    correlation_id: str = ""
    lost_before: int = 0
    """So many records before this one could not be kept."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A record, and its number in its merchant's sync log."""

    number: int
    call: CallRecord


class Surprise(msgspec.Struct, frozen=True, kw_only=True):
    """A field, or a field's word, that the marketplace sends and that we do not know."""

    operation: str
    field: str
    """Path of names, never a value."""
    kind: str
    """`field`, or `word` for an unknown value of a known field."""
    count: int
    first_seen_at: datetime
    last_seen_at: datetime


class OperationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One operation's calls."""

    side: Side
    operation: str
    calls: int
    errors: int
    """Calls that did not end as done."""
    took_ms_p50: int
    took_ms_p95: int
    bytes_sent: int
    bytes_received: int
    lost: int
    """Records that are missing among these calls, of whatever operation."""
    last_at: datetime


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are asked for; what is left empty is not asked about."""

    side: Side | None = None
    operation: str = ""
    outcome: CallOutcome | None = None
    since: datetime | None = None
    subject: str = ""
    """A part of the subject."""


class CallKeeper(Protocol):
    """Where records are kept; one merchant's."""

    async def keep(self, calls: Sequence[CallRecord], surprises: Sequence[Surprise]) -> None:
        """Keep them all or none. A surprise's count is added to what was counted before."""
        ...

    async def expire(self, before: datetime, *, rows_max: int) -> int:
        """Delete at most so many of the oldest from before then; how many that was."""
        ...


class CallQueries(Protocol):
    """What can be asked of one merchant's sync log."""

    async def newest(self, asked: Asked, rows_max: int) -> Sequence[Kept]:
        """The newest that match, in the order in which they were kept."""
        ...

    async def after(self, number: int, asked: Asked, rows_max: int) -> Sequence[Kept]:
        """The next that match behind a number, in the order in which they were kept."""
        ...

    async def summary(self, asked: Asked) -> Sequence[OperationSummary]:
        """By side and operation."""
        ...

    async def surprises(self) -> Sequence[Surprise]:
        """By operation and field."""
        ...


def outcome_of(error: BaseException, *, writes: bool) -> tuple[CallOutcome, str]:
    """(how a call ended that raised this, reason code)."""
    match error:
        case RateLimited():
            return CallOutcome.RATE_LIMITED, error.code
        case Refused():
            return CallOutcome.REFUSED, error.reason_code or error.code
        case Unavailable():
            return CallOutcome.UNAVAILABLE, error.code
        case OutcomeUnknown():
            return CallOutcome.UNKNOWN, error.code
        case _:
            cut = CallOutcome.UNKNOWN if writes else CallOutcome.UNAVAILABLE
            return cut, error.code if isinstance(error, KcjlError) else "CUT_OFF"
