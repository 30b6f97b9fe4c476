"""What every screen of the monitor shares: header, banner, hints, and how it is refreshed.

Promises: drawing never waits for data; `refresh_view` may be called at any time, also before
anything was read. A screen says what it wants to read (`reads`) and never reads by itself.
Invariant: a screen's figures change only through messages.
Called by the app; subclassed by the screens.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from tui.actions import ACTIONS, Scope
from tui.bindings import live_actions
from tui.messages import OverviewRead, Proposed, ReadWanted
from tui.model.command_line import completions
from tui.model.proposal import Proposal
from tui.model.stock_proposals import writes_proposal
from tui.source import Source
from tui.state import MonitorState
from tui.widgets.command_bar import CommandBar
from tui.widgets.header import ModeLine, ScreenLine
from tui.widgets.strips import Banner, HintBar

__all__ = ["MonitorScreen", "Read", "read_overview"]

Read = Callable[[Source], Awaitable[Message]]
"""One question to the source, and its answer as a message."""


_DANGEROUS = frozenset(
    action.command.removeprefix("screen.").partition("(")[0]
    for action in ACTIONS
    if action.danger
)


class MonitorScreen(Screen[None], inherit_bindings=False):
    """A main screen."""

    place = ""
    """Its name in the registry: go.<place>."""

    def __init__(self, state: MonitorState) -> None:
        super().__init__()
        self.state = state
        self._travels = state.travels

    def compose(self) -> ComposeResult:
        yield ModeLine()
        yield ScreenLine()
        yield Banner()
        yield from self.compose_body()
        yield CommandBar(self.completions, self.state.typed)
        yield HintBar()

    def compose_body(self) -> Iterable[Widget]:
        raise NotImplementedError(type(self).__name__)

    def reads(self) -> Sequence[Read]:
        """What to ask now, the most wanted first."""
        raise NotImplementedError(type(self).__name__)

    def crumbs(self) -> tuple[str, ...]:
        return (self.place.capitalize(),)

    def show_body(self) -> None:
        """Draw the screen's own panes from what it holds."""
        raise NotImplementedError(type(self).__name__)

    def back(self) -> bool:
        """Go one level back inside the screen; False when there is nothing to leave."""
        return False

    def forget(self) -> None:
        """Let go of what was read: it is of another time."""
        raise NotImplementedError(type(self).__name__)

    def show_filter(self, raw: str) -> None:
        """Put a filter in force, where the screen has one."""

    def show_subject(self, subject: str) -> None:
        """Find one thing and open it, where the screen has such things."""

    def propose(self, proposal: Proposal | str) -> None:
        """Have something done, which is shown and confirmed first; or say why it can't be."""
        self.post_message(Proposed(proposal))

    def action_writes(self) -> None:
        """The kill switch, from wherever one stands."""
        self.propose(writes_proposal(self.state.overview))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What changes something is there for whoever may act, in the present."""
        if action in _DANGEROUS and not self.state.may_act:
            return False
        return super().check_action(action, parameters)

    def manual_page(self) -> str:
        """The page of the manual about what is under the cursor; empty: there is none."""
        return ""

    def words(self) -> dict[str, str]:
        """Words for the command line: to the actions that can be done here and now."""
        live = {action.id for action, _ in live_actions(self.active_bindings)}
        return {
            word: action.id
            for action in ACTIONS
            if action.id in live or (not action.key and action.scope is Scope.APP)
            for word in (action.verb, *action.names)
        }

    def completions(self, typed: str) -> tuple[str, ...]:
        return completions(typed, self.words())

    @on(CommandBar.Left)
    def _on_command_left(self) -> None:
        self.query_one("RowTable").focus()

    def on_mount(self) -> None:
        self.refresh_view()

    def on_screen_resume(self) -> None:
        self.turn()
        self.refresh_view()
        self.call_after_refresh(self.post_message, ReadWanted())

    def turn(self) -> None:
        """Another time than that of what is held may be looked at now."""
        if self._travels != self.state.travels:
            self._travels = self.state.travels
            self.forget()

    def refresh_view(self) -> None:
        if not self.is_mounted:
            return
        self.show_header()
        self.query_one(Banner).show(self.state.banner())
        self.query_one(HintBar).show(paused=self.state.paused)
        self.show_body()

    def show_header(self) -> None:
        header = self.state.header(self.crumbs())
        self.query_one(ModeLine).show(header)
        self.query_one(ScreenLine).show(header, here=self.place, stale=self.state.stale)

    def vacancy(self, *, nothing: str) -> str:
        """What an empty pane says: why there is nothing to see."""
        if self.state.connection.lost:
            return "Nothing was read before the connection was lost."
        if self.state.paused:
            return "PAUSED before anything was read: p goes live."
        return nothing


async def read_overview(source: Source) -> Message:
    return OverviewRead(await source.overview())
