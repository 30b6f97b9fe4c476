"""`kcjl log rebuild` and `kcjl log state`: read models built anew, and as they once were.

Rebuild writes the read models only, never the log; it can be stopped and run again at any time.
State writes nothing. Called by `kcjl/cli/log.py`, which names them.
"""

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, time
from functools import partial
from typing import Annotated, Any

import anyio
import msgspec
import typer

from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    end_on_terminate,
    json_line,
    merchant_of,
    printable,
    settings_at,
)
from kcjl.clock import LONDON, real_monotonic, real_now
from kcjl.database import AUDITOR, SERVICE, Database
from kcjl.errors import Misuse, NotFound
from kcjl.events import vocabulary
from kcjl.log.port import LogReader
from kcjl.log.postgres import PostgresLogReader
from kcjl.projections.asof import position_at
from kcjl.projections.asofdatabase import AsOfDatabase, Moment
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.projection import Projection
from kcjl.projections.rebuild import Rebuilt, chosen
from kcjl.projections.rebuild import rebuild as rebuild_projections
from kcjl.projections.store import PostgresRows
from kcjl.settings import Settings
from kcjl.unseen import json_spelt_out

__all__ = [
    "Progress",
    "moment_of",
    "position_asked",
    "position_of",
    "rebuild",
    "state",
]

BAR_CELLS = 24
SHOW_EVERY_S = 0.1
WALL_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?\Z")
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, on stdout.")]


def rebuild(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Which projections; all of them when none is named."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Json = False,
) -> None:
    """Build read models anew from the log, beside the live ones, and swap them in.

    The service and the monitor run on meanwhile. Interrupted, it can be run again.
    """
    projections = chosen(names or [], PROJECTIONS)
    settings = settings_at(config)
    chosen_merchant = merchant_of(settings, merchant)
    anyio.run(partial(_rebuild, settings, chosen_merchant, projections, json=json))


async def _rebuild(
    settings: Settings,
    merchant: str,
    projections: list[Projection[Any]],
    *,
    json: bool,
) -> None:
    progress = Progress(shown=sys.stderr.isatty())
    async with (
        database_of(settings) as dsn,
        Database(dsn, role=SERVICE) as database,
        anyio.create_task_group() as group,
    ):
        group.start_soon(end_on_terminate)
        done = await rebuild_projections(
            database, merchant, vocabulary(), projections, progress=progress
        )
        group.cancel_scope.cancel()
    progress.end()
    _told(merchant, done, progress.seconds(), json=json)


def _told(merchant: str, done: Rebuilt, seconds: float, *, json: bool) -> None:
    if json:
        said = {"merchant": merchant, **msgspec.structs.asdict(done), "seconds": seconds}
        typer.echo(json_line(said))
        return
    typer.echo(
        printable(
            f"{', '.join(done.projections)}: {done.rows:,} rows from {done.events:,} events in "
            f"{seconds:.1f} s, swapped in at position {done.position:,}; "
            f"{done.removed:,} old rows removed"
        )
    )


class Progress:
    """A bar on stderr with the rate and the time that is left; nothing where nobody looks."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._began = self._step_began = real_monotonic()
        self._step = ""
        self._shown_at = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        now = real_monotonic()
        if step != self._step:
            self._step, self._step_began = step, now
        if self._shown and (now - self._shown_at >= SHOW_EVERY_S or done == total):
            self._shown_at = now
            line = progress_line(step, done, total, now - self._step_began)
            sys.stderr.write(f"\r{line}\x1b[K")
            sys.stderr.flush()

    def seconds(self) -> float:
        """Since the beginning."""
        return real_monotonic() - self._began

    def end(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def progress_line(step: str, done: int, total: int, seconds: float) -> str:
    """Bar, share, rate and time left, in one line."""
    share = done / total if total else 1.0
    cells = int(share * BAR_CELLS)
    rate = done / seconds if seconds > 0 else 0.0
    left = f"{(total - done) / rate:,.0f} s left" if rate > 0 else ""
    bar = "█" * cells + "░" * (BAR_CELLS - cells)
    return f"{step} {bar} {share:4.0%}  {done:,} of {total:,}  {rate:,.0f}/s  {left}".rstrip()


# ── as of ───────────────────────────────────────────────────────────────────────────────────


def state(
    projection: Annotated[str, typer.Argument(help="Which read model, e.g. orders.")],
    key: Annotated[str, typer.Argument(help="One row only, e.g. an order's id.")] = "",
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
    json: Json = False,
) -> None:
    """What a read model says now, or said at any time or position.

    A time means all that had been recorded by then.
    """
    (found,) = chosen([projection], PROJECTIONS)
    position = position_of(at)
    settings = settings_at(config)
    chosen_merchant = merchant_of(settings, merchant)
    anyio.run(partial(_state, settings, chosen_merchant, found, key, at, position, json=json))


async def _state(
    settings: Settings,
    merchant: str,
    projection: Projection[Any],
    key: str,
    at: str,
    position: int | None,
    *,
    json: bool,
) -> None:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        log = PostgresLogReader(database, merchant, vocabulary())
        if position is None:
            position = await position_asked(log, at, world=bool(settings.clock.world))
        async with AsOfDatabase(dsn, merchant, vocabulary(), (projection,)) as past:
            there = await past.move(position)
            store = PostgresRows(past, merchant)
            if key:
                row = (await store.fetch([(projection.name, key)])).get((projection.name, key))
                rows = [] if row is None else [(key, row)]
            else:
                rows = await store.rows(projection.name)
    if key and not rows:
        raise NotFound(f"{projection.name} has no {key!r} as of position {position:,}")
    _show(projection, there, rows, whole=bool(key), json=json)


def position_of(at: str) -> int | None:
    """The position that was asked for; None when it was a time, or nothing."""
    if not at.startswith("#"):
        return None
    if not at[1:].isascii() or not at[1:].isdecimal():
        raise Misuse(f"{at!r} is no position: give one like #1234")
    return int(at[1:])


async def position_asked(log: LogReader, at: str, *, world: bool) -> int:
    """Where the log ended at a time as people write it; at its head without one."""
    head = (await log.head()).position
    if not at:
        return head
    now = real_now()
    if world and head:  # recorded in a sandbox's time: its today is the newest event's
        async for page in log.read(head - 1, to=head):
            now = page[-1].recorded_at
    return await position_at(log, moment_of(at, now))


def moment_of(text: str, now: datetime) -> datetime:
    """A time as people write it. Without a zone it is London's; without a date it is today's.

    Of a time that comes twice, when the clocks go back, the second one is meant: by then all of
    the first was known too. Raises Misuse.
    """
    try:
        if WALL_TIME.match(text):
            clock = time.fromisoformat(text if text[1] != ":" else f"0{text}")
            wall = datetime.combine(now.astimezone(LONDON).date(), clock)
        else:
            wall = datetime.fromisoformat(text)
    except ValueError:
        raise Misuse(
            f'{text!r} is no time: give one like "14:03", "2026-10-31 23:59", '
            '"2026-10-31T23:59:00Z", or a position like #1234'
        ) from None
    aware = wall if wall.tzinfo is not None else wall.replace(tzinfo=LONDON, fold=1)
    return aware.astimezone(UTC)


def _show(
    projection: Projection[Any],
    there: Moment,
    rows: Sequence[tuple[str, bytes]],
    *,
    whole: bool,
    json: bool,
) -> None:
    recorded = "" if there.recorded_at is None else f", recorded {there.recorded_at:%F %T}Z"
    typer.echo(
        printable(
            f"{projection.name} as of position {there.position:,}{recorded}: {len(rows):,} rows"
        ),
        err=True,
    )
    for key, data in rows:
        row = data.decode()
        if json:
            said = {
                "projection": projection.name,
                "position": there.position,
                "key": key,
                **msgspec.json.decode(row, type=dict[str, msgspec.Raw]),
            }
            typer.echo(json_line(said))
        elif whole:
            typer.echo(json_spelt_out(msgspec.json.format(row, indent=2)))
        else:
            typer.echo(printable(f"{projection.state_of(projection.entry(data)):<16} {key}"))
