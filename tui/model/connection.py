"""Whether the source answers: since when not, why, and when it is asked again.

Promises: the wait doubles with each failure up to half a minute, or is as long as the source
asked for; it is counted in ticks, so that a frozen clock freezes it too. It waits for nothing
itself. Invariant: `lost_since` is set exactly while the last answer was a failure.
Called by the app; drawn as the banner.
"""

import math
from datetime import datetime

import msgspec

from tui.model.moments import Zone, clock_text, zone_name
from tui.model.plain import plain

__all__ = ["RETRY_S_MAX", "Connection"]

RETRY_S_MAX = 30.0
"""A source that has come back is seen within this time, without a storm of calls."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the source's health."""

    tick_s: float
    """Real seconds between two ticks."""
    answered: bool = False
    """It has answered at least once."""
    lost_since: datetime | None = None
    """World time of the first failure after the last good answer."""
    cause: str = ""
    failures: int = 0
    ticks_to_retry: int = 0

    @property
    def lost(self) -> bool:
        return self.lost_since is not None

    @property
    def due(self) -> bool:
        """It may be asked now."""
        return self.ticks_to_retry == 0

    def after_tick(self) -> "Connection":
        return msgspec.structs.replace(self, ticks_to_retry=max(0, self.ticks_to_retry - 1))

    def after_answer(self) -> "Connection":
        return Connection(tick_s=self.tick_s, answered=True)

    def after_failure(
        self, *, at: datetime, cause: str, retry_after_s: float | None = None
    ) -> "Connection":
        wait_s = min(self.tick_s * 2.0 ** min(self.failures, 16), RETRY_S_MAX)
        wait_s = max(wait_s, retry_after_s or 0.0)
        return msgspec.structs.replace(
            self,
            lost_since=self.lost_since or at,
            cause=plain(cause),
            failures=self.failures + 1,
            ticks_to_retry=max(1, math.ceil(wait_s / self.tick_s)),
        )

    def banner(self, *, zone: Zone, now: datetime, paused: bool) -> str:
        """One line for the banner; empty while all is well."""
        if self.lost_since is None:
            return ""
        since = f"{clock_text(self.lost_since, zone, now)} {zone_name(now, zone)}"
        retry = "no retry while paused" if paused else self._retry_text()
        return f"✖ DISCONNECTED since {since} · {retry} · {self.cause}"

    def _retry_text(self) -> str:
        if self.due:
            return "trying again now"
        return f"next try in {math.ceil(self.ticks_to_retry * self.tick_s)}s"
