"""What came into the world from outside, in order: the world can be played again from it.

Promises: a change is on file before it is applied, so a killed sandbox comes back at the
world time of its last entry, with every change in it; a half-written last entry is left out;
one process holds it. Reads are not kept: they change nothing. It does not fsync: it outlives
the process, not the machine.
Invariant: the same settings, the same entries at the same world times, give the same world.
Called by the sandbox's server.
"""

import fcntl
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from kcjl.errors import Misuse

__all__ = ["JournalEntry", "WorldJournal", "plain"]

FILE_NAME = "world.journal"
_FORMAT = 1


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change from outside, at its world time; side "clock" is a mark of time passed."""

    at: datetime
    side: str
    operation: str
    arguments: dict[str, object] = {}


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    kcjl_sandbox: int
    settings: dict[str, object]


class WorldJournal:
    """The journal of one world in a directory; `entries` are those of the runs before."""

    def __init__(self, directory: Path, settings: dict[str, object]) -> None:
        self.path = directory / FILE_NAME
        self.entries: tuple[JournalEntry, ...] = ()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = self.path.open("ab+")
        except OSError as trouble:
            raise Misuse(
                f"the sandbox can't keep its state in {directory}: {trouble}"
            ) from None
        try:
            self._hold()
            self._load(settings)
        except BaseException:
            self._file.close()
            raise

    def write(self, entry: JournalEntry) -> None:
        """Put an entry on file; it is there when this returns."""
        self._file.write(msgspec.json.encode(entry) + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _hold(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Misuse(f"another sandbox is running with {self.path}") from None

    def _load(self, settings: dict[str, object]) -> None:
        self._file.seek(0)
        entries = []
        end_of_whole = 0
        head: _Head | None = None
        for number, written in enumerate(self._file, start=1):
            if not written.endswith(b"\n"):
                break
            try:
                if head is None:
                    head = msgspec.json.decode(written, type=_Head)
                else:
                    entries.append(msgspec.json.decode(written, type=JournalEntry))
            except (msgspec.DecodeError, UnicodeDecodeError) as trouble:
                raise Misuse(
                    f"{self.path} entry {number} is damaged ({trouble}): "
                    "move the file away to begin a new world"
                ) from None
            end_of_whole += len(written)
        self._file.truncate(end_of_whole)
        if head is None:
            first = _Head(kcjl_sandbox=_FORMAT, settings=settings)
            self._file.write(msgspec.json.encode(first) + b"\n")
            self._file.flush()
            return
        self._refuse_another_world(head, settings)
        self.entries = tuple(entries)

    def _refuse_another_world(self, head: _Head, settings: dict[str, object]) -> None:
        wanted = plain(settings)
        names = sorted({*head.settings, *wanted})
        differing = [name for name in names if head.settings.get(name) != wanted.get(name)]
        if head.kcjl_sandbox != _FORMAT:
            raise Misuse(f"{self.path} is of another version of the sandbox")
        if differing:
            told = ", ".join(
                f"{name} was {head.settings.get(name)!r} and is now {wanted.get(name)!r}"
                for name in differing
            )
            raise Misuse(
                f"{self.path} is of a world with other settings ({told}): "
                "give the same settings, or another state directory"
            )


def plain(arguments: dict[str, object]) -> dict[str, object]:
    """The arguments as they will come back from the file: live and replay see the same."""
    try:
        return msgspec.json.decode(msgspec.json.encode(arguments), type=dict[str, object])
    except (TypeError, ValueError) as trouble:
        raise Misuse(f"a change of the world needs plain arguments: {trouble}") from None
