"""Shipments in the ERP, the shell: open sales orders are looked at in parts, round by round.

Promises: a read that fails says nothing and moves nothing; those that are done are looked for
too, more seldom, while a backup may lack them or a number may still come. It holds no rule.
Called by the dispatch room. Source: design 8; khaos b.5.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from kcjl.dispatch.carrier_map import decide_seen
from kcjl.dispatch.consignments import dealt_into_parcels
from kcjl.dispatch.couriers import Couriers
from kcjl.dispatch.decide import decide_parcels
from kcjl.dispatch.events import ParcelItem, ParcelShipped, ShipmentsRead
from kcjl.dispatch.matching import is_open
from kcjl.dispatch.room import DispatchRoom
from kcjl.dispatch.state import Dispatch
from kcjl.dispatch.vanished import decide_kept, decide_not_shown
from kcjl.dispatch.watching import staged
from kcjl.khaos.port import ErpPort, OrderStatus
from kcjl.khaos.port import Parcel as ErpParcel
from kcjl.settings import DispatchSettings
from kcjl.vocabulary import Event

__all__ = ["ShipmentReading"]

CLOSED_EVERY = timedelta(hours=1)
"""How often those that are done are asked for, while a backup may lack them."""
READ_MAX = 500
"""References asked for in one read, in chunks; the rest follows in the next."""


class ShipmentReading:
    """The rounds over one merchant's sales orders."""

    def __init__(
        self, room: DispatchRoom, couriers: Couriers, erp: ErpPort, settings: DispatchSettings
    ) -> None:
        self._room = room
        self._couriers = couriers
        self._erp = erp
        self._backup_age = timedelta(hours=settings.backup_hours)
        self._late_tracking = timedelta(days=settings.late_tracking_days)
        self._asked_last = ""
        self._asks_closed = False
        """Whether this round of reads is one that asks for those that are done, too."""
        self._closed_asked_at: datetime | None = None
        self._seen_at: dict[str, datetime] = {}
        """By reference, when the ERP last showed it: to be named where it is lost."""

    async def read(self) -> float | None:
        """One part of a round; 0 when more of it follows, None after its last one."""
        began = self._room.clock.now()
        if not self._asked_last:
            await self._begin_round(began)
        open_ones = {
            entry.reference: entry
            for _, entry in self._room.dispatches.watched()
            if not entry.vanished and (self._asks_closed or is_open(entry))
        }
        references = sorted(open_ones)
        later = [each for each in references if each > self._asked_last]
        asked = later[:READ_MAX]
        told = await self._erp.order_statuses(asked) if asked else ()
        statuses = [each for each in told if _is_ours(open_ones, each)]
        events: list[Event] = []
        for status in statuses:
            entry = open_ones.get(status.external_ref)
            if entry is not None:
                current = self._room.dispatches.get(entry.order_id) or entry
                events.extend(self._shown(current, status, began))
        events.extend(self._not_shown(open_ones, asked, statuses, began))
        events.append(ShipmentsRead(asked=len(asked), found=len(statuses), occurred_at=began))
        await self._room.commit(events)
        rest = len(later) > len(asked)
        self._asked_last = asked[-1] if rest else ""
        return 0.0 if rest else None

    async def _begin_round(self, now: datetime) -> None:
        last = self._closed_asked_at
        self._asks_closed = last is None or now - last >= CLOSED_EVERY
        watched = self._room.dispatches.watched()
        self._seen_at = {
            entry.reference: seen
            for _, entry in watched
            if (seen := self._seen_at.get(entry.reference)) is not None
        }
        if self._asks_closed:
            self._closed_asked_at = now
            done = [entry for _, entry in watched if not is_open(entry)]
            kept = decide_kept(
                done, backup_age=self._backup_age, late_tracking=self._late_tracking, now=now
            )
            await self._room.commit(kept)

    def _shown(self, entry: Dispatch, status: OrderStatus, began: datetime) -> list[Event]:
        carriers = self._couriers.known
        shipped = [
            part
            for seen in _shipped(entry, status, began)
            for part in dealt_into_parcels(entry, seen, by_shipment=carriers.multi_shipment)
        ]
        cancelled = status.cancel_reason if status.cancelled else None
        boxes = [
            (parcel.courier_name, parcel.courier_code)
            for invoice in status.invoices
            for parcel in invoice.parcels
            if not parcel.shipped and not status.cancelled
        ]
        return [
            *decide_parcels(entry, shipped, cancelled=cancelled, now=began),
            *staged(self._room.timings.get(entry.order_id), status, began),
            *decide_seen(entry, boxes, carriers, self._couriers.nearest, began),
        ]

    def _not_shown(
        self,
        open_ones: Mapping[str, Dispatch],
        asked: Sequence[str],
        statuses: Sequence[OrderStatus],
        began: datetime,
    ) -> list[Event]:
        """Which of those that were asked for a whole answer leaves out."""
        shown = {status.external_ref for status in statuses}
        self._seen_at.update(dict.fromkeys(shown & open_ones.keys(), began))
        events: list[Event] = []
        for reference in asked:
            if reference not in shown:
                known = open_ones[reference]
                entry = self._room.dispatches.get(known.order_id) or known
                seen_at = self._seen_at.get(reference)
                events.extend(decide_not_shown(entry, last_seen_at=seen_at, now=began))
        return events


def _is_ours(open_ones: Mapping[str, Dispatch], status: OrderStatus) -> bool:
    """False: another customer's, under another number: ours is not there, and this one has its
    reference now.
    """
    entry = open_ones.get(status.external_ref)
    if entry is None or status.of_our_customer is not False:
        return True
    return status.erp_order_code == entry.erp_order_code


def _shipped(entry: Dispatch, status: OrderStatus, began: datetime) -> list[ParcelShipped]:
    """The shipped parcels of a sales order; a part of a unit counts whole, and so is raised."""
    return [
        ParcelShipped(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            reference=status.external_ref,
            erp_complete=status.complete,
            courier_name=parcel.courier_name,
            courier_code=parcel.courier_code,
            tracking_number=parcel.tracking_number,
            shipped_on=parcel.shipped_on,
            items=_items(parcel),
            deadline=entry.deadline,
            more_tracking_numbers=parcel.more_tracking_numbers,
            occurred_at=began,
        )
        for invoice in status.invoices
        for parcel in invoice.parcels
        if parcel.shipped
    ]


def _items(parcel: ErpParcel) -> tuple[ParcelItem, ...]:
    """What is in the parcel: by order line where the ERP names lines, else by stock code."""
    if parcel.line_refs:
        return tuple(
            ParcelItem(stock_code=code, quantity=math.ceil(units), line_id=line_id)
            for line_id, code, units in parcel.line_refs
        )
    return tuple(
        ParcelItem(stock_code=code, quantity=math.ceil(units)) for code, units in parcel.items
    )
