"""Log (7): every event, following the newest while one is at the bottom.

Promises: what is on screen is one unbroken run of the log; while one reads further up, nothing
moves; older events are read only when one asks, by going up from the top.
Called by the app.
"""

from collections.abc import Sequence
from datetime import datetime

from textual import on
from textual.message import Message

from kcjl.readmodels import EventRow
from tui.actions import Scope
from tui.bindings import bindings
from tui.messages import EventsRead, ReadWanted
from tui.model.log import (
    EVENT_FIELDS,
    EventWindow,
    event_columns,
    event_detail,
    event_key,
    event_row,
    log_title,
    matching_events,
)
from tui.model.shapes import Cell, Column, DetailView, Row, Tone
from tui.screens.base import Read, read_overview
from tui.screens.listing import ListScreen
from tui.source import Source
from tui.state import MonitorState
from tui.widgets.row_table import RowTable

__all__ = ["LogScreen"]

PAGE_EVENTS = 500
"""Events in one read: some screenfuls, far below what the log refuses."""


class LogScreen(ListScreen[EventRow], inherit_bindings=False):
    BINDINGS = bindings(Scope.LISTS)
    place = "log"
    pane = "log"
    follow = True

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, EVENT_FIELDS)
        self.window = EventWindow()
        self._read_at: datetime | None = None
        self._older_wanted = False

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
        return matching_events(self.window, self.wanted, self.state.now())

    def read_at(self) -> datetime | None:
        return self._read_at

    def list_title(self, matching: int | None) -> str:
        return log_title(self.window, head=self._head(), matching=matching)

    def nothing_text(self) -> str:
        return "The log is empty: nothing has happened yet."

    def standing(self) -> Cell:
        if not self.window.events:
            return Cell("")
        if self.table.following:
            return Cell("following", Tone.GOOD)
        missing = max(0, (self._head() or 0) - (self.window.last or 0))
        newer = f", {missing:,} newer not loaded" if missing else ""
        return Cell(f"held{newer}: G follows", Tone.WARN)

    def forget(self) -> None:
        self.window = EventWindow()
        self._read_at = None
        self._older_wanted = False

    def reads(self) -> Sequence[Read]:
        return (self._read_older, self._read_newer, read_overview)

    async def _read_newer(self, source: Source) -> Message:
        """What follows the window; the newest page at first, or when too much has come."""
        at = source.now()
        following = self.table.following
        if self.window.last is None:
            return EventsRead(await source.events(limit=PAGE_EVENTS), at=at)
        if self.window.full and not following:
            return EventsRead((), at=at)
        page = await source.events(after=self.window.last, limit=PAGE_EVENTS)
        if following and len(page) >= PAGE_EVENTS:
            page = await source.events(limit=PAGE_EVENTS)
        return EventsRead(page, at=at)

    async def _read_older(self, source: Source) -> Message:
        at = source.now()
        first = self.window.first
        if not self._older_wanted or first is None or first <= 1:
            return EventsRead((), at=at, older=True)
        page = await source.events(before=first, limit=PAGE_EVENTS)
        return EventsRead(page, at=at, older=True)

    def on_events_read(self, message: EventsRead) -> None:
        if message.older:
            self._older_wanted = False
            self.window = self.window.with_older(message.page)
        else:
            self._read_at = message.at
            self.window = self.window.with_newer(
                message.page, keep_oldest=not self.table.following
            )
        self.refresh_view()

    @on(RowTable.TopPassed)
    def _on_top_passed(self) -> None:
        if self.window.first is None or self.window.first <= 1 or self._older_wanted:
            return
        if self.state.paused:
            self.notify("Paused: older events are read when live again (p).", markup=False)
            return
        self._older_wanted = True
        self.post_message(ReadWanted())

    def _head(self) -> int | None:
        overview = self.state.overview
        return None if overview is None else overview.fresh.position
