"""Benchmark `projections`: read models built anew from a million events, and kept up to date.

The product's own (`stock`, `orders` and others) by `kcjl log rebuild`, in a process of its own,
from a merchant's past in the product's vocabulary: 5,000 products, 36,000 orders. One of the
trade's events, as the prototype measured it. And what is folded batch by batch with its
checkpoint, as the service does all day. Beside the peer's projection runner, that folds one
event a transaction; some thousand events stand for the million there.
"""

from collections import defaultdict
from collections.abc import Callable

import anyio.to_thread
import asyncpg
import msgspec

from kcjl.clock import real_monotonic
from kcjl.database import SERVICE, Database
from kcjl.events import vocabulary
from kcjl.fold import Fold
from kcjl.log.postgres import PostgresLogReader
from kcjl.orders.projection import ORDERS_SHOWN
from kcjl.projections.projection import Projection
from kcjl.projections.rebuild import rebuild as rebuild_here
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import PostgresRows
from kcjl.vocabulary import Event
from tests.benchmarks import peer
from tests.benchmarks.history import History
from tests.benchmarks.places import Place
from tests.benchmarks.rebuilding import rebuild
from tests.benchmarks.rows import Row, row
from tests.benchmarks.trade import VOCABULARY, LineTaken, OrderTaken, order

__all__ = ["MERCHANT", "RESIDENT_GOAL_MB", "SMALL_EVENTS", "benchmark"]

EVENTS = 1_000_000
SMALL_EVENTS = 100_000
PEER_EVENTS = 3_000
TRADE_EVENTS = 300_000
BATCHED_EVENTS = 200_000
MERCHANT = "acme"
NAMES = ("stock", "orders", "dispatch", "settlement_lines")
PER_S_GOAL = 150_000
RESIDENT_GOAL_MB = 50
Say = Callable[[str], None]
Samples = defaultdict[str, list[float]]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    samples: Samples = defaultdict(list)
    say("projections: 5,000,000 events are not measured here; that is `memory`")
    async with place.database() as dsn:
        history = History(dsn, MERCHANT)
        await history.grow(SMALL_EVENTS)
        for name in NAMES:
            done = await rebuild(dsn, MERCHANT, name)
            samples[f"{name} resident before"].append(done.resident_mb)
        say(f"projections: writing {EVENTS:,} events")
        await history.grow(EVENTS)
        await _trade(dsn)
        for number in range(1, rounds + 1):
            say(f"projections: round {number} of {rounds}")
            await place.checkpoint()
            if peer.is_there():
                samples["peer"].append(await _peer(place))
            await _round(dsn, samples)
    return _rows(samples)


async def _round(dsn: str, samples: Samples) -> None:
    for name in NAMES:
        done = await rebuild(dsn, MERCHANT, name)
        samples[name].append(done.per_s)
        samples[f"{name} resident"].append(done.resident_mb)
        samples[f"{name} rows"].append(done.rows)
    done = await rebuild(dsn, MERCHANT)
    samples["all"].append(done.per_s)
    samples["all resident"].append(done.resident_mb)
    async with Database(dsn, role=SERVICE) as database:
        began = real_monotonic()
        await rebuild_here(database, TRADE, VOCABULARY, [UNITS_TAKEN])
        samples["trade"].append(TRADE_EVENTS / (real_monotonic() - began))
    samples["batched"].append(await _batched(dsn))


async def _batched(dsn: str) -> float:
    """Events a second of the service's runner, from the first one on."""
    connection = await asyncpg.connect(dsn)
    try:
        for table in ("projection_row", "projection_checkpoint"):
            await connection.execute(
                f"delete from {table} where merchant = $1 and projection = $2",
                MERCHANT,
                ORDERS_SHOWN.name,
            )
        await connection.execute("vacuum projection_row")
    finally:
        await connection.close()
    async with Database(dsn, role=SERVICE) as database:
        log = PostgresLogReader(database, MERCHANT, vocabulary())
        runner = ProjectionRunner(log, PostgresRows(database, MERCHANT), [ORDERS_SHOWN])
        began = real_monotonic()
        await runner.catch_up(to=BATCHED_EVENTS)
        return BATCHED_EVENTS / (real_monotonic() - began)


async def _peer(place: Place) -> float:
    from tests.benchmarks import peer_projection

    async with place.database(migrated=False) as dsn:
        return await anyio.to_thread.run_sync(peer_projection.rebuild_per_s, dsn, PEER_EVENTS)


# ── of the trade's events ───────────────────────────────────────────────────────────────────

TRADE = "trade"


class UnitsTaken(msgspec.Struct, frozen=True, kw_only=True):
    units: int = 0
    lines: int = 0


def _skus(event: Event) -> tuple[str, ...]:
    return tuple(line.sku for line in event.lines) if isinstance(event, OrderTaken) else ()


def _taken(entry: UnitsTaken | None, event: Event, key: str) -> UnitsTaken:
    before = entry or UnitsTaken()
    lines: tuple[LineTaken, ...] = event.lines if isinstance(event, OrderTaken) else ()
    units = sum([line.quantity for line in lines if line.sku == key])
    return UnitsTaken(units=before.units + units, lines=before.lines + 1)


UNITS_TAKEN = Projection(
    "units_taken", Fold(_skus, _taken, UnitsTaken, hears=(OrderTaken,)), lambda _: "taken"
)


async def _trade(dsn: str) -> None:
    events = (order(number // 1_000, number % 1_000) for number in range(TRADE_EVENTS))
    await History(dsn, TRADE, events=events, vocabulary=VOCABULARY).grow(TRADE_EVENTS)


# ── what is said ────────────────────────────────────────────────────────────────────────────


def _rows(samples: Samples) -> list[Row]:
    rows = []
    beside, runner = samples["peer"], f"{peer.NAME}'s ProjectionRunner"
    for name in NAMES:
        what = f"rebuild of {name}, {samples[f'{name} rows'][0]:,.0f} rows"
        per_s = samples[name]
        rows.append(row(what, "events/s", per_s, goal=PER_S_GOAL, goal_is="at least"))
        rows.append(row(what, "events/s", per_s, peer=beside, peer_name=runner, goal=150))
    rows.append(row("rebuild of all eight at once", "events/s", samples["all"]))
    rows.append(row("rebuild, units of the trade's orders", "events/s", samples["trade"]))
    rows.append(
        row(
            "orders batch by batch, checkpointed",
            "events/s",
            samples["batched"],
            peer=beside,
            peer_name=runner,
            goal=50,
        )
    )
    for name in NAMES:
        rows.append(row(f"memory of it, {name}", "MB", samples[f"{name} resident"]))
        more = [
            each - samples[f"{name} resident before"][0] for each in samples[f"{name} resident"]
        ]
        rows.append(
            row(
                f"more than with {SMALL_EVENTS:,} events",
                "MB",
                more,
                goal=RESIDENT_GOAL_MB,
                goal_is="at most",
            )
        )
    rows.append(row("memory of it, all eight", "MB", samples["all resident"]))
    return rows
