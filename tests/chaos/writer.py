"""The process that is killed: holds the lease, and has 64 appenders write until stdin closes.

`python -m tests.chaos.writer DSN JOURNAL NUMBER`. Batches of one to three events; what became
of each is in the journal. Called by `rounds.py`.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from kcjl.clock import RealClock, real_sleep
from kcjl.database import SERVICE, Database
from kcjl.errors import Fenced, Unavailable
from kcjl.log.lease import Heartbeat, Lease, acquire
from kcjl.log.lease_postgres import PostgresLeases
from kcjl.log.port import Draft, Log
from kcjl.log.postgres import PostgresLog
from tests.chaos.marks import BATCH_EVENTS_MAX, MERCHANT, VOCABULARY, Journal, Marked

__all__ = ["APPENDERS"]

APPENDERS = 64
MARKS_A_WRITER = 100_000_000
LEASE_S, RENEW_S, STOP_S = 60.0, 5.0, 8.0


class _Marks:
    def __init__(self, writer: int) -> None:
        self.writer = writer
        self._last = writer * MARKS_A_WRITER

    def next(self) -> int:
        self._last += 1
        return self._last


async def _append(log: Log, journal: Journal, marks: _Marks, appender: int) -> None:
    clock = RealClock()
    while True:
        mark = marks.next()
        parts = 1 + mark % BATCH_EVENTS_MAX
        drafts = [
            Draft(
                event=Marked(
                    occurred_at=clock.now(),
                    writer=marks.writer,
                    appender=appender,
                    mark=mark,
                    part=part,
                    parts=parts,
                ),
                by="chaos",
                correlation_id=f"mark-{mark}",
            )
            for part in range(parts)
        ]
        journal.tried(mark)
        try:
            recorded = await log.append(drafts)
        except Unavailable:
            journal.refused(mark)
            await real_sleep(0.02)
        except Fenced:
            journal.refused(mark)
            raise
        else:
            journal.kept(mark, [event.position for event in recorded])


@asynccontextmanager
async def _opened(dsn: str, *, connections_max: int = 8) -> AsyncIterator[Database]:
    """The database, as soon as it is there: it may be killed while we start."""
    database = Database(dsn, role=SERVICE, connections_max=connections_max)
    while True:
        try:
            await database.open()
            break
        except Unavailable:
            await real_sleep(0.05)
    async with database:
        yield database


async def _held(database: Database) -> Lease:
    while True:
        try:
            return await acquire(database, MERCHANT, "chaos", ttl_s=LEASE_S)
        except Unavailable:
            await real_sleep(0.05)


async def write(dsn: str, path: Path, number: int) -> None:
    journal, marks = Journal(path), _Marks(number)
    async with _opened(dsn) as database, _opened(dsn, connections_max=1) as own:
        leases = PostgresLeases(own, together_s=RENEW_S / 10)
        while True:
            lease = await _held(database)
            try:
                async with PostgresLog.open(
                    database, MERCHANT, VOCABULARY, RealClock(), lease.epoch
                ) as log:
                    async with anyio.create_task_group() as group:
                        group.start_soon(leases.run)
                        Heartbeat(
                            leases,
                            lease,
                            ttl_s=LEASE_S,
                            every_s=RENEW_S,
                            stop_s=STOP_S,
                        ).start(group)
                        for appender in range(APPENDERS):
                            group.start_soon(_append, log, journal, marks, appender)
                        await anyio.wait_readable(sys.stdin.fileno())
                        group.cancel_scope.cancel()
                    return
            except Unavailable:
                await real_sleep(0.05)


if __name__ == "__main__":
    anyio.run(write, sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
