"""Benchmark `tui`: what the monitor's operator waits for, with a million events in the log.

Of them 100,000 orders wait, and their list is open. First paint is of `kcjl tui` itself, from
its start to its first frame on a pseudo-terminal. Then each key until what it does is drawn,
while a thousand events a second are written and folded. The hour is compressed: as many events
as an hour has at that rate, as fast as they are written and folded, and reads of the list one
after the other meanwhile; it says how many reads there were: fewer than an hour's.
The terminal's own time is not in it; another time is `timetravel`.
"""

import fcntl
import os
import pty
import struct
import sys
import tempfile
import termios
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import chain, islice
from pathlib import Path

import anyio
import asyncpg
import msgspec

from kcjl.clock import real_monotonic, real_sleep
from kcjl.database import SERVICE, Database
from kcjl.events import vocabulary
from kcjl.log.postgres import PostgresLogReader
from kcjl.orders.events import OrderReceived
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import PostgresRows
from kcjl.vocabulary import Event
from tests.benchmarks.glass import PRESSED, Seen
from tests.benchmarks.history import History, life
from tests.benchmarks.places import Place
from tests.benchmarks.projecting import MERCHANT
from tests.benchmarks.rebuilding import CONFIG, ROOT, rebuild
from tests.benchmarks.rows import Row, row

__all__ = ["benchmark"]

EVENTS = 1_000_000
WAITING = 100_000
EVENTS_A_SECOND = 1_000
HOUR_S = 3_600
SIZE = (40, 120)
PAINT_GOAL_S = 0.3
KEY_GOAL_S = 0.05
RESIDENT_GOAL_MB = 200
KEPT_BYTES = 4_000
FIRST_WORDS = b"Overview"
Say = Callable[[str], None]


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    keys: list[list[float]] = []
    painted: list[float] = []
    async with place.database() as dsn:
        history = History(dsn, MERCHANT, events=_past())
        say(f"tui: writing {EVENTS:,} events, of them {WAITING:,} orders that wait")
        await history.grow(EVENTS)
        say("tui: folding them")
        await rebuild(dsn, MERCHANT)
        await _tidy(dsn)
        for number in range(1, rounds + 1):
            say(f"tui: round {number} of {rounds}")
            painted.append(await _first_paint(dsn))
            async with _trade(dsn, history):
                seen = await _watch(dsn, 0)
            keys.append(sorted(seconds for _, seconds in seen.keys_s))
            say(f"tui: slowest {_slowest(seen)}")
        say("tui: an hour, compressed")
        async with _trade(dsn, history, pause_s=0.0, seconds=HOUR_S):
            hour = await _watch(dsn, history.position + HOUR_S * EVENTS_A_SECOND)
        say(f"tui: {hour.reads:,} reads in that hour, up to #{hour.position:,}")
    return [
        row("first paint", "s", painted, goal=PAINT_GOAL_S, goal_is="at most"),
        row("a key, half of them", "s", [each[len(each) // 2] for each in keys]),
        row(
            "a key, p99",
            "s",
            [each[len(each) * 99 // 100] for each in keys],
            goal=KEY_GOAL_S,
            goal_is="at most",
        ),
        row("a key, the slowest", "s", [each[-1] for each in keys]),
        row(
            "resident after an hour",
            "MB",
            [hour.resident_mb],
            goal=RESIDENT_GOAL_MB,
            goal_is="at most",
        ),
    ]


def _past() -> Iterator[Event]:
    """Orders that nobody has accepted yet, then a merchant's life with others."""
    received = (each for each in life() if isinstance(each, OrderReceived))
    waiting = (_another(each) for each in islice(received, WAITING))
    return chain(waiting, life())


def _another(order: OrderReceived) -> OrderReceived:
    return msgspec.structs.replace(order, order_id=f"W{order.order_id}")


async def _tidy(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("vacuum analyze", timeout=600)
    finally:
        await connection.close()


@asynccontextmanager
async def _trade(
    dsn: str, history: History, *, pause_s: float = 1.0, seconds: int | None = None
) -> AsyncIterator[None]:
    """A thousand events at a time, written and folded, so many times or until it is over."""

    async def go_on() -> None:
        async with Database(dsn, role=SERVICE) as database:
            log = PostgresLogReader(database, MERCHANT, vocabulary())
            runner = ProjectionRunner(log, PostgresRows(database, MERCHANT), PROJECTIONS)
            gone = 0
            while seconds is None or gone < seconds:
                began, gone = real_monotonic(), gone + 1
                await history.grow(history.position + EVENTS_A_SECOND, tidy=False)
                await runner.catch_up()
                await real_sleep(max(0.0, pause_s - (real_monotonic() - began)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go_on)
        yield
        tasks.cancel_scope.cancel()


def _slowest(seen: Seen) -> str:
    most = sorted(seen.keys_s, key=lambda pair: pair[1])[-max(1, PRESSED // 100) :]
    return ", ".join(f"{key} {seconds * 1000:.0f} ms" for key, seconds in reversed(most))


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    """(ours, the program's) ends of a pseudo-terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(theirs)
        os.close(ours)


async def _drain(ours: int, said: bytearray) -> None:
    """As a terminal does; the end is kept, for when it ends badly."""
    while True:
        await anyio.wait_readable(ours)
        said += os.read(ours, 65_536)
        del said[:-KEPT_BYTES]


async def _watch(dsn: str, until: int) -> Seen:
    command = [sys.executable, "-m", "tests.benchmarks.glass", dsn, MERCHANT, str(until)]
    with _terminal() as (ours, theirs):
        async with anyio.create_task_group() as tasks:
            said = bytearray()
            tasks.start_soon(_drain, ours, said)
            ended = await anyio.run_process(
                command,
                cwd=ROOT,
                stdin=theirs,
                stderr=theirs,
                env=_environment(),
                check=False,
            )
            tasks.cancel_scope.cancel()
    if ended.returncode:
        raise AssertionError(f"the monitor failed: {said.decode(errors='replace')}")
    return msgspec.json.decode(ended.stdout.splitlines()[-1], type=Seen)


async def _first_paint(dsn: str) -> float:
    """From the start of `kcjl tui` to its first frame."""
    with tempfile.TemporaryDirectory(prefix="kcjl-benchmark-") as folder, _terminal() as ends:
        config = Path(folder) / "kcjl.toml"
        config.write_text(CONFIG.format(dsn=dsn, merchant=MERCHANT))
        command = [sys.executable, "-m", "kcjl", "tui", "--config", str(config)]
        ours, theirs = ends
        began, sent = real_monotonic(), b""
        async with await anyio.open_process(
            command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=_environment()
        ) as process:
            while FIRST_WORDS not in sent:
                await anyio.wait_readable(ours)
                sent += os.read(ours, 65_536)
            painted = real_monotonic() - began
            process.terminate()
    return painted


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
