"""What an action is: the one shape from which keys, footer, palette and help are made.

Promises: no key that a shell or a terminal multiplexer needs is to be taken. It runs nothing
itself: `command` names a Textual action. Called by the lists of actions beside it.
"""

from enum import StrEnum

import msgspec

from tui.model.header import Mode

__all__ = ["ALL_MODES", "FORBIDDEN_KEYS", "HINTS_MAX", "Action", "Scope", "key_text"]

HINTS_MAX = 8
"""Hints in the footer: more is noise; the rest is behind `?`."""

FORBIDDEN_KEYS = frozenset(
    {
        "ctrl+a",  # screen's prefix; start of line
        "ctrl+b",  # tmux's prefix
        "ctrl+c",  # interrupt
        "ctrl+d",  # end of input
        "ctrl+q",  # flow control: go on
        "ctrl+s",  # flow control: stop
        "ctrl+w",  # closes the tab when the monitor runs in a browser
        "ctrl+z",  # suspend
        "ctrl+backslash",  # quit with a core dump
    }
)

ALL_MODES = frozenset(Mode)


class Scope(StrEnum):
    """Where an action's key is alive."""

    APP = "everywhere"
    LISTS = "lists with a filter"
    STOCK = "on the stock screen"
    ORDERS = "on the orders screen"
    DISPATCH = "on the dispatch screen"
    MONEY = "on the money screen"
    EXCEPTIONS = "on the exceptions screen"
    LOG = "on the log screen"
    HEALTH = "on the health screen"
    POLICY = "on the policy screen"
    TABLE = "in a list"
    DETAIL = "in a detail pane"
    DIALOG = "in a dialog"
    CONFIRM = "in a confirmation"
    COMMAND = "on the command line"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """Stable: a keymap overrides by it."""
    key: str
    """Textual's key names, by commas; empty for what is only in the palette."""
    label: str
    """For the footer: one short word."""
    label_paused: str = ""
    """The label while paused, where that differs."""
    names: tuple[str, ...] = ()
    """Words for the command line, beside its id."""
    area: str
    verb: str
    help: str
    weight: int = 0
    """Order in the footer, smallest first; 0 keeps it out."""
    danger: bool = False
    """It changes something outside: read-only operators do not get it."""
    modes: frozenset[Mode] = ALL_MODES
    scope: Scope = Scope.APP
    command: str

    @property
    def title(self) -> str:
        """Its name in the palette."""
        return f"{self.area}: {self.verb}"

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key.strip() for key in self.key.split(",") if key.strip())


_KEY_TEXTS = {
    "escape": "esc",
    "question_mark": "?",
    "slash": "/",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "up": "↑",
    "down": "↓",
    "f1": "F1",
    "colon": ":",
    "comma": ",",
    "full_stop": ".",
    "minus": "-",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}


def key_text(key: str) -> str:
    """A key as people write it.

    >>> key_text("ctrl+p"), key_text("question_mark")
    ('ctrl+p', '?')
    """
    return _KEY_TEXTS.get(key, key)
