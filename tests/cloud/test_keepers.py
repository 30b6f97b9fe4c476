"""Both keepers of the Cloud feed: the same laws, and what only PostgreSQL can do."""

import asyncpg
import pytest

from kcjl.database import AUDITOR, OPERATOR, Database
from kcjl.khaos.cloud_memory import MemoryCloudFeed
from kcjl.khaos.cloud_postgres import PostgresCloudFeed
from tests.clockwork import MORNING
from tests.cloud.laws import ORDER, FeedLaws, heard, level, product, references

pytestmark = pytest.mark.anyio


class TestMemory(FeedLaws):
    """The twin."""

    @pytest.fixture
    def feed(self) -> MemoryCloudFeed:
        return MemoryCloudFeed()


class TestPostgres(FeedLaws):
    """The real one."""

    @pytest.fixture
    def feed(self, database: Database) -> PostgresCloudFeed:
        return PostgresCloudFeed(database, "acme")

    async def test_merchants_have_their_own_feed(
        self, database: Database, feed: PostgresCloudFeed
    ) -> None:
        """One merchant's channel sees, hears and forgets nothing of another's."""
        other = PostgresCloudFeed(database, "other")
        await feed.queue(ORDER, "A", at=MORNING)
        await feed.hear_levels([level("A", "1")], at=MORNING)
        await feed.hear_products([product("A", "1")], [], at=MORNING)
        await other.hear_products([], ["1"], at=MORNING)
        await other.hear_statuses([heard("A")], at=MORNING)

        assert ["A"] == await references(feed)
        assert [] == await references(other)
        assert [] == list(await feed.statuses(["A"]))
        assert [] == list(await other.levels(["A"]))
        assert not (await feed.products(["A"]))[0].deleted

    @pytest.mark.parametrize("role", [OPERATOR, AUDITOR])
    async def test_people_look_at_the_feed_and_change_nothing(
        self, database_dsn: str, feed: PostgresCloudFeed, role: str
    ) -> None:
        """What waits for the ERP can be seen; only the service queues."""
        await feed.queue(ORDER, "A", at=MORNING)
        async with Database(database_dsn, role=role) as theirs:
            readers = PostgresCloudFeed(theirs, "acme")

            assert ["A"] == await references(readers)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await readers.queue(ORDER, "B", at=MORNING)

    async def test_queue_is_found_by_index(self, database: Database) -> None:
        """A long outbox of confirmed orders is not read whole every quarter of an hour."""
        async with database.transaction() as session:
            await session.execute("set local enable_seqscan = off")
            plan = await session.fetch(
                """
                explain select reference from cloud_outbox where merchant = 'acme'
                and kind = 'order' and heard_at is null and (sequence > 5 or fetched_at is null)
                order by sequence limit 10
                """
            )

        assert "cloud_outbox_waiting" in " ".join(row[0] for row in plan)
