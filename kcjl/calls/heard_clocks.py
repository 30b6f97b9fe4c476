"""How far the clocks of the two sides are from this machine's, by the dates of their answers.

Promises: an answer's Date is held against the machine's time when it came (a sandbox world has
its own, which answers do not carry); the last of each side is kept. One that can't be read
counts for nothing. It is as exact as a call is short, and a second.
Called by `SyncLog`, which hears every answer, and by the service's watch.
"""

import email.utils
from datetime import UTC, datetime

from kcjl.calls.port import Side

__all__ = ["HeardClocks"]


class HeardClocks:
    def __init__(self) -> None:
        self._ahead_s: dict[Side, float] = {}

    def hear(self, side: Side, told: str, now: datetime) -> None:
        """`told`: the header of an answer that came now."""
        try:
            there = email.utils.parsedate_to_datetime(told)
        except (ValueError, TypeError):
            return
        there = there if there.tzinfo is not None else there.replace(tzinfo=UTC)
        self._ahead_s[side] = (there - now).total_seconds()

    def ahead_s(self, side: Side) -> float | None:
        """Seconds that the side's clock is ahead; None: it has not told."""
        return self._ahead_s.get(side)
