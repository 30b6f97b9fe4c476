"""Rounds of kill -9, at moments of a seed, while 64 appenders write and somebody follows.

A round waits until so many more events were acknowledged, then kills: the writer's process, the
PostgreSQL server, one of its backends, or writer and server at once. Afterwards the log is
judged. The moments are the seed's: after how many acknowledged batches, and how long after.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import asyncpg
import msgspec

from kcjl.clock import chance as chance_of
from kcjl.clock import real_sleep
from kcjl.database import AUDITOR, Database
from kcjl.embedded import Embedded, own
from kcjl.embedded import server as embedded_server
from kcjl.errors import CorruptLog, Unavailable
from kcjl.log.migrate import migrate
from kcjl.log.port import Recorded
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.verify import verify
from tests.chaos.judging import Found, judge
from tests.chaos.marks import MERCHANT, VOCABULARY, Marked, told

__all__ = ["KINDS", "Outcome", "chaos"]

KINDS = ("writer", "postgres", "backend", "writer and postgres")
BATCHES_MIN, BATCHES_MAX = 40, 2_000
"""Acknowledged between two kills."""
JITTER_S = 0.02
"""A commit or several: the kill comes at any point of one."""
STUCK_S = 90.0
"""A round without one acknowledged batch in this time is a fault."""
TREE = Path(__file__).parents[2]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    seed: int
    kills: tuple[str, ...]
    acknowledged: int
    """Events of batches that were acknowledged."""
    found: int
    faults: tuple[str, ...]


class Stuck(Exception):
    """Raised when nothing is acknowledged any more."""


class _Writers:
    """The writer process, and those that come after it."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.journal = folder / "journal"
        self.journal.touch()
        self._kept = self._read = 0
        self._dsn = dsn
        self._errors = folder / "writer.err"
        self._number = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._number += 1
        arguments = (self._dsn, str(self.journal), str(self._number))
        with self._errors.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.writer", *arguments],
                stdin=subprocess.PIPE,
                stdout=errors,
                stderr=errors,
                cwd=TREE,
            )

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    async def stop(self) -> None:
        """In order: it commits what it took, and ends."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        with anyio.move_on_after(20):
            while process.poll() is None:
                await real_sleep(0.01)
        if process.poll() is None:
            process.kill()
            process.wait()

    def ended(self) -> str | None:
        """What it said last, when it ended without being killed."""
        if self._process is None or self._process.poll() is None:
            return None
        # The last line that says anything: a group of errors is drawn with a frame.
        lines = [
            line.strip(" |+-") for line in self._errors.read_text(errors="replace").splitlines()
        ]
        said = next((line for line in reversed(lines) if line), "it said nothing")
        return f"the writer ended by itself ({self._process.returncode}): {said}"

    def acknowledged(self) -> int:
        """Batches so far."""
        with self.journal.open("rb") as journal:
            journal.seek(self._read)
            fresh = journal.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        self._kept += whole.count(b"kept ")
        return self._kept


class _Follower:
    """A reader that is never told of the kills: it goes on where it was."""

    def __init__(self, database: Database) -> None:
        self.positions: list[int] = []
        self.faults: list[str] = []
        self._reader = PostgresLogReader(database, MERCHANT, VOCABULARY)

    async def run(self) -> None:
        while True:
            try:
                async for page in self._reader.follow(len(self.positions)):
                    self._see(page)
            except Unavailable:
                await real_sleep(0.05)
            except Exception as error:  # noqa: BLE001 - a finding, which must not end the others
                self.faults.append(
                    f"a follower got {type(error).__name__}, where Unavailable is promised: "
                    f"{error}"
                )
                await real_sleep(0.05)

    def _see(self, page: Sequence[Recorded]) -> None:
        self.positions.extend(recorded.position for recorded in page)

    async def until(self, position: int) -> None:
        with anyio.move_on_after(20):
            while len(self.positions) < position:
                await real_sleep(0.01)


async def chaos(
    *,
    rounds: int,
    seed: int,
    say: Callable[[str], None],
    kinds: Sequence[str] = KINDS,
    batches_max: int = BATCHES_MAX,
) -> Outcome:
    """Run so many rounds on a PostgreSQL of our own, and judge what is left."""
    chance = chance_of(seed)
    kills = _kinds(chance, rounds, kinds)
    with tempfile.TemporaryDirectory(prefix="kcjl-chaos-") as place:
        folder = _open_to_pass(Path(place))
        async with _server(folder) as server, Database(server.dsn, role=AUDITOR) as database:
            writers, follower = _Writers(server.dsn, folder), _Follower(database)
            faults: list[str] = []
            async with anyio.create_task_group() as group:
                group.start_soon(server.watch)
                group.start_soon(follower.run)
                try:
                    writers.start()
                    for number, kind in enumerate(kills, start=1):
                        await _until(writers, chance.randint(BATCHES_MIN, batches_max))
                        await real_sleep(chance.uniform(0, JITTER_S))
                        await _kill(kind, writers, server)
                        say(
                            f"round {number:>3}: killed {kind}, {writers.acknowledged():,} kept"
                        )
                    await _until(writers, BATCHES_MIN)
                except Stuck as stuck:
                    faults.append(str(stuck))
                finally:
                    with anyio.CancelScope(shield=True):
                        await writers.stop()
                faults.extend(await _judged(database, writers.journal, follower))
                faults.extend(follower.faults)
                group.cancel_scope.cancel()
            head = await PostgresLogReader(database, MERCHANT, VOCABULARY).head()
        kept = told(writers.journal).kept
    return Outcome(
        seed=seed,
        kills=tuple(kills),
        acknowledged=sum(len(positions) for positions in kept.values()),
        found=head.position,
        faults=tuple(faults),
    )


def _open_to_pass(folder: Path) -> Path:
    """As root, PostgreSQL runs as another account, which has to get to its own folder."""
    folder.chmod(0o711)
    return folder


def _kinds(chance: random.Random, rounds: int, kinds: Sequence[str]) -> list[str]:
    """Each kind as often as the others, in an order of the seed."""
    chosen: list[str] = []
    while len(chosen) < rounds:
        chosen.extend(chance.sample(kinds, len(kinds)))
    return chosen[:rounds]


@asynccontextmanager
async def _server(folder: Path) -> AsyncIterator[Embedded]:
    # A server that dies again and again is restarted ever later: here it dies for our sake.
    before = embedded_server.BACK_OFF_S_MAX
    embedded_server.BACK_OFF_S_MAX = embedded_server.BACK_OFF_S_MIN
    try:
        server = await own(folder / "postgresql")
        try:
            await migrate(server.dsn)
            yield server
        finally:
            await server.stop()
    finally:
        embedded_server.BACK_OFF_S_MAX = before


async def _until(writers: _Writers, more: int) -> None:
    """Until so many more batches were acknowledged than now."""
    enough = writers.acknowledged() + more
    with anyio.move_on_after(STUCK_S) as scope:
        while (reached := writers.acknowledged()) < enough:
            if (why := writers.ended()) is not None:
                raise Stuck(why)
            await real_sleep(0.002)
    if scope.cancelled_caught:
        raise Stuck(f"{reached} batches were acknowledged, and no more in {STUCK_S:.0f} s")


async def _kill(kind: str, writers: _Writers, server: Embedded) -> None:
    restarts = server.restarts
    if kind == "backend":
        await _kill_backend(server.dsn)
        return
    if "postgres" in kind:
        os.kill(server.pid, signal.SIGKILL)
    if "writer" in kind:
        writers.kill()
        writers.start()
    if "postgres" in kind:
        with anyio.move_on_after(STUCK_S) as scope:
            while server.restarts == restarts:
                await real_sleep(0.005)
        if scope.cancelled_caught:
            raise Stuck(f"PostgreSQL did not come back: {server.trouble}")


async def _kill_backend(dsn: str) -> None:
    """The one that appends: PostgreSQL then ends all others too, and recovers."""
    connection = await asyncpg.connect(dsn)
    try:
        pids = await connection.fetch(
            "select pid from pg_stat_activity where query like 'select append_events%'"
        )
        for row in pids:
            with suppress(ProcessLookupError):
                os.kill(row["pid"], signal.SIGKILL)
    finally:
        connection.terminate()


async def _judged(database: Database, journal: Path, follower: _Follower) -> list[str]:
    reader = PostgresLogReader(database, MERCHANT, VOCABULARY)
    await follower.until((await reader.head()).position)
    log: list[Found] = []
    try:
        async for page in reader.read():
            for recorded in page:
                assert isinstance(recorded.event, Marked)
                log.append(Found(position=recorded.position, event=recorded.event))
        verified = await verify(reader)
    except CorruptLog as error:
        return [error.message]
    faults = judge(log, told(journal), follower.positions)
    if verified.events != len(log):
        faults.append(f"{verified.events} events verified, {len(log)} read")
    return faults
