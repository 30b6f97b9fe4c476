"""`kcjl stock explain`: why so many, now or at a time in the past, in plain sentences.

It reads what was known then and nothing else. Called by `kcjl/cli/stock.py`.
"""

from collections.abc import Iterable
from typing import Annotated

import anyio
import typer

from kcjl.audit.explain_sku import SkuStory, around, sku_story, summary
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
from kcjl.events import vocabulary
from kcjl.log.postgres import PostgresLogReader
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.settings import Settings
from kcjl.stock.projection import PRODUCTS_SHOWN

__all__ = ["explain"]


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
) -> SkuStory:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        log = PostgresLogReader(database, merchant, vocabulary())
        if position is None:
            position = await position_asked(log, at, world=bool(settings.clock.world))
        position = min(position, (await log.head()).position)
        async with AsOfDatabase(dsn, merchant, vocabulary(), (PRODUCTS_SHOWN,)) as past:
            await past.move(position)
            return await sku_story(past, merchant, sku, position)


def _lines(story: SkuStory) -> Iterable[str]:
    found = story.sum
    yield f"As of #{found.position:,} of the log, {summary(found)}"
    yield ""
    yield from terms_of(found)
    yield ""
    yield from around(found)
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
