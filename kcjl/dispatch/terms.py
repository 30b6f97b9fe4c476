"""What a decision about a parcel rests on beside it: pauses, bounds, and the merchant's way.

Promises: pure. Trying again has growing pauses and an end; the end counts from the first
attempt, or from when the marketplace began to answer again.
Called by `decide.py`, `sending_on.py` and the shell; made out of the settings by the shell.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

__all__ = ["LAST_CALL", "Terms", "WithoutTracking"]

LAST_CALL = timedelta(hours=2)
"""So long before the time to ship by a parcel goes without its number, where it may."""
DOUBLINGS_MAX = 10

WithoutTracking = Literal["wait", "confirm", "raise"]
"""A parcel without a number: waits, and goes without it just before it is late; goes without
it when it has waited; waits for a person. Never without it where the marketplace demands it.
"""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """As the settings have it, and whether the marketplace answers."""

    tracking_wait: timedelta = timedelta(hours=4)
    without_tracking: WithoutTracking = "wait"
    tracking_forms: bool = True
    """Tracking numbers are held against the forms of their carrier."""
    retry_first: timedelta = timedelta(minutes=5)
    retry_max: timedelta = timedelta(hours=2)
    retry_for: timedelta = timedelta(hours=24)
    stopped: bool = False
    """The marketplace answers no confirmation now: nothing is given up meanwhile."""
    resumed_at: datetime | None = None
    """When it last began to answer again."""

    def may_try_at(self, attempts: int, tried_at: datetime) -> datetime:
        """When something may be tried again that was tried so often, last at that time."""
        doublings = min(max(attempts - 1, 0), DOUBLINGS_MAX)
        return tried_at + min(self.retry_first * (1 << doublings), self.retry_max)

    def tried_since(self, first_tried_at: datetime) -> datetime:
        """From when the time for trying again counts."""
        return max(first_tried_at, self.resumed_at or first_tried_at)

    def is_over(self, first_tried_at: datetime, now: datetime) -> bool:
        """The time for trying again is over."""
        return not self.stopped and now >= self.tried_since(first_tried_at) + self.retry_for
