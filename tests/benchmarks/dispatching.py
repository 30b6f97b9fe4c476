"""Benchmark `dispatch`: 5,000 parcels released at once at the end of a picking day.

The dispatch room on a real log, beside a marketplace and an ERP that answer at once, so that
what is counted is ours: reading the shipments, deciding, ranking by deadline, the intention,
the outcome and the closing of each parcel, and the log that keeps them. The second figure has
the desk and all read models with it. By the processor's time of this process, PostgreSQL's not
included. The marketplace states no limit for confirmations (contract d.1: once per event). Then
the same evening with a marketplace that answers nothing for six hours: how many exceptions
that is, how many calls, and in which order all is caught up. Deadlines are dealt out in another
order than orders.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

import msgspec

from kcjl.actors import Room
from kcjl.clock import SeededIds
from kcjl.database import SERVICE, Database
from kcjl.dispatch.actor import Dispatches
from kcjl.dispatch.events import ConfirmationIntended, DispatchClosed, ParcelConfirmed
from kcjl.errors import Unavailable
from kcjl.events import vocabulary
from kcjl.exceptions.actor import Desk
from kcjl.exceptions.events import ExceptionRaised
from kcjl.johnlewis.port import Shipment, ShipmentRequest
from kcjl.log.lease import acquire
from kcjl.log.port import Draft, Log
from kcjl.log.postgres import PostgresLog
from kcjl.money import Money
from kcjl.orders.events import OrderReceived
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import PostgresRows
from kcjl.settings import DispatchSettings
from kcjl.vocabulary import Event
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Row, row
from tests.clockwork import Clockwork
from tests.outside.erp import Warehouse, parcel
from tests.outside.marketplace import Shop, marketplace_order
from tests.trade import SHIPPING, posted, received

__all__ = ["benchmark"]

PARCELS = 5_000
SILENT_H = 6
POLL_S = 600.0
CPU_MS_MAX = 10
MERCHANT = "benchmark"
DRAFTS = 1_000
SHUFFLE = 2_903
"""Prime to the number of parcels: deadlines come in another order than orders."""
Say = Callable[[str], None]
T = TypeVar("T")


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """One evening."""

    room_cpu_ms: float
    """A parcel, of the room and its log."""
    all_cpu_ms: float
    """With the desk and the read models."""
    wall_s: float
    confirmed: int
    out_of_order: int
    """Parcels sent before one whose deadline is sooner."""


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """One evening on which the marketplace was silent."""

    calls: int
    """That were made in vain."""
    exceptions: int
    """That a person was shown, each raising counted."""
    confirmed: int
    out_of_order: int
    cpu_ms: float
    """A parcel, for the six hours and the catching up, with the desk."""


class QuickShop(Shop):
    """It takes whatever it is sent, in the same time however many it has."""

    def __init__(self, clock: Clockwork) -> None:
        super().__init__(clock)
        self.is_silent = False
        self.calls_in_vain = 0
        self.deadlines: dict[str, datetime] = {}
        self.taken: list[datetime] = []
        """Deadlines, in the order in which their parcels came."""

    async def shipments(self, order_id: str) -> Sequence[Shipment]:
        self._is_reached()
        return await super().shipments(order_id)

    def _is_reached(self) -> None:
        if self.is_silent:
            self.calls_in_vain += 1
            raise Unavailable("503 Service Unavailable")

    async def create_shipment(self, request: ShipmentRequest) -> Shipment:
        self._is_reached()
        self.taken.append(self.deadlines[request.order_id])
        number = request.tracking.tracking_number if request.tracking else None
        self.set_state(request.order_id, "SHIPPED")
        return Shipment(
            shipment_id=f"S-{request.order_id}",
            order_id=request.order_id,
            status="SHIPPED",
            lines=request.lines,
            tracking_number=number,
        )


class Bay(NamedTuple):
    """Everything of an evening."""

    log: Log
    clock: Clockwork
    shop: QuickShop
    room: Room
    desk: Room
    runner: ProjectionRunner


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    """Each round on a database of its own."""
    found: list[Released] = []
    silent: list[Silent] = []
    for number in range(1, rounds + 1):
        async with place.database() as dsn:
            found.append(await _evening(dsn, _timed))
        async with place.database() as dsn:
            silent.append(await _evening(dsn, _silent))
        say(
            f"dispatch: round {number} of {rounds}: {found[-1].room_cpu_ms:.2f} ms a parcel, "
            f"{found[-1].confirmed} confirmed in {found[-1].wall_s:.1f} s"
        )
    return [
        row(
            f"{PARCELS:,} parcels at once, processor's time of one",
            "ms",
            [each.room_cpu_ms for each in found],
            goal=CPU_MS_MAX,
            goal_is="at most",
        ),
        row(
            "the same with the desk and the read models",
            "ms",
            [each.all_cpu_ms for each in found],
            goal=CPU_MS_MAX,
            goal_is="at most",
        ),
        row(
            "parcels confirmed once",
            "parcels",
            [each.confirmed for each in found],
            goal=PARCELS,
            goal_is="at least",
        ),
        row(
            "parcels sent before a more urgent one",
            "parcels",
            [each.out_of_order for each in found],
            goal=0,
            goal_is="at most",
        ),
        row("until all are confirmed", "s", [each.wall_s for each in found]),
        *_rows_of_silence(silent),
    ]


def _rows_of_silence(silent: Sequence[Silent]) -> list[Row]:
    what = f"{SILENT_H} hours of silence, {PARCELS:,} parcels"
    return [
        row(
            f"{what}: exceptions told",
            "exceptions",
            [each.exceptions for each in silent],
            goal=1,
            goal_is="at most",
        ),
        row("calls made in vain", "calls", [each.calls for each in silent]),
        row(
            "caught up, each once",
            "parcels",
            [each.confirmed for each in silent],
            goal=PARCELS,
            goal_is="at least",
        ),
        row(
            "caught up before a more urgent one",
            "parcels",
            [each.out_of_order for each in silent],
            goal=1,
            goal_is="at most",
        ),
        row("processor's time of one, silence and all", "ms", [e.cpu_ms for e in silent]),
    ]


async def _evening(dsn: str, lived: Callable[[Bay], Awaitable[T]]) -> T:
    clock = Clockwork()
    shop, warehouse = QuickShop(clock), Warehouse(clock)
    async with Database(dsn, role=SERVICE) as database:
        lease = await acquire(database, MERCHANT, "benchmark", ttl_s=3_600)
        async with PostgresLog.open(
            database, MERCHANT, vocabulary(), clock, lease.epoch
        ) as log:
            await _picked(log, shop, warehouse)
            room = Dispatches(
                log,
                clock,
                SeededIds(1),
                marketplace=shop,
                erp=warehouse,
                settings=DispatchSettings(),
                opening_carriers={"DPD": "dpd"},
            )
            desk = Desk(log, clock, SeededIds(2))
            runner = ProjectionRunner(log, PostgresRows(database, MERCHANT), PROJECTIONS)
            await room.catch_up()
            await _run(room, "carriers")
            await desk.catch_up()
            await _run(desk, "judge")
            await runner.catch_up()
            return await lived(Bay(log, clock, shop, room, desk, runner))


async def _silent(bay: Bay) -> Silent:
    """Nothing is answered for six hours; then all goes out."""
    await _run(bay.room, "shipments")
    cpu = time.process_time()
    bay.shop.is_silent = True
    (confirm,) = (job for job in bay.room.jobs if job.name == "confirm")
    until = bay.clock.now() + timedelta(hours=SILENT_H)
    while bay.clock.now() < until:
        bay.clock.tick(await confirm.run() or POLL_S)
        await _run(bay.desk, "judge")
    bay.shop.is_silent = False
    bay.clock.tick(POLL_S)
    await _run(bay.room, "confirm")
    await bay.desk.catch_up()
    await _run(bay.desk, "judge")
    spent = time.process_time() - cpu
    raised = 0
    async for page in bay.log.read(0):
        raised += sum(isinstance(each.event, ExceptionRaised) for each in page)
    confirmed, _, _ = await _told(bay.log)
    return Silent(
        calls=bay.shop.calls_in_vain,
        exceptions=raised,
        confirmed=confirmed,
        out_of_order=_inversions(bay.shop.taken),
        cpu_ms=1_000 * spent / PARCELS,
    )


async def _timed(bay: Bay) -> Released:
    log, room, desk, runner = bay.log, bay.room, bay.desk, bay.runner
    cpu, wall = time.process_time(), time.monotonic()
    await _run(room, "shipments")
    await _run(room, "confirm")
    of_room, wall_s = time.process_time() - cpu, time.monotonic() - wall
    await desk.catch_up()
    await _run(desk, "judge")
    await runner.catch_up()
    of_all = time.process_time() - cpu
    confirmed, closed, out_of_order = await _told(log)
    if closed != confirmed:
        raise AssertionError(f"{confirmed} parcels were confirmed, and {closed} orders closed")
    return Released(
        room_cpu_ms=1_000 * of_room / PARCELS,
        all_cpu_ms=1_000 * of_all / PARCELS,
        wall_s=wall_s,
        confirmed=confirmed,
        out_of_order=out_of_order,
    )


async def _run(room: Room, name: str) -> None:
    """A job, until nothing more of it is due at once."""
    (job,) = (job for job in room.jobs if job.name == name)
    while await job.run() == 0:
        pass


async def _picked(log: Log, shop: QuickShop, warehouse: Warehouse) -> None:
    """The day: every order posted and packed, nothing shipped that anybody has seen."""
    events: list[Event] = []
    for number in range(PARCELS):
        order = _order(number)
        shop.place(marketplace_order(order.order_id, state=SHIPPING))
        if order.ship_by is not None:
            shop.deadlines[order.order_id] = order.ship_by
        warehouse.take_late(order.customer_order_number, gross_total=Money(2_000, "GBP"))
        warehouse.ship(
            order.customer_order_number, parcel(f"INV{number}/1", tracking=f"1550{number:010}")
        )
        events += [order, posted(order)]
    for start in range(0, len(events), DRAFTS):
        drafts = [
            Draft(event=event, by="orders", correlation_id="day")
            for event in events[start : start + DRAFTS]
        ]
        await log.append(drafts)


def _order(number: int) -> OrderReceived:
    order = received(f"O{number}", state=SHIPPING)
    after = timedelta(minutes=number * SHUFFLE % PARCELS)
    return msgspec.structs.replace(order, ship_by=order.occurred_at + timedelta(days=1) + after)


async def _told(log: Log) -> tuple[int, int, int]:
    """(confirmed, closed, sent before a more urgent one), by the log."""
    deadlines: dict[str, datetime] = {}
    sent: list[datetime] = []
    confirmed: list[tuple[str, str]] = []
    closed = 0
    async for page in log.read(0):
        for recorded in page:
            match recorded.event:
                case OrderReceived(order_id=order_id, ship_by=deadline) if deadline:
                    deadlines[order_id] = deadline
                case ConfirmationIntended(order_id=order_id):
                    sent.append(deadlines[order_id])
                case ParcelConfirmed(order_id=order_id, parcel_key=key):
                    confirmed.append((order_id, key))
                case DispatchClosed():
                    closed += 1
                case _:
                    pass
    if len(set(confirmed)) != len(confirmed):
        raise AssertionError("a parcel was confirmed twice")
    return len(confirmed), closed, _inversions(sent)


def _inversions(sent: Sequence[datetime]) -> int:
    """How many were sent while one that is more urgent still waited."""
    soonest, count = datetime.max.replace(tzinfo=sent[0].tzinfo), 0
    for deadline in reversed(sent):
        count += deadline > soonest
        soonest = min(soonest, deadline)
    return count
