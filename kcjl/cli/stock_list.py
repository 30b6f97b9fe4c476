"""`kcjl stock list`: every product in one line, or those that somebody looks for.

Reads the read models a page at a time and changes nothing. Called by `kcjl/cli/stock.py`.
"""

from collections.abc import Sequence
from decimal import Decimal
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
from kcjl.cli.stock_shown import now_of
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.projections.stockreading import StockRows, stopped
from kcjl.settings import Settings
from kcjl.stock.available import Available
from kcjl.stock.conditions import group_key, worked_out
from kcjl.stock.explained import waits_for
from kcjl.stock.projection import PRODUCTS_SHOWN
from kcjl.stock.state import Match, Product
from kcjl.stock.story import plain

__all__ = ["list_products"]

LINES_MAX = 1_000_000
STATES = ("confirmed", "unmatched", "unasked", "refused")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which products: those for which everything that is given holds."""

    states: tuple[str, ...]
    zero: bool
    stale: bool
    drifted: bool
    held: bool

    def fits(self, row: "Listed") -> bool:
        return (
            (not self.states or row.state in self.states)
            and not (self.zero and row.can_be_sold)
            and not (self.stale and not row.stale)
            and not (self.drifted and not row.drifted)
            and not (self.held and not row.waits_for)
        )


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    rows: Sequence["Listed"]
    """The first so many that match."""
    matching: int
    products: int
    """All that there are."""
    stopped: str
    """Why nothing is published now."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One product in one line."""

    sku: str
    stock_code: str
    state: str
    can_be_sold: int
    shown: int | None
    """All its offers together; None: not known."""
    level: Decimal | None
    """None: none is known."""
    in_flight: int
    stale: bool
    drifted: bool
    waits_for: str
    reason: str


def list_products(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help=f"Only these: {', '.join(STATES)}; several times."),
    ] = None,
    *,
    zero: Annotated[bool, typer.Option("--zero", help="Only what can't be sold now.")] = False,
    stale: Annotated[
        bool, typer.Option("--stale", help="Only what is low because the feed is stale.")
    ] = False,
    drifted: Annotated[
        bool, typer.Option("--drifted", help="Only what was found to show another figure.")
    ] = False,
    held: Annotated[
        bool,
        typer.Option("--held", help="Only offers that get no figure: refused, parked, gone."),
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=LINES_MAX, help="So many at most.")
    ] = 200,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, on stdout.")
    ] = False,
) -> None:
    """Every product in one line: what can be sold, what is shown, and what is in the way.

    States: confirmed (the ERP knows it), unmatched (it does not: offered at 0), unasked (not
    asked yet), refused (the marketplace refused the last figure). Filters add up.

    Examples: `kcjl stock list --state unmatched`, `kcjl stock list --zero --json`,
    `kcjl stock list --held`.
    """
    for each in state or ():
        if each not in STATES:
            raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    asked = Asked(states=tuple(state or ()), zero=zero, stale=stale, drifted=drifted, held=held)
    settings = settings_at(config)
    found = anyio.run(_listed, settings, merchant_of(settings, merchant), asked, lines)
    if json:
        for row in found.rows:
            typer.echo(json_line(row))
    else:
        for line in _table(found.rows):
            typer.echo(printable(line))
    more = found.matching > lines
    cut = f"; the first {lines:,} are shown, --lines shows more" if more else ""
    typer.echo(printable(f"{found.matching:,} of {found.products:,} products{cut}"), err=True)
    if found.stopped:
        typer.echo(printable(f"nothing is published now: {found.stopped}"), err=True)


async def _listed(settings: Settings, merchant: str, asked: Asked, lines: int) -> Found:
    found: list[Listed] = []
    matching = 0
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        rows = StockRows(database, merchant)
        position = await rows.position()
        queries = PostgresQueries(database, merchant, vocabulary())
        now = await now_of(settings, database, merchant)
        conditions = await rows.conditions(queries, to=position, at=now)
        products = [each async for page in rows.products() for each in page]
        why_stopped = await stopped(queries, to=position)
    shared: dict[str, list[Product]] = {}
    for product in products:
        shared.setdefault(group_key(product), []).append(product)
    for product in products:
        row = _row(product, worked_out(shared[group_key(product)], conditions))
        if asked.fits(row):
            matching += 1
            if len(found) < lines:
                found.append(row)
    return Found(rows=found, matching=matching, products=len(products), stopped=why_stopped)


def _row(product: Product, available: Available) -> Listed:
    """`available`: what all products of its stock code share."""
    known = [each.quantity for each in product.shown if each.quantity is not None]
    in_the_way = [said for each in product.shown if (said := waits_for(each))]
    unasked = product.match == Match.UNASKED
    return Listed(
        sku=product.sku,
        stock_code=product.stock_code,
        state=PRODUCTS_SHOWN.state_of(product),
        can_be_sold=0 if unasked else available.quantity,
        shown=sum(known) if known and len(known) == len(product.shown) else None,
        level=None if product.levels is None else product.level,
        in_flight=product.units_in_flight,
        stale=any(each.withheld for each in product.shown),
        drifted=any(each.drifted for each in product.shown),
        waits_for="; ".join(in_the_way),
        reason="the ERP has not been asked yet" if unasked else available.reason,
    )


def _table(rows: Sequence[Listed]) -> list[str]:
    return table(
        (
            "sku",
            "stock code",
            "state",
            ">can be sold",
            ">shown",
            ">level",
            ">in flight",
            "note",
        ),
        [
            (
                row.sku,
                row.stock_code or "—",
                row.state,
                f"{row.can_be_sold:,}",
                "?" if row.shown is None else f"{row.shown:,}",
                "—" if row.level is None else plain(row.level),
                f"{row.in_flight:,}",
                "; ".join(each for each in (row.reason, row.waits_for) if each),
            )
            for row in rows
        ],
    )
