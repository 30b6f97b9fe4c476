"""`kcjl run`: the service."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer

from kcjl.calls.port import CallRecord
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
from kcjl.clock import RandomIds, real_sleep
from kcjl.collector import settle_collector
from kcjl.errors import ShopModelNotServed, Unavailable
from kcjl.health.faces import serve_faces
from kcjl.health.metrics import Metrics
from kcjl.health.supervisor import keep_told
from kcjl.health.vitals import MerchantVitals, State, Vitals
from kcjl.log.lease import LeaseHeld, LeaseLapsed
from kcjl.rooms import Rooms
from kcjl.service import check_outside, run_merchant
from kcjl.settings import Settings
from kcjl.worker import Worker

__all__ = ["run"]

AWAY_S = 1.0
"""Between looks for a database that went away while a merchant was served."""


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
        for each in vitals.merchants.values():
            group.start_soon(
                partial(
                    _serve,
                    settings,
                    each,
                    worker,
                    observe=metrics.observer(each.merchant),
                    alone=len(chosen) == 1,
                )
            )


def _tell(said: str) -> None:
    typer.echo(printable_block(said), err=True)


async def _serve(
    settings: Settings,
    vitals: MerchantVitals,
    worker: Worker,
    *,
    observe: Callable[[CallRecord], None] = lambda _: None,
    alone: bool = True,
) -> None:
    """Run one merchant; while another process holds it, or the database is away, wait.

    A database that can't be reached at the start is said at once: nothing has run yet. A shop
    that we don't serve stops no other merchant.
    """
    merchant, said, lapsed = vitals.merchant, False, ""

    def up(rooms: Rooms) -> None:
        vitals.serves(rooms.all())
        _tell(f"serving {merchant}")

    while True:
        try:
            await run_merchant(
                settings,
                merchant,
                worker=worker,
                holder=holder_of(settings),
                ids=RandomIds(),
                ready=up,
                observe=observe,
                tell=_tell,
                lease_lost=lapsed,
            )
        except LeaseHeld as held:
            vitals.waits(State.STANDBY, held.message)
            if not said:
                _tell(f"{held.message}; waiting for it")
                said = True
            await real_sleep(min((held.retry_after_s or 0) + 0.2, 5.0))
        except ShopModelNotServed as error:
            if alone:
                raise
            vitals.waits(State.NOT_SERVED, error.message)
            _tell(f"{merchant} is not served: {error.message} [{error.code}]")
            return
        except LeaseLapsed as error:
            vitals.waits(State.AWAY, error.message)
            _tell(f"{error.message}; it begins again")
            said, lapsed = False, error.message
        except Unavailable as error:
            if not lapsed:
                raise
            vitals.waits(State.AWAY, error.message)
            if not said:
                _tell(f"{error.message}; waiting for it")
                said = True
            await real_sleep(AWAY_S)
