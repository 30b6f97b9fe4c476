"""The two lines at the top: place and mode; screens and the figures of the whole.

Promises: the mode is a word and a sign, and its tint covers the whole first line.
Called by every screen.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.geometry import Size

from tui.actions import Action, action_by_id, key_text
from tui.model.header import HeaderView, Mode
from tui.model.shapes import Cell, TextLine, Tone
from tui.places import PLACES
from tui.widgets.drawing import ToneLines, fit_text

__all__ = ["ModeLine", "ScreenLine"]

_DATE_WIDTH_MIN = 100
_FIGURES_WIDTH = 22
"""Kept free for open exceptions and the like."""


class ModeLine(ToneLines):
    """Where we are, whether the figures are live, whether writes are on, what time it is."""

    _view: HeaderView | None = None

    def show(self, view: HeaderView) -> None:
        self._view = view
        for mode in Mode:
            self.set_class(view.mode is mode, f"-{mode.lower()}")
        self.refresh()

    def text_lines(self, size: Size) -> Sequence[TextLine]:
        view = self._view
        if view is None:
            return ()
        right = [view.mode_text, view.age.text, view.writes.text, view.clock]
        if size.width >= _DATE_WIDTH_MIN:
            right.insert(3, view.date)
        tail = "  ".join(part for part in right if part) + " "
        room = max(0, size.width - cell_len(tail) - 2)
        return ((Cell(f" {_tail_text(view.crumbs, room)} "), Cell(tail)),)


class ScreenLine(ToneLines):
    """The screens with their keys, the present one set off; the figures of the whole."""

    _view: HeaderView | None = None
    _here = ""
    _stale = False

    def show(self, view: HeaderView, *, here: str, stale: bool) -> None:
        self._view = view
        self._stale = stale
        self._here = here
        self.refresh()

    def text_lines(self, size: Size) -> Sequence[TextLine]:
        line = self._tabs(size.width)
        if self._view is None:
            return (tuple(line),)
        figures = [
            Cell(cell.text, Tone.MUTED if self._stale else cell.tone)
            for cell in self._view.summary()
            if cell.text
        ]
        used = sum(cell_len(cell.text) for cell in line)
        while figures and used + sum(cell_len(c.text) + 2 for c in figures) > size.width:
            figures.pop(0)
        gap = size.width - used - sum(cell_len(cell.text) + 2 for cell in figures)
        line.append(Cell(" " * gap))
        for figure in figures:
            line += [Cell(" "), figure, Cell(" ")]
        return (tuple(line),)

    def _tabs(self, width: int) -> list[Cell]:
        """Keys and names; keys alone but for the present screen where the names don't fit."""
        named = sum(len(action.label) + 4 for action in self._screens())
        line = [Cell(" ")]
        for action in self._screens():
            here = action.id == f"go.{self._here}"
            key = key_text(action.keys[0])
            text = f"{key} {action.label}" if here or width - named >= _FIGURES_WIDTH else key
            line.append(Cell(f"[{text}]" if here else f" {text} ", _here_tone(here=here)))
        return line

    async def on_click(self, event: events.Click) -> None:
        x = 1
        for action, tab in zip(self._screens(), self._tabs(self.size.width)[1:], strict=True):
            if x <= event.x < x + len(tab.text):
                await self.app.run_action(action.command)
                return
            x += len(tab.text)

    def _screens(self) -> tuple[Action, ...]:
        found = (action_by_id(f"go.{place.name}") for place in PLACES)
        return tuple(action for action in found if action is not None)


def _tail_text(crumbs: str, width: int) -> str:
    """Where we are, the nearest kept when not all fits."""
    parts = crumbs.split(" › ")
    while len(parts) > 1 and cell_len(" › ".join(parts)) > width:
        parts = ["…", *parts[2:]] if parts[0] == "…" else ["…", *parts[1:]]
        if len(parts) == 2:  # noqa: PLR2004 - the mark and the nearest
            break
    return fit_text(" › ".join(parts), width)


def _here_tone(*, here: bool) -> Tone:
    return Tone.PLAIN if here else Tone.MUTED
