"""A list of rows by key: the cursor, the marks and the scroll stay where they were.

Promises: only the rows in sight are drawn or turned into cells, so a list of thousands costs
what a screenful costs; the list follows its tail only when the cursor was on the last row and
in sight; nothing scrolls sideways. It sorts and filters nothing.
Invariant: after `show`, the cursor is on the same key as before, if that key is still there.
Called by the list screens.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.actions import Scope
from tui.bindings import bindings
from tui.model.columns import Fitted, column_gap, fit
from tui.model.shapes import Column, Row, Tone
from tui.widgets.drawing import TONE_CLASSES, fit_text, wrap_text

__all__ = ["RowTable"]

T = TypeVar("T")

_GUTTER = 2
"""Cells at the left for the cursor's and the mark's sign."""


class RowTable(ScrollView, Generic[T], can_focus=True, inherit_bindings=False):
    """Rows of `T`, drawn through `row_of`, known by `key_of`."""

    BINDINGS = bindings(Scope.TABLE)
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES | {
        "row-table--head",
        "row-table--cursor",
        "row-table--cursor-blurred",
        "row-table--vacancy",
    }

    stale: reactive[bool] = reactive(default=False)

    class Opened(Message):
        """The operator wants to see all about a row."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Moved(Message):
        """The cursor is on another row: the operator moved it, or its row has left."""

        def __init__(self, *, by_operator: bool) -> None:
            super().__init__()
            self.by_operator = by_operator

    class TopPassed(Message):
        """The operator went up from the first row."""

    class CopyWanted(Message):
        """The operator wants these keys on the clipboard."""

        def __init__(self, keys: tuple[str, ...]) -> None:
            super().__init__()
            self.keys = keys

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        key_of: Callable[[T], str],
        row_of: Callable[[T], Row],
        follow: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.marks: frozenset[str] = frozenset()
        self._key_of = key_of
        self._row_of = row_of
        self._follow = follow
        self._items: Sequence[T] = ()
        self._places: dict[str, int] = {}
        self._cursor = 0
        self._vacancy = ""
        self._wanted = [0] * len(self.columns)
        self._fitted: tuple[Fitted, ...] = ()
        self._fitted_width = 0
        self._gap = 1
        self._page = 1
        """Rows in sight below the head, as of the last resize."""

    # ── what it holds ──────────────────────────────────────────────────────────────────────

    @property
    def cursor_key(self) -> str | None:
        return self._key_of(self._items[self._cursor]) if self._items else None

    @property
    def cursor_item(self) -> T | None:
        return self._items[self._cursor] if self._items else None

    @property
    def following(self) -> bool:
        """New rows at the end will be shown: the cursor is on the last one, in sight."""
        if not self._follow:
            return False
        return self._cursor >= len(self._items) - 1 and self._in_sight(self._cursor)

    def show(
        self, items: Sequence[T], *, vacancy: str, columns: Sequence[Column] | None = None
    ) -> None:
        """Take new rows; `vacancy` is said when there are none."""
        following = self.following
        key, old = self.cursor_key, self._cursor
        if columns is not None and tuple(columns) != self.columns:
            self.columns = tuple(columns)
            self._wanted = [0] * len(self.columns)
        self._items = items
        self._places = {self._key_of(item): place for place, item in enumerate(items)}
        self.marks = frozenset(mark for mark in self.marks if mark in self._places)
        self._vacancy = vacancy
        kept = self._places.get(key) if key is not None else None
        last = max(0, len(items) - 1)
        self._cursor = last if following else min(old, last) if kept is None else kept
        self.virtual_size = Size(self.size.width, len(items) + 1)
        self._settle(following=following, moved=0 if kept is None else kept - old)
        self._measure()
        self.refresh()
        if self.cursor_key != key:
            self.post_message(self.Moved(by_operator=False))

    def clear_marks(self) -> None:
        self.marks = frozenset()
        self.refresh()

    # ── actions ────────────────────────────────────────────────────────────────────────────

    def action_cursor_up(self) -> None:
        self._go_up(self._cursor - 1)

    def action_cursor_down(self) -> None:
        self._go(self._cursor + 1)

    def action_cursor_page_up(self) -> None:
        self._go_up(self._cursor - self._page)

    def action_cursor_page_down(self) -> None:
        self._go(self._cursor + self._page)

    def action_cursor_first(self) -> None:
        self._go_up(0, at_once=True)

    def action_cursor_last(self) -> None:
        self._go(len(self._items) - 1)

    def action_mark(self) -> None:
        key = self.cursor_key
        if key is not None:
            self.marks = self.marks ^ {key}
            self._go(self._cursor + 1)
            self.refresh()

    def action_open_row(self) -> None:
        key = self.cursor_key
        if key is not None:
            self.post_message(self.Opened(key))

    def action_copy(self) -> None:
        marked = tuple(key for key in self._places if key in self.marks)
        key = self.cursor_key
        keys = marked or ((key,) if key is not None else ())
        if keys:
            self.post_message(self.CopyWanted(keys))

    # ── drawing ────────────────────────────────────────────────────────────────────────────

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        if width != self._fitted_width:
            self._fit(width)
        if y == 0:
            return self._head(width, base)
        place = y - 1 + self.scroll_offset.y
        if not self._items:
            return self._vacant_line(y, width, base)
        if place >= len(self._items):
            return Strip.blank(width, base)
        return self._line(place, width, base)

    def _head(self, width: int, base: Style) -> Strip:
        style = base + self.get_component_rich_style("row-table--head", partial=True)
        texts = [
            fit_text(
                self.columns[fitted.index].title,
                fitted.width,
                right=self.columns[fitted.index].right,
            )
            for fitted in self._fitted
        ]
        text = " " * _GUTTER + (" " * self._gap).join(texts)
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)

    def _line(self, place: int, width: int, base: Style) -> Strip:
        row = self._row_of(self._items[place])
        at_cursor = place == self._cursor
        if at_cursor:
            name = "cursor" if self.has_focus else "cursor-blurred"
            base = base + self.get_component_rich_style(f"row-table--{name}", partial=True)
        sign = "*" if row.key in self.marks else " "
        segments = [Segment(f"{'›' if at_cursor else ' '}{sign}", base)]
        for number, fitted in enumerate(self._fitted):
            cell = row.cells[fitted.index]
            column = self.columns[fitted.index]
            plain_here = at_cursor and self.has_focus and not self.stale
            style = base if plain_here else base + self._tone(cell.tone)
            if number:
                segments.append(Segment(" " * self._gap, base))
            segments.append(
                Segment(fit_text(cell.text, fitted.width, right=column.right), style)
            )
        return Strip(segments).adjust_cell_length(width, base)

    def _vacant_line(self, y: int, width: int, base: Style) -> Strip:
        lines = wrap_text(self._vacancy, max(1, width - _GUTTER))
        text = lines[y - 2] if 0 <= y - 2 < len(lines) else ""
        style = base + self.get_component_rich_style("row-table--vacancy", partial=True)
        return Strip([Segment(f"{' ' * _GUTTER}{text}", style)]).adjust_cell_length(width, base)

    def _tone(self, tone: Tone) -> Style:
        name = "tone--stale" if self.stale else f"tone--{tone}"
        return self.get_component_rich_style(name, partial=True)

    # ── movement ───────────────────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        self.watch(self, "show_vertical_scrollbar", self._place_thumb)

    def on_resize(self) -> None:
        in_sight = self._in_sight(self._cursor)
        self._page = max(1, self.scrollable_content_region.height - 1)
        if in_sight:
            self._reveal()
        self.virtual_size = Size(self.size.width, len(self._items) + 1)
        self._measure()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._measure()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y == 0:
            return
        place = offset.y - 1 + self.scroll_offset.y
        if place == self._cursor and event.chain > 1:
            self.action_open_row()
        elif place < len(self._items):
            self._go(place)

    def _go_up(self, place: int, *, at_once: bool = False) -> None:
        if self._cursor == 0 and (at_once or place < 0):
            self.post_message(self.TopPassed())
        self._go(place)

    def _go(self, place: int) -> None:
        place = max(0, min(place, len(self._items) - 1))
        before, self._cursor = self._cursor, place
        self._reveal()
        self.refresh_line(before + 1)
        self.refresh_line(place + 1)
        if place != before:
            self.post_message(self.Moved(by_operator=True))

    def _in_sight(self, place: int) -> bool:
        return 0 <= place - self.scroll_offset.y < self._page

    def _reveal(self) -> None:
        """Scroll no more than it takes to have the cursor in sight."""
        top = self.scroll_offset.y
        if self._cursor < top:
            self._scroll_to_row(self._cursor)
        elif self._cursor >= top + self._page:
            self._scroll_to_row(self._cursor - self._page + 1)

    def _settle(self, *, following: bool, moved: int) -> None:
        """After new rows: keep the cursor's line on the glass, but never hide a new top row."""
        top = self.scroll_offset.y
        in_sight = 0 <= self._cursor - moved - top < self._page
        if following:
            self._scroll_to_row(len(self._items))
        elif moved and top > 0:
            self._scroll_to_row(top + moved)
        if in_sight and not following:
            self._reveal()

    def _scroll_to_row(self, row: int) -> None:
        self.scroll_to(y=max(0, row), animate=False, force=True)

    def _place_thumb(self) -> None:
        """A scrollbar that has only just come up does not know where the list is."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = self.scroll_y

    def _measure(self) -> None:
        """Columns grow with what comes into sight and never shrink, so they do not jitter."""
        region = self.scrollable_content_region
        top = self.scroll_offset.y
        for item in self._items[top : top + region.height]:
            for index, cell in enumerate(self._row_of(item).cells):
                self._wanted[index] = max(self._wanted[index], cell_len(cell.text))
        before = self._fitted
        self._fit(region.width)
        if self._fitted != before:
            self.refresh()

    def _fit(self, width: int) -> None:
        self._fitted_width = width
        self._gap = column_gap(width - _GUTTER)
        self._fitted = fit(self.columns, self._wanted, max(1, width - _GUTTER))
