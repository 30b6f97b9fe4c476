"""Benchmark `subscribe`: from the commit of an event to the subscriber who has it in hand.

Two kinds of subscriber: in the writer's process (fed from memory), and in another process with
a connection of its own (woken by NOTIFY). Beside the peer's subscription in another process.
Idle: some 50 events a second, one by one, by chance. Busy: 10,000 a second offered. The commit
is timed when the writer learns of it, the subscriber when it holds the event, decoded. A busy
peer is offered what one thread of it can save, a tenth of that or less.
"""

import bisect
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import anyio
import anyio.from_thread
import anyio.to_thread
import msgspec
from anyio.streams.buffered import BufferedByteReceiveStream

from kcjl.clock import SeededIds, chance, real_monotonic, real_sleep
from kcjl.log.port import Log, Recorded
from kcjl.log.postgres import PostgresLog
from tests.benchmarks import peer
from tests.benchmarks.appending import OFFERED_PER_S, open_loop, opened, percentile
from tests.benchmarks.places import Place
from tests.benchmarks.rebuilding import ROOT
from tests.benchmarks.rows import Row, row
from tests.benchmarks.subscriber import PEER, Reached
from tests.benchmarks.trade import VOCABULARY, OrderTaken, draft, order

__all__ = ["benchmark"]

SECONDS = 4.0
IDLE_PER_S = 50
IDLE_GOAL_MS, BUSY_GOAL_MS = 5, 20
LINE_BYTES_MAX = 64 * 1024 * 1024
Say = Callable[[str], None]
Samples = defaultdict[str, list[float]]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    samples: Samples = defaultdict(list)
    async with place.database() as dsn:
        for number in range(1, rounds + 1):
            for how in ("idle", "busy"):
                say(f"subscribe: round {number} of {rounds}, {how}")
                await place.checkpoint()
                await _ours(dsn, how, number, samples)
                if peer.is_there():
                    await _peer(place, how, number, samples)
    return _rows(samples)


async def _ours(dsn: str, how: str, seed: int, samples: Samples) -> None:
    inside: Reached = []
    async with opened(dsn, f"{how}-{seed}") as log:
        commits = _Commits(log)
        await log.append([draft(9_999, 0)])
        async with subscriber(dsn, log.merchant) as told, anyio.create_task_group() as group:
            group.start_soon(_follow, log, inside)
            if how == "idle":
                await _now_and_then(log, seed)
            else:
                await open_loop(log, per_s=OFFERED_PER_S, seconds=SECONDS, seed=seed)
            await log.append([draft(9_999, 1)])
            outside = await told()
            group.cancel_scope.cancel()
    _note_rate(samples, f"{how} rate", commits.moments)
    for where, reached in (("inside", inside), ("outside", outside)):
        _note(samples, f"{how} {where}", latencies_ms(commits.moments, reached))


async def _peer(place: Place, how: str, seed: int, samples: Samples) -> None:
    """A fresh database: its one table of events is followed from the first on."""
    async with place.database(migrated=False) as dsn:
        with peer.recorder(dsn, connections=2) as recorder:
            save = _Saving(recorder)
            await anyio.to_thread.run_sync(save, order(9_999, 0))
            async with subscriber(dsn, PEER) as told:
                await anyio.to_thread.run_sync(save.many, how, seed)
                await anyio.to_thread.run_sync(save, order(9_999, 1))
                reached = await told()
    _note_rate(samples, f"{how} peer rate", save.moments)
    _note(samples, f"{how} peer", latencies_ms(save.moments, reached))


@asynccontextmanager
async def subscriber(
    dsn: str, merchant: str
) -> AsyncIterator[Callable[[], Awaitable[Reached]]]:
    """A process that follows; gives a way to what it tells when it has come to LAST."""
    command = [sys.executable, "-m", "tests.benchmarks.subscriber", dsn, merchant]
    async with await anyio.open_process(command, cwd=ROOT, stderr=None) as process:
        if process.stdout is None:
            raise AssertionError("the subscriber has no stdout")
        lines = BufferedByteReceiveStream(process.stdout)
        await lines.receive_until(b"\n", LINE_BYTES_MAX)

        async def told() -> Reached:
            line = await lines.receive_until(b"\n", LINE_BYTES_MAX)
            return msgspec.json.decode(line, type=Reached)

        yield told


class _Saving:
    """One thread that saves with the peer's recorder, and when each save had returned."""

    def __init__(self, recorder: peer.Recorder) -> None:
        self.moments: Reached = []
        self._recorder = recorder
        self._ids = SeededIds(1)

    def __call__(self, event: OrderTaken) -> None:
        state = VOCABULARY.encode(event)
        self._recorder.insert([self._recorder.event(UUID(self._ids.new()), 1, state)])
        self.moments.append((len(self.moments) + 1, real_monotonic()))

    def many(self, how: str, seed: int) -> None:
        arrivals = chance(seed)
        until = real_monotonic() + SECONDS
        while real_monotonic() < until:
            if how == "idle":
                anyio.from_thread.run(real_sleep, arrivals.expovariate(IDLE_PER_S))
            self(order(0, len(self.moments)))


class _Commits:
    """When the writer learnt of each commit."""

    def __init__(self, log: Log) -> None:
        self.moments: Reached = []
        if not isinstance(log, PostgresLog):
            raise TypeError(log)
        tail = log._tail
        extend = tail.extend

        def note(events: Sequence[Recorded]) -> None:
            if events:
                self.moments.append((events[-1].position, real_monotonic()))
            extend(events)

        tail.extend = note  # type: ignore[method-assign]


def latencies_ms(commits: Reached, reached: Reached) -> list[float]:
    """Of each commit but the first, until all of it was there."""
    positions = [position for position, _ in reached]
    return [
        1e3 * (reached[bisect.bisect_left(positions, position)][1] - moment)
        for position, moment in commits[1:]
    ]


async def _follow(log: Log, reached: Reached) -> None:
    async for page in log.follow():
        reached.append((page[-1].position, real_monotonic()))


async def _now_and_then(log: Log, seed: int) -> None:
    arrivals = chance(seed)
    until = real_monotonic() + SECONDS
    number = 0
    while real_monotonic() < until:
        await real_sleep(arrivals.expovariate(IDLE_PER_S))
        await log.append([draft(0, number)])
        number += 1


def _note(samples: Samples, name: str, took_ms: Sequence[float]) -> None:
    for percent in (50, 99):
        samples[f"{name} p{percent}"].append(percentile(took_ms, percent))


def _note_rate(samples: Samples, name: str, commits: Reached) -> None:
    """Between the second commit and the last but one: those around them wait for processes."""
    (first, began), (last, ended) = commits[1], commits[-2]
    samples[name].append((last - first) / (ended - began))


def _rows(samples: Samples) -> list[Row]:
    goals = {"idle": IDLE_GOAL_MS, "busy": BUSY_GOAL_MS}
    said = {"idle": "idle", "busy": f"{OFFERED_PER_S:,}/s offered"}
    rates = [
        row(
            f"events committed, {said[how]}",
            "events/s",
            samples[f"{how} rate"],
            peer=samples[f"{how} peer rate"],
            peer_name=f"{peer.NAME}, one thread",
        )
        for how in ("idle", "busy")
    ]
    return rates + [
        row(
            f"commit to subscriber, {said[how]}, {where}, {percent}",
            "ms",
            samples[f"{how} {key} {percent}"],
            peer=samples[f"{how} peer {percent}"] if key == "outside" else (),
            peer_name=f"{peer.NAME}'s subscription",
            goal=goals[how] if percent == "p99" else None,
            goal_is="at most",
        )
        for how in ("idle", "busy")
        for key, where in (("inside", "same process"), ("outside", "another process"))
        for percent in ("p50", "p99")
    ]
