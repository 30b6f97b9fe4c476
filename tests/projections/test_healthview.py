"""The service's health out of PostgreSQL, as its events and the sync log have it."""

from collections.abc import AsyncIterator

import pytest

from kcjl.calls.port import CallOutcome, CallRecord, Side
from kcjl.calls.postgres import PostgresCalls
from kcjl.database import AUDITOR, Database
from kcjl.exceptions.events import JobInterrupted, JobResumed, WritesSwitched
from kcjl.exceptions.service_events import ServiceConditionEnded, ServiceConditionFound
from kcjl.projections.reading import PostgresReadModels
from kcjl.readmodels_health import HealthModels, HealthReading, HealthRow
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.trade import at, orders_read, transactions_read

pytestmark = pytest.mark.anyio


@pytest.fixture
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    async with handmade(database_dsn) as made:
        yield made


@pytest.fixture
async def health(made: Handmade, database_dsn: str) -> AsyncIterator[HealthModels]:
    """As the monitor has it: with the auditor's rights."""
    async with Database(database_dsn, role=AUDITOR) as database:
        yield PostgresReadModels(database, MERCHANT, made.clock).health


def interrupted(minutes: float, job: str = "intake") -> JobInterrupted:
    return JobInterrupted(
        room="orders",
        job=job,
        message="no answer within 30 s",
        code="KCJL-3001",
        side="johnlewis",
        occurred_at=at(minutes),
    )


def skewed(minutes: float) -> ServiceConditionFound:
    return ServiceConditionFound(
        kind="clock_skew", subject="khaos", message="ours is behind", occurred_at=at(minutes)
    )


def row(reading: HealthReading, key: str) -> HealthRow:
    (found,) = [each for each in reading.rows if each.key == key]
    return found


async def test_health_before_anything_has_happened_is_not_bad_and_knows_little(
    made: Handmade, health: HealthModels
) -> None:
    """A lease, no feed, no fault: nothing is claimed that nobody has seen."""
    found = await health.reading()

    assert set() == {each.key for each in found.rows if each.standing in ("bad", "warn")}
    assert ("held by the test", False) == (
        row(found, "lease").said,
        row(found, "lease").has_past,
    )
    assert "unknown" == row(found, "feed orders").standing == row(found, "room stock").standing
    assert 0 == found.faults_total


async def test_interrupted_job_stands_first_until_it_works_again(
    made: Handmade, health: HealthModels
) -> None:
    """A row of its own, and its room with it; resumed, only the room's faults keep it."""
    await made.says(interrupted(1), by="orders")
    down = await health.reading()
    await made.says(JobResumed(room="orders", job="intake", occurred_at=at(2)), by="orders")
    up = await health.reading()

    assert "job-orders-intake" == down.rows[0].key
    assert ("bad", "KCJL-3001 no answer within 30 s") == (
        down.rows[0].standing,
        down.rows[0].said,
    )
    assert "1 job does not run" in row(down, "room orders").said
    assert "ok" == row(up, "room orders").standing
    assert "job-orders-intake" not in {each.key for each in up.rows}
    (fault,) = row(up, "room orders").faults
    assert (1, "orders/intake") == (fault.position, fault.subject)
    assert row(up, "faults").faults == (fault,)


async def test_what_the_watch_finds_is_bad_until_it_is_over(
    made: Handmade, health: HealthModels
) -> None:
    """Its words, its event; afterwards when it was over."""
    await made.says(skewed(1), by="watch")
    (bad,) = [each for each in (await health.reading()).rows if each.group == "clock"]
    over = ServiceConditionEnded(
        kind="clock_skew", subject="khaos", reason="they agree", occurred_at=at(5)
    )
    await made.says(over, by="watch")
    (fine,) = [each for each in (await health.reading()).rows if each.group == "clock"]

    assert ("bad", "ours is behind", at(1)) == (bad.standing, bad.said, bad.at)
    assert ("ok", at(5)) == (fine.standing, fine.at)


async def test_feed_is_late_by_its_own_pace(made: Handmade, health: HealthModels) -> None:
    """Read every minute and then not for four: later than usual. Once a day is no worse."""
    await made.says(*(orders_read(minute) for minute in (-7, -6, -5, -4)))
    await made.says(transactions_read(-1_500), transactions_read(-60), by="settlement")
    found = await health.reading()

    assert "warn" == row(found, "feed orders").standing
    assert "later than usual: read every 60 s" == row(found, "feed orders").said
    assert (60, 60, 60) == row(found, "feed orders").series[1].counts
    assert "ok" == row(found, "feed transactions").standing
    assert "ok" == row(found, "room settlement").standing


async def test_calls_are_counted_by_operation_with_what_failed(
    made: Handmade, health: HealthModels
) -> None:
    """The last hour against the day; what has expired or is yet to come is not counted."""
    now = made.clock.now()
    calls = [
        CallRecord(
            side=Side.JOHNLEWIS,
            operation="OR11",
            attempted_at=at(minutes),
            took_ms=100,
            outcome=outcome,
        )
        for minutes, outcome in (
            (-1, CallOutcome.DONE),
            (-2, CallOutcome.RATE_LIMITED),
            (-70, CallOutcome.DONE),
            (-70, CallOutcome.UNAVAILABLE),
            (-2_000, CallOutcome.DONE),
            (600, CallOutcome.DONE),
        )
    ]
    await PostgresCalls(made.database, MERCHANT).keep(calls, ())
    found = row(await health.reading(), "calls johnlewis OR11")

    assert now == at(0)
    assert (2, 2) == found.series[0].counts[-2:]
    assert (1, 1) == found.series[1].counts[-2:]
    assert "warn" == found.standing
    assert "2 in the last hour, 1 failed, 1 told to slow down" in found.said
    assert ("a day", "4 calls, 2 failed") in found.facts


async def test_kill_switch_says_why_and_lists_fall_behind_by_their_positions(
    made: Handmade, health: HealthModels
) -> None:
    """Writes that are off are bad news; so is a list that does not follow, when it is said."""
    await made.says(orders_read(1))
    off = WritesSwitched(allowed=False, reason="wrong prices", occurred_at=at(2))
    await made.append(off, by="jo")
    found = await health.reading()

    assert ("bad", "all writes to the outside are stopped: wrong prices") == (
        row(found, "switch").standing,
        row(found, "switch").said,
    )
    assert "up to 1 events behind" in row(found, "lists").said
    assert ("orders", "#1, 1 behind, version 1") in row(found, "lists").facts
