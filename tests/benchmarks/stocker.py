"""A merchant of 100,000 SKUs: its rooms, a log in PostgreSQL, and both systems over real HTTP.

`python -m tests.benchmarks.stocker DSN DOORS` opens the shop from nothing, then has levels
change and be published, time after time; then midnight comes; then a policy moves every figure.
On stdout, as one line of JSON, what each took. Waiting takes no time (`HastyClock`): what the
call limits force is not in it. Called by stocking.py.
"""

import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import anyio
import msgspec

from kcjl.actors import Job
from kcjl.clock import LONDON, SeededIds, real_monotonic, real_sleep
from kcjl.collector import settle_collector
from kcjl.database import SERVICE, Database
from kcjl.events import vocabulary
from kcjl.following import Following
from kcjl.johnlewis.seller_api import SellerApi, SellerApiSettings
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.log.lease import acquire, release
from kcjl.log.postgres import PostgresLog
from kcjl.rooms import Outside, Rooms
from kcjl.vault import MemoryVault
from tests.benchmarks.hasty import HastyClock
from tests.benchmarks.many import Doors
from tests.benchmarks.starter import SETTINGS
from tests.outside.erp import Books
from tests.simulation.outside_erp import KWS

__all__ = ["CHANGED", "CYCLES", "Measured", "Took"]

MERCHANT = "acme"
CHANGED = 1_000
CYCLES = 30
TICK_S = 0.001
IMPORT_S = 60
QUIET_S = 3 * 3_600
"""After the opening: then what moved is a poll's news, and not the whole catalogue."""


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """Real seconds."""

    cpu_s: float
    """Of this process."""
    wall_s: float
    stalled_s: float = 0.0
    """The longest for which nothing else of the process had a turn, where that was looked at:
    looking takes processor's time, too.
    """


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    opened: Took
    opened_mb: float
    """The most that was resident while the shop was opened."""
    opening_imports: list[Took]
    """While the whole catalogue differs: the first, then following one and sending the next."""
    reads: list[Took]
    sends: list[Took]
    """Figures worked out and sent, one import each."""
    follows: list[Took]
    midnight: Took
    policy: Took
    """Every figure moves: worked out, all told to who asked, and the first import sent."""
    resident_mb: float
    """At the end."""
    resident_mb_max: float
    imports: int
    """In all the cycles."""


class WorldsClock(HastyClock):
    """Waiting takes no time, and the world outside is where we are."""

    def __init__(self, doors: Doors, session: aiohttp.ClientSession) -> None:
        super().__init__(doors.starts_at)
        self._doors = doors
        self._session = session

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if seconds > 0:
            await self.tell(f"at/{self.now().isoformat()}")

    async def tell(self, what: str) -> None:
        async with self._session.post(f"{self._doors.control}/{what}") as answer:
            answer.raise_for_status()


class Shop:
    """The rooms, driven job by job."""

    def __init__(self, rooms: Rooms, clock: WorldsClock) -> None:
        self.rooms = rooms
        self.clock = clock

    async def do(self, *jobs: str) -> Took:
        cpu_s, began = time.process_time(), real_monotonic()
        for name in jobs:
            await self._job(name).run()
            for room in self.rooms.all():
                await room.catch_up()
        return Took(cpu_s=time.process_time() - cpu_s, wall_s=real_monotonic() - began)

    async def watched(self, work: Callable[[], Awaitable[Took]]) -> Took:
        """The same, and how long it keeps others waiting."""
        longest_s = 0.0

        async def ticking() -> None:
            nonlocal longest_s
            while True:
                last = real_monotonic()
                await real_sleep(TICK_S)
                longest_s = max(longest_s, real_monotonic() - last - TICK_S)

        async with anyio.create_task_group() as group:
            group.start_soon(ticking)
            await real_sleep(TICK_S)
            took = await work()
            group.cancel_scope.cancel()
        return msgspec.structs.replace(took, stalled_s=longest_s)

    async def new_policy(self) -> Took:
        """A buffer for all: what that moves is worked out when a person says it."""
        cpu_s, began = time.process_time(), real_monotonic()
        await self.rooms.stock.set_buffer(2, by="jo")
        await self.clock.sleep(300)
        await self.do("levels", "intake", "publish")
        return Took(cpu_s=time.process_time() - cpu_s, wall_s=real_monotonic() - began)

    def _job(self, name: str) -> Job:
        rooms = (self.rooms.stock, self.rooms.orders)
        return next(job for room in rooms for job in room.jobs if job.name == name)

    async def follow(self) -> Took:
        await self.clock.sleep(IMPORT_S)
        return await self.do("publish")


@asynccontextmanager
async def opened(dsn: str, doors: Doors) -> AsyncIterator[Shop]:
    async with (
        Database(dsn, role=SERVICE) as database,
        aiohttp.ClientSession() as session,
    ):
        clock = WorldsClock(doors, session)
        lease = await acquire(database, MERCHANT, "stocker", ttl_s=3_600)
        access = SellerApiSettings(base_url=doors.marketplace, api_key=doors.api_key)
        there = msgspec.structs.replace(KWS, url=doors.erp)
        outside = Outside(
            SellerApi(access, clock=clock, session=session),
            KwsSoapAdapter(there, clock=clock, session=session),
            Books(),
            Books(),
        )
        async with PostgresLog.open(
            database, MERCHANT, vocabulary(), clock, lease.epoch
        ) as log:
            vault = MemoryVault(MERCHANT, b"k" * 32)
            rooms = Rooms(SETTINGS, log, vault, outside, clock, SeededIds(1))
            following = Following(log, 0)
            async with anyio.create_task_group() as group:
                group.start_soon(following.run)
                for room in rooms.all():
                    group.start_soon(following.listen, room)
                yield Shop(rooms, clock)
                group.cancel_scope.cancel()
        await release(database, lease)


async def measure(dsn: str, doors: Doors) -> Measured:
    async with opened(dsn, doors) as shop:
        await shop.rooms.tenant.open()
        say("empty")
        await shop.do("offers")
        say("offers")
        first = await shop.do("levels", "intake")
        say(f"levels {first}")
        opening_imports = await _published(shop)
        await shop.clock.sleep(QUIET_S)
        await shop.do("levels", "intake")
        opened_mb = memory_mb("VmHWM:")
        opening = len(shop.rooms.stock.publishing.lags_s)
        say("opened")
        reads, sends, follows = [], [], []
        for number in range(CYCLES):
            await shop.clock.tell(f"sell/{number * CHANGED}/{CHANGED}/{1 + number % 3}")
            await shop.clock.sleep(300)
            reads.append(await shop.do("levels", "intake"))
            sends.append(await shop.do("publish"))
            follows.append(await shop.follow())
        imports = len(shop.rooms.stock.publishing.lags_s)
        say("cycles")
        midnight = await _midnight(shop)
        policy = await shop.watched(shop.new_policy)
        return Measured(
            opened=first,
            opened_mb=opened_mb,
            opening_imports=opening_imports,
            reads=reads,
            sends=sends,
            follows=follows,
            midnight=midnight,
            policy=policy,
            resident_mb=memory_mb("VmRSS:"),
            resident_mb_max=memory_mb("VmHWM:"),
            imports=imports - opening,
        )


async def _published(shop: Shop) -> list[Took]:
    """Until the marketplace shows what it should: what each import took, and following it."""
    took = [await shop.do("publish")]
    while len(shop.rooms.stock.publishes):
        took.append(await shop.follow())
    return took[:-1]


async def _midnight(shop: Shop) -> Took:
    """Read on the new day, before anything is worked out in it."""
    now = shop.clock.now().astimezone(LONDON)
    day = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), LONDON)
    await shop.clock.sleep((day - now).total_seconds() + 60)
    await shop.do("levels", "intake")
    return await shop.watched(lambda: shop.do("publish"))


def say(what: str) -> None:
    """How far it is, and what it has by then."""
    told = f"{what}: {memory_mb('VmRSS:'):.0f} MB, at most {memory_mb('VmHWM:'):.0f}"
    sys.stderr.write(f"stocker: {told}\n")


def memory_mb(what: str) -> float:
    status = Path(f"/proc/{os.getpid()}/status").read_text(encoding="ascii")
    return int(next(x for x in status.splitlines() if x.startswith(what)).split()[1]) / 1024


if __name__ == "__main__":
    _, where, told = sys.argv
    settle_collector()  # as the service does
    measured = anyio.run(measure, where, msgspec.json.decode(told, type=Doors))
    sys.stdout.write(msgspec.json.encode(measured).decode() + "\n")
