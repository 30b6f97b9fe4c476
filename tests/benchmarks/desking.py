"""Benchmark `desk`: a day with 10,000 orders that fail: one storm, and lists that stay quick.

Ten thousand orders are refused by the ERP within minutes, beside forty other exceptions. The
desk judges each (law 3: 10,000 exceptions), the storm is one event; then the desk's list, the
kind opened out, one order's exceptions, the monitor's overview and a preview in bulk are timed,
warm, each as one call of what the CLI and the monitor call. The log and the lists are in
PostgreSQL; judging runs through the desk itself, one commit an exception, as in the service.
"""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

import asyncpg

from kcjl.clock import SeededIds, real_monotonic
from kcjl.database import AUDITOR, Database
from kcjl.exceptions.actor import Desk
from kcjl.exceptions.desk_events import StormBegan
from kcjl.exceptions.events import ExceptionRaised
from kcjl.exceptions.words import Wanted, chosen
from kcjl.projections.deskreading import DeskRows
from kcjl.projections.reading import PostgresReadModels
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Row, row
from tests.trade import ordered, received, refused, unmatched

__all__ = ["benchmark"]

ORDERS = 10_000
OTHERS = 40
SHOWN = 100
LIST_MS_GOAL = 100.0
TIMES = 20
Say = Callable[[str], None]
Samples = defaultdict[str, list[float]]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    samples: Samples = defaultdict(list)
    for number in range(1, rounds + 1):
        say(f"desk: round {number} of {rounds}: {ORDERS:,} orders fail")
        async with place.database() as dsn, handmade(dsn) as made:
            await _fail(made, samples)
            await _analyze(dsn)
            async with Database(dsn, role=AUDITOR) as database:
                await _look(database, made, samples)
    return [
        row("an exception judged, our process", "ms CPU", samples["judged"]),
        row(
            "exceptions of the storm's kind",
            "rows",
            samples["raised"],
            goal=ORDERS,
            goal_is="at least",
        ),
        row("storms", "events", samples["storms"], goal=1, goal_is="at most"),
        *(
            row(name, "ms", samples[name], goal=LIST_MS_GOAL, goal_is="at most")
            for name in LOOKS
        ),
        row("a bulk preview in the desk", "ms", samples["preview"]),
    ]


async def _fail(made: Handmade, samples: Samples) -> None:
    for first in range(0, ORDERS, 500):
        orders = [
            received(f"O{number:05d}", ordered(f"O{number:05d}-1", f"A-{number % 50}"))
            for number in range(first, first + 500)
        ]
        await made.append(*orders, *(refused(order) for order in orders))
    await made.append(*(unmatched(f"S-{number}") for number in range(OTHERS)))
    desk = Desk(made.log, made.clock, SeededIds(1))
    await desk.catch_up()
    judge = next(job for job in desk.jobs if job.name == "judge")
    began = time.process_time()
    await judge.run()
    samples["judged"].append((time.process_time() - began) * 1_000 / (ORDERS + OTHERS))
    began = real_monotonic()
    chosen(desk.open.values(), Wanted(kind="posting_refused"))
    samples["preview"].append((real_monotonic() - began) * 1_000)
    await made.fold()
    events = [each.event async for page in made.log.read() for each in page]
    storms = [each for each in events if isinstance(each, StormBegan)]
    raised = [each for each in events if isinstance(each, ExceptionRaised)]
    samples["storms"].append(len(storms))
    samples["raised"].append(sum(each.kind == "posting_refused" for each in raised))


async def _analyze(dsn: str) -> None:
    """As the server does by itself within minutes; only the owner may."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("analyze projection_row, projection_checkpoint")
    finally:
        await connection.close()


async def _look(database: Database, made: Handmade, samples: Samples) -> None:
    rows = DeskRows(database, MERCHANT)
    models = PostgresReadModels(database, MERCHANT, made.clock)
    looks: dict[str, Callable[[], Awaitable[object]]] = {
        "the desk's list": lambda: rows.list(Wanted(), state="open", limit=SHOWN),
        "the storm opened out": lambda: rows.list(
            Wanted(kind="posting_refused"), state="open", limit=SHOWN
        ),
        "one order's exceptions": lambda: rows.list(
            Wanted(subject="O07777"), state="open", limit=SHOWN
        ),
        "the monitor's overview": models.overview,
    }
    for name in LOOKS:
        await looks[name]()
        began = real_monotonic()
        for _ in range(TIMES):
            await looks[name]()
        samples[name].append((real_monotonic() - began) * 1_000 / TIMES)


LOOKS = (
    "the desk's list",
    "the storm opened out",
    "one order's exceptions",
    "the monitor's overview",
)
