"""`kcjl run`: the service."""

from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer

from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    clock_of,
    database_of,
    end_on_terminate,
    end_with_parent,
    holder_of,
    merchant_of,
    only_one,
    printable_block,
    settings_at,
)
from kcjl.collector import settle_collector
from kcjl.health.faces import serve_faces
from kcjl.health.metrics import Metrics
from kcjl.health.supervisor import keep_told
from kcjl.health.vitals import Vitals
from kcjl.service import check_outside
from kcjl.serving import Serving
from kcjl.settings import Settings
from kcjl.worker import Worker

__all__ = ["run"]


def run(
    config: Config = DEFAULT_CONFIG,
    merchant: Annotated[
        list[str] | None,
        typer.Option("--only", help="Serve only these merchants; otherwise all."),
    ] = None,
    *,
    with_parent: Annotated[
        bool,
        typer.Option("--with-parent", help="Be a part of a demo: it owns us.", hidden=True),
    ] = False,
) -> None:
    """Run the service: stock, orders, dispatch, settlement and the exceptions desk.

    It can be stopped at any time, also with kill -9: started again, it looks up whatever was
    open and goes on. Talks to stderr.
    """
    settings = settings_at(config)
    chosen = [merchant_of(settings, each) for each in merchant or settings.merchants]
    for each in chosen:
        check_outside(settings, each)
    with only_one(Path(settings.data_dir)):
        settle_collector()
        anyio.run(partial(_run, settings, chosen, with_parent=with_parent))


async def _run(settings: Settings, chosen: list[str], *, with_parent: bool) -> None:
    async with (
        database_of(settings, owner=not with_parent) as dsn,
        clock_of(settings) as clock,
        Worker.open(dsn, clock, connections_max=settings.worker.connections) as worker,
        anyio.create_task_group() as group,
    ):
        group.start_soon(end_on_terminate)
        if with_parent:
            group.start_soon(end_with_parent)
        vitals = Vitals(chosen)
        metrics = Metrics(vitals)
        if settings.health.port:
            group.start_soon(serve_faces, settings.health, vitals, metrics, _tell)
        group.start_soon(keep_told, vitals)
        serving = Serving(
            settings,
            vitals,
            worker,
            holder=holder_of(settings),
            tell=_tell,
            observer=metrics.observer,
        )
        group.start_soon(serving.run)


def _tell(said: str) -> None:
    typer.echo(printable_block(said), err=True)
