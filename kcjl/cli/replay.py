"""`kcjl replay`: every read model folded anew, of the log or of an export, and compared.

Writes nothing. Exit code 1 when a row is not live as the log says, or the chain is broken.
"""

import sys
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl import __version__
from kcjl.audit.replay_check import (
    held_against,
    live_rows,
    replay_export,
    replay_log,
    same_log,
)
from kcjl.audit.replay_difference import Compared
from kcjl.audit.replay_rows import ReplayedRows
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
from kcjl.cli.rebuild import Progress, position_asked, position_of
from kcjl.collector import settle_collector
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, Unavailable
from kcjl.events import vocabulary
from kcjl.log.exported import ExportReader
from kcjl.log.postgres import PostgresLogReader
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.settings import Settings

__all__ = ["replay"]


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    merchant: str
    version: str
    position: int
    hash: str
    """Of the event there: what a seal of this position must say."""
    checked: bool
    """Whether the live rows were compared."""
    same: bool | None
    """None: not compared."""
    projections: list[Compared]
    seconds: float
    events_per_s: float


def replay(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="How far: a position such as 1234, or a time as of `kcjl log state --at`; "
            "the end when left out.",
        ),
    ] = "",
    export: Annotated[
        Path | None,
        typer.Option("--from-export", help="A file of `kcjl log export`, from position 1."),
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Compare every row with the live one.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, on stdout.")] = False,
) -> None:
    """Fold every read model anew, and say what its rows are; with --check, are they live so?

    The chain is verified on the way; nothing is written. Of an export alone neither a
    configuration nor a database is needed. The digests of the same log at the same position
    are the same on any machine with this version. Exit code 1: a difference, which is named.
    """
    position = int(to) if to.isascii() and to.isdecimal() else position_of(to)
    if check and to:
        raise Misuse("live rows are compared where they are: leave out --to")
    if export is not None and to and position is None:
        raise Misuse("how far an export is replayed is said by a position, such as --to 1234")
    settle_collector()
    if export is not None and not check:
        done = anyio.run(partial(_of_file, export, merchant, position))
    else:
        settings = settings_at(config)
        chosen = merchant_of(settings, merchant)
        done = anyio.run(partial(_of_log, settings, chosen, to, position, export, check=check))
    _tell(done, json=json)
    if done.same is False:
        raise typer.Exit(1)


async def _of_file(path: Path, merchant: str, to: int | None) -> Replay:
    with ExportReader(path) as reader:
        if merchant not in ("", reader.merchant):
            raise Misuse(f"{path} is the log of {reader.merchant}, not of {merchant}")
        end = reader.header.last if to is None else to
        progress = Progress(shown=sys.stderr.isatty())
        words = vocabulary()
        with ReplayedRows(reader.merchant, words, PROJECTIONS) as rows:
            verified = await replay_export(
                reader, rows, to=end, progress=lambda at: progress("replaying", at, end)
            )
            found = await held_against(None, rows, reader, words, PROJECTIONS)
    progress.end()
    return _said(reader.merchant, verified.position, verified.hash, found, progress, live=False)


async def _of_log(
    settings: Settings,
    merchant: str,
    asked: str,
    position: int | None,
    path: Path | None,
    *,
    check: bool,
) -> Replay:
    words = vocabulary()
    progress = Progress(shown=sys.stderr.isatty())
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(database_of(settings))
        database = await stack.enter_async_context(Database(dsn, role=AUDITOR))
        rows = stack.enter_context(ReplayedRows(merchant, words, PROJECTIONS))
        reader = PostgresLogReader(database, merchant, words)
        live = None
        if check:
            live = await stack.enter_async_context(live_rows(database, merchant, PROJECTIONS))
            end = live.position
        elif position is not None:
            end = position
        else:
            end = await position_asked(reader, asked, world=bool(settings.clock.world))
        shown = partial(progress, "replaying")
        previous = None
        if path is not None:
            export = stack.enter_context(ExportReader(path))
            if export.merchant != merchant:
                raise Misuse(f"{path} is the log of {export.merchant}, not of {merchant}")
            last = export.header.last
            if last > end:
                raise Unavailable(
                    f"{path} goes to position {last}, and the live rows to {end}: wait until "
                    "they are there, or export less"
                )
            await same_log(reader, export)
            verified = await replay_export(
                export, rows, to=last, progress=lambda at: shown(at, end)
            )
            previous = verified.hash
        verified = await replay_log(
            reader, rows, to=end, previous=previous, progress=lambda at: shown(at, end)
        )
        found = await held_against(live, rows, reader, words, PROJECTIONS)
    progress.end()
    return _said(merchant, verified.position, verified.hash, found, progress, live=check)


def _said(
    merchant: str,
    position: int,
    hash_: bytes,
    found: list[Compared],
    progress: Progress,
    *,
    live: bool,
) -> Replay:
    seconds = progress.seconds()
    return Replay(
        merchant=merchant,
        version=__version__,
        position=position,
        hash=hash_.hex(),
        checked=live,
        same=not any(each.different for each in found) if live else None,
        projections=found,
        seconds=seconds,
        events_per_s=position / seconds if seconds > 0 else 0.0,
    )


def _tell(done: Replay, *, json: bool) -> None:
    if json:
        typer.echo(json_line(done))
        return
    for each in done.projections:
        different = f"  {each.different:,} differ" if each.different else ""
        rows = f"{each.projection:<18} {each.rows:>11,} rows  {each.digest}{different}"
        typer.echo(printable(rows))
    told = (
        f"{done.merchant} replayed to position {done.position:,}, hash {done.hash}: "
        f"{done.seconds:.1f} s, {done.events_per_s:,.0f} events/s"
    )
    typer.echo(printable(told))
    first = next((each.first for each in done.projections if each.first is not None), None)
    if first is not None:
        typer.echo(printable(f"DIFFERENT: {first.told()}"))
    elif done.checked:
        typer.echo("every row is live as it was replayed, byte for byte")
    else:
        typer.echo("the live rows were not compared: --check does", err=True)
