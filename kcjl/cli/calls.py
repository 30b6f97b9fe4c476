"""`kcjl calls`, `kcjl calls summary | surprises`: reading the sync log.

Promises: each call to either side as it was noted, oldest first; what is missing is said. It
changes nothing. Data to stdout, talk to stderr. Called by `kcjl/cli/main.py`.
"""

import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated

import anyio
import typer

from kcjl.calls.port import ROWS_MAX, Asked, CallOutcome, Kept, OperationSummary, Side, Surprise
from kcjl.calls.postgres import PostgresCalls
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
from kcjl.clock import real_sleep
from kcjl.database import AUDITOR, Database
from kcjl.errors import Unavailable
from kcjl.settings import Settings

__all__ = ["app"]

LOOK_EVERY_S = 1.0
"""The service keeps its notes about once a second."""

app = typer.Typer()
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, on stdout.")]
WhichSide = Annotated[
    Side | None, typer.Option("--side", help="Only calls to this side.", show_default=False)
]
Operation = Annotated[
    str, typer.Option("--operation", "-o", help="Only this operation, e.g. OR11, ImportOrders.")
]
Outcome = Annotated[
    CallOutcome | None,
    typer.Option("--outcome", help="Only calls that ended so.", show_default=False),
]
Since = Annotated[
    str,
    typer.Option(
        "--since", help="Then or later: 2026-10-01, 2026-10-01T14:03; UTC if not said."
    ),
]
Subject = Annotated[
    str, typer.Option("--subject", "-s", help="Only about this, e.g. a part of an order's id.")
]


@app.callback(invoke_without_command=True)
def calls(
    *,
    context: typer.Context,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=ROWS_MAX)] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as calls are made; Ctrl-C ends it.")
    ] = False,
    side: WhichSide = None,
    operation: Operation = "",
    outcome: Outcome = None,
    since: Since = "",
    subject: Subject = "",
    json: Json = False,
) -> None:
    """The sync log: each call to the marketplace and to the ERP, apart from the event log.

    Without a verb: the newest calls, or the newest of those that are asked for, oldest first.
    """
    if context.invoked_subcommand is not None:
        return
    asked = Asked(
        side=side,
        operation=operation,
        outcome=outcome,
        since=moment("--since", since),
        subject=subject,
    )

    async def show(calls: PostgresCalls) -> None:
        found = await calls.newest(asked, lines)
        _print_calls(found, json=json)
        if not follow:
            if len(found) == lines:
                typer.echo(printable(f"the newest {lines:,}; --lines shows more"), err=True)
            return
        last = found[-1].number if found else 0
        while True:
            await real_sleep(LOOK_EVERY_S)
            while page := await calls.after(last, asked, ROWS_MAX):
                _print_calls(page, json=json)
                last = page[-1].number

    _run(config, merchant, show)


@app.command()
def summary(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    side: WhichSide = None,
    since: Since = "",
    *,
    json: Json = False,
) -> None:
    """By operation: how many calls, how many went wrong, how long they took, how much came."""
    asked = Asked(side=side, since=moment("--since", since))

    async def show(calls: PostgresCalls) -> None:
        rows = await calls.summary(asked)
        if json:
            _print_json(rows)
            return
        if rows:
            _say(
                f"{'side':<10} {'operation':<20} {'calls':>8} {'errors':>7} {'p50 ms':>7} "
                f"{'p95 ms':>7} {'sent':>9} {'received':>9}  last"
            )
        for row in rows:
            _say(
                f"{row.side:<10} {row.operation:<20} {row.calls:>8,} {row.errors:>7,} "
                f"{row.took_ms_p50:>7,} {row.took_ms_p95:>7,} {_size(row.bytes_sent):>9} "
                f"{_size(row.bytes_received):>9}  {row.last_at:%Y-%m-%d %H:%M:%S}Z"
            )
        if lost := sum(row.lost for row in rows):
            typer.echo(printable(f"{lost:,} more calls could not be kept"), err=True)

    _run(config, merchant, show)


@app.command()
def surprises(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Json = False,
) -> None:
    """Fields, and words in fields, that the marketplace sends and kcjl does not know."""

    async def show(calls: PostgresCalls) -> None:
        rows = await calls.surprises()
        if json:
            _print_json(rows)
            return
        for row in rows:
            _say(
                f"{row.operation:<8} {row.kind:<6} {row.field:<50} {row.count:>8,}  "
                f"{row.first_seen_at:%Y-%m-%d} to {row.last_seen_at:%Y-%m-%d}"
            )
        if not rows:
            typer.echo("none: all that came is known", err=True)

    _run(config, merchant, show)


def _run(config: Path, merchant: str, show: Callable[[PostgresCalls], Awaitable[None]]) -> None:
    settings = settings_at(config)
    anyio.run(_shown, settings, merchant_of(settings, merchant), show)


async def _shown(
    settings: Settings, merchant: str, show: Callable[[PostgresCalls], Awaitable[None]]
) -> None:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        if await database.fetchval("select to_regclass('sync_log')") is None:
            raise Unavailable("the database has no sync log yet: `kcjl run` makes it")
        await show(PostgresCalls(database, merchant))


def _print_calls(found: Iterable[Kept], *, json: bool) -> None:
    for kept in found:
        call = kept.call
        if json:
            fields = {name: getattr(call, name) for name in call.__struct_fields__}
            sys.stdout.write(json_line({"number": kept.number, **fields}) + "\n")
            continue
        if call.lost_before:
            typer.echo(
                printable(f"{call.lost_before:,} calls could not be kept here"), err=True
            )
        page = f" page {call.page}" if call.page > 1 else ""
        why = f" {call.reason_code}" if call.reason_code else ""
        _say(
            f"{call.attempted_at:%Y-%m-%d %H:%M:%S}Z  {call.side:<10} {call.operation:<20} "
            f"{call.outcome:<12} {call.status or '-':>3} {call.took_ms:>7,} ms "
            f"{_size(call.bytes_sent):>8} > {_size(call.bytes_received):>8}  "
            f"{call.subject}{page}{why}"
        )
    sys.stdout.flush()


def _print_json(rows: Iterable[OperationSummary | Surprise]) -> None:
    for row in rows:
        sys.stdout.write(json_line(row) + "\n")


def _say(line: str) -> None:
    sys.stdout.write(printable(line.rstrip()) + "\n")


def _size(count: int) -> str:
    """Bytes, for people.

    >>> _size(0), _size(1_500), _size(12_000_000)
    ('-', '1.5 kB', '12.0 MB')
    """
    if count == 0:
        return "-"
    for unit, bytes_of in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= bytes_of:
            return f"{count / bytes_of:,.1f} {unit}"
    return f"{count} B"
