"""The sandbox's two HTTP faces over a world, and the real adapters that speak to them.

Promises: real HTTP on loopback; the adapters have no call budgets, and their clock is the
world's. Called by the tests that compare the simulation's outside with it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
import anyio.lowlevel
import msgspec
from aiohttp import web

from kcjl.clock import RealClock
from kcjl.johnlewis.budget import OPERATIONS, Budget
from kcjl.johnlewis.seller_api import SellerApi, SellerApiSettings
from kcjl.khaos.kws import KwsSettings, KwsSoapAdapter
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.johnlewis.http import johnlewis_app
from kcjl.sandbox.khaos.http import khaos_app
from kcjl.sandbox.world import World
from tests.simulation.outside_erp import KWS

__all__ = ["UNLIMITED", "Adapters", "MovingClock", "StandingClock", "adapters_over"]

UNLIMITED: dict[str, tuple[Budget, ...]] = dict.fromkeys(sorted(OPERATIONS), ())


@dataclass
class StandingClock(RealClock):
    """Stands until a test sets it; nobody waits."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 - a clock's signature
        await anyio.lowlevel.checkpoint()


@dataclass
class MovingClock(StandingClock):
    """Who waits makes time go by, for the world too: exports are done some time later."""

    world: World

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(seconds, 1.0))
        self.world.agenda.advance(self.at)
        await anyio.lowlevel.checkpoint()


@dataclass
class Adapters:
    """What the service would speak with."""

    marketplace: SellerApi
    erp: KwsSoapAdapter


@asynccontextmanager
async def adapters_over(
    world: World, clock: StandingClock, kws: KwsSettings = KWS
) -> AsyncIterator[Adapters]:
    """The adapters, speaking to the faces of that world."""
    gate = DirectGate(world.agenda, {"johnlewis": world.marketplace, "khaos": world.warehouse})
    runners = [
        web.AppRunner(johnlewis_app(world.marketplace, gate)),
        web.AppRunner(khaos_app(world.warehouse, gate, "/Live")),
    ]
    roots = []
    try:
        for runner in runners:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            roots.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        async with aiohttp.ClientSession() as session:
            access = SellerApiSettings(
                base_url=roots[0],
                api_key=world.marketplace.settings.api_keys[0].key,
                budgets=UNLIMITED,
            )
            there = msgspec.structs.replace(kws, url=f"{roots[1]}/Live")
            yield Adapters(
                marketplace=SellerApi(access, clock=clock, session=session),
                erp=KwsSoapAdapter(there, clock=clock, session=session),
            )
    finally:
        for runner in runners:
            await runner.cleanup()
