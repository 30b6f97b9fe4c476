"""Benchmark `stock`: 100,000 SKUs, from a level that was read to a figure that is shown.

A merchant's rooms in a process of their own, their log in PostgreSQL; both systems are the
sandbox's, over real HTTP, in another process (`many.py`). A shop is opened from nothing; then,
30 times, other channels sell of a thousand SKUs, and what is left is read, worked out, sent as
one import and followed to its end. Then midnight, when every figure is worked out again; then a
new policy, under which every figure moves. Waiting takes no time: pauses that the call limits
force are not in it, what the outside takes to answer is. Ours is the process's CPU time.
"""

import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence

import anyio
import msgspec

from tests.benchmarks.many import SKUS, serving
from tests.benchmarks.places import Place
from tests.benchmarks.rebuilding import ROOT
from tests.benchmarks.rows import Row, row
from tests.benchmarks.stocker import CHANGED, CYCLES, Measured, Took

__all__ = ["benchmark"]

SENT_S, RECOMPUTED_S, LAG_S, STALL_MS, MEMORY_MB = 1.0, 3.0, 1.0, 50.0, 400.0
MS = 1_000


async def benchmark(place: Place, *, rounds: int, say: Callable[[str], None]) -> list[Row]:
    runs: list[Measured] = []
    for number in range(1, rounds + 1):
        say(f"stock: round {number} of {rounds}")
        async with place.database() as dsn:
            with serving() as doors:
                command = [sys.executable, "-m", "tests.benchmarks.stocker"]
                told = msgspec.json.encode(doors).decode()
                ended = await anyio.run_process(
                    [*command, dsn, told], cwd=ROOT, stderr=None, env={**os.environ}
                )
        run = msgspec.json.decode(ended.stdout.splitlines()[-1], type=Measured)
        # A lag that was measured anew moves some speed buffers: imports of their own.
        if run.imports < CYCLES:
            raise AssertionError(f"{CYCLES} changes went in {run.imports} imports")
        runs.append(run)
    return _rows(runs)


def _rows(runs: Sequence[Measured]) -> list[Row]:
    changed, lag = f"{CHANGED:,} of {SKUS:,} changed", "read to acknowledged"
    stalls = [max(each.midnight.stalled_s, each.policy.stalled_s) * MS for each in runs]
    return [
        _below(f"{changed}: worked out and sent", "s", _worst(runs, _sent_cpu_s), SENT_S),
        row("  the same, on the wall", "s", _worst(runs, lambda run, n: run.sends[n].wall_s)),
        row("  half of them within", "s", [_half(run.sends) for run in runs]),
        row("  nine of ten within", "s", [_share(0.9, map(_cpu_s, run.sends)) for run in runs]),
        row(f"{changed}: read", "s", _worst(runs, lambda run, n: run.reads[n].cpu_s)),
        row("  half of them within", "s", [_half(run.reads) for run in runs]),
        row("  nine of ten within", "s", [_share(0.9, map(_cpu_s, run.reads)) for run in runs]),
        _below(f"{lag}, p99, our CPU", "s", [_lag(0.99, run, _cpu_s) for run in runs], LAG_S),
        row("  half of them within", "s", [_lag(0.5, run, _cpu_s) for run in runs]),
        row("  nine of ten within", "s", [_lag(0.9, run, _cpu_s) for run in runs]),
        row(f"{lag}, p99, on the wall", "s", [_lag(0.99, run, _wall_s) for run in runs]),
        row(
            "an import while all differ, the worst",
            "s",
            [max(each.cpu_s for each in run.opening_imports[1:]) for run in runs],
        ),
        _below(
            f"midnight: {SKUS:,} SKUs again",
            "s",
            [r.midnight.cpu_s for r in runs],
            RECOMPUTED_S,
        ),
        _below(
            "midnight: longest stall", "ms", [r.midnight.stalled_s * MS for r in runs], STALL_MS
        ),
        row(f"a policy moves {SKUS:,} figures", "s", [r.policy.cpu_s for r in runs]),
        row("  longest stall of both", "ms", stalls),
        _below("resident, at the end", "MB", [r.resident_mb for r in runs], MEMORY_MB),
        row("resident, most while it opened", "MB", [r.opened_mb for r in runs]),
    ]


def _below(name: str, unit: str, samples: Sequence[float], goal: float) -> Row:
    return row(name, unit, samples, goal=goal, goal_is="at most")


def _worst(runs: Sequence[Measured], of: Callable[[Measured, int], float]) -> list[float]:
    return [max(of(run, number) for number in range(CYCLES)) for run in runs]


def _sent_cpu_s(run: Measured, number: int) -> float:
    return run.sends[number].cpu_s


def _lag(share: float, run: Measured, of: Callable[[Took], float]) -> float:
    """From the read's beginning until the import was seen to have ended, so many cycles of all
    within it. What the outside forces is not in our processor's time: its answers, its limits.
    """
    parts = zip(run.reads, run.sends, run.follows, strict=True)
    return _share(share, (sum(of(each) for each in cycle) for cycle in parts))


def _half(took: Sequence[Took]) -> float:
    return _share(0.5, map(_cpu_s, took))


def _share(share: float, took: Iterable[float]) -> float:
    inorder = sorted(took)
    return inorder[math.ceil(len(inorder) * share) - 1]


def _cpu_s(took: Took) -> float:
    return took.cpu_s


def _wall_s(took: Took) -> float:
    return took.wall_s
