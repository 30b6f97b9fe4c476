"""Orders, the shell of the count: asks both sides, and has the rules say what is missing.

Promises: the marketplace is asked first, then the ERP, so that an order posted meanwhile is no
gap; what intake had missed is recorded on the way; nothing is posted, and nothing is written
outside. It holds no rule: those stand in `count.py`.
Called by the orders room: daily, and on a person's word. Source: design 7; contract khaos b.4.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from kcjl.clock import Clock, next_time_of_day
from kcjl.fold import Table
from kcjl.johnlewis.port import MarketplacePort, OrdersUnreadable
from kcjl.khaos.port import ErpPort, ExportedOrder, OrderProgress, Stage
from kcjl.log.port import Recorded
from kcjl.money import Money
from kcjl.orders.count import Foreigner, Sides, decide_count, decide_doubts, needs_sales_order
from kcjl.orders.decide_posting import wants_work
from kcjl.orders.events_intake import OrderGapFound, OrdersCounted
from kcjl.orders.intake import Intake
from kcjl.orders.reading import OrderReading
from kcjl.orders.state import OrderEntry, Posting
from kcjl.settings import OrderSettings
from kcjl.vocabulary import Event

__all__ = ["OrderCount"]

DAILY = "daily"
ASKED_BY_ID_MAX = 1_000
"""Orders that the marketplace did not name and is asked for by id; the rest is said."""


class CountingRoom(Protocol):
    """What the count needs of its room."""

    clock: Clock
    orders: Table[OrderEntry]
    gaps: Table[OrderGapFound]
    told: Table[str]
    counts: Table[OrdersCounted]
    intake: Table[Intake]
    reading: OrderReading

    @property
    def writes_allowed(self) -> bool: ...

    async def catch_up(self) -> None: ...

    async def commit(
        self, events: Sequence[Event], *, by: str | None = None
    ) -> Sequence[Recorded]: ...

    async def record(self, *events: Event) -> Sequence[Recorded]: ...


class OrderCount:
    """Counts orders and sales orders against each other."""

    def __init__(
        self,
        room: CountingRoom,
        marketplace: MarketplacePort,
        erp: ErpPort,
        settings: OrderSettings,
    ) -> None:
        self._room = room
        self._marketplace = marketplace
        self._erp = erp
        self._settings = settings

    async def daily(self) -> float:
        """Count when it is time; seconds until the next time."""
        now, last = self._room.clock.now(), self._room.counts.get("count")
        intake = self._room.intake.get("intake")
        swept_at = intake.swept_at if intake is not None else None
        before = last.occurred_at if last is not None else swept_at or now
        if now >= next_time_of_day(before, self._settings.count_at):
            await self.count(by=DAILY)
            now = self._room.clock.now()
        due = next_time_of_day(now, self._settings.count_at)
        return max((due - now).total_seconds(), 1.0)

    async def count(self, *, by: str) -> OrdersCounted:
        """Count now."""
        room, began = self._room, self._room.clock.now()
        await room.catch_up()
        since = began - timedelta(days=self._settings.count_days)
        before = set(room.orders)
        there = await self._room.reading.everything(since, began)
        counted = [
            entry
            for order_id, entry in room.orders.items()
            if order_id in there or entry.updated_at >= since or wants_work(entry)
        ]
        silent = _silent(counted, there, since)
        gone = await self._gone_from_marketplace(silent[:ASKED_BY_ID_MAX])
        references = [entry.reference for entry in counted if needs_sales_order(entry)]
        statuses = await self._erp.order_statuses(references)
        in_erp = {status.external_ref for status in statuses}
        listed, strangers, foreign, unsourced = await self._strangers()
        await room.catch_up()
        for entry in counted:
            now_posted = room.orders[entry.order_id].posting == Posting.POSTED
            if now_posted and entry.posting != Posting.POSTED:
                in_erp.add(entry.reference)  # posted while we counted
        sides = Sides(
            since=since,
            began=began,
            at_marketplace=len(there),
            missed=len(there - before),
            entries=[room.orders[entry.order_id] for entry in counted],
            in_erp=frozenset(in_erp),
            listed=listed,
            foreign=foreign,
            unsourced=unsourced,
            strangers=(*strangers, *gone),
            told=self._told(counted),
            grace=timedelta(minutes=self._settings.count_grace_minutes),
            currency=counted[0].total_price.currency if counted else "GBP",
            by=by,
            not_asked=len(silent[ASKED_BY_ID_MAX:]),
        )
        if doubts := decide_doubts(sides):
            await room.record(*doubts)
        events = decide_count(sides, dict(room.gaps.items()), room.clock.now())
        await room.commit(events, by=None if by == DAILY else by)
        return room.counts["count"]

    def _told(self, counted: Sequence[OrderEntry]) -> frozenset[str]:
        """Subjects of which a person has been told; while writes are off, all that wait."""
        told = set(self._room.told.values())
        if not self._room.writes_allowed:
            told.update(each.order_id for each in counted if each.posting != Posting.POSTED)
        return frozenset(told)

    async def _gone_from_marketplace(self, silent: Sequence[OrderEntry]) -> list[Foreigner]:
        """Of the orders that it did not name, those that the marketplace has no more."""
        if not silent:
            return []
        try:
            found = await self._marketplace.orders_by_id([each.order_id for each in silent])
        except OrdersUnreadable as some:
            ids = {each.order_id for each in some.read}
            ids |= {each.order_id for each in some.unreadable}
        else:
            ids = {each.order_id for each in found}
        return [
            Foreigner(
                reference=entry.reference,
                erp_order_code=entry.erp_order_code,
                money=entry.total_price,
                order_id=entry.order_id,
            )
            for entry in silent
            if entry.order_id not in ids
        ]

    async def _strangers(self) -> tuple[int | None, list[Foreigner], int, int]:
        """(how many the ERP listed, those of ours without an order, foreign, unsourced)."""
        if not self._erp.capabilities.orders_in_progress:
            return None, [], 0, 0
        rows = await self._erp.orders_in_progress()
        await self._room.catch_up()
        known = {entry.reference.casefold() for entry in self._room.orders.values()}
        listed = {row.external_ref: row for row in rows if row.external_ref}
        stands = {row.external_ref for row in rows if row.stage is not Stage.CANCELLED}
        unknown = [each for each in listed if each in stands and each.casefold() not in known]
        if not unknown:
            return len(listed), [], 0, 0
        if not self._erp.capabilities.exported_orders:
            return len(listed), [], 0, len(unknown)
        told = {
            each.external_ref: each
            for each in await self._erp.exported_orders(external_refs=unknown)
        }
        ours = [ref for ref in unknown if ref in told and told[ref].of_our_source]
        unsourced = [ref for ref in unknown if ref not in told or _says_none(told[ref])]
        strangers = [_stranger(listed[ref], told[ref]) for ref in ours]
        foreign = len(unknown) - len(ours) - len(unsourced)
        return len(listed), strangers, foreign, len(unsourced)


def _silent(
    counted: Sequence[OrderEntry], there: set[str], since: datetime
) -> list[OrderEntry]:
    """Posted, and not named by the marketplace though it should be; the oldest first."""
    silent = [
        entry
        for entry in counted
        if entry.posting == Posting.POSTED
        and entry.order_id not in there
        and entry.updated_at >= since
    ]
    return sorted(silent, key=lambda entry: entry.updated_at)


def _says_none(order: ExportedOrder) -> bool:
    return order.of_our_source is None


def _stranger(row: OrderProgress, order: ExportedOrder) -> Foreigner:
    money = None if order.amount is None else Money.parse(order.amount, order.currency)
    return Foreigner(reference=row.external_ref, erp_order_code=row.erp_order_code, money=money)
