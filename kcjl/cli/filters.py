"""Which events `kcjl log tail` shows: the options, and what they ask of the log.

Promises: what can't be meant (a time that is none, two directions) is one clear line; a list
that was cut says so. Events are shown as they are stored, also those of another version.
Called by `kcjl/cli/log.py`.
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from kcjl.cli.places import printable
from kcjl.errors import Misuse
from kcjl.log.chain import Entry
from kcjl.log.port import PAGE_EVENTS_MAX, LogQueries, Recorded, Selection
from kcjl.readmodels import EventRow

__all__ = [
    "Backward",
    "Since",
    "Stream",
    "Types",
    "Until",
    "asked",
    "fits",
    "is_over",
    "moment",
    "newest",
    "row_of",
]

Types = Annotated[
    list[str] | None,
    typer.Option("--type", "-t", help="Only events of this type; can be given several times."),
]
Stream = Annotated[
    str, typer.Option("--stream", "-s", help="Only this stream, e.g. order-700123456-A.")
]
Since = Annotated[
    str,
    typer.Option(
        "--since", help="Recorded then or later: 2026-10-01, 2026-10-01T14:03; UTC if not said."
    ),
]
Until = Annotated[str, typer.Option("--until", help="Recorded before then.")]
Backward = Annotated[bool, typer.Option("--backward", help="Newest first.")]


def asked(
    types: list[str] | None,
    stream: str,
    since: str,
    until: str,
    *,
    backward: bool,
    follow: bool,
) -> Selection:
    """What the options ask for. Raises Misuse, which names the option."""
    if backward and follow:
        raise Misuse("--backward and --follow go two ways: give one of them")
    wanted = Selection(
        stream=stream or None,
        types=tuple(types or ()),
        since=moment("--since", since),
        until=moment("--until", until),
        backward=backward,
    )
    if wanted.since and wanted.until and wanted.since >= wanted.until:
        raise Misuse(f"nothing is recorded since {since} and before {until}: mend one of them")
    return wanted


async def newest(queries: LogQueries, asked: Selection, *, to: int, lines: int) -> list[Entry]:
    """The newest so many that match, in the order that was asked for."""
    found: list[Entry] = []
    page = min(lines + 1, PAGE_EVENTS_MAX)
    selection = msgspec.structs.replace(asked, to=to, backward=True, page=page)
    async for entries in queries.entries(selection):
        found.extend(entries)
        if len(found) > lines:
            break
    if len(found) > lines and (asked.types or asked.stream or asked.since or asked.until):
        typer.echo(
            printable(f"the newest {lines:,} of more that match; --lines shows more"), err=True
        )
    del found[lines:]
    return found if asked.backward else found[::-1]


def fits(asked: Selection, recorded: Recorded) -> bool:
    """Is an event that came later one of those that were asked for?"""
    return (
        (asked.stream is None or recorded.stream == asked.stream)
        and (not asked.types or recorded.type in asked.types)
        and (asked.since is None or recorded.recorded_at >= asked.since)
        and not is_over(asked, recorded)
    )


def is_over(asked: Selection, recorded: Recorded) -> bool:
    """Can nothing that follows be one of those that were asked for?"""
    return asked.until is not None and recorded.recorded_at >= asked.until


def row_of(event: Entry | Recorded) -> EventRow:
    return EventRow(
        position=event.position,
        type=event.type,
        stream=event.stream,
        revision=event.revision,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        by=event.by,
        correlation_id=event.correlation_id,
        causation=event.causation,
        data=event.data.decode(),
        hash=event.hash.hex(),
    )


def moment(option: str, text: str) -> datetime | None:
    """A time as an option gives it; UTC if it does not say. Raises Misuse."""
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Misuse(
            f"{option} {text!r} is no time: write it like 2026-10-01 or 2026-10-01T14:03Z"
        ) from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
