"""What people look at of orders: the list, and one order's life; for the monitor and the CLI.

Promises: nothing of a buyer is in any of it, only that there is one; a list that is cut says
how long it really is, a life that is cut says so. It changes nothing.
Called by the CLI and by the monitor's screens; answered by `projections/ordersview.py`.
"""

from datetime import datetime
from typing import Protocol

import msgspec

from kcjl.money import Money
from kcjl.readmodels import Freshness

__all__ = [
    "LifeEvent",
    "OrderLine",
    "OrderList",
    "OrderRow",
    "OrderStory",
    "OrdersReading",
]


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order in one line."""

    order_id: str
    standing: str
    marketplace_state: str
    deadline: datetime | None
    """Of the acceptance while it waits for that, else of the shipping."""
    late: bool
    total: Money
    skus: tuple[str, ...]
    placed_at: datetime
    reference: str
    erp_order_code: str
    held: str
    """Why it is held; empty: it is not."""
    rule: str
    policy_version: int


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    """The most urgent, then those that were placed last."""

    rows: tuple[OrderRow, ...]
    total: int
    """Orders there are; where some were looked for, those that were found."""
    open: int
    """Somebody or something is waited for."""
    found_in: str
    """What was looked for; empty: nothing."""
    searched: int
    """Waiting orders that were looked through, since it is in no id; 0: all ids were."""
    fresh: Freshness


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    line_id: str
    sku: str
    quantity: int
    price: Money
    state: str
    refunded: Money


class LifeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the tree of causes."""

    depth: int
    position: int
    type: str
    stream: str
    occurred_at: datetime
    recorded_at: datetime
    by: str
    correlation_id: str
    causation: int | None
    said: str


class OrderStory(msgspec.Struct, frozen=True, kw_only=True):
    """All about one order."""

    order_id: str
    standing: str
    marketplace_state: str
    deadline: datetime | None
    late: bool
    reference: str
    erp_order_code: str
    total: Money
    buyer: str
    """masked, or empty while none is known."""
    country: str
    held: str
    rule: str
    policy_version: int
    acceptance: str
    posting: str
    posting_attempts: int
    lines: tuple[OrderLine, ...]
    events: tuple[LifeEvent, ...]
    cut: bool


class OrdersReading(Protocol):
    """What can be asked of orders."""

    async def list(self, *, find: str = "", limit: int = 1_000) -> OrderList:
        """Those that wait, soonest deadline first; then the ended ones, newest first.

        `find`: a part of an order id, of any order there is; else of the orders that wait.
        """
        ...

    async def story(self, order_id: str) -> OrderStory | None: ...
