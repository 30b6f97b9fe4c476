"""`kcjl stock list` and `show`: what is offered of each product, and the sum behind it.

They read the read models and the log, and change nothing. Called by `kcjl/cli/stock.py`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

import anyio
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
from kcjl.cli.tables import table
from kcjl.clock import RealClock, real_now
from kcjl.database import AUDITOR, Database
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.projections.reading import PostgresReadModels
from kcjl.projections.stockreading import StockRows, stopped
from kcjl.settings import Settings
from kcjl.stock.explained import Explained, OfferStanding, Origin, explained
from kcjl.stock.origins import origins_of

__all__ = ["ago", "clock", "find", "now_of", "show", "terms_of"]

Json = Annotated[bool, typer.Option("--json", help="One JSON object, on stdout.")]
Sku = Annotated[str, typer.Argument(help="The SKU, in any spelling.")]


def show(
    sku: Sku,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Json = False,
) -> None:
    """How many are offered of a product, as a sum of named terms.

    Each term names the event that it rests on, by its position in the log and with both its
    clocks: when it was true outside, and when we learnt it. Then what the marketplace shows,
    how fresh that is, and whether the gate is open. `kcjl log show POSITION` shows an event.

    Examples: `kcjl stock show 85123A`, `kcjl stock show 85123A --json`.
    """
    settings = settings_at(config)
    found, now, why_stopped = anyio.run(_found, settings, merchant_of(settings, merchant), sku)
    if json:
        typer.echo(json_line(found))
        return
    for line in _lines(found, now):
        typer.echo(printable(line))
    if why_stopped:
        typer.echo(printable(f"nothing is published now: {why_stopped}"), err=True)


async def _found(
    settings: Settings, merchant: str, sku: str
) -> tuple[Explained, datetime, str]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        now = await now_of(settings, database, merchant)
        found = await find(database, merchant, sku, now)
        queries = PostgresQueries(database, merchant, vocabulary())
        return found, now, await stopped(queries, to=found.position)


async def now_of(settings: Settings, database: Database, merchant: str) -> datetime:
    """The time of whoever looks; in a sandbox's world it is the newest event's."""
    if not settings.clock.world:
        return real_now()
    newest = await PostgresReadModels(database, merchant, RealClock()).events(limit=1)
    return newest[-1].recorded_at if newest else real_now()


async def find(database: Database, merchant: str, sku: str, now: datetime) -> Explained:
    """As the read models stand now. Raises NotFound."""
    rows = StockRows(database, merchant)
    queries = PostgresQueries(database, merchant, vocabulary())
    position = await rows.position()
    product = await rows.product(sku)
    if product is None:
        raise NotFound(
            f"no offer and no order of {merchant} has the SKU {sku!r} so far: `kcjl stock "
            "list` names those there are, `kcjl stock codes` what is on one side only"
        )
    sharing = await rows.sharing(product)
    origins = await origins_of(queries, sharing, to=position)
    conditions = await rows.conditions(queries, to=position, at=now)
    reads = await rows.reads(queries, position)
    return explained(product, sharing, conditions, reads, origins, position=position)


def _lines(found: Explained, now: datetime) -> Iterable[str]:
    stands_for = f", which stands for {found.stock_code}" if found.alias else ""
    yield f"{found.sku}{stands_for}: {found.quantity:,} can be sold"
    yield ""
    yield from terms_of(found)
    yield ""
    yield from _facts(found, now)
    if found.in_flight:
        yield ""
        yield from _flying(found)


def terms_of(found: Explained) -> list[str]:
    """The sum, set out as one."""
    rows = [
        (
            _signed(term.units) if index else f"{term.units:,}",
            term.name,
            term.why,
            f"rule {term.rule!r}, {_named(term.origins)}"
            if term.rule
            else _named(term.origins),
        )
        for index, term in enumerate(found.terms)
    ]
    rows.append((f"= {found.quantity:,}", "can be sold", "", ""))
    return table((">units", "term", "why", "rests on"), rows)


def _signed(units: int) -> str:
    return f"{'−' if units < 0 else '+'} {abs(units):,}"


def _named(origins: tuple[Origin, ...]) -> str:
    if not origins:
        return ""
    newest = origins[-1]
    more = f" and {len(origins) - 1} more" if len(origins) > 1 else ""
    return f"{told(newest)}{more}"


def told(origin: Origin) -> str:
    """An event, with its place and both its clocks."""
    return (
        f"#{origin.position} {origin.type}, true {clock(origin.occurred_at)}, "
        f"learnt {clock(origin.recorded_at)}"
    )


def clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def ago(then: datetime | None, now: datetime) -> str:
    """When, and how long ago."""
    if then is None:
        return "never"
    seconds = max(int((now - then).total_seconds()), 0)
    return f"{clock(then)}, {timedelta(seconds=seconds)} ago"


def _facts(found: Explained, now: datetime) -> list[str]:
    rows = [
        ("stock code", found.stock_code or "none"),
        ("gate", found.gate if found.gate == "open" else f"shut: {found.gate}"),
    ]
    if found.alias:
        rows.append(("alias", f"{found.sku} stands for {found.alias}, as a person said"))
    if found.shares_with:
        rows.append(("shares its stock with", ", ".join(found.shares_with)))
    if found.nearest:
        near = "; ".join(f"{each.code} ({each.reason})" for each in found.nearest)
        rows.append(("nearest codes", near))
        rows.append(("next", f"kcjl stock alias {found.sku} {found.nearest[0].code}"))
    for offer in found.offers:
        rows += _offer(offer, now)
    if not found.offers:
        rows.append(("offer", "none: only orders name this SKU"))
    rows += [
        ("policy", f"version {found.policy_version}"),
        ("lag covered", f"{found.lag_s:,.0f} s, from the read of stock and from the order"),
        ("level changed", ago(found.level_read_at, now)),
        ("orders read", ago(found.orders_read_at, now)),
        ("as of", f"#{found.position:,} of the log"),
    ]
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {value}" for name, value in rows]


def _offer(offer: OfferStanding, now: datetime) -> list[tuple[str, str]]:
    """What it shows, how fresh that is, and what is in the way."""
    name = f"offer {offer.sku}"
    if offer.acknowledged is None:
        listed = "" if offer.listed is None else f"; it was listed with {offer.listed:,}"
        rows = [(name, f"nothing of ours is acknowledged yet{listed}")]
    else:
        doubt = "" if offer.shown is not None else ", and may show another by now"
        rows = [
            (name, f"acknowledged {offer.acknowledged:,}{doubt}"),
            ("acknowledged", ago(offer.acknowledged_at, now)),
        ]
    if offer.lag_s is not None:
        rows.append(("lag", f"{offer.lag_s:,.0f} s from the read of stock to that"))
    if offer.sent is not None:
        rows.append(("on its way", f"{offer.sent:,}"))
    if offer.waits_for:
        rows.append(("but", offer.waits_for))
    if offer.inactive:
        rows.append(("not for sale", ", ".join(offer.inactive)))
    return rows


def _flying(found: Explained) -> list[str]:
    rows = [
        (
            each.order_id,
            f"{each.units:,}",
            told(each.seen) if each.seen else "",
            f"#{each.taken.position}, not read since" if each.taken else "not yet",
        )
        for each in found.in_flight
    ]
    return table(("in flight", ">units", "first seen", "taken by the ERP"), rows)
