"""Parcels out of PostgreSQL as people look at them: by urgency, and whose minutes they were."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from kcjl.database import AUDITOR, Database
from kcjl.dispatch.deadline_events import MetricRead, SellerMetricsRead
from kcjl.dispatch.events import CarriersRead, ConfirmationIntended, ConfirmationRefused
from kcjl.projections.reading import PostgresReadModels
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.trade import at, changed, intended, posted, received, sealed, shipped

pytestmark = pytest.mark.anyio


@pytest.fixture
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    async with handmade(database_dsn) as made:
        yield made


@pytest.fixture
async def models(made: Handmade, database_dsn: str) -> AsyncIterator[PostgresReadModels]:
    async with Database(database_dsn, role=AUDITOR) as database:
        yield PostgresReadModels(database, MERCHANT, made.clock)


async def _refused(made: Handmade) -> str:
    """An order whose one parcel the marketplace has refused; the parcel's key."""
    order, parcel = received("O1"), shipped()
    await made.append(order, changed(order), sealed(), intended(order), posted(order), parcel)
    tried = ConfirmationIntended(
        order_id="O1",
        parcel_key=parcel.parcel_key,
        attempt=1,
        lines=(),
        courier_name=parcel.courier_name,
        carrier_code="DPD",
        tracking_number=parcel.tracking_number,
        by_shipment=True,
        occurred_at=at(30),
    )
    no = ConfirmationRefused(
        order_id="O1",
        parcel_key=parcel.parcel_key,
        message="the tracking number is unknown",
        attempt=1,
        deadline=None,
        occurred_at=at(31),
    )
    await made.says(tried, no, received("O2"), by="dispatch")
    return parcel.parcel_key


async def test_dispatch_lists_a_parcel_a_line_and_an_order_without_one_as_a_line(
    made: Handmade, models: PostgresReadModels
) -> None:
    """With its carrier, its attempts and what was answered; counts are of the whole."""
    parcel_key = await _refused(made)
    found = await models.dispatch.list()
    rows = {row.key: row for row in found.rows}

    assert {f"O1/{parcel_key}", "O2"} == set(rows)
    parcel = rows[f"O1/{parcel_key}"]
    assert ("refused", "DPD", 1, "the tracking number is unknown") == (
        parcel.state,
        parcel.carrier,
        parcel.attempts,
        parcel.message,
    )
    assert ("", "accepting") == (rows["O2"].parcel_key, rows["O2"].state)
    assert (2, 2, 2) == (found.orders, found.open, found.total)
    due = [row.deadline for row in found.rows if row.deadline is not None]
    ahead = [each for each in due if made.clock.now() <= each < found.hours[-1].at]
    assert len(ahead) == sum(hour.orders for hour in found.hours)


async def test_dispatch_is_found_by_a_tracking_number_in_what_waits(
    made: Handmade, models: PostgresReadModels
) -> None:
    """The first word of the filter reaches beyond what is loaded."""
    await _refused(made)
    number = shipped().tracking_number
    by_number = await models.dispatch.list(find=number.lower())
    by_order = await models.dispatch.list(find="o2")

    assert ["O1"] == [row.order_id for row in by_number.rows]
    assert ["O2"] == [row.order_id for row in by_order.rows]


async def test_dispatch_tells_the_marketplaces_metrics_of_the_shortest_period(
    made: Handmade, models: PostgresReadModels
) -> None:
    """As they were read last, beside our thresholds; and the carriers that it lists."""
    await made.says(
        CarriersRead(carriers=(("DPD", "DPD UK"),), multi_shipment=True, occurred_at=at(1)),
        SellerMetricsRead(
            metrics=(
                MetricRead(
                    metric="late_shipment_rate", period="LAST_MONTH", value=Decimal("0.02")
                ),
                MetricRead(
                    metric="late_shipment_rate", period="LAST_THREE_MONTHS", value=Decimal(0)
                ),
            ),
            measured_at=at(0),
            occurred_at=at(2),
        ),
    )
    found = await models.dispatch.list()

    assert [("late_shipment_rate", Decimal("0.02"))] == [
        (each.metric, each.theirs) for each in found.metrics
    ]
    assert at(2) == found.metrics_read_at
    assert (("DPD", "DPD UK"),) == await models.dispatch.carriers()


async def test_story_of_a_dispatch_gives_the_minutes_and_each_attempt(
    made: Handmade, models: PostgresReadModels
) -> None:
    """Stages without a gap, whose they were, and the answers in the log's order."""
    await _refused(made)
    story = await models.dispatch.story("O1")
    assert story is not None

    ends = [span.ended for span in story.spans[:-1]]
    assert ends == [span.began for span in story.spans[1:]]
    assert sum(span.elapsed_s for span in story.spans) == sum(e.elapsed_s for e in story.spent)
    assert [("refused", 1)] == [(each.state, each.attempts) for each in story.parcels]
    (no,) = [event for event in story.events if event.type == "ConfirmationRefused"]
    assert "the tracking number is unknown" in no.said
    assert await models.dispatch.story("O3") is None
