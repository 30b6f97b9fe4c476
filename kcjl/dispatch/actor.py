"""Dispatch, the shell: sees shipped parcels in the ERP, confirms them at the marketplace.

Promises: every confirmation is an intention, then an outcome; an open outcome is looked up
among the marketplace's shipments before anything is sent again. It holds no rule.
Called by `service.py`. Source: design 8; contract khaos b.5, johnlewis b.3, b.4, d.5.
Over 400 lines, because all steps of one parcel are one actor.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.actors import Job, Room
from kcjl.calls.correlation import correlated
from kcjl.clock import Clock, Ids
from kcjl.dispatch.calendar_settings import deadline_rules, metric_rules
from kcjl.dispatch.deadlines import COUNTED
from kcjl.dispatch.decide import (
    decide_awaited_no_more,
    decide_confirmation,
    decide_map,
    decide_parcels,
    decide_shipped_there,
    is_open,
    settle_open,
)
from kcjl.dispatch.events import (
    CarrierMapped,
    CarriersRead,
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmationUnknown,
    ConfirmedLine,
    ParcelConfirmed,
    ParcelItem,
    ParcelShipped,
    ShipmentsRead,
)
from kcjl.dispatch.measuring import DispatchMarketplace, SellerMetrics, day_of
from kcjl.dispatch.metrics import METRICS_JUDGED, METRICS_READ
from kcjl.dispatch.state import CARRIERS, DISPATCHES, Carriers, Dispatch, Parcel, ParcelState
from kcjl.dispatch.timekeeping import TIMINGS
from kcjl.dispatch.timing import is_waiting
from kcjl.dispatch.vanished import decide_kept, decide_not_shown, is_looked_for
from kcjl.dispatch.watching import DeadlineWatch
from kcjl.errors import NotFound, OutcomeUnknown, Refused
from kcjl.exceptions.events import WritesSwitched
from kcjl.johnlewis.port import OrderState, ShipmentRequest, Tracking
from kcjl.khaos.port import ErpPort, OrderStatus
from kcjl.khaos.port import Parcel as ErpParcel
from kcjl.log.port import Log
from kcjl.orders.events import OrderChanged
from kcjl.settings import DispatchSettings
from kcjl.tenant.events import TenantRead
from kcjl.vocabulary import Event

__all__ = ["Dispatches"]

CARRIERS_EVERY = timedelta(days=1)
TENANT_LATE = timedelta(hours=1)
"""Where the tenant is read by its own room, it is waited for so long before we read."""
CLOSED_EVERY = timedelta(hours=1)
"""How often those that are done are asked for, while a backup may lack them."""
LOOK_HOLDS = timedelta(minutes=1)
"""So long after a look at the marketplace's shipments a parcel may be sent again."""
READ_MAX = 500
"""References asked for in one read, in chunks; the rest follows in the next."""
SHIPPED_THERE = (
    OrderState.SHIPPED,
    OrderState.TO_COLLECT,
    OrderState.RECEIVED,
    OrderState.CLOSED,
)


class Dispatches(Room):
    """The dispatch actor."""

    name = "dispatch"

    def __init__(
        self,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        marketplace: DispatchMarketplace,
        erp: ErpPort,
        settings: DispatchSettings,
        opening_carriers: Mapping[str, str],
    ) -> None:
        super().__init__(log, clock, ids)
        self._marketplace = marketplace
        self._erp = erp
        self._opening_carriers = dict(opening_carriers)
        self._tracking_wait = timedelta(hours=settings.tracking_wait_hours)
        self._backup_age = timedelta(hours=settings.backup_hours)
        self._asked_last = ""
        self._asks_closed = False
        """Whether this round of reads is one that asks for those that are done, too."""
        self._closed_asked_at: datetime | None = None
        self._seen_at: dict[str, datetime] = {}
        """By reference, when the ERP last showed it: to be named where it is lost."""
        self.dispatches = self.table(DISPATCHES, watch=is_looked_for)
        self.carriers = self.table(CARRIERS)
        self.timings = self.table(TIMINGS, watch=is_waiting, group=day_of)
        self.counted = self.table(COUNTED)
        self.metrics_read = self.table(METRICS_READ)
        self.metrics_judged = self.table(METRICS_JUDGED)
        self._watch = DeadlineWatch(self, deadline_rules(settings.deadlines))
        metrics = SellerMetrics(self, marketplace, metric_rules(settings.metrics))
        poll = timedelta(seconds=settings.poll_s)
        wakes = (
            ParcelShipped,
            CarrierMapped,
            CarriersRead,
            TenantRead,
            OrderChanged,
            WritesSwitched,
        )
        self.jobs = (
            Job("carriers", self._read_carriers, every=CARRIERS_EVERY, wakes_on=(TenantRead,)),
            Job("shipments", self._read_shipments, every=poll),
            Job("confirm", self._confirm, every=poll, wakes_on=wakes),
            self._watch.job,
            *metrics.jobs,
        )

    async def map_courier(self, courier: str, carrier_code: str, *, by: str) -> None:
        """The operator's command; raises Refused for a code that the marketplace lacks."""
        carriers = self.carriers.get("carriers") or Carriers()
        listed = [code for code, _ in carriers.codes]
        if not listed:
            raise Refused("the marketplace's carriers are not known yet: try again in a minute")
        if carrier_code not in listed:
            raise Refused(
                f"{carrier_code!r} is no carrier code of the marketplace: it has "
                + ", ".join(listed)
            )
        now = self.clock.now()
        await self.commit(
            decide_map(carriers, courier=courier, carrier_code=carrier_code, now=now), by=by
        )

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    async def _read_carriers(self) -> float | None:
        """Once a day, also across restarts and when the tenant's room has read them: SH21 and
        PC01 are once-a-day calls.
        """
        known = self.carriers.get("carriers")
        now = self.clock.now()
        if known is not None and known.read_at is not None:
            late = TENANT_LATE if known.read_with_tenant else timedelta()
            due = known.read_at + CARRIERS_EVERY + late
            if now < due:
                await self._open_policy()
                return (due - now).total_seconds()
        carriers = await self._marketplace.carriers()
        platform = await self._marketplace.platform()
        await self.commit(
            (
                CarriersRead(
                    carriers=tuple((each.code, each.label) for each in carriers),
                    multi_shipment=platform.multi_shipment,
                    occurred_at=now,
                ),
            )
        )
        await self._open_policy()
        return None

    async def _open_policy(self) -> None:
        """The opening map, in a log that has none; one wrong code keeps no other one out."""
        carriers = self.carriers.get("carriers")
        if carriers is not None and carriers.version > 0:
            return
        wrong: Refused | None = None
        for courier, code in sorted(self._opening_carriers.items()):
            try:
                await self.map_courier(courier, code, by="opening policy")
            except Refused as refusal:
                wrong = refusal
        if wrong is not None:
            raise wrong

    async def _read_shipments(self) -> float | None:
        """Look at the open sales orders in the ERP: in parts, then a pause after each round.

        Those that are done are looked for too, more seldom, while a backup may lack them.
        """
        began = self.clock.now()
        if not self._asked_last:
            await self._begin_round(began)
        open_ones = {
            entry.reference: entry
            for _, entry in self.dispatches.watched()
            if not entry.vanished and (self._asks_closed or is_open(entry))
        }
        references = sorted(open_ones)
        later = [each for each in references if each > self._asked_last]
        asked = later[:READ_MAX]
        statuses = await self._erp.order_statuses(asked) if asked else ()
        events: list[Event] = []
        for status in statuses:
            entry = open_ones.get(status.external_ref)
            if entry is not None:
                current = self.dispatches.get(entry.order_id) or entry
                events.extend(
                    decide_parcels(
                        current,
                        _shipped(current, status, began),
                        cancelled=status.cancel_reason if status.cancelled else None,
                        now=began,
                    )
                )
                events.extend(self._watch.staged(entry.order_id, status, began))
        events.extend(self._not_shown(open_ones, asked, statuses, began))
        events.append(ShipmentsRead(asked=len(asked), found=len(statuses), occurred_at=began))
        await self.commit(events)
        rest = len(later) > len(asked)
        self._asked_last = asked[-1] if rest else ""
        return 0.0 if rest else None

    async def _begin_round(self, now: datetime) -> None:
        last = self._closed_asked_at
        self._asks_closed = last is None or now - last >= CLOSED_EVERY
        self._seen_at = {
            entry.reference: seen
            for _, entry in self.dispatches.watched()
            if (seen := self._seen_at.get(entry.reference)) is not None
        }
        if self._asks_closed:
            self._closed_asked_at = now
            done = [entry for _, entry in self.dispatches.watched() if not is_open(entry)]
            await self.commit(decide_kept(done, backup_age=self._backup_age, now=now))

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
                entry = self.dispatches.get(known.order_id) or known
                seen_at = self._seen_at.get(reference)
                events.extend(decide_not_shown(entry, last_seen_at=seen_at, now=began))
        return events

    # ── confirming ──────────────────────────────────────────────────────────────────────────

    async def _confirm(self) -> None:
        for order_id, watched in self.dispatches.watched():
            if not is_open(watched):
                continue
            for parcel in self.dispatches[order_id].parcels:
                if self.dispatches[order_id].parcel(parcel.parcel_key) is not None:
                    await self._advance(order_id, parcel.parcel_key)
            entry = self.dispatches[order_id]
            await self.commit(decide_shipped_there(entry, self.clock.now()))
        entries = (entry for _, entry in self.dispatches.watched())
        carriers, now = self.carriers.get("carriers"), self.clock.now()
        await self.commit(decide_awaited_no_more(carriers, entries, now))

    async def _advance(self, order_id: str, parcel_key: str) -> None:
        entry, parcel = self._now(order_id, parcel_key)
        carriers = self.carriers.get("carriers")
        if carriers is None or entry.closed:
            return
        if parcel.state == ParcelState.OPEN:
            await self._settle(order_id, parcel_key)
            return
        events = self._next_for(entry, parcel, carriers)
        intended = next((e for e in events if isinstance(e, ConfirmationIntended)), None)
        looked_at = self.clock.now()
        if intended is not None and parcel.attempts:
            # What was not there at the last look may have arrived since: look before it is
            # sent again.
            if await self._is_there(order_id, parcel_key, intended.lines):
                return
            events = self._next_for(*self._now(order_id, parcel_key), carriers)
        correlation_id = f"{order_id}/{parcel_key}"
        await self.commit(events, correlation_id=correlation_id)
        is_old = parcel.attempts and self.clock.now() - looked_at > LOOK_HOLDS
        with correlated(correlation_id):
            for event in events:
                if not isinstance(event, ConfirmationIntended):
                    continue
                if is_old:  # the log was slow: what has arrived meanwhile is not known
                    await self._settle(order_id, parcel_key)
                else:
                    await self._send(event)

    def _next_for(
        self, entry: Dispatch, parcel: Parcel, carriers: Carriers
    ) -> tuple[Event, ...]:
        events = decide_confirmation(
            entry, parcel, carriers, tracking_wait=self._tracking_wait, now=self.clock.now()
        )
        if self.writes_allowed:
            return events
        return tuple(each for each in events if not isinstance(each, ConfirmationIntended))

    def _now(self, order_id: str, parcel_key: str) -> tuple[Dispatch, Parcel]:
        entry = self.dispatches[order_id]
        parcel = entry.parcel(parcel_key)
        if parcel is None:
            raise LookupError(f"parcel {parcel_key} of order {order_id} is gone")
        return entry, parcel

    async def _send(self, intended: ConfirmationIntended) -> None:
        order_id, parcel_key = intended.order_id, intended.parcel_key
        entry, _ = self._now(order_id, parcel_key)
        tracking: Tracking | None = None
        if number := intended.tracking_number:
            tracking = Tracking(carrier_code=intended.carrier_code, tracking_number=number)
        shipment_id = ""
        try:
            if intended.by_shipment:
                shipment = await self._marketplace.create_shipment(
                    ShipmentRequest(
                        order_id=order_id,
                        lines=tuple((each.line_id, each.quantity) for each in intended.lines),
                        tracking=tracking,
                        package_reference=parcel_key,
                    )
                )
                shipment_id = shipment.shipment_id
            else:
                if tracking is not None:
                    await self._marketplace.set_tracking(order_id, tracking)
                await self._marketplace.ship(order_id)
        except OutcomeUnknown as lost:
            unknown = ConfirmationUnknown(
                order_id=order_id,
                parcel_key=parcel_key,
                message=lost.message,
                attempt=intended.attempt,
                deadline=entry.deadline,
                occurred_at=self.clock.now(),
            )
            await self.record(unknown)
            await self._settle(order_id, parcel_key)
        except Refused as refusal:
            await self._settle(order_id, parcel_key, refusal.message)
        else:
            await self._record_confirmed(order_id, parcel_key, shipment_id, already=False)

    async def _settle(self, order_id: str, parcel_key: str, refused: str = "") -> None:
        """The marketplace's own records settle a confirmation whose outcome is open."""
        if await self._is_there(order_id, parcel_key):
            return
        entry, parcel = self._now(order_id, parcel_key)
        message = refused or "the answer was lost, and the marketplace does not have the parcel"
        await self.record(
            ConfirmationRefused(
                order_id=order_id,
                parcel_key=parcel_key,
                message=message,
                attempt=parcel.attempts,
                deadline=entry.deadline,
                occurred_at=self.clock.now(),
            ),
        )

    async def _is_there(
        self, order_id: str, parcel_key: str, lines: tuple[ConfirmedLine, ...] | None = None
    ) -> bool:
        """`lines`: what would be sent now, where it is not what was sent last."""
        try:
            shipments = await self._marketplace.shipments(order_id)
        except NotFound:  # multi-shipment is off: the order's state tells
            shipments = ()
        entry, parcel = self._now(order_id, parcel_key)
        if lines is not None:
            parcel = msgspec.structs.replace(parcel, lines=lines)
        found = settle_open(
            entry,
            parcel,
            [
                (each.shipment_id, each.tracking_number or "", each.lines)
                for each in shipments
                if each.status not in ("SHIPPING", "CANCELED")
            ],
            now=self.clock.now(),
        )
        if found is not None:
            await self.record(found)
            return True
        orders = await self._marketplace.orders_by_id([order_id])
        if any(order.state in SHIPPED_THERE for order in orders):
            await self._record_confirmed(order_id, parcel_key, "", already=True, lines=lines)
            return True
        return False

    async def _record_confirmed(
        self,
        order_id: str,
        parcel_key: str,
        shipment_id: str,
        *,
        already: bool,
        lines: tuple[ConfirmedLine, ...] | None = None,
    ) -> None:
        _, parcel = self._now(order_id, parcel_key)
        await self.record(
            ParcelConfirmed(
                order_id=order_id,
                parcel_key=parcel_key,
                lines=parcel.lines if lines is None else lines,
                shipment_id=shipment_id,
                already=already,
                occurred_at=self.clock.now(),
            ),
        )


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
