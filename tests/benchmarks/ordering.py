"""Orders: ten thousand in one morning, from the marketplace into an ERP at 300 ms a call.

A child process counts its own processor time on a virtual clock (morning.py): what the machine
does besides changes little. An order is late when it is in the ERP after its shipping deadline;
the bound is the soonest deadline first, with the ERP never idle. The adapters' work on a call
is `adapters`, the log's on PostgreSQL is `log`.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import msgspec

from kcjl.actors import WARM
from kcjl.embedded import Embedded
from tests.benchmarks.rows import Row, row

__all__ = ["ERP_CALL_S", "Morning", "benchmark"]

ORDERS = 10_000
ERP_CALL_S = 0.3
OVERHEAD_MS = 20.0
ENDED = 20_000
UNPACKED = 1_000_000
"""Entries kept as they are: more than there are."""
ROOT = Path(__file__).parents[2]


class Morning(msgspec.Struct, frozen=True, kw_only=True):
    """What the child says of one run; seconds are the processor's."""

    orders: int
    events: int
    processor_s: float
    erp_calls: int
    late: int
    unavoidably_late: int
    """By the best order of posting there is."""
    lasted_h: float
    memory_kb: list[int]
    """What the process held before the first order, after each quarter of them, and at the end;
    all of the log is in it, since the log is in memory here."""
    log_kb: int
    """Of the log as JSON."""
    log_held_kb: int
    """Of the log in memory: what the process grew by when a second copy of it was made."""


async def benchmark(_server: Embedded, *, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Each round another seed."""
    mornings = [await _measure(seed, say) for seed in range(1, rounds + 1)]
    packed = [await _held_kb(WARM) for _ in range(rounds)]
    unpacked = [await _held_kb(UNPACKED) for _ in range(rounds)]
    last_quarter = [each.memory_kb[-1] - each.memory_kb[-2] for each in mornings]
    second_quarter = [each.memory_kb[2] - each.memory_kb[1] for each in mornings]
    return [
        row(
            "our own work an order",
            "ms",
            [each.processor_s * 1000 / each.orders for each in mornings],
            goal=OVERHEAD_MS,
            goal_is="at most",
        ),
        row(
            "late, and need not have been",
            "orders",
            [max(each.late - each.unavoidably_late, 0) for each in mornings],
            goal=0.0,
            goal_is="at most",
        ),
        row("calls of the ERP an order", "calls", [x.erp_calls / x.orders for x in mornings]),
        row("until all were in the ERP", "hours", [each.lasted_h for each in mornings]),
        row(
            "memory of an order, without the log",
            "KB",
            [(x.memory_kb[-1] - x.memory_kb[0] - x.log_held_kb) / x.orders for x in mornings],
        ),
        row(
            "memory of a quarter, log and all",
            "KB",
            last_quarter,
            peer=second_quarter,
            peer_name="an earlier quarter",
        ),
        row(
            "memory of an order that has ended, in its rooms",
            "KB",
            packed,
            peer=unpacked,
            peer_name="nothing packed",
        ),
    ]


async def _held_kb(warm: int) -> float:
    child = [sys.executable, "-m", "tests.benchmarks.ended", str(ENDED), str(warm)]
    return float((await anyio.run_process(child, stderr=None, cwd=ROOT)).stdout)


async def _measure(seed: int, say: Callable[[str], None]) -> Morning:
    done = await anyio.run_process(
        [sys.executable, "-m", "tests.benchmarks.morning", str(ORDERS), str(seed)],
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    found = msgspec.json.decode(done.stdout, type=Morning)
    say(
        f"seed {seed}: {found.orders} orders, {found.events} events in {found.processor_s:.1f} "
        f"s of work; {found.late} late, {found.unavoidably_late} at best"
    )
    return found
