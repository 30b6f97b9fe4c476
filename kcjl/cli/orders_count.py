"""`kcjl orders count` and `done`: what the two sides lack, and what a person has put right.

Both are commands: they are put into the service's queue and carried out by it. Figures go to
stdout; a difference is exit code 1. Called by `kcjl/cli/orders.py`.
"""

from typing import Annotated

import msgspec
import typer

from kcjl.cli.asking import answered, ask
from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant, printable
from kcjl.cli.tables import table
from kcjl.orders.events_intake import OrdersCounted, SideCounted
from kcjl.unseen import json_spelt_out

__all__ = ["count", "done"]

COUNT_S = 900.0
"""A count asks both sides for everything; an export alone may take minutes."""


def count(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Annotated[
        bool, typer.Option("--json", help="The figures as one JSON object, on stdout.")
    ] = False,
) -> None:
    """Count orders and sales orders against each other, now; the service does it daily.

    Orders at the marketplace that need a sales order and have none in the ERP, and sales orders
    of ours that no order stands for: each is an exception with its money, and clears by itself
    when a later count does not find it. Exit code 1 when there are any.

    Examples: `kcjl orders count`, `kcjl orders count --json`.
    """
    message = answered(config, merchant, "count-orders", {}, within_s=COUNT_S)
    counted = msgspec.json.decode(message, type=OrdersCounted)
    if json:
        typer.echo(json_spelt_out(message))
    else:
        for line in _figures(counted):
            typer.echo(printable(line))
    typer.echo(printable(_said(counted)), err=True)
    if counted.gaps:
        raise typer.Exit(1)


def done(
    order: Annotated[str, typer.Argument(help="The marketplace's order id.")],
    task: Annotated[str, typer.Argument(help="The task, as its exception names it.")],
    note: Annotated[
        str, typer.Option("--note", help="What was done, e.g. the credit note's number.")
    ],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Say that a correction has been made in the ERP that the ERP does not show.

    The subject of its exception is ORDER/TASK, e.g. `700123456-A/55012/refund`.

    Example: `kcjl orders done 700123456-A 55012/refund --note "CN-1044"`.
    """
    ask(config, merchant, "correction-done", {"order_id": order, "task": task, "note": note})


def _figures(counted: OrdersCounted) -> list[str]:
    rows: list[tuple[str, SideCounted]] = [
        ("need a sales order", counted.needing),
        ("have one", counted.with_sales_order),
        ("are on their way", counted.waiting),
        ("have none, and an exception says so", counted.told),
        ("have none, and nobody had been told", counted.without),
        ("sales orders without an order", counted.without_order),
        ("neither final, waiting nor excepted", counted.unaccounted),
    ]
    return table(
        ("orders", ">how many", ">money"),
        [(name, f"{side.orders:,}", str(side.money)) for name, side in rows],
    )


def _said(counted: OrdersCounted) -> str:
    listed = (
        "this ERP can't list sales orders, so those that were not posted by us are not seen"
        if counted.sales_orders_listed is None
        else f"the ERP listed {counted.sales_orders_listed:,} sales orders in progress, "
        f"{counted.foreign:,} of other sources, {counted.unsourced:,} without a source"
    )
    not_asked = (
        f"; {counted.not_asked:,} posted orders that it did not name were not asked for: they "
        "were too many for one count"
        if counted.not_asked
        else ""
    )
    missed = f"; intake had missed {counted.missed:,}" if counted.missed else ""
    return (
        f"the marketplace named {counted.at_marketplace:,} orders updated since "
        f"{counted.since:%Y-%m-%d %H:%M} UTC{missed}{not_asked}; {listed}; "
        f"{counted.gaps:,} gaps"
    )
