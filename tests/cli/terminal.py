"""A person at a terminal: `kcjl` on a real pty, answered prompt by prompt.

Promises: an answer is typed when its prompt is there, and not before; what stood on the screen
comes back whole, with how it ended. One that says nothing for long is ended.
Called by the tests of verbs that ask.
"""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import anyio
import msgspec

from tests.architecture.tree import ROOT

__all__ = ["INTERRUPT", "Ended", "at_terminal"]

SILENT_S = 15.0
CHUNK = 65_536
INTERRUPTS_MAX, INTERRUPTED_S = 10, 1.0
INTERRUPT = "\x03"
"""Instead of an answer: Ctrl-C."""


class Ended(msgspec.Struct, frozen=True):
    screen: str
    code: int


async def at_terminal(
    *arguments: str, cwd: Path, answers: Sequence[tuple[str, str]], **env: str
) -> Ended:
    """`answers`: (what the prompt says, what is typed), in order."""
    return await anyio.to_thread.run_sync(lambda: _typed(arguments, cwd, answers, env))


def _typed(
    arguments: Sequence[str], cwd: Path, answers: Sequence[tuple[str, str]], env: dict[str, str]
) -> Ended:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "kcjl", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            screen = _answered(process, ours, answers)
        finally:
            if process.poll() is None:
                process.kill()
            os.close(ours)
    return Ended(screen.replace("\r\n", "\n"), process.returncode)


def _answered(
    process: subprocess.Popen[bytes], ours: int, answers: Sequence[tuple[str, str]]
) -> str:
    screen, read_to = "", 0
    for prompt, answer in answers:
        while not _waits_at(prompt, screen[read_to:]):
            more = _read(ours)
            if not more:
                process.kill()
                process.wait()
                return f"{screen}\n[no prompt {prompt!r}]"
            screen += more
        read_to = len(screen)
        if answer == INTERRUPT:
            _interrupt(process)
        else:
            os.write(ours, f"{answer}\n".encode())
    while more := _read(ours):
        screen += more
    process.wait(SILENT_S)
    return screen


def _waits_at(prompt: str, shown: str) -> bool:
    """The last line is this prompt: the words alone may stand in a complaint, too. Its blank
    comes when it reads: what is typed before may be thrown away.
    """
    last = shown.rpartition("\n")[2]
    return prompt in last and last.endswith(": ")


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """Again when nothing happens, as a person does: the library that reads a line may miss one
    that comes just before it waits.
    """
    for _ in range(INTERRUPTS_MAX):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(INTERRUPTED_S)
            return


def _read(ours: int) -> str:
    """What stands there next; empty when it has ended, or says nothing for long."""
    ready, _, _ = select.select([ours], [], [], SILENT_S)
    if not ready:
        return ""
    try:
        return os.read(ours, CHUNK).decode(errors="replace")
    except OSError:  # the other end is closed
        return ""
