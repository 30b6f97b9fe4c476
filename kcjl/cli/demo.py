"""`kcjl demo`: database, sandbox, service and monitor in one terminal.

Promises: sandbox and service are processes of their own; killed (-9), the service is started
again and goes on; the whole demo killed, the same command goes on where it stopped, with the
same settings, or begins anew when the former is finished. Nothing of it reaches outside.
Invariant: all state is under the data directory, which a demo marks as its own.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import aiohttp
import anyio
import anyio.abc
import msgspec
import typer

from kcjl import embedded
from kcjl.cli.demo_summary import Summary, summarise, summary_text
from kcjl.cli.demo_world import WorldView, people, troubles
from kcjl.cli.monitor import monitor
from kcjl.cli.places import end_on_terminate, json_line, printable, printable_block
from kcjl.cli.sandboxconfig import MERCHANT
from kcjl.clock import LONDON, Clock, real_monotonic, real_sleep
from kcjl.database import AUDITOR, SERVICE, Database
from kcjl.errors import KcjlError, Misuse, Unavailable
from kcjl.events import vocabulary
from kcjl.log.migrate import migrate
from kcjl.log.postgres import PostgresLogReader
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.reading import PostgresReadModels
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import PostgresRows
from kcjl.settings import read_settings
from kcjl.worldclock import follow_world, world_clock

__all__ = ["demo"]

MARK = "kcjl-demo.json"
START_S = 60.0
SETTLED_HOURS_MAX = 30.0
"""World hours that the service gets after the world is finished to close the last payout."""
PROGRESS_EVERY_S = 2.0
SERVICE_PAUSE_S = 0.5
SUMMARY_TRIES_MAX = 20


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a demo was asked to show: kept in the data directory, to go on with."""

    trade: str
    first_day: str
    days: int
    share: float
    speed: float
    seed: int
    finished: bool = False


def demo(
    *,
    headless: Annotated[
        bool, typer.Option("--headless", help="No monitor: progress, then a summary.")
    ] = False,
    for_: Annotated[
        str, typer.Option("--for", help="Stop after so long, e.g. 60s or 5m; else when done.")
    ] = "",
    json: Annotated[
        bool, typer.Option("--json", help="The summary as JSON, on stdout.")
    ] = False,
    trade: Annotated[
        Path | None,
        typer.Option(help="Real trade to replay (csv or csv.gz); otherwise it is generated."),
    ] = None,
    first_day: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the trade."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="Days of trade.")] = 1,
    share: Annotated[
        float,
        typer.Option(min=0, max=100, help="Percentage of the invoices that are orders."),
    ] = 60.0,
    speed: Annotated[
        float, typer.Option(min=1, max=3600, help="How many times faster than life.")
    ] = 600.0,
    seed: Annotated[int, typer.Option(help="The world's seed.")] = 1,
    data_dir: Annotated[
        Path, typer.Option(help="Where the demo keeps its database and its world.")
    ] = Path("kcjl-demo"),
) -> None:
    """Show it all on generated or real trade, in one terminal.

    Orders flow, a SKU mismatch is caught and heals, a courier fails and recovers, a payout
    closes to the penny.

    Exit code 1 if a law was broken. Interrupted or killed, the same command goes on.
    """
    if trade is not None and first_day is None:
        raise Misuse("--trade needs --from: the first day of the trade to replay")
    if trade is not None and not trade.is_file():
        raise Misuse(f"the trade file {trade} is not there")
    plan = Plan(
        trade=str(trade.resolve()) if trade else "",
        first_day=first_day.date().isoformat() if first_day else "",
        days=days,
        share=share,
        speed=speed,
        seed=seed,
    )
    seconds = _seconds(for_)
    _claim(data_dir, plan)
    summary = anyio.run(partial(_demo, plan, data_dir.resolve(), seconds, headless=headless))
    if summary.finished:
        _mark(data_dir, msgspec.structs.replace(plan, finished=True))
    if json:
        typer.echo(json_line(summary))
    else:
        typer.echo(printable_block(summary_text(summary)))
    if summary.laws_broken:
        raise typer.Exit(1)


def _seconds(text: str) -> float | None:
    units = {"s": 1, "m": 60, "h": 3600}
    if not text:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1] in units else (text, "s")
    with suppress(ValueError):
        seconds = float(number) * units[unit]
        if seconds > 0:
            return seconds
    raise Misuse(f"--for {text} is not a time above nothing: say 60s, 5m or 1h")


# ── the data directory ──────────────────────────────────────────────────────────────────────


def _claim(data_dir: Path, plan: Plan) -> None:
    """Make the directory ours, go on with a demo of the same plan, or begin anew."""
    mark = data_dir / MARK
    if data_dir.exists() and not data_dir.is_dir():
        raise Misuse(f"{data_dir} is not a directory: give another --data-dir")
    if data_dir.exists() and data_dir.stat().st_uid != os.geteuid():
        raise Misuse(f"{data_dir} belongs to somebody else: give another --data-dir")
    try:
        if mark.exists():
            former = msgspec.json.decode(mark.read_bytes(), type=Plan)
            if former == plan:
                typer.echo(printable(f"going on with the demo in {data_dir}"), err=True)
                return
            anyio.run(_release, data_dir)
            shutil.rmtree(data_dir)
        elif data_dir.exists() and any(data_dir.iterdir()):
            raise Misuse(f"{data_dir} is not empty and not a demo's: give another --data-dir")
        _mark(data_dir, plan)
    except (OSError, msgspec.MsgspecError) as error:
        raise Misuse(f"{data_dir} can't be used for the demo: {error}") from None


async def _release(data_dir: Path) -> None:
    """Stop a database that a killed demo may have left running, and remove what of it stands
    elsewhere; with the directory alone nobody would find that again.
    """
    if not any((data_dir / each).exists() for each in ("postgres", "postgres.path")):
        return
    server = await embedded.own(data_dir)
    await server.stop()
    home = server.cluster_dir.parent
    if home != Path(await anyio.Path(data_dir).resolve()):
        shutil.rmtree(home)


def _mark(data_dir: Path, plan: Plan) -> None:
    embedded.make_data_dir(data_dir)
    (data_dir / MARK).write_bytes(msgspec.json.encode(plan))


# ── running ─────────────────────────────────────────────────────────────────────────────────


async def _demo(
    plan: Plan,
    data_dir: Path,
    seconds: float | None,
    *,
    headless: bool,
) -> Summary:
    _tell("starting the database …")
    server = await embedded.own(data_dir)
    try:
        await migrate(server.dsn)
        async with anyio.create_task_group() as group:
            group.start_soon(server.watch)
            group.start_soon(end_on_terminate)
            summary = await _with_world(plan, data_dir, server.dsn, seconds, headless=headless)
            group.cancel_scope.cancel()
        return summary
    finally:
        with anyio.CancelScope(shield=True):
            await server.stop()


async def _with_world(
    plan: Plan,
    data_dir: Path,
    dsn: str,
    seconds: float | None,
    *,
    headless: bool,
) -> Summary:
    began = real_monotonic()
    config = data_dir / "kcjl.toml"
    await anyio.Path(config).unlink(missing_ok=True)
    async with (
        aiohttp.ClientSession() as session,
        _process(_sandbox_command(plan, data_dir), data_dir / "sandbox.log") as sandbox,
    ):
        _tell("starting the sandbox: John Lewis Marketplace and Khaos Control …")
        await _until_written(config, sandbox, data_dir / "sandbox.log")
        settings = read_settings(config)
        url = settings.clock.world
        view = WorldView(session, url)
        clock = await world_clock(session, url)
        await _plan_troubles(view, data_dir)
        async with anyio.create_task_group() as group:
            group.start_soon(follow_world, session, url, clock)
            group.start_soon(_keep_service, data_dir)
            group.start_soon(people, view, dsn, MERCHANT, clock)
            async with Database(dsn, role=AUDITOR) as database:
                models = PostgresReadModels(database, MERCHANT, clock)
                if headless:
                    with anyio.move_on_after(seconds if seconds is not None else float("inf")):
                        await _progress(view, models, began)
                else:
                    await _watch(dsn, clock, seconds)
            group.cancel_scope.cancel()
        return await _summary(dsn, view, seconds=real_monotonic() - began)


def _sandbox_command(plan: Plan, data_dir: Path) -> list[str]:
    command = [sys.executable, "-m", "kcjl", "sandbox", "--with-parent", "--wait"]
    command += ["--port", "0", "--khaos-port", "0", "--state", str(data_dir / "world")]
    command += ["--write-config", str(data_dir / "kcjl.toml")]
    command += ["--service-data-dir", str(data_dir)]
    command += ["--days", str(plan.days), "--share", str(plan.share), "--seed", str(plan.seed)]
    command += ["--speed", str(plan.speed)]
    if plan.trade:
        command += ["--trade", plan.trade]
    if plan.first_day:
        command += ["--from", plan.first_day]
    return command


@asynccontextmanager
async def _process(command: list[str], log: Path) -> AsyncIterator[anyio.abc.Process]:
    """A child that ends with us, however we end: it watches the pipe that we hold."""
    with log.open("ab") as said:
        child = await anyio.open_process(
            command, stdin=subprocess.PIPE, stdout=said, stderr=said, start_new_session=True
        )
        try:
            yield child
        finally:
            with anyio.CancelScope(shield=True):
                if child.returncode is None:
                    child.terminate()
                    with anyio.move_on_after(5):
                        await child.wait()
                if child.returncode is None:
                    child.kill()
                await child.aclose()


async def _until_written(config: Path, child: anyio.abc.Process, log: Path) -> None:
    waited_s = 0.0
    while not await anyio.Path(config).exists():
        if child.returncode is not None or waited_s > START_S:
            said = await anyio.Path(log).read_text(encoding="utf-8", errors="replace")
            tail = said.strip().splitlines()
            raise Unavailable(f"the sandbox did not start: {tail[-1] if tail else 'no word'}")
        await real_sleep(0.05)
        waited_s += 0.05


async def _plan_troubles(view: WorldView, data_dir: Path) -> None:
    """Once a demo, also when it is killed and goes on: the world's journal keeps them."""
    planned = data_dir / "troubles.planned"
    if planned.exists():
        return
    start = (await view.clock()).starts_at
    for each in troubles(start):
        await view.ask("/sandbox/faults", each)
    planned.touch()


async def _keep_service(data_dir: Path) -> None:
    """Run the service; start it again whenever it ends."""
    command = [sys.executable, "-m", "kcjl", "run", "--with-parent"]
    command += ["--config", str(data_dir / "kcjl.toml")]
    while True:
        async with _process(command, data_dir / "service.log") as child:
            (data_dir / "service.pid").write_text(str(child.pid), encoding="ascii")
            await child.wait()
        _tell(f"the service ended ({child.returncode}); starting it again")
        await real_sleep(SERVICE_PAUSE_S)


async def _watch(dsn: str, clock: Clock, seconds: float | None) -> None:
    _screen.taken = True
    try:
        with anyio.move_on_after(seconds if seconds is not None else float("inf")):
            await monitor(dsn, MERCHANT, clock)
    finally:
        _screen.taken = False


async def _progress(view: WorldView, models: PostgresReadModels, began: float) -> None:
    """Say how it goes until the world is finished and the service has closed it all."""
    finished_at: datetime | None = None
    while True:
        try:
            now = await view.clock()
            counts = await models.counts()
            overview = await models.overview()
        except KcjlError as error:
            _tell(f"waiting: {error.message}")
            await real_sleep(PROGRESS_EVERY_S)
            continue
        orders = counts.get("orders", Counter())
        seconds = max(real_monotonic() - began, 0.001)
        gone = orders["shipped"] + orders["closed"]
        _tell(
            f"{now.now.astimezone(LONDON):%Y-%m-%d %H:%M} · "
            f"orders {sum(orders.values())} seen, {orders['held']} held, {gone} shipped · "
            f"parcels {counts.get('dispatch', Counter())['closed']} orders confirmed · "
            f"payouts {counts.get('payouts', Counter())['done']} closed · "
            f"{overview.exceptions_open} exceptions · {overview.events:,} events "
            f"({overview.events / seconds:,.0f}/s)"
        )
        if now.finished or now.ended:
            finished_at = finished_at or now.now
            waited = now.now - finished_at
            if await _closed(view, counts) or waited > timedelta(hours=SETTLED_HOURS_MAX):
                return
        await real_sleep(PROGRESS_EVERY_S)


async def _closed(view: WorldView, counts: dict[str, Counter[str]]) -> bool:
    """Every payout that the marketplace paid is closed, and nothing is on its way."""
    paid = (await view.truth()).get("payouts_paid", 0)
    payouts = counts.get("payouts", Counter())
    parcels = counts.get("dispatch", Counter())
    on_the_way = parcels["to_confirm"] + parcels["unknown_outcome"]
    return payouts["done"] == paid and payouts["waiting"] == 0 and not on_the_way


async def _summary(dsn: str, view: WorldView, *, seconds: float) -> Summary:
    """The summary; a database that was killed just now is given time to come back."""
    tries = 0
    while True:
        try:
            await _projections_at_head(dsn)
            return await summarise(dsn, MERCHANT, view, seconds=seconds)
        except Unavailable as error:
            tries += 1
            if tries > SUMMARY_TRIES_MAX:
                raise
            _tell(f"waiting: {error.message}")
            await real_sleep(SERVICE_PAUSE_S)


async def _projections_at_head(dsn: str) -> None:
    """The service has stopped: fold what it left, to compare both sides at the head."""
    async with Database(dsn, role=SERVICE) as database:
        reader = PostgresLogReader(database, MERCHANT, vocabulary())
        store = PostgresRows(database, MERCHANT)
        await ProjectionRunner(reader, store, PROJECTIONS).catch_up()


def _tell(line: str) -> None:
    """Talk goes to stderr; while the monitor has the screen it goes nowhere."""
    if not _screen.taken:
        typer.echo(printable(line), err=True)


class _Screen:
    taken = False


_screen = _Screen()
