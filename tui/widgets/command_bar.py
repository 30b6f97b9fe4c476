"""The command line: a colon, what is typed, and the words that could follow.

Promises: tab takes the likeliest, up and down go through what was typed before; esc leaves and
does nothing. Called by every screen.
"""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui.actions import Scope
from tui.bindings import bindings
from tui.model.plain import plain

__all__ = ["CommandBar"]

COMMAND_CHARACTERS_MAX = 200
HISTORY_MAX = 100


class _Line(Input):
    """An input whose tab, esc, up and down are the command line's."""

    BINDINGS = bindings(Scope.COMMAND)

    def __init__(self, bar: "CommandBar") -> None:
        super().__init__(
            compact=True,
            max_length=COMMAND_CHARACTERS_MAX,
            placeholder="orders held   sku 85123A   at 14:03   live",
            select_on_focus=False,
            id="command-field",
        )
        self.cursor_blink = False
        self._bar = bar

    def action_complete(self) -> None:
        self._bar.complete()

    def action_leave(self) -> None:
        self._bar.close()

    def action_recall(self, steps: int) -> None:
        self._bar.recall(steps)


class CommandBar(Horizontal):
    """Shown while something is typed."""

    class Typed(Message):
        """A line was entered."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    class Left(Message):
        """The operator is done with the line."""

    def __init__(self, completions: Callable[[str], tuple[str, ...]], lines: list[str]) -> None:
        """`lines`: what was typed before, oldest first; it is added to."""
        super().__init__(id="command")
        self._completions = completions
        self._typed = lines
        self._back = 0

    def compose(self) -> ComposeResult:
        yield Static(" : ", id="command-prompt", markup=False)
        yield _Line(self)
        yield Static("", id="command-words", markup=False)

    @property
    def editing(self) -> bool:
        return self.has_class("-open")

    def edit(self, text: str) -> None:
        self.add_class("-open")
        self._back = 0
        self._field.value = text
        self._field.cursor_position = len(text)
        self._field.focus()
        self._offer()

    def close(self) -> None:
        self.remove_class("-open")
        self.post_message(self.Left())

    def complete(self) -> None:
        words = self._completions(self._field.value)
        if words:
            self._field.value = f"{words[0]} "
            self._field.cursor_position = len(self._field.value)

    def recall(self, steps: int) -> None:
        self._back = max(0, min(len(self._typed), self._back + steps))
        self._field.value = self._typed[-self._back] if self._back else ""
        self._field.cursor_position = len(self._field.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        line = event.value.strip()
        if line:
            self._typed[:] = [*(each for each in self._typed if each != line), line][
                -HISTORY_MAX:
            ]
        self.close()
        if line:
            self.post_message(self.Typed(line))

    @property
    def _field(self) -> Input:
        return self.query_one("#command-field", Input)

    def _offer(self) -> None:
        words = "  ".join(self._completions(self._field.value))
        self.query_one("#command-words", Static).update(Content(plain(words)))
