"""The actions of what has the focus: a table, a detail, a dialog, a confirmation, the `:` line.

Called by the registry.
"""

from tui.actions.action import Action, Scope

__all__ = ["ACTIONS"]

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

_CONFIRM = (
    Action(
        id="confirm.do",
        key="enter",
        label="Do it",
        area="Confirm",
        verb="do it",
        weight=10,
        scope=Scope.CONFIRM,
        command="screen.confirm",
        help="Have it done, under your name.",
    ),
    Action(
        id="confirm.leave",
        key="escape",
        label="Leave",
        area="Confirm",
        verb="do nothing",
        weight=20,
        scope=Scope.CONFIRM,
        command="screen.leave",
        help="Go back; nothing is sent.",
    ),
    Action(
        id="confirm.next",
        key="tab,down",
        label="Next",
        area="Confirm",
        verb="next line",
        scope=Scope.CONFIRM,
        command="app.focus_next",
        help="To the next line.",
    ),
    Action(
        id="confirm.previous",
        key="shift+tab,up",
        label="Previous",
        area="Confirm",
        verb="line before",
        scope=Scope.CONFIRM,
        command="app.focus_previous",
        help="To the line before.",
    ),
)

_COMMAND = (
    Action(
        id="command.complete",
        key="tab",
        label="Complete",
        area="Command",
        verb="complete",
        scope=Scope.COMMAND,
        command="complete",
        help="The likeliest word that begins so.",
    ),
    Action(
        id="command.leave",
        key="escape",
        label="Leave",
        area="Command",
        verb="leave",
        scope=Scope.COMMAND,
        command="leave",
        help="Leave the line; nothing is done.",
    ),
    Action(
        id="command.earlier",
        key="up",
        label="Earlier",
        area="Command",
        verb="line before",
        scope=Scope.COMMAND,
        command="recall(1)",
        help="The line that was typed before.",
    ),
    Action(
        id="command.later",
        key="down",
        label="Later",
        area="Command",
        verb="line after",
        scope=Scope.COMMAND,
        command="recall(-1)",
        help="The line that was typed after.",
    ),
)

ACTIONS: tuple[Action, ...] = (*_TABLE, *_DETAIL, *_DIALOG, *_CONFIRM, *_COMMAND)
