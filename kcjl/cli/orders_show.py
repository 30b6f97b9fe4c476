"""`kcjl orders show`: where an order is, and its life as a tree of causes with both clocks.

Promises: the buyer is never printed, only that there is one; what was cut is said. It reads the
read models and the log, and changes nothing. Called by `kcjl/cli/orders.py`.
"""

from collections.abc import Iterable
from typing import Annotated

import anyio
import typer

from kcjl.cli.life import tree_lines
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
from kcjl.cli.stock_shown import clock, now_of
from kcjl.database import AUDITOR, Database
from kcjl.errors import NotFound
from kcjl.projections.liferows import EVENTS_MAX
from kcjl.projections.ordersview import OrdersView
from kcjl.readmodels_orders import OrderStory
from kcjl.settings import Settings

__all__ = ["show"]


def show(
    order: Annotated[str, typer.Argument(help="The marketplace's order id.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, on stdout.")] = False,
) -> None:
    """Where an order is and why: its lines, and its life as a tree of causes.

    Each event stands under what caused it, with both its clocks: when it was true outside, and
    when we learnt it. Parcels, lines of settlement and exceptions are in it. The buyer is not.

    Examples: `kcjl orders show 700123456-A`, `kcjl orders show 700123456-A --json`.
    """
    settings = settings_at(config)
    shown = anyio.run(_shown, settings, merchant_of(settings, merchant), order)
    if json:
        typer.echo(json_line(shown))
        return
    for line in _lines(shown):
        typer.echo(printable(line))
    if shown.cut:
        typer.echo(
            printable(f"the life is longer: the first {EVENTS_MAX:,} events are shown"),
            err=True,
        )


async def _shown(settings: Settings, merchant: str, order_id: str) -> OrderStory:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        now = await now_of(settings, database, merchant)
        story = await OrdersView(database, merchant, lambda: now).story(order_id)
    if story is None:
        raise NotFound(
            f"there is no order {order_id!r} of {merchant}: `kcjl orders list --all` names "
            "those there are"
        )
    return story


def _lines(shown: OrderStory) -> Iterable[str]:
    late = ", LATE" if shown.late else ""
    yield f"{shown.order_id}: {shown.standing}{late} (marketplace {shown.marketplace_state})"
    facts = [
        ("deadline", clock(shown.deadline) if shown.deadline else "none"),
        ("total", str(shown.total)),
        ("reference", shown.reference),
        ("ERP order", shown.erp_order_code or "none yet"),
        ("buyer", shown.buyer or "not told yet"),
        ("country", shown.country or "not told yet"),
        ("acceptance", shown.acceptance),
        ("posting", f"{shown.posting}, attempt {shown.posting_attempts}"),
    ]
    if shown.held:
        facts.append(("held", shown.held))
    width = max(len(name) for name, _ in facts)
    yield from (f"{name:<{width}}  {value}" for name, value in facts)
    yield ""
    for line in shown.lines:
        back = f", {line.refunded} refunded" if line.refunded else ""
        yield f"{line.line_id}  {line.quantity} of {line.sku}  {line.price}  {line.state}{back}"
    yield ""
    yield from tree_lines(shown.events)
