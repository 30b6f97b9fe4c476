"""Benchmark `memory`: the resident memory of a rebuild, from 100,000 to 5,000,000 events.

The most that `kcjl log rebuild NAME` held, by the kernel's account, of a log of each size. It
takes some four minutes: most of them to write the log. The log has 5,000 products throughout,
and orders and settlement lines in proportion to its length.
"""

from collections import defaultdict
from collections.abc import Callable

from tests.benchmarks.history import History
from tests.benchmarks.places import Place
from tests.benchmarks.projecting import MERCHANT, RESIDENT_GOAL_MB
from tests.benchmarks.rebuilding import rebuild
from tests.benchmarks.rows import Row, row

__all__ = ["benchmark"]

SIZES = (100_000, 1_000_000, 5_000_000)
NAMES = ("stock", "orders", "settlement_lines")
Say = Callable[[str], None]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    """So many rebuilds of each size; the log is written once."""
    resident: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    said: dict[tuple[str, int], str] = {}
    rates: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    async with place.database() as dsn:
        history = History(dsn, MERCHANT)
        for events in SIZES:
            say(f"memory: a log of {events:,} events")
            await history.grow(events)
            for name in NAMES * rounds:
                done = await rebuild(dsn, MERCHANT, name)
                resident[name, events].append(done.resident_mb)
                rates[name, events].append(done.per_s)
                said[name, events] = f"rebuild of {name}, {events:,} events, {done.rows:,} rows"
    rows = []
    for name in NAMES:
        least = resident[name, SIZES[0]]
        for events in SIZES:
            each = (name, events)
            rows.append(row(said[each], "MB", resident[each]))
            rows.append(row("  its rate", "events/s", rates[each]))
            if events != SIZES[0]:
                rows.append(
                    row(
                        f"  more than with {SIZES[0]:,} events",
                        "MB",
                        [a - b for a, b in zip(resident[each], least, strict=True)],
                        goal=RESIDENT_GOAL_MB,
                        goal_is="at most",
                    )
                )
    return rows
