"""A served merchant's sync log: every call to both sides, tied to the events about it."""

from pathlib import Path

import pytest

from kcjl.calls.port import Asked, Side
from kcjl.calls.postgres import PostgresCalls
from kcjl.dispatch.events import ParcelConfirmed
from kcjl.orders.events import PostingIntended
from tests.service.running import MERCHANT, quiet_world, serving, shop

pytestmark = pytest.mark.anyio


async def test_calls_of_an_order_are_noted_on_both_sides(
    database_dsn: str, tmp_path: Path
) -> None:
    """From the first read to the shipped parcel, with the correlation of the intention."""
    async with shop(database_dsn, tmp_path, quiet_world()) as quiet:
        async with serving(quiet):
            order_id = quiet.buy(quiet.an_offer())
            await quiet.until(ParcelConfirmed)
        calls = PostgresCalls(quiet.database, MERCHANT)
        summary = {row.operation: row for row in await calls.summary(Asked())}
        (posting,) = await calls.newest(Asked(operation="ImportOrders"), 10)
        intended = [
            recorded
            async for page in quiet.log.read()
            for recorded in page
            if isinstance(recorded.event, PostingIntended)
        ]

        assert {"OR11", "OR21", "STO01", "STO02", "ST01", "ImportOrders"} <= set(summary)
        assert {Side.JOHNLEWIS, Side.KHAOS} == {row.side for row in summary.values()}
        assert (0, 0) == (summary["ST01"].errors, sum(row.lost for row in summary.values()))
        assert [intended[0].correlation_id] == [posting.call.correlation_id]
        noted = [row.call.operation for row in await calls.newest(Asked(subject=order_id), 50)]
        assert "OR21" in noted
        assert "Quillfeather" not in repr(await calls.newest(Asked(), 10_000))
