"""Closing a month: its files, then the service's word, then what came of it.

Promises: the files are written first, as the log knew the month at one position, and are named
in the event by their SHA-256; a no takes them away again. A preview writes no event.
Called by `close.py`.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import anyio
import msgspec
import typer

from kcjl.cli.asking import answered
from kcjl.cli.close_pack import MonthPack, PackAsked, write_pack
from kcjl.cli.payouts_month import month_of
from kcjl.cli.places import database_of, json_line, printable, printable_block
from kcjl.cli.rebuild import Progress
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.errors import NotFound, Refused, Unavailable
from kcjl.events import vocabulary
from kcjl.ledger.month_rows import FigureRow
from kcjl.ledger.port import JournalDocument
from kcjl.log.port import Selection
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.queries import PostgresQueries
from kcjl.projections.monthreading import MonthRows
from kcjl.settings import Settings
from kcjl.settlement.closing import (
    ClosedMonths,
    MonthClosing,
    refuse_out_of_turn,
    starts_at,
)
from kcjl.settlement.events import JournalFile
from kcjl.settlement.month_events import MonthClosed, MonthKnown

__all__ = ["Asked", "close_month"]

STATEMENT_S = 900.0
"""Sorting a month's lines on a busy server."""
DIFFERENCE = 1


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed."""

    config: Path
    settings: Settings
    merchant: str
    month: str
    currency: str
    folder: Path
    reason: str
    preview: bool
    again: bool


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it, for a program."""

    month: date
    known: MonthKnown
    files: tuple[JournalDocument, ...]
    folder: str
    message: str


def close_month(asked: Asked, *, as_json: bool) -> int:
    """Do it, and say it; the exit code: 1 where the files are not those of the closing."""
    month, folder = month_of(asked.month), asked.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pack, before = anyio.run(_packed, asked, month)
    except OSError as error:
        raise Unavailable(f"{folder} can't be written to: {error.strerror}") from None
    message = f"the files of {month:%B %Y} are in {folder}"
    differs = before is not None and _files(pack.files) != before.files
    if before is not None and differs:
        message = f"{message}; they are not those that were closed with: {_why(pack, before)}"
    elif not asked.preview and not asked.again:
        message = _closed(asked, month, pack)
    _print(month, pack, folder, message, as_json=as_json)
    return DIFFERENCE if differs else 0


def _why(pack: MonthPack, before: MonthClosed) -> str:
    if pack.known == before.known:
        return "the figures are, so another version of kcjl lays them out otherwise"
    return f"their figures differ (then {before.known.total}, now {pack.known.total})"


def _closed(asked: Asked, month: date, pack: MonthPack) -> str:
    """The service's word. After a no there are no files; while it waits they stay."""
    closing = MonthClosing(
        month=month, known=pack.known, files=_files(pack.files), reason=asked.reason
    )
    arguments = {"closing": msgspec.json.encode(closing).decode()}
    try:
        return answered(asked.config, asked.merchant, "month-close", arguments)
    except Refused:
        for each in pack.files:
            with suppress(OSError):
                (asked.folder / each.name).unlink()
        raise


def _files(documents: Sequence[JournalDocument]) -> tuple[JournalFile, ...]:
    return tuple(JournalFile(name=each.name, sha256=each.sha256) for each in documents)


async def _packed(asked: Asked, month: date) -> tuple[MonthPack, MonthClosed | None]:
    """The files, and the closing that they are of."""
    async with (
        database_of(asked.settings) as dsn,
        Database(dsn, role=AUDITOR, statement_s=STATEMENT_S) as database,
    ):
        log = PostgresQueries(database, asked.merchant, vocabulary())
        before = await _closing_of(log, month) if asked.again else None
        head = await PostgresLogReader(database, asked.merchant, vocabulary()).head()
        position = before.known.position if before else head.position
        known_at = await _recorded_at(log, position)
        rows = MonthRows(database, asked.merchant, vocabulary(), log, position=position)
        last = await rows.last_closed()
        if not asked.preview and not asked.again:
            months = None if last is None else ClosedMonths(last=last)
            refuse_out_of_turn(months, month, lines_read_at=known_at, now=known_at)
        return await _written(rows, asked, month, known_at, last), before


async def _written(
    rows: MonthRows,
    asked: Asked,
    month: date,
    known_at: datetime,
    closed: MonthClosed | None,
) -> MonthPack:
    progress = Progress(shown=sys.stderr.isatty())
    looked_from = await rows.looked_from(closed, starts_at(month))
    lines = await rows.count(looked_from)
    wanted = PackAsked(
        merchant=asked.merchant,
        month=month,
        currency=asked.currency,
        known_at=known_at,
        closed=closed,
        looked_from=looked_from,
        preview=asked.preview,
    )
    try:
        return await write_pack(
            rows, wanted, asked.folder, lambda done: progress("lines", done, lines)
        )
    finally:
        progress.end()


async def _closing_of(log: PostgresQueries, month: date) -> MonthClosed:
    asked = Selection(stream=f"settlement-month-{month:%Y-%m}", backward=True)
    async for page in log.select(asked):
        if isinstance(closed := page[0].event, MonthClosed):
            return closed
    raise NotFound(
        f"{month:%B %Y} was not closed by itself, so it has no files: `kcjl close "
        f"{month:%Y-%m}` closes it, where no later month is closed"
    )


async def _recorded_at(log: PostgresQueries, position: int) -> datetime:
    async for page in log.select(Selection(after=position - 1, to=position)):
        return page[0].recorded_at
    raise NotFound(f"the log of {log.merchant} is empty: there is no month to close")


def _print(month: date, pack: MonthPack, folder: Path, message: str, *, as_json: bool) -> None:
    if as_json:
        said = Closed(
            month=month,
            known=pack.known,
            files=pack.files,
            folder=str(folder),
            message=message,
        )
        typer.echo(json_line(said))
        return
    for line in table(("figure", ">amount", ">number", "sheet"), _rows(pack.figures)):
        typer.echo(printable(line))
    for each in pack.files:
        typer.echo(printable(f"{each.name}  SHA-256 {each.sha256}"), err=True)
    typer.echo(printable_block(message), err=True)


def _rows(figures: Sequence[FigureRow]) -> list[tuple[str, ...]]:
    return [
        (
            each.name,
            "" if each.amount is None else str(each.amount),
            "" if each.number is None else f"{each.number:,}",
            each.sheet,
        )
        for each in figures
    ]
