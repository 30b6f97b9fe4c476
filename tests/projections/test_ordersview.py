"""Orders out of PostgreSQL as people look at them: by urgency, by a word, and a life."""

from collections.abc import AsyncIterator

import pytest

from kcjl.database import AUDITOR, Database
from kcjl.orders.events import OrderHeld
from kcjl.projections.reading import PostgresReadModels
from tests.audit.handmade import MERCHANT, Handmade, handmade, raised
from tests.trade import (
    at,
    changed,
    gbp,
    intended,
    ordered,
    posted,
    received,
    sealed,
    shipped,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    async with handmade(database_dsn) as made:
        yield made


@pytest.fixture
async def models(made: Handmade, database_dsn: str) -> AsyncIterator[PostgresReadModels]:
    async with Database(database_dsn, role=AUDITOR) as database:
        yield PostgresReadModels(database, MERCHANT, made.clock)


def held(order_id: str) -> OrderHeld:
    return OrderHeld(
        order_id=order_id,
        reason="policy",
        message="above 250.00 GBP",
        skus=(),
        money=gbp(1),
        accept_by=None,
        rule="large",
        policy_version=3,
        occurred_at=at(2),
    )


async def test_orders_that_wait_come_first_and_the_soonest_too_late_first_of_them(
    made: Handmade, models: PostgresReadModels
) -> None:
    """A cut list holds the most urgent, and says how many orders there are."""
    done = received("O1")
    await made.append(done, changed(done, "CLOSED"), sealed("O1"), intended(done), posted(done))
    for number, order_id in ((2, "O2"), (3, "O3"), (4, "O4")):
        order = received(order_id, ordered(f"{order_id}-1", f"SKU-{number}"))
        await made.append(order)
    await made.says(held("O3"))
    every = await models.orders.list()
    cut = await models.orders.list(limit=2)

    assert {"O2", "O3", "O4"} == {row.order_id for row in every.rows[:3]}
    assert ["O1"] == [row.order_id for row in every.rows[3:]]
    deadlines = [row.deadline for row in every.rows[:3] if row.deadline is not None]
    assert sorted(deadlines) == deadlines
    (kept,) = [row for row in every.rows if row.order_id == "O3"]
    assert ("held", "above 250.00 GBP", "large", 3) == (
        kept.standing,
        kept.held,
        kept.rule,
        kept.policy_version,
    )
    assert (2, 4, 3) == (len(cut.rows), cut.total, cut.open)
    head = await made.log.head()
    assert head.position == cut.fresh.position


async def test_order_is_found_by_a_part_of_its_id_else_by_what_a_waiting_one_holds(
    made: Handmade, models: PostgresReadModels
) -> None:
    """Also of the ended ones by id; a sign of the pattern language is a sign."""
    done = received("A-O1")
    await made.append(done, changed(done, "CANCELED"))
    await made.says(received("B-O2", ordered("B-O2-1", "LAMP_7")))
    found = {
        word: [row.order_id for row in (await models.orders.list(find=word)).rows]
        for word in ("o1", "lamp_7", "lamp%", "O", "nothing")
    }

    assert {
        "o1": ["A-O1"],
        "lamp_7": ["B-O2"],
        "lamp%": [],
        "O": ["B-O2", "A-O1"],
        "nothing": [],
    } == found


async def test_story_of_an_order_holds_its_parcels_and_exceptions_under_their_causes(
    made: Handmade, models: PostgresReadModels
) -> None:
    """One tree with both clocks; the buyer is masked."""
    order = received("O1")
    await made.append(order, changed(order), sealed(), intended(order), posted(order))
    await made.says(shipped(), raised("tracking_missing", "O1/P1"), raised("order_held", "O12"))
    story = await models.orders.story("O1")
    assert story is not None
    depths = {event.type: event.depth for event in story.events}

    assert ("masked", False) == (story.buyer, story.cut)
    assert depths["OrderReceived"] < depths["PostingIntended"] < depths["SalesOrderPosted"]
    assert depths["SalesOrderPosted"] < depths["ParcelShipped"]
    assert ["exception-tracking_missing-O1/P1"] == [
        event.stream for event in story.events if event.type == "ExceptionRaised"
    ]
    assert await models.orders.story("O2") is None
