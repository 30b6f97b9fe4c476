"""Settlement: a million transaction lines, read, tied to their orders and closed in payouts.

The settlement room on a real log, in a process of its own, beside a marketplace that answers at
once: what is counted is the room's reading, judging, tying and closing, with the gaps of each
order and the journals, and the log that keeps them. HTTP and the adapter's JSON are not in it
(benchmark `adapters`); the orders are in the log before the clock starts. An order has two
lines and eight transaction lines; one in twenty is refunded in the next cycle, when it was let
go of. Memory is what the process holds after each cycle. The peer is bare PostgreSQL taking two
rows a line. Last, one cycle is read once more as it was, as the daily sweep does.
"""

import asyncio
import gc
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import anyio.to_thread
import msgspec

from kcjl.clock import SeededIds
from kcjl.collector import settle_collector
from kcjl.database import SERVICE, Database
from kcjl.events import vocabulary
from kcjl.log.lease import acquire
from kcjl.log.port import Draft, Log
from kcjl.log.postgres import PostgresLog
from kcjl.settings import SettlementSettings
from kcjl.settlement.actor import Settlement
from kcjl.settlement.state import CycleState
from kcjl.vocabulary import Event
from tests.benchmarks import bare
from tests.benchmarks.cycles import AccountOfCycles
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Row, row
from tests.clockwork import Clockwork
from tests.outside.erp import Books

__all__ = ["benchmark"]

LINES = 1_000_000
CYCLES = 36
PER_S_MIN = 20_000
GROWTH_MB_MAX = 100
WARM_CYCLES = 4
"""About a hundred thousand lines: what the process holds then is what it may hold."""
MERCHANT = "benchmark"
DRAFTS = 1_000
BARE_S = 3.0
Say = Callable[[str], None]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    lines: int
    cpu_s: float
    wall_s: float
    resident_mb: list[float]
    """After each cycle."""
    swept: int
    sweep_cpu_s: float
    gaps: int


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    """Each round on a database and in a process of its own."""
    found: list[Settled] = []
    peer: list[float] = []
    for number in range(1, rounds + 1):
        async with place.database(migrated=False) as dsn:
            per_s = await bare.unnest_per_s(dsn, size=500, seconds=BARE_S)
            peer.append(per_s / 2)
        async with place.database() as dsn:
            found.append(await anyio.to_thread.run_sync(_alone, dsn))
        last = found[-1]
        say(
            f"settlement: round {number} of {rounds}: {last.lines:,} lines in "
            f"{last.cpu_s:.1f} s of processor, {last.wall_s:.1f} s; {last.gaps:,} gaps; "
            f"{last.resident_mb[0]:.0f} to {max(last.resident_mb):.0f} MB"
        )
    return [
        row(
            f"{found[0].lines:,} lines closed, of the room's CPU time",
            "lines/s",
            [each.lines / each.cpu_s for each in found],
            goal=PER_S_MIN,
            goal_is="at least",
        ),
        row(
            "the same by the clock",
            "lines/s",
            [each.lines / each.wall_s for each in found],
            peer=peer,
            peer_name="bare unnest of 500, two rows a line",
        ),
        row(
            f"memory, more than after {WARM_CYCLES} cycles",
            "MB",
            [max(each.resident_mb) - each.resident_mb[WARM_CYCLES] for each in found],
            goal=GROWTH_MB_MAX,
            goal_is="at most",
        ),
        row("memory, the most after a cycle", "MB", [max(x.resident_mb) for x in found]),
        row(
            "swept, as they were, of CPU time",
            "lines/s",
            [each.swept / each.sweep_cpu_s for each in found],
        ),
    ]


def _alone(dsn: str) -> Settled:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_measured, dsn).result()


def _measured(dsn: str) -> Settled:
    settle_collector()
    return asyncio.run(_year(dsn))


async def _year(dsn: str) -> Settled:
    clock = Clockwork()
    account = AccountOfCycles(clock, lines_a_cycle=LINES // CYCLES)
    async with Database(dsn, role=SERVICE) as database:
        lease = await acquire(database, MERCHANT, "benchmark", ttl_s=36_000)
        async with PostgresLog.open(
            database, MERCHANT, vocabulary(), clock, lease.epoch
        ) as log:
            room = Settlement(
                log,
                clock,
                SeededIds(1),
                marketplace=account,
                ledger=Books(),
                documents=Books(),
                settings=SettlementSettings(),
                opening_accounts={},
                is_working_day=lambda _: True,
            )
            return await _cycles(log, room, account, clock)


async def _cycles(
    log: Log, room: Settlement, account: AccountOfCycles, clock: Clockwork
) -> Settled:
    cpu_s, wall_s, lines = 0.0, 0.0, 0
    resident_mb: list[float] = []
    for _ in range(CYCLES):
        await _say(log, account.sell())
        await room.catch_up()
        clock.tick(timedelta(days=11).total_seconds())
        lines += account.run()
        clock.tick(timedelta(days=1).total_seconds())
        cpu, wall = time.process_time(), time.monotonic()
        await _run(room, "transactions", "cycles", "payouts")
        cpu_s, wall_s = cpu_s + time.process_time() - cpu, wall_s + time.monotonic() - wall
        gc.collect()
        resident_mb.append(_resident_mb())
    clock.tick(timedelta(days=1).total_seconds())
    cpu = time.process_time()
    await _run(room, "transactions")
    sweep_cpu_s = time.process_time() - cpu
    cycles = [*room.cycles.values()]
    if [each.state for each in cycles] != [CycleState.DONE] * CYCLES:
        raise AssertionError(f"{len(cycles)} cycles, not all of them done")
    gaps = sum(each.gaps for x in cycles if x.reconciled for each in x.reconciled.gaps)
    return Settled(
        lines=lines,
        cpu_s=cpu_s,
        wall_s=wall_s,
        resident_mb=resident_mb,
        swept=len(account.lines),
        sweep_cpu_s=sweep_cpu_s,
        gaps=gaps,
    )


async def _say(log: Log, events: list[Event]) -> None:
    for start in range(0, len(events), DRAFTS):
        chunk = events[start : start + DRAFTS]
        await log.append([Draft(event=x, by="orders", correlation_id="day") for x in chunk])


async def _run(room: Settlement, *names: str) -> None:
    jobs = {job.name: job for job in room.jobs}
    for name in names:
        await jobs[name].run()


def _resident_mb() -> float:
    status = Path(f"/proc/{os.getpid()}/status").read_text(encoding="ascii")
    return int(next(x for x in status.splitlines() if x.startswith("VmRSS:")).split()[1]) / 1024
