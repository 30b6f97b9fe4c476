"""`kcjl exceptions …`: the desk, read: what is open, most urgent first; one, whole; the words.

Data to stdout, talk to stderr. A list that is cut says of how many it is a part, and what they
come to in all. Called by `main.py`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import anyio
import typer

from kcjl.cli import exceptions_acting, exceptions_rules
from kcjl.cli.exceptions_meant import Above, Kind, Lane, Owner, Since, Subject, wanted_of
from kcjl.cli.exceptions_shown import desk_table, told_whole
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
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, NotFound
from kcjl.projections.deskreading import ANY_STATE, DeskRows

__all__ = ["app", "list_exceptions", "show"]

STATES = ("open", "parked", "accepted", "cleared", ANY_STATE)
T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object an exception.")]

app = typer.Typer(help="The exceptions desk: what went wrong, and what people say of it.")
for _verb in (
    exceptions_acting.assign,
    exceptions_acting.note,
    exceptions_acting.retry,
    exceptions_acting.park,
    exceptions_acting.accept,
):
    app.command(_verb.__name__)(_verb)
app.add_typer(exceptions_rules.app, name="rules")


@app.command("list")
def list_exceptions(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    kind: Kind = "",
    lane: Lane = "",
    owner: Owner = "",
    subject: Subject = "",
    since: Since = "",
    above: Above = "",
    state: Annotated[
        str, typer.Option("--state", help="open, parked, accepted, cleared or all.")
    ] = "open",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=10_000)] = 40,
    as_json: AsJson = False,
) -> None:
    """What is open, most urgent first: by deadline, then severity, then money, then age.

    Many of one kind at once are a storm, and one line; --kind opens it out.

    Examples: `kcjl exceptions list --owner finance`, `kcjl exceptions list --kind order_held`.
    """
    if state not in STATES:
        raise Misuse(f"--state {state!r} is none of {', '.join(STATES)}")
    wanted = wanted_of(kind, lane, owner, subject, since, above)

    async def read(rows: DeskRows, now: datetime) -> None:
        found = await rows.list(wanted, state=state, limit=lines)
        shown = (
            [json_line(row) for row in found.rows]
            if as_json
            else map(printable, desk_table(found.rows, now))
        )
        for line in shown:
            typer.echo(line)
        money = ", ".join(map(str, found.money)) or "no money"
        part = "" if found.shown == found.total else f"; shown are {found.shown:,} of them"
        which = "" if state == ANY_STATE else f"{state} "
        what = "exception" if found.total == 1 else "exceptions"
        typer.echo(printable(f"{found.total:,} {which}{what}, {money} at risk{part}"), err=True)

    _read(config, merchant, read)


@app.command("show")
def show(
    exception: Annotated[str, typer.Argument(help="Its id: KIND:SUBJECT, as the list has it.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """One exception, whole: what holds, what clears it, what to type, and what was said of it.

    Example: `kcjl exceptions show posting_refused:700123456-A`.
    """

    async def read(rows: DeskRows, now: datetime) -> None:
        life = await rows.one(exception)
        if life is None:
            raise NotFound(
                f"there was never an exception {exception!r}: see `kcjl exceptions list`"
            )
        if as_json:
            typer.echo(json_line(life))
            return
        for line in told_whole(life, now):
            typer.echo(printable(line))

    _read(config, merchant, read)


def _read(config: Path, merchant: str, ask: Callable[[DeskRows, datetime], Awaitable[T]]) -> T:
    settings = settings_at(config)

    async def read() -> T:
        async with (
            database_of(settings) as dsn,
            clock_of(settings) as clock,
            Database(dsn, role=AUDITOR) as database,
        ):
            rows = DeskRows(database, merchant_of(settings, merchant))
            return await ask(rows, clock.now())

    return anyio.run(read)
