"""`kcjl capsule make | show | replay`: an incident in one file, and the file on any machine.

Promises: `show` and `replay` need no configuration and no database. Exit code 1: a row is not
as it was, or the file is not what was made. Called by the command line.
"""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.audit.capsule import (
    Capsule,
    Replayed,
    against,
    read_capsule,
    replay_capsule,
    write_capsule,
)
from kcjl.audit.capsule_live import PostgresLiveRows
from kcjl.audit.capsule_making import Asked, capsule_of, deciding, gather
from kcjl.cli.filters import moment
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
from kcjl.cli.proof import Progress, key_of
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse
from kcjl.events import vocabulary
from kcjl.log.exported import ExportReader, verify_export
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.queries import PostgresQueries
from kcjl.log.seal import Seal, check_seals, check_signature, read_seal
from kcjl.log.verify import verify
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.settings import Settings

__all__ = ["app"]

app = typer.Typer(
    help="An incident in one file: its events, what was in force, and its rows.",
    no_args_is_help=True,
)
File = Annotated[Path, typer.Argument(help="A capsule.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, on stdout.")]


@app.command()
def make(
    out: Annotated[Path, typer.Option("--out", "-o", help="A new file.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    order: Annotated[str, typer.Option("--order", help="All of this order.")] = "",
    sku: Annotated[str, typer.Option("--sku", help="All of this product.")] = "",
    exception: Annotated[
        str,
        typer.Option("--exception", help="An exception and its order or product, by its id."),
    ] = "",
    first: Annotated[
        str,
        typer.Option("--from", help="What moved from this time or position on, up to --to."),
    ] = "",
    last: Annotated[
        str, typer.Option("--to", help="As of this time or position [default: now].")
    ] = "",
    seal_files: Annotated[
        list[Path] | None,
        typer.Option("--seal", help="A seal to hold the log against first; it goes with it."),
    ] = None,
    public_key: Annotated[
        str, typer.Option("--public-key", help="Key of the seals, as for `kcjl log verify`.")
    ] = "",
    json: Json = False,
) -> None:
    """Put all that the log has of an incident into one file, with the rows as they are.

    The chain is verified first. The file holds the events of the order, product or exception,
    what caused them and what they caused, every policy, the settings that decide, and the rows
    that can be folded of these alone. It has no personal data, no secrets and no host names.

    Examples: `kcjl capsule make --order 700123-A -o late.capsule`,
    `kcjl capsule make --from 2026-10-01T14:00 --to 2026-10-01T15:00 -o hour.capsule`.
    """
    given = [
        (kind, name)
        for kind, name in (("order", order), ("sku", sku), ("exception", exception))
        if name
    ]
    if len(given) + bool(first) != 1:
        raise Misuse(
            "a capsule is of one thing: --order, --sku, --exception, or --from with --to"
        )
    if out.exists():
        raise Misuse(f"{out} is there already: name a new file")
    settings = settings_at(config)
    name = merchant_of(settings, merchant)
    seals = [read_seal(each) for each in seal_files or []]
    for each in seals:
        check_signature(each, key_of(settings, public_key), name)
    made = anyio.run(
        partial(_made, settings, name, given[0] if given else None, first, last, seals)
    )
    write_capsule(made, out)
    header = made.header
    if json:
        typer.echo(json_line(header))
    told = (
        f"{header.asked}: {header.events:,} events and {header.rows:,} rows ({header.rows_of}) "
        f"as of position {header.position:,}, {out.stat().st_size:,} bytes"
    )
    typer.echo(printable(told), err=True)


async def _made(
    settings: Settings,
    merchant: str,
    given: tuple[str, str] | None,
    first: str,
    last: str,
    seals: list[Seal],
) -> Capsule:
    words = vocabulary()
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        reader = PostgresLogReader(database, merchant, words)
        queries = PostgresQueries(database, merchant, words)
        live = PostgresLiveRows(database, merchant)
        to = await _position(queries, "--to", last) if last else await live.position()
        asked = Asked(kind="positions")
        if given is not None:
            asked = msgspec.convert({"kind": given[0], "name": given[1]}, Asked)
        else:
            begin = await _position(queries, "--from", first)
            begin += 0 if first.isdecimal() else 1
            if begin > to:
                raise Misuse(f"nothing was recorded from {first} up to position {to}")
            asked = Asked(kind="positions", first=max(begin, 1), last=to)
        progress = Progress(0)
        progress.last = to
        try:
            verified = await verify(reader, to=to, progress=progress)
            await check_seals(reader, seals, verified)
            gathered = await gather(reader, words, PROJECTIONS, asked, to=to, progress=progress)
        finally:
            progress.end()
        schema = await database.fetchval(
            "select max(name) from kcjl_migration where name ~ '^[0-9]'"
        )
        return await capsule_of(
            gathered,
            words,
            PROJECTIONS,
            asked=asked,
            merchant=merchant,
            at=(to, verified.hash),
            live=None if last else live,
            schema=str(schema or ""),
            settings=deciding(settings.merchants[merchant]),
            seals=seals,
        )


async def _position(queries: PostgresQueries, option: str, text: str) -> int:
    """A position, or where the log ended at a time."""
    if text.isdecimal():
        return int(text)
    when: datetime | None = moment(option, text)
    return await queries.position_at(when) if when is not None else 0


@app.command()
def show(
    file: File,
    *,
    export: Annotated[
        Path | None,
        typer.Option("--from-export", help="Hold its events against this exported log."),
    ] = None,
    json: Json = False,
) -> None:
    """What is in a capsule: of what, as of when, its events with their hashes, its rows.

    Every event's hash is computed. That they are of the real log is shown by --from-export,
    which verifies the export and finds each of them in it.
    """
    capsule = read_capsule(file)
    if export is not None:
        anyio.run(_hold_against, capsule, export)
    if json:
        typer.echo(json_line(capsule))
        return
    for line in _lines(capsule):
        typer.echo(printable(line))
    if export is None:
        typer.echo(
            "its hashes hold; that they are of the log was not looked at: --from-export FILE",
            err=True,
        )
    else:
        typer.echo(printable(f"every event of it is in {export}"), err=True)


async def _hold_against(capsule: Capsule, path: Path) -> None:
    with ExportReader(path) as reader:
        if reader.merchant != capsule.header.merchant:
            raise Misuse(
                f"{path} is the log of {reader.merchant}, the capsule is of "
                f"{capsule.header.merchant}"
            )
        verified = await verify_export(reader)
        await check_seals(reader, capsule.header.seals, verified)
        to = min(capsule.header.position, reader.header.last)
        await against(capsule, reader.entries(0, to=to))


def _lines(capsule: Capsule) -> list[str]:
    header = capsule.header
    facts = [
        ("of", f"{header.asked}, {header.merchant}"),
        ("as of", f"position {header.position:,}, {header.hash}"),
        ("made by", f"kcjl {header.version} {header.schema}".strip()),
        ("rows", f"{header.rows:,}, {header.rows_of}"),
        *((f"policy {name}", f"#{at}") for name, at in sorted(header.policies.items())),
        *(("seal", f"position {each.position:,}, {each.sealed_at}") for each in header.seals),
    ]
    width = max(len(name) for name, _ in facts)
    lines = [f"{name:<{width}}  {value}" for name, value in facts]
    events = [
        (
            str(each.position),
            f"{each.recorded_at:%Y-%m-%d %H:%M:%S}Z",
            each.why,
            each.type,
            each.stream,
            each.by,
            each.hash,
        )
        for each in capsule.events
    ]
    heads = (">position", "recorded", "why", "event", "stream", "by", "hash")
    rows = [(row.projection, row.key, f"#{row.position}") for row in capsule.rows]
    return [
        *lines,
        "",
        *table(heads, events),
        "",
        *table(("read model", "row", "last event"), rows),
    ]


@app.command()
def replay(file: File, *, json: Json = False) -> None:
    """Fold a capsule's rows anew, in memory, and compare them byte for byte; 1 when different.

    A capsule that is put into tests/capsules is replayed by the tests from then on.
    """
    capsule = read_capsule(file)
    replayed = replay_capsule(capsule, vocabulary(), PROJECTIONS)
    if json:
        typer.echo(json_line(replayed))
    else:
        typer.echo(printable(_said(replayed)))
    if replayed.difference is not None:
        raise typer.Exit(1)


def _said(replayed: Replayed) -> str:
    found = replayed.difference
    if found is None:
        return f"{replayed.events:,} events make the same {replayed.rows:,} rows"
    return (
        f"{found.projection} {found.key} differs in {found.field or 'the whole row'}: was "
        f"{found.was}, replayed as {found.is_now}; last touched by event {found.position} "
        f"({found.event})"
    )
