"""How the monitor's tests start the app, let it settle, and read what is on the glass."""

import html
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from rich.cells import cell_len
from textual.pilot import Pilot

from tests.tui.made_up import FakeSource
from tui.app import MonitorApp
from tui.widgets.row_table import RowTable

__all__ = ["NEVER_S", "glass", "lose", "monitor", "pressed", "settled", "table"]

NEVER_S = 60.0
"""A refresh so slow that no tick comes by itself: the tests call `tick`."""

_CELL_WIDTH = 12.2
"""Of Textual's pictures."""

_TEXT = re.compile(r'<text class="[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>')


@asynccontextmanager
async def monitor(
    source: FakeSource, *, size: tuple[int, int] = (120, 40), operator: str = ""
) -> AsyncIterator[tuple[MonitorApp, Pilot[None]]]:
    """The app, running on a terminal of that size."""
    app = MonitorApp(source, refresh_s=NEVER_S, title="kcjl", operator=operator)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield app, pilot


async def settled(pilot: Pilot[None]) -> None:
    """Until no task is under way, and all that they brought is drawn.

    What a task says may start the next one: an arrival in the past reads what was then.
    """
    await pilot.pause()
    while not all(worker.is_finished for worker in pilot.app.workers):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
    await pilot.pause()


async def pressed(pilot: Pilot[None], keys: str | Iterable[str]) -> None:
    """One key by its name, or several, each with what comes of it."""
    for key in (keys,) if isinstance(keys, str) else keys:
        await pilot.press(key)
        await settled(pilot)


async def lose(
    app: MonitorApp, source: FakeSource, pilot: Pilot[None], error: Exception
) -> None:
    """The source fails at a refresh, 75 seconds after the last answer."""
    source.error = error
    source.pass_time(75)
    app.tick()
    await settled(pilot)


def table(app: MonitorApp) -> RowTable[object]:
    return app.screen.query_one(RowTable)


def glass(app: MonitorApp) -> str:
    """The text on the terminal, line by line."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in _TEXT.findall(app.export_screenshot()):
        lines.setdefault(float(y), []).append((float(x), html.unescape(text)))
    return "\n".join(_placed(pieces) for _, pieces in sorted(lines.items()))


def _placed(pieces: list[tuple[float, str]]) -> str:
    """One line: the picture leaves out blanks, so each piece is put where it stands."""
    line = ""
    for x, text in sorted(pieces):
        line += " " * (round(x / _CELL_WIDTH) - cell_len(line)) + text.replace("\xa0", " ")
    return line
