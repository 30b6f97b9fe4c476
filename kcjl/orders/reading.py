"""Orders, the shell of reading: what was updated since the cursor, after an outage in bulk.

Promises: everything read is recorded before the cursor moves; an order that can't be read is
said, with what it holds, and asked for by its id with every read; one of which not even that is
known keeps the cursor where it is. An export that does not come costs nothing but time:
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
from kcjl.johnlewis.export_port import Export
from kcjl.johnlewis.port import MarketplacePort, Order, OrdersUnreadable
from kcjl.log.port import Recorded
from kcjl.orders.events import OrdersRead
from kcjl.orders.events_intake import (
    OrderNotRead,
    OrdersCaughtUp,
    OrdersExportAsked,
    OrdersNotExported,
)
from kcjl.orders.intake import EXPORT_KEY, Intake, decide_unread, plan_read
from kcjl.settings import OrderSettings
from kcjl.vocabulary import Event

__all__ = ["OrderReading"]

UNREAD_MAX = 100
"""More orders that can't be read are no odd ones: the form of all has changed."""
NOTHING_PUBLISHED = (
    "Which SKUs they hold can't be told, or they are too many: until they can be read no stock "
    "is published but what has run out, and orders are read again from the same place"
)


class ReadingRoom(Protocol):
    """What reading needs of its room."""

    clock: Clock
    intake: Table[Intake]
    exporting: Table[OrdersExportAsked]
    unread: Table[OrderNotRead]

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
            self._room.exporting.get(EXPORT_KEY),
            now=began,
            start_at=self._settings.start_at,
            overlap=self._overlap,
            catch_up_after=timedelta(hours=self._settings.catch_up_after_hours),
        )
        since = plan.since
        if plan.in_bulk and await self._caught_up(since, plan.until, kept=True) is not None:
            since, began = plan.until - self._overlap, self._room.clock.now()
        read = await self._updated_since(since)
        await self._ask_again(read)
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
        """Page by page. Raises OrdersUnreadable where what was not read can't be told apart."""
        try:
            orders = await self._marketplace.orders_updated_since(since)
        except OrdersUnreadable as some:
            return await self._taken_in_part(some)
        return await self._taken(orders)

    async def _ask_again(self, read: set[str]) -> None:
        """By id, for those that could not be read and were not among what came now."""
        left = [order_id for order_id in self._room.unread if order_id not in read]
        if not left:
            return
        try:
            orders = await self._marketplace.orders_by_id(left)
        except OrdersUnreadable as some:
            await self._taken_in_part(some)
        else:
            await self._taken(orders, gone=left)

    async def _taken(self, orders: Sequence[Order], *, gone: Sequence[str] = ()) -> set[str]:
        """The orders, all of them readable. `gone`: not shown any more, if not among them."""
        await self._room.take_in(orders)
        read = {order.order_id for order in orders}
        await self._say_unread(read | set(gone), ())
        return read

    async def _taken_in_part(self, some: OrdersUnreadable) -> set[str]:
        """What can be read is taken, and what can't is said, with what it holds.

        Raises OrdersUnreadable where that can't be told: then the cursor stays, and no figure
        but 0 is published, for it may hold anything.
        """
        await self._room.take_in(some.read)
        read = {order.order_id for order in some.read}
        now = self._room.clock.now()
        not_read = [
            OrderNotRead(
                order_id=each.order_id, skus=each.skus, message=each.message, occurred_at=now
            )
            for each in some.unreadable
            if each.order_id and each.skus is not None
        ]
        await self._say_unread(read, not_read)
        if len(not_read) < len(some.unreadable) or len(self._room.unread) > UNREAD_MAX:
            some.args = (f"{some.message}. {NOTHING_PUBLISHED}",)
            raise some
        return read | {each.order_id for each in not_read}

    async def _say_unread(self, read: set[str], not_read: Sequence[OrderNotRead]) -> None:
        known, now = dict(self._room.unread.items()), self._room.clock.now()
        await self._room.commit(decide_unread(known, read=read, not_read=not_read, now=now))

    async def _caught_up(
        self, since: datetime, began: datetime, *, kept: bool = False
    ) -> set[str] | None:
        """Everything from then until the beginning, by an export; None: none came.

        `kept`: it is remembered in the log, and a restart goes on with it.
        """
        read: set[str] = set()
        memory = _ExportKept(self._room, since, began) if kept else None
        exported = self._marketplace.orders_caught_up(since, began, memory=memory)
        try:
            async with aclosing(exported) as batches:
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


class _ExportKept:
    """The export of one span, as the log has it; what comes of the reading ends it there."""

    def __init__(self, room: ReadingRoom, since: datetime, until: datetime) -> None:
        self._room = room
        self._since = since
        self._until = until

    async def kept(self, name: str) -> Export | None:
        asked = self._room.exporting.get(EXPORT_KEY)
        if asked is None or asked.name != name:
            return None
        return Export(
            operation=asked.operation,
            tracking_id=asked.tracking_id,
            asked_at=asked.occurred_at,
        )

    async def keep(self, name: str, export: Export) -> None:
        asked = OrdersExportAsked(
            since=self._since,
            until=self._until,
            name=name,
            operation=export.operation,
            tracking_id=export.tracking_id,
            occurred_at=export.asked_at,
        )
        await self._room.commit((asked,))

    async def forget(self, name: str) -> None:
        pass
