"""The two dialogs: the keys that work here and now (?), and what a pane shows (F1).

Promises: the keys come from the live bindings, the words from the registry; nothing is written
twice. While a dialog is open nothing is read. Called by the app.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from textual.app import ComposeResult
from textual.screen import ModalScreen

from tui.actions import Action, Scope, key_text
from tui.bindings import bindings
from tui.model.moments import Zone, clock_text
from tui.model.plain import plain
from tui.model.shapes import DetailLine, DetailView, Tone
from tui.state import Said
from tui.widgets.detail import DetailPane

__all__ = ["DialogScreen", "keys_view", "pane_view", "said_view"]

LiveActions = Sequence[tuple[Action, tuple[str, ...]]]


class DialogPane(DetailPane, inherit_bindings=False):
    """A detail pane with a dialog's keys."""

    BINDINGS = bindings(Scope.DIALOG)


class DialogScreen(ModalScreen[None], inherit_bindings=False):
    """A text in a frame, above the screen that it is about."""

    def __init__(self, view: DetailView) -> None:
        super().__init__()
        self._dialog_view = view

    def compose(self) -> ComposeResult:
        yield DialogPane()

    def on_mount(self) -> None:
        pane = self.query_one(DialogPane)
        pane.show(self._dialog_view)
        pane.focus()

    def action_close(self) -> None:
        self.dismiss()


def keys_view(live: LiveActions, *, here: str) -> DetailView:
    """All actions whose keys work, by area, and how the dialog is left."""
    ordered = sorted(live, key=lambda pair: pair[0].area)
    lines: list[DetailLine] = []
    for area, group in groupby(ordered, key=lambda pair: pair[0].area):
        lines.append(DetailLine(label=area.upper(), value="", block=True))
        lines += [_key_line(action, keys) for action, keys in group]
    return DetailView(key="keys", title=f"Keys: {here} (esc closes)", lines=tuple(lines))


def pane_view(title: str, text: str, live: LiveActions, *, page: str = "") -> DetailView:
    """The page of the manual, where there is one; what the pane shows; the keys that weigh."""
    weighty = sorted((pair for pair in live if pair[0].weight), key=lambda pair: pair[0].weight)
    return DetailView(
        key=title,
        title=f"{title} (esc closes)",
        lines=(
            *((DetailLine(label="FROM THE MANUAL", value=page, block=True),) if page else ()),
            DetailLine(label="what it shows", value=text, block=True),
            DetailLine(label="KEYS", value="", block=True),
            *(_key_line(action, keys) for action, keys in weighty),
        ),
    )


def said_view(said: Sequence[Said], zone: Zone, now: datetime) -> DetailView:
    """The messages of this session, newest first."""
    lines = tuple(
        DetailLine(
            label=clock_text(each.at, zone, now),
            value=f"{'✖ ' if each.failed else ''}{plain(each.text)}",
            tone=Tone.BAD if each.failed else Tone.PLAIN,
        )
        for each in said
    )
    nothing = (DetailLine(label="", value="Nothing was done or said yet."),)
    return DetailView(key="messages", title="Messages (esc closes)", lines=lines or nothing)


def _key_line(action: Action, keys: Sequence[str]) -> DetailLine:
    return DetailLine(label=" ".join(key_text(key) for key in keys), value=action.help)
