"""Benchmark `timetravel`: read models as of anywhere in a million events, and what that costs.

A merchant's past in the product's vocabulary, with an exception now and then. A process of its
own asks at twenty positions drawn anew each round: the time to the overview, to the first list
of each read model after it, a step of one event each way, and the most memory that it held, as
the kernel keeps it. Beside it the fold of the same from the first event. Then what keyframes
take: events a second, and bytes on disk.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from time import process_time
from typing import Any

import anyio
import anyio.to_thread
import asyncpg

from kcjl.clock import chance, real_monotonic
from kcjl.collector import settle_collector
from kcjl.database import AUDITOR, SERVICE, Database
from kcjl.events import vocabulary
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.log.postgres import PostgresLogReader
from kcjl.money import Money
from kcjl.projections.asof import fold_log
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.keyframes import KEYFRAME_EVENTS, KeyframeKeeper
from kcjl.projections.orderreading import OrderRows
from kcjl.projections.payoutreading import PayoutRows
from kcjl.projections.reading import PostgresReadModels
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.stockreading import StockRows
from kcjl.projections.store import PostgresRows
from kcjl.projections.timingreading import TimingRows
from kcjl.vocabulary import Event
from tests.benchmarks.history import History, life
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Row, row

__all__ = ["MERCHANT", "benchmark", "troubled", "write"]

EVENTS = 1_000_000
RUNNER_EVENTS = 200_000
POSITIONS = 20
PROCESS_S = 600.0
MERCHANT = "acme"
EVENTS_AN_EXCEPTION = 250
GOAL_S = 1.0
STEP_GOAL_MS = 50
MEMORY_GOAL_MB = 200
SINCE = datetime(2025, 10, 8, tzinfo=UTC)
Say = Callable[[str], None]
Samples = defaultdict[str, list[float]]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    samples: Samples = defaultdict(list)
    async with place.database() as dsn:
        await write(dsn, EVENTS, say=say)
        await _keep(dsn, samples, say=say)
        await place.checkpoint()
        for number in range(1, rounds + 1):
            say(f"timetravel: round {number} of {rounds}")
            await anyio.to_thread.run_sync(_ask_in_process, dsn, number, samples)
            await _fold(dsn, number, samples)
    await _runner(place, rounds, samples, say=say)
    return _rows(samples)


async def write(dsn: str, events: int, *, say: Say) -> None:
    """A past of so many events."""
    say(f"timetravel: writing {events:,} events")
    await History(dsn, MERCHANT, events=troubled(life())).grow(events)


def troubled(events: Iterator[Event]) -> Iterator[Event]:
    """With an exception now and then; three of four are cleared some time after."""
    open_ones: list[ExceptionRaised] = []
    for number, event in enumerate(events):
        yield event
        if number % EVENTS_AN_EXCEPTION == 0:
            open_ones.append(_raised(number, event.occurred_at))
            yield open_ones[-1]
        if number % EVENTS_AN_EXCEPTION == 100 and len(open_ones) > 20 and number % 1_000 > 250:
            gone = open_ones.pop(len(open_ones) // 2)
            yield ExceptionCleared(
                kind=gone.kind,
                subject=gone.subject,
                reason="it is fine",
                occurred_at=event.occurred_at,
            )


def _raised(number: int, at: datetime) -> ExceptionRaised:
    return ExceptionRaised(
        kind=("order_held", "tracking_missing")[number // EVENTS_AN_EXCEPTION % 2],
        subject=f"70{number:08d}-A",
        severity="high",
        message=f"order {number} waits",
        next_step="do something about it",
        owner="operations",
        money_at_risk=Money(1_999),
        deadline=at + timedelta(hours=4),
        occurred_at=at,
    )


async def _keep(dsn: str, samples: Samples, *, say: Say) -> None:
    """All keyframes, once, and what they take on disk beside the log and the rows."""
    say("timetravel: folding the live rows, and making the keyframes")
    async with Database(dsn, role=SERVICE) as database:
        log = PostgresLogReader(database, MERCHANT, vocabulary())
        began = real_monotonic()
        await ProjectionRunner(log, PostgresRows(database, MERCHANT), PROJECTIONS).catch_up()
        samples["live/s"].append(EVENTS / (real_monotonic() - began))
        began = real_monotonic()
        await KeyframeKeeper(database, dsn, MERCHANT, vocabulary(), PROJECTIONS).make()
        samples["keyframes/s"].append(EVENTS / (real_monotonic() - began))
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("vacuum analyze", timeout=600)
        for name, tables in (
            ("keyframes", ("keyframe", "keyframe_row", "keyframe_state")),
            ("log", ("event",)),
            ("rows", ("projection_row",)),
        ):
            sizes = [
                await connection.fetchval("select pg_total_relation_size($1::regclass)", table)
                for table in tables
            ]
            samples[f"{name} on disk"].append(sum(sizes) / 1024 / 1024)
    finally:
        await connection.close()


# ── asking ──────────────────────────────────────────────────────────────────────────────────


def _ask_in_process(dsn: str, number: int, samples: Samples) -> None:
    context = get_context("spawn")
    answers: SimpleQueue[dict[str, list[float]]] = context.SimpleQueue()
    process = context.Process(target=_ask, args=(dsn, number, answers))
    process.start()
    found = answers.get()
    process.join(PROCESS_S)
    for name, values in found.items():
        samples[name] += values


def _ask(dsn: str, number: int, answers: "SimpleQueue[dict[str, list[float]]]") -> None:
    settle_collector()
    answers.put(anyio.run(_asked, dsn, number))


async def _asked(dsn: str, number: int) -> dict[str, list[float]]:
    found: Samples = defaultdict(list)
    async with (
        Database(dsn, role=AUDITOR) as database,
        AsOfDatabase(dsn, MERCHANT, vocabulary(), PROJECTIONS) as past,
    ):
        log = PostgresLogReader(database, MERCHANT, vocabulary())
        head = (await log.head()).position
        await past.move(1)  # connected, as the monitor is
        for position in _positions(number, head):
            began = real_monotonic()
            await past.move(position)
            found["jump"].append(real_monotonic() - began)
            models = PostgresReadModels(past, MERCHANT, await past.clock())
            await models.overview()
            found["overview"].append(real_monotonic() - began)
            for name, first in _lists(past, models):
                asked = real_monotonic()
                await anext(first, None)
                found[f"list of {name}"].append(real_monotonic() - asked)
            for step in (-1, 1, -1, -1, 1, 1, 1):
                if 1 <= past.position + step <= head:
                    asked = real_monotonic()
                    await past.move(past.position + step)
                    found["step"].append((real_monotonic() - asked) * 1_000)
    found["memory"].append(_most_mb())
    return found


def _positions(number: int, head: int) -> list[int]:
    """The last before a keyframe is the furthest from one."""
    luck = chance(f"timetravel {number}")
    drawn = [luck.randrange(1, head + 1) for _ in range(POSITIONS - 2)]
    return [*drawn, KEYFRAME_EVENTS * luck.randrange(80, 100) - 1, head]


def _lists(
    past: AsOfDatabase, models: PostgresReadModels
) -> Iterator[tuple[str, AsyncIterator[Any]]]:
    payouts = PayoutRows(past, MERCHANT)
    yield "stock", StockRows(past, MERCHANT).products()
    yield "orders", OrderRows(past, MERCHANT).orders([])
    yield "timings", TimingRows(past, MERCHANT).placed(SINCE)
    yield "settlement lines", payouts.lines("cycle-1")
    yield "exceptions", _once(models.exceptions)
    yield "events", _once(models.events)


async def _once(ask: Callable[[], Any]) -> AsyncIterator[Any]:
    yield await ask()


def _most_mb() -> float:
    status = Path("/proc/self/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


# ── beside it ───────────────────────────────────────────────────────────────────────────────


async def _fold(dsn: str, number: int, samples: Samples) -> None:
    """From the first event, in memory, one position: as `kcjl log state` did."""
    async with Database(dsn, role=AUDITOR) as database:
        log = PostgresLogReader(database, MERCHANT, vocabulary())
        position = _positions(number, EVENTS)[0]
        began = real_monotonic()
        await fold_log(log, PROJECTIONS, to=position)
        samples["fold"].append(real_monotonic() - began)


async def _runner(place: Place, rounds: int, samples: Samples, *, say: Say) -> None:
    """Of a new log, folded live without the job and with it, in turns; then the job's own."""
    say(f"timetravel: {RUNNER_EVENTS:,} events folded live, with the job and without")
    async with place.database() as dsn:
        await write(dsn, RUNNER_EVENTS, say=lambda _: None)
        for number in range(rounds):
            for keeping in (number % 2 == 0, number % 2 == 1):
                await _clear(dsn)
                rate = await _live(dsn, keeping=keeping)
                samples["runner beside" if keeping else "runner"].append(rate)
            began = process_time()
            async with Database(dsn, role=SERVICE) as database:
                await KeyframeKeeper(database, dsn, MERCHANT, vocabulary(), PROJECTIONS).make()
            samples["keeper cpu"].append((process_time() - began) * 1e6 / RUNNER_EVENTS)


async def _clear(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "truncate projection_row, projection_checkpoint, keyframe, keyframe_row, keyframe_state"
    )
    await connection.close()


async def _live(dsn: str, *, keeping: bool) -> float:
    """Events a second of the runner, from the first one on."""
    async with Database(dsn, role=SERVICE) as database:
        log = PostgresLogReader(database, MERCHANT, vocabulary())
        runner = ProjectionRunner(log, PostgresRows(database, MERCHANT), PROJECTIONS)
        keeper = KeyframeKeeper(database, dsn, MERCHANT, vocabulary(), PROJECTIONS)
        async with anyio.create_task_group() as group:
            if keeping:
                group.start_soon(keeper.run, log.head)
            began = real_monotonic()
            await runner.catch_up()
            seconds = real_monotonic() - began
            group.cancel_scope.cancel()
    return RUNNER_EVENTS / seconds


def _rows(samples: Samples) -> list[Row]:
    lists = [name for name in samples if name.startswith("list of ")]
    return [
        row("as of: a jump", "s", samples["jump"]),
        row(
            "as of: to the overview, the worst",
            "s",
            [max(samples["overview"])],
            goal=GOAL_S,
            goal_is="at most",
        ),
        row("as of: to the overview", "s", samples["overview"]),
        row("the same, folded from the beginning", "s", samples["fold"]),
        *(row(f"then the first {name}", "s", samples[name]) for name in lists),
        row(
            "a step of one event, the worst",
            "ms",
            [max(samples["step"])],
            goal=STEP_GOAL_MS,
            goal_is="at most",
        ),
        row("a step of one event", "ms", samples["step"]),
        row(
            "most resident in the asking process",
            "MB",
            samples["memory"],
            goal=MEMORY_GOAL_MB,
            goal_is="at most",
        ),
        row("keyframes made", "events/s", samples["keyframes/s"]),
        row(
            "keyframes on disk",
            "MB",
            samples["keyframes on disk"],
            peer=samples["log on disk"],
            peer_name="the log",
        ),
        row("keyframes, our process", "µs/event", samples["keeper cpu"]),
        row("live rows on disk", "MB", samples["rows on disk"]),
        row(
            "the runner catching up, the keyframes' job beside it",
            "events/s",
            samples["runner beside"],
            peer=samples["runner"],
            peer_name="alone",
        ),
    ]
