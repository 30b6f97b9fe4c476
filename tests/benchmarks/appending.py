"""Benchmark `log`: appending, everything on (chain, fence, expectations, notify, triggers).

Beside the peer's recorder with 8 threads, and the bare database. Closed loop: each appender
waits for its answer before it sends the next. The latency is open loop: arrivals by chance at
a given rate, timed from when they were due. What is timed is the log's work: checks, JSON,
numbering, chain, commit, answer. The events are made before the clock starts, on both sides;
the peer's are even stored events already, their JSON made.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import asyncpg

from kcjl.clock import RealClock, chance, real_monotonic, real_sleep
from kcjl.database import SERVICE, Database
from kcjl.log.lease import acquire
from kcjl.log.port import Draft, Log
from kcjl.log.postgres import PostgresLog
from tests.benchmarks import bare, peer
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Row, row
from tests.benchmarks.trade import VOCABULARY, Ready, appends, draft, order, set_aside

__all__ = ["benchmark", "closed_loop", "opened"]

SECONDS = 2.0
"""Of each sample."""
APPENDERS = ((8, 9.0), (64, 22.0), (256, 40.0))
"""How many of them, and the ratio that is the goal."""
EVENTS_READY = 240_000
"""Made before a sample, which ends when they are used up."""
BATCH = 100
SLOW_FLUSH_MS = 4
OFFERED_PER_S = 10_000
Say = Callable[[str], None]
Samples = defaultdict[str, list[float]]


@asynccontextmanager
async def opened(dsn: str, merchant: str) -> AsyncIterator[Log]:
    """A fresh merchant's log, open for writing, as the service has it."""
    async with Database(dsn, role=SERVICE) as database:
        lease = await acquire(database, merchant, "benchmark", ttl_s=3_600)
        async with PostgresLog.open(
            database, merchant, VOCABULARY, RealClock(), lease.epoch
        ) as log:
            yield log


async def closed_loop(
    log: Log, *, appenders: int, batch: int, seconds: float
) -> tuple[float, list[float]]:
    """Events a second, and how long each append took in milliseconds."""
    took_ms: list[float] = []
    ready = [
        appends(appender, batch=batch, count=EVENTS_READY // appenders // batch)
        for appender in range(appenders)
    ]

    async def run(mine: Sequence[Ready], until: float) -> None:
        for drafts, expected in mine:
            started = real_monotonic()
            if started >= until:
                return
            await log.append(drafts, expected=expected)
            took_ms.append(1e3 * (real_monotonic() - started))

    with set_aside():
        begin = real_monotonic()
        async with anyio.create_task_group() as group:
            for mine in ready:
                group.start_soon(run, mine, begin + seconds)
        return len(took_ms) * batch / (real_monotonic() - begin), took_ms


async def open_loop(log: Log, *, per_s: int, seconds: float, seed: int) -> list[float]:
    """How long each append took, in milliseconds, from the moment when it was due."""
    took_ms: list[float] = []
    arrivals = chance(seed)
    count = int(per_s * seconds)
    turns = [appends(appender, batch=1, count=count // 1_000) for appender in range(1_000)]
    ready = [mine[turn] for turn in range(count // 1_000) for mine in turns]

    async def run(drafts: Sequence[Draft], expected: Mapping[str, int], due: float) -> None:
        await log.append(drafts, expected=expected)
        took_ms.append(1e3 * (real_monotonic() - due))

    with set_aside():
        due = real_monotonic()
        async with anyio.create_task_group() as group:
            for drafts, expected in ready:
                if (early := due - real_monotonic()) > 0:
                    await real_sleep(early)
                group.start_soon(run, drafts, expected, due)
                due += arrivals.expovariate(per_s)
    return took_ms


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    """Raises nothing for a missing peer: its columns are empty then."""
    samples: Samples = defaultdict(list)
    for flush_ms in (0, SLOW_FLUSH_MS):
        async with place.database(flush_ms=flush_ms) as dsn:
            for number in range(1, rounds + 1):
                say(f"log: round {number} of {rounds}, {flush_ms} ms added to each flush")
                await place.checkpoint()
                if flush_ms:
                    await _slow_round(dsn, number, samples)
                else:
                    await _round(dsn, number, samples)
    async with place.database() as dsn:
        say("log: what an event takes on disk")
        ours, payload = await _bytes_an_event(dsn)
    return [*_rows(samples), _disk_row(ours, payload)]


async def _round(dsn: str, number: int, samples: Samples) -> None:
    samples["unnest"].append(await bare.unnest_per_s(dsn, size=500, seconds=SECONDS))
    if peer.is_there():
        samples["peer"].append(await _peer(dsn, threads=8, batch=1, seed=number))
        samples["peer bulk"].append(await _peer(dsn, threads=1, batch=BATCH, seed=number))
    for appenders, _ in APPENDERS:
        async with opened(dsn, f"m-{appenders}-{number}") as log:
            rate, took_ms = await closed_loop(
                log, appenders=appenders, batch=1, seconds=SECONDS
            )
        samples[f"{appenders}"].append(rate)
        samples[f"{appenders} p99"].append(percentile(took_ms, 99))
    async with opened(dsn, f"bulk-{number}") as log:
        rate, _ = await closed_loop(log, appenders=4, batch=BATCH, seconds=SECONDS)
    samples["bulk"].append(rate)
    async with opened(dsn, f"offered-{number}") as log:
        took_ms = await open_loop(log, per_s=OFFERED_PER_S, seconds=2 * SECONDS, seed=number)
    samples["offered p50"].append(percentile(took_ms, 50))
    samples["offered p99"].append(percentile(took_ms, 99))


async def _slow_round(dsn: str, number: int, samples: Samples) -> None:
    if peer.is_there():
        samples["slow peer"].append(await _peer(dsn, threads=8, batch=1, seed=number))
    async with opened(dsn, f"slow-{number}") as log:
        rate, took_ms = await closed_loop(log, appenders=256, batch=1, seconds=SECONDS)
    samples["slow"].append(rate)
    samples["slow p99"].append(percentile(took_ms, 99))


async def _peer(dsn: str, *, threads: int, batch: int, seed: int) -> float:
    def run() -> float:
        with peer.recorder(dsn, connections=threads) as recorder:
            return peer.appends_per_s(
                recorder, threads=threads, batch=batch, seconds=SECONDS, seed=seed
            )

    return await anyio.to_thread.run_sync(run)


async def _bytes_an_event(dsn: str) -> tuple[float, float]:
    """Of the log, indexes included, and of the payloads' JSON alone."""
    events = 50_000
    async with opened(dsn, "disk") as log:
        for first in range(events // 1_000):
            await log.append([draft(first, number) for number in range(1_000)])
    payload = sum(len(VOCABULARY.encode(order(0, n))) for n in range(1_000)) / 1_000
    connection = await asyncpg.connect(dsn)
    try:
        total = await connection.fetchval(
            """
            select sum(pg_total_relation_size(oid)) from pg_class
            where relnamespace = 'public'::regnamespace and relkind = 'r'
                and relname like 'event%'
            """
        )
    finally:
        await connection.close()
    return float(total) / events, payload


def _rows(samples: Samples) -> list[Row]:
    rows = [
        row(
            f"{appenders} appenders of one event",
            "events/s",
            samples[f"{appenders}"],
            peer=samples["peer"],
            peer_name=f"{peer.NAME}, 8 threads",
            goal=goal,
        )
        for appenders, goal in APPENDERS
    ]
    rows += [
        row(f"{appenders} appenders, p99", "ms", samples[f"{appenders} p99"])
        for appenders, _ in APPENDERS
    ]
    slow = f"256 appenders, {SLOW_FLUSH_MS} ms a flush"
    rows.append(
        row(
            slow,
            "events/s",
            samples["slow"],
            peer=samples["slow peer"],
            peer_name=f"{peer.NAME}, 8 threads",
            goal=120,
        )
    )
    rows.append(row(f"{slow}, p99", "ms", samples["slow p99"], goal=25, goal_is="at most"))
    rows.append(
        row(
            f"{BATCH} a call, 4 appenders",
            "events/s",
            samples["bulk"],
            peer=samples["peer bulk"],
            peer_name=f"{peer.NAME}, {BATCH} a save",
            goal=6,
        )
    )
    rows.append(
        row(
            f"{BATCH} a call, 4 appenders",
            "events/s",
            samples["bulk"],
            peer=samples["unnest"],
            peer_name="bare unnest of 500",
            goal=0.9,
        )
    )
    offered = f"append at {OFFERED_PER_S:,}/s offered"
    for percent, goal in (("p50", 1.5), ("p99", 10)):
        rows.append(
            row(
                f"{offered}, {percent}",
                "ms",
                samples[f"offered {percent}"],
                goal=goal,
                goal_is="at most",
            )
        )
    return rows


def _disk_row(ours: float, payload: float) -> Row:
    return row(
        "disk an event, indexes included",
        "bytes",
        [ours],
        peer=[payload],
        peer_name="its payload",
        goal=1.5,
        goal_is="ratio of at most",
    )
