"""Orders, the shell of reading: what was updated since the cursor, after an outage in bulk.

Promises: everything read is recorded before the cursor moves; an order that can't be read is
said and keeps the cursor where it is. An export that does not come costs nothing but time:
the orders are read page by page. It holds no rule: those stand in `intake.py`.
Invariant: after an export the orders are read by update date from where it began.
Called by the orders room. Source: contract johnlewis b.3.
"""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Protocol

from kcjl.clock import Clock
from kcjl.errors import ProtocolSurprise, Refused, Unavailable
from kcjl.fold import Table
from kcjl.johnlewis.port import MarketplacePort, Order, OrdersUnreadable
from kcjl.log.port import Recorded
from kcjl.orders.events import OrdersRead
from kcjl.orders.events_intake import OrdersCaughtUp, OrdersNotExported
from kcjl.orders.intake import Intake, plan_read
from kcjl.settings import OrderSettings
from kcjl.vocabulary import Event

__all__ = ["OrderReading"]


class ReadingRoom(Protocol):
    """What reading needs of its room."""

    clock: Clock
    intake: Table[Intake]

    async def commit(
        self, events: Sequence[Event], *, by: str | None = None
    ) -> Sequence[Recorded]: ...

    async def take_in(self, orders: Sequence[Order]) -> None: ...


class OrderReading:
    """Reads orders of the marketplace into the room."""

    def __init__(
        self, room: ReadingRoom, marketplace: MarketplacePort, settings: OrderSettings
    ) -> None:
        self._room = room
        self._marketplace = marketplace
        self._settings = settings
        self._overlap = timedelta(seconds=settings.overlap_s)

    async def read(self) -> None:
        """Read what was updated since the cursor, record what is new, move the cursor."""
        began = self._room.clock.now()
        plan = plan_read(
            self._room.intake.get("intake"),
            now=began,
            start_at=self._settings.start_at,
            overlap=self._overlap,
            catch_up_after=timedelta(hours=self._settings.catch_up_after_hours),
        )
        since = plan.since
        if plan.in_bulk and await self._caught_up(since, began) is not None:
            since, began = began - self._overlap, self._room.clock.now()
        read = await self._updated_since(since)
        await self._room.commit(
            (OrdersRead(cursor=began, read=len(read), swept=plan.swept, occurred_at=began),)
        )

    async def everything(self, since: datetime, until: datetime) -> set[str]:
        """The ids of all orders updated since then, each recorded; in bulk where that is on."""
        exported = await self._caught_up(since, until)
        if exported is None:
            return await self._updated_since(since)
        return exported | await self._updated_since(until - self._overlap)

    async def _updated_since(self, since: datetime) -> set[str]:
        """Page by page. Raises OrdersUnreadable when the others have been taken."""
        try:
            orders = await self._marketplace.orders_updated_since(since)
        except OrdersUnreadable as some:
            await self._room.take_in(some.read)
            raise  # said to people; the cursor stays before those that could not be read
        await self._room.take_in(orders)
        return {order.order_id for order in orders}

    async def _caught_up(self, since: datetime, began: datetime) -> set[str] | None:
        """Everything from then until the beginning, by an export; None: none came."""
        read: set[str] = set()
        try:
            async with aclosing(self._marketplace.orders_caught_up(since, began)) as batches:
                async for batch in batches:
                    await self._room.take_in(batch)
                    read.update(order.order_id for order in batch)
        except (Refused, Unavailable, ProtocolSurprise) as why:
            # No export for this tenant, or none that can be read: pages do it, if slower.
            await self._room.commit(
                (OrdersNotExported(since=since, message=why.message[:500], occurred_at=began),)
            )
            return None
        caught_up = OrdersCaughtUp(since=since, until=began, read=len(read), occurred_at=began)
        await self._room.commit((caught_up,))
        return read
