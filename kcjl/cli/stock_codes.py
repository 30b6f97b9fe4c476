"""`kcjl stock codes`: offers without a stock code, and stock codes without an offer.

Reads both outside systems itself and writes nothing. Called by `kcjl/cli/stock.py`.
"""

import sys
from enum import StrEnum
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    clock_of,
    database_of,
    json_line,
    merchant_of,
    printable,
    printable_block,
    settings_at,
)
from kcjl.cli.rebuild import Progress
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.projections.stockreading import StockRows
from kcjl.service import outside_of
from kcjl.settings import Settings
from kcjl.stock.sides import OfferAlone, Sides, compare_sides, read_catalogues

__all__ = ["codes"]


class Side(StrEnum):
    """Which of the two lists."""

    OFFERS = "offers"
    ERP = "erp"


def codes(
    side: Annotated[
        Side | None,
        typer.Option(
            "--only",
            help="Only offers without a stock code (offers), or stock codes without an offer "
            "(erp).",
            show_default=False,
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, on stdout.")
    ] = False,
) -> None:
    """SKUs and stock codes that are on one side only, both ways, from a read of both sides.

    Asks the marketplace and the ERP themselves, whether the service runs or not; with a large
    catalogue that takes minutes. A SKU with an alias counts as the code that it stands for.
    Discontinued products, and those without stock control, need no offer and are not named.

    Examples: `kcjl stock codes`, `kcjl stock codes --only offers --json`.
    """
    settings = settings_at(config)
    chosen = merchant_of(settings, merchant)
    found = anyio.run(_compared, settings, chosen)
    if json:
        _tell_json(found, side)
    else:
        _tell(found, side)


async def _compared(settings: Settings, merchant: str) -> Sides:
    progress = Progress(shown=sys.stderr.isatty())
    async with (
        database_of(settings) as dsn,
        clock_of(settings) as clock,
        Database(dsn, role=AUDITOR) as database,
        outside_of(settings, merchant, dsn=dsn, clock=clock) as outside,
    ):
        aliases = await StockRows(database, merchant).aliases()
        try:
            both = await read_catalogues(outside.marketplace, outside.erp, aliases, progress)
        finally:
            progress.end()
    return compare_sides(both, aliases)


def _tell(found: Sides, side: Side | None) -> None:
    if side != Side.ERP:
        rows = [
            (each.sku, f"{each.offered:,}", _proposed(each), each.title)
            for each in found.offers_alone
        ]
        _told(
            f"{len(rows):,} of {found.offers:,} offers have no stock code in the ERP",
            table(("sku", ">offered", "nearest stock codes", "title"), rows),
        )
    if side != Side.OFFERS:
        codes = [(each.stock_code, each.description) for each in found.codes_alone]
        _told(
            f"{len(codes):,} of {found.stock_codes:,} stock codes could be sold and have no "
            "offer",
            table(("stock code", "description"), codes),
        )
    if found.offers_alone and side != Side.ERP:
        typer.echo(
            "next: create the product in the ERP, rename the offer, or say what it stands for: "
            "kcjl stock alias SKU CODE",
            err=True,
        )


def _proposed(alone: OfferAlone) -> str:
    if alone.alias:
        return f"stands for {alone.alias}, which the ERP does not have"
    return "; ".join(f"{near.code} ({near.reason})" for near in alone.nearest) or "none near"


def _told(said: str, lines: list[str]) -> None:
    typer.echo(printable_block(said))
    for line in lines:
        typer.echo(printable(line))
    typer.echo("")


def _tell_json(found: Sides, side: Side | None) -> None:
    if side != Side.ERP:
        for offer in found.offers_alone:
            typer.echo(json_line({"side": "offers", **_fields(offer)}))
    if side != Side.OFFERS:
        for code in found.codes_alone:
            typer.echo(json_line({"side": "erp", **_fields(code)}))


def _fields(row: msgspec.Struct) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}
