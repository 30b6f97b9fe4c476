"""`kcjl sandbox`: both outside systems, simulated over real HTTP, for anyone's client."""

import os
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer

from kcjl.cli.places import end_on_terminate, end_with_parent, printable
from kcjl.cli.sandboxconfig import write_config
from kcjl.sandbox.khaos_cloud import CloudAccess
from kcjl.sandbox.marketplace import ApiKey
from kcjl.sandbox.server import (
    JOHNLEWIS_PORT,
    KHAOS_PORT,
    SPEED,
    Sandbox,
    SandboxSettings,
    settings_from,
)
from kcjl.sandbox.world_settings import Preset

__all__ = ["sandbox"]

CLOUD_PASSWORD = "KCJL_SANDBOX_CLOUD_PASSWORD"  # noqa: S105 - the name of a variable


def sandbox(
    *,
    trade: Annotated[
        Path | None,
        typer.Option(help="Real trade to replay (csv or csv.gz); otherwise it is generated."),
    ] = None,
    first_day: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the trade."),
    ] = None,
    days: Annotated[int, typer.Option(help="Days of trade.")] = 1,
    share: Annotated[
        float, typer.Option(help="Percentage of invoices that are marketplace orders.")
    ] = 60.0,
    seed: Annotated[int, typer.Option(help="The world's seed.")] = 1,
    speed: Annotated[float, typer.Option(help="How many times faster than life.")] = SPEED,
    preset: Annotated[
        str, typer.Option(help="quick: a day ends in payouts within two; life: as in life.")
    ] = "quick",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="John Lewis, and /sandbox; 0 takes a free one.")
    ] = JOHNLEWIS_PORT,
    khaos_port: Annotated[int, typer.Option(help="Khaos Control; 0: a free one.")] = KHAOS_PORT,
    xero_port: Annotated[
        int | None,
        typer.Option(help="Xero's manual journals; 0: a free one; left out: no Xero."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder for the world's journal: started again, it goes on."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Time stands still until a client has called both.")
    ] = False,
    faults: Annotated[
        Path | None, typer.Option(help="A fault plan (JSON), as /sandbox/faults takes it.")
    ] = None,
    tenant: Annotated[
        Path | None,
        typer.Option(help="Switches of the John Lewis tenant (JSON); see docs/sandbox.md."),
    ] = None,
    erp: Annotated[
        str, typer.Option(help="kws: the web service; cloud: calls the endpoint that you have.")
    ] = "kws",
    warehouse: Annotated[
        Path | None,
        typer.Option(help="Switches of Khaos Control (JSON); see docs/sandbox.md."),
    ] = None,
    cloud_config: Annotated[
        str, typer.Option(help="URL of the endpoint's configuration, .json or .xml.")
    ] = "",
    cloud_user: Annotated[
        str, typer.Option(help=f"For HTTP Basic; the password is in {CLOUD_PASSWORD}.")
    ] = "",
    channel: Annotated[
        Path | None, typer.Option(help="Switches of the Cloud's channel (JSON).")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write-config", help="Write a kcjl.toml for this sandbox here."),
    ] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
    service_data_dir: Annotated[
        Path | None, typer.Option(help="For --write-config: the service's data directory.")
    ] = None,
) -> None:
    """Serve both outside systems, simulated over real HTTP, with the trade that runs in them.

    For whoever writes a client: nothing else of kcjl is needed beside it. The addresses, the
    key and a line to try are shown at the start; docs/sandbox.md explains all of it.

    \b
    /api               John Lewis Marketplace, as Mirakl's seller API; described by
    /api/openapi.json  (OpenAPI 3.1); send the key as it is in `Authorization`
    /KhaosKSD.exe      Khaos Control's web service, on its own port: soap/IKosWeb, wsdl/IKosWeb
    /api.xro/2.0       Xero's manual journals, on a third port, with --xero-port
    /sandbox/truth     what is really so, whatever a client believes
    /sandbox/hooks     what can be done by hand: place an order, take goods in, pay out …
    /sandbox/faults    what shall go wrong on the next calls: POST, GET, DELETE
    /sandbox/clock     what time it is there; POST {"leap_s": 3600} goes an hour ahead

    The world's time runs --speed times faster than life, and so do its call limits: a client
    that is refused with 429 waits Retry-After seconds of the world. Ends on Ctrl-C; with
    --state the world goes on where it was.
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    if preset not in ("quick", "life"):
        raise typer.BadParameter("--preset is quick or life")
    chosen: Preset = "life" if preset == "life" else "quick"
    settings = settings_from(
        trade=trade,
        first_day=first_day.date() if first_day else None,
        days=days,
        share=share,
        seed=seed,
        preset=chosen,
        speed=speed,
        host=host,
        port=port,
        khaos_port=khaos_port,
        xero_port=xero_port,
        state_dir=state,
        wait_for_client=wait,
        faults_file=faults,
        tenant_file=tenant,
        warehouse_file=warehouse,
        cloud=_cloud(erp, cloud_config, cloud_user),
        channel_file=channel,
    )
    if settings.cloud is not None and write is not None:
        raise typer.BadParameter("--write-config writes the settings of the web service")
    anyio.run(partial(_serve, settings, write, service_data_dir, with_parent=with_parent))


def _cloud(erp: str, config_url: str, user: str) -> CloudAccess | None:
    """What the Cloud is linked to; None where the ERP is the web service."""
    if erp not in ("kws", "cloud"):
        raise typer.BadParameter("--erp is kws or cloud")
    if (erp == "cloud") != bool(config_url):
        raise typer.BadParameter("--erp cloud and --cloud-config URL go together")
    if erp == "kws":
        return None
    password = os.environ.get(CLOUD_PASSWORD, "")
    return CloudAccess(config_url=config_url, user=user, password=password)


async def _serve(
    settings: SandboxSettings,
    write: Path | None,
    data_dir: Path | None,
    *,
    with_parent: bool,
) -> None:
    async with Sandbox.serve(settings) as running:
        if write is not None:
            await write_config(write, running, data_dir=data_dir)
        for line in _told(running):
            typer.echo(printable(line), err=True)
        if write is not None:
            typer.echo(printable(f"for the service: kcjl run --config {write}"), err=True)
        async with anyio.create_task_group() as group:
            group.start_soon(end_on_terminate)
            if with_parent:
                group.start_soon(end_with_parent)
            await anyio.sleep_forever()


def _told(running: Sandbox) -> list[str]:
    """Where everything is, and a line to try."""
    keys = running.settings.world.marketplace.api_keys
    root = running.johnlewis_url
    return [
        f"John Lewis     {root}/api",
        f"described      {root}/api/openapi.json",
        *(f"its API key    {key.key}{_roles(key)}" for key in keys),
        _erp(running),
        *_xero(running),
        f"what is so     {running.control_url}/truth",
        f"by hand        {running.control_url}/hooks",
        f"faults         {running.control_url}/faults",
        f"clock          {running.control_url}/clock",
        f"try            curl -H 'Authorization: {keys[0].key}' '{root}/api/orders?max=2'",
    ]


def _erp(running: Sandbox) -> str:
    cloud = running.settings.cloud
    if cloud is None:
        return f"Khaos Control  {running.khaos_url}/soap/IKosWeb"
    return f"Khaos Cloud    calls what {cloud.config_url} names; see /sandbox/cloud"


def _xero(running: Sandbox) -> list[str]:
    if not running.xero_url:
        return []
    books = running.settings.world.xero
    return [
        f"Xero           {running.xero_url}/api.xro/2.0/ManualJournals",
        f"its token      {running.xero_url}/connect/token",
        f"its client     {books.client_id} {books.client_secret}",
    ]


def _roles(key: ApiKey) -> str:
    """What sets a key apart from the usual one."""
    roles = []
    if not key.accounting:
        roles.append("no accounting role")
    if key.external_partner:
        roles.append("External Partner")
    return f"  ({', '.join(roles)})" if roles else ""
