"""The laws of rows, kept by PostgreSQL and by its twin in memory alike."""

import pytest

from kcjl.projections.store import MemoryRows, PostgresRows
from tests.projections.laws import RowLaws

pytestmark = pytest.mark.anyio


class TestMemory(RowLaws):
    """The twin."""

    @pytest.fixture
    def rows(self, memory_rows: MemoryRows) -> MemoryRows:
        return memory_rows


class TestPostgres(RowLaws):
    """The real one."""

    @pytest.fixture
    def rows(self, postgres_rows: PostgresRows) -> PostgresRows:
        return postgres_rows


async def test_merchants_do_not_see_each_others_rows(postgres_rows: PostgresRows) -> None:
    """Everything is keyed by merchant."""
    other = PostgresRows(postgres_rows._database, "other")
    for rows in (postgres_rows, other):
        await rows.position(("orders",))
    await postgres_rows.write(("orders",), {("orders", "O1"): b"{}"}, before=0, after=3)

    assert [] == await other.rows("orders")
    assert 0 == await other.position(("orders",))
