"""Toned text drawn line by line: the ground on which all widgets of the monitor stand.

Promises: text is drawn as it is, never read as markup; every line is exactly as wide as its
place; a tone looks as the theme says, and everything looks stale while `stale` is set.
Invariant: what is drawn went through `tui.model.plain` in the view model.
Called by the other widgets.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.model.shapes import Cell, TextLine, Tone

__all__ = ["TONE_CLASSES", "ToneLines", "fit_text", "titled", "wrap_text"]

TONE_CLASSES = {*(f"tone--{tone}" for tone in Tone), "tone--stale"}


def fit_text(text: str, width: int, *, right: bool = False) -> str:
    """Exactly `width` cells of it; what is cut off shows as …"""
    length = cell_len(text)
    if length > width:
        return set_cell_size(set_cell_size(text, max(0, width - 1)) + "…", width)
    return " " * (width - length) + text if right else text + " " * (width - length)


def wrap_text(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken at blanks where there are any."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _pieces(paragraph):
            if line and cell_len(line) + cell_len(piece.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            line += piece
            if cell_len(line.rstrip()) > width:
                *whole, line = chop_cells(line, max(2, width))
                lines += whole
        lines.append(line.rstrip())
    return lines


def titled(*cells: Cell) -> Content:
    """A border title of toned pieces; no markup is read."""
    pieces = [(cell.text, f"$tone-{cell.tone}") for cell in cells if cell.text]
    spaced = [piece for pair in pieces for piece in (("  ", ""), pair)][1:]
    return Content.assemble(*spaced)


def _pieces(paragraph: str) -> list[str]:
    """Words, each with the blanks after it; the indent goes with the first word."""
    stripped = paragraph.lstrip(" ")
    indent = paragraph[: len(paragraph) - len(stripped)]
    words = stripped.split(" ")
    pieces = [f"{word} " for word in words[:-1]] + words[-1:]
    pieces[0] = indent + pieces[0]
    return pieces


class ToneLines(Widget, inherit_bindings=False):
    """A widget that is a few lines of toned text; subclasses say which."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES

    stale: reactive[bool] = reactive(default=False)
    """The figures can't be refreshed: dim them, do not hide them."""

    def text_lines(self, size: Size) -> Sequence[TextLine]:
        """The lines for a place of that size."""
        raise NotImplementedError(type(self).__name__)

    def render_line(self, y: int) -> Strip:
        lines = self.text_lines(self.size)
        line = lines[y] if y < len(lines) else ()
        base = self.rich_style
        segments = [
            Segment(cell.text, base + self.tone_style(cell.tone)) for cell in line if cell.text
        ]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def tone_style(self, tone: Tone) -> Style:
        name = "tone--stale" if self.stale else f"tone--{tone}"
        return self.get_component_rich_style(name, partial=True)
