"""Overview (1): the lanes of the trade, and the latest events.

Promises: a lane that is not reported says so; a lane that we do not know of is shown too.
Called by the app.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from kcjl.readmodels import EventRow
from tui.messages import EventsRead
from tui.model.log import (
    EVENT_FIELDS,
    EventWindow,
    event_columns,
    event_detail,
    event_key,
    event_row,
    log_title,
)
from tui.model.overview import lane_names, lane_view
from tui.model.shapes import Column, DetailView, Row
from tui.screens.base import Read, read_overview
from tui.screens.listing import ListScreen
from tui.source import Source
from tui.state import MonitorState
from tui.widgets.lane import LanePane

__all__ = ["OverviewScreen"]

FEED_EVENTS = 100
"""Events in the feed: more than any terminal has lines; the log screen has the rest."""


class OverviewScreen(ListScreen[EventRow], inherit_bindings=False):
    place = "overview"
    pane = "feed"
    follow = True
    filterable = False

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, EVENT_FIELDS)
        self.window = EventWindow()
        self._read_at: datetime | None = None

    def compose_body(self) -> Iterable[Widget]:
        with Container(id="lanes"):
            for name in lane_names(self.state.overview):
                yield LanePane(name)
        yield from super().compose_body()

    def columns(self) -> Sequence[Column]:
        return event_columns(self.state.zone, self.state.now())

    def key_of(self, item: EventRow) -> str:
        return event_key(item)

    def row_of(self, item: EventRow) -> Row:
        return event_row(item, self.state.now(), self.state.zone)

    def detail_of(self, item: EventRow) -> DetailView:
        return event_detail(item, self.state.zone)

    def items(self) -> Sequence[EventRow]:
        return self.window.events

    def matching(self) -> Sequence[EventRow]:
        return self.window.events

    def read_at(self) -> datetime | None:
        return self._read_at

    def list_title(self, matching: int | None) -> str:
        head = None if self.state.overview is None else self.state.overview.fresh.position
        return f"Latest: {log_title(self.window, head=head, matching=matching)}"

    def nothing_text(self) -> str:
        return "The log is empty: nothing has happened yet."

    def forget(self) -> None:
        self.window = EventWindow()
        self._read_at = None

    def reads(self) -> Sequence[Read]:
        return (read_overview, _read_feed)

    def on_events_read(self, message: EventsRead) -> None:
        self._read_at = message.at
        self.window = EventWindow(events=message.page)
        self.refresh_view()

    def show_body(self) -> None:
        self._show_lanes()
        super().show_body()

    def _show_lanes(self) -> None:
        state = self.state
        panes = {pane.lane: pane for pane in self.query(LanePane)}
        for name in lane_names(state.overview):
            pane = panes.get(name)
            if pane is None:
                pane = LanePane(name)
                self.query_one("#lanes").mount(pane)
            view = lane_view(
                name,
                state.overview,
                before=state.overview_before,
                now=state.now(),
                limits=state.limits,
            )
            reading = self.vacancy(nothing="Reading…")
            vacancy = reading if state.overview is None else "not reported by the service"
            pane.stale = state.stale
            pane.show(view, vacancy=vacancy)


async def _read_feed(source: Source) -> Message:
    at = source.now()
    return EventsRead(await source.events(limit=FEED_EVENTS), at=at)
