"""A past that was tampered with by somebody with every right is found, and named."""

import pytest

from kcjl.database import Database
from kcjl.log.verify import BrokenChain, verify
from tests.log.intruder import COLUMNS, flip_a_bit, unguarded
from tests.log.keepers import Admin, PostgresKeeper, counted

pytestmark = pytest.mark.anyio

EVENTS = 9


@pytest.fixture
async def keeper(database_dsn: str, database: Database) -> PostgresKeeper:
    """A log of nine events on two streams, some of them with a cause."""
    keeper = PostgresKeeper(database_dsn, database)
    async with keeper.writer() as log:
        for number in range(1, EVENTS + 1):
            cause = number // 2 if number > 3 else None
            await log.append([counted("AB"[number % 2], number, causation=cause)])
    return keeper


async def test_columns_are_those_of_the_table(admin: Admin, keeper: PostgresKeeper) -> None:
    """A column that is added to the table is tampered with too, or this fails."""
    rows = await admin.fetch(
        """
        select column_name from information_schema.columns
        where table_name = 'event' order by ordinal_position
        """
    )

    assert list(COLUMNS) == [row["column_name"] for row in rows]


@pytest.mark.parametrize("column", COLUMNS)
async def test_one_bit_of_any_column_of_any_event_is_found(
    admin: Admin, keeper: PostgresKeeper, column: str
) -> None:
    """One bit, anywhere: the event is named, what was expected, and what stands there."""
    await admin.execute("create table kept as select * from event")
    for position in range(1, EVENTS + 1):
        await flip_a_bit(admin, column, position)

        with pytest.raises(BrokenChain) as caught:
            await verify(keeper.reader())

        assert position == caught.value.position
        assert caught.value.expected != caught.value.found
        assert caught.value.found in caught.value.message
        async with unguarded(admin):
            await admin.execute("delete from event")
            await admin.execute("insert into event select * from kept")

    assert EVENTS == (await verify(keeper.reader())).events


@pytest.mark.parametrize(("one", "other"), [(1, 2), (4, 5), (1, 3)])
async def test_swapped_pair_is_found(keeper: PostgresKeeper, one: int, other: int) -> None:
    """Two events that changed places: the first of the two places is named."""
    await keeper.swap(one, other)

    with pytest.raises(BrokenChain, match="not what was hashed") as caught:
        await verify(keeper.reader())

    assert one == caught.value.position


@pytest.mark.parametrize("position", range(1, EVENTS + 1))
async def test_removed_event_is_found(keeper: PostgresKeeper, position: int) -> None:
    """An event that is gone: its place is named, and what stands there instead."""
    await keeper.remove(position)

    with pytest.raises(BrokenChain, match="it is missing") as caught:
        await verify(keeper.reader())

    assert position == caught.value.position
    stands = f"position {position + 1}, Counted" if position < EVENTS else "none"
    assert caught.value.found.startswith(stands)


@pytest.mark.parametrize(
    ("change", "position", "finding"),
    [
        ("position = 4", 4, "not the head's"),
        ("position = 10", 10, "it is missing"),
        ("hash = set_byte(hash, 0, get_byte(hash, 0) # 1)", EVENTS, "not the head's"),
        (
            "position = 4, hash = (select e.hash from event e where e.position = 4)",
            5,
            "it is past the head",
        ),
    ],
)
async def test_head_that_was_tampered_with_is_found(
    admin: Admin, keeper: PostgresKeeper, change: str, position: int, finding: str
) -> None:
    """The head has no trigger: it is held against the events, and they against it."""
    await admin.execute(f"update log_head set {change}")

    with pytest.raises(BrokenChain, match=finding) as caught:
        await verify(keeper.reader())

    assert position == caught.value.position
    assert caught.value.expected != caught.value.found


async def test_column_without_a_cause_that_gets_one_is_found(
    admin: Admin, keeper: PostgresKeeper
) -> None:
    """Null and a number are two things, also where the number is small."""
    async with unguarded(admin):
        await admin.execute("update event set causation = 1 where position = 2")

    with pytest.raises(BrokenChain, match="not what was hashed") as caught:
        await verify(keeper.reader())

    assert 2 == caught.value.position


@pytest.mark.parametrize("first", [4, 9])
async def test_verify_from_a_position_trusts_what_stands_before(
    admin: Admin, keeper: PostgresKeeper, first: int
) -> None:
    """Who verifies the end only finds what was done there, and nothing earlier."""
    await flip_a_bit(admin, "data", 2)

    assert EVENTS - first + 1 == (await verify(keeper.reader(), after=first - 1)).events
    await flip_a_bit(admin, "data", first)
    with pytest.raises(BrokenChain) as caught:
        await verify(keeper.reader(), after=first - 1)
    assert first == caught.value.position


async def test_verify_from_a_position_finds_a_clock_that_goes_back_there(
    admin: Admin, keeper: PostgresKeeper
) -> None:
    """The time of the event before is trusted, and compared with."""
    async with unguarded(admin):
        await admin.execute(
            "update event set recorded_at = recorded_at + interval '1 day' where position = 5"
        )

    with pytest.raises(BrokenChain, match="recorded before") as caught:
        await verify(keeper.reader(), after=5)

    assert 6 == caught.value.position
