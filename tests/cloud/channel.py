"""The ERP's side of a Cloud channel, by hand: it calls the feed over HTTP, as a test says.

What it sends is written here after contract khaos b.10, not by the code that reads it.
"""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from kcjl.calls.memory import MemoryCalls
from kcjl.calls.sync_log import SyncLog
from kcjl.database import Database
from kcjl.khaos.cloud import CloudFeedAdapter
from kcjl.khaos.cloud_postgres import PostgresCloudFeed
from kcjl.khaos.cloud_server import CloudListener
from kcjl.khaos.cloud_settings import CloudSettings
from kcjl.khaos.port import DeliveryAddress
from kcjl.vault import PostgresVault
from tests.certificates import ENDS, own_certificate
from tests.clockwork import Clockwork

__all__ = [
    "MERCHANT",
    "Answer",
    "Channel",
    "channel",
    "cloud_settings",
    "level",
    "status",
    "write_certificate",
]

MERCHANT = "acme"
USER, PASSWORD = "channel", "sesame & salt"


def cloud_settings(**changes: object) -> CloudSettings:
    fields: dict[str, object] = {
        "user": USER,
        "password": PASSWORD,
        "port": 0,
        "company_code": "JLMKT",
        "company_class": "Marketplace",
        "sales_source": "John Lewis",
        "clearing_account": "John Lewis Clearing",
        "invoice_address": DeliveryAddress(
            line1="1 Example Road",
            town="London",
            postcode="ZZ1 1ZZ",
            country_code="GBR",
            surname="Accounts",
        ),
    }
    return CloudSettings(**(fields | changes))  # type: ignore[arg-type]


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def continuation(self) -> str:
        return self.headers.get("Sirion-Continuation", "")

    def tree(self) -> Any:
        return json.loads(self.body)

    def references(self) -> list[str]:
        return [each["Header"]["AssociatedRef"] for each in self.tree()["Orders"]]


class Channel:
    """One channel of the ERP, its feed, and what stands behind that."""

    def __init__(
        self, settings: CloudSettings, database: Database, session: aiohttp.ClientSession
    ) -> None:
        self.settings = settings
        self.clock = Clockwork()
        self.database = database
        self.feed = PostgresCloudFeed(database, MERCHANT)
        self.calls = MemoryCalls()
        self.sync_log = SyncLog(self.calls, self.clock)
        self.writes_on = True
        self.adapter = CloudFeedAdapter(
            settings,
            clock=self.clock,
            feed=self.feed,
            vault=PostgresVault(database, MERCHANT, b"k" * 32),
            keep_documents=timedelta(days=90),
        )
        self.listener = CloudListener(
            settings,
            clock=self.clock,
            feed=self.feed,
            adapter=self.adapter,
            sync_log=self.sync_log,
            may_hand_out=lambda: self.writes_on,
        )
        self._session = session
        known = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self._access = {"Authorization": f"Basic {known}"}

    def url(self, path: str) -> str:
        return self.listener.config_url.rpartition("/")[0] + path

    async def get(self, path: str, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = self._access | named
        async with self._session.get(self.url(path), headers=sent) as got:
            return Answer(got.status, await got.read(), got.headers)

    async def orders(self, continuation: str = "", specific: str = "") -> Answer:
        headers = {"Sirion_Continuation": continuation or "2019-12-31 12:00:00Z"}
        if specific:
            headers["SpecificIDs"] = specific
        return await self.get("/orders", **headers)

    async def post(self, path: str, body: object) -> Answer:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._session.post(self.url(path), headers=self._access, data=sent) as got:
            return Answer(got.status, await got.read(), got.headers)

    async def as_stranger(self, authorization: str) -> int:
        headers = {"Authorization": authorization} if authorization else {}
        async with self._session.get(self.url("/orders"), headers=headers) as got:
            return got.status

    async def say(self, reference: str, word: str = "Received", **fields: object) -> Answer:
        told = {"Statuses": [status(reference, word, **fields)]}
        return await self.post("/order-status", told)

    async def stock(self, *codes: str) -> None:
        """These products are in the ERP."""
        items = [{"StockCode": code, "StockID": f"id-{code}"} for code in codes]
        assert 200 == (await self.post("/stock", {"Items": items, "Deleted": []})).status

    async def levels(self, *told: dict[str, object]) -> None:
        assert 200 == (await self.post("/stock-status", {"Statuses": list(told)})).status


def level(code: str, available: float, *, site: int = 1) -> dict[str, object]:
    levels = {"Available": available, "OnOrder": 0.0}
    return {"StockCode": code, "StockID": f"id-{code}", "SiteID": site, "Levels": levels}


def status(reference: str, word: str = "Received", **fields: object) -> dict[str, object]:
    told: dict[str, object] = {
        "OrderCode": f"SO-{reference}",
        "OrderID": "2075",
        "Status": word,
        "AssociatedRef": reference,
        "ChannelID": "21",
        "Shipments": [],
    }
    return told | fields


@asynccontextmanager
async def channel(
    database: Database, session: aiohttp.ClientSession, **changes: object
) -> AsyncIterator[Channel]:
    """A feed that listens on loopback."""
    made = Channel(cloud_settings(**changes), database, session)
    async with made.listener.listening():
        yield made


def write_certificate(certificate: Path, key: Path, *, ends: datetime = ENDS) -> None:
    """A certificate for 127.0.0.1, signed by itself, and its key, in a file each."""
    both = own_certificate(key, ends=ends).read_text()
    certificate.write_text(both[: both.index("-----BEGIN", 1)])
