"""Following a sandbox's time, so that the service's schedules run in the world's hours.

Promises: the clock is the world's before anything else starts, and stays with it when the world
is stopped, resumed or changes its pace. Only for sandboxes: real systems have real time.
Called by the CLI, which hands the clock to `service.py`.
"""

from datetime import datetime

import aiohttp
import msgspec

from kcjl.clock import WorldClock, real_sleep
from kcjl.errors import Unavailable

__all__ = ["follow_world", "world_clock"]

FOLLOW_EVERY_S = 1.0
DRIFT_MAX_S = 0.25
"""Real seconds by which the clock may be off before it is set again."""
ANSWER_S = 5.0


class WorldTime(msgspec.Struct, frozen=True):
    """What GET /sandbox/clock says, as far as we need it."""

    now: datetime
    speed: float


async def _ask(session: aiohttp.ClientSession, url: str) -> WorldTime:
    try:
        async with session.get(
            f"{url.rstrip('/')}/sandbox/clock", timeout=aiohttp.ClientTimeout(total=ANSWER_S)
        ) as response:
            response.raise_for_status()
            return msgspec.json.decode(await response.read(), type=WorldTime)
    except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
        raise Unavailable(
            f"the sandbox's clock at {url} does not answer ({type(error).__name__}): "
            "start `kcjl sandbox` first, or take [clock] out of the configuration"
        ) from None


async def world_clock(session: aiohttp.ClientSession, url: str) -> WorldClock:
    """A clock that shows the world's time now. Raises Unavailable without a sandbox."""
    world = await _ask(session, url)
    return WorldClock(world.now, world.speed)


async def follow_world(session: aiohttp.ClientSession, url: str, clock: WorldClock) -> None:
    """Keep the clock with the world, for ever; a world that is away is asked again."""
    while True:
        await real_sleep(FOLLOW_EVERY_S if clock.speed > 0 else FOLLOW_EVERY_S / 20)
        try:
            world = await _ask(session, url)
        except Unavailable:
            continue
        drift_s = abs((world.now - clock.now()).total_seconds())
        if world.speed != clock.speed or drift_s > DRIFT_MAX_S * max(world.speed, 1):
            clock.anchor(world.now, world.speed)
