"""An open database, acting as the service does, for the tests of the log."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from kcjl.database import SERVICE, Database
from tests.log.keepers import Admin

pytest.register_assert_rewrite("tests.log.laws")


@pytest.fixture
async def database(anyio_backend: str, database_dsn: str) -> AsyncIterator[Database]:
    async with Database(database_dsn, role=SERVICE) as database:
        yield database


@pytest.fixture
async def admin(database_dsn: str) -> AsyncIterator[Admin]:
    """A superuser's own connection."""
    connection = await asyncpg.connect(database_dsn)
    yield connection
    await connection.close()
