"""Orders' times out of PostgreSQL: a period is read by its index, and to the microsecond."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from kcjl.database import AUDITOR, Database
from kcjl.dispatch.timing import Stage
from kcjl.projections.timingreading import PLACED, TimingRows
from tests.audit.handmade import MERCHANT, handmade
from tests.trade import SHIPPING, posted, received

pytestmark = pytest.mark.anyio

MIDNIGHT = datetime(2026, 10, 1, 23, tzinfo=UTC)
"""Of London, in summer."""
TICK = timedelta(microseconds=1)
ORDERS = {
    "BEFORE": MIDNIGHT - TICK,
    "AT": MIDNIGHT,
    "AFTER": MIDNIGHT + TICK,
    "LATE": MIDNIGHT + timedelta(hours=24) - TICK,
    "NEXT": MIDNIGHT + timedelta(hours=24),
    "NEXT-TOO": MIDNIGHT + timedelta(hours=24) + TICK,
}


@pytest.fixture
async def rows(anyio_backend: str, database_dsn: str) -> AsyncIterator[TimingRows]:
    """Six orders, one of which is in the warehouse, as the CLI reads them."""
    orders = {
        order_id: msgspec.structs.replace(received(order_id, state=SHIPPING), occurred_at=at)
        for order_id, at in ORDERS.items()
    }
    async with handmade(database_dsn) as made:
        await made.says(*orders.values(), posted(orders["AT"]))
        async with Database(database_dsn, role=AUDITOR) as database:
            yield TimingRows(database, MERCHANT)


async def placed(rows: TimingRows, since: datetime, until: datetime | None) -> set[str]:
    return {each.order_id async for page in rows.placed(since, until) for each in page}


async def test_orders_of_a_day_are_those_from_midnight_to_midnight(rows: TimingRows) -> None:
    """A row's text has a fraction or none: neither puts an order into another day."""
    day = MIDNIGHT + timedelta(hours=24)

    assert {"AT", "AFTER", "LATE"} == await placed(rows, MIDNIGHT, day)
    assert {"AFTER", "LATE", "NEXT"} == await placed(rows, MIDNIGHT + TICK, day + TICK)
    assert {"LATE", "NEXT", "NEXT-TOO"} == await placed(rows, day - TICK, None)
    assert set() == await placed(rows, day + timedelta(days=1), None)


async def test_orders_at_a_stage_are_listed_alone(rows: TimingRows) -> None:
    """What is on its way is looked at, and not a year of what is done."""
    found = [each.order_id async for page in rows.at({Stage.TO_PICK}) for each in page]

    assert ["AT"] == found


async def test_period_is_read_by_its_index(rows: TimingRows, database_dsn: str) -> None:
    """A month of ten years is a month's work."""
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute("set enable_seqscan = off")
        plan = await connection.fetchval(
            f"explain (format json) {PLACED}", MERCHANT, "2026-10-01T23:00:00", "", "9999", 10
        )
    finally:
        await connection.close()

    assert "projection_row_ordered" in plan


MANY = """
insert into projection_row (merchant, projection, version, key, data)
select $1, 'timings', 1, 'O' || n, json_build_object(
    'state', 'confirmed', 'row', json_build_object(
        'ordered_at', to_char(timestamp '2026-01-01' + n * interval '1 minute', $2)
    )
)
from generate_series(1, 5000) as n
"""


@pytest.mark.parametrize("analyzed", [False, True])
async def test_order_is_looked_up_by_its_key_and_not_by_the_index_of_periods(
    rows: TimingRows, database_dsn: str, *, analyzed: bool
) -> None:
    """An index that held the key would be taken for it, and read from end to end."""
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute(MANY, MERCHANT, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        if analyzed:
            await connection.execute("analyze projection_row")
        plan = await connection.fetchval(
            "explain (format json) select data from projection_row where merchant = $1 "
            "and projection = 'timings' and version = 1 and key = 'O77'",
            MERCHANT,
        )
    finally:
        await connection.close()

    assert "projection_row_pkey" in plan
