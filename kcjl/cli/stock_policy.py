"""`kcjl stock policy preview | propose | approve | show | history`: how much is held back.

Preview, show and history read; propose and approve are put into the service's queue and stand
in the log with the name of whoever said it. Called by `kcjl/cli/stock.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.asking import ask
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
from kcjl.cli.stock_shown import clock, now_of
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, NotFound
from kcjl.events import vocabulary
from kcjl.log.port import Recorded, Selection
from kcjl.log.queries import PostgresQueries
from kcjl.projections.stockreading import StockRows
from kcjl.settings import Settings
from kcjl.stock.policy import PolicyDocument, read_document, written
from kcjl.stock.policy_book import PolicyBook
from kcjl.stock.preview import Change, Preview, preview_of
from kcjl.stock.story import sentence

__all__ = ["app"]

app = typer.Typer(
    help="The stock policy: buffers, caps and multiples, by SKU, category and season.",
    no_args_is_help=True,
)
File = Annotated[Path, typer.Argument(help="The policy, a TOML file.")]
Json = Annotated[bool, typer.Option("--json", help="JSON, one object a line, on stdout.")]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} can't be read as a stock policy: {error}") from None


@app.command()
def preview(
    file: File,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="So many at most.")] = 50,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Json = False,
) -> None:
    """What a policy would change, SKU by SKU, if it were in force now. Nothing is changed.

    The largest changes come first, each with the terms that differ. The lag and the selling
    speeds are those of now. A rule that names a SKU or a category which no offer has is told.

    Example: `kcjl stock policy preview christmas.toml`.
    """
    document = read_document(_read(file))
    settings = settings_at(config)
    found = anyio.run(_previewed, settings, merchant_of(settings, merchant), document)
    if json:
        for change in found.changes:
            typer.echo(json_line(change))
    else:
        for line in table(
            ("sku", ">now", ">then", "because"),
            [_changed(change) for change in found.changes[:lines]],
        ):
            typer.echo(printable(line))
    more = len(found.changes) - lines
    cut = f"; {more:,} more, --lines shows them" if more > 0 and not json else ""
    typer.echo(
        printable(
            f"{len(found.changes):,} of {found.products:,} products change{cut}; units "
            f"offered: {found.units_now:,} now, {found.units_then:,} then"
        ),
        err=True,
    )
    for each in found.unmet:
        typer.echo(printable(each), err=True)


def _changed(change: Change) -> tuple[str, str, str, str]:
    return (change.sku, f"{change.now:,}", f"{change.then:,}", "; ".join(change.terms))


async def _previewed(settings: Settings, merchant: str, document: PolicyDocument) -> Preview:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        rows = StockRows(database, merchant)
        queries = PostgresQueries(database, merchant, vocabulary())
        products = [each async for page in rows.products() for each in page]
        now = await now_of(settings, database, merchant)
        conditions = await rows.conditions(queries, to=await rows.position(), at=now)
    return preview_of(products, conditions, document)


@app.command()
def propose(file: File, config: Config = DEFAULT_CONFIG, merchant: Merchant = "") -> None:
    """Propose a policy. It changes nothing until a person approves it.

    A proposal that waits gives way to a newer one. `preview` first says what would change.

    Example: `kcjl stock policy propose christmas.toml`.
    """
    text = _read(file)
    read_document(text)  # a slip is told at once, whether the service runs or not
    ask(config, merchant, "stock-policy-propose", {"document": text})


@app.command()
def approve(
    version: Annotated[int, typer.Argument(min=1, help="The version that was proposed.")],
    note: Annotated[str, typer.Option("--note", help="Why; it stands in the log.")] = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Approve the policy that is proposed: from now on, or from the day that it names.

    Example: `kcjl stock policy approve 3 --note "agreed with the warehouse"`.
    """
    ask(config, merchant, "stock-policy-approve", {"version": str(version), "note": note})


@app.command()
def show(
    config: Config = DEFAULT_CONFIG, merchant: Merchant = "", *, json: Json = False
) -> None:
    """The policy in force, the ones to come, and what waits for approval, as they are written.

    Example: `kcjl stock policy show > policy.toml` writes the policy in force.
    """
    settings = settings_at(config)
    book, now = anyio.run(_book, settings, merchant_of(settings, merchant))
    if json:
        typer.echo(json_line(book))
        return
    current = book.in_force(now)
    if current is None and book.proposed is None:
        raise NotFound("there is no stock policy yet: `kcjl run` opens one when it begins")
    if current is not None:
        since = clock(current.valid_from)
        typer.echo(printable(f"# version {current.version}, in force since {since}"), err=True)
        typer.echo(printable_block(written(current.document)))
    for each in book.approved:
        if each.valid_from > now:
            typer.echo(
                printable(f"# version {each.version}, from {clock(each.valid_from)}"), err=True
            )
            typer.echo(printable_block(written(each.document)), err=True)
    if book.proposed is not None:
        version = book.proposed_version
        typer.echo(
            printable(f"# version {version} waits: kcjl stock policy approve {version}"),
            err=True,
        )
        typer.echo(printable_block(written(book.proposed)), err=True)


async def _book(settings: Settings, merchant: str) -> tuple[PolicyBook, datetime]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        queries = PostgresQueries(database, merchant, vocabulary())
        book = await StockRows(database, merchant).book(queries)
        return book, await now_of(settings, database, merchant)


@app.command()
def history(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Json = False,
) -> None:
    """Who proposed and approved which policy, and when; oldest first.

    Example: `kcjl stock policy history`.
    """
    settings = settings_at(config)
    events = anyio.run(_history, settings, merchant_of(settings, merchant))
    if json:
        for each in events:
            fields = {
                "position": each.position,
                "recorded_at": each.recorded_at,
                "by": each.by,
                "type": each.type,
                "data": msgspec.Raw(each.data),
            }
            typer.echo(json_line(fields))
        return
    rows = [
        (str(each.position), clock(each.recorded_at), sentence(each, frozenset()))
        for each in events
    ]
    for line in table(("#", "learnt", "what happened"), rows):
        typer.echo(printable(line))


async def _history(settings: Settings, merchant: str) -> Sequence[Recorded]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        queries = PostgresQueries(database, merchant, vocabulary())
        asked = Selection(stream="stock-policy")
        return [each async for page in queries.select(asked) for each in page]
