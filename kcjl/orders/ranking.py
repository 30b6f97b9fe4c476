"""In which order orders are worked off: the one that is soonest too late first.

Promises: while an outside system is slow, an order that comes in between is taken in its turn,
after a few others at most, and not after all that were waiting; each order is worked on once a
round. It decides nothing about an order.
Called by the jobs of the orders room. Source: design 7.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from kcjl.fold import Table
from kcjl.orders.decide import deadline_of
from kcjl.orders.state import OrderEntry

__all__ = ["RANKED_AGAIN_AFTER", "by_deadline"]

RANKED_AGAIN_AFTER = 10
"""Orders worked off before the rest is ranked again: ranking ten thousand takes as long as a
hundredth of the calls that it puts in order.
"""


class RankedRoom(Protocol):
    """What ranking needs of its room."""

    orders: Table[OrderEntry]
    applied: int


def by_deadline(room: RankedRoom, is_due: Callable[[str], bool]) -> Iterator[str]:
    """One round over the orders with work due: their ids, the next one when it is asked for."""
    done: set[str] = set()
    while True:
        ranked_at, worked = room.applied, 0
        waiting = sorted(room.orders.watched(), key=lambda each: deadline_of(each[1]))
        for order_id, _ in waiting:
            if order_id in done or not is_due(order_id):
                continue
            done.add(order_id)
            yield order_id
            worked += 1
            if worked >= RANKED_AGAIN_AFTER and room.applied != ranked_at:
                break
        else:
            return
