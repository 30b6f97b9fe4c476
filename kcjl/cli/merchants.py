"""`kcjl merchants …`: who serves which merchant, and what people want of it.

Data to stdout, talk to stderr. What a person wants is a row under the operator's role, with
name, time and reason; the workers read it every two seconds. Called by `main.py`.
"""

import getpass
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    database_of,
    json_line,
    printable,
    settings_at,
)
from kcjl.cli.stock_shown import clock
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, OPERATOR, Database
from kcjl.errors import Misuse, NotFound
from kcjl.projections.merchantreading import read_glances
from kcjl.roster import MerchantKept, Roll, WorkerKept, read_roll, wish
from kcjl.settings import Settings

__all__ = ["app"]

WEIGHT_MAX = 1_000
HEADINGS = ("merchant", "state", "served by", ">events", ">open", ">weight", "wish")
WORKER_HEADINGS = ("worker", "state", ">able", ">serves", "version", "started", "seen")

app = typer.Typer(help="Who serves which merchant; pause one, move it, or give it weight.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Name = Annotated[str, typer.Argument(metavar="MERCHANT", help="As `merchants list` has it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is shown beside the name.")]


class MerchantLine(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant, as `list` shows it."""

    merchant: str
    state: str
    """served, paused, or nobody: no living worker holds its lease."""
    served_by: str
    events: int
    open_exceptions: int
    weight: float
    wanted: str
    reason: str
    by: str
    wished_at: datetime | None


@app.command("list")
def list_merchants(config: Config = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """All merchants of the database, by name: who serves each, and what is open on its desk.

    Examples: `kcjl merchants list`, `kcjl merchants list --json`.
    """
    lines = anyio.run(_lines, settings_at(config))
    if as_json:
        for each in lines:
            typer.echo(json_line(each))
        return
    for row in table(HEADINGS, [_cells(each) for each in lines]):
        typer.echo(printable(row))
    counted = {state: sum(each.state == state for each in lines) for state in _STATES}
    said = ", ".join(f"{number:,} {state}" for state, number in counted.items() if number)
    typer.echo(
        printable(f"{len(lines):,} merchants: {said}" if lines else "no merchant yet"), err=True
    )


@app.command("workers")
def list_workers(config: Config = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """The processes that serve merchants, those not seen for ten seconds as dead.

    Example: `kcjl merchants workers`.
    """
    roll = anyio.run(_rolled, settings_at(config))
    if as_json:
        for each in roll.workers:
            typer.echo(json_line(each))
        return
    for row in table(WORKER_HEADINGS, [_worker_cells(each, roll) for each in roll.workers]):
        typer.echo(printable(row))
    living = sum(each.lives for each in roll.workers)
    typer.echo(printable(f"{living} of {len(roll.workers)} workers live"), err=True)


@app.command()
def pause(name: Name, config: Config = DEFAULT_CONFIG, *, reason: Reason = "") -> None:
    """Let nobody serve this merchant, until `resume`; its log and its rows stay.

    Nothing is lost: what happens meanwhile is read when it is served again.
    Example: `kcjl merchants pause acme --reason "moving to another marketplace"`.
    """
    _do(config, name, lambda database: _wish(database, name, reason=reason, paused=True))
    typer.echo(printable(f"{name} is paused: its worker lets go of it in seconds"), err=True)


@app.command()
def resume(name: Name, config: Config = DEFAULT_CONFIG, *, reason: Reason = "") -> None:
    """Let it be served again.

    Example: `kcjl merchants resume acme`.
    """
    _do(config, name, lambda database: _wish(database, name, reason=reason, paused=False))
    typer.echo(printable(f"{name} may be served again"), err=True)


@app.command()
def move(
    name: Name,
    worker: Annotated[
        str, typer.Argument(metavar="[WORKER]", help="As `merchants workers` has it.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    *,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="It may be served by any worker again.")
    ] = False,
    reason: Reason = "",
) -> None:
    """Have a worker serve it, for as long as that worker lives and is able to.

    Examples: `kcjl merchants move acme london-2:/var/lib/kcjl`,
    `kcjl merchants move acme --anywhere`.
    """
    if bool(worker) == anywhere:
        raise Misuse("name a worker, or say --anywhere: `kcjl merchants workers` lists them")

    async def moved(database: Database) -> None:
        roll = await read_roll(database)
        if worker and not any(
            each.holder == worker and each.lives and name in each.able for each in roll.workers
        ):
            raise NotFound(
                f"no living worker {worker!r} is able to serve {name}: "
                "`kcjl merchants workers` lists them"
            )
        await _wish(database, name, reason=reason, wanted=worker)

    _do(config, name, moved)
    where = f"goes to {worker}" if worker else "may be served by any worker"
    typer.echo(printable(f"{name} {where}"), err=True)


@app.command()
def weigh(
    name: Name,
    weight: Annotated[float, typer.Argument(help="1 for a usual one, above 0.")],
    config: Config = DEFAULT_CONFIG,
    *,
    reason: Reason = "",
) -> None:
    """Say how much work it is beside the others: workers share merchants out by weight.

    Example: `kcjl merchants weigh acme 5`.
    """
    if not 0 < weight <= WEIGHT_MAX:
        raise Misuse(f"a weight is above 0 and at most {WEIGHT_MAX:,}, not {weight:g}")
    _do(config, name, lambda database: _wish(database, name, reason=reason, weight=weight))
    typer.echo(printable(f"{name} weighs {weight:g}"), err=True)


# ── the database ────────────────────────────────────────────────────────────────────────────


async def _wish(
    database: Database,
    name: str,
    *,
    reason: str,
    weight: float | None = None,
    paused: bool | None = None,
    wanted: str | None = None,
) -> None:
    by = getpass.getuser()
    await wish(
        database, name, by=by, reason=reason, weight=weight, paused=paused, wanted=wanted
    )


def _do(config: Config, name: str, act: Callable[[Database], Awaitable[None]]) -> None:
    anyio.run(_act, settings_at(config), name, act)


async def _act(
    settings: Settings, name: str, act: Callable[[Database], Awaitable[None]]
) -> None:
    async with database_of(settings) as dsn, Database(dsn, role=OPERATOR) as database:
        known = {each.merchant for each in (await read_roll(database)).merchants}
        if name not in known:
            raise NotFound(
                f"there is no merchant {name!r} in this database: "
                "`kcjl merchants list` names them"
            )
        await act(database)


async def _rolled(settings: Settings) -> Roll:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        return await read_roll(database)


async def _lines(settings: Settings) -> Sequence[MerchantLine]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        roll, glances = await read_roll(database), await read_glances(database)
    lines = []
    for each in roll.merchants:
        glance = glances.get(each.merchant)
        lines.append(
            MerchantLine(
                merchant=each.merchant,
                state=_state(each),
                served_by=each.held_by,
                events=glance.position if glance else 0,
                open_exceptions=glance.open if glance else 0,
                weight=each.weight,
                wanted=each.wanted,
                reason=each.reason,
                by=each.by,
                wished_at=each.wished_at,
            )
        )
    return lines


# ── shown ───────────────────────────────────────────────────────────────────────────────────

_STATES = ("served", "paused", "nobody")


def _state(each: MerchantKept) -> str:
    if each.held_by:
        return "served"
    return "paused" if each.paused else "nobody"


def _cells(each: MerchantLine) -> tuple[str, ...]:
    wished = ""
    if each.wished_at is not None:
        wanted = f"on {each.wanted} " if each.wanted else ""
        why = f": {each.reason}" if each.reason else ""
        wished = f"{wanted}by {each.by} at {clock(each.wished_at)}{why}"
    return (
        each.merchant,
        each.state,
        each.served_by,
        f"{each.events:,}",
        f"{each.open_exceptions:,}",
        f"{each.weight:g}",
        wished,
    )


def _worker_cells(each: WorkerKept, roll: Roll) -> tuple[str, ...]:
    return (
        each.holder,
        "lives" if each.lives else "dead",
        f"{len(each.able):,}",
        f"{sum(one.held_by == each.holder for one in roll.merchants):,}",
        each.version,
        clock(each.started_at),
        clock(each.seen_at),
    )
