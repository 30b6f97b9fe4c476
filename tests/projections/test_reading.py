"""What people look at: the read models out of PostgreSQL, on a log that was made by hand."""

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from kcjl.database import AUDITOR, Database
from kcjl.projections.reading import PostgresReadModels
from kcjl.readmodels import Lane, Overview
from kcjl.settlement.events import PayoutHeld
from tests.audit.handmade import MERCHANT, Handmade, cleared, handmade, raised
from tests.clockwork import MORNING
from tests.trade import (
    at,
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
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    async with handmade(database_dsn) as made:
        yield made


@pytest.fixture
async def models(made: Handmade, database_dsn: str) -> AsyncIterator[PostgresReadModels]:
    """As the monitor has them: with the auditor's rights, which can change nothing."""
    async with Database(database_dsn, role=AUDITOR) as database:
        yield PostgresReadModels(database, MERCHANT, made.clock)


def lane(overview: Overview, name: str) -> Lane:
    (found,) = [each for each in overview.lanes if each.name == name]
    return found


# ── the overview ────────────────────────────────────────────────────────────────────────────


async def test_overview_of_an_empty_log_shows_nothing_and_says_when(
    models: PostgresReadModels,
) -> None:
    """A merchant's first minute: four lanes of nothing, true as of now."""
    overview = await models.overview()

    assert ["Stock", "Orders", "Dispatch", "Money"] == [each.name for each in overview.lanes]
    assert (0, None, MORNING) == (
        overview.fresh.position,
        overview.fresh.recorded_at,
        overview.fresh.now,
    )
    assert (0, 0, ()) == (overview.events, overview.exceptions_open, overview.money_at_risk)
    for each in overview.lanes:
        assert (0, 0, 0, None) == (each.done, each.waiting, each.excepted, each.last_read_at)
        assert (0,) * 60 == each.per_minute


async def test_overview_counts_each_lane_by_what_is_done_and_what_waits(
    made: Handmade, models: PostgresReadModels
) -> None:
    """Every figure is a count of rows, and each row is in one of them."""
    order = received("O1", updated=0)
    await made.append(listed(), confirmed(), level("7"), listed("B-2"), unmatched("B-2"))
    await made.append(listed("C-3"), stock_read(1))
    await made.append(order, changed(order), sealed(), intended(order), posted(order))
    await made.append(received("O2"), orders_read(11), shipped())
    held = PayoutHeld(
        cycle_id="CY2",
        stated=gbp(1),
        lines_total=gbp(0),
        residue=gbp(1),
        lines=0,
        untied=(),
        reason="residue",
        occurred_at=at(125),
    )
    await made.append(money_line(), cycle_seen(), cycle_seen(1, cycle="CY2"), held)
    await made.append(transactions_read(90))
    await made.fold()
    overview = await models.overview()
    stock, orders = lane(overview, "Stock"), lane(overview, "Orders")
    dispatch, money = lane(overview, "Dispatch"), lane(overview, "Money")

    assert (1, 1) == (stock.done, stock.waiting)
    assert (("confirmed", "1"), ("unmatched", "1")) == stock.facts
    assert (0, 2) == (orders.done, orders.waiting)
    assert (("posted", "1"), ("received", "1")) == orders.facts
    assert (0, 1) == (dispatch.done, dispatch.waiting)
    assert (("not_posted", "1"), ("to_confirm", "1")) == dispatch.facts
    assert (0, 2) == (money.done, money.waiting)
    assert ("lines untied", "1") in money.facts
    assert [at(1), at(11), None, at(90)] == [each.last_read_at for each in overview.lanes]
    head = await made.log.head()
    assert (head.position, head.position) == (overview.events, overview.fresh.position)


async def test_overview_gives_each_exception_to_its_lane_with_its_deadline_and_money(
    made: Handmade, models: PostgresReadModels
) -> None:
    """The nearest deadline of a lane is shown; what was cleared counts no more."""
    await made.says(
        raised("order_held", "O1", money=gbp(1_000), deadline=at(600)),
        raised("order_held", "O2", money=gbp(2_500), deadline=at(300)),
        raised("courier_unmapped", "van", deadline=at(100)),
        raised("payout_open", "CY1", money=gbp(33)),
        raised("job_interrupted", "stock/levels"),
        raised("order_held", "O3", money=gbp(99_999), deadline=at(1)),
        cleared("order_held", "O3"),
    )
    overview = await models.overview()

    assert [0, 2, 1, 1] == [each.excepted for each in overview.lanes]
    assert [None, at(300), at(100), None] == [each.oldest_deadline for each in overview.lanes]
    assert (5, (gbp(3_533),)) == (overview.exceptions_open, overview.money_at_risk)


async def test_rates_are_events_a_minute_of_the_last_hour_newest_last(
    made: Handmade, models: PostgresReadModels
) -> None:
    """By the room that recorded it and the time of recording; what is older is left out."""
    await made.append(orders_read(0), by="orders")
    made.clock.tick(30 * 60)
    await made.append(*(orders_read(number) for number in range(3)), by="orders")
    made.clock.tick(29 * 60 + 30)
    await made.append(stock_read(1), by="stock")
    await made.append(orders_read(1), by="jo")
    earlier = await models.overview()
    made.clock.tick(60)
    later = await models.overview()

    orders = lane(earlier, "Orders").per_minute
    assert (60, 4) == (len(orders), sum(orders))
    assert {0: 1, 30: 3} == {index: n for index, n in enumerate(orders) if n}
    assert {30: 3} == _not_nothing(lane(later, "Orders").per_minute, shifted=1)
    assert (1, 0) == (
        lane(earlier, "Stock").per_minute[-1],
        lane(later, "Stock").per_minute[-1],
    )
    assert 1 == lane(later, "Stock").per_minute[-2]
    assert 0 == sum(lane(later, "Money").per_minute)


def _not_nothing(per_minute: tuple[int, ...], *, shifted: int) -> dict[int, int]:
    return {index + shifted: number for index, number in enumerate(per_minute) if number}


# ── the exceptions ──────────────────────────────────────────────────────────────────────────


async def test_exceptions_are_sorted_by_deadline_then_severity_money_and_age(
    made: Handmade, models: PostgresReadModels
) -> None:
    """What burns first stands first; without a deadline, what is worst; then the oldest."""
    urgent_last = [
        raised(subject="no deadline, low", severity="low", money=gbp(9_999)),
        raised(subject="no deadline, high, newer", minutes=20, money=gbp(10)),
        raised(subject="no deadline, high, older", minutes=10, money=gbp(10)),
        raised(subject="no deadline, high, dear", minutes=30, money=gbp(500)),
        raised(subject="no deadline, critical", severity="critical", minutes=40),
        raised(subject="late deadline", deadline=at(200), severity="low"),
        raised(subject="near deadline, dear", deadline=at(100), money=gbp(50)),
        raised(subject="near deadline, critical", deadline=at(100), severity="critical"),
    ]
    await made.says(*urgent_last)
    found = await models.exceptions()

    assert [event.subject for event in reversed(urgent_last)] == [
        row.subject for row in found.exceptions
    ]
    assert len(urgent_last) == found.total


async def test_exceptions_that_are_cut_say_how_many_there_are(
    made: Handmade, models: PostgresReadModels
) -> None:
    """«first 2 of 7»: the two are the most urgent, and the seven are the open ones."""
    await made.says(*(raised(subject=f"O{n}", deadline=at(100 - n)) for n in range(9)))
    await made.says(cleared(subject="O8"), cleared(subject="O0"))
    cut = await models.exceptions(limit=2)
    gone = await models.exceptions(state="cleared")

    assert ["O7", "O6"] == [row.subject for row in cut.exceptions]
    assert 7 == cut.total
    assert ({"O0", "O8"}, 2) == ({row.subject for row in gone.exceptions}, gone.total)
    assert {("cleared", at(12))} == {(row.state, row.cleared_at) for row in gone.exceptions}
    assert (await made.log.head()).position == cut.fresh.position


async def test_exception_that_came_again_keeps_its_first_sight_and_counts(
    made: Handmade, models: PostgresReadModels
) -> None:
    """The same condition is the same exception, from its first time on."""
    first = raised(money=gbp(2_000), deadline=at(300), minutes=9)
    again = msgspec.structs.replace(first, message="it still waits", occurred_at=at(19))
    await made.says(first, cleared(minutes=12), again)
    (row,) = (await models.exceptions()).exceptions

    assert ("order_held:O1", "open", None) == (row.exception_id, row.state, row.cleared_at)
    assert (at(9), at(19), 2) == (row.first_seen_at, row.last_seen_at, row.seen)
    assert ("it still waits", "high", "operations") == (row.message, row.severity, row.owner)
    assert (gbp(2_000), at(300)) == (row.money_at_risk, row.deadline)


# ── the events ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def ten(made: Handmade) -> Handmade:
    await made.append(*(orders_read(number) for number in range(10)))
    return made


@pytest.mark.parametrize(
    ("after", "before", "limit", "expected"),
    [
        (None, None, 200, range(1, 11)),
        (None, None, 3, range(8, 11)),
        (0, None, 3, range(1, 4)),
        (4, None, 200, range(5, 11)),
        (4, None, 2, range(5, 7)),
        (10, None, 200, ()),
        (None, 4, 200, range(1, 4)),
        (None, 4, 2, range(2, 4)),
        (None, 1, 200, ()),
        (None, 99, 1, (10,)),
    ],
)
async def test_events_come_oldest_first_from_where_they_are_asked(
    ten: Handmade,
    models: PostgresReadModels,
    after: int | None,
    before: int | None,
    limit: int,
    expected: range,
) -> None:
    """What follows, what precedes, or the newest: the nearest ones, never with a hole."""
    found = await models.events(after=after, before=before, limit=limit)

    assert list(expected) == [event.position for event in found]


async def test_event_is_shown_as_the_log_holds_it_byte_for_byte(
    made: Handmade, models: PostgresReadModels
) -> None:
    """Its text is what was hashed: no key moved, no sign re-written."""
    odd = 'é “x” \\ \\u0041 </b> \u2028 \x1b[31m \U0001f6d2 "quoted"'
    exception = msgspec.structs.replace(raised(money=gbp(-5)), message=odd)
    await made.append(received("O1"), by="orders")
    await made.append(exception, by="exceptions", causation=1)
    recorded = [each async for page in made.log.read() for each in page]
    shown = await models.events()

    assert [each.data.decode() for each in recorded] == [each.data for each in shown]
    assert [each.hash.hex() for each in recorded] == [each.hash for each in shown]
    assert odd == msgspec.json.decode(shown[1].data)["message"]
    assert ("ExceptionRaised", "exception-order_held-O1", 1) == (
        shown[1].type,
        shown[1].stream,
        shown[1].revision,
    )
    assert ("exceptions", "c1", 1) == (
        shown[1].by,
        shown[1].correlation_id,
        shown[1].causation,
    )
    assert (at(9), MORNING) == (shown[1].occurred_at, shown[1].recorded_at)


async def test_freshness_is_the_head_of_the_log_and_the_time_of_asking(
    made: Handmade, models: PostgresReadModels
) -> None:
    """How old an answer is, is seen on the answer."""
    await made.append(orders_read(0), orders_read(1))
    made.clock.tick(90)
    fresh = (await models.exceptions()).fresh

    assert (2, MORNING, MORNING + timedelta(seconds=90)) == (
        fresh.position,
        fresh.recorded_at,
        fresh.now,
    )


async def test_read_models_show_their_own_merchant_only(
    made: Handmade, models: PostgresReadModels, database_dsn: str
) -> None:
    """Two merchants in one database see nothing of each other."""
    await made.says(raised(), received("O1"))
    async with Database(database_dsn, role=AUDITOR) as database:
        other = PostgresReadModels(database, "other", made.clock)
        overview = await other.overview()
        found = await other.exceptions()
        events = await other.events()
        counts = await other.counts()

    assert {} == counts
    assert (0, 0) == (overview.events, overview.exceptions_open)
    assert ((), 0, []) == (found.exceptions, found.total, list(events))
