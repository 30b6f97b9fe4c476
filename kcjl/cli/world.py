"""`kcjl sandbox`: both outside systems, simulated over real HTTP, for anyone's client."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import anyio
import typer

from kcjl.cli.places import end_on_terminate, end_with_parent
from kcjl.cli.sandboxconfig import write_config
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


def sandbox(  # noqa: PLR0917 - one parameter an option
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
    state: Annotated[
        Path | None,
        typer.Option(help="Folder for the world's journal: started again, it goes on."),
    ] = None,
    wait: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--wait", help="Time stands still until a client has called both.")
    ] = False,
    faults: Annotated[Path | None, typer.Option(help="A fault plan (JSON).")] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write-config", help="Write a kcjl.toml for this sandbox here."),
    ] = None,
    with_parent: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--with-parent", hidden=True)
    ] = False,
    service_data_dir: Annotated[
        Path | None, typer.Option(help="For --write-config: the service's data directory.")
    ] = None,
) -> None:
    """Serve both outside systems, simulated over real HTTP, with the trade that runs in them.

    John Lewis Marketplace answers under http://HOST:PORT/api, Khaos Control's web service under
    http://HOST:KHAOS_PORT/KhaosKSD.exe/soap/IKosWeb (WSDL beside it), and what is really so
    under http://HOST:PORT/sandbox. The key for John Lewis is shown at the start.
    """
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
        state_dir=state,
        wait_for_client=wait,
        faults_file=faults,
    )
    anyio.run(_serve, settings, write, service_data_dir, with_parent)


async def _serve(
    settings: SandboxSettings,
    write: Path | None,
    data_dir: Path | None,
    with_parent: bool,  # noqa: FBT001
) -> None:
    async with Sandbox.serve(settings) as running:
        if write is not None:
            await write_config(write, running, data_dir=data_dir)
        typer.echo(f"John Lewis     {running.johnlewis_url}/api", err=True)
        typer.echo(f"Khaos Control  {running.khaos_url}/soap/IKosWeb", err=True)
        key = settings.world.marketplace.api_keys[0].key
        typer.echo(f"its API key    {key}", err=True)
        typer.echo(f"what is so     {running.control_url}/truth", err=True)
        if write is not None:
            typer.echo(f"for the service: kcjl run --config {write}", err=True)
        async with anyio.create_task_group() as group:
            group.start_soon(end_on_terminate)
            if with_parent:
                group.start_soon(end_with_parent)
            await anyio.sleep_forever()
