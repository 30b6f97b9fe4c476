"""A merchant's service whose database goes away for longer than its lease."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from kcjl import service
from kcjl.clock import real_sleep
from kcjl.exceptions.service_events import ServiceConditionFound
from kcjl.health.vitals import State, Vitals
from kcjl.orders.events import OrdersRead
from kcjl.serving import Serving
from kcjl.worker import Worker
from tests.log.postern import postern
from tests.service.running import MERCHANT, quiet_world, shop

pytestmark = pytest.mark.anyio


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """For a socket: its path must be short."""
    with tempfile.TemporaryDirectory(prefix="kcjl-") as folder:
        yield Path(folder)


async def test_service_that_could_not_renew_stops_and_begins_again_by_itself(
    database_dsn: str,
    tmp_path: Path,
    short_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stops before its lease is over, serves in a new epoch, and says that it lost it."""
    monkeypatch.setattr(service, "LEASE_S", 60.0)
    monkeypatch.setattr(service, "STOP_S", 56.0)
    monkeypatch.setattr(service, "RENEW_S", 0.2)
    async with (
        shop(database_dsn, tmp_path, quiet_world()) as running,
        postern(database_dsn, short_folder) as (gate, dsn),
        Worker.open(dsn, running.clock) as worker,
        anyio.create_task_group() as group,
    ):
        every = Vitals([MERCHANT])
        vitals, told_here = every.merchants[MERCHANT], list[str]()
        serving = Serving(running.settings, every, worker, holder="test", tell=told_here.append)
        group.start_soon(serving.serve, vitals)
        await running.until(OrdersRead)
        first = await running.log.head()
        gate.shut = True
        gate.break_all()
        with anyio.fail_after(40):
            while "begins again" not in (told := "".join(told_here)) or (
                "waiting for it" not in told
            ):
                await real_sleep(0.02)
        assert (State.AWAY, ()) == (vitals.state, vitals.rooms)
        gate.shut = False
        with anyio.fail_after(40):
            async for _ in running.log.follow(first.position):
                second = await running.log.head()
                if (
                    second.epoch > first.epoch
                ):  # what was on its way at the break may come first
                    break
        lost = await running.until(
            ServiceConditionFound, lambda each: each.kind == "lease_lost"
        )
        group.cancel_scope.cancel()

    assert "lease" == lost.subject
    assert "stops writing before another can begin" in told
    assert first.epoch < second.epoch
    assert State.SERVING == vitals.state
