"""The confirmation: the effect in words, each thing it is done to, and what must be said.

Promises: enter does it only when all that is needed stands there, and the word where one is to
be typed; esc does nothing at all. While it is open nothing is read.
Called by `tui/doing.py`.
"""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from kcjl.command import Command
from kcjl.errors import Misuse
from tui.actions import Scope
from tui.bindings import bindings
from tui.model.plain import plain
from tui.model.proposal import Proposal, shown_lines
from tui.state import MonitorState

__all__ = ["ConfirmScreen"]

_ANSWER_CHARACTERS_MAX = 500


class ConfirmScreen(ModalScreen[Sequence[Command] | None], inherit_bindings=False):
    """Dismissed with the commands to send, or with none."""

    BINDINGS = bindings(Scope.CONFIRM)
    AUTO_FOCUS = "Input"

    def __init__(self, proposal: Proposal, state: MonitorState) -> None:
        super().__init__()
        self._state = state
        self._proposal = proposal

    def compose(self) -> ComposeResult:
        asked = self._proposal
        with VerticalScroll(id="confirm", can_focus=not (asked.fields or asked.word)):
            yield Static(Content(plain(asked.effect)), id="confirm-effect")
            for line in shown_lines(asked):
                yield Static(Content(f"  {plain(line)}"), classes="confirm-line")
            for field in asked.fields:
                yield Static(Content(plain(field.label)), classes="confirm-label")
                yield _input(f"field-{field.name}", field.hint, field.value)
            if asked.word:
                yield Static(Content(f"type {asked.word} to do it"), classes="confirm-label")
                yield _input("confirm-word", asked.word, "")
            yield Static("enter does it · esc does nothing", id="confirm-foot", markup=False)

    def on_mount(self) -> None:
        frame = self.query_one("#confirm", VerticalScroll)
        frame.border_title = Content(plain(self._proposal.title))
        if frame.can_focus:
            frame.focus()

    def answers(self) -> dict[str, str]:
        return {
            field.name: self.query_one(f"#field-{field.name}", Input).value.strip()
            for field in self._proposal.fields
        }

    @on(Input.Submitted)
    def _on_submitted(self) -> None:
        self.action_confirm()

    def action_confirm(self) -> None:
        answers = self.answers()
        word = self.query_one("#confirm-word", Input).value if self._proposal.word else ""
        lacking = self._proposal.lacking(answers, word)
        if lacking:
            self._say(lacking)
            return
        state = self._state
        try:
            said = self._proposal.said(answers, now=state.live.now(), zone=state.zone)
        except Misuse as error:
            self._say(error.message)
            return
        self.dismiss(said)

    def _say(self, lacking: str) -> None:
        self.query_one("#confirm-foot", Static).update(Content(f"▲ {plain(lacking)}"))

    def action_leave(self) -> None:
        self.dismiss(None)


def _input(name: str, hint: str, value: str) -> Input:
    field = Input(
        value,
        placeholder=hint,
        compact=True,
        max_length=_ANSWER_CHARACTERS_MAX,
        select_on_focus=False,
        id=name,
    )
    field.cursor_blink = False
    return field
