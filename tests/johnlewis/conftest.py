"""A scripted marketplace, a clock that jumps, and the adapter between them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import anyio
import anyio.lowlevel
import msgspec
import pytest

from kcjl.calls.sync_log import SyncLog
from kcjl.clock import RealClock
from kcjl.johnlewis.budget import TenantBudgets
from kcjl.johnlewis.seller_api import SellerApi, SellerApiSettings
from tests.johnlewis.server import ScriptedServer

KEY = "k3y-of-the-shop"


@dataclass
class JumpingClock(RealClock):
    """Sleeping moves the time on at once; deadlines are real."""

    at: datetime = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
    slept_s: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        await anyio.lowlevel.checkpoint()
        self.at += timedelta(seconds=seconds)


MakeApi = Callable[..., SellerApi]


@pytest.fixture
async def market() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    listening = await scripted.start()
    yield scripted
    scripted.stop()
    listening.close()
    await listening.wait_closed()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def make_api(
    market: ScriptedServer, session: aiohttp.ClientSession, clock: JumpingClock
) -> MakeApi:
    def make(
        *,
        sync_log: SyncLog | None = None,
        tenants: TenantBudgets | None = None,
        **settings: object,
    ) -> SellerApi:
        chosen = {"base_url": market.base_url, "api_key": KEY, **settings}
        read = msgspec.convert(chosen, SellerApiSettings)
        return SellerApi(read, clock=clock, session=session, sync_log=sync_log, tenants=tenants)

    return make


@pytest.fixture
def api(make_api: MakeApi) -> SellerApi:
    return make_api()
