"""`kcjl orders list`: orders in one line each, the one that is soonest too late first.

Reads the read models a page at a time and changes nothing. Called by `kcjl/cli/orders.py`.
"""

from collections.abc import Sequence
from datetime import datetime
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
from kcjl.cli.stock_shown import now_of
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.orders.decide import deadline_of, standing
from kcjl.orders.state import OrderEntry, Standing
from kcjl.projections.orderreading import OrderRows
from kcjl.projections.ordersview import OPEN, order_row
from kcjl.readmodels_orders import OrderRow
from kcjl.settings import Settings
from kcjl.stock.events import stock_key

__all__ = ["list_orders"]

LINES_MAX = 1_000_000
STATES = tuple(each.value for each in Standing)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders: those for which everything that is given holds."""

    states: tuple[str, ...]
    late: bool
    sku: str
    above: Money | None
    since: datetime | None

    def fits(self, entry: OrderEntry, now: datetime) -> bool:
        total = entry.total_price
        return (
            (not self.late or (standing(entry).value in OPEN and deadline_of(entry) < now))
            and (not self.sku or any(stock_key(e.sku) == self.sku for e in entry.lines))
            and (
                self.above is None
                or (total.currency == self.above.currency and total > self.above)
            )
            and (self.since is None or entry.created_at >= self.since)
        )


def list_orders(
    *,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help=f"Only these: {', '.join(STATES)}; several times."),
    ] = None,
    held: Annotated[bool, typer.Option("--held", help="Only what is held.")] = False,
    late: Annotated[
        bool, typer.Option("--late", help="Only what is past its deadline and not done.")
    ] = False,
    sku: Annotated[str, typer.Option("--sku", help="Only orders of this SKU.")] = "",
    above: Annotated[
        str, typer.Option("--above", help="Only orders worth more, e.g. 250 or 99.50.")
    ] = "",
    currency: Annotated[str, typer.Option("--currency", help="Of --above.")] = "GBP",
    since: Annotated[
        str, typer.Option("--since", help="Placed then or later: 2026-10-01; UTC if not said.")
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Ended ones, too.")] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=LINES_MAX, help="So many at most.")
    ] = 200,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, on stdout.")
    ] = False,
) -> None:
    """Orders that somebody or something is waited for, soonest deadline first. Filters add up.

    Examples: `kcjl orders list --held`, `kcjl orders list --late --above 100`,
    `kcjl orders list --state posting --sku 85123A --json`.
    """
    for each in state or ():
        if each not in STATES:
            raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    states = tuple(state or ())
    if held:
        states = (*states, Standing.HELD.value)
    if not states and not every:
        states = OPEN
    asked = Asked(
        states=states,
        late=late,
        sku=stock_key(sku) if sku else "",
        above=_amount(above, currency),
        since=moment("--since", since),
    )
    settings = settings_at(config)
    rows, matching = anyio.run(_listed, settings, merchant_of(settings, merchant), asked, lines)
    if json:
        for row in rows:
            typer.echo(json_line(row))
    else:
        for line in _table(rows):
            typer.echo(printable(line))
    cut = f"; the first {lines:,} are shown, --lines shows more" if matching > lines else ""
    typer.echo(printable(f"{matching:,} orders{cut}"), err=True)


def _amount(above: str, currency: str) -> Money | None:
    if not above:
        return None
    try:
        return Money.parse(above, currency)
    except Misuse as error:
        raise Misuse(f"--above: {error.message}: write it like 250 or 99.50") from None


async def _listed(
    settings: Settings, merchant: str, asked: Asked, lines: int
) -> tuple[list[OrderRow], int]:
    """(the first so many that match, how many match)."""
    found: list[OrderEntry] = []
    matching = 0
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        now = await now_of(settings, database, merchant)
        async for page in OrderRows(database, merchant).orders(asked.states):
            fitting = [entry for entry in page if asked.fits(entry, now)]
            matching += len(fitting)
            found = sorted((*found, *fitting), key=_soonest)[:lines]
    return [order_row(entry, now) for entry in found], matching


def _soonest(entry: OrderEntry) -> tuple[datetime, datetime, str]:
    return (deadline_of(entry), entry.created_at, entry.order_id)


def _table(rows: Sequence[OrderRow]) -> list[str]:
    return table(
        ("order", "standing", "deadline", ">total", "skus", "ERP order", "note"),
        [
            (
                row.order_id,
                row.standing,
                f"{row.deadline:%Y-%m-%d %H:%M}Z" if row.deadline else "—",
                str(row.total),
                ", ".join(row.skus),
                row.erp_order_code or "—",
                "; ".join(filter(None, ("LATE" if row.late else "", row.held))),
            )
            for row in rows
        ],
    )
