"""A merchant's history for verbs that decide it again: the live log, or an exported file.

Promises: the file is read as `kcjl log verify` reads it, its chain verified before anything is
decided on it; nothing is written; a page is held at a time. An export can't be asked for single
streams: who asks is told so (Unavailable). Called by `kcjl what-if` and `kcjl shadow`.
"""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from kcjl.cli.places import database_of, merchant_of, settings_at
from kcjl.cli.rebuild import Progress, position_asked, position_of
from kcjl.clock import RandomIds, RealClock
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, Unavailable
from kcjl.events import vocabulary
from kcjl.log.chain import Entry
from kcjl.log.exported import ExportReader, verify_export
from kcjl.log.port import Head, LogReader, Recorded
from kcjl.log.postgres import PostgresLogReader
from kcjl.settings import MerchantSettings
from kcjl.vocabulary import Vocabulary

__all__ = ["FromExport", "History", "To", "history_of"]

To = Annotated[
    str,
    typer.Option(
        "--to",
        help='Up to when: "14:03" (today), "2026-10-31 23:59" (London time), an ISO time with '
        "its zone, or #POSITION of the log; its end when left out.",
    ),
]
FromExport = Annotated[
    Path | None,
    typer.Option(
        "--from-export",
        help="A file of `kcjl log export`, from position 1: no database, no configuration.",
    ),
]


class History:
    """Pages of it, with how far they are."""

    def __init__(
        self,
        log: LogReader,
        to: int,
        *,
        shown: bool = False,
        settings: MerchantSettings | None = None,
    ) -> None:
        self.log = log
        self.to = to
        self.settings = settings
        """The merchant's; None: of an export they are not known."""
        self.clock, self.ids = RealClock(), RandomIds()
        self._progress = Progress(shown=shown)

    async def pages(self) -> AsyncIterator[Sequence[Recorded]]:
        async for page in self.log.read(0, to=self.to):
            yield page
            self._progress("deciding again", page[-1].position, self.to)
        self._progress.end()


@asynccontextmanager
async def history_of(
    config: Path, merchant: str, to: str, export: Path | None
) -> AsyncIterator[History]:
    """Raises Misuse for a time that is none, BrokenExport for a file that is damaged."""
    position, shown = position_of(to), sys.stderr.isatty()
    if export is not None:
        if to and position is None:
            raise Misuse("of an export give --to as a position, such as #1234")
        with ExportReader(export) as reader:
            if merchant not in ("", reader.merchant):
                raise Misuse(f"{export} is the log of {reader.merchant}, not of {merchant}")
            if reader.header.first != 1:
                raise Misuse(
                    f"{export} begins at position {reader.header.first:,}: what was known then "
                    "stands before it; export from position 1"
                )
            last = reader.header.last
            progress = Progress(shown=shown)
            await verify_export(reader, progress=lambda at: progress("verifying", at, last))
            progress.end()
            log = _Exported(reader, vocabulary())
            yield History(log, min(position or last, last), shown=shown)
        return
    settings = settings_at(config)
    chosen = merchant_of(settings, merchant)
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        live = PostgresLogReader(database, chosen, vocabulary())
        if position is None:
            position = await position_asked(live, to, world=bool(settings.clock.world))
        head = (await live.head()).position
        own = settings.merchants[chosen]
        yield History(live, min(position, head), shown=shown, settings=own)


class _Exported:
    """An exported file, read as a log is."""

    def __init__(self, reader: ExportReader, words: Vocabulary) -> None:
        self.merchant = reader.merchant
        self._reader = reader
        self._words = words

    async def head(self) -> Head:
        return (await self._reader.end())[0]

    async def read(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncIterator[Sequence[Recorded]]:
        async for page in self._reader.entries(after, to=to):
            yield [self._recorded(entry) for entry in page]

    def _recorded(self, entry: Entry) -> Recorded:
        event = self._words.decode(entry.type, entry.schema, entry.data)
        fields = {name: getattr(entry, name) for name in Entry.__struct_fields__}
        return Recorded(**fields, event=event)

    async def read_stream(self, stream: str) -> Sequence[Recorded]:
        return await self.read_streams((stream,))

    async def read_streams(self, streams: Sequence[str]) -> Sequence[Recorded]:
        raise Unavailable(f"an exported file can't be asked for {', '.join(streams)[:200]}")

    def follow(self, after: int = 0) -> AsyncIterator[Sequence[Recorded]]:
        raise Unavailable(f"an exported file has no end that grows, after position {after}")
