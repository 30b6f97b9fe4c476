"""`kcjl dispatch report` and `metrics`: whose minutes over a period, and the shop's metrics.

They read the read models and the log, and change nothing. Called by
`kcjl/cli/dispatch.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.dispatch_shown import Json
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
from kcjl.clock import LONDON
from kcjl.database import AUDITOR, Database
from kcjl.dispatch.calendar_settings import business_time, metric_rules
from kcjl.dispatch.deadline_events import SellerMetricsRead
from kcjl.dispatch.metrics import PERIODS, MetricShown, Tally, metrics_shown
from kcjl.dispatch.minutes import Report, Share, in_words, report_of
from kcjl.dispatch.timing import Timing
from kcjl.errors import Misuse
from kcjl.events import vocabulary
from kcjl.log.port import Selection
from kcjl.log.queries import PostgresQueries
from kcjl.projections.dispatchreading import silences_of
from kcjl.projections.timingreading import TimingRows
from kcjl.settings import Settings

__all__ = ["metrics", "report"]

REPORT_DAYS = 30
ORDERS_MAX = 1_000_000
"""Orders of one report: some gigabytes in memory; more is refused, not cut."""


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """A report, and of which orders."""

    since: datetime
    until: datetime
    report: Report


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The shop's metrics, ours beside theirs."""

    read_at: datetime | None
    """When theirs were read; None: not yet."""
    measured_at: datetime | None
    metrics: tuple[MetricShown, ...]


def report(
    since: Annotated[
        str, typer.Option("--from", help="Ordered on this London day or later: 2026-10-01.")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", help="Ordered on this London day or earlier.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Json = False,
) -> None:
    """Whose minutes over a period: median and 90th percentile by stage and side, late by cause.

    Of the orders placed in it; without --from the last 30 days. Times are of confirmed orders;
    late ones are counted by who had them longest, in working time.

    Examples: `kcjl dispatch report --from 2026-10-01 --to 2026-10-31`,
    `kcjl dispatch report --json`.
    """
    settings = settings_at(config)
    found = anyio.run(_reported, settings, merchant_of(settings, merchant), since, until)
    if json:
        typer.echo(json_line(found))
        return
    for line in _report_lines(found):
        typer.echo(printable(line))


async def _reported(settings: Settings, merchant: str, since: str, until: str) -> Reported:
    business = business_time(settings.merchants[merchant].dispatch.deadlines)
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        now = await now_of(settings, database, merchant)
        began, ended = _period(since, until, now)
        rows = TimingRows(database, merchant).placed(began, ended)
        silences = await silences_of(PostgresQueries(database, merchant, vocabulary()))
        timings: list[Timing] = []
        async for page in rows:
            timings.extend(page)
            if len(timings) > ORDERS_MAX:
                raise Misuse(
                    f"more than {ORDERS_MAX:,} orders were placed from {began:%Y-%m-%d} on: "
                    "ask for a shorter period"
                )
    found = report_of(timings, business, now, silences=silences)
    return Reported(since=began, until=ended, report=found)


def _period(since: str, until: str, now: datetime) -> tuple[datetime, datetime]:
    """Whole days of London, the last one included."""
    today = now.astimezone(LONDON)
    first = _day("--from", since) if since else today - timedelta(days=REPORT_DAYS)
    last = _day("--to", until) if until else today
    began = datetime.combine(first.date(), time(0), LONDON)
    ended = datetime.combine(last.date() + timedelta(days=1), time(0), LONDON)
    if began >= ended:
        raise Misuse(f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}: mend one of them")
    return began, ended


def _day(option: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=LONDON)
    except ValueError:
        raise Misuse(f"{option} {text!r} is no day: write it like 2026-10-01") from None


def _report_lines(found: Reported) -> Iterable[str]:
    each = found.report
    last = found.until - timedelta(days=1)
    yield f"orders placed from {found.since:%Y-%m-%d} to {last:%Y-%m-%d}: {each.orders:,}"
    yield (
        f"{each.confirmed:,} confirmed, {each.waiting:,} on their way, {each.ended:,} ended; "
        f"{each.late:,} late"
    )
    yield from (
        f"  late, longest with {whose}: {n:,}" for whose, n in each.late_by_cause.items()
    )
    yield from _shares("stage", (*each.by_stage, each.whole))
    yield from _shares("whose", each.by_whose)


def _shares(name: str, shares: Sequence[Share]) -> Iterable[str]:
    yield ""
    yield from table(
        (name, ">orders", ">median working", ">90 % within", ">median elapsed", ">90 % within"),
        [
            (
                each.name,
                f"{each.orders:,}",
                in_words(each.median_business_s),
                in_words(each.p90_business_s),
                in_words(each.median_elapsed_s),
                in_words(each.p90_elapsed_s),
            )
            for each in shares
        ],
    )


# ── metrics ─────────────────────────────────────────────────────────────────────────────────


def metrics(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Json = False,
) -> None:
    """The shop's metrics by our log beside the marketplace's own (A21), and their thresholds.

    Ours count what is past its deadline and not shipped as late. Thresholds are settings.

    Examples: `kcjl dispatch metrics`, `kcjl dispatch metrics --json`.
    """
    settings = settings_at(config)
    found = anyio.run(_measured, settings, merchant_of(settings, merchant))
    if json:
        typer.echo(json_line(found))
        return
    for line in _metric_lines(found):
        typer.echo(printable(line))


async def _measured(settings: Settings, merchant: str) -> Measured:
    rules = metric_rules(settings.merchants[merchant].dispatch.metrics)
    read: SellerMetricsRead | None = None
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        now = await now_of(settings, database, merchant)
        tallies = {period: Tally(now) for period in PERIODS}
        longest = now - max(PERIODS.values())
        async for page in TimingRows(database, merchant).placed(longest):
            for timing in page:
                for period, span in PERIODS.items():
                    if timing.ordered_at >= now - span:
                        tallies[period].count(timing)
        queries = PostgresQueries(database, merchant, vocabulary())
        newest = Selection(types=(SellerMetricsRead.__name__,), backward=True, page=1)
        async for events in queries.select(newest):
            event = events[0].event
            read = event if isinstance(event, SellerMetricsRead) else None
            break
    rates = {period: tally.rates() for period, tally in tallies.items()}
    return Measured(
        read_at=read.occurred_at if read else None,
        measured_at=read.measured_at if read else None,
        metrics=metrics_shown(rates, read, rules),
    )


def _metric_lines(found: Measured) -> Iterable[str]:
    yield from table(
        ("metric", "period", ">ours", ">of", ">theirs", ">threshold", "standing"),
        [
            (
                each.metric.value,
                each.period,
                _percent(each.ours),
                f"{each.counted:,}",
                _percent(each.theirs),
                _percent(each.threshold),
                "" if each.standing == "fine" else each.standing.upper(),
            )
            for each in found.metrics
        ],
    )
    yield ""
    yield (
        f"the marketplace's own were read {clock(found.read_at)}"
        if found.read_at
        else "the marketplace's own have not been read yet"
    )


def _percent(rate: Decimal | None) -> str:
    return "—" if rate is None else f"{rate * 100:.2f} %"
