"""Whom to tell, and when: the settings as the rules want them.

Promises: pure. Quiet hours and the digest's time are London's wall clock, so they stand where
people see them also when the clocks change; where an hour comes twice, it is quiet twice.
Invariant: whoever's exceptions they are, somebody is told: an owner who is not named is `*`.
Built by `actor.py`.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

__all__ = ["ANYBODY", "Plan"]

ANYBODY = "*"
"""Whoever has no name of their own in the settings."""
LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Of one merchant."""

    channels_of: Mapping[str, tuple[str, ...]]
    """By owner."""
    severities: tuple[str, ...]
    """The worst first."""
    least: str = "medium"
    """What is less severe is in the digest only."""
    gather: timedelta = timedelta(minutes=1)
    """So long is waited for more that goes into the same message."""
    pause: timedelta = timedelta(minutes=5)
    """Between two messages to one owner over one channel; what is critical does not wait."""
    escalate_at: tuple[float, ...] = ()
    """Shares of the time that is left, the largest first."""
    escalate_to: str = ""
    """An owner who is told too when a deadline is near."""
    quiet: tuple[time, time] | None = None
    breaks_quiet: tuple[str, ...] = ("critical",)
    digest_at: time | None = None

    def name_of(self, owner: str) -> str:
        """Under which name of the settings somebody is told."""
        return owner if owner in self.channels_of else ANYBODY

    def rank(self, severity: str) -> int:
        """0 is the worst; one that is not known is the least."""
        known = self.severities
        return known.index(severity) if severity in known else len(known)

    def is_told_at_once(self, severity: str) -> bool:
        return self.rank(severity) <= self.rank(self.least)

    def step(self, opened_at: datetime, deadline: datetime | None, now: datetime) -> int:
        """How many of the times for escalation have passed."""
        if deadline is None:
            return 0
        whole = max(deadline - opened_at, timedelta())
        return sum(now >= deadline - whole * share for share in self.escalate_at)

    def is_quiet(self, now: datetime) -> bool:
        if self.quiet is None:
            return False
        begins, ends = self.quiet
        at = now.astimezone(LONDON).time()
        return begins <= at < ends if begins <= ends else at >= begins or at < ends

    def digest_due(self, now: datetime) -> tuple[date, datetime] | None:
        """The newest digest whose time has come: (London's day, its moment)."""
        if self.digest_at is None:
            return None
        day = now.astimezone(LONDON).date()
        while (moment := _moment(day, self.digest_at)) > now:
            day -= DAY
        return day, moment


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LONDON).astimezone(UTC)
