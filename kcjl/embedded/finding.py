"""How an embedded server is reached: its DSN, whether it answers, and whether one lives.

Promises: `find` starts and changes nothing; a DSN names the port, so that PGPORT in the
environment chooses no other server. No lock is held: the server may be gone a moment later.
Called by verbs that only read, and by `server`.
"""

import os
from pathlib import Path
from urllib.parse import quote

import anyio.to_thread
import asyncpg

from kcjl.embedded.account import CONNECT_S
from kcjl.embedded.cluster import is_server, read_pid_file
from kcjl.embedded.place import recorded_cluster
from kcjl.embedded.refusals import as_unusable

__all__ = ["DATABASE", "PORT", "answers", "dsn_of", "find"]

DATABASE = "kcjl"
PORT = 5432  # a part of the socket's name; nothing listens on a network


async def find(data_dir: Path) -> str | None:
    """The DSN of the live server of a data directory, or None. Starts and changes nothing."""
    socket_folder = await anyio.to_thread.run_sync(_live_socket_folder, data_dir)
    if socket_folder is None or not await answers(socket_folder, create=False):
        return None
    return dsn_of(socket_folder, DATABASE)


def dsn_of(socket_folder: Path, database: str) -> str:
    # The port is named, or PGPORT in the caller's environment would choose another.
    host = quote(os.fspath(socket_folder), safe="/")
    return f"postgresql://postgres@/{database}?host={host}&port={PORT}"


async def answers(socket_folder: Path, *, create: bool = True) -> bool:
    """Connect to be sure, and see to it that our database is there."""
    try:
        connection = await asyncpg.connect(dsn_of(socket_folder, "postgres"), timeout=CONNECT_S)
        try:
            known = "select exists (select from pg_database where datname = $1)"
            there: bool = await connection.fetchval(known, DATABASE)
            if create and not there:
                await connection.execute(f"create database {DATABASE}")
        finally:
            await connection.close(timeout=CONNECT_S)
    except (
        OSError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ):
        # The last is what asyncpg says when the server is killed in the middle of a word.
        return False
    return there or create


def _live_socket_folder(data_dir: Path) -> Path | None:
    with as_unusable(data_dir):
        data_dir = data_dir.resolve()
        cluster = recorded_cluster(data_dir) or data_dir / "postgres"
        seen = read_pid_file(cluster)
        live = seen is not None and seen.ready and is_server(seen.pid, cluster)
        return seen.socket_folder if seen and live else None
