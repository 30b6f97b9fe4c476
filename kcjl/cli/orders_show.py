"""`kcjl orders show`: where an order is, and its life as a tree of causes with both clocks.

Promises: the buyer is never printed, only that there is one; what was cut is said. It reads the
read models and the log, and changes nothing. Called by `kcjl/cli/orders.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    merchant_of,
    printable,
    settings_at,
)
from kcjl.cli.stock_shown import clock, now_of
from kcjl.database import AUDITOR, Database
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.port import LogQueries, Recorded, Selection
from kcjl.log.queries import PostgresQueries
from kcjl.money import Money
from kcjl.orders.decide import deadline_of, standing, why_held
from kcjl.orders.life import Node, tree_of
from kcjl.orders.state import OrderEntry
from kcjl.projections.orderreading import OrderRows
from kcjl.settings import Settings

__all__ = ["show"]

EVENTS_MAX = 5_000
"""Events of one life; beyond it the tree says that it is cut."""
CAUSES_MAX = 200
"""Events outside the order's own streams that are fetched because they caused one in it."""
NEVER = datetime.max.replace(tzinfo=UTC)
MASKED = "masked"


class ShownLine(msgspec.Struct, frozen=True, kw_only=True):
    line_id: str
    sku: str
    quantity: int
    price: Money
    state: str
    refunded: Money


class ShownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the tree."""

    depth: int
    position: int
    type: str
    stream: str
    occurred_at: datetime
    recorded_at: datetime
    by: str
    correlation_id: str
    causation: int | None
    said: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An order, for a program."""

    order_id: str
    standing: str
    marketplace_state: str
    deadline: datetime | None
    late: bool
    reference: str
    erp_order_code: str
    total: Money
    buyer: str
    """masked, or empty while none is known."""
    country: str
    held: str
    rule: str
    policy_version: int
    acceptance: str
    posting: str
    posting_attempts: int
    lines: tuple[ShownLine, ...]
    events: tuple[ShownEvent, ...]
    cut: bool


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
        typer.echo(msgspec.json.encode(shown).decode())
        return
    for line in _lines(shown):
        typer.echo(printable(line))
    if shown.cut:
        typer.echo(f"the life is longer: the first {EVENTS_MAX:,} events are shown", err=True)


async def _shown(settings: Settings, merchant: str, order_id: str) -> Shown:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        rows = OrderRows(database, merchant)
        entry = await rows.order(order_id)
        if entry is None:
            raise NotFound(
                f"there is no order {order_id!r} of {merchant}: `kcjl orders list --all` names "
                "those there are"
            )
        queries = PostgresQueries(database, merchant, vocabulary())
        of_order = ("order", "dispatch", "deadline", "settlement-order")
        streams = [f"{each}-{order_id}" for each in of_order]
        streams += [
            f"exception-{kind}-{subject}" for kind, subject in await rows.exceptions(order_id)
        ]
        life, cut = await _life(queries, streams)
        now = await now_of(settings, database, merchant)
    return _all_of(entry, tree_of(life), now, cut=cut)


async def _life(queries: LogQueries, streams: Sequence[str]) -> tuple[list[Recorded], bool]:
    """(the events of these streams and what caused them, whether there are more)."""
    life: dict[int, Recorded] = {}
    for stream in streams:
        async for page in queries.select(Selection(stream=stream)):
            life.update((each.position, each) for each in page)
            if len(life) > EVENTS_MAX:
                return [life[each] for each in sorted(life)][:EVENTS_MAX], True
    wanted = [each.causation for each in life.values() if each.causation]
    fetched = 0
    while wanted and fetched < CAUSES_MAX:
        position = wanted.pop()
        if position in life:
            continue
        fetched += 1
        async for page in queries.select(Selection(after=position - 1, to=position)):
            for each in page:
                life[each.position] = each
                if each.causation:
                    wanted.append(each.causation)
    return [life[each] for each in sorted(life)], False


def _all_of(entry: OrderEntry, tree: Sequence[Node], now: datetime, *, cut: bool) -> Shown:
    standings = {each.line_id: each for each in entry.lines_now}
    stands, deadline, held = standing(entry).value, deadline_of(entry), entry.held
    done = stands in ("shipped", "closed", "cancelled", "passed_over")
    return Shown(
        order_id=entry.order_id,
        standing=stands,
        marketplace_state=entry.state,
        deadline=None if deadline == NEVER else deadline,
        late=not done and deadline < now,
        reference=entry.reference,
        erp_order_code=entry.erp_order_code,
        total=entry.total_price,
        buyer=MASKED if entry.vault_ref else "",
        country=entry.country,
        held=why_held(entry),
        rule=held.rule if held else "",
        policy_version=held.policy_version if held else 0,
        acceptance=entry.acceptance.value,
        posting=entry.posting.value,
        posting_attempts=entry.posting_attempts,
        lines=tuple(
            ShownLine(
                line_id=line.line_id,
                sku=line.sku,
                quantity=line.quantity,
                price=line.price,
                state=standings[line.line_id].state if line.line_id in standings else "",
                refunded=standings[line.line_id].refunded
                if line.line_id in standings
                else Money(0, line.price.currency),
            )
            for line in entry.lines
        ),
        events=tuple(_event(each) for each in tree),
        cut=cut,
    )


def _event(node: Node) -> ShownEvent:
    each = node.recorded
    return ShownEvent(
        depth=node.depth,
        position=each.position,
        type=each.type,
        stream=each.stream,
        occurred_at=each.occurred_at,
        recorded_at=each.recorded_at,
        by=each.by,
        correlation_id=each.correlation_id,
        causation=each.causation,
        said=node.said,
    )


def _lines(shown: Shown) -> Iterable[str]:
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
    for event in shown.events:
        indent = "  " * event.depth + ("└ " if event.depth else "")
        said = f": {event.said}" if event.said else ""
        yield f"{indent}{event.type}{said}"
        yield (
            "  " * (event.depth + 1) + f"#{event.position}, true {clock(event.occurred_at)}, "
            f"learnt {clock(event.recorded_at)}, by {event.by}"
        )
