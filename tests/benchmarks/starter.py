"""A merchant's rooms, started on a log: a process that says when they are ready, and ends.

`python -m tests.benchmarks.starter DSN MERCHANT with|without|take`: the lease, the log and the
five rooms as the service builds them, on an outside in memory that nobody calls; each room
folds from its snapshot (or from the first event) to the head. `take` then keeps snapshots. On
stdout, as one line of JSON, what it took from its first line to ready. Called by starting.py.
"""

import sys
from collections.abc import Mapping

from kcjl.clock import real_monotonic

BEGAN = real_monotonic()

import anyio  # noqa: E402 - what is imported from here on is a part of a start
import msgspec  # noqa: E402

from kcjl.clock import RealClock, SeededIds  # noqa: E402
from kcjl.database import SERVICE, Database  # noqa: E402
from kcjl.events import vocabulary  # noqa: E402
from kcjl.log.lease import acquire, release  # noqa: E402
from kcjl.log.postgres import PostgresLog  # noqa: E402
from kcjl.rooms import Outside, Rooms, bring_up  # noqa: E402
from kcjl.settings import (  # noqa: E402
    InvoiceAddress,
    JohnLewisSettings,
    KhaosSettings,
    MerchantSettings,
)
from kcjl.snapshots import (  # noqa: E402
    MemorySnapshots,
    PostgresSnapshots,
    take_snapshots,
)
from kcjl.vault import MemoryVault  # noqa: E402
from tests.outside.erp import Books, Warehouse  # noqa: E402
from tests.outside.marketplace import Shop  # noqa: E402

__all__ = ["Started"]


class Started(msgspec.Struct, frozen=True, kw_only=True):
    seconds: float
    position: int
    loaded: Mapping[str, int]
    """The position of each room's snapshot."""


SETTINGS = MerchantSettings(
    johnlewis=JohnLewisSettings(base_url="https://tenant.example"),
    khaos=KhaosSettings(
        base_url="https://erp.example",
        invoice_address=InvoiceAddress(
            line1="1 Example Road", town="London", postcode="ZZ1 1ZZ"
        ),
    ),
)


async def start(dsn: str, merchant: str, how: str) -> Started:
    clock = RealClock()
    async with Database(dsn, role=SERVICE) as database:
        lease = await acquire(database, merchant, "starter", ttl_s=600)
        async with PostgresLog.open(
            database, merchant, vocabulary(), clock, lease.epoch
        ) as log:
            outside = Outside(Shop(clock), Warehouse(clock), Books(), Books())
            vault = MemoryVault(merchant, b"k" * 32)
            rooms = Rooms(SETTINGS, log, vault, outside, clock, SeededIds(1))
            store = PostgresSnapshots(database, merchant)
            loaded = await bring_up(rooms, log, store if how == "with" else MemorySnapshots())
            seconds = real_monotonic() - BEGAN
            head = (await log.head()).position
            if {room.applied for room in rooms.all()} != {head}:
                raise AssertionError(f"not every room is at position {head}")
            if how == "take":
                await take_snapshots(rooms.all(), merchant, store, clock.now)
        await release(database, lease)
    return Started(seconds=seconds, position=head, loaded=loaded)


if __name__ == "__main__":
    _, where, whose, way = sys.argv
    started = anyio.run(start, where, whose, way)
    sys.stdout.write(msgspec.json.encode(started).decode() + "\n")
