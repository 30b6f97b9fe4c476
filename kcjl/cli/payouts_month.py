"""`kcjl payouts month`: what a month was, as it is known now and as it was known then.

A line that comes late changes what March was, and not what was reported for March: both are
printed, side by side. It changes nothing.
Called by `kcjl/cli/payouts.py`.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

import anyio
import msgspec
import typer

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
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse
from kcjl.events import vocabulary
from kcjl.log.postgres import PostgresLogReader
from kcjl.projections.asof import position_at
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.store import PostgresRows
from kcjl.settings import Settings
from kcjl.settlement.account import MonthFigures, month_figures
from kcjl.settlement.projection import LINES_SHOWN

__all__ = ["month", "month_of"]


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """A month by both clocks."""

    known_at: datetime | None
    """None: now."""
    then: MonthFigures
    now: MonthFigures


def month(
    which: Annotated[str, typer.Argument(metavar="MONTH", help="Such as 2026-03.")],
    at: Annotated[
        str,
        typer.Option("--at", help="What was known then: 2026-04-02, 2026-04-02T09:00; UTC."),
    ] = "",
    currency: Annotated[str, typer.Option("--currency", help="Of which lines.")] = "GBP",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What a month was: lines by the day on which their money moved, in London.

    With --at beside it what was known then, and so was reported; the difference came since.

    Example: `kcjl payouts month 2026-03 --at 2026-04-02T09:00`.
    """
    settings = settings_at(config)
    told = moment("--at", at)
    known = anyio.run(
        _reported, settings, merchant_of(settings, merchant), month_of(which), told, currency
    )
    if as_json:
        typer.echo(json_line(known))
        return
    for line in _table(known):
        typer.echo(printable(line))
    since = known.now.total - known.then.total
    typer.echo(
        printable(f"{known.now.total} in {known.now.lines:,} lines; {since} came since"),
        err=True,
    )


def month_of(which: str) -> date:
    """Its first day, from 2026-03. Raises Misuse."""
    try:
        return date.fromisoformat(f"{which}-01")
    except ValueError:
        raise Misuse(f"{which!r} is no month: write it like 2026-03") from None


async def _reported(
    settings: Settings, merchant: str, which: date, at: datetime | None, currency: str
) -> Reported:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        log = PostgresLogReader(database, merchant, vocabulary())
        head = (await log.head()).position
        then = head if at is None else await position_at(log, at)
        figures = []
        async with AsOfDatabase(dsn, merchant, vocabulary(), (LINES_SHOWN,)) as past:
            for position in dict.fromkeys((then, head)):
                await past.move(position)
                rows = await PostgresRows(past, merchant).rows(LINES_SHOWN.name)
                lines = (LINES_SHOWN.entry(row) for _, row in rows)
                figures.append(month_figures(lines, which, currency))
    return Reported(known_at=at, then=figures[0], now=figures[-1])


def _table(known: Reported) -> Iterable[str]:
    then = {each.name: each for each in known.then.by_kind}
    now = {each.name: each for each in known.now.by_kind}
    rows = []
    for name in sorted(then.keys() | now.keys()):
        before = then[name].amount if name in then else "—"
        after = now[name].amount if name in now else "—"
        rows.append((name, str(before), str(after)))
    rows.append(("total", str(known.then.total), str(known.now.total)))
    return table(("type", ">known then", ">known now"), rows)
