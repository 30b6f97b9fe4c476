"""A process that serves merchants, and what they share in it.

Promises: what costs the database something while nothing happens is here once, however many
merchants there are: one pool, one statement that renews leases, one ear for commands. It knows
no merchant and no rule.
Called by `kcjl run`, which opens one, and by `service.py`. Source: docs/decisions/0028.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from kcjl.bell import Bells
from kcjl.clock import Clock
from kcjl.database import CONNECTIONS_MAX, SERVICE, Database
from kcjl.johnlewis.budget import TenantBudgets
from kcjl.khaos.turns import Turns
from kcjl.log.lease_postgres import PostgresLeases

__all__ = ["HEARTBEAT_S", "Worker"]

SESSIONS_MAX = 4
"""Of one merchant at a time; the log's writer has one more while it writes."""
HEARTBEAT_S = 5.0
"""Deadline of each step of a renewal."""


class Worker:
    """What the merchants of one process share; got from `Worker.open`."""

    def __init__(
        self, dsn: str, database: Database, leases: PostgresLeases, clock: Clock
    ) -> None:
        self.dsn = dsn
        self.clock = clock
        self.leases = leases
        self.bells = Bells(database)
        self.tenants = TenantBudgets(clock)
        """Shops of one tenant share its limits."""
        self.turns = Turns()
        """Merchants behind one web service of the ERP take turns."""
        self._database = database

    @classmethod
    @asynccontextmanager
    async def open(
        cls, dsn: str, clock: Clock, *, connections_max: int = CONNECTIONS_MAX
    ) -> AsyncIterator["Worker"]:
        """Connect, and run what is shared for as long as the block lasts.

        Raises SettingsUnusable or Unavailable when the database can't be reached.
        """
        async with (
            Database(dsn, role=SERVICE, connections_max=connections_max) as database,
            Database(
                dsn,
                role=SERVICE,
                connections_max=1,
                connect_s=HEARTBEAT_S,
                statement_s=HEARTBEAT_S,
            ) as own,
        ):
            worker = cls(dsn, database, PostgresLeases(own), clock)
            failure: Exception | None = None
            async with anyio.create_task_group() as group:
                group.start_soon(worker.leases.run)
                group.start_soon(worker.bells.run)
                try:
                    yield worker
                except Exception as error:  # noqa: BLE001 - re-raised below, not as a group
                    failure = error
                group.cancel_scope.cancel()
            if failure is not None:
                raise failure

    def database(self) -> Database:
        """A merchant's part of the pool."""
        return self._database.part(SESSIONS_MAX)
