"""The monitor: composes the screens, reads the source, routes the answers.

Promises: the first paint waits for no data; the source is asked one thing at a time, never
while an answer is outstanding, while paused or behind a dialog; a source that fails or is slow
is shown as such, and the keys go on working. It changes nothing outside.
Invariant: only this class changes `MonitorState`; the reading task posts messages, no more.
Called by the CLI's `tui` and `demo`.
"""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import App
from textual.binding import BindingType

from kcjl.clock import real_monotonic
from tui.actions import Scope, action_by_id, actions_of
from tui.bindings import bindings, live_actions
from tui.doing import Hand
from tui.explanations import explanation
from tui.messages import OverviewRead, Proposed, ReadDone, ReadFailed, ReadWanted
from tui.model.command_line import Go, Run, Travel, Unknown, understood
from tui.model.freshness import AgeLimits
from tui.model.moments import Zone
from tui.model.stock_proposals import writes_proposal
from tui.palette import RegistryCommands
from tui.reading import Reader
from tui.screens.base import MonitorScreen
from tui.screens.catalogue import SCREENS
from tui.screens.dialogs import DialogScreen, keys_view, pane_view, said_view
from tui.screens.listing import ListScreen
from tui.source import Source
from tui.state import MonitorState
from tui.theme import DEFAULT_THEME, MONO_THEME, THEMES, no_color_wanted
from tui.travelling import Arrived, Lost, Traveller
from tui.widgets.command_bar import CommandBar

__all__ = ["MonitorApp", "run_monitor"]

REFRESH_S_MIN = 0.2
"""Faster than this nobody can read, and several operators would be a storm of polls."""

INTERRUPTED = 130
"""Exit code after ctrl+c, as shells have it."""


class MonitorApp(App[None], inherit_bindings=False):
    """The terminal monitor of one merchant."""

    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.APP)
    COMMANDS = {RegistryCommands}  # noqa: RUF012 - Textual's own shape
    DEFAULT_MODE = "overview"
    AUTO_FOCUS = "RowTable"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - typed by Textual
        (0, "-narrow"),
        (110, "-wide"),
        (180, "-vast"),
    ]

    def __init__(
        self,
        source: Source,
        *,
        refresh_s: float = 1.0,
        title: str = "kcjl",
        operator: str = "",
        limits: AgeLimits | None = None,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        plain_terminal = no_color_wanted()
        super().__init__(ansi_color=True if plain_terminal else None)
        self.title = title
        self.animation_level = "none"
        self.refresh_s = max(REFRESH_S_MIN, refresh_s)
        self.state = MonitorState(
            source,
            title=title,
            operator=operator,
            limits=limits or AgeLimits(),
            tick_s=self.refresh_s,
        )
        self.reader = Reader(self, self.state)
        self.hand = Hand(self, self.state)
        self.traveller = Traveller(self, self.state)
        self.set_keymap(dict(keymap or {}))
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = MONO_THEME if plain_terminal else DEFAULT_THEME
        for place, screen in SCREENS.items():
            self.add_mode(place, partial(screen, self.state))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Ours in every theme, also in Textual's own, which is in force until ours is set."""
        return dict(THEMES[0].variables)

    def on_mount(self) -> None:
        self.set_interval(self.refresh_s, self._on_interval)

    # ── reading ────────────────────────────────────────────────────────────────────────────

    def _on_interval(self) -> None:
        self.state.measure_pace(self.state.live.now(), real_monotonic())
        self.tick()

    def tick(self) -> None:
        """Once a refresh: ages and clocks move on, and the source is asked if it is due."""
        if not self.state.paused:
            self.state.connection = self.state.connection.after_tick()
        self._show()
        if self.state.connection.due:
            self.reader.start(again=False)

    @on(ReadWanted)
    def _on_read_wanted(self) -> None:
        self.reader.stop()
        self.reader.start()

    @on(OverviewRead)
    def _on_overview(self, message: OverviewRead) -> None:
        self.state.take_overview(message.overview)

    @on(ReadDone)
    def _on_read_done(self) -> None:
        self.state.connection = self.state.connection.after_answer()
        self._show()

    @on(ReadFailed)
    def _on_read_failed(self, message: ReadFailed) -> None:
        self.state.connection = self.state.connection.after_failure(
            at=self.state.now(), cause=message.cause, retry_after_s=message.retry_after_s
        )
        self._show()

    def _show(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, MonitorScreen):
                screen.refresh_view()

    # ── time ───────────────────────────────────────────────────────────────────────────────

    @on(Arrived)
    def _on_arrived(self, message: Arrived) -> None:
        self.reader.stop()
        self.state.turn_to(message.past)
        for screen in self.screen_stack:
            if isinstance(screen, MonitorScreen):
                screen.turn()
        self._show()
        self.reader.start()

    @on(Lost)
    def _on_lost(self, message: Lost) -> None:
        self.hand.say(message.why, failed=True)

    def action_travel(self, when: str) -> None:
        self.traveller.go(when)

    def action_step(self, way: str) -> None:
        self.traveller.step(way)

    # ── actions ────────────────────────────────────────────────────────────────────────────

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An action of the registry is there only in the modes that it names."""
        for known in actions_of(Scope.APP):
            if known.command.removeprefix("app.").partition("(")[0] == action:
                may = self.state.may_act or not known.danger
                return may and self.state.mode in known.modes
        return super().check_action(action, parameters)

    async def action_show(self, place: str) -> None:
        self.state.places.visit(place)
        await self.switch_mode(place)

    async def action_last_screen(self) -> None:
        await self.switch_mode(self.state.places.flip())

    async def action_history(self, steps: int) -> None:
        await self.switch_mode(self.state.places.go(steps))

    async def action_back(self) -> None:
        """One level: inside the screen, then back to live, then the overview."""
        screen = self.screen
        if not isinstance(screen, MonitorScreen) or screen.back():
            return
        if self.state.past is not None:
            self.traveller.go("")
        else:
            await self.action_show("overview")

    async def action_leave(self) -> None:
        screen = self.screen
        if isinstance(screen, MonitorScreen) and screen.back():
            return
        if self.state.past is not None:
            self.traveller.go("")
        elif self.current_mode != "overview":
            await self.action_show("overview")
        elif self.hand.busy:
            self.hand.say("something is on its way to the service: q once it has answered")
        else:
            self.exit()

    def action_command_line(self, text: str) -> None:
        self.screen.query_one(CommandBar).edit(text)

    @on(CommandBar.Typed)
    async def _on_typed(self, message: CommandBar.Typed) -> None:
        screen = self.screen
        words = screen.words() if isinstance(screen, MonitorScreen) else {}
        match understood(message.line, words):
            case Go(place=place, filter=wanted, subject=subject):
                await self.action_show(place)
                shown = self.screen
                if isinstance(shown, MonitorScreen):
                    shown.show_subject(subject) if subject else shown.show_filter(wanted)
            case Travel(when=when):
                self.traveller.go(when)
            case Run(action_id=action_id):
                action = action_by_id(action_id)
                if action is not None:
                    focused = self.screen.focused or self.screen
                    await self.run_action(action.command, default_namespace=focused)
            case Unknown(message=why):
                self.hand.say(why, failed=True)

    @on(Proposed)
    def _on_proposed(self, message: Proposed) -> None:
        self.hand.propose(message.proposal)

    def action_pause(self) -> None:
        self.state.paused = not self.state.paused
        if self.state.paused:
            self.reader.stop()
        else:
            self.reader.start()
        self._show()

    def action_writes(self) -> None:
        self.hand.propose(writes_proposal(self.state.overview))

    def action_zone(self) -> None:
        self.state.zone = Zone.UTC if self.state.zone is Zone.LONDON else Zone.LONDON
        self._show()

    def action_next_theme(self) -> None:
        names = [theme.name for theme in THEMES]
        self.action_use_theme(names[(names.index(self.theme) + 1) % len(names)])

    def action_use_theme(self, name: str) -> None:
        self.theme = name
        self.notify(f"theme: {name}", markup=False)

    def action_keys_help(self) -> None:
        live = live_actions(self.screen.active_bindings)
        self.push_screen(
            DialogScreen(keys_view(live, here=(self.current_mode or "").capitalize()))
        )

    def action_messages(self) -> None:
        self.push_screen(
            DialogScreen(said_view(self.state.said, self.state.zone, self.state.live.now()))
        )

    def action_explain(self) -> None:
        focused, screen = self.screen.focused, self.screen
        pane = getattr(focused, "pane", "")
        if not pane and isinstance(screen, ListScreen):
            pane = screen.pane
        title, text = explanation(pane, self.state.limits)
        live = live_actions(screen.active_bindings)
        page = screen.manual_page() if isinstance(screen, MonitorScreen) else ""
        self.push_screen(DialogScreen(pane_view(title, text, live, page=page)))

    def on_key(self, event: events.Key) -> None:
        """ctrl+c is not one of our keys: it means what it means in every shell."""
        if event.key == "ctrl+c":
            event.stop()
            self.exit(return_code=INTERRUPTED)


async def run_monitor(
    source: Source,
    *,
    refresh_s: float = 1.0,
    title: str = "kcjl",
    operator: str = "",
    limits: AgeLimits | None = None,
    keymap: Mapping[str, str] | None = None,
) -> int:
    """Show the monitor until the operator leaves; the exit code for the shell."""
    app = MonitorApp(
        source,
        refresh_s=refresh_s,
        title=title,
        operator=operator,
        limits=limits,
        keymap=keymap,
    )
    await app.run_async()
    return app.return_code or 0
