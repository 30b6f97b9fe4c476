"""Exceptions (6): the work list, with what happened and what to do.

Promises: the service's order of urgency is kept; a cut list says its whole length.
Called by the app.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from textual.message import Message
from textual.widget import Widget

from kcjl.readmodels import Cut, ExceptionRow, ExceptionStory
from tui.actions import Scope
from tui.bindings import bindings
from tui.messages import ExceptionRead, ExceptionsRead, ReadWanted
from tui.model.exceptions import (
    EXCEPTION_COLUMNS,
    EXCEPTION_FIELDS,
    exception_detail,
    exception_key,
    exception_proposal,
    exception_row,
    exceptions_title,
    matching_exceptions,
)
from tui.model.manual import page_text
from tui.model.plain import plain
from tui.model.shapes import Cell, Column, DetailView, Row, Tone
from tui.screens.base import Read, read_overview
from tui.screens.listing import ListScreen
from tui.source import Source
from tui.state import MonitorState
from tui.widgets.strips import Preview

__all__ = ["ExceptionsScreen"]

EXCEPTIONS_MAX = 500
"""Rows asked for: more than a shift can work through; the rest is counted in the title."""


class ExceptionsScreen(ListScreen[ExceptionRow], inherit_bindings=False):
    BINDINGS = bindings(Scope.LISTS, Scope.EXCEPTIONS)
    place = "exceptions"
    pane = "exceptions"
    tells = True

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, EXCEPTION_FIELDS)
        self.cut: Cut | None = None
        self.story: ExceptionStory | None = None
        """All about the one that is open."""
        self.storm = ""
        """The kind that is opened out."""

    def compose_body(self) -> Iterable[Widget]:
        yield from super().compose_body()
        yield Preview()

    def columns(self) -> Sequence[Column]:
        return EXCEPTION_COLUMNS

    def key_of(self, item: ExceptionRow) -> str:
        return exception_key(item)

    def row_of(self, item: ExceptionRow) -> Row:
        return exception_row(item, self.state.now())

    def detail_of(self, item: ExceptionRow) -> DetailView:
        return exception_detail(item, self.state.now(), self.state.zone, self.story)

    def items(self) -> Sequence[ExceptionRow]:
        return () if self.cut is None else self.cut.exceptions

    def matching(self) -> Sequence[ExceptionRow]:
        return matching_exceptions(self.cut, self.wanted, self.state.now())

    def read_at(self) -> datetime | None:
        return None if self.cut is None else self.cut.fresh.now

    def list_title(self, matching: int | None) -> str:
        title = exceptions_title(self.cut, matching)
        return f"Storm of {self.storm}: {title} (o: the whole desk)" if self.storm else title

    def nothing_text(self) -> str:
        return "● No open exceptions: nothing needs a person."

    def forget(self) -> None:
        self.cut = self.story = None

    def reads(self) -> Sequence[Read]:
        return (self._read_exceptions, self._read_story, read_overview)

    async def _read_exceptions(self, source: Source) -> Message:
        return ExceptionsRead(
            await source.exceptions(state="open", kind=self.storm, limit=EXCEPTIONS_MAX)
        )

    async def _read_story(self, source: Source) -> Message:
        opened = self.opened
        if opened is None or opened.folded > 1:
            return ExceptionRead(None)
        return ExceptionRead(await source.exception(opened.exception_id))

    def on_exceptions_read(self, message: ExceptionsRead) -> None:
        self.cut = message.cut
        self.refresh_view()

    def on_exception_read(self, message: ExceptionRead) -> None:
        self.story = message.story
        self.show_detail()

    def manual_page(self) -> str:
        item = self.opened or self.table.cursor_item
        return "" if item is None else page_text(item.kind)

    def action_desk(self, verb: str) -> None:
        """Of the marked rows, or of the one under the cursor."""
        self.propose(self.of_chosen(partial(exception_proposal, verb)))

    def action_storm(self) -> None:
        item = self.table.cursor_item
        self.storm = item.kind if not self.storm and item and item.folded > 1 else ""
        self.cut = None
        self.refresh_view()
        self.post_message(ReadWanted())

    def show_detail(self) -> None:
        """The preview is the short form of the detail."""
        super().show_detail()
        item = self.table.cursor_item
        lines = (
            ()
            if item is None
            else (
                (Cell("  happened  ", Tone.MUTED), Cell(plain(item.message))),
                (Cell("  next step ", Tone.MUTED), Cell(plain(item.next_step), Tone.ACCENT)),
            )
        )
        preview = self.query_one(Preview)
        preview.stale = self.state.stale
        preview.show(lines)
