"""A child process: a morning of many orders, an ERP that takes 300 ms a call, what it cost.

The real rooms with their projections, over the log's memory twin, on the simulation's virtual
clock: the ERP's and the marketplace's delays cost no processor, and all that is counted is the
rooms' work and that of two small fakes. Called by ordering.py: `python -m … ORDERS SEED`.
"""

import gc
import heapq
import inspect
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import msgspec

from kcjl.clock import SeededIds, chance
from kcjl.events import vocabulary
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.log.port import Recorded
from kcjl.orders.events import DeliveryAddressSealed, OrderReceived, SalesOrderPosted
from kcjl.projections.store import MemoryRows
from kcjl.rooms import Outside, Rooms, run_rooms
from kcjl.settings import MerchantSettings
from kcjl.snapshots import MemorySnapshots, SnapshotPace
from kcjl.vault import MemoryVault
from tests.benchmarks.ordering import ERP_CALL_S, Morning
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import Shop, marketplace_line, marketplace_order
from tests.simulation.loop import run as run_loop
from tests.simulation.premises import VirtualClock
from tests.simulation.scenario import Scenario
from tests.trade import at

MERCHANT = "acme"
SKUS = 200
MARKETPLACE_CALL_S = 0.05
OPENS = timedelta(minutes=10)
"""From the beginning: until stock is published."""
HOURS = 5.0
RUSH = (2.0, 2.25, 0.3)
"""From hour to hour, so large a share of the orders comes at once."""
WITHIN = ((0.1, timedelta(minutes=10)), (0.3, timedelta(minutes=30)))
"""So large a share has to be in the ERP so soon, and the next one so soon, the first included;
all others by the end of the day. In the rush the ERP can't keep up."""
BY_THE_END = timedelta(hours=10)
LOOK_EVERY_S = 60.0
LAST_LOOKS = 24 * 60
EACH_QUARTER = 4


class Slow:
    """A side each of whose calls takes so long."""

    def __init__(self, side: object, clock: VirtualClock, seconds: float) -> None:
        self.calls = 0
        self._side, self._clock, self._seconds = side, clock, seconds

    def __getattr__(self, name: str) -> object:
        method = getattr(self._side, name)
        if not inspect.iscoroutinefunction(method):
            return method
        return self._slow(method)

    def _slow(
        self, method: Callable[..., Awaitable[object]]
    ) -> Callable[..., Awaitable[object]]:
        async def call(*arguments: object, **named: object) -> object:
            self.calls += 1
            await self._clock.sleep(self._seconds)
            return await method(*arguments, **named)

        return call


async def morning(orders: int, seed: int) -> Morning:
    """Until each order is in the ERP."""
    clock = VirtualClock(at(0))
    shop, warehouse, store = Shop(clock), Warehouse(clock), MemoryStore()
    for number in range(SKUS):
        warehouse.put(f"L-{number}", orders)
        shop.offers_there[f"L-{number}"] = orders
    erp = Slow(warehouse, clock, ERP_CALL_S)
    market = Slow(shop, clock, MARKETPLACE_CALL_S)
    settings = Scenario(seed=seed).settings
    memory_kb: list[int] = []
    epoch = store.take_over(MERCHANT)
    async with MemoryLog.open(store, MERCHANT, vocabulary(), clock, epoch) as log:
        rooms = _rooms(settings, log, clock, Outside(market, erp, Books(), Books()))  # type: ignore[arg-type]
        async with anyio.create_task_group() as group:
            pace = SnapshotPace(look_every_s=3600.0, events_min=1_000_000_000)
            group.start_soon(
                lambda: run_rooms(
                    rooms, log, MemoryRows(), MemorySnapshots(), clock.now, pace=pace
                )
            )
            await clock.sleep(OPENS.total_seconds())
            began_s = time.process_time()
            await _place(shop, clock, orders, seed, memory_kb)
            for _ in range(LAST_LOOKS):
                if len(warehouse.taken) >= orders:
                    break
                await clock.sleep(LOOK_EVERY_S)
            spent_s = time.process_time() - began_s
            memory_kb.append(resident_kb())
            log_kb = sum(len(each.data) for each in _log_of(store)) // 1024
            group.cancel_scope.cancel()
    said = _log_of(store)
    late, unavoidable = _late(said)
    return Morning(
        orders=len(warehouse.taken),
        events=len(said),
        processor_s=spent_s,
        erp_calls=erp.calls,
        late=late,
        unavoidably_late=unavoidable,
        lasted_h=(said[-1].recorded_at - at(0)).total_seconds() / 3600,
        memory_kb=memory_kb,
        log_kb=log_kb,
        log_held_kb=_held_kb(said),
    )


def _rooms(
    settings: MerchantSettings, log: MemoryLog, clock: VirtualClock, outside: Outside
) -> Rooms:
    vault = MemoryVault(MERCHANT, b"k" * 32, chance("vault").randbytes)
    return Rooms(settings, log, vault, outside, clock, SeededIds(1))


async def _place(
    shop: Shop, clock: VirtualClock, orders: int, seed: int, memory_kb: list[int]
) -> None:
    """All of them, each at its moment."""
    luck = chance(f"morning/{seed}")
    rush_from, rush_until, share = RUSH
    hours = sorted(
        luck.uniform(rush_from, rush_until) if luck.random() < share else luck.uniform(0, HOURS)
        for _ in range(orders)
    )
    began = clock.now()
    for number, hour in enumerate(hours):
        wait = began + timedelta(hours=hour) - clock.now()
        await clock.sleep(max(wait.total_seconds(), 0.0))
        now = clock.now()
        order_id = f"7{number:08}-A"
        line = marketplace_line(f"{order_id}-1", f"L-{luck.randrange(SKUS)}", 1)
        other = marketplace_line(f"{order_id}-2", f"L-{luck.randrange(SKUS)}", 1)
        lot = luck.random()
        within = next((soon for share, soon in WITHIN if lot < share), BY_THE_END)
        order = marketplace_order(order_id, line, other)
        shop.place(
            msgspec.structs.replace(order, created_at=now, updated_at=now, ship_by=now + within)
        )
        if number % (orders // EACH_QUARTER) == 0:
            memory_kb.append(resident_kb())


def resident_kb() -> int:
    """What the process holds now, after a look for what it need not."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1024


def _held_kb(said: Sequence[Recorded]) -> int:
    """What a log holds: a second one is read from the bytes of the first."""
    known, before_kb = vocabulary(), resident_kb()
    again = [
        msgspec.structs.replace(
            each,
            data=bytes(bytearray(each.data)),
            hash=bytes(bytearray(each.hash)),
            event=known.decode(each.type, each.schema, each.data),
        )
        for each in said
    ]
    held_kb = resident_kb() - before_kb
    again.clear()
    return held_kb


def _log_of(store: MemoryStore) -> Sequence[Recorded]:
    return store.shelf(MERCHANT).events


def _late(said: Sequence[Recorded]) -> tuple[int, int]:
    """Orders posted after their time; and how many would be by the best order of posting.

    The best takes the soonest deadline first of what could be posted by then (it was accepted,
    and we had read so), with one call of the ERP an order and nothing between two calls.
    """
    due: dict[str, datetime] = {}
    ready: dict[str, datetime] = {}
    posted: dict[str, datetime] = {}
    for each in said:
        match each.event:
            case OrderReceived() as event if event.ship_by is not None:
                due[event.order_id] = event.ship_by
            case SalesOrderPosted() as event:
                posted[event.order_id] = each.recorded_at
            case DeliveryAddressSealed() as event:
                ready[event.order_id] = each.recorded_at
    late = sum(when > due[order_id] for order_id, when in posted.items())
    return late, _late_at_best(due, ready)


def _late_at_best(due: dict[str, datetime], ready: dict[str, datetime]) -> int:
    call = timedelta(seconds=ERP_CALL_S)
    coming = sorted((when, order_id) for order_id, when in ready.items())
    waiting: list[tuple[datetime, str]] = []
    late, now, place = 0, coming[0][0], 0
    while place < len(coming) or waiting:
        if not waiting:
            now = max(now, coming[place][0])
        while place < len(coming) and coming[place][0] <= now:
            heapq.heappush(waiting, (due[coming[place][1]], coming[place][1]))
            place += 1
        deadline, _ = heapq.heappop(waiting)
        now += call
        late += now > deadline
    return late


def main(orders: int, seed: int) -> None:
    measured = run_loop(lambda: morning(orders, seed), seed=None)
    sys.stdout.write(msgspec.json.encode(measured).decode() + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
