"""Time travel: what a read model said at a position or a time is a fold of what there was."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.clock import chance
from kcjl.errors import Misuse
from kcjl.events import vocabulary
from kcjl.log.memory import MemoryLog, MemoryLogReader, MemoryStore
from kcjl.log.port import Draft
from kcjl.projections.asof import AsOf, as_of, position_at
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


def encoded(projection: Projection[Any], there: AsOf[Any]) -> list[tuple[str, bytes]]:
    return [(key, projection.encode(entry)) for key, entry in there.entries.items()]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
async def test_state_as_of_the_head_is_the_live_one(
    projection: Projection[Any], log: MemoryLogReader
) -> None:
    """Now is a time like any other."""
    rows = MemoryRows()
    head = await ProjectionRunner(log, rows, PROJECTIONS).catch_up()
    there = await as_of(log, projection, position=head)

    assert await rows.rows(projection.name) == encoded(projection, there)
    assert there.entries


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
async def test_state_as_of_any_position_is_what_the_live_one_was(
    projection: Projection[Any], log: MemoryLogReader
) -> None:
    """At fifty positions: the rows that the runner had when it had come so far."""
    head = (await log.head()).position
    rows = MemoryRows()
    for position in sorted(chance(projection.name).sample(range(head + 1), 50)):
        await ProjectionRunner(log, rows, (projection,)).catch_up(to=position)
        there = await as_of(log, projection, position=position)

        assert await rows.rows(projection.name) == encoded(projection, there)
        assert position == there.position


async def test_one_entry_as_of_a_position_is_that_entry_of_the_whole(
    log: MemoryLogReader,
) -> None:
    """With a key, only its entry is held; it is the same entry."""
    (orders,) = (each for each in PROJECTIONS if each.name == "orders")
    whole = await as_of(log, orders, position=400)
    one = await as_of(log, orders, position=400, key="O0000007")
    nobody = await as_of(log, orders, position=400, key="nobody")

    assert {"O0000007": whole.entries["O0000007"]} == one.entries
    assert {} == nobody.entries


async def test_position_beyond_the_head_is_refused(log: MemoryLogReader) -> None:
    """The future is not in the log; how far it goes is said."""
    head = (await log.head()).position
    with pytest.raises(Misuse, match=f"positions up to {head:,}"):
        await as_of(log, PROJECTIONS[0], position=head + 1)

    assert {} == (await as_of(log, PROJECTIONS[0], position=0)).entries


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
