"""`kcjl log tail | show | verify | rebuild | state`: the event log."""

import sys
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli import rebuild as rebuilding
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    merchant_of,
    settings_at,
)
from kcjl.clock import RealClock
from kcjl.database import AUDITOR, Database
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.verify import verify as verify_log
from kcjl.projections.reading import PostgresReadModels
from kcjl.readmodels import EventRow
from kcjl.settings import Settings

__all__ = ["app"]

app = typer.Typer(
    help="The event log: what happened, in order, provable.", no_args_is_help=True
)
app.command("rebuild")(rebuilding.rebuild)
app.command("state")(rebuilding.state)
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, on stdout.")]


@app.command()
def tail(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=10_000)] = 20,
    follow: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--follow", "-f", help="Go on as events come; Ctrl-C ends it.")
    ] = False,
    json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """The newest events, oldest first."""
    settings = settings_at(config)
    anyio.run(_tail, settings, merchant_of(settings, merchant), lines, follow, json)


async def _tail(
    settings: Settings,
    merchant: str,
    lines: int,
    follow: bool,  # noqa: FBT001
    json: bool,  # noqa: FBT001
) -> None:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        models = PostgresReadModels(database, merchant, RealClock())
        events = await models.events(limit=lines)
        last = 0
        for event in events:
            _print(event, json=json)
            last = event.position
        if not follow:
            return
        reader = PostgresLogReader(database, merchant, vocabulary())
        async for page in reader.follow(last):
            for recorded in page:
                for event in await models.events(after=recorded.position - 1, limit=1):
                    _print(event, json=json)


def _print(event: EventRow, *, json: bool) -> None:
    if json:
        sys.stdout.write(_json(event) + "\n")
    else:
        at = event.recorded_at.strftime("%Y-%m-%d %H:%M:%S")
        sys.stdout.write(
            f"{event.position:>9}  {at}Z  {event.by:<11} {event.type:<22} {event.stream}\n"
        )
    sys.stdout.flush()


def _json(event: EventRow) -> str:
    fields = {name: getattr(event, name) for name in EventRow.__struct_fields__}
    fields["data"] = msgspec.Raw(event.data.encode())
    return msgspec.json.encode(fields).decode()


@app.command()
def show(
    position: Annotated[int, typer.Argument(min=1, help="Which event.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """One event, whole: both clocks, its causes, its payload, its place in the chain."""
    settings = settings_at(config)
    anyio.run(_show, settings, merchant_of(settings, merchant), position, json)


async def _show(settings: Settings, merchant: str, position: int, json: bool) -> None:  # noqa: FBT001
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
            typer.echo(f"{name:<15} {getattr(event, name)}")
    typer.echo(msgspec.json.format(event.data, indent=2))


@app.command()
def verify(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Recompute the hash chain from the first event to the head; exit code 1 where it breaks.

    An unbroken chain shows that no event was edited, moved or left out before the head. It does
    not show that the tail was not cut off: keep the head's hash elsewhere for that.
    """
    settings = settings_at(config)
    anyio.run(_verify, settings, merchant_of(settings, merchant), json)


async def _verify(settings: Settings, merchant: str, json: bool) -> None:  # noqa: FBT001
    shown = sys.stderr.isatty()

    def progress(position: int) -> None:
        if shown:
            sys.stderr.write(f"\r{position:,} events")
            sys.stderr.flush()

    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        reader = PostgresLogReader(database, merchant, vocabulary())
        verified = await verify_log(reader, progress=progress)
    if shown:
        sys.stderr.write("\r\x1b[K")
    if json:
        typer.echo(
            msgspec.json.encode(
                {
                    "merchant": merchant,
                    "position": verified.position,
                    "events": verified.events,
                    "hash": verified.hash.hex(),
                }
            ).decode()
        )
    else:
        typer.echo(
            f"{verified.events:,} events verified, up to position {verified.position:,}; "
            f"head {verified.hash.hex()}"
        )
