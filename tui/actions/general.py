"""The actions that every screen has: going about, the view, help, filters and lists.

Called by the registry.
"""

from tui.actions.action import ALL_MODES, Action, Scope
from tui.model.header import Mode
from tui.places import PLACES

__all__ = ["ACTIONS"]

_GO = (
    *(
        Action(
            id=f"go.{place.name}",
            key=place.key,
            label=place.label,
            area="Go",
            verb=place.name,
            names=place.names,
            command=f"app.show('{place.name}')",
            help=place.help,
        )
        for place in PLACES
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

_BACK_AND_FORTH = (
    Action(
        id="go.command",
        key="colon",
        label="Command",
        area="Go",
        verb="command line",
        weight=25,
        command="app.command_line('')",
        help="Type where to go or what to do: orders held, sku 85123A, at 14:03.",
    ),
    Action(
        id="go.last",
        key="minus",
        label="Last",
        area="Go",
        verb="last screen",
        command="app.last_screen",
        help="The screen that was there before this one.",
    ),
    Action(
        id="go.earlier",
        key="left_square_bracket",
        label="Earlier",
        area="Go",
        verb="back in the history",
        command="app.history(-1)",
        help="Back through the screens that were looked at.",
    ),
    Action(
        id="go.later",
        key="right_square_bracket",
        label="Later",
        area="Go",
        verb="on in the history",
        command="app.history(1)",
        help="On through the screens that were looked at.",
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
        modes=ALL_MODES - {Mode.AS_OF},
        command="app.pause",
        help="Hold the figures still; ages go on counting. Again: live, read at once.",
    ),
    Action(
        id="view.zone",
        key="u",
        label="Zone",
        area="View",
        verb="London time or UTC",
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

_WRITES = (
    Action(
        id="writes.switch",
        key="W",
        label="Writes",
        area="Writes",
        verb="all writes off or on",
        names=("writes",),
        danger=True,
        command="screen.writes",
        help="The kill switch: nothing is written to either side any more, or again.",
    ),
)

_HELP = (
    Action(
        id="help.keys",
        key="question_mark",
        label="Help",
        area="Help",
        verb="keys",
        weight=28,
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
        id="help.messages",
        key="m",
        label="Messages",
        area="Help",
        verb="messages",
        command="app.messages",
        help="What was done and said in this session, newest first.",
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

_LISTS = (
    Action(
        id="list.sort",
        key="s",
        label="Sort",
        area="List",
        verb="sort by the next column",
        scope=Scope.LISTS,
        command="screen.sort",
        help="By the next column; after the last, as the service ranks it.",
    ),
    Action(
        id="list.sort_back",
        key="S",
        label="Reverse",
        area="List",
        verb="reverse the sorting",
        scope=Scope.LISTS,
        command="screen.sort_back",
        help="The same column the other way round.",
    ),
    Action(
        id="list.expand",
        key="x",
        label="Expand",
        area="List",
        verb="expand the pane",
        scope=Scope.LISTS,
        command="screen.expand",
        help="The pane in front alone on the screen; again: as before.",
    ),
)

ACTIONS: tuple[Action, ...] = (
    *_GO,
    *_BACK_AND_FORTH,
    *_VIEW,
    *_WRITES,
    *_HELP,
    *_FILTER,
    *_LISTS,
)
