"""All merchants of a database at a glance: how long each log is, and what is on the desk.

Promises: one statement, however many merchants there are; reads read models alone.
Called by `kcjl merchants list`.
"""

from collections.abc import Mapping

import msgspec

from kcjl.database import Database

__all__ = ["MerchantGlance", "read_glances"]

_GLANCES = """
select head.merchant, head.position,
    coalesce(
        sum(state.number) filter (where state.state in ('open', 'parked')), 0
    )::bigint as open
from log_head as head
left join projection_state as state
    on state.merchant = head.merchant and state.projection = 'exceptions'
group by head.merchant, head.position
"""


class MerchantGlance(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    """Of the last event in its log."""
    open: int
    """Exceptions that are open, or parked until later."""


async def read_glances(database: Database) -> Mapping[str, MerchantGlance]:
    """By merchant; one that has no log yet is not there."""
    return {
        row["merchant"]: MerchantGlance(position=row["position"], open=row["open"])
        for row in await database.fetch(_GLANCES)
    }
