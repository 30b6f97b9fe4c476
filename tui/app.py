"""The monitor: composes the screens, reads the source, routes the answers.

Promises: the first paint waits for no data; the source is asked one thing at a time, never
while an answer is outstanding, while paused or behind a dialog; a source that fails or is slow
is shown as such, and the keys go on working. It changes nothing outside.
Invariant: only this class changes `MonitorState`; the reading task posts messages, no more.
Called by the CLI's `tui` and `demo`.
"""

from functools import partial
from typing import ClassVar

import anyio
from textual import events, on
from textual.app import App
from textual.binding import BindingType
from textual.worker import Worker

from kcjl.clock import real_monotonic
from kcjl.errors import KcjlError, Unavailable
from tui.actions import Scope, actions_of
from tui.bindings import bindings, live_actions
from tui.explanations import explanation
from tui.messages import OverviewRead, ReadDone, ReadFailed, ReadWanted
from tui.model.freshness import AgeLimits
from tui.model.moments import Zone
from tui.palette import RegistryCommands
from tui.screens.base import MonitorScreen
from tui.screens.dialogs import DialogScreen, keys_view, pane_view
from tui.screens.exceptions import ExceptionsScreen
from tui.screens.listing import ListScreen
from tui.screens.log import LogScreen
from tui.screens.overview import OverviewScreen
from tui.source import Source
from tui.state import MonitorState
from tui.theme import DEFAULT_THEME, MONO_THEME, THEMES, no_color_wanted

__all__ = ["MonitorApp", "run_monitor"]

REFRESH_S_MIN = 0.2
"""Faster than this nobody can read, and several operators would be a storm of polls."""

READ_S_MAX = 15.0
"""Real seconds for one answer; a source that takes longer counts as lost."""

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
        self._reading: Worker[None] | None = None
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = MONO_THEME if plain_terminal else DEFAULT_THEME
        self.add_mode("overview", lambda: OverviewScreen(self.state))
        self.add_mode("exceptions", lambda: ExceptionsScreen(self.state))
        self.add_mode("log", lambda: LogScreen(self.state))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Ours in every theme, also in Textual's own, which is in force until ours is set."""
        return dict(THEMES[0].variables)

    def on_mount(self) -> None:
        self.set_interval(self.refresh_s, self._on_interval)

    # ── reading ────────────────────────────────────────────────────────────────────────────

    def _on_interval(self) -> None:
        self.state.measure_pace(self.state.now(), real_monotonic())
        self.tick()

    def tick(self) -> None:
        """Once a refresh: ages and clocks move on, and the source is asked if it is due."""
        if not self.state.paused:
            self.state.connection = self.state.connection.after_tick()
        self._show()
        if self.state.connection.due:
            self._start_reading()

    def _start_reading(self) -> None:
        screen = self.screen
        if self.state.paused or self._busy() or not isinstance(screen, MonitorScreen):
            return
        self._reading = self.run_worker(
            partial(self._read, screen), group="read", exit_on_error=False, exclusive=True
        )

    def _busy(self) -> bool:
        return self._reading is not None and not self._reading.is_finished

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def _read(self, screen: MonitorScreen) -> None:
        """The reading task: its outermost loop, so any failure becomes a banner here.

        All it has to say goes through the screen, so that it arrives in order.
        """
        try:
            for read in screen.reads():
                with anyio.fail_after(READ_S_MAX):
                    answer = await read(self.state.source)
                screen.post_message(answer)
        except TimeoutError:
            screen.post_message(ReadFailed(f"no answer within {READ_S_MAX:.0f}s"))
        except KcjlError as error:
            wait_s = error.retry_after_s if isinstance(error, Unavailable) else None
            screen.post_message(
                ReadFailed(f"{error.code} {error.message}", retry_after_s=wait_s)
            )
        except Exception as error:  # noqa: BLE001 - outermost: shown to the operator, lives on
            screen.post_message(ReadFailed(f"{type(error).__name__}: {error}"))
        else:
            screen.post_message(ReadDone())

    @on(ReadWanted)
    def _on_read_wanted(self) -> None:
        self._stop_reading()
        self._start_reading()

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

    # ── actions ────────────────────────────────────────────────────────────────────────────

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An action of the registry is there only in the modes that it names."""
        for known in actions_of(Scope.APP):
            if known.command.removeprefix("app.").partition("(")[0] == action:
                return self.state.mode in known.modes
        return super().check_action(action, parameters)

    async def action_show(self, place: str) -> None:
        await self.switch_mode(place)

    async def action_back(self) -> None:
        screen = self.screen
        if isinstance(screen, MonitorScreen) and not screen.back():
            await self.switch_mode("overview")

    async def action_leave(self) -> None:
        screen = self.screen
        if isinstance(screen, MonitorScreen) and screen.back():
            return
        if self.current_mode == "overview":
            self.exit()
        else:
            await self.switch_mode("overview")

    def action_pause(self) -> None:
        self.state.paused = not self.state.paused
        if self.state.paused:
            self._stop_reading()
        else:
            self._start_reading()
        self._show()

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

    def action_explain(self) -> None:
        focused, screen = self.screen.focused, self.screen
        pane = getattr(focused, "pane", "")
        if not pane and isinstance(screen, ListScreen):
            pane = screen.pane
        title, text = explanation(pane, self.state.limits)
        live = live_actions(screen.active_bindings)
        self.push_screen(DialogScreen(pane_view(title, text, live)))

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
) -> int:
    """Show the monitor until the operator leaves; the exit code for the shell."""
    app = MonitorApp(source, refresh_s=refresh_s, title=title, operator=operator, limits=limits)
    await app.run_async()
    return app.return_code or 0
