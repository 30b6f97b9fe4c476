"""Going to another time: by a time, by a position, by steps, and back to live.

Promises: all panes move together; while the way there is being found the screen stays as it is
and keys work; where there is no such time it is said, and nothing moves. Called by the app.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from textual.app import App
from textual.message import Message
from textual.worker import Worker

from kcjl.errors import KcjlError, Misuse
from tui.model.asked_time import asked_time
from tui.source import Source
from tui.state import MonitorState

__all__ = ["Arrived", "Lost", "Traveller"]

_MINUTE = timedelta(minutes=1)
_RAISED = ("ExceptionRaised",)
_PUBLISHED = ("StockImportIntended",)


class Arrived(Message):
    """Another time can be looked at; none: the present."""

    def __init__(self, past: Source | None) -> None:
        super().__init__()
        self.past = past


class Lost(Message):
    """There is no such time."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class Traveller:
    """Finds the way in the background, and tells the app."""

    def __init__(self, app: App[None], state: MonitorState) -> None:
        self._app = app
        self._state = state
        self._finding: Worker[None] | None = None

    def go(self, when: str) -> None:
        """`when` as it was typed; empty: back to live."""
        if not when:
            self._app.post_message(Arrived(None))
            return
        try:
            wanted = asked_time(when, now=self._state.live.now(), zone=self._state.zone)
        except Misuse as error:
            self._app.post_message(Lost(error.message))
            return
        self._find(partial(self._at, wanted))

    def step(self, way: str) -> None:
        """From the time that is looked at."""
        then = self._state.as_of
        if then is None:
            return
        steps: dict[str, Callable[[], Awaitable[int | datetime]]] = {
            "event_back": partial(_known, max(0, then.position - 1)),
            "event_on": partial(_known, then.position + 1),
            "minute_back": partial(_known, then.at - _MINUTE),
            "minute_on": partial(_known, then.at + _MINUTE),
            "exception": partial(self._next, _RAISED, "exception was raised"),
            "publish": partial(self._next, _PUBLISHED, "figure was sent"),
        }
        self._find(partial(self._stepped, steps[way]))

    def _find(self, finding: Callable[[], Awaitable[Source]]) -> None:
        self._finding = self._app.run_worker(
            partial(self._found, finding), group="travel", exit_on_error=False, exclusive=True
        )

    async def _found(self, finding: Callable[[], Awaitable[Source]]) -> None:
        try:
            self._app.post_message(Arrived(await finding()))
        except KcjlError as error:
            self._app.post_message(Lost(error.message))
        except Exception as error:  # noqa: BLE001 - outermost: shown, lives on
            self._app.post_message(Lost(f"{type(error).__name__}: {error}"))

    async def _at(self, wanted: int | datetime) -> Source:
        return await self._state.live.then(wanted)

    async def _stepped(self, wanted: Callable[[], Awaitable[int | datetime]]) -> Source:
        return await self._at(await wanted())

    async def _next(self, types: tuple[str, ...], what: str) -> int:
        then = self._state.as_of
        after = 0 if then is None else then.position
        found = await self._state.live.next_event(types, after=after)
        if found is None:
            raise Misuse(f"no further {what} after #{after:,}")
        return found


async def _known(wanted: int | datetime) -> int | datetime:
    return wanted
