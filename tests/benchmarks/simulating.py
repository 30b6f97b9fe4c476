"""The simulation: simulated days a second on one core, one merchant, 200 orders a day.

A child process runs calm days and counts its own processor time: what the machine does besides
changes little. With faults it is measured too, without a goal. The service's usual polls; the
time of the laws' checks is left out of the first figure and is a row of its own.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import msgspec

from kcjl.embedded import Embedded
from tests.benchmarks.rows import Row, row

__all__ = ["benchmark"]

DAYS_A_SECOND = 5.0
SEED = 1
ROOT = Path(__file__).parents[2]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What the child says of one run; seconds are the processor's."""

    days: float
    orders: int
    events: int
    run_s: float
    judged_s: float


async def benchmark(_server: Embedded, *, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Each round another seed."""
    calm = [await _measure(seed, say) for seed in range(SEED, SEED + rounds)]
    return [
        row(
            "a merchant's days, 200 orders each",
            "days/s",
            [each.days / each.run_s for each in calm],
            goal=DAYS_A_SECOND,
            goal_is="at least",
        ),
        row("its events", "events/s", [each.events / each.run_s for each in calm]),
        row("the laws, of a day", "s", [each.judged_s / each.days for each in calm]),
    ]


async def _measure(seed: int, say: Callable[[str], None]) -> Measured:
    done = await anyio.run_process(
        [sys.executable, "-m", "tests.benchmarks.simulated_days", str(seed)],
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    found = msgspec.json.decode(done.stdout, type=Measured)
    say(f"seed {seed}: {found.days:.1f} days, {found.orders} orders in {found.run_s:.2f} s")
    return found
