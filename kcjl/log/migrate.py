"""Bring a database to the schema of this version of kcjl.

Promises: files of sql/ are applied in order, each once, each in a transaction under an advisory
lock, so that any number of processes may start at once; each one's SHA-256 is kept, and a file
that was changed after it was applied, or a database that is newer than this version, is refused
before anything is done. It never goes back and never edits what is there.
Invariant: what is applied is a prefix of what is on disk.
Called by `kcjl run`, `kcjl demo`, the tests. A user who may not migrate can run kcjl on a
database that is up to date: then nothing but reading is done.
"""

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import structlog

import kcjl
from kcjl.connecting import connect
from kcjl.errors import Misuse, Unavailable

if TYPE_CHECKING:
    from kcjl.connecting import Connection

__all__ = ["migrate", "sql_folder"]

ROLES = "roles.sql"
"""Not a step: the matrix of grants, applied again when it or the schema changed."""
LOCK = 0x6B636A6C  # "kcjl"; advisory locks are per database
STATEMENT_S = 600.0  # an index over a long log takes minutes

_LEDGER = """
create table if not exists kcjl_migration (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
)
"""

_log = structlog.get_logger(__name__)


def sql_folder() -> Path:
    """Where the migrations are: inside the installed package, or at the repository's top."""
    package = Path(kcjl.__file__).parent
    for folder in (package / "sql", package.parent / "sql"):
        if (folder / ROLES).is_file():
            return folder
    raise Misuse(f"the folder sql is missing beside {package}: install kcjl again")


async def migrate(dsn: str, *, folder: Path | None = None) -> list[str]:
    """Apply what is missing; names of the steps that were applied.

    Raises Misuse when the database and the files do not belong together.
    """
    steps = _read_steps(folder or sql_folder())
    roles = (folder or sql_folder()) / ROLES
    connection = await connect(dsn, application="kcjl migrate", statement_s=STATEMENT_S)
    connection.add_log_listener(_tell_notice)
    try:
        applied: list[str] = []
        while (name := await _apply_next(connection, steps)) is not None:
            applied.append(name)
        await _apply_roles(connection, _text(roles), changed=bool(applied))
        return applied
    except (asyncpg.InterfaceError, OSError) as error:
        raise Unavailable(f"the database was lost while migrating: {error}") from error
    finally:
        connection.remove_log_listener(_tell_notice)
        connection.terminate()


def _read_steps(folder: Path) -> dict[str, str]:
    """Text by name, in order; numbered 0001, 0002, … without a gap."""
    names = sorted(file.name for file in folder.glob("[0-9]*.sql"))
    for number, name in enumerate(names, start=1):
        if not re.fullmatch(rf"{number:04d}_[a-z0-9_]+\.sql", name):
            raise Misuse(f"migration {name} in {folder} should be {number:04d}_name.sql")
    return {name: _text(folder / name) for name in names}


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")  # universal newlines: a checkout may change them


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def _applied(connection: "Connection") -> dict[str, str]:
    # Not to_regclass: it may answer from a cache that is older than the lock we waited for.
    known = "select true from pg_tables where schemaname = current_schema() and tablename = $1"
    if not await connection.fetchval(known, "kcjl_migration"):
        return {}
    rows = await connection.fetch("select name, sha256 from kcjl_migration order by name")
    return {row["name"]: row["sha256"] for row in rows}


async def _apply_next(connection: "Connection", steps: dict[str, str]) -> str | None:
    """Check the whole ledger, then apply the first missing step; None when there is none."""
    if _missing(steps, await _applied(connection)) is None:
        return None
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
        # Looked at again: another process may have applied it while we waited for the lock.
        name = _missing(steps, await _applied(connection))
        if name is None:
            return None
        await connection.execute(_LEDGER)
        await connection.execute(steps[name])
        await connection.execute(
            "insert into kcjl_migration (name, sha256) values ($1, $2)",
            name,
            _sha256(steps[name]),
        )
    return name


def _missing(steps: dict[str, str], applied: dict[str, str]) -> str | None:
    done = [name for name in applied if name != ROLES]
    for name in done:
        if name not in steps:
            raise Misuse(
                f"the database has migration {name}, which this version of kcjl does not know: "
                "it was made by a newer version; run that one"
            )
        if applied[name] != _sha256(steps[name]):
            raise Misuse(
                f"migration {name} was changed after it was applied (sha256 "
                f"{applied[name][:12]}… then, {_sha256(steps[name])[:12]}… now): "
                "bring the file back, and put the change into a new one"
            )
    ahead = list(steps)[: len(done)]
    if done != ahead:
        raise Misuse(f"migrations were applied out of order: {', '.join(done)}")
    return next((name for name in steps if name not in applied), None)


async def _apply_roles(connection: "Connection", text: str, *, changed: bool) -> None:
    """Roles and grants. Recorded only when every role is there: until then, tried each time."""
    applied = await _applied(connection)
    if not changed and applied.get(ROLES) == _sha256(text):
        return
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
        await connection.execute(text)
        await connection.execute(
            """
            insert into kcjl_migration (name, sha256)
            select $1, $2
            where (select count(*) from pg_roles where rolname like 'kcjl\\_%') >= 3
            on conflict (name) do update
            set sha256 = excluded.sha256, applied_at = clock_timestamp()
            """,
            ROLES,
            _sha256(text),
        )


def _tell_notice(_: object, message: asyncpg.PostgresLogMessage) -> None:
    if message.severity_en == "WARNING":
        _log.warning("migration_warning", said=message.message, hint=message.hint)
