"""The desk out of PostgreSQL: in order of urgency, storms as one row, totals whole."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from kcjl.database import AUDITOR, Database
from kcjl.exceptions.desk_events import (
    ExceptionAccepted,
    ExceptionAssigned,
    ExceptionNoted,
    ExceptionParked,
    ExceptionRetried,
    ExceptionUnparked,
    StormBegan,
    StormEnded,
)
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN, deadline_of
from kcjl.exceptions.words import Wanted
from kcjl.money import Money
from kcjl.projections.deskreading import DeskRows
from tests.audit.handmade import MERCHANT, Handmade, cleared, handmade, raised
from tests.trade import at, gbp

pytestmark = pytest.mark.anyio

STORM = StormBegan(
    kind="posting_refused", exceptions=5, raised=5, window_minutes=15, occurred_at=at(20)
)


@pytest.fixture
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    async with handmade(database_dsn) as made:
        yield made


@pytest.fixture
async def rows(made: Handmade, database_dsn: str) -> AsyncIterator[DeskRows]:
    async with Database(database_dsn, role=AUDITOR) as database:
        yield DeskRows(database, MERCHANT)


async def subjects(rows: DeskRows, wanted: Wanted, *, state: str = "open") -> list[str]:
    found = await rows.list(wanted, state=state, limit=50)
    return [row.subject for row in found.rows]


async def test_storm_is_one_row_with_its_count_and_money_and_opens_out_by_kind(
    made: Handmade, rows: DeskRows
) -> None:
    """It stands where its most urgent one would; asked for by kind, each is there."""
    postings = [
        raised("posting_refused", f"O{n}", money=gbp(100 + n), deadline=at(90 + n))
        for n in range(5)
    ]
    others = (
        raised("order_held", "sooner", deadline=at(50)),
        raised("order_held", "later", deadline=at(91), money=Money(7, "EUR")),
    )
    await made.says(*postings, *others, STORM)
    found = await rows.list(Wanted(), state="open", limit=50)
    storm = found.rows[1]
    opened_out = await rows.list(Wanted(kind="posting_refused"), state="open", limit=2)
    cut = await rows.list(Wanted(), state="open", limit=1)
    await made.says(StormEnded(kind="posting_refused", exceptions=2, occurred_at=at(30)))
    over = await rows.list(Wanted(), state="open", limit=50)

    assert ["sooner", "5 of them", "later"] == [row.subject for row in found.rows]
    assert ("storm:posting_refused", 5, gbp(510)) == (
        storm.exception_id,
        storm.folded,
        storm.money_at_risk,
    )
    assert at(90) == storm.deadline
    assert "the most urgent is O0: " in storm.message
    assert (7, 7, 3) == (found.total, found.shown, found.total_rows)
    assert (gbp(510), Money(7, "EUR")) == found.money
    assert ["O0", "O1"] == [row.subject for row in opened_out.rows]
    assert (5, 2) == (opened_out.total, opened_out.shown)
    assert (7, 1, 3) == (cut.total, cut.shown, cut.total_rows)
    assert 7 == len(over.rows)


async def test_filters_of_the_list_are_those_of_the_words(
    made: Handmade, rows: DeskRows
) -> None:
    """What is listed is what a word with the same filter is about."""
    await made.says(
        raised("posting_refused", "O1", money=gbp(2_000), minutes=1),
        raised("tracking_missing", "O1/P1", minutes=2),
        raised("order_held", "O1%", money=Money(9_000, "EUR"), minutes=3),
        raised("total_differs", "O_", money=gbp(1), minutes=4),
        ExceptionAssigned(
            kind="total_differs", subject="O_", owner="jo", by="sam", occurred_at=at(6)
        ),
    )

    assert ["O_"] == await subjects(rows, Wanted(kind="total_differs"))
    assert {"O1", "O1%", "O_"} == set(await subjects(rows, Wanted(lane="Orders")))
    assert ["O_"] == await subjects(rows, Wanted(owner="jo"))
    assert {"O1", "O1/P1", "O1%"} == set(await subjects(rows, Wanted(owner="operations")))
    assert {"O1", "O1/P1"} == set(await subjects(rows, Wanted(subject="O1")))
    assert ["O1%"] == await subjects(rows, Wanted(subject="O1%"))
    assert ["O_"] == await subjects(rows, Wanted(subject="O_"))
    assert {"O1%", "O_"} == set(await subjects(rows, Wanted(since=at(3))))
    assert {"O1", "O_"} == set(await subjects(rows, Wanted(above=gbp(1))))
    assert ["O1"] == await subjects(rows, Wanted(ids=("posting_refused:O1",)))


async def test_exception_keeps_its_history_when_it_comes_again(
    made: Handmade, rows: DeskRows
) -> None:
    """Who said what, when; parked, back, accepted, there again, closed, there again."""
    word = {"kind": "order_held", "subject": "O1"}
    await made.says(
        raised(minutes=1),
        ExceptionAssigned(**word, owner="jo", by="sam", occurred_at=at(2)),
        ExceptionNoted(**word, note="asked for it", by="jo", occurred_at=at(3)),
        ExceptionParked(**word, until=at(60), reason="tomorrow", by="jo", occurred_at=at(4)),
    )
    parked = await subjects(rows, Wanted(), state="parked")
    await made.says(
        ExceptionUnparked(**word, occurred_at=at(60)),
        ExceptionRetried(**word, outcome="done", by="jo", occurred_at=at(61)),
        ExceptionAccepted(**word, reason="agreed", by="jo", occurred_at=at(62)),
    )
    accepted = await subjects(rows, Wanted(), state="accepted")
    await made.says(raised(minutes=63), cleared(minutes=64), raised(minutes=65))
    life = await rows.one("order_held:O1")

    assert (["O1"], ["O1"], ["O1"]) == (parked, accepted, await subjects(rows, Wanted()))
    assert life is not None
    assert (3, 3, 1) == (life.seen, life.opened, life.attempts)
    assert (at(1), at(65), "operations") == (life.first_seen_at, life.opened_at, life.owner)
    assert ["sam", "jo", "jo", "", "jo", "jo", "", "", ""] == [each.by for each in life.words]
    assert "it is there again" == life.words[-1].said
    assert None is await rows.one("order_held:O9")


def test_urgency_stands_first_in_a_row_behind_its_state() -> None:
    """Totals are read from there; a row that began otherwise would be summed wrongly."""
    born = EXCEPTIONS_SHOWN.evolve(None, raised(money=gbp(-5), deadline=at(9)), "order_held:O1")
    assert born is not None
    pieces = born.decode().split('"')

    assert ("state", "open", "row", "urgency") == (pieces[1], pieces[3], pieces[5], pieces[7])
    assert ["GBP", "-5", "order_held:O1"] == pieces[9].split()[4:]
    assert at(9) == deadline_of(pieces[9])


async def test_first_rows_of_the_desk_are_a_look_into_the_index(
    made: Handmade, database_dsn: str
) -> None:
    """However many are open: no row is sorted, none is read that is not shown."""
    await made.says(*(raised(subject=f"O{number}") for number in range(300)))
    admin = await asyncpg.connect(database_dsn)
    try:
        await admin.execute("analyze projection_row, projection_checkpoint")
    finally:
        await admin.close()
    plan = await made.database.fetch(
        """
        explain select r.data::text from projection_row r
        where r.merchant = 'acme' and r.projection = 'exceptions' and r.version = (
            select version from projection_checkpoint
            where merchant = 'acme' and projection = 'exceptions' and live
        ) and split_part(r.data::text, '"', 4) = 'open'
        order by split_part(r.data::text, '"', 10) collate "C" limit 10
        """
    )

    assert any("projection_row_desk" in row[0] for row in plan)
    assert not any("Sort" in row[0] for row in plan)
