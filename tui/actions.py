"""The one registry of actions: keys, footer, palette and help are all made from it.

Promises: an action that is not listed here has no key, and each that is listed has help text in
trade words; no two actions of one focus share a key; no key is taken that a shell or a terminal
multiplexer needs. It runs nothing itself: `command` names a Textual action.
Called by `bindings` (keys), the hint bar, the palette and the help screen.
Over 400 lines because it is one list, and is worth having in one place.
"""

from enum import StrEnum

import msgspec

from tui.model.header import Mode

__all__ = [
    "ACTIONS",
    "FORBIDDEN_KEYS",
    "HINTS_MAX",
    "Action",
    "Scope",
    "action_by_id",
    "actions_of",
    "key_text",
]

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

_ALL_MODES = frozenset(Mode)


class Scope(StrEnum):
    """Where an action's key is alive."""

    APP = "everywhere"
    LISTS = "lists with a filter"
    TABLE = "in a list"
    DETAIL = "in a detail pane"
    DIALOG = "in a dialog"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """Stable: a keymap overrides by it."""
    key: str
    """Textual's key names, by commas; empty for what is only in the palette."""
    label: str
    """For the footer: one short word."""
    label_paused: str = ""
    """The label while paused, where that differs."""
    area: str
    verb: str
    help: str
    weight: int = 0
    """Order in the footer, smallest first; 0 keeps it out."""
    danger: bool = False
    """It changes something outside: read-only operators do not get it."""
    modes: frozenset[Mode] = _ALL_MODES
    scope: Scope = Scope.APP
    command: str

    @property
    def title(self) -> str:
        """Its name in the palette."""
        return f"{self.area}: {self.verb}"

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key.strip() for key in self.key.split(",") if key.strip())


_GO = (
    Action(
        id="go.overview",
        key="1",
        label="Overview",
        area="Go",
        verb="overview",
        command="app.show('overview')",
        help="The four lanes (Stock, Orders, Dispatch, Money) and the latest events.",
    ),
    Action(
        id="go.exceptions",
        key="6",
        label="Exceptions",
        area="Go",
        verb="exceptions",
        command="app.show('exceptions')",
        help="The work list: what went wrong, whose it is, how long is left.",
    ),
    Action(
        id="go.log",
        key="7",
        label="Log",
        area="Go",
        verb="log",
        command="app.show('log')",
        help="Every event, oldest first, following the newest.",
    ),
    Action(
        id="go.back",
        key="escape",
        label="Back",
        area="Go",
        verb="back",
        weight=60,
        command="app.back",
        help="One level back: leave the filter line, close the detail, clear the filter, "
        "clear the marks, then the overview.",
    ),
    Action(
        id="go.quit",
        key="q",
        label="Quit",
        area="Go",
        verb="back, then quit",
        weight=80,
        command="app.leave",
        help="Back like esc; on the overview with nothing open it quits. Nothing is written "
        "by the monitor, so nothing is lost.",
    ),
    Action(
        id="go.next_pane",
        key="tab",
        label="Next pane",
        area="Go",
        verb="next pane",
        command="app.focus_next",
        help="Move to the next pane.",
    ),
    Action(
        id="go.previous_pane",
        key="shift+tab",
        label="Previous pane",
        area="Go",
        verb="previous pane",
        command="app.focus_previous",
        help="Move to the pane before.",
    ),
)

_VIEW = (
    Action(
        id="view.pause",
        key="p",
        label="Pause",
        label_paused="Resume",
        area="View",
        verb="pause or resume",
        weight=30,
        command="app.pause",
        help="Hold the figures still; ages go on counting. Again: live, read at once.",
    ),
    Action(
        id="view.zone",
        key="u",
        label="Zone",
        area="View",
        verb="London time or UTC",
        weight=50,
        command="app.zone",
        help="Change all times between London local time and UTC.",
    ),
    Action(
        id="view.theme",
        key="T",
        label="Theme",
        area="View",
        verb="next theme",
        command="app.next_theme",
        help="Next of the three themes: default, colour-blind-safe, mono.",
    ),
    Action(
        id="view.theme_default",
        key="",
        label="Default",
        area="View",
        verb="theme default",
        command="app.use_theme('kcjl-default')",
        help="The default theme.",
    ),
    Action(
        id="view.theme_safe",
        key="",
        label="Safe",
        area="View",
        verb="theme colour-blind-safe",
        command="app.use_theme('kcjl-colour-blind-safe')",
        help="Blue, yellow and orange in place of green, amber and red.",
    ),
    Action(
        id="view.theme_mono",
        key="",
        label="Mono",
        area="View",
        verb="theme mono",
        command="app.use_theme('kcjl-mono')",
        help="The terminal's own two colours; bold, dim and reverse only.",
    ),
)

_HELP = (
    Action(
        id="help.keys",
        key="question_mark",
        label="Help",
        area="Help",
        verb="keys",
        weight=70,
        command="app.keys_help",
        help="All keys that work here and now.",
    ),
    Action(
        id="help.pane",
        key="f1",
        label="Explain",
        area="Help",
        verb="explain this pane",
        command="app.explain",
        help="What the focused pane shows, in trade words.",
    ),
    Action(
        id="help.palette",
        key="ctrl+p",
        label="Palette",
        area="Help",
        verb="command palette",
        command="app.command_palette",
        help="Find any action by name.",
    ),
)

_FILTER = (
    Action(
        id="filter.open",
        key="slash",
        label="Filter",
        area="Filter",
        verb="edit",
        weight=20,
        scope=Scope.LISTS,
        command="screen.filter_open",
        help="Show only rows that match: words, kind:sku owner:me, age>2h, ! for the inverse.",
    ),
    Action(
        id="filter.clear",
        key="",
        label="Clear filter",
        area="Filter",
        verb="clear",
        scope=Scope.LISTS,
        command="screen.filter_clear",
        help="Show all rows again.",
    ),
)

_TABLE = (
    Action(
        id="rows.open",
        key="enter",
        label="Open",
        area="Row",
        verb="open",
        weight=10,
        scope=Scope.TABLE,
        command="open_row",
        help="All about the row under the cursor; again: move into that pane.",
    ),
    Action(
        id="rows.mark",
        key="space",
        label="Mark",
        area="Row",
        verb="mark or unmark",
        weight=40,
        scope=Scope.TABLE,
        command="mark",
        help="Mark the row and go one down; marks stay with their rows.",
    ),
    Action(
        id="rows.copy",
        key="y",
        label="Copy",
        area="Row",
        verb="copy id",
        weight=90,
        scope=Scope.TABLE,
        command="copy",
        help="Copy the row's id, or those of the marked rows, to the clipboard.",
    ),
    Action(
        id="rows.up",
        key="k,up",
        label="Up",
        area="Row",
        verb="up",
        scope=Scope.TABLE,
        command="cursor_up",
        help="One row up.",
    ),
    Action(
        id="rows.down",
        key="j,down",
        label="Down",
        area="Row",
        verb="down",
        scope=Scope.TABLE,
        command="cursor_down",
        help="One row down.",
    ),
    Action(
        id="rows.page_up",
        key="pageup",
        label="Page up",
        area="Row",
        verb="page up",
        scope=Scope.TABLE,
        command="cursor_page_up",
        help="One page up.",
    ),
    Action(
        id="rows.page_down",
        key="pagedown",
        label="Page down",
        area="Row",
        verb="page down",
        scope=Scope.TABLE,
        command="cursor_page_down",
        help="One page down.",
    ),
    Action(
        id="rows.first",
        key="g,home",
        label="Top",
        area="Row",
        verb="first",
        scope=Scope.TABLE,
        command="cursor_first",
        help="The first row; in the log, once more reads older events.",
    ),
    Action(
        id="rows.last",
        key="G,end",
        label="Bottom",
        area="Row",
        verb="last",
        scope=Scope.TABLE,
        command="cursor_last",
        help="The last row; in the log, follow the newest from here.",
    ),
)

_DETAIL = tuple(
    Action(
        id=f"{scope.name.lower()}.{name}",
        key=key,
        label=verb.capitalize(),
        area=area,
        verb=verb,
        scope=scope,
        command=command,
        help=text,
    )
    for scope, area in ((Scope.DETAIL, "Detail"), (Scope.DIALOG, "Dialog"))
    for name, key, verb, command, text in (
        ("up", "k,up", "scroll up", "scroll_up", "One line up."),
        ("down", "j,down", "scroll down", "scroll_down", "One line down."),
        ("page_up", "pageup", "page up", "page_up", "One page up."),
        ("page_down", "pagedown,space", "page down", "page_down", "One page down."),
        ("first", "g,home", "top", "scroll_home", "To the top."),
        ("last", "G,end", "bottom", "scroll_end", "To the bottom."),
    )
)

_DIALOG = (
    Action(
        id="dialog.close",
        key="escape,q,question_mark,f1,enter",
        label="Close",
        area="Dialog",
        verb="close",
        weight=10,
        scope=Scope.DIALOG,
        command="screen.close",
        help="Close this and go back.",
    ),
)

ACTIONS: tuple[Action, ...] = (*_GO, *_VIEW, *_HELP, *_FILTER, *_TABLE, *_DETAIL, *_DIALOG)

_BY_ID = {action.id: action for action in ACTIONS}

_KEY_TEXTS = {
    "escape": "esc",
    "question_mark": "?",
    "slash": "/",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "up": "↑",
    "down": "↓",
    "f1": "F1",
}


def action_by_id(action_id: str) -> Action | None:
    return _BY_ID.get(action_id)


def actions_of(scope: Scope) -> tuple[Action, ...]:
    return tuple(action for action in ACTIONS if action.scope is scope)


def key_text(key: str) -> str:
    """A key as people write it.

    >>> key_text("ctrl+p"), key_text("question_mark")
    ('ctrl+p', '?')
    """
    return _KEY_TEXTS.get(key, key)
