"""Benchmark `replay`: reading a log of many events whole, and proving it.

Beside the peer's `select_notifications` with the same payloads decoded into the same structs,
at its best page size and at its default, and beside `COPY … TO STDOUT`, binary, which is the
most that the database gives. The table was analysed and is warm, on every side.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from uuid import UUID

import anyio
import anyio.to_thread
import asyncpg

from kcjl.clock import SeededIds, real_monotonic
from kcjl.database import AUDITOR, Database
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.verify import verify
from tests.benchmarks import bare, peer
from tests.benchmarks.appending import opened
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Row, row
from tests.benchmarks.trade import EVENTS_A_STREAM, VOCABULARY, draft, order

__all__ = ["benchmark"]

EVENTS = 100_000
PEER_BATCH = 100
"""Of a save while filling: with a thousand the library's pipeline was seen to stand still."""
MERCHANT = "replay"
PEER_PAGES = (10, 5_000)
"""Its default, and its best."""
TWO_PROCESSES_S = 60.0
"""By when they have started, and by when they have read."""
_COPY = "select position, stream, version, payload from bare order by position"
Say = Callable[[str], None]
Samples = defaultdict[str, list[float]]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    samples: Samples = defaultdict(list)
    async with place.database() as dsn:
        say(f"replay: writing {EVENTS:,} events, for each side")
        async with opened(dsn, MERCHANT) as log:
            for first in range(0, EVENTS, 1_000):
                await log.append([draft(first // 1_000, each) for each in range(1_000)])
        await bare.fill(dsn, EVENTS)
        if peer.is_there():
            await anyio.to_thread.run_sync(_fill_peer, dsn)
        connection = await asyncpg.connect(dsn)
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
        await connection.close()
        for number in range(1, rounds + 1):
            say(f"replay: round {number} of {rounds}")
            await _round(dsn, samples)
    return _rows(samples)


async def _round(dsn: str, samples: Samples) -> None:
    samples["copy"].append(await bare.copy_out_per_s(dsn, _COPY, EVENTS))
    if peer.is_there():
        for size in PEER_PAGES:
            rate = await anyio.to_thread.run_sync(_read_peer, dsn, size)
            samples[f"peer {size}"].append(rate)
    began, ended = await _read(dsn, 0, EVENTS)
    samples["one"].append(EVENTS / (ended - began))
    samples["two"].append(EVENTS / await anyio.to_thread.run_sync(_read_in_two, dsn))
    async with Database(dsn, role=AUDITOR) as database:
        reader = PostgresLogReader(database, MERCHANT, VOCABULARY)
        started = real_monotonic()
        verified = await verify(reader)
        samples["verify"].append(verified.events / (real_monotonic() - started))


async def _read(
    dsn: str, after: int, to: int, *, ready: Callable[[], object] = lambda: None
) -> tuple[float, float]:
    """When the reading of the range, decoded into structs, began and ended."""
    async with Database(dsn, role=AUDITOR) as database:
        reader = PostgresLogReader(database, MERCHANT, VOCABULARY)
        await reader.head()  # connected, as the peer is
        ready()
        started = real_monotonic()
        read = 0
        async for page in reader.read(after, to=to):
            read += len(page)
        if read != to - after:
            raise AssertionError(f"{read} events were read, not {to - after}")
        return started, real_monotonic()


def _read_in_two(dsn: str) -> float:
    """Seconds from the first one's beginning to the last one's end, without their start-up."""
    half = EVENTS // 2
    context = get_context("spawn")
    answers: SimpleQueue[tuple[float, float]] = context.SimpleQueue()
    gate = context.Barrier(2)
    processes = [
        context.Process(target=_read_in_process, args=(dsn, after, to, gate, answers))
        for after, to in ((0, half), (half, EVENTS))
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(TWO_PROCESSES_S)
        if process.exitcode != 0:
            raise AssertionError(f"a reading process ended with {process.exitcode}")
    spans = [answers.get() for _ in processes]
    return max(end for _, end in spans) - min(begin for begin, _ in spans)


def _read_in_process(
    dsn: str, after: int, to: int, gate: Barrier, answers: "SimpleQueue[tuple[float, float]]"
) -> None:
    reading = partial(_read, dsn, after, to, ready=partial(gate.wait, TWO_PROCESSES_S))
    answers.put(anyio.run(reading))


def _fill_peer(dsn: str) -> None:
    ids = SeededIds(1)
    stream = UUID(ids.new())
    with peer.recorder(dsn, connections=1) as recorder:
        for first in range(0, EVENTS, PEER_BATCH):
            events = []
            for number in range(first, first + PEER_BATCH):
                if number % EVENTS_A_STREAM == 0:
                    stream = UUID(ids.new())
                state = VOCABULARY.encode(order(number // 1_000, number % 1_000))
                events.append(recorder.event(stream, 1 + number % EVENTS_A_STREAM, state))
            recorder.insert(events)


def _read_peer(dsn: str, size: int) -> float:
    """Events a second; with the smallest pages a part of the log stands for it."""
    enough = EVENTS if size > 100 else EVENTS // 10
    with peer.recorder(dsn, connections=1) as recorder:
        started = real_monotonic()
        read = 0
        for page in recorder.pages(size):
            for state in page:
                VOCABULARY.decode("OrderTaken", 1, state)
            read += len(page)
            if read >= enough:
                break
        return read / (real_monotonic() - started)


def _rows(samples: Samples) -> list[Row]:
    default, best = PEER_PAGES
    return [
        row(
            "replay, decoded",
            "events/s",
            samples["one"],
            peer=samples[f"peer {best}"],
            peer_name=f"{peer.NAME}, pages of {best:,}",
            goal=3,
        ),
        row(
            "replay, decoded",
            "events/s",
            samples["one"],
            peer=samples[f"peer {default}"],
            peer_name=f"{peer.NAME}, pages of {default} (its default)",
        ),
        row(
            "replay, decoded",
            "events/s",
            samples["one"],
            peer=samples["copy"],
            peer_name="binary COPY out",
            goal=0.5,
        ),
        row(
            "replay, decoded, two processes",
            "events/s",
            samples["two"],
            peer=samples["copy"],
            peer_name="binary COPY out",
            goal=0.7,
        ),
        row("verify", "events/s", samples["verify"], goal=300_000, goal_is="at least"),
    ]
