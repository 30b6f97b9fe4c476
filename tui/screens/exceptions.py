"""Exceptions (6): the work list, with what happened and what to do.

Promises: the service's order of urgency is kept; a cut list says its whole length.
Called by the app.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.message import Message
from textual.widget import Widget

from kcjl.readmodels import Cut, ExceptionRow
from tui.actions import Scope
from tui.bindings import bindings
from tui.messages import ExceptionsRead
from tui.model.exceptions import (
    EXCEPTION_COLUMNS,
    EXCEPTION_FIELDS,
    exception_detail,
    exception_key,
    exception_row,
    exceptions_title,
    matching_exceptions,
)
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
    BINDINGS = bindings(Scope.LISTS)
    place = "exceptions"
    pane = "exceptions"

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, EXCEPTION_FIELDS)
        self.cut: Cut | None = None

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
        return exception_detail(item, self.state.now(), self.state.zone)

    def items(self) -> Sequence[ExceptionRow]:
        return () if self.cut is None else self.cut.exceptions

    def matching(self) -> Sequence[ExceptionRow]:
        return matching_exceptions(self.cut, self.wanted, self.state.now())

    def read_at(self) -> datetime | None:
        return None if self.cut is None else self.cut.fresh.now

    def list_title(self, matching: int | None) -> str:
        return exceptions_title(self.cut, matching)

    def nothing_text(self) -> str:
        return "● No open exceptions: nothing needs a person."

    def forget(self) -> None:
        self.cut = None

    def reads(self) -> Sequence[Read]:
        return (_read_exceptions, read_overview)

    def on_exceptions_read(self, message: ExceptionsRead) -> None:
        self.cut = message.cut
        self.refresh_view()

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


async def _read_exceptions(source: Source) -> Message:
    return ExceptionsRead(await source.exceptions(state="open", limit=EXCEPTIONS_MAX))
