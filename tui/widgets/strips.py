"""The one-line strips: the banner when the source is lost, and the hints at the foot.

Promises: the banner takes no room while all is well; there are never more than HINTS_MAX hints,
the weightiest first, and they are those whose keys work now.
Called by every screen.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.geometry import Size

from tui.actions import HINTS_MAX, key_text
from tui.bindings import live_actions
from tui.model.shapes import Cell, TextLine, Tone
from tui.widgets.drawing import ToneLines, fit_text

__all__ = ["Banner", "HintBar", "Preview"]


class Banner(ToneLines):
    """DISCONNECTED, since when, when it is tried again, and why."""

    _text = ""

    def show(self, text: str) -> None:
        self._text = text
        self.display = bool(text)
        self.refresh()

    def text_lines(self, size: Size) -> Sequence[TextLine]:
        return ((Cell(fit_text(f" {self._text}", size.width)),),)


class HintBar(ToneLines):
    """The keys worth knowing here and now."""

    paused = False

    def show(self, *, paused: bool) -> None:
        self.paused = paused
        self.refresh()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.refresh())

    def text_lines(self, size: Size) -> Sequence[TextLine]:
        live = live_actions(self.screen.active_bindings)
        weighty = sorted(
            ((action, keys) for action, keys in live if action.weight),
            key=lambda pair: pair[0].weight,
        )
        line: list[Cell] = []
        for action, keys in weighty[:HINTS_MAX]:
            label = (self.paused and action.label_paused) or action.label
            cells = [Cell(f" {key_text(keys[0])}", Tone.ACCENT), Cell(f" {label} ", Tone.MUTED)]
            if sum(cell_len(cell.text) for cell in (*line, *cells)) > size.width:
                break
            line += cells
        return (tuple(line),)


class Preview(ToneLines):
    """Two lines about the row under the cursor, where the list has no room for them."""

    _lines: tuple[TextLine, ...] = ()

    def show(self, lines: Sequence[TextLine]) -> None:
        self._lines = tuple(lines)
        self.refresh()

    def text_lines(self, size: Size) -> Sequence[TextLine]:
        return tuple(_clipped(line, size.width) for line in self._lines)


def _clipped(line: TextLine, width: int) -> TextLine:
    """The last piece gives way."""
    used = sum(cell_len(cell.text) for cell in line[:-1])
    last = line[-1]
    return (*line[:-1], Cell(fit_text(last.text, max(0, width - used)), last.tone))
