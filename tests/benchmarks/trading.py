"""Real trade: ten months of a retailer's invoices, dirty rows and all, each accounted for.

Week by week, each in a world and a process of its own, so that memory is one week's; between
two weeks nothing is carried over. No peer: it is a proof, and what it took is told besides.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import anyio
import msgspec

from kcjl.embedded import Embedded
from tests.benchmarks.real_trade import Told
from tests.benchmarks.rows import Row, row

__all__ = ["benchmark"]

FIRST_DAY, LAST_DAY, WEEK = date(2010, 12, 1), date(2011, 9, 30), 7
ROOT = Path(__file__).parents[2]


async def benchmark(_server: Embedded, *, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Once, whatever `rounds` says: it is the same each time."""
    del rounds
    weeks = [await _week(first, days, say) for first, days in _weeks()]
    fates = Counter[str]()
    for week in weeks:
        fates.update(week.fates)
    for fate, number in sorted(fates.items()):
        say(f"{number:>7,}  {fate}")
    orders = sum(week.orders for week in weeks)
    return [
        row("invoices of ten months", "invoices", [float(sum(w.invoices for w in weeks))]),
        row("orders of the marketplace", "orders", [float(orders)]),
        row(
            "invoices that nothing explains",
            "invoices",
            [float(sum(len(week.unexplained) for week in weeks))],
            goal=0.0,
            goal_is="at most",
        ),
        row(
            "laws broken",
            "findings",
            [float(sum(len(week.broken) for week in weeks))],
            goal=0.0,
            goal_is="at most",
        ),
        row(
            "work an order, worlds and laws too",
            "ms",
            [sum(week.processor_s for week in weeks) * 1000 / orders],
        ),
    ]


def _weeks() -> list[tuple[date, int]]:
    days = (LAST_DAY - FIRST_DAY).days + 1
    return [
        (FIRST_DAY + timedelta(days=start), min(WEEK, days - start))
        for start in range(0, days, WEEK)
    ]


async def _week(first: date, days: int, say: Callable[[str], None]) -> Told:
    done = await anyio.run_process(
        [sys.executable, "-m", "tests.benchmarks.real_trade", first.isoformat(), str(days)],
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    week = msgspec.json.decode(done.stdout, type=Told)
    say(
        f"{first}: {week.invoices} invoices, {week.orders} orders, {len(week.broken)} broken, "
        f"{len(week.unexplained)} unexplained, {week.processor_s:.0f} s"
    )
    return week
