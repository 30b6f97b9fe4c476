"""The kinds of exceptions, all of them, by name.

Promises: every kind that `decide.py` raises is here, with its severity, lane, default owner,
what clears it, what is typed to mend it, whether it can be tried again or accepted, and its
page in the manual. Called by `decide.py`, the desk's words and whoever shows exceptions.
"""

from kcjl.exceptions.dispatch_kinds import DISPATCH_KINDS
from kcjl.exceptions.kind import Kind, LaneName
from kcjl.exceptions.money_kinds import MONEY_KINDS
from kcjl.exceptions.order_kinds import ORDER_KINDS
from kcjl.exceptions.service_kinds import SERVICE_KINDS
from kcjl.exceptions.stock_kinds import STOCK_KINDS

__all__ = ["KINDS", "kinds_of_lane", "lane_of"]

KINDS: dict[str, Kind] = {
    each.name: each
    for each in (*STOCK_KINDS, *ORDER_KINDS, *DISPATCH_KINDS, *MONEY_KINDS, *SERVICE_KINDS)
}


def lane_of(kind: str) -> LaneName:
    """Whose list a kind is on; one that this version does not know is the service's."""
    known = KINDS.get(kind)
    return "Service" if known is None else known.lane


def kinds_of_lane(lane: str) -> tuple[str, ...]:
    return tuple(name for name, kind in KINDS.items() if kind.lane == lane)
