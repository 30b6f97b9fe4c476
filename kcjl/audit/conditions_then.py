"""The conditions under which recorded figures were worked out, from the log.

Promises: policy and day are those in force at the time; lag and staleness are taken from the
decision itself, since the log does not hold the settings that they come of.
Called by `what_if.py` and `shadow_stock.py`.
"""

from datetime import datetime

from kcjl.stock.available import Staleness
from kcjl.stock.conditions import Conditions, conditions_at
from kcjl.stock.policy_book import PolicyBook
from kcjl.stock.policy_rules import Rules
from kcjl.stock.publishing_state import Publishing
from kcjl.stock.reads import Reads

__all__ = ["conditions_then"]


def conditions_then(
    book: PolicyBook,
    publishing: Publishing,
    reads: Reads | None,
    at: datetime,
    *,
    lag_s: float,
    staleness: str | None = None,
    read_every_s: float = 0.0,
    known: Rules | None = None,
) -> Conditions | None:
    """None before the first policy. `staleness`: as recorded; None: as it stands in the log.

    `read_every_s`: levels were read no more often, so the lag is no less than that makes it.
    """
    found = conditions_at(book, publishing, reads, at, poll_s=read_every_s, known=known)
    if found is None:
        return None
    return Conditions(
        found.rules,
        day=found.day,
        lag_s=max(found.lag_s, lag_s) if read_every_s else lag_s,
        staleness=found.staleness
        if staleness is None
        else Staleness(staleness or Staleness.FRESH.value),
        stale_lag_s=found.stale_lag_s,
    )
