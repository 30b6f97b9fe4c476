"""The service's clock on a sandbox: the world's, whatever the world does with its time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import anyio
import msgspec
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from kcjl import worldclock
from kcjl.clock import WorldClock
from kcjl.errors import Unavailable
from kcjl.sandbox.server import Sandbox, SandboxSettings
from kcjl.worldclock import follow_world, world_clock
from tests.clockwork import MORNING
from tests.service.running import quiet_world, until

pytestmark = pytest.mark.anyio

LEAP_S = 2 * 3_600.0


@pytest.fixture(autouse=True)
def _asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law is that the clock follows, not how often it asks."""
    monkeypatch.setattr(worldclock, "FOLLOW_EVERY_S", 0.05)


def _settings(**changes: object) -> SandboxSettings:
    standing = SandboxSettings(world=quiet_world(), port=0, khaos_port=0, speed=0)
    return msgspec.structs.replace(standing, **changes)


@asynccontextmanager
async def _following(url: str) -> AsyncIterator[WorldClock]:
    async with aiohttp.ClientSession() as session:
        clock = await world_clock(session, url)
        async with anyio.create_task_group() as group:
            group.start_soon(follow_world, session, url, clock)
            yield clock
            group.cancel_scope.cancel()


async def test_clock_of_a_world_that_stands_still_shows_its_time_exactly() -> None:
    """Before anything else starts the clock is the world's, and does not run ahead of it."""
    async with Sandbox.serve(_settings()) as sandbox, aiohttp.ClientSession() as session:
        clock = await world_clock(session, sandbox.johnlewis_url)

        assert 0 == clock.speed
        assert sandbox.world.agenda.now == clock.now() == clock.now()


async def test_clock_stays_with_a_world_that_leaps_runs_and_stops() -> None:
    """Leaps, another pace and standing still all reach the service."""
    async with (
        Sandbox.serve(_settings()) as sandbox,
        _following(sandbox.johnlewis_url) as clock,
    ):
        door = sandbox.doorkeeper
        began = clock.now()
        door.set_pace(leap_s=LEAP_S)
        await until(lambda: clock.now() >= began + timedelta(seconds=LEAP_S))
        leapt = clock.now()
        door.set_pace(speed=900)
        await until(lambda: clock.speed == 900)
        door.set_pace(speed=30)
        await until(lambda: clock.speed == 30)
        door.set_pace(speed=0)
        await until(lambda: clock.speed == 0)

        assert began + timedelta(seconds=LEAP_S) == leapt
        assert clock.now() > leapt
        assert sandbox.world.agenda.now == clock.now()


async def test_clock_of_a_world_that_waits_begins_with_it() -> None:
    """A world that waits for its first client stands still for the service too."""
    async with (
        Sandbox.serve(_settings(speed=600.0, wait_for_client=True)) as sandbox,
        _following(sandbox.johnlewis_url) as clock,
    ):
        waiting = (clock.speed, clock.now())
        sandbox.doorkeeper.set_pace(running=True)
        await until(lambda: clock.speed == 600)

        assert (0, sandbox.world.starts_at) == waiting


async def test_clock_outlives_a_sandbox_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    """Killed and started again on its journal, the world is followed from where it is now."""
    state = tmp_path / "world"
    async with Sandbox.serve(_settings(state_dir=state, speed=60.0)) as before:
        url = before.johnlewis_url
        async with aiohttp.ClientSession() as session:
            clock = await world_clock(session, url)
    port = urlsplit(url).port
    assert port is not None
    async with aiohttp.ClientSession() as session, anyio.create_task_group() as group:
        with pytest.raises(Unavailable, match="does not answer"):
            await world_clock(session, url)
        group.start_soon(follow_world, session, url, clock)
        async with Sandbox.serve(_settings(state_dir=state, port=port)) as after:
            await until(lambda: clock.speed == 0)
            there = after.world.agenda.now

            assert there == clock.now()
            assert after.doorkeeper.resumed
        group.cancel_scope.cancel()


async def test_clock_goes_on_at_its_pace_while_nobody_answers() -> None:
    """A world that is away is asked again; the service's schedules do not stop meanwhile."""
    asked: list[str] = []

    async def refuses(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=503)

    async with _answering(refuses) as url, aiohttp.ClientSession() as session:
        clock = WorldClock(MORNING, 100)
        began = clock.now()
        async with anyio.create_task_group() as group:
            group.start_soon(follow_world, session, url, clock)
            await until(lambda: len(asked) >= 3)
            group.cancel_scope.cancel()

        assert {"/sandbox/clock"} == set(asked)
        assert 100 == clock.speed
        assert clock.now() > began


@pytest.mark.parametrize("body", ["", "<html>", "{}", '{"now": "noon", "speed": 1}'])
async def test_answer_that_is_no_clock_says_what_to_do(body: str) -> None:
    """An address of something else: one clear line, and the way out."""

    async def answers(_: web.Request) -> web.Response:
        return web.Response(text=body)

    async with _answering(answers) as url, aiohttp.ClientSession() as session:
        with pytest.raises(Unavailable, match="kcjl sandbox") as told:
            await world_clock(session, url)

    assert url in told.value.message


@asynccontextmanager
async def _answering(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/sandbox/clock", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
