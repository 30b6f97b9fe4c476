"""Both keepers of the sync log: the same laws, and what only PostgreSQL can do."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from kcjl.calls.memory import MemoryCalls
from kcjl.calls.postgres import PostgresCalls
from kcjl.database import AUDITOR, OPERATOR, SERVICE, Database
from tests.calls.laws import ALL, CallLaws, call, operations, surprise

pytestmark = pytest.mark.anyio


class TestMemory(CallLaws):
    """The twin."""

    @pytest.fixture
    def calls(self) -> MemoryCalls:
        return MemoryCalls()


class TestPostgres(CallLaws):
    """The real one."""

    @pytest.fixture
    async def database(self, database_dsn: str) -> AsyncIterator[Database]:
        async with Database(database_dsn, role=SERVICE) as database:
            yield database

    @pytest.fixture
    def calls(self, database: Database) -> PostgresCalls:
        return PostgresCalls(database, "acme")

    async def test_merchants_have_their_own_notes(
        self, database: Database, calls: PostgresCalls
    ) -> None:
        """One merchant's calls are in nobody else's list, sum, or deletion."""
        other = PostgresCalls(database, "other")
        await calls.keep([call("OR11")], [surprise("colour", 1)])
        await other.keep([call("OR24", 5)], [])

        assert ["OR24"] == operations(await other.newest(ALL, 10))
        assert 1 == len(await other.summary(ALL))
        assert [] == list(await other.surprises())
        assert 0 == await other.expire(call(minutes=1).attempted_at, rows_max=10)
        assert ["OR11"] == operations(await calls.newest(ALL, 10))

    async def test_batch_with_a_bad_note_is_not_kept_at_all(self, calls: PostgresCalls) -> None:
        """All of a batch, or none."""
        with pytest.raises(asyncpg.CheckViolationError):
            await calls.keep([call("OR11"), call("OR24", page=0)], [])

        assert [] == list(await calls.newest(ALL, 10))

    @pytest.mark.parametrize("role", [OPERATOR, AUDITOR])
    async def test_people_read_the_sync_log_and_write_nothing(
        self, database_dsn: str, calls: PostgresCalls, role: str
    ) -> None:
        """Notes are the service's; people look at them."""
        await calls.keep([call("OR11")], [surprise("colour", 1)])
        async with Database(database_dsn, role=role) as theirs:
            readers = PostgresCalls(theirs, "acme")

            assert ["OR11"] == operations(await readers.newest(ALL, 10))
            assert 1 == len(await readers.surprises())
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await readers.keep([call("OR24")], [])
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await readers.expire(call(minutes=1).attempted_at, rows_max=1)

    async def test_service_changes_no_note(self, database: Database) -> None:
        """A note is written once, and deleted when it has expired."""
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute("update sync_log set outcome = 'done'")

    async def test_expiry_and_newest_are_found_by_index(self, database: Database) -> None:
        """A long sync log is not read whole for either."""
        async with database.transaction() as session:
            await session.execute("set local enable_seqscan = off")
            expiry = await session.fetch(
                """
                explain select number from sync_log where merchant = 'acme'
                and attempted_at < now() order by attempted_at, number limit 100
                """
            )
            newest = await session.fetch(
                "explain select * from sync_log where merchant = 'acme' "
                "order by number desc limit 20"
            )

        assert "sync_log_time" in " ".join(row[0] for row in expiry)
        assert "sync_log_pkey" in " ".join(row[0] for row in newest)
