"""Sweeps, the rule: which products a poll reads whether they have moved or not.

Promises: pure; every level is read again within `every`, so that an ERP that was set back to a
backup, which changes everything and says so of nothing, is found out. A large catalogue goes in
parts, one a poll: no poll waits for all of it. All at once goes what can't wait: the first
sweep, one after the ERP has lost a sales order, one after a long stop.
Called by `reading.py`. Source: design 6.
"""

import math
from collections.abc import Collection
from datetime import datetime, timedelta
from heapq import nsmallest

import msgspec

from kcjl.stock.reads import Reads

__all__ = ["SWEPT_TOGETHER", "SweepPart", "sweep_part"]

SWEPT_TOGETHER = 1_000
"""Products at least of one part: a smaller catalogue is swept by one poll."""


class SweepPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one poll sweeps."""

    keys: tuple[str, ...]
    """Of products."""
    is_last: bool

    @property
    def swept_to(self) -> str:
        """Where the next part begins, after this key; empty when there is none."""
        return "" if self.is_last else self.keys[-1]


def sweep_part(
    reads: Reads | None,
    products: Collection[str],
    *,
    every: timedelta,
    poll: timedelta,
    now: datetime,
) -> SweepPart | None:
    """What this poll is to sweep of all `products`, by key; None: nothing is due."""
    together = max(SWEPT_TOGETHER, math.ceil(len(products) * (poll / every)))
    polls = math.ceil(len(products) / together)
    whole = SweepPart(keys=tuple(products), is_last=True)
    if reads is None or reads.swept_at is None or _is_urgent(reads, every, now):
        return whole
    # It begins so early that its last part is read when it is due.
    due_at = reads.swept_at + every - max(polls - 1, 0) * poll
    if not reads.swept_to and now < due_at:
        return None
    if polls <= 1:
        return whole
    keys = nsmallest(together + 1, (key for key in products if key > reads.swept_to))
    return SweepPart(keys=tuple(keys[:together]), is_last=len(keys) <= together)


def _is_urgent(reads: Reads, every: timedelta, now: datetime) -> bool:
    if reads.swept_at is None or now - reads.swept_at >= 2 * every:
        return True
    return reads.vanished_at is not None and reads.swept_at <= reads.vanished_at
