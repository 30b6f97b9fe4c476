"""One PostgreSQL database: a bounded pool of connections, and parts of it.

Promises: every connect and every statement has a deadline in real seconds; what goes wrong is
told as `database_trouble.py` says. It knows no table and retries nothing.
Invariant: connections act as `role` (set role), so grants hold for the owner of the tables too.
Called by log/, projections/, the vault and the service; any number of processes at a time.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import anyio
import asyncpg
import structlog

from kcjl.connecting import CONNECT_S, STATEMENT_S, connect, hosts_of
from kcjl.database_trouble import DRIVER, place_of, told
from kcjl.errors import Misuse, OutcomeUnknown, SettingsUnusable, Unavailable

if TYPE_CHECKING:
    from kcjl.connecting import Connection

    PooledConnection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

__all__ = [
    "AUDITOR",
    "OPERATOR",
    "SERVICE",
    "Database",
    "Reading",
    "Session",
    "end",
    "is_over",
]

SERVICE = "kcjl_service"
OPERATOR = "kcjl_operator"
AUDITOR = "kcjl_auditor"

CONNECTIONS_MAX = 8
"""Per process: a server takes about 100."""
CLOSE_S = 5.0

_log = structlog.get_logger(__name__)


class Reading(Protocol):
    """Statements that read: on a connection of the pool, or on one that is in use."""

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]: ...

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None: ...

    async def fetchval(self, query: str, *arguments: object) -> Any: ...


class Session:
    """A connection in use: statements, in kcjl's errors. Got from `Database.transaction`."""

    def __init__(self, connection: "PooledConnection", place: str) -> None:
        self._connection = connection
        self._place = place

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        with told(self._place):
            return await self._connection.fetch(query, *arguments)

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None:
        with told(self._place):
            return await self._connection.fetchrow(query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        with told(self._place):
            return await self._connection.fetchval(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> str:
        with told(self._place):
            return await self._connection.execute(query, *arguments)

    async def executemany(self, query: str, rows: Iterable[Sequence[object]]) -> None:
        with told(self._place):
            await self._connection.executemany(query, rows)

    async def copy_into(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Many rows at once, by binary COPY."""
        with told(self._place):
            await self._connection.copy_records_to_table(table, columns=columns, records=rows)


class Database:
    """A bounded pool of connections to one database, acting as one role."""

    def __init__(
        self,
        dsn: str,
        *,
        role: str | None,
        connections_max: int = CONNECTIONS_MAX,
        connect_s: float = CONNECT_S,
        statement_s: float = STATEMENT_S,
        application: str = "kcjl",
    ) -> None:
        """`application`: what its connections are called in the server."""
        self.role = role
        self.told_of_role = False
        self.place = place_of(dsn)
        """Where it is, for people: no user name, no password."""
        self._hosts = hosts_of(dsn)
        self._connections_max = connections_max
        self._connect_s = connect_s
        self._statement_s = statement_s
        self._application = application
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._places: asyncio.Semaphore | None = None
        """Of a part: how many sessions it may still begin."""

    def part(self, sessions_max: int) -> "Database":
        """The same open pool, in which at most so many sessions are held at a time.

        It lives as long as the whole, and is neither opened nor closed. A connection that is
        borrowed is not counted.
        """
        part = copy.copy(self)
        part._places = asyncio.Semaphore(sessions_max)  # noqa: SLF001 - of our own kind
        return part

    async def open(self) -> None:
        """Connect once, to be sure that it can be done.

        Raises SettingsUnusable when it never will (login, name, version), else Unavailable.
        """
        if self._pool is not None:
            return
        first = await self.connect()
        first.terminate()
        self._pool = await asyncpg.create_pool(
            min_size=0,
            max_size=self._connections_max,
            connect=self._connect_for_pool,
        )

    async def close(self) -> None:
        """Give the connections back; those still in use after CLOSE_S are cut."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        with anyio.move_on_after(CLOSE_S, shield=True) as scope:
            await pool.close()
        if scope.cancelled_caught:
            pool.terminate()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def connect(self, *, application: str = "") -> "Connection":
        """A connection of the caller's own, outside the pool; the caller ends it."""
        connection = await connect(
            self._hosts,
            application=application or self._application,
            connect_s=self._connect_s,
            statement_s=self._statement_s,
        )
        try:
            with told(self.place):
                await self._act_as_role(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """The rows of a statement that reads; what writes goes by `execute`, `transaction`."""
        async with self.session() as session:
            return await session.fetch(query, *arguments)

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None:
        """The first row of a statement that reads, or None."""
        async with self.session() as session:
            return await session.fetchrow(query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """The first column of the first row of a statement that reads, or None."""
        async with self.session() as session:
            return await session.fetchval(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> str:
        """Run one statement that writes, in a transaction of its own.

        Raises Unavailable when it was not sent, OutcomeUnknown when it was and no answer came.
        """
        async with self._acquired() as connection:
            with told(self.place, writing=True):
                return await connection.execute(query, *arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """All of the block's statements, or none.

        Raises Unavailable for trouble in the block (nothing was written), OutcomeUnknown when
        the connection is lost while it commits.
        """
        async with self._acquired() as connection, self._together(connection) as session:
            yield session

    @asynccontextmanager
    async def _together(self, connection: "PooledConnection") -> AsyncIterator[Session]:
        """A transaction on a connection."""
        transaction = connection.transaction()
        with told(self.place):
            await transaction.start()
        try:
            yield Session(connection, self.place)
        except BaseException:
            with anyio.move_on_after(CLOSE_S, shield=True):
                with suppress(*DRIVER):  # the server rolls back what it lost
                    await transaction.rollback()
            raise
        with told(self.place, writing=True):
            await transaction.commit()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A connection for several statements that read, each for itself."""
        async with self._acquired() as connection:
            yield Session(connection, self.place)

    async def borrow(self) -> "PooledConnection":
        """A connection of the pool, for a while; the caller gives it back or ends it."""
        pool = self._pool
        if pool is None:
            raise Misuse(f"the database {self.place} is not open: open it first")
        with told(self.place):
            return await pool.acquire(timeout=self._connect_s)

    async def give_back(self, connection: "PooledConnection") -> None:
        """A borrowed one, in no transaction. One that can't be given back is ended."""
        pool = self._pool
        if pool is None:
            end(connection)
            return
        with anyio.CancelScope(shield=True), suppress(*DRIVER):
            await pool.release(connection, timeout=CLOSE_S)

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator["PooledConnection"]:
        if self._places is not None:
            with told(self.place):
                await asyncio.wait_for(self._places.acquire(), self._connect_s)
        try:
            connection = await self.borrow()
            try:
                yield connection
            except (Unavailable, OutcomeUnknown) as error:
                if isinstance(error.__cause__, TimeoutError):
                    await self._trust_none()
                raise
            finally:
                await self.give_back(connection)
        finally:
            if self._places is not None:
                self._places.release()

    async def _trust_none(self) -> None:
        """A server that does not answer on one connection is not asked on the others.

        Those that idle are made anew before they are used: by then another may be primary.
        """
        if self._pool is not None:
            await self._pool.expire_connections()

    async def _connect_for_pool(self, *_: object, **__: object) -> "Connection":
        return await self.connect()

    async def _act_as_role(self, connection: "Connection") -> None:
        if self.role is None:
            return
        try:
            await connection.execute(f'set role "{self.role}"')
        except asyncpg.InsufficientPrivilegeError:
            user = await connection.fetchval("select session_user")
            raise SettingsUnusable(
                f"database {self.place}: user {user} may not act as {self.role}; ask a "
                f"superuser for: grant {self.role} to {user}"
            ) from None
        except asyncpg.InvalidParameterValueError:
            # The migration said so too: triggers still guard the log, grants do not.
            if not self.told_of_role:
                _log.warning("database_role_missing", role=self.role, database=self.place)
            self.told_of_role = True


def is_over(connection: "PooledConnection") -> bool:
    """Is a borrowed connection no more?"""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # the pool has noticed first


def end(connection: "PooledConnection") -> None:
    """Cut a borrowed connection; the pool makes another one when it needs it."""
    with suppress(asyncpg.InterfaceError):  # it was over already
        connection.terminate()
