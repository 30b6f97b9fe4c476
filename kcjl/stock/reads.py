"""When both sides were read, the fold: what a figure may rest on.

Promises: pure; one entry, `reads`. A gap of more than a day between two reads of stock is
remembered by its end: what fell in it fell by trade that nobody here has seen.
It decides nothing. Called by the stock room, `decide.py` and `freshness.py`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from kcjl.fold import Fold
from kcjl.orders.events import OrdersRead, SalesOrderVanished
from kcjl.orders.events_intake import OrderNotRead, OrderReadAgain
from kcjl.stock.events import StockRead, StockWatchLapsed, StockWatchResumed, stock_key
from kcjl.vocabulary import Event

__all__ = ["LONG_STOP", "READS", "Reads"]

LONG_STOP = timedelta(hours=24)
"""Stock that was not read for so long may have moved by trade alone."""


HEARD = (
    StockRead,
    StockWatchLapsed,
    StockWatchResumed,
    OrdersRead,
    SalesOrderVanished,
    OrderNotRead,
    OrderReadAgain,
)


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    """When both sides were last read."""

    stock_began_at: datetime | None = None
    stock_finished_at: datetime | None = None
    stock_cursor: datetime | None = None
    orders_began_at: datetime | None = None
    swept_at: datetime | None = None
    """When the last sweep ended: every level was read by then."""
    swept_to: str = ""
    """The stock key up to which the sweep under way has come; empty: none is."""
    vanished_at: datetime | None = None
    """The ERP had lost a sales order then: no level that was read before can be relied on."""
    unread: dict[str, tuple[str, ...]] = {}
    """Orders that can't be read, and the SKUs that they hold."""
    resumed_at: datetime | None = None
    """The first read after a long stop began then."""
    watch_lapsed: bool = False
    """More moves between two polls than the watch may ask for."""

    def may_hold(self, keys: Iterable[str]) -> bool:
        """Whether an order that can't be read holds one of these SKUs, given by key."""
        held = {stock_key(sku) for skus in self.unread.values() for sku in skus}
        return not held.isdisjoint(keys)


def _keys(event: Event) -> tuple[str, ...]:
    return ("reads",) if isinstance(event, HEARD) else ()


def _evolve(entry: Reads | None, event: Event, _key: str) -> Reads:
    reads = entry or Reads()
    match event:
        case StockRead():
            last = reads.stock_began_at
            resumed = last is not None and event.occurred_at - last >= LONG_STOP
            return msgspec.structs.replace(
                reads,
                stock_began_at=event.occurred_at,
                stock_finished_at=event.finished_at,
                stock_cursor=event.cursor,
                swept_at=event.occurred_at if event.swept else reads.swept_at,
                swept_to=event.swept_to,
                resumed_at=event.occurred_at if resumed else reads.resumed_at,
            )
        case OrdersRead():
            return msgspec.structs.replace(reads, orders_began_at=event.occurred_at)
        case OrderNotRead():
            return msgspec.structs.replace(
                reads, unread=reads.unread | {event.order_id: event.skus}
            )
        case OrderReadAgain():
            left = {key: skus for key, skus in reads.unread.items() if key != event.order_id}
            return msgspec.structs.replace(reads, unread=left)
        case SalesOrderVanished():
            return msgspec.structs.replace(reads, vanished_at=event.occurred_at)
        case StockWatchLapsed() | StockWatchResumed():
            lapsed = isinstance(event, StockWatchLapsed)
            return msgspec.structs.replace(reads, watch_lapsed=lapsed)
        case _:
            return reads


READS: Fold[Reads] = Fold(_keys, _evolve, Reads, hears=HEARD)
