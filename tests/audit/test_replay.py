"""Law 1: the log folded again gives the live read models byte for byte, or the row is named."""

from collections.abc import AsyncIterator

import pytest

from tests.audit.handmade import Handmade, cleared, handmade, raised
from tests.trade import (
    changed,
    confirmed,
    cycle_seen,
    gbp,
    intended,
    level,
    listed,
    money_line,
    orders_read,
    posted,
    received,
    sealed,
    shipped,
    stock_read,
    transactions_read,
    unmatched,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def trade(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    """A log in which every projection has rows."""
    order = received("O1", updated=0)
    async with handmade(database_dsn) as made:
        await made.append(listed(), confirmed(), level("7.5"), listed("B-2"), unmatched("B-2"))
        await made.append(stock_read(1), order, orders_read(2), changed(order), sealed())
        await made.append(intended(order), posted(order), shipped(), received("O2"))
        await made.append(raised("order_held", "O2", money=gbp(2_000)), raised("x", "O3"))
        await made.append(cleared("x", "O3"), money_line(), cycle_seen(), transactions_read(90))
        await made.fold()
        yield made


async def test_replay_of_a_log_gives_the_live_rows_byte_for_byte(trade: Handmade) -> None:
    """Nothing is known that is not in the log."""
    replayed = await trade.replay()
    kept = await trade.database.fetch("select distinct projection from projection_row")
    rows = await trade.database.fetchval("select count(*) from projection_row")

    assert "" == replayed.difference
    assert ((await trade.log.head()).position, rows) == (replayed.position, replayed.rows)
    assert 8 == len(kept)


async def test_replay_of_an_empty_log_finds_nothing_and_no_difference(
    database_dsn: str,
) -> None:
    """A merchant's first minute."""
    async with handmade(database_dsn) as made:
        replayed = await made.replay()

    assert (0, 0, "") == (replayed.position, replayed.rows, replayed.difference)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            """
            update projection_row
            set data = replace(data::text, 'SHIPPING', 'SHIPPED')::json
            where projection = 'orders' and key = 'O1'
            """,
            "orders O1: replayed as ",
        ),
        (
            """
            update projection_row set data = (data::text || ' ')::json
            where projection = 'payouts'
            """,
            "payouts CY1: replayed as ",
        ),
        (
            "delete from projection_row where projection = 'exceptions' and key like '%O2'",
            "exceptions order_held:O2: replayed, but not live",
        ),
        (
            """
            insert into projection_row (merchant, projection, version, key, data)
            select merchant, projection, version, 'O9', data from projection_row
            where projection = 'dispatch' and key = 'O1'
            """,
            "dispatch O9: live, but not replayed",
        ),
        (
            "update projection_row set key = 'a-2' where projection = 'stock' and key = 'a-1'",
            "stock a-1: replayed, but not live",
        ),
    ],
    ids=["altered", "a blank more", "missing", "extra", "renamed"],
)
async def test_replay_names_the_one_row_that_is_not_as_the_log_says(
    trade: Handmade, statement: str, named: str
) -> None:
    """An altered, a missing and an extra row are found, down to a single blank."""
    touched = await trade.database.execute(statement)
    replayed = await trade.replay()

    assert touched.endswith(" 1")
    assert replayed.difference.startswith(named)


async def test_replay_shows_both_sides_of_a_difference(trade: Handmade) -> None:
    """Who reads it sees what the log says and what stands in its place."""
    await trade.database.execute(
        'update projection_row set data = \'{"state":"tied"}\' '
        "where projection = 'settlement_lines'"
    )
    replayed = await trade.replay()

    assert replayed.difference.startswith('settlement_lines L1: replayed as {"state":"untied"')
    assert replayed.difference.endswith('live as {"state":"tied"}')


async def test_replay_goes_as_far_as_the_read_models_are_and_no_further(
    trade: Handmade,
) -> None:
    """What was appended since is not yet folded: that is no difference."""
    before = (await trade.log.head()).position
    await trade.append(received("O3"), received("O4"))
    behind = await trade.replay()
    await trade.fold()
    there = await trade.replay()

    assert (before, "") == (behind.position, behind.difference)
    assert (before + 2, "") == (there.position, there.difference)
    assert behind.rows < there.rows


async def test_replay_finds_an_event_that_was_passed_over(trade: Handmade) -> None:
    """A checkpoint that went on without its row: the row is missing, and named."""
    await trade.append(received("O3"))
    await trade.database.execute("update projection_checkpoint set position = position + 1")
    replayed = await trade.replay()

    assert "dispatch O3: replayed, but not live" == replayed.difference


async def test_replay_changes_nothing_of_what_it_compares(trade: Handmade) -> None:
    """A broken row stays as it is, for whoever looks into it."""
    await trade.database.execute(
        "delete from projection_row where projection = 'orders' and key = 'O1'"
    )
    rows = "select array_agg(r::text order by r::text) from projection_row r"
    before = await trade.database.fetchval(rows)
    first = await trade.replay()
    second = await trade.replay()

    assert "orders O1: replayed, but not live" == first.difference == second.difference
    assert before == await trade.database.fetchval(rows)


async def test_replay_looks_at_its_own_merchant_only(trade: Handmade) -> None:
    """Another merchant's rows in the same tables are none of its business."""
    await trade.database.execute(
        "insert into projection_row (merchant, projection, version, key, data) "
        "select 'other', projection, version, key, data from projection_row"
    )
    replayed = await trade.replay()

    assert "" == replayed.difference
