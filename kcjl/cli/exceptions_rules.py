"""`kcjl exceptions rules show | set | preview`: whose exceptions are, as policy.

The rules are events: who set them, when, and why; each exception names the version by which it
got its owner. Called by `kcjl/cli/exceptions.py`.
"""

from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.asking import answered
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    json_line,
    merchant_of,
    printable,
    printable_block,
    settings_at,
)
from kcjl.cli.stock_shown import clock
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, NotFound
from kcjl.events import vocabulary
from kcjl.exceptions.desk_events import RoutingRulesSet
from kcjl.exceptions.routing import Moved, read_rules, written_rules
from kcjl.log.port import Recorded, Selection
from kcjl.log.queries import PostgresQueries
from kcjl.settings import Settings

__all__ = ["app", "preview_rules", "set_rules", "show_rules"]

app = typer.Typer(help="Routing rules: whose which exceptions are.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The rules, a TOML file.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]


@app.command("set")
def set_rules(
    file: File,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Set the routing rules, from now on; open exceptions keep their owners.

    Example: `kcjl exceptions rules set routing.toml --reason "jo has the sofas"`.
    """
    text = _text_of(file)
    read_rules(text)  # a slip is told at once, whether the service runs or not
    arguments = {"document": text, "reason": reason}
    typer.echo(
        printable_block(answered(config, merchant, "exception-rules-set", arguments)), err=True
    )


@app.command("show")
def show_rules(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    history: Annotated[bool, typer.Option("--history", help="All, oldest first.")] = False,
    as_json: AsJson = False,
) -> None:
    """The rules in force, as they are written; who set them, when and why.

    Example: `kcjl exceptions rules show > routing.toml`.
    """
    settings = settings_at(config)
    found = anyio.run(_versions, settings, merchant_of(settings, merchant))
    if not found:
        raise NotFound("no routing rules are set: each kind has its own owner until then")
    for each in found if history else found[-1:]:
        event = each.event
        if not isinstance(event, RoutingRulesSet):
            continue
        if as_json:
            fields = {
                "version": event.version,
                "by": each.by,
                "occurred_at": event.occurred_at,
                "reason": event.reason,
                "rules": event.rules,
            }
            typer.echo(json_line(fields))
            continue
        said = f"# version {event.version}, by {each.by}, since {clock(event.occurred_at)}"
        why = f": {event.reason}" if event.reason else ""
        typer.echo(printable(said + why), err=True)
        typer.echo(printable_block(written_rules(event.rules)))


@app.command("preview")
def preview_rules(
    file: File,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Whose the open exceptions would be by these rules; nothing is changed.

    Example: `kcjl exceptions rules preview routing.toml`.
    """
    text = _text_of(file)
    read_rules(text)
    said = answered(config, merchant, "exception-rules-preview", {"document": text})
    if as_json:
        typer.echo(printable_block(said))
        return
    found = msgspec.json.decode(said, type=list[Moved])
    rows = [
        (each.kind, each.rule or "-", each.before, each.after, f"{each.exceptions:,}")
        for each in found
    ]
    for line in table(("kind", "rule", "now", "by these rules", ">open"), rows):
        typer.echo(printable(line))
    moved = sum(each.exceptions for each in found if each.before != each.after)
    total = sum(each.exceptions for each in found)
    typer.echo(
        printable(f"{moved:,} of {total:,} open exceptions would be another's"), err=True
    )


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} can't be read as routing rules: {error}") from None


async def _versions(settings: Settings, merchant: str) -> list[Recorded]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        queries = PostgresQueries(database, merchant, vocabulary())
        asked = Selection(stream="exception-rules")
        return [each async for page in queries.select(asked) for each in page]
