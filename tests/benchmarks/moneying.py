"""Money: ten months of a retailer's trade; what the orders should have brought is what came.

Month by month, each in a world and a process of its own; at rest everything is read, and what
no cycle has paid yet is unpaid. No peer: it is a proof, and what it took is told besides.
"""

import subprocess
import sys
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from pathlib import Path

import anyio
import msgspec

from kcjl.embedded import Embedded
from tests.benchmarks.real_money import Paid
from tests.benchmarks.real_trade import TRADE_FILE
from tests.benchmarks.rows import Row, row

__all__ = ["benchmark"]

MONTHS = (*((2010, 12),), *((2011, month) for month in range(1, 10)))
ROOT = Path(__file__).parents[2]


async def benchmark(_server: Embedded, *, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Once, whatever `rounds` says: it is the same each time."""
    del rounds
    if not TRADE_FILE.is_file():
        say(f"money: skipped, there is no {TRADE_FILE.name} (KCJL_SHARED says where it is)")
        return []
    paid = [await _month(date(year, month, 1), say) for year, month in MONTHS]
    off = [abs(each.off) for x in paid for each in x.months.values()]
    return [
        row("orders of ten months", "orders", [float(sum(x.orders for x in paid))]),
        row("transaction lines", "lines", [float(sum(x.lines for x in paid))]),
        row("payouts closed", "payouts", [float(sum(x.payouts for x in paid))]),
        row("transferred", "pounds", [sum(x.transferred for x in paid) / 100]),
        row("gaps, each with its pence", "gaps", [float(sum(x.gaps for x in paid))]),
        row(
            "pence between what came and what should have, in a month at most",
            "pence",
            [float(max(off))],
            goal=0.0,
            goal_is="at most",
        ),
        row(
            "laws broken",
            "findings",
            [float(sum(len(x.broken) for x in paid))],
            goal=0.0,
            goal_is="at most",
        ),
    ]


async def _month(first: date, say: Callable[[str], None]) -> Paid:
    _, days = monthrange(first.year, first.month)
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.real_money",
        first.isoformat(),
        str(days),
    ]
    done = await anyio.run_process(command, stderr=subprocess.PIPE, cwd=ROOT)
    paid = msgspec.json.decode(done.stdout, type=Paid)
    for month, each in paid.months.items():
        say(
            f"{first:%Y-%m}, money of {month}: sold {each.sold / 100:,.2f}, fees "
            f"{each.fees / 100:,.2f}, refunds {each.refunds / 100:,.2f}; payouts "
            f"{each.payouts / 100:,.2f}, unpaid {each.unpaid / 100:,.2f}, gaps "
            f"{each.gaps / 100:,.2f}: off by {each.off}"
        )
    say(f"{first:%Y-%m}: {paid.orders} orders, {paid.processor_s:.0f} s; {paid.broken[:2]}")
    return paid
