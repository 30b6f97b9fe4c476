"""`kcjl payouts explain`: a penny's way, from the payout to the journal.

Promises: see `kcjl/projections/pennies.py`. It changes nothing.
Called by `kcjl/cli/payouts.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import anyio
import msgspec
import typer

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
from kcjl.database import AUDITOR, Database
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.projections.orderreading import OrderRows
from kcjl.projections.payoutreading import PayoutRows
from kcjl.projections.pennies import Pennies
from kcjl.readmodels_money import PennyWay
from kcjl.settings import Settings
from kcjl.settlement.account import AccountLine, account_of

__all__ = ["explain"]

LINES_MAX = 100_000


def explain(
    payout: Annotated[
        str,
        typer.Argument(help="Its cycle, voucher or bank reference, or one of its journals."),
    ],
    line: Annotated[
        list[str] | None,
        typer.Option("--line", help="Only this transaction line; several times."),
    ] = None,
    order: Annotated[str, typer.Option("--order", help="Only lines of this order.")] = "",
    account: Annotated[str, typer.Option("--account", help="Only lines booked to it.")] = "",
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=LINES_MAX, help="So many at most.")
    ] = 20,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Where each penny of a payout comes from, and where it is booked.

    Examples: `kcjl payouts explain BACS-889117 --order 700123456-A`,
    `kcjl payouts explain JL-0123456789AB --account "Marketplace Commission" --json`.
    """
    asked = Asked(payout=payout, lines=tuple(line or ()), order=order, account=account)
    settings = settings_at(config)
    chains, matching = anyio.run(
        _explained, settings, merchant_of(settings, merchant), asked, lines
    )
    for each in chains:
        if json:
            typer.echo(json_line(each))
            continue
        for text in _text(each):
            typer.echo(printable(text))
    cut = f"; the first {lines:,} are shown, --lines shows more" if matching > lines else ""
    typer.echo(printable(f"{matching:,} lines{cut}"), err=True)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of which payout."""

    payout: str
    lines: tuple[str, ...]
    order: str
    account: str

    def wants(self, line: AccountLine) -> bool:
        return (
            (not self.lines or line.seen.line_id in self.lines)
            and (not self.order or line.seen.order_id == self.order)
            and (not self.account or line.account == self.account)
        )


async def _explained(
    settings: Settings, merchant: str, asked: Asked, most: int
) -> tuple[Sequence[PennyWay], int]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        rows = PayoutRows(database, merchant)
        cycle = await rows.payout(asked.payout)
        log = PostgresQueries(database, merchant, vocabulary())
        lines = await rows.lines_of(cycle.cycle_id)
        found = [each for each in account_of(cycle, lines).lines if asked.wants(each)]
        if not found:
            raise NotFound(
                f"payout {cycle.cycle_id} has no such line: `kcjl payouts show {asked.payout} "
                "--json` names them all"
            )
        pennies = Pennies(rows, OrderRows(database, merchant), log)
        return await pennies.ways(cycle, found[:most]), len(found)


def _text(chain: PennyWay) -> Iterator[str]:
    yield f"{chain.line_id}: {chain.amount}"
    for depth, step in enumerate(chain.steps):
        yield f"{'  ' * depth}└ {step.at} {step.name}: {step.said}"
    yield ""
