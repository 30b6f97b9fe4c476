"""The reading task: one question to the source at a time, its answers as messages.

Promises: never two at once, never while paused or behind a dialog, and of a time that stands
still not twice; a source that fails or is slow is said to have failed, and asked again later.
It touches no widget. Called by the app.
"""

from functools import partial

import anyio
from textual.app import App
from textual.worker import Worker

from kcjl.errors import KcjlError, Unavailable
from tui.messages import ReadDone, ReadFailed
from tui.screens.base import MonitorScreen
from tui.state import MonitorState

__all__ = ["Reader"]

READ_S_MAX = 15.0
"""Real seconds for one answer; a source that takes longer counts as lost."""


class Reader:
    """Asks what the screen in front wants to know."""

    def __init__(self, app: App[None], state: MonitorState) -> None:
        self._app = app
        self._state = state
        self._reading: Worker[None] | None = None

    def start(self, *, again: bool = True) -> None:
        """`again`: also what stands still, since a screen has come up or time has moved."""
        screen = self._app.screen
        if self._state.paused or self._busy() or not isinstance(screen, MonitorScreen):
            return
        if not again and self._state.past is not None and self._state.connection.answered:
            return
        self._reading = self._app.run_worker(
            partial(self._read, screen), group="read", exit_on_error=False, exclusive=True
        )

    def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _busy(self) -> bool:
        return self._reading is not None and not self._reading.is_finished

    async def _read(self, screen: MonitorScreen) -> None:
        """Its outermost loop, so any failure becomes a banner here.

        All it has to say goes through the screen, so that it arrives in order.
        """
        try:
            for read in screen.reads():
                with anyio.fail_after(READ_S_MAX):
                    answer = await read(self._state.source)
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
