"""Where benchmarks run: one embedded server on a disk, a fresh database for each of them.

It syncs as the service's own server does. A slow disk is made by `commit_delay`: the server
waits so long, under its write lock, before each flush of a commit.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import asyncpg

from kcjl.embedded import own
from kcjl.log.migrate import migrate

__all__ = ["Place", "place"]


class Place:
    """A server."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._numbers = count(1)

    @asynccontextmanager
    async def database(self, *, flush_ms: int = 0, migrated: bool = True) -> AsyncIterator[str]:
        """The superuser's DSN of a fresh database, whose flushes take so much longer."""
        name = f"benchmark_{next(self._numbers)}"
        base, _, options = self._dsn.partition("?")
        dsn = f"{base.rpartition('/')[0]}/{name}?{options}"
        await self._execute(f"create database {name}")
        if migrated:
            await migrate(dsn)
        if flush_ms:
            await self._execute(f"alter database {name} set commit_delay = {flush_ms * 1000}")
            await self._execute(f"alter database {name} set commit_siblings = 0")
        try:
            yield dsn
        finally:
            await self._execute(f"drop database {name} with (force)")

    async def checkpoint(self) -> None:
        """Let what was written before cost nothing later."""
        await self._execute("checkpoint")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="kcjl-benchmarks-"))
    folder.chmod(0o711)  # noqa: ASYNC240 - nothing else runs yet
    embedded = await own(folder / "postgresql")
    try:
        yield Place(embedded.dsn)
    finally:
        await embedded.stop()
        shutil.rmtree(folder, ignore_errors=True)
