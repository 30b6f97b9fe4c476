"""One PostgreSQL database, and what can go wrong on the way to it, in kcjl's own errors.

Promises: every connect and every statement has a deadline in real seconds; a server that is too
old, a refused login or a missing database is one clear line without the password; trouble on
the way is Unavailable, or OutcomeUnknown where a write may have happened. Errors of a statement
itself (a broken constraint) pass through as asyncpg's. It knows no table and retries nothing.
Invariant: connections act as `role` (set role), so grants hold for the owner of the tables too.
Called by log/, projections/, the vault and the service; any number of processes at a time.
"""

import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import parse_qs, unquote, urlsplit

import anyio
import asyncpg
import structlog

from kcjl.errors import KcjlError, Misuse, OutcomeUnknown, SettingsUnusable, Unavailable

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    PooledConnection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

__all__ = [
    "AUDITOR",
    "OPERATOR",
    "SERVICE",
    "Database",
    "Reading",
    "Session",
    "connect",
    "is_passing",
]

SERVICE = "kcjl_service"
OPERATOR = "kcjl_operator"
AUDITOR = "kcjl_auditor"

SERVER_MAJOR_MIN = 15
CONNECTIONS_MAX = 8
"""Per process: a server takes about 100, and writers and listeners have their own."""
CONNECT_S = 10.0
STATEMENT_S = 30.0
CLOSE_S = 5.0

UNREADABLE = "the DSN can't be read; one looks like postgresql://user@host:5432/kcjl"

_PASSING = ("08", "25006", "40", "53", "55", "57", "58", "F0", "XX")
"""SQLSTATEs, or how they begin, which say: not now, or not on this server."""
_LOST = ("08", "57", "58", "XX")
"""Of these, the last words of a server that may have committed before it said them."""
_DRIVER = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""All that asyncpg raises; a killed backend has been seen to give each of them."""

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
        with _told(self._place):
            return await self._connection.fetch(query, *arguments)

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None:
        with _told(self._place):
            return await self._connection.fetchrow(query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        with _told(self._place):
            return await self._connection.fetchval(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> str:
        with _told(self._place):
            return await self._connection.execute(query, *arguments)

    async def executemany(self, query: str, rows: Iterable[Sequence[object]]) -> None:
        with _told(self._place):
            await self._connection.executemany(query, rows)

    async def copy_into(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Many rows at once, by binary COPY."""
        with _told(self._place):
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
    ) -> None:
        self.role = role
        self._told_of_role = False
        self.place = place_of(dsn)
        """Where it is, for people: no user name, no password."""
        self._dsn = dsn
        self._connections_max = connections_max
        self._connect_s = connect_s
        self._statement_s = statement_s
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

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

    async def connect(self, *, application: str = "kcjl") -> "Connection":
        """A connection of the caller's own, outside the pool; the caller ends it."""
        connection = await connect(
            self._dsn,
            application=application,
            connect_s=self._connect_s,
            statement_s=self._statement_s,
        )
        try:
            with _told(self.place):
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
            with _told(self.place, writing=True):
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
        with _told(self.place):
            await transaction.start()
        try:
            yield Session(connection, self.place)
        except BaseException:
            with anyio.move_on_after(CLOSE_S, shield=True):
                with suppress(*_DRIVER):  # the server rolls back what it lost
                    await transaction.rollback()
            raise
        with _told(self.place, writing=True):
            await transaction.commit()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A connection for several statements that read, each for itself."""
        async with self._acquired() as connection:
            yield Session(connection, self.place)

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator["PooledConnection"]:
        pool = self._pool
        if pool is None:
            raise Misuse(f"the database {self.place} is not open: open it first")
        with _told(self.place):
            connection = await pool.acquire(timeout=self._connect_s)
        try:
            yield connection
        finally:
            with anyio.CancelScope(shield=True), suppress(*_DRIVER):
                # A connection that can't be given back is ended by the pool itself.
                await pool.release(connection, timeout=CLOSE_S)

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
            if not self._told_of_role:
                _log.warning("database_role_missing", role=self.role, database=self.place)
            self._told_of_role = True


class _PlainConnection(asyncpg.Connection):
    """A connection that keeps no session state, so that giving it back costs nothing."""

    def get_reset_query(self) -> str:
        return ""


async def connect(
    dsn: str,
    *,
    application: str = "kcjl",
    connect_s: float = CONNECT_S,
    statement_s: float = STATEMENT_S,
) -> "Connection":
    """One connection, checked: the version and the encoding are such that kcjl can work.

    Raises SettingsUnusable or Unavailable, one line each, without the password.
    """
    place = place_of(dsn)
    if place == UNREADABLE:
        raise SettingsUnusable(UNREADABLE)
    try:
        connection = await asyncpg.connect(
            dsn,
            timeout=connect_s,
            command_timeout=statement_s,
            server_settings={"application_name": application, "timezone": "UTC"},
            connection_class=_PlainConnection,
        )
    except (*_DRIVER, ValueError) as error:
        raise _refused(place, error) or _trouble(place, error) from None
    unfit = _unfit(connection)
    if unfit:
        connection.terminate()
        raise SettingsUnusable(f"database {place} {unfit}")
    return connection


def is_passing(error: asyncpg.PostgresError) -> bool:
    """Is it the server's state (stopping, full, a standby), not the statement's fault?"""
    return (error.sqlstate or "XX").startswith(_PASSING)


def place_of(dsn: str) -> str:
    """Where a DSN points, for people: host, port and name; never the user or the password."""
    try:
        parts = urlsplit(dsn)
        options = parse_qs(parts.query)
    except ValueError:
        return UNREADABLE
    if not dsn.startswith(("postgresql://", "postgres://")):
        return UNREADABLE
    hosts = parts.netloc.rpartition("@")[2] or ",".join(options.get("host", ["localhost"]))
    name = unquote(parts.path.lstrip("/")) or options.get("dbname", ["(unnamed)"])[0]
    return f"{name} at {unquote(hosts)}"


def _unfit(connection: "Connection") -> str | None:
    major = connection.get_server_version().major
    encoding = connection.get_settings().server_encoding
    if major < SERVER_MAJOR_MIN:
        return f"is PostgreSQL {major}; kcjl needs {SERVER_MAJOR_MIN} or newer"
    if encoding != "UTF8":
        return f"is encoded in {encoding}; create one with encoding 'UTF8'"
    return None


@contextmanager
def _told(place: str, *, writing: bool = False) -> Iterator[None]:
    """Turn the driver's trouble into kcjl's errors; a statement's own faults pass through."""
    try:
        yield
    except _DRIVER as error:
        if isinstance(error, ValueError):
            raise  # an argument that can't be sent: the caller's fault
        if isinstance(error, asyncpg.PostgresError):
            if not is_passing(error):
                raise
            writing = writing and str(error.sqlstate).startswith(_LOST)
        raise _trouble(place, error, unknown=writing) from error


def _trouble(place: str, error: BaseException, *, unknown: bool = False) -> KcjlError:
    said = " ".join(str(error).split()) or type(error).__name__
    if unknown:
        return OutcomeUnknown(
            f"database {place} was lost during a write, which may or may not have happened "
            f"({said}): look before writing again"
        )
    return Unavailable(f"database {place} can't be reached ({said}): try again later")


def _refused(place: str, error: BaseException) -> SettingsUnusable | None:
    """The troubles of connecting that no waiting mends."""
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            wrong = "refused the login: check the user and the password"
        case asyncpg.InvalidCatalogNameError():
            wrong = "does not exist: create it, or mend the DSN"
        case asyncpg.InsufficientPrivilegeError():
            wrong = "does not let this user connect: grant connect on it"
        case ssl.SSLCertVerificationError():
            wrong = "shows a certificate that can't be trusted"
        case ValueError():
            # The driver's text may quote the DSN, and so the password.
            return SettingsUnusable(
                "the DSN can't be read; as an example: postgresql://host/kcjl"
            )
        case _:
            return None
    return SettingsUnusable(f"database {place} {wrong}")
