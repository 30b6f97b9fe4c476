"""The monitor, in a process of its own, on a pseudo-terminal: how soon a key is answered.

Called by `monitoring.py`, which drains the terminal: DSN, merchant and what is asked for on the
command line, one JSON object on stdout.
"""

import os
import sys
from pathlib import Path

import anyio
import msgspec
from textual.events import Key
from textual.pilot import Pilot

from kcjl.clock import RealClock, chance, real_monotonic, real_sleep
from kcjl.database import AUDITOR, Database
from kcjl.projections.reading import PostgresReadModels
from tui.app import MonitorApp
from tui.screens.listing import ListScreen
from tui.source import LiveSource
from tui.widgets.filter_bar import FilterBar

__all__ = ["Seen", "resident_mb"]

ORDERS = "3"
KEYS = (
    *("j", "k", "G", "g", "slash", "7", "escape"),
    *("7", "1", "6", "question_mark", "escape", "2", "5", "9", ORDERS),
)
"""From the list of orders, about, and back to it: each changes what is on the glass."""
PRESSED = 500
PAUSE_S_MAX = 0.1
"""Between two keys, at random, so that they fall into every part of a refresh."""
ANSWER_S_MAX = 10.0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, and what was resident."""

    keys_s: tuple[tuple[str, float], ...] = ()
    """Each key: until what it does has been drawn."""
    resident_mb: float
    """At most, up to the end."""
    reads: int = 0
    """Overviews that were read while it was sat before, each with the list."""
    position: int
    """Of the log, as it was shown last."""


def resident_mb(pid: int | str = "self") -> float:
    """The most that a process has held so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no high water mark")


async def _watch(dsn: str, merchant: str, until: int) -> Seen:
    """Keys as long as `until` is 0; else the list of orders, until the log has come so far."""
    async with Database(dsn, role=AUDITOR) as database:
        models = PostgresReadModels(database, merchant, RealClock())
        app = MonitorApp(LiveSource(models, RealClock()))
        keys: list[tuple[str, float]] = []
        reads = 0
        failed: list[Exception] = []

        async def operator(pilot: Pilot[object]) -> None:
            nonlocal reads
            try:
                await _press(app, ORDERS)
                while not _listed(app):
                    await real_sleep(0.01)
                if until:
                    reads = await _sit(app, until)
                else:
                    keys.extend(await _press_all(app))
            except Exception as error:  # noqa: BLE001 - the terminal would swallow it
                failed.append(error)
            pilot.app.exit()

        await app.run_async(auto_pilot=operator)
        for error in failed:
            raise error
        if app.return_code:
            raise AssertionError(f"the monitor ended with {app.return_code}")
    overview = app.state.overview
    return Seen(
        keys_s=tuple(keys),
        resident_mb=resident_mb(),
        reads=reads,
        position=0 if overview is None else overview.fresh.position,
    )


async def _press_all(app: MonitorApp) -> list[tuple[str, float]]:
    luck = chance("keys")
    taken: list[tuple[str, float]] = []
    while len(taken) < PRESSED:
        for key in KEYS:
            await real_sleep(PAUSE_S_MAX * luck.random())
            taken.append((key, await _press(app, key)))
    return taken


async def _sit(app: MonitorApp, until: int) -> int:
    """Refreshes without a pause, until the log has come so far: how many answers came."""
    reads, shown = 0, app.state.overview
    while shown is None or shown.fresh.position < until:
        app.tick()
        await real_sleep(0.01)
        reads += app.state.overview is not shown
        shown = app.state.overview
    return reads


async def _press(app: MonitorApp, key: str) -> float:
    """Until what the key does has been done and drawn."""
    before, began = _look(app), real_monotonic()
    app.post_message(Key(key, key if len(key) == 1 else None))
    with anyio.move_on_after(ANSWER_S_MAX):
        while _look(app) == before:
            await real_sleep(0.001)
        drawn = anyio.Event()
        app.screen.call_after_refresh(drawn.set)
        await drawn.wait()
        return real_monotonic() - began
    raise AssertionError(f"{key} was not answered within {ANSWER_S_MAX:g} s: {before}")


def _look(app: MonitorApp) -> tuple[object, ...]:
    """What a key can change; none of it changes by itself."""
    screen = app.screen
    if not isinstance(screen, ListScreen):
        return (type(screen),)
    return (
        app.current_mode,
        screen.table.cursor_key if not screen.table.following else "",
        screen.opened and screen.key_of(screen.opened),
        screen.sorting,
        [(bar.editing, bar.raw) for bar in screen.query(FilterBar) if bar.is_mounted],
        app.focused and app.focused.id,
    )


def _listed(app: MonitorApp) -> bool:
    return isinstance(app.screen, ListScreen) and bool(app.screen.items())


if __name__ == "__main__":
    seen = anyio.run(_watch, sys.argv[1], sys.argv[2], int(sys.argv[3]))
    os.write(1, msgspec.json.encode(seen) + b"\n")
