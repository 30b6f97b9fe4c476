"""How fresh the ERP's levels are, the rules: soft and hard staleness, and their end.

Promises: pure; the feed is as old as the beginning of the last read of stock that came to its
end; each change of grade is one event. A feed that was never read has no figures to be stale.
Called by the stock actor's timer; `Circumstances` is handed to `available_to_sell`.
"""

from datetime import datetime, timedelta

import msgspec

from kcjl.stock.events import StockFeedFresh, StockFeedStale
from kcjl.stock.publishing_state import Publishing
from kcjl.stock.reads import Reads
from kcjl.vocabulary import Event

__all__ = ["HARD", "SOFT", "StaleLimits", "decide_freshness", "next_look_s"]

SOFT = "soft"
HARD = "hard"
LOOK_S_MAX = 300.0


class StaleLimits(msgspec.Struct, frozen=True, kw_only=True):
    soft_s: float
    hard_s: float


def decide_freshness(
    publishing: Publishing | None, reads: Reads | None, limits: StaleLimits, now: datetime
) -> tuple[Event, ...]:
    """A change of grade, when there is one."""
    if reads is None or reads.stock_began_at is None:
        return ()
    known = publishing.stale if publishing else ""
    age_s = (now - reads.stock_began_at).total_seconds()
    grade = HARD if age_s >= limits.hard_s else SOFT if age_s >= limits.soft_s else ""
    if grade == known:
        return ()
    if not grade:
        return (StockFeedFresh(read_at=reads.stock_began_at, occurred_at=now),)
    return (StockFeedStale(grade=grade, read_at=reads.stock_began_at, occurred_at=now),)


def next_look_s(reads: Reads | None, limits: StaleLimits, now: datetime) -> float:
    """Seconds until the grade may change by time alone."""
    if reads is None or reads.stock_began_at is None:
        return LOOK_S_MAX
    ends = [
        reads.stock_began_at + timedelta(seconds=limit_s)
        for limit_s in (limits.soft_s, limits.hard_s)
    ]
    ahead = [(end - now).total_seconds() for end in ends if end > now]
    return min([*ahead, LOOK_S_MAX])
