"""The laws of the log, kept by PostgreSQL and by its twin in memory alike."""

import pytest

from kcjl.database import Database
from tests.log.keepers import MemoryKeeper, PostgresKeeper
from tests.log.laws import LogLaws

pytestmark = pytest.mark.anyio


class TestMemory(LogLaws):
    """The twin."""

    @pytest.fixture
    def keeper(self) -> MemoryKeeper:
        return MemoryKeeper()


class TestPostgres(LogLaws):
    """The real one."""

    @pytest.fixture
    def keeper(self, database_dsn: str, database: Database) -> PostgresKeeper:
        return PostgresKeeper(database_dsn, database)
