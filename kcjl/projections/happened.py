"""What had happened by a moment, whenever we learnt of it: beside what was known then.

Promises: the fold of all events of one order or payout that were true at that moment, by the
first clock (`occurred_at`), in order of the log, also of those recorded long after. As of a
position (asofdatabase.py) says what was known; the difference is what came to be known since.
Invariant: with a moment in the far future it is the live row.
Called by whoever shows an order or a payout by both clocks.
"""

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from kcjl.dispatch.events import SalesOrdersKept
from kcjl.errors import Misuse
from kcjl.log.port import LogQueries, Recorded, Selection
from kcjl.projections.projection import Projection

__all__ = ["SHARED", "STREAMS", "Happened", "happened_by"]

S = TypeVar("S")

STREAMS = {
    "orders": ("order-{}", "dispatch-{}"),
    "dispatch": ("order-{}", "dispatch-{}"),
    "timings": ("order-{}", "dispatch-{}", "deadline-{}"),
    "payouts": ("payout-{}",),
}
"""Where the events that touch a row of these are, by its key."""
SHARED = {"dispatch": (Selection(stream="dispatch-reads", types=(SalesOrdersKept.__name__,)),)}
"""And those that touch many rows at once."""


class Happened(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """A row by the first clock."""

    entry: S | None
    """None: nothing of it had happened."""
    learnt: int
    """The position by which all of it was known; 0 where there is nothing."""


async def happened_by(
    log: LogQueries, projection: Projection[S], key: str, moment: datetime
) -> Happened[S]:
    """Raises Misuse for a read model whose rows are not one order's or one payout's."""
    streams = STREAMS.get(projection.name)
    if streams is None:
        raise Misuse(
            f"what had happened is told of one row of {', '.join(STREAMS)}, not of "
            f"{projection.name}"
        )
    asked = [Selection(stream=stream.format(key)) for stream in streams]
    found: list[Recorded] = []
    for selection in (*asked, *SHARED.get(projection.name, ())):
        async for page in log.select(selection):
            found += [
                each
                for each in page
                if each.event.occurred_at <= moment
                and key in {touched for touched, _ in projection.touches([each.event])}
            ]
    found.sort(key=lambda each: each.position)
    entries: dict[str, S | None] = {}
    projection.fold([(key, each.event) for each in found], entries)
    learnt = found[-1].position if found else 0
    return Happened(entry=entries.get(key), learnt=learnt)
