"""A process that holds a merchant's lease and writes its log, until it is fenced or killed.

`python -m tests.log.holder DSN HOLDER TTL_S EVERY_S STOP_S`: eight appenders; each mark that
was acknowledged is a line on stdout, and "fenced" is the last one. Called by test_takeover.py.
"""

import os
import sys

import anyio

from kcjl.clock import RealClock
from kcjl.database import SERVICE, Database
from kcjl.errors import Fenced
from kcjl.log.lease import Heartbeat, acquire
from kcjl.log.lease_postgres import PostgresLeases
from kcjl.log.port import Log
from kcjl.log.postgres import PostgresLog
from tests.log.keepers import MERCHANT, VOCABULARY, counted

__all__ = ["APPENDERS"]

APPENDERS = 8


async def _append(log: Log, number: int) -> None:
    mark = number
    while True:
        await log.append([counted(f"S{number}", mark), counted("SHARED", mark)])
        os.write(1, f"{mark}\n".encode())
        mark += APPENDERS


async def hold(dsn: str, holder: str, ttl_s: float, every_s: float, stop_s: float) -> None:
    async with (
        Database(dsn, role=SERVICE) as database,
        Database(dsn, role=SERVICE, connections_max=1, connect_s=2, statement_s=2) as own,
    ):
        lease = await acquire(database, MERCHANT, holder, ttl_s=ttl_s)
        leases = PostgresLeases(own, together_s=every_s / 10)
        heartbeat = Heartbeat(leases, lease, ttl_s=ttl_s, every_s=every_s, stop_s=stop_s)
        async with PostgresLog.open(
            database, MERCHANT, VOCABULARY, RealClock(), lease.epoch
        ) as log:
            try:
                async with anyio.create_task_group() as group:
                    group.start_soon(leases.run)
                    heartbeat.start(group)
                    for number in range(APPENDERS):
                        group.start_soon(_append, log, number)
            except* Fenced:
                os.write(1, b"fenced\n")


if __name__ == "__main__":
    dsn, holder = sys.argv[1:3]
    ttl_s, every_s, stop_s = (float(each) for each in sys.argv[3:])
    anyio.run(hold, dsn, holder, ttl_s, every_s, stop_s)
