"""Benchmark `dispatch`: 5,000 parcels released at once at the end of a picking day.

The dispatch room on a real log, beside a marketplace and an ERP that answer at once, so that
what is counted is ours: reading the shipments, deciding, ranking by deadline, the intention,
the outcome and the closing of each parcel, and the log that keeps them. The second figure has
the desk and all read models with it. By the processor's time of this process, PostgreSQL's not
included. The marketplace states no limit for confirmations (contract d.1: once per event); its
silence is the simulation's business. Deadlines are dealt out in another order than orders.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.actors import Room
from kcjl.clock import SeededIds
from kcjl.database import SERVICE, Database
from kcjl.dispatch.actor import Dispatches
from kcjl.dispatch.events import ConfirmationIntended, DispatchClosed, ParcelConfirmed
from kcjl.events import vocabulary
from kcjl.exceptions.actor import Desk
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
CPU_MS_MAX = 10
MERCHANT = "benchmark"
DRAFTS = 1_000
SHUFFLE = 2_903
"""Prime to the number of parcels: deadlines come in another order than orders."""
Say = Callable[[str], None]


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


class QuickShop(Shop):
    """It takes whatever it is sent, in the same time however many it has."""

    async def create_shipment(self, request: ShipmentRequest) -> Shipment:
        number = request.tracking.tracking_number if request.tracking else None
        self.set_state(request.order_id, "SHIPPED")
        return Shipment(
            shipment_id=f"S-{request.order_id}",
            order_id=request.order_id,
            status="SHIPPED",
            lines=request.lines,
            tracking_number=number,
        )


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    """Each round on a database of its own."""
    found: list[Released] = []
    for number in range(1, rounds + 1):
        async with place.database() as dsn:
            found.append(await _evening(dsn))
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
    ]


async def _evening(dsn: str) -> Released:
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
            return await _timed(log, room, desk, runner)


async def _timed(log: Log, room: Room, desk: Room, runner: ProjectionRunner) -> Released:
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


async def _picked(log: Log, shop: Shop, warehouse: Warehouse) -> None:
    """The day: every order posted and packed, nothing shipped that anybody has seen."""
    events: list[Event] = []
    for number in range(PARCELS):
        order = _order(number)
        shop.place(marketplace_order(order.order_id, state=SHIPPING))
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
