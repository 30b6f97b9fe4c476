"""A screen around one list: the table, its detail pane, and its filter line.

Promises: the detail follows the cursor while both are seen, keeps the last known facts when the
row has left, and says so; the filter in force is always on screen; back leaves one thing at a
time: filter line, detail, filter, marks.
Called by the overview, the exceptions and the log, which say what the rows are.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from textual import on
from textual.containers import Container
from textual.widget import Widget

from tui.messages import ReadWanted
from tui.model.filtering import Filter, FilterFields
from tui.model.freshness import age_cell
from tui.model.proposal import Proposal
from tui.model.shapes import Cell, Column, DetailView, Row, Tone
from tui.model.sorting import Sorting
from tui.screens.base import MonitorScreen
from tui.state import MonitorState
from tui.widgets.detail import DetailPane
from tui.widgets.drawing import titled
from tui.widgets.filter_bar import FilterBar
from tui.widgets.row_table import RowTable

__all__ = ["NO_ROW", "ListScreen"]

NO_ROW = "there is no row to do it to"

T = TypeVar("T")


class ListScreen(MonitorScreen, Generic[T], inherit_bindings=False):
    """Rows of `T`; subclasses hold them."""

    pane = ""
    """The table's name in the explanations."""
    follow = False
    filterable = True
    tells = False
    """The source is asked for more of the row that is open."""
    searches = False
    """The source is asked for rows with the filter's words that are beyond those held."""

    def __init__(self, state: MonitorState, fields: FilterFields[T]) -> None:
        super().__init__(state)
        self._fields = fields
        self.wanted: Filter[T] = Filter("", fields)
        self.opened: T | None = None
        self.sorting = Sorting()
        self.sought = ""
        """What is to be opened once it has been read."""
        self.table: RowTable[T] = RowTable(
            self.columns(),
            key_of=self.key_of,
            row_of=self.row_of,
            follow=self.follow,
            id="table",
        )
        self.detail = DetailPane(id="detail")
        self.filter_bar = FilterBar()
        self._title = ""
        self._frame: tuple[Cell, ...] = ()

    # ── what a subclass says ───────────────────────────────────────────────────────────────

    @abstractmethod
    def columns(self) -> Sequence[Column]: ...

    @abstractmethod
    def key_of(self, item: T) -> str: ...

    @abstractmethod
    def row_of(self, item: T) -> Row: ...

    @abstractmethod
    def detail_of(self, item: T) -> DetailView: ...

    @abstractmethod
    def items(self) -> Sequence[T]:
        """All rows that are held."""

    @abstractmethod
    def matching(self) -> Sequence[T]:
        """Those that the filter lets through."""

    @abstractmethod
    def read_at(self) -> datetime | None:
        """When what is held was true."""

    @abstractmethod
    def list_title(self, matching: int | None) -> str: ...

    @abstractmethod
    def nothing_text(self) -> str:
        """What an empty list means, once it has been read."""

    def standing(self) -> Cell:
        """A word for the frame about how the list moves."""
        return Cell("")

    # ── drawing ────────────────────────────────────────────────────────────────────────────

    def compose_body(self) -> Iterable[Widget]:
        if self.filterable:
            yield self.filter_bar
        with Container(id="split"):
            yield self.table
            yield self.detail

    def show_body(self) -> None:
        rows = self.sorting.sorted(self.matching(), self.row_of)
        self._open_sought(rows)
        self.table.stale = self.detail.stale = self.state.stale
        self.table.show(rows, vacancy=self._vacancy(rows), columns=self.columns())
        matching = len(rows) if self.wanted else None
        self._title = self.list_title(matching) + self.sorting.caption(self.columns())
        self.show_frame()
        if self.filterable:
            effect = f"{len(rows):,} match · esc clears"
            self.filter_bar.say(" · ".join(self.wanted.notes) or effect)
        self.show_detail()

    def show_frame(self) -> None:
        """The list's frame: how much of it, marks, movement, and the age of what is held."""
        limits = self.state.limits
        age = age_cell(
            self.read_at(),
            self.state.now(),
            ageing_s=limits.pane_ageing_s,
            stale_s=limits.pane_stale_s,
        )
        if self.state.as_of is not None:
            age = Cell("")  # it is as old as it says above
        marks = len(self.table.marks)
        marked = Cell(f"* {marks:,} marked" if marks else "", Tone.ACCENT)
        frame = (Cell(self._title), marked, self.standing(), age)
        if frame != self._frame:  # a new border repaints the whole list
            self._frame = frame
            self.table.border_title = titled(frame[0])
            self.table.border_subtitle = titled(*frame[1:])
            self.detail.border_subtitle = titled(age)

    def crumbs(self) -> tuple[str, ...]:
        opened = () if self.opened is None else (self.detail_of(self.opened).title,)
        return (*super().crumbs(), *opened)

    def _vacancy(self, rows: Sequence[T]) -> str:
        if rows:
            return ""
        if self.read_at() is None:
            return self.vacancy(nothing="Reading…")
        if self.wanted:
            return f"Nothing matches the filter: {self.list_title(0)}. esc clears it."
        return self.nothing_text()

    # ── detail ─────────────────────────────────────────────────────────────────────────────

    @on(RowTable.Opened)
    def _on_opened(self) -> None:
        was_open = self.opened is not None
        self._open(self.table.cursor_item)
        self.refresh_view()
        if was_open or self.has_class("-narrow"):
            self.call_after_refresh(self.detail.focus)

    @on(RowTable.Moved)
    def _on_moved(self, event: RowTable.Moved) -> None:
        beside = self.opened is not None and not self.has_class("-narrow")
        if event.by_operator and beside:
            self._open(self.table.cursor_item or self.opened)
            self.show_header()
        self.show_frame()
        self.show_detail()

    def show_filter(self, raw: str) -> None:
        self.filter_bar.put(raw)

    def show_subject(self, subject: str) -> None:
        """Open it when it is read: the filter holds it until then."""
        self.sought = subject
        self.filter_bar.put(subject)

    def _open_sought(self, rows: Sequence[T]) -> None:
        """The thing by its key, or the only row that names it."""
        wanted = self.sought.lower()
        found = [item for item in rows if self.key_of(item).lower() == wanted] or list(rows)
        if not wanted or self.read_at() is None or len(found) != 1:
            return
        self.sought = ""
        self._open(found[0])

    def _open(self, item: T | None) -> None:
        self.opened = item
        self.add_class("-detail")
        if self.tells:
            self.post_message(ReadWanted())

    def close_detail(self) -> None:
        self.opened = None
        self.remove_class("-detail", "-only-detail")
        self.table.focus()
        self.refresh_view()

    def show_detail(self) -> None:
        if self.opened is None:
            return
        key = self.key_of(self.opened)
        known = next((item for item in self.items() if self.key_of(item) == key), None)
        self.opened = known or self.opened
        view = self.detail_of(self.opened)
        if known is None:
            note = "No longer in the list: these are the last facts that were read."
            view = msgspec.structs.replace(view, note=note)
        self.detail.show(view)

    def chosen(self) -> tuple[T, ...]:
        """The marked rows, or the one under the cursor: what an action is about."""
        if self.table.marks:
            return tuple(row for row in self.matching() if self.key_of(row) in self.table.marks)
        under = self.table.cursor_item
        return () if under is None else (under,)

    def of_chosen(self, make: Callable[[Sequence[T]], Proposal | str]) -> Proposal | str:
        """What is proposed for them, or why nothing can be."""
        chosen = self.chosen()
        return make(chosen) if chosen else NO_ROW

    # ── actions ────────────────────────────────────────────────────────────────────────────

    def action_why(self) -> None:
        """What the row rests on stands in its detail."""
        self.table.action_open_row()

    def action_filter_open(self) -> None:
        self.filter_bar.edit()

    def action_sort(self) -> None:
        self.sorting = self.sorting.next(len(self.columns()))
        self.refresh_view()

    def action_sort_back(self) -> None:
        self.sorting = self.sorting.turned()
        self.refresh_view()

    def action_expand(self) -> None:
        """The pane in front alone: the detail while it has the focus, else the list."""
        detail = self.detail.has_focus and not self.has_class("-only-detail")
        listed = not self.detail.has_focus and not self.has_class("-only-list")
        self.set_class(detail, "-only-detail")
        self.set_class(listed, "-only-list")

    def action_filter_clear(self) -> None:
        self.filter_bar.clear()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter_clear":
            return bool(self.wanted)
        return super().check_action(action, parameters)

    @on(FilterBar.Changed)
    def _on_filter_changed(self, event: FilterBar.Changed) -> None:
        before = self.wanted.find
        self.wanted = Filter(event.raw, self._fields, operator=self.state.operator)
        self.refresh_view()
        if self.searches and self.wanted.find != before:
            self.post_message(ReadWanted())

    @on(FilterBar.Left)
    def _on_filter_left(self) -> None:
        self.table.focus()

    @on(RowTable.CopyWanted)
    def _on_copy(self, event: RowTable.CopyWanted) -> None:
        self.app.copy_to_clipboard("\n".join(event.keys))
        what = "1 id" if len(event.keys) == 1 else f"{len(event.keys):,} ids"
        self.notify(f"{what} copied", markup=False)

    def back(self) -> bool:
        if self.filter_bar.is_mounted and self.filter_bar.editing:
            self.filter_bar.stop(keep=False)
        elif self.opened is not None:
            self.close_detail()
        elif self.wanted:
            self.filter_bar.clear()
        elif self.table.marks:
            self.table.clear_marks()
            self.refresh_view()
        else:
            return False
        return True
