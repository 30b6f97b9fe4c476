"""The monitor, in a process and on a terminal without glass: what its operator waits for.

Called by `monitoring.py`: DSN and merchant on the command line, one JSON object on stdout.
"""

import os
import resource
import sys

import anyio
import msgspec
from textual.events import Key

from kcjl.clock import RealClock, real_monotonic, real_sleep
from kcjl.database import AUDITOR, Database
from kcjl.projections.reading import PostgresReadModels
from tui.app import MonitorApp
from tui.source import LiveSource

__all__ = ["Seen"]

KEYS = ("j", "k", "G", "g", "7", "1", "6", "slash", "x", "escape", "question_mark", "escape")
ROUNDS = 25
SIZE = (120, 40)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, and what was resident at most."""

    painted_s: float
    """From the program's start to the first paint, Python's own start not counted."""
    figures_s: float
    """Until the first figures are there."""
    keys_s: tuple[float, ...]
    """Each key: until what it does has been drawn."""
    resident_mb: float


async def _watch(dsn: str, merchant: str, began: float) -> Seen:
    async with Database(dsn, role=AUDITOR) as database:
        models = PostgresReadModels(database, merchant, RealClock())
        app = MonitorApp(LiveSource(models, RealClock()), refresh_s=1.0)
        async with app.run_test(size=SIZE):
            painted = real_monotonic() - began
            while app.state.overview is None:
                await real_sleep(0.002)
            figures = real_monotonic() - began
            keys = [await _press(app, key) for _ in range(ROUNDS) for key in KEYS]
    resident_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Seen(
        painted_s=painted,
        figures_s=figures,
        keys_s=tuple(keys),
        resident_mb=resident_kb / 1024,
    )


async def _press(app: MonitorApp, key: str) -> float:
    """Until what the key does has been done and drawn."""
    done = anyio.Event()

    def taken() -> None:
        target = app.focused or app.screen
        target.call_later(lambda: app.screen.call_after_refresh(done.set))

    began = real_monotonic()
    app.post_message(Key(key, key if len(key) == 1 else None))
    app.call_later(taken)
    await done.wait()
    return real_monotonic() - began


if __name__ == "__main__":
    seen = anyio.run(_watch, sys.argv[1], sys.argv[2], real_monotonic())
    os.write(1, msgspec.json.encode(seen) + b"\n")
