"""The log folded into every read model, in bounded memory, without a database.

Promises: the same folds as the live rows'; what nobody hears is not decoded.
Entries that were not touched for long are encoded, written into a temporary file that has no
name, and read back when they are touched again. In the end all rows stand there, by key.
Invariant: an entry that is held is newer than its row in the file; one that is not is its row.
Called by `replay_check.py`.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Self

import msgspec

from kcjl.errors import CorruptLog
from kcjl.log.chain import BareRow
from kcjl.projections.projection import Projection
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["ENTRIES_HELD_MAX", "ReplayedRows"]

ENTRIES_HELD_MAX = 30_000
"""In memory, of all projections together: an order is some 3 KB."""
CACHE_KB = 32_768
"""Of the file, in memory."""
READ_ROWS = 1_000


class ReplayedRows:
    """What the projections fold of one merchant's events, in order from the first."""

    def __init__(
        self, merchant: str, vocabulary: Vocabulary, projections: Sequence[Projection[Any]]
    ) -> None:
        self.position = 0
        """The last one that was folded."""
        self._merchant = merchant
        self._vocabulary = vocabulary
        self._file = _File()
        self._folded = [
            _Folded(each, number, self._file) for number, each in enumerate(projections)
        ]
        self._heard: dict[tuple[str, int], tuple[list[Event], ...]] = {}
        """By type and schema: the lists of those who hear it."""

    def take(self, rows: Sequence[BareRow]) -> None:
        """Fold the next events of the log, as they are stored. Raises CorruptLog.

        An event that this version can't read is CorruptLog too, if anybody hears it or it is
        the first of its type.
        """
        if not rows:
            return
        if rows[0][0] != self.position + 1:
            raise CorruptLog(
                f"the log of {self._merchant} has no event at position {self.position + 1}: "
                "verify the log"
            )
        readings, heard = self._vocabulary.readings, self._heard
        position, key = 0, ("", 0)
        try:
            for position, _, _, name, schema, _, _, _, _, _, data, _ in rows:  # noqa: B007
                key = (name, schema)
                hearers = heard.get(key)
                if hearers is None:
                    hearers = self._hearers(key, data)
                if hearers:
                    event = readings[key](data)
                    for events in hearers:
                        events.append(event)
        except (CorruptLog, msgspec.MsgspecError) as error:
            raise self._vocabulary.unreadable(self._merchant, position, key, error) from None
        self._fold(rows[-1][0])

    def _hearers(self, key: tuple[str, int], data: bytes) -> tuple[list[Event], ...]:
        kind = type(self._vocabulary.readings[key](data))
        hearers = tuple(
            folded.events for folded in self._folded if issubclass(kind, folded.hears)
        )
        self._heard[key] = hearers
        return hearers

    def _fold(self, position: int) -> None:
        for folded in self._folded:
            folded.fold()
        self.position = position
        if sum(folded.recent for folded in self._folded) > ENTRIES_HELD_MAX // 2:
            for folded in self._folded:
                folded.spill()

    def rows(self, projection: str) -> Iterator[tuple[str, bytes]]:
        """Every row of a projection, by key."""
        for folded in self._folded:
            if folded.name == projection:
                folded.write()
                yield from self._file.rows(folded.number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _Folded:
    """One projection's entries: touched lately, touched before that, and in the file."""

    def __init__(self, projection: Projection[Any], number: int, file: "_File") -> None:
        self.name = projection.name
        self.number = number
        self.hears = projection.hears
        self.events: list[Event] = []
        """Heard, and not folded yet."""
        self._projection = projection
        self._file = file
        self._lately: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        self._spilled = False

    @property
    def recent(self) -> int:
        return len(self._lately)

    def fold(self) -> None:
        if not self.events:
            return
        touches = self._projection.touches(self.events)
        self.events.clear()
        lately, before = self._lately, self._before
        for key in {key for key, _ in touches}.difference(lately):
            if key in before:
                lately[key] = before.pop(key)
            elif self._spilled and (row := self._file.row(self.number, key)) is not None:
                lately[key] = self._projection.entry(row)
        self._projection.fold(touches, lately)

    def spill(self) -> None:
        """Write what was not touched lately, and let it go."""
        self._write(self._before)
        self._before, self._lately = self._lately, {}

    def write(self) -> None:
        """Write all that is held, and let it go."""
        self.spill()
        self.spill()

    def _write(self, entries: dict[str, Any]) -> None:
        encode = self._projection.encode
        self._file.write(
            self.number,
            [(key, encode(entry)) for key, entry in entries.items() if entry is not None],
        )
        if self._spilled:
            self._file.remove(
                self.number, [key for key, entry in entries.items() if entry is None]
            )
        self._spilled = self._spilled or bool(entries)


class _File:
    """Rows by projection and key; it has no name, and goes with the process."""

    def __init__(self) -> None:
        self._store = sqlite3.connect("", isolation_level=None)
        for statement in (
            "pragma journal_mode = off",
            "pragma synchronous = off",
            f"pragma cache_size = -{CACHE_KB}",
            "create table row (projection int, key text, data blob, unique (projection, key))",
            "begin",
        ):
            self._store.execute(statement)

    def write(self, projection: int, rows: Sequence[tuple[str, bytes]]) -> None:
        self._store.executemany(
            "insert or replace into row values (?, ?, ?)",
            ((projection, key, row) for key, row in rows),
        )

    def remove(self, projection: int, keys: Sequence[str]) -> None:
        self._store.executemany(
            "delete from row where projection = ? and key = ?",
            ((projection, key) for key in keys),
        )

    def row(self, projection: int, key: str) -> bytes | None:
        found = self._store.execute(
            "select data from row where projection = ? and key = ?", (projection, key)
        ).fetchone()
        return None if found is None else found[0]

    def rows(self, projection: int) -> Iterator[tuple[str, bytes]]:
        found = self._store.execute(
            "select key, data from row where projection = ? order by key", (projection,)
        )
        while some := found.fetchmany(READ_ROWS):
            yield from some

    def close(self) -> None:
        self._store.close()
