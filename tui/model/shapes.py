"""The shapes that all view models are made of: toned text, columns and rows.

Promises: frozen values that know no terminal. A tone is a meaning, never a colour; whatever a
tone says is also said by a sign or a word in the text.
Called by the view models, which fill them, and by the widgets, which draw them.
"""

from enum import StrEnum

import msgspec

__all__ = ["Cell", "Column", "DetailLine", "DetailView", "Row", "TextLine", "Tone"]


class Tone(StrEnum):
    """What a piece of text means; the theme decides how that looks."""

    PLAIN = "plain"
    MUTED = "muted"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    ACCENT = "accent"


class Cell(msgspec.Struct, frozen=True):
    """A piece of text on one line."""

    text: str
    tone: Tone = Tone.PLAIN


TextLine = tuple[Cell, ...]
"""One line of toned pieces, left to right."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a list, and how it gives way when the terminal is narrow."""

    title: str
    width_min: int
    """Cells; below this the column is left out (or clipped when its rank is 0)."""
    width_max: int
    rank: int = 0
    """0 always shown; the highest rank is left out first."""
    right: bool = False
    """Aligned right, for figures and money."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a key that stays the same while its figures change, and a cell a column."""

    key: str
    cells: tuple[Cell, ...]


class DetailLine(msgspec.Struct, frozen=True, kw_only=True):
    """One named fact in a detail pane.

    `block` gives it the full width under its name; a block without a value is a heading.
    """

    label: str
    value: str
    tone: Tone = Tone.PLAIN
    block: bool = False


class DetailView(msgspec.Struct, frozen=True, kw_only=True):
    """All about one thing."""

    key: str
    title: str
    lines: tuple[DetailLine, ...]
    note: str = ""
    """A warning about the detail itself, e.g. that the thing has left the list."""
