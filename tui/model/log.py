"""The event log as a list: a window onto it that grows at both ends, and one event in full.

Promises: the window is one unbroken run of positions, oldest first, of a bounded length; what
it leaves out is said in its title. Payloads are re-indented, never re-typed, so figures stay as
they were written. Called by the log screen and by the overview's feed.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from kcjl.readmodels import EventRow
from tui.model.amounts import count_text
from tui.model.filtering import Filter, FilterFields
from tui.model.moments import Zone, clock_text, full_text, zone_name
from tui.model.plain import plain, plain_block
from tui.model.shapes import Cell, Column, DetailLine, DetailView, Row, Tone

__all__ = [
    "EVENT_FIELDS",
    "WINDOW_EVENTS_MAX",
    "EventWindow",
    "event_columns",
    "event_detail",
    "event_key",
    "event_row",
    "log_title",
    "matching_events",
]

WINDOW_EVENTS_MAX = 5_000
"""Events kept in the terminal: a few megabytes; older ones are read again when asked for."""

_PAYLOAD_CHARACTERS_MAX = 65_536
"""Of one payload in the detail pane; a longer one says how long it is."""

_GIST_CHARACTERS_MAX = 600
"""Of a payload, before its wrapping is taken off: more than a line shows."""

_WRAPPING = re.compile(r'^\{("occurred_at":"[^"]*",?)?|\}$')

EVENT_FIELDS: FilterFields[EventRow] = FilterFields(
    texts={
        "type": lambda event: event.type,
        "stream": lambda event: event.stream,
        "by": lambda event: event.by,
        "correlation": lambda event: event.correlation_id,
        "data": lambda event: event.data,
        "hash": lambda event: event.hash,
    },
    measures={
        "position": lambda event, _now: Decimal(event.position),
        "cause": lambda event, _now: (
            None if event.causation is None else Decimal(event.causation)
        ),
        "revision": lambda event, _now: Decimal(event.revision),
        "age": lambda event, now: Decimal(int((now - event.recorded_at).total_seconds())),
    },
    aliases={"pos": "position", "corr": "correlation", "payload": "data", "rev": "revision"},
)


class EventWindow(msgspec.Struct, frozen=True, kw_only=True):
    """An unbroken run of the log, oldest first."""

    events: tuple[EventRow, ...] = ()

    @property
    def first(self) -> int | None:
        return self.events[0].position if self.events else None

    @property
    def last(self) -> int | None:
        return self.events[-1].position if self.events else None

    @property
    def full(self) -> bool:
        return len(self.events) >= WINDOW_EVENTS_MAX

    def with_newer(self, page: Sequence[EventRow], *, keep_oldest: bool) -> "EventWindow":
        """With what follows the last event; a page that does not join replaces the window.

        Over the bound the oldest leave, or, when the reader is up there, the newest are left
        out and read again later.
        """
        fresh = tuple(e for e in page if self.last is None or e.position > self.last)
        if not fresh:
            return self
        if self.last is not None and fresh[0].position != self.last + 1:
            return EventWindow(events=fresh[-WINDOW_EVENTS_MAX:])
        events = self.events + fresh
        if keep_oldest:
            return EventWindow(events=events[:WINDOW_EVENTS_MAX])
        return EventWindow(events=events[-WINDOW_EVENTS_MAX:])

    def with_older(self, page: Sequence[EventRow]) -> "EventWindow":
        """With what precedes the first event; over the bound the newest leave."""
        older = tuple(e for e in page if self.first is None or e.position < self.first)
        if not older or (self.first is not None and older[-1].position != self.first - 1):
            return self
        return EventWindow(events=(older + self.events)[:WINDOW_EVENTS_MAX])


def event_columns(zone: Zone, now: datetime) -> tuple[Column, ...]:
    """The head of the time column names the zone."""
    return (
        Column(title="#", width_min=6, width_max=12, right=True),
        Column(title=f"TIME {zone_name(now, zone)}", width_min=8, width_max=16),
        Column(title="TYPE", width_min=18, width_max=32),
        Column(title="STREAM", width_min=18, width_max=36),
        Column(title="BY", width_min=8, width_max=20, rank=1),
        Column(title="CAUSE", width_min=7, width_max=12, rank=3, right=True),
        Column(title="REV", width_min=3, width_max=6, rank=4, right=True),
        Column(title="PAYLOAD", width_min=36, width_max=400, rank=2),
    )


def event_key(event: EventRow) -> str:
    return str(event.position)


def event_row(event: EventRow, now: datetime, zone: Zone) -> Row:
    cause = "-" if event.causation is None else f"#{count_text(event.causation)}"
    return Row(
        key=str(event.position),
        cells=(
            Cell(count_text(event.position), Tone.MUTED),
            Cell(clock_text(event.recorded_at, zone, now)),
            Cell(plain(event.type), Tone.ACCENT),
            Cell(plain(event.stream)),
            Cell(plain(event.by), Tone.MUTED),
            Cell(cause, Tone.MUTED),
            Cell(count_text(event.revision), Tone.MUTED),
            Cell(_gist(event.data), Tone.MUTED),
        ),
    )


def matching_events(
    window: EventWindow, wanted: Filter[EventRow], now: datetime
) -> tuple[EventRow, ...]:
    if not wanted:
        return window.events
    return tuple(event for event in window.events if wanted.matches(event, now))


def log_title(window: EventWindow, *, head: int | None, matching: int | None) -> str:
    """Which part of the log is in the window, and how much of it the filter lets through."""
    if window.first is None or window.last is None:
        return "Log"
    held = count_text(len(window.events))
    whole = count_text(max(head or 0, window.last))
    part = f"last {held} of {whole} events"
    if head is not None and head > window.last:
        part = f"#{count_text(window.first)}-{count_text(window.last)} of {whole} events"
    if window.first == 1 and (head is None or head <= window.last):
        part = f"{held} events"
    return part if matching is None else f"{count_text(matching)} match in the {part}"


def event_detail(event: EventRow, zone: Zone) -> DetailView:
    cause = "nothing: it came from outside, or from the clock"
    if event.causation is not None:
        cause = f"#{count_text(event.causation)}"
    return DetailView(
        key=str(event.position),
        title=f"#{count_text(event.position)} {plain(event.type)}",
        lines=(
            DetailLine(label="type", value=plain(event.type), tone=Tone.ACCENT),
            DetailLine(label="stream", value=plain(event.stream)),
            DetailLine(label="revision", value=count_text(event.revision)),
            DetailLine(label="occurred", value=full_text(event.occurred_at, zone)),
            DetailLine(label="recorded", value=full_text(event.recorded_at, zone)),
            DetailLine(label="by", value=plain(event.by)),
            DetailLine(label="caused by", value=cause),
            DetailLine(label="correlation", value=plain(event.correlation_id)),
            DetailLine(label="payload", value=pretty_json(event.data), block=True),
            DetailLine(label="hash", value=plain(event.hash), tone=Tone.MUTED, block=True),
        ),
    )


def pretty_json(data: str) -> str:
    """Indented text of the payload; what is no JSON is shown as it is, and says so."""
    try:
        text = msgspec.json.format(data, indent=2)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return f"(not JSON)\n{_bounded(data)}"
    return _bounded(text)


def _gist(data: str) -> str:
    """The payload on one line: without its braces, and without the time that it begins with."""
    return plain(_WRAPPING.sub("", data[:_GIST_CHARACTERS_MAX]))


def _bounded(text: str) -> str:
    if len(text) <= _PAYLOAD_CHARACTERS_MAX:
        return plain_block(text)
    whole = count_text(len(text))
    first = count_text(_PAYLOAD_CHARACTERS_MAX)
    return (
        f"{plain_block(text[:_PAYLOAD_CHARACTERS_MAX])}\n… first {first} of {whole} characters"
    )
