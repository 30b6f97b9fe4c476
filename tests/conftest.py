"""What every room's tests share: one event loop backend, and one real PostgreSQL a session.

The server stands in a temporary folder that other accounts may pass through (as root it runs
as another one), is started by the first test that asks for it, and removed at the end.
`database_dsn` is a fresh, migrated database for each test; sync and async tests may ask for it.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import anyio
import asyncpg
import pytest
import structlog

from kcjl.embedded import own
from kcjl.log.migrate import migrate

TEMPLATE = "kcjl_template"
MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 2 * 1024**3
_numbers = count(1)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Begun behind an `&`: what the tests start would inherit it, and heed no Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """A command line, or a simulation, that runs in here sets up how things are said, and who
    may read what is written: of this process, so of all tests after it.
    """
    structlog.reset_defaults()
    umask = os.umask(0o022)
    yield
    os.umask(umask)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Superuser DSN of a PostgreSQL of this session's own."""
    folder = Path(tempfile.mkdtemp(prefix="kcjl-tests-", dir=_room()))
    folder.chmod(0o711)
    try:
        embedded = anyio.run(own, folder / "postgresql")
        yield embedded.dsn
        anyio.run(embedded.stop)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_template(server: str) -> str:
    """Name of a database with the whole schema, to copy from."""
    anyio.run(_run, server, f"create database {TEMPLATE}")
    anyio.run(migrate, dsn_of(server, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def empty_dsn(server: str) -> Iterator[str]:
    """A fresh database without any table."""
    yield from _fresh(server, "template1")


@pytest.fixture
def database_dsn(server: str, migrated_template: str) -> Iterator[str]:
    """A fresh database with the whole schema: superuser DSN."""
    yield from _fresh(server, migrated_template)


def dsn_of(server: str, name: str) -> str:
    """The DSN of another database of the same server."""
    base, _, options = server.partition("?")
    return f"{base.rpartition('/')[0]}/{name}?{options}"


def _room() -> str | None:
    """Memory rather than a disk, where there is enough: each test makes a database."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN
    return str(MEMORY) if roomy and os.access(MEMORY, os.W_OK) else None


def _fresh(server: str, template: str) -> Iterator[str]:
    name = f"kcjl_test_{next(_numbers)}"
    anyio.run(_run, server, f"create database {name} template {template}")
    yield dsn_of(server, name)
    anyio.run(_run, server, f"drop database {name} with (force)")


async def _run(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
