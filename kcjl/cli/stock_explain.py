"""`kcjl stock explain`: why so many, now or at a time in the past, in plain sentences.

It reads what was known then and nothing else. Called by `kcjl/cli/stock.py`.
"""

from collections.abc import Iterable
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
from kcjl.cli.rebuild import position_asked, position_of
from kcjl.cli.stock_shown import Sku, clock, terms_of
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.fold import Table
from kcjl.log.port import LogQueries, Selection
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.queries import PostgresQueries
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.stockreading import StockRows
from kcjl.settings import Settings
from kcjl.stock.explained import Explained, Step, explained, steps_of
from kcjl.stock.origins import origins_of
from kcjl.stock.projection import PRODUCTS_SHOWN
from kcjl.stock.reads import READS, Reads

__all__ = ["explain"]


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The sum, and how it came about."""

    sum: Explained
    steps: tuple[Step, ...]


def explain(
    sku: Sku,
    at: Annotated[
        str,
        typer.Option(
            "--at",
            help='When: "14:03" (today), "2026-10-31 23:59" (London time), an ISO time with '
            "its zone, or #POSITION of the log; now when left out.",
        ),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, on stdout.")] = False,
) -> None:
    """Why so many were offered: the sum in sentences, and the chain of events behind it.

    At a time in the past it is told from all that had been recorded by then, and nothing that
    came later.

    Examples: `kcjl stock explain 85123A`, `kcjl stock explain 85123A --at "2026-11-27 09:30"`,
    `kcjl stock explain 85123A --at '#12034'`.
    """
    position = position_of(at)
    settings = settings_at(config)
    story = anyio.run(_told, settings, merchant_of(settings, merchant), sku, at, position)
    if json:
        typer.echo(json_line(story))
        return
    for line in _lines(story):
        typer.echo(printable(line))


async def _told(
    settings: Settings, merchant: str, sku: str, at: str, position: int | None
) -> Story:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        log = PostgresLogReader(database, merchant, vocabulary())
        if position is None:
            position = await position_asked(log, at, world=bool(settings.clock.world))
        position = min(position, (await log.head()).position)
        async with AsOfDatabase(dsn, merchant, vocabulary(), (PRODUCTS_SHOWN,)) as past:
            await past.move(position)
            queries = PostgresQueries(past, merchant, vocabulary())
            rows = StockRows(past, merchant)
            product = await rows.product(sku)
            if product is None:
                raise NotFound(
                    f"as of position {position:,} no offer and no order of {merchant} had the "
                    f"SKU {sku!r}: name a later time, or see `kcjl stock list`"
                )
            sharing = await rows.sharing(product)
            origins = await origins_of(queries, sharing, to=position)
            conditions = await rows.conditions(queries, to=position)
            reads = await _reads(queries)
    steps = steps_of(sharing, origins)
    found = explained(product, sharing, conditions, reads, origins, position=position)
    return Story(sum=found, steps=steps)


async def _reads(log: LogQueries) -> Reads | None:
    """When both sides had been read, and what had not."""
    table = Table(READS)
    types = tuple(each.__name__ for each in READS.hears)
    async for page in log.select(Selection(types=types)):
        for recorded in page:
            table.apply(recorded.event)
    return table.get("reads")


def _lines(story: Story) -> Iterable[str]:
    found = story.sum
    yield f"As of #{found.position:,} of the log, {_summary(found)}"
    yield ""
    yield from terms_of(found)
    yield ""
    yield from _around(found)
    yield ""
    yield from table(
        ("#", "learnt", "true", "by", "what happened"),
        [
            (
                str(step.origin.position),
                clock(step.origin.recorded_at),
                clock(step.origin.occurred_at),
                step.origin.by,
                step.said,
            )
            for step in story.steps
        ],
    )


def _summary(found: Explained) -> str:
    sums = [
        f"{abs(term.units):,} for {term.name}" for term in found.terms[1:] if term.units < 0
    ]
    less = f", less {'; '.join(sums)}" if sums else ""
    if found.gate != "open":
        return f"nothing of {found.sku} can be sold: {found.gate}."
    first = found.terms[0]
    return (
        f"{found.quantity:,} of {found.sku} can be sold: {first.units:,} ({first.why}){less}."
    )


def _around(found: Explained) -> Iterable[str]:
    if found.alias:
        yield f"{found.sku} stands for stock code {found.alias} because a person said so."
    if found.shares_with:
        yield f"It shares its stock with {', '.join(found.shares_with)}."
    for offer in found.offers:
        if offer.acknowledged is None:
            yield f"The marketplace had acknowledged no figure of ours for {offer.sku}."
        else:
            when = (
                "" if offer.acknowledged_at is None else f" at {clock(offer.acknowledged_at)}"
            )
            yield f"The marketplace had acknowledged {offer.acknowledged:,}{when}."
        if offer.sent is not None:
            yield f"{offer.sent:,} were on their way to it."
        if offer.waits_for:
            yield f"No other figure goes out: {offer.waits_for}."
    yield f"Policy version {found.policy_version} was in force."
