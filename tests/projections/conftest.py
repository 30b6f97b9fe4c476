"""Both keepers of rows, for the tests of the projections."""

from collections.abc import AsyncIterator

import pytest

from kcjl.database import SERVICE, Database
from kcjl.projections.store import MemoryRows, PostgresRows

pytest.register_assert_rewrite("tests.projections.laws")


@pytest.fixture
async def postgres_rows(anyio_backend: str, database_dsn: str) -> AsyncIterator[PostgresRows]:
    async with Database(database_dsn, role=SERVICE) as database:
        yield PostgresRows(database, "acme")


@pytest.fixture
def memory_rows() -> MemoryRows:
    return MemoryRows()
