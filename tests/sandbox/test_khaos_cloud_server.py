"""`kcjl sandbox --erp cloud`: the whole world, whose ERP calls an endpoint."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import typer
from typer.testing import CliRunner

from kcjl.cli import world as world_command
from kcjl.errors import Misuse, SettingsUnusable
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.khaos_cloud import CloudAccess
from kcjl.sandbox.server import Sandbox, SandboxSettings, settings_from
from kcjl.sandbox.world_settings import WorldSettings
from tests.sandbox.cloud_endpoint import PASSWORD, USER, Endpoint, order, served_endpoint

pytestmark = pytest.mark.anyio

SMALL = GeneratedTrade(orders_per_hour=12, skus=40, closes_at_hour=12, seed=5)
REF = "JL100200300"


@asynccontextmanager
async def world(
    endpoint: Endpoint, state: Path, *, wait: bool = False
) -> AsyncIterator[tuple[Sandbox, aiohttp.ClientSession]]:
    settings = settings_of(endpoint, state, wait=wait)
    async with aiohttp.ClientSession() as http, Sandbox.serve(settings) as running:
        yield running, http


def settings_of(endpoint: Endpoint, state: Path, *, wait: bool = False) -> SandboxSettings:
    access = CloudAccess(
        config_url=endpoint.root + "/config.json", user=USER, password=PASSWORD
    )
    return SandboxSettings(
        world=WorldSettings.of("quick", trade=SMALL),
        port=0,
        speed=0,
        state_dir=state,
        wait_for_client=wait,
        cloud=access,
    )


async def posted(http: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> Any:
    async with http.post(url, json=body) as answer:
        assert 200 == answer.status, await answer.text()
        return await answer.json()


async def test_world_calls_the_endpoint_and_shows_the_channel(tmp_path: Path) -> None:
    """It links, fetches, shows what it refused; a person retries; after a kill it knows all."""
    async with served_endpoint() as endpoint:
        endpoint.orders = [order(Items__0__SKU="NO-SUCH", Header__OrderDate=None)]
        async with world(endpoint, tmp_path) as (running, http):
            await endpoint.called("/stockstatus")
            shown = f"{running.control_url}/cloud"
            async with http.get(shown) as answer:
                before = await answer.json()
            when = f"{running.world.agenda.now:%Y-%m-%dT%H:%M:%S}"
            sku = next(iter(running.world.warehouse.stock)).code
            endpoint.orders = [order(Items__0__SKU=sku, Header__OrderDate=when)]
            retried = await posted(http, f"{shown}/retry_orders", {})
            await endpoint.called("/orders")
            await posted(http, f"{running.control_url}/clock", {"leap_s": 1200})
            await endpoint.called("/orderstatus")
        left = running.world.cloud.view()
        sent = {path: len(bodies) for path, bodies in endpoint.posted.items()}
        again = Sandbox(settings_of(endpoint, tmp_path))
        back = again.world.cloud.view()
        again.doorkeeper.close()

        assert "" == running.khaos_url
        assert "OrderDate" in before["errors"][0]["reason"]
        assert {"outcome": [REF]} == retried
        assert [REF] == list(left.taken)
        assert "after-1" == left.continuation["OrderDownload"]
        assert left == back
        assert 1 == sent["/stock"]


async def test_world_waits_for_the_first_config(tmp_path: Path) -> None:
    """With --wait time begins when the marketplace was called and the endpoint answered."""
    async with served_endpoint() as endpoint:
        endpoint.answers = {"/config.json": [503]}
        async with world(endpoint, tmp_path, wait=True) as (running, http):
            key = {"Authorization": "johnlewis-sandbox-key"}
            async with http.get(running.johnlewis_url + "/api/account", headers=key) as answer:
                assert 200 == answer.status
            async with http.get(f"{running.control_url}/clock") as answer:
                waiting = (await answer.json())["waiting_for"]
            await endpoint.called("/config.json")
            await endpoint.called("/orders")
            async with http.get(f"{running.control_url}/clock") as answer:
                running_then = (await answer.json())["running"]

        assert ["khaos_cloud"] == waiting
        assert running_then


def test_cloud_options_go_together() -> None:
    """Without an address there is nothing to call; the password is never on the line."""
    app = typer.Typer()
    app.command()(world_command.sandbox)
    for arguments in (
        ["--erp", "cloud"],
        ["--cloud-config", "http://127.0.0.1/c.json"],
        ["--erp", "sap"],
    ):
        assert 2 == CliRunner().invoke(app, arguments).exit_code


def test_access_never_shows_its_password() -> None:
    """Not in a log, not in a trace."""
    access = CloudAccess(config_url="https://erp.example/c.json", user="kc", password="s3cret")

    assert "s3cret" not in repr(access)
    with pytest.raises(SettingsUnusable):
        CloudAccess(config_url="ftp://erp.example/c.json")


def test_channel_file_sets_the_switches(tmp_path: Path) -> None:
    """By name, over the defaults; one that does not exist is named."""
    file = tmp_path / "channel.json"
    file.write_text('{"order_ref_format": "KCC{0}", "status_field": "OrderStatus"}')
    cloud = settings_from(channel_file=file).world.cloud
    file.write_text('{"order_ref": "KCC{0}"}')

    assert ("KCC{0}", "OrderStatus") == (cloud.order_ref_format, cloud.status_field)
    with pytest.raises(Misuse, match="a channel has no switch order_ref"):
        settings_from(channel_file=file)
