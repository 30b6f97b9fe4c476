"""How true an answer is: where the log ends, and when that was recorded.

Called by every view of the read models.
"""

from datetime import datetime

from kcjl.database import Database
from kcjl.readmodels import Freshness

__all__ = ["fresh"]


async def fresh(database: Database, merchant: str, now: datetime) -> Freshness:
    """As of the log's head. `now`: the time of whoever asks."""
    row = await database.fetchrow(
        """
        select h.position, e.recorded_at from log_head h
        left join event e on e.merchant = h.merchant and e.position = h.position
        where h.merchant = $1
        """,
        merchant,
    )
    return Freshness(
        position=row["position"] if row else 0,
        recorded_at=row["recorded_at"] if row else None,
        now=now,
    )
