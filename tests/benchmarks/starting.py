"""Benchmark `start`: a merchant's rooms ready to work, with a million events in the log.

A process of its own, from the moment when it is asked for: Python, imports, lease, log, the
snapshots of all five rooms, and the fold of what came after them: as many events as there ever
are between two snapshots. And the same without snapshots, once: every room folds the whole log.
The outside is in memory: what the marketplace and the ERP take to answer is not in it.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Callable

import anyio
import msgspec

from kcjl.clock import real_monotonic
from kcjl.snapshots import EVENTS_BETWEEN_MIN
from tests.benchmarks.history import History
from tests.benchmarks.places import Place
from tests.benchmarks.projecting import MERCHANT
from tests.benchmarks.rebuilding import ROOT
from tests.benchmarks.rows import Row, row
from tests.benchmarks.starter import Started

__all__ = ["benchmark"]

EVENTS = 1_000_000
GOAL_S = 2.0
ROOMS = 6
Say = Callable[[str], None]
Samples = defaultdict[str, list[float]]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    samples: Samples = defaultdict(list)
    async with place.database() as dsn:
        history = History(dsn, MERCHANT)
        say(f"start: writing {EVENTS:,} events")
        await history.grow(EVENTS - EVENTS_BETWEEN_MIN)
        say("start: taking snapshots")
        await _start(dsn, "take", defaultdict(list))
        await history.grow(EVENTS)
        for number in range(1, rounds + 1):
            say(f"start: round {number} of {rounds}")
            started = await _start(dsn, "with", samples)
            if len(started.loaded) != ROOMS:
                raise AssertionError(f"not every room had its snapshot: {started.loaded}")
        say("start: without snapshots, once")
        await _start(dsn, "without", samples)
    return [
        row(
            f"start, {EVENTS:,} events, snapshots",
            "s",
            samples["with"],
            goal=GOAL_S,
            goal_is="at most",
        ),
        row("  of it, after Python itself has begun", "s", samples["with, inside"]),
        row("start without snapshots, once", "s", samples["without"]),
    ]


async def _start(dsn: str, how: str, samples: Samples) -> Started:
    command = [sys.executable, "-m", "tests.benchmarks.starter", dsn, MERCHANT, how]
    began = real_monotonic()
    ended = await anyio.run_process(command, cwd=ROOT, stderr=None, env={**os.environ})
    took = real_monotonic() - began
    last = ended.stdout.splitlines()[-1]  # after the log lines of a start
    started = msgspec.json.decode(last, type=Started)
    samples[how].append(took)
    samples[f"{how}, inside"].append(started.seconds)
    return started
