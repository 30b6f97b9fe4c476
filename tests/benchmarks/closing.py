"""Benchmark `close`: a month of 100,000 orders closed, as `kcjl close MONTH --preview` is run.

The log is the product's own past, 100,000 orders within October 2025: each transaction line is
seen twice, and each 5,000 orders make a payout. Wall clock and processor time are those of the
verb's process with all that it imports; the most that it held is the kernel's account.
The month of 10,000 orders beside it shows what grows.
"""

import resource
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kcjl.clock import real_monotonic
from kcjl.money import Money
from kcjl.settlement.events import BillingCycleSeen, SettlementLineSeen
from kcjl.vocabulary import Event
from tests.benchmarks.history import History, life
from tests.benchmarks.places import Place
from tests.benchmarks.rebuilding import watched
from tests.benchmarks.rows import Row, row

__all__ = ["benchmark"]

MERCHANT = "acme"
MONTH = "2025-10"
SECONDS_APART = 25.5
"""100,000 orders, and their money, fit between the 1st and the 31st."""
EVENTS = {10_000: 400_000, 100_000: 3_320_000}
"""By orders: events up to which the log is written."""
CLOSE_GOAL_S = 60.0
GROWTH_GOAL_MB = 100.0
ENDED = datetime(2025, 11, 1, 12, tzinfo=UTC)

Say = Callable[[str], None]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    """So many previews of each month; the log is written once."""
    rows: list[Row] = []
    least: list[float] = []
    async with place.database() as dsn:
        history = History(dsn, MERCHANT, events=_month())
        for orders, events in EVENTS.items():
            say(f"close: a log of {events:,} events")
            await history.grow(events)
            runs = [await _close(dsn, say) for _ in range(rounds)]
            name = f"a month of {orders:,} orders, {runs[0].lines:,} lines"
            goal = CLOSE_GOAL_S if orders == max(EVENTS) else None
            seconds = [each.seconds for each in runs]
            held = [each.resident_mb for each in runs]
            rows += [
                row(name, "s", seconds, goal=goal, goal_is="at most"),
                row("  processor time of it", "s", [each.processor_s for each in runs]),
                row("  its workbook", "MB", [each.workbook_mb for each in runs]),
                row("  most resident", "MB", held),
            ]
            if least:
                more = [a - b for a, b in zip(held, least, strict=True)]
                rows.append(
                    row(
                        "  more than with a tenth of it",
                        "MB",
                        more,
                        goal=GROWTH_GOAL_MB,
                        goal_is="at most",
                    )
                )
            least = held
    return rows


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    lines: int
    seconds: float
    processor_s: float
    workbook_mb: float
    resident_mb: float


class _Known(msgspec.Struct, frozen=True):
    lines: int


class _Said(msgspec.Struct, frozen=True):
    known: _Known


async def _close(dsn: str, say: Say) -> _Run:
    with tempfile.TemporaryDirectory(prefix="kcjl-close-") as folder:
        used, began = _processor_s(), real_monotonic()
        said, most_mb = await watched(
            dsn, MERCHANT, "close", MONTH, "--preview", "--json", "--out", folder
        )
        run = _Run(
            lines=msgspec.json.decode(said, type=_Said).known.lines,
            seconds=real_monotonic() - began,
            processor_s=_processor_s() - used,
            workbook_mb=_size(folder) / 1e6,
            resident_mb=most_mb,
        )
    say(f"close: {run.seconds:.1f} s, {run.processor_s:.1f} s of processor, {most_mb:.0f} MB")
    return run


def _size(folder: str) -> int:
    return sum(each.stat().st_size for each in Path(folder).glob("*.xlsx"))


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _month() -> Iterator[Event]:
    """The past, with payouts and with each line seen before it is paid."""
    paid: str | None = None
    total = 0
    for event in life(seconds_apart=SECONDS_APART):
        if isinstance(event, SettlementLineSeen):
            if paid not in (None, event.cycle_id):
                yield _payout(paid, total, event.occurred_at)
                total = 0
            paid = event.cycle_id
            total += event.amount.amount_minor
            yield msgspec.structs.replace(event, cycle_id=None)
        yield event


def _payout(cycle_id: str | None, total: int, at: datetime) -> Event:
    return BillingCycleSeen(
        occurred_at=at,
        cycle_id=cycle_id or "",
        currency="GBP",
        amount_to_seller=Money(total),
        amount_to_operator=Money(0),
        payout_state="PAID",
        payout_reference=f"BACS {cycle_id}",
        paid_at=at,
        failure_reason=None,
        voucher=None,
    )
