"""`kcjl check`: both systems, the settings, the log and the machine, looked at as an audit.

Called by the command line.
"""

import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl import __version__
from kcjl.audit.checking import Audit, Known
from kcjl.audit.findings import Finding, Severity, worst
from kcjl.audit.page import page_of
from kcjl.beside import beside_alone
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    clock_of,
    database_of,
    json_line,
    merchant_of,
    printable,
    settings_at,
)
from kcjl.cli.rebuild import Progress
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, Unavailable
from kcjl.service import outside_alone
from kcjl.settings import Settings

__all__ = ["check"]

EXITS = {Severity.FINE: 0, Severity.NOTE: 0, Severity.WARNING: 1, Severity.FAILURE: 3}


def check(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one page that can be mailed here.")
    ] = None,
    backup: Annotated[
        Path | None,
        typer.Option("--backup", help="The newest backup file: how old it is is looked at."),
    ] = None,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the catalogue, which takes long.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a finding, on stdout.")
    ] = False,
) -> None:
    """Look at both systems, the settings, the log and the machine; change nothing.

    Addresses, clocks and certificates, keys, the tenant's settings against ours, SKUs on one
    side only, listings, prices, couriers without a carrier, what is in the log, payouts, the
    alert channels, Xero where journals go there, disk and backup. Each finding has its remedy.
    Whether a key may write is not tried.

    Exit code 0: fine, or notes; 1: warnings; 3: failures.
    Examples: `kcjl check`, `kcjl check --quick --json`, `kcjl check --html check.html`.
    """
    settings = settings_at(config)
    name = merchant_of(settings, merchant)
    at, found = anyio.run(partial(_looked, settings, name, backup, quick=quick))
    if html is not None:
        try:
            page = page_of(found, merchant=name, version=__version__, at=at)
            html.write_text(page, encoding="utf-8")
        except OSError as error:
            raise Misuse(f"{html} can't be written: {error.strerror}") from None
        typer.echo(printable(f"written to {html}"), err=True)
    if json:
        for each in found:
            line = {"severity_name": each.severity.word, **msgspec.structs.asdict(each)}
            typer.echo(json_line(line))
    else:
        _tell(found)
    raise typer.Exit(EXITS[worst(found)])


async def _looked(
    settings: Settings, merchant: str, backup: Path | None, *, quick: bool
) -> tuple[datetime, list[Finding]]:
    """(when, what was found)."""
    progress = Progress(shown=sys.stderr.isatty())
    async with clock_of(settings) as clock:
        audit = Audit(settings, merchant, clock.now(), progress)
        try:
            await audit.doors()
            try:
                async with (
                    database_of(settings) as dsn,
                    Database(dsn, role=AUDITOR) as database,
                ):
                    known = await Known.of(database, merchant)
                    await audit.log(database)
            except Unavailable as error:
                known = Known.nothing(settings.merchants[merchant])
                audit.not_begun(error.message)
            async with outside_alone(settings, merchant, clock=clock) as (marketplace, erp):
                profile = await audit.marketplace(marketplace)
                if await audit.erp(erp) and erp is not None:
                    await audit.couriers(erp, profile, known)
                    if not quick and profile is not None:
                        await audit.catalogue(marketplace, erp, known)
            mine = settings.merchants[merchant]
            async with beside_alone(mine, clock=clock) as (channels, books):
                await audit.channels(channels)
                await audit.ledger(books)
            audit.machine(backup)
        finally:
            progress.end()
        return clock.now(), audit.found


def _tell(found: list[Finding]) -> None:
    width = max(len(each.area) for each in found)
    for each in sorted(found, key=lambda one: -one.severity):
        typer.echo(printable(f"{each.severity.word:<8} {each.area:<{width}}  {each.said}"))
        for name in each.named if each.severity > Severity.FINE else ():
            typer.echo(printable(f"{'':<{width + 11}}· {name}"))
        if each.left_out:
            typer.echo(printable(f"{'':<{width + 11}}· and {each.left_out:,} more"))
        if each.remedy:
            typer.echo(printable(f"{'':<{width + 11}}→ {each.remedy}"))
    counted = [sum(each.severity == one for each in found) for one in Severity]
    fine, notes, warnings, failures = counted
    typer.echo(
        printable(f"{failures} failures, {warnings} warnings, {notes} notes, {fine} fine"),
        err=True,
    )
