"""A merchant whose ERP calls us: the service, its endpoints, and an order on its way."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from msgspec.structs import replace

from kcjl.clock import RandomIds
from kcjl.errors import SettingsUnusable
from kcjl.orders.events import PostingFetched, PostingQueued, ReferenceWritten, SalesOrderPosted
from kcjl.service import check_outside, run_merchant
from kcjl.settings import CloudSection, Settings
from kcjl.worker import Worker
from tests.service.running import HANGS_S, MERCHANT, Shop, quiet_world, settings_for, shop

pytestmark = pytest.mark.anyio

ACCESS = {"Authorization": "Basic " + b64encode(b"khaos:sesame").decode()}


def cloud(settings: Settings, folder: Path, **changes: object) -> Settings:
    """The same merchant, of an ERP of kind cloud."""
    password = folder / "cloud.password"
    password.write_text("sesame", encoding="utf-8")
    section = replace(
        CloudSection(user="khaos", password_file=str(password), port=0), **changes
    )
    mine = settings.merchants[MERCHANT]
    khaos = replace(mine.khaos, kind="cloud", base_url="", cloud=section)
    return replace(settings, merchants={MERCHANT: replace(mine, khaos=khaos)})


@pytest.fixture
async def quiet(database_dsn: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(database_dsn, tmp_path, quiet_world()) as running:
        running.settings = cloud(running.settings, tmp_path)
        yield running


async def test_order_goes_through_a_cloud_channel(quiet: Shop) -> None:
    """Bought at the marketplace, queued, fetched by the ERP, and posted by its word."""
    told = anyio.Event()
    addresses: list[str] = []

    def tell(said: str) -> None:
        addresses.append(said.rpartition(" ")[2])
        told.set()

    async def run() -> None:
        async with Worker.open(quiet.dsn, quiet.clock) as worker:
            await run_merchant(
                quiet.settings,
                MERCHANT,
                worker=worker,
                holder="first",
                ids=RandomIds(),
                tell=tell,
            )

    async with (
        aiohttp.ClientSession(headers=ACCESS) as erp,
        anyio.create_task_group() as group,
    ):
        group.start_soon(run)
        with anyio.fail_after(HANGS_S):
            await told.wait()
        config = await _got(erp, addresses[0])
        urls = {name: each["URL"] for name, each in config["EndpointConfig"].items()}
        sku = quiet.an_offer()
        items = [{"StockID": "1", "StockCode": sku}]
        await _post(erp, urls["StockUpload"], {"Items": items, "Deleted": []})
        level = {"StockCode": sku, "SiteID": 1, "Levels": {"Available": 9, "OnOrder": 0}}
        await _post(erp, urls["StockStatusUpload"], {"Statuses": [level]})
        quiet.buy(sku)
        queued = await quiet.until(PostingQueued)
        fetched = await _got(erp, urls["OrderDownload"])
        await quiet.until(PostingFetched)
        status = {
            "OrderCode": "SO9",
            "Status": "Received",
            "AssociatedRef": queued.reference,
            "Shipments": [],
        }
        await _post(erp, urls["OrderStatusUpload"], {"Statuses": [status]})
        posted = await quiet.until(SalesOrderPosted)
        await quiet.until(ReferenceWritten)
        group.cancel_scope.cancel()

    references = [each["Header"]["AssociatedRef"] for each in fetched["Orders"]]
    assert [queued.reference] == references
    assert ("SO9", True) == (posted.erp_order_code, posted.found_by_lookup)


async def _got(erp: aiohttp.ClientSession, url: str) -> Any:
    async with erp.get(url) as answer:
        assert 200 == answer.status
        return json.loads(await answer.read())


async def _post(erp: aiohttp.ClientSession, url: str, body: object) -> None:
    async with erp.post(url, data=json.dumps(body).encode()) as answer:
        assert 200 == answer.status


def test_cloud_feed_that_cannot_work_is_refused_at_the_start(tmp_path: Path) -> None:
    """Before anything runs: a missing certificate, an address on a network without `live`."""
    base = settings_for("http://127.0.0.1:1", "http://127.0.0.1:2", tmp_path)
    with pytest.raises(SettingsUnusable, match="can't be used"):
        check_outside(
            cloud(base, tmp_path, certificate_file="none.pem", key_file="none.key"), MERCHANT
        )
    with pytest.raises(SettingsUnusable, match="live = true"):
        check_outside(cloud(base, tmp_path, public_url="https://feed.example"), MERCHANT)
    check_outside(cloud(base, tmp_path), MERCHANT)
