"""The command line as a user types it: a real process, in a folder with its configuration.

Promises: what it wrote and how it ended comes back, whatever that was; one that hangs is ended.
Called by the tests of the verbs.
"""

import os
import subprocess
import sys
from pathlib import Path

import anyio

from tests.architecture.tree import ROOT

__all__ = ["typed", "typed_now"]

HANGS_S = 50


def typed_now(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`kcjl` with these arguments, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "kcjl", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=HANGS_S,
        check=False,
    )


async def typed(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The same, while whatever else runs here goes on."""
    return await anyio.to_thread.run_sync(lambda: typed_now(*arguments, cwd=cwd))
