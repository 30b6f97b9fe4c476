"""The filter line: being written, or in force; never hidden while it holds rows back.

Promises: it filters as one types; enter keeps, esc puts back what was in force before.
Called by the list screens that can be filtered.
"""

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui.model.plain import plain

__all__ = ["FilterBar"]

FILTER_CHARACTERS_MAX = 200
"""A filter longer than the widest terminal can't be read."""

_EXAMPLES = "words  kind:sku  owner:me  age>2h  !type:Order"


class FilterBar(Horizontal):
    """A prompt, the filter, and what it does."""

    class Changed(Message):
        """Another filter is in force."""

        def __init__(self, raw: str) -> None:
            super().__init__()
            self.raw = raw

    class Left(Message):
        """The operator is done with the line."""

    def __init__(self) -> None:
        super().__init__(id="filter")
        self._before = ""
        self.editing = False

    def compose(self) -> ComposeResult:
        yield Static(" filter / ", id="filter-prompt", markup=False)
        field = Input(
            compact=True,
            max_length=FILTER_CHARACTERS_MAX,
            placeholder=_EXAMPLES,
            select_on_focus=False,
            id="filter-field",
        )
        field.cursor_blink = False
        yield field
        yield Static("", id="filter-standing", markup=False)
        yield Static("", id="filter-effect", markup=False)

    @property
    def raw(self) -> str:
        return self._field.value

    def edit(self) -> None:
        self._before = self.raw
        self.editing = True
        self._arrange()
        self._field.focus()
        self._field.cursor_position = len(self.raw)

    def stop(self, *, keep: bool) -> None:
        self.editing = False
        if not keep:
            self._field.value = self._before
        self._arrange()
        self.post_message(self.Left())

    def put(self, raw: str) -> None:
        """Put a filter in force from elsewhere."""
        self._field.value = raw
        self._arrange()

    def clear(self) -> None:
        self._field.value = ""
        self._arrange()

    def say(self, effect: str) -> None:
        """What the filter does to the list, or what of it was not understood."""
        static = self.query_one("#filter-effect", Static)
        static.update(Content(plain(effect)))
        static.styles.width = min(cell_len(plain(effect)) + 2, max(20, self.size.width // 2))
        self._arrange()

    def on_mount(self) -> None:
        self._arrange()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))
        self._arrange()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.stop(keep=True)

    @property
    def _field(self) -> Input:
        return self.query_one("#filter-field", Input)

    def _arrange(self) -> None:
        self.display = self.editing or bool(self.raw)
        self._field.display = self.editing
        standing = self.query_one("#filter-standing", Static)
        standing.display = not self.editing
        standing.update(Content(plain(self.raw)))
