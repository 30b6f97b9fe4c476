"""`kcjl log tail | show`: reading the event log; the other verbs have their own files."""

import sys
from functools import partial
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli import filters, proof
from kcjl.cli import rebuild as rebuilding
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    json_line,
    merchant_of,
    printable,
    settings_at,
)
from kcjl.clock import RealClock
from kcjl.database import AUDITOR, Database
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.port import Selection
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.queries import PostgresQueries
from kcjl.projections.reading import PostgresReadModels
from kcjl.readmodels import EventRow
from kcjl.settings import Settings
from kcjl.unseen import json_spelt_out

__all__ = ["app"]

app = typer.Typer(
    help="The event log: what happened, in order, provable.", no_args_is_help=True
)
app.command("verify")(proof.verify)
app.command("seal")(proof.seal)
app.command("export")(proof.export)
app.command("rebuild")(rebuilding.rebuild)
app.command("state")(rebuilding.state)
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, on stdout.")]


@app.command()
def tail(
    *,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=10_000)] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as events come; Ctrl-C ends it.")
    ] = False,
    types: filters.Types = None,
    stream: filters.Stream = "",
    since: filters.Since = "",
    until: filters.Until = "",
    backward: filters.Backward = False,
    json: Json = False,
) -> None:
    """The newest events, or the newest of those that are asked for, oldest first."""
    settings = settings_at(config)
    asked = filters.asked(types, stream, since, until, backward=backward, follow=follow)
    wanted = merchant_of(settings, merchant)
    anyio.run(partial(_tail, settings, wanted, asked, lines, follow=follow, json=json))


async def _tail(
    settings: Settings,
    merchant: str,
    asked: Selection,
    lines: int,
    *,
    follow: bool,
    json: bool,
) -> None:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        words = vocabulary()
        reader = PostgresLogReader(database, merchant, words)
        head = (await reader.head()).position
        queries = PostgresQueries(database, merchant, words)
        for entry in await filters.newest(queries, asked, to=head, lines=lines):
            _print(filters.row_of(entry), json=json)
        if not follow:
            return
        async for page in reader.follow(head):
            for recorded in page:
                if filters.is_over(asked, recorded):
                    return
                if filters.fits(asked, recorded):
                    _print(filters.row_of(recorded), json=json)


def _print(event: EventRow, *, json: bool) -> None:
    if json:
        sys.stdout.write(_json(event) + "\n")
    else:
        at = event.recorded_at.strftime("%Y-%m-%d %H:%M:%S")
        line = f"{event.position:>9}  {at}Z  {event.by:<11} {event.type:<22} {event.stream}"
        sys.stdout.write(printable(line) + "\n")
    sys.stdout.flush()


def _json(event: EventRow) -> str:
    fields = {name: getattr(event, name) for name in EventRow.__struct_fields__}
    fields["data"] = msgspec.Raw(event.data.encode())
    return json_line(fields)


@app.command()
def show(
    position: Annotated[int, typer.Argument(min=1, help="Which event.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Json = False,
) -> None:
    """One event, whole: both clocks, its causes, its payload, its place in the chain."""
    settings = settings_at(config)
    anyio.run(partial(_show, settings, merchant_of(settings, merchant), position, json=json))


async def _show(settings: Settings, merchant: str, position: int, *, json: bool) -> None:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        models = PostgresReadModels(database, merchant, RealClock())
        found = await models.events(after=position - 1, limit=1)
    if not found or found[0].position != position:
        raise NotFound(f"the log of {merchant} has no event {position} yet")
    event = found[0]
    if json:
        typer.echo(_json(event))
        return
    for name in EventRow.__struct_fields__:
        if name != "data":
            typer.echo(printable(f"{name:<15} {getattr(event, name)}"))
    typer.echo(json_spelt_out(msgspec.json.format(event.data, indent=2)))
