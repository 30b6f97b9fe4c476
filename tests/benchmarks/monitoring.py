"""Benchmark `tui`: what the monitor's operator waits for, with a million events in the log.

First paint, first figures, and each key until what it does is drawn, while a thousand events a
second are added to the log; on a terminal without glass: the terminal's own time is not in it.
Another time is the benchmark `timetravel`.
"""

import sys
from collections.abc import Callable

import anyio
import msgspec

from kcjl.clock import real_sleep
from tests.benchmarks.glass import Seen
from tests.benchmarks.history import History
from tests.benchmarks.places import Place
from tests.benchmarks.projecting import MERCHANT
from tests.benchmarks.rebuilding import ROOT, rebuild
from tests.benchmarks.rows import Row, row

__all__ = ["benchmark"]

EVENTS = 1_000_000
EVENTS_A_SECOND = 1_000
PAINT_GOAL_S = 0.3
KEY_GOAL_S = 0.05
RESIDENT_GOAL_MB = 200
Say = Callable[[str], None]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    seen: list[Seen] = []
    async with place.database() as dsn:
        history = History(dsn, MERCHANT)
        say(f"tui: writing {EVENTS:,} events")
        await history.grow(EVENTS)
        say("tui: folding them")
        await rebuild(dsn, MERCHANT)
        trade = _Trade(history)
        for number in range(1, rounds + 1):
            say(f"tui: round {number} of {rounds}")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(trade.go_on)
                seen.append(await _watch(dsn))
                trade.over = True
    keys = [sorted(each.keys_s) for each in seen]
    return [
        row(
            "first paint",
            "s",
            [each.painted_s for each in seen],
            goal=PAINT_GOAL_S,
            goal_is="at most",
        ),
        row("first figures", "s", [each.figures_s for each in seen]),
        row("a key, half of them", "s", [each[len(each) // 2] for each in keys]),
        row(
            "a key, p99",
            "s",
            [each[len(each) * 99 // 100] for each in keys],
            goal=KEY_GOAL_S,
            goal_is="at most",
        ),
        row(
            "resident",
            "MB",
            [each.resident_mb for each in seen],
            goal=RESIDENT_GOAL_MB,
            goal_is="at most",
        ),
    ]


class _Trade:
    """A thousand events a second, until it is over."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._written = EVENTS
        self.over = False

    async def go_on(self) -> None:
        self.over = False
        while not self.over:
            self._written += EVENTS_A_SECOND
            await self._history.grow(self._written)
            await real_sleep(1.0)


async def _watch(dsn: str) -> Seen:
    command = [sys.executable, "-m", "tests.benchmarks.glass", dsn, MERCHANT]
    ended = await anyio.run_process(command, cwd=ROOT, stderr=None)
    return msgspec.json.decode(ended.stdout.splitlines()[-1], type=Seen)
