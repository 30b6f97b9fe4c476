"""A verb as it is run, such as `kcjl log rebuild NAME`: what it said, and what it held at most.

The memory is the process's own greatest resident set, as the kernel keeps it; shared libraries
are in it, the server's processes are not.
Called by projecting.py, remembering.py and closing.py.
"""

import os
import sys
import tempfile
from pathlib import Path

import anyio
import msgspec
from anyio.streams.text import TextReceiveStream

from kcjl.clock import real_sleep

__all__ = ["ROOT", "Done", "rebuild", "watched"]

ROOT = Path(__file__).parents[2]
"""Where a process of its own is started, so that it finds the same code."""
LOOK_EVERY_S = 0.02
CONFIG = """\
database = "{dsn}"
[merchants.{merchant}.johnlewis]
base_url = "https://tenant.example"
[merchants.{merchant}.khaos]
base_url = "https://erp.example/KhaosKSD.exe"
[merchants.{merchant}.khaos.invoice_address]
line1 = "1 Example Road"
town = "London"
postcode = "ZZ1 1ZZ"
"""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What it said, and what was seen of it."""

    events: int
    rows: int
    seconds: float
    resident_mb: float = 0.0

    @property
    def per_s(self) -> float:
        return self.events / self.seconds


async def rebuild(dsn: str, merchant: str, *names: str) -> Done:
    """Run it in a process of its own, all projections when none is named."""
    said, most_mb = await watched(dsn, merchant, "log", "rebuild", *names, "--json")
    return msgspec.structs.replace(msgspec.json.decode(said, type=Done), resident_mb=most_mb)


async def watched(dsn: str, merchant: str, *verb: str) -> tuple[str, float]:
    """Run a verb in a process of its own: what it said, and the most MB that it held."""
    with tempfile.TemporaryDirectory(prefix="kcjl-benchmark-") as folder:
        config = Path(folder) / "kcjl.toml"
        config.write_text(CONFIG.format(dsn=dsn, merchant=merchant))
        command = [sys.executable, "-m", "kcjl", *verb, "--config", str(config)]
        most_kb = 0
        said = ""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        async with (
            await anyio.open_process(
                command, cwd=folder, env=environment, stderr=None
            ) as process,
            anyio.create_task_group() as group,
        ):

            async def look() -> None:
                nonlocal most_kb
                while True:
                    most_kb = _most_kb(process.pid) or most_kb
                    await real_sleep(LOOK_EVERY_S)

            group.start_soon(look)
            if process.stdout is not None:
                async for text in TextReceiveStream(process.stdout):
                    said += text
            code = await process.wait()
            group.cancel_scope.cancel()
    if code != 0:
        raise AssertionError(f"kcjl {' '.join(verb)} ended with {code}")
    return said, most_kb / 1024


def _most_kb(pid: int) -> int:
    """VmHWM; 0 when the process is just ending."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0
