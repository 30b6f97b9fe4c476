"""All about one thing, in a pane that scrolls: named facts, and blocks under their names.

Promises: long text wraps and is never cut; while the same thing is shown the scroll stays.
Called by the list screens.
"""

from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.actions import Scope
from tui.bindings import bindings
from tui.model.shapes import Cell, DetailLine, DetailView, TextLine, Tone
from tui.widgets.drawing import TONE_CLASSES, titled, wrap_text

__all__ = ["DetailPane"]

_LABEL_WIDTH = 13


class DetailPane(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a `DetailView`."""

    BINDINGS = bindings(Scope.DETAIL)
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    pane = "detail"

    stale: reactive[bool] = reactive(default=False)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._view: DetailView | None = None
        self._lines: tuple[TextLine, ...] = ()

    @property
    def view(self) -> DetailView | None:
        return self._view

    def show(self, view: DetailView) -> None:
        if self._view is None or self._view.key != view.key:
            self.scroll_to(y=0, animate=False, force=True)
        self._view = view
        self.border_title = titled(Cell(view.title))
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        place = y + self.scroll_offset.y
        line = self._lines[place] if place < len(self._lines) else ()
        base = self.rich_style
        segments = [
            Segment(
                cell.text,
                base
                + self.get_component_rich_style(
                    "tone--stale" if self.stale else f"tone--{cell.tone}", partial=True
                ),
            )
            for cell in line
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _lay_out(self) -> None:
        region = self.scrollable_content_region
        width = max(8, region.width)
        self._lines = () if self._view is None else _laid_out(self._view, width)
        bar = 0 if self.show_vertical_scrollbar else self.styles.scrollbar_size_vertical
        if self._view is not None and bar and len(self._lines) > region.height:
            # The bar that is about to come takes its room from the text.
            self._lines = _laid_out(self._view, max(8, width - bar))
        self.virtual_size = Size(self.size.width, len(self._lines))
        self.refresh()


def _laid_out(view: DetailView, width: int) -> tuple[TextLine, ...]:
    lines: list[TextLine] = []
    if view.note:
        lines += [(Cell(text, Tone.WARN),) for text in wrap_text(f"▲ {view.note}", width)]
        lines.append(())
    for fact in view.lines:
        if fact.block and lines and lines[-1]:
            lines.append(())
        if fact.block and not fact.value:
            lines.append((Cell(fact.label, Tone.ACCENT),))
        elif fact.block:
            lines.append((Cell(fact.label, Tone.MUTED),))
            lines += [(Cell(text, fact.tone),) for text in wrap_text(fact.value, width)]
            lines.append(())
        else:
            lines += _named(fact, width)
    return tuple(lines)


def _named(fact: DetailLine, width: int) -> list[TextLine]:
    texts = wrap_text(fact.value, max(8, width - _LABEL_WIDTH))
    labels = [fact.label, *("" for _ in texts[1:])]
    return [
        (Cell(f"{label:<{_LABEL_WIDTH}}", Tone.MUTED), Cell(text, fact.tone))
        for label, text in zip(labels, texts, strict=True)
    ]
