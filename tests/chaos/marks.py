"""What the writer of the chaos test appends, and the journal in which it says what it was told.

A journal is a file of lines: `tried`, then `kept` (acknowledged) or `refused` (certainly not
written), or nothing where the writer was killed first. It outlives the writer's kill, because
each line is with the operating system before the next thing is done.
"""

import os
from pathlib import Path

import msgspec

from kcjl.vocabulary import Event, Vocabulary

__all__ = ["BATCH_EVENTS_MAX", "MERCHANT", "VOCABULARY", "Journal", "Marked", "Told", "told"]

MERCHANT = "chaos"
BATCH_EVENTS_MAX = 3


class Marked(Event, frozen=True, kw_only=True):
    """One event of a batch; the batch has a mark of its own."""

    writer: int
    """The how-manieth writer process it was."""
    appender: int
    mark: int
    part: int
    parts: int

    @property
    def stream(self) -> str:
        return f"appender-{self.appender}" if self.part else "first-of-all"


VOCABULARY = Vocabulary([Marked])


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the writers were told of their batches."""

    tried: frozenset[int]
    kept: dict[int, tuple[int, ...]]
    """Mark -> the positions that were acknowledged."""
    refused: frozenset[int]


class Journal:
    """Written by a writer process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def tried(self, mark: int) -> None:
        os.write(self._file, f"tried {mark}\n".encode())

    def kept(self, mark: int, positions: list[int]) -> None:
        os.write(self._file, f"kept {mark} {' '.join(map(str, positions))}\n".encode())

    def refused(self, mark: int) -> None:
        os.write(self._file, f"refused {mark}\n".encode())


def told(path: Path) -> Told:
    """A journal, read; the last line may have been cut by a kill."""
    tried: set[int] = set()
    kept: dict[int, tuple[int, ...]] = {}
    refused: set[int] = set()
    for line in path.read_text(encoding="ascii").split("\n")[:-1]:
        word, mark, *positions = line.split(" ")
        match word:
            case "tried":
                tried.add(int(mark))
            case "kept":
                kept[int(mark)] = tuple(int(each) for each in positions)
            case _:
                refused.add(int(mark))
    return Told(tried=frozenset(tried), kept=kept, refused=frozenset(refused))
