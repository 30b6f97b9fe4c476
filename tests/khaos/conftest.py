"""A scripted web service, a clock that is set by hand, and the adapter between them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from kcjl.calls.sync_log import SyncLog
from kcjl.clock import RealClock
from kcjl.khaos.kws import KwsSettings, KwsSoapAdapter
from kcjl.khaos.port import DeliveryAddress
from kcjl.khaos.turns import Turns
from tests.khaos.server import ScriptedErp


@dataclass
class HandClock(RealClock):
    """Stands still until a test moves it; deadlines are real."""

    at: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


MakeAdapter = Callable[..., KwsSoapAdapter]


def settings_for(url: str, **changes: object) -> KwsSettings:
    """Settings as in the contract's composed sample."""
    fields: dict[str, object] = {
        "url": url,
        "company_code": "JLMKT",
        "company_class": "Marketplace",
        "company_name": "John Lewis Marketplace",
        "invoice_address": DeliveryAddress(
            line1="1 Example Road",
            town="London",
            postcode="ZZ1 1ZZ",
            country_code="GBR",
            surname="Accounts",
        ),
        "clearing_account": "John Lewis Clearing",
        "sales_source": "JOHN LEWIS",
        "site_name": "Main Site",
        "courier_code": "DPD24",
        "connect_timeout_s": 2.0,
        "read_timeout_s": 5.0,
    }
    return KwsSettings(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def erp() -> AsyncIterator[ScriptedErp]:
    scripted = ScriptedErp()
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
def make(erp: ScriptedErp, session: aiohttp.ClientSession, clock: HandClock) -> MakeAdapter:
    def adapter(
        *, sync_log: SyncLog | None = None, turns: Turns | None = None, **changes: object
    ) -> KwsSoapAdapter:
        settings = settings_for(str(changes.pop("url", erp.url)), **changes)
        return KwsSoapAdapter(
            settings, clock=clock, session=session, sync_log=sync_log, turns=turns
        )

    return adapter
