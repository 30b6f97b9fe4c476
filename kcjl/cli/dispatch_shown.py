"""`kcjl dispatch list` and `show`: what has to go when, who has it, and whose time it was.

They read the read models and change nothing; what is late is judged by the time of whoever
looks. Called by `kcjl/cli/dispatch.py`.
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
    json_line,
    merchant_of,
    printable,
    settings_at,
)
from kcjl.cli.stock_shown import clock, now_of
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.dispatch.calendar_settings import deadline_rules
from kcjl.dispatch.deadline_events import TimeSpent
from kcjl.dispatch.deadlines import DeadlineRules, Standing
from kcjl.dispatch.minutes import Span, in_words, is_late, spans_of, spent_by, whose_now
from kcjl.dispatch.outage import Silence
from kcjl.dispatch.timing import FINAL, WHOSE, Stage, TimedParcel, Timing
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.money import Money
from kcjl.projections.dispatchreading import silences_of
from kcjl.projections.timingreading import TimingRows
from kcjl.settings import Settings
from kcjl.stock.events import stock_key

__all__ = ["list_dispatches", "show"]

LINES_MAX = 1_000_000
NEVER = datetime.max.replace(tzinfo=UTC)
TO_CONFIRM = frozenset({Stage.UNTRACKED, Stage.UNMAPPED, Stage.CONFIRMING, Stage.GIVEN_UP})

Json = Annotated[bool, typer.Option("--json", help="For a program: JSON, on stdout.")]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders: those for which everything that is given holds."""

    standings: frozenset[Standing]
    waiting: bool
    sku: str
    courier: str

    def fits(self, timing: Timing, standing: Standing) -> bool:
        couriers = (each.courier.casefold() for each in timing.parcels)
        return (
            (not self.standings or standing in self.standings)
            and (not self.waiting or timing.stage in TO_CONFIRM)
            and (not self.sku or any(stock_key(sku) == self.sku for sku in timing.skus))
            and (not self.courier or any(self.courier in each for each in couriers))
        )


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One order on its way, in one line."""

    order_id: str
    stage: str
    whose: str
    since: datetime
    waits_business_s: int
    """In this stage, in business time."""
    deadline: datetime | None
    own_deadline: datetime | None
    standing: Standing
    skus: tuple[str, ...]
    couriers: tuple[str, ...]
    total: Money


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One order's time, for a program."""

    order_id: str
    stage: str
    marketplace_state: str
    ordered_at: datetime
    ready_at: datetime | None
    confirmed_at: datetime | None
    deadline: datetime | None
    own_deadline: datetime | None
    standing: Standing
    """Of what is done: late, or in time."""
    spans: tuple[Span, ...]
    spent: tuple[TimeSpent, ...]
    parcels: tuple[TimedParcel, ...]
    total: Money


def list_dispatches(
    *,
    late: Annotated[
        bool, typer.Option("--late", help="Past the marketplace's deadline.")
    ] = False,
    at_risk: Annotated[
        bool, typer.Option("--at-risk", help="Near the deadline, or past your own cut-off.")
    ] = False,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Shipped, and waiting to be confirmed.")
    ] = False,
    sku: Annotated[str, typer.Option("--sku", help="Only orders of this SKU.")] = "",
    courier: Annotated[
        str, typer.Option("--courier", help="Only with a parcel of such a courier, in part.")
    ] = "",
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=LINES_MAX, help="So many at most.")
    ] = 200,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    json: Json = False,
) -> None:
    """Orders that are not confirmed yet, soonest deadline first: at which stage, and whose.

    Filters add up; --late and --at-risk together are both.

    Examples: `kcjl dispatch list --late`, `kcjl dispatch list --waiting --courier dpd --json`.
    """
    given = ((late, Standing.LATE), (at_risk, Standing.AT_RISK))
    asked = Asked(
        standings=frozenset(standing for wanted, standing in given if wanted),
        waiting=waiting,
        sku=stock_key(sku) if sku else "",
        courier=courier.casefold(),
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


async def _listed(
    settings: Settings, merchant: str, asked: Asked, lines: int
) -> tuple[list[Listed], int]:
    """(the first so many that match, how many match)."""
    rules = deadline_rules(settings.merchants[merchant].dispatch.deadlines)
    found: list[Timing] = []
    matching = 0
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        now = await now_of(settings, database, merchant)
        async for page in TimingRows(database, merchant).at(WHOSE.keys()):
            fitting = [each for each in page if asked.fits(each, rules.standing(each, now))]
            matching += len(fitting)
            found = sorted((*found, *fitting), key=_soonest)[:lines]
        silences = await silences_of(PostgresQueries(database, merchant, vocabulary()))
    return [_row(timing, rules, silences, now) for timing in found], matching


def _soonest(timing: Timing) -> tuple[datetime, datetime, str]:
    return (timing.ship_by or NEVER, timing.ordered_at, timing.order_id)


def _row(
    timing: Timing, rules: DeadlineRules, silences: Sequence[Silence], now: datetime
) -> Listed:
    waits = rules.business.between(timing.since, now)
    return Listed(
        order_id=timing.order_id,
        stage=timing.stage.value,
        whose=whose_now(timing, silences).value,
        since=timing.since,
        waits_business_s=round(waits.total_seconds()),
        deadline=timing.ship_by,
        own_deadline=rules.own_deadline(timing),
        standing=rules.standing(timing, now),
        skus=timing.skus,
        couriers=tuple(dict.fromkeys(each.courier for each in timing.parcels)),
        total=timing.money,
    )


def _table(rows: Sequence[Listed]) -> list[str]:
    words = {Standing.LATE: "LATE", Standing.AT_RISK: "at risk", Standing.IN_TIME: ""}
    return table(
        ("order", "deadline", "stage", "whose", ">working time", "couriers", "skus", "note"),
        [
            (
                row.order_id,
                f"{row.deadline:%Y-%m-%d %H:%M}Z" if row.deadline else "—",
                row.stage,
                row.whose,
                in_words(row.waits_business_s),
                ", ".join(row.couriers) or "—",
                ", ".join(row.skus),
                words[row.standing],
            )
            for row in rows
        ],
    )


# ── one order ───────────────────────────────────────────────────────────────────────────────


def show(
    order: Annotated[str, typer.Argument(help="The marketplace's order id.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Json = False,
) -> None:
    """Whose minutes they were: each stage of an order from ordered to confirmed.

    Working time counts opening hours on working days only; elapsed time counts all.

    Examples: `kcjl dispatch show 700123456-A`, `kcjl dispatch show 700123456-A --json`.
    """
    settings = settings_at(config)
    shown = anyio.run(_shown, settings, merchant_of(settings, merchant), order)
    if json:
        typer.echo(json_line(shown))
        return
    for line in _lines(shown):
        typer.echo(printable(line))


async def _shown(settings: Settings, merchant: str, order_id: str) -> Shown:
    rules = deadline_rules(settings.merchants[merchant].dispatch.deadlines)
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        now = await now_of(settings, database, merchant)
        timing = await TimingRows(database, merchant).timing(order_id)
        silences = await silences_of(PostgresQueries(database, merchant, vocabulary()))
    if timing is None:
        raise NotFound(
            f"there is no order {order_id!r} of {merchant}: `kcjl dispatch list` names those "
            "that are on their way, `kcjl orders list --all` all of them"
        )
    spans = spans_of(timing, rules.business, now, silences=silences)
    done_late = timing.stage in FINAL and is_late(timing, now)
    return Shown(
        order_id=timing.order_id,
        stage=timing.stage.value,
        marketplace_state=timing.state,
        ordered_at=timing.ordered_at,
        ready_at=timing.ready_at,
        confirmed_at=timing.confirmed_at,
        deadline=timing.ship_by,
        own_deadline=rules.own_deadline(timing),
        standing=Standing.LATE if done_late else rules.standing(timing, now),
        spans=spans,
        spent=spent_by(spans),
        parcels=timing.parcels,
        total=timing.money,
    )


def _lines(shown: Shown) -> Iterable[str]:
    late = ", LATE" if shown.standing == Standing.LATE else ""
    risk = ", at risk" if shown.standing == Standing.AT_RISK else ""
    yield f"{shown.order_id}: {shown.stage}{late}{risk} (marketplace {shown.marketplace_state})"
    facts = (
        ("deadline", shown.deadline),
        ("own deadline", shown.own_deadline),
        ("confirmed", shown.confirmed_at),
    )
    yield from (f"{name:<12}  {clock(when)}" for name, when in facts if when is not None)
    yield f"{'total':<12}  {shown.total}"
    yield ""
    yield from table(
        ("stage", "whose", "from", "until", ">working time", ">elapsed"),
        [
            (
                span.stage.value,
                span.whose.value,
                clock(span.began),
                clock(span.ended) if span.ended else "goes on",
                in_words(span.business_s),
                in_words(span.elapsed_s),
            )
            for span in shown.spans
        ],
    )
    yield ""
    yield from table(
        ("whose", ">working time", ">elapsed"),
        [(e.whose, in_words(e.business_s), in_words(e.elapsed_s)) for e in shown.spent],
    )
    if shown.parcels:
        yield ""
    yield from table(
        ("parcel", "courier", ">units", "number", "stage"),
        [
            (
                e.parcel_key,
                e.courier,
                str(e.units),
                "yes" if e.tracked else "none",
                e.stage.value,
            )
            for e in shown.parcels
        ],
    )
