"""Time travel: what a read model said at a position or a time is a fold of what there was."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.clock import chance
from kcjl.events import vocabulary
from kcjl.log.memory import MemoryLog, MemoryLogReader, MemoryStore
from kcjl.log.port import Draft
from kcjl.projections.asof import fold_log, position_at
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.projection import Projection
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import MemoryRows
from tests.clockwork import MORNING, Clockwork
from tests.projections.long_trade import long_trade

pytestmark = pytest.mark.anyio

EVENTS_A_MINUTE = 7


@pytest.fixture
async def log(anyio_backend: str) -> MemoryLogReader:
    """A log in which seven events are recorded each minute."""
    store, clock = MemoryStore(), Clockwork()
    events = list(long_trade(60))
    async with MemoryLog.open(
        store, "acme", vocabulary(), clock, store.take_over("acme")
    ) as log:
        for start in range(0, len(events), EVENTS_A_MINUTE):
            page = events[start : start + EVENTS_A_MINUTE]
            await log.append(
                [Draft(event=event, by="tests", correlation_id="one") for event in page]
            )
            clock.tick(60)
    return MemoryLogReader(store, "acme")


async def folded(
    projection: Projection[Any], log: MemoryLogReader, position: int
) -> list[tuple[str, bytes]]:
    (entries,) = await fold_log(log, (projection,), to=position)
    return [(key, projection.encode(entry)) for key, entry in sorted(entries.items())]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
async def test_state_as_of_the_head_is_the_live_one(
    projection: Projection[Any], log: MemoryLogReader
) -> None:
    """Now is a time like any other."""
    rows = MemoryRows()
    head = await ProjectionRunner(log, rows, PROJECTIONS).catch_up()
    there = await folded(projection, log, head)

    assert await rows.rows(projection.name) == there
    assert there


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
async def test_state_as_of_any_position_is_what_the_live_one_was(
    projection: Projection[Any], log: MemoryLogReader
) -> None:
    """At fifty positions: the rows that the runner had when it had come so far."""
    head = (await log.head()).position
    rows = MemoryRows()
    for position in sorted(chance(projection.name).sample(range(head + 1), 50)):
        await ProjectionRunner(log, rows, (projection,)).catch_up(to=position)

        assert await rows.rows(projection.name) == await folded(projection, log, position)


@given(minutes=st.integers(-2, 140), seconds=st.sampled_from((-1, 0, 1)))
async def test_time_is_the_last_position_recorded_by_then(minutes: int, seconds: int) -> None:
    """All that had been recorded by that moment, and nothing later."""
    moment = MORNING + timedelta(minutes=minutes, seconds=seconds)
    log = await _small_log()
    events = [recorded async for page in log.read() for recorded in page]
    wanted = sum(recorded.recorded_at <= moment for recorded in events)

    assert wanted == await position_at(log, moment)


async def _small_log() -> MemoryLogReader:
    store, clock = MemoryStore(), Clockwork()
    events = list(long_trade(4))
    async with MemoryLog.open(
        store, "acme", vocabulary(), clock, store.take_over("acme")
    ) as log:
        for start in range(0, len(events), 3):
            await log.append(
                [
                    Draft(event=event, by="tests", correlation_id="one")
                    for event in events[start : start + 3]
                ]
            )
            clock.tick(120)
    return MemoryLogReader(store, "acme")


async def test_time_in_an_empty_log_is_before_its_first_event() -> None:
    """Nothing was known yet."""
    assert 0 == await position_at(MemoryLogReader(MemoryStore(), "acme"), MORNING)
