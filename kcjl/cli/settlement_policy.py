"""`kcjl settlement account` and `terms`: the account map, and what the operator may charge.

Policy is history: each change is an event with your name, carried out by the service. A preview
reads, and changes nothing. Called by `main.py`.
"""

from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.asking import answered, ask
from kcjl.cli.payouts_shown import entry_lines
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
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, NotFound
from kcjl.events import vocabulary
from kcjl.log.port import Recorded, Selection
from kcjl.log.queries import PostgresQueries
from kcjl.projections.payoutreading import PayoutRows
from kcjl.settings import Settings
from kcjl.settlement.accounts import with_accounts
from kcjl.settlement.events import AccountMapSet, JournalIntended
from kcjl.settlement.journal import previewed
from kcjl.settlement.state import ACCOUNTS, Accounts
from kcjl.settlement.terms import read_terms, written_terms
from kcjl.settlement.terms_events import CommissionTermsSet

__all__ = ["app"]

app = typer.Typer(help="Settlement policy.", no_args_is_help=True)
terms = typer.Typer(
    help="The commission terms: what the operator may charge, by category and time.",
    no_args_is_help=True,
)
app.add_typer(terms, name="terms")


@app.callback()
def _group() -> None:
    """Policy is history: each change is an event with your name."""


@app.command("account")
def account(
    role: Annotated[
        str,
        typer.Argument(help="bank, clearing, commission, refunds, …, or a transaction type."),
    ],
    nominal: Annotated[str, typer.Argument(help="The nominal account.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show the last payout's journal with it.")
    ] = False,
) -> None:
    """Name the nominal account of a role in the payout journal, from now on.

    Example: `kcjl settlement account commission 7105 --preview`.
    """
    if not preview:
        ask(config, merchant, "set-accounts", {role: nominal})
        return
    settings = settings_at(config)
    found = anyio.run(_previewed, settings, merchant_of(settings, merchant), {role: nominal})
    for line in entry_lines(found):
        typer.echo(printable(line))
    typer.echo("nothing was changed: this is the last payout's journal with it", err=True)


async def _previewed(
    settings: Settings, merchant: str, named: dict[str, str]
) -> JournalIntended:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        rows = PayoutRows(database, merchant)
        closed = [each for each in await rows.payouts() if each.closed is not None]
        if not closed:
            raise NotFound("no payout is closed yet: there is no journal to preview it on")
        lines = await rows.lines_of(closed[-1].cycle_id)
        known: Accounts | None = None
        for each in await _said(database, merchant, "settlement-policy"):
            if isinstance(each.event, AccountMapSet):
                known = ACCOUNTS.evolve(known, each.event, "accounts")
    return previewed(closed[-1], lines, with_accounts(known, named))


@terms.command("set")
def set_terms(
    file: Annotated[Path, typer.Argument(help="The terms, a TOML file.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Set the commission terms, from now on. `show` writes those in force, to be edited.

    Payouts that are closed keep the gaps that were found by the terms of their day.

    Example: `kcjl settlement terms set contract.toml --reason "as signed in March"`.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} can't be read as commission terms: {error}") from None
    read_terms(text)  # a slip is told at once, whether the service runs or not
    arguments = {"document": text, "reason": reason}
    typer.echo(
        printable_block(answered(config, merchant, "commission-terms-set", arguments)), err=True
    )


@terms.command("show")
def show_terms(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    history: Annotated[bool, typer.Option("--history", help="All, oldest first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a version.")] = False,
) -> None:
    """The commission terms in force, as they are written; who set them, when and why.

    Example: `kcjl settlement terms show > contract.toml`.
    """
    settings = settings_at(config)
    found = anyio.run(_terms, settings, merchant_of(settings, merchant))
    if not found:
        raise NotFound(
            "there are no commission terms yet: fees are held against what each order states; "
            "kcjl settlement terms set FILE --reason WHY"
        )
    for each in found if history else found[-1:]:
        event = each.event
        if not isinstance(event, CommissionTermsSet):
            continue
        if as_json:
            fields = {"by": each.by, **msgspec.structs.asdict(event)}
            typer.echo(json_line(fields))
            continue
        since = clock(event.occurred_at)
        typer.echo(
            printable(f"# version {event.version}, by {each.by}, {since}: {event.reason}"),
            err=True,
        )
        typer.echo(printable_block(written_terms(event.terms)))


async def _terms(settings: Settings, merchant: str) -> list[Recorded]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        return await _said(database, merchant, "settlement-terms")


async def _said(database: Database, merchant: str, stream: str) -> list[Recorded]:
    queries = PostgresQueries(database, merchant, vocabulary())
    return [each async for page in queries.select(Selection(stream=stream)) for each in page]
