"""The rows of a version that is being built: some held as entries, the others in the table.

Promises: an entry is decoded once when it is needed again and encoded once when it leaves or is
settled, however many events touch it in between. It keeps two generations: what was touched
lately, and what was touched before that; the older one is written and let go.
Invariant: an entry that is held is newer than its row; one that is not held is its row.
Called by rebuild, which says when to spill and when to write.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kcjl.database import Database, Session
from kcjl.projections.projection import Projection
from kcjl.projections.store import fetch_planned_now
from kcjl.vocabulary import Event

__all__ = ["NewRows"]

CHANGE_ROWS_MAX = 1_000
"""Rows that one statement changes or removes: all of its arguments are in memory at once."""

_COLUMNS = ("merchant", "projection", "version", "key", "data")
# One index look-up a key, by "lateral": a join would be planned for the one row that a version
# without statistics is thought to have, and read all of its rows each time.
_FETCH = """
select wanted.key, r.data
from unnest($4::text[]) as wanted (key)
cross join lateral (
    select data::text as data from projection_row
    where merchant = $1 and projection = $2 and version = $3 and key = wanted.key
    limit 1
) r
"""
_CHANGE = """
insert into projection_row (merchant, projection, version, key, data)
select $1, $2, $3, n.key, n.data::json from unnest($4::text[], $5::text[]) as n (key, data)
on conflict (merchant, projection, version, key) do update set data = excluded.data
"""
_REMOVE = """
delete from projection_row where ctid = any(array(
    select r.ctid from unnest($4::text[]) as gone (key)
    cross join lateral (
        select ctid from projection_row
        where merchant = $1 and projection = $2 and version = $3 and key = gone.key
        limit 1
    ) r
))
"""


class NewRows:
    """One projection's new version."""

    def __init__(
        self, database: Database, merchant: str, projection: Projection[Any], version: int
    ) -> None:
        self.version = version
        self._database = database
        self._where = (merchant, projection.name, version)
        self._projection = projection
        self._lately: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        self._changed: set[str] = set()
        self._in_table: set[str] = set()
        """Of the keys that are held: those that have a row."""
        self._spilled = False

    @property
    def recent(self) -> int:
        """Entries of the younger generation."""
        return len(self._lately)

    async def fold(self, events: Sequence[Event]) -> None:
        touches = self._projection.touches(events)
        if not touches:
            return
        lately, before = self._lately, self._before
        keys = {key for key, _ in touches}
        missing: list[str] = []
        for key in keys.difference(lately):
            if key in before:
                lately[key] = before.pop(key)
            else:
                missing.append(key)
        if missing and self._spilled:
            rows = await fetch_planned_now(self._database, _FETCH, *self._where, missing)
            for row in rows:
                lately[row["key"]] = self._projection.entry(row["data"])
                self._in_table.add(row["key"])
        self._projection.fold(touches, lately)
        self._changed |= keys

    async def spill(self, transaction: Session) -> None:
        """Write the older generation and let it go; what was touched lately becomes it."""
        leaving = self._before
        await self._write(transaction, leaving, leaving.keys() & self._changed)
        self._changed.difference_update(leaving)
        self._in_table.difference_update(leaving)
        self._before, self._lately = self._lately, {}
        self._spilled = self._spilled or bool(leaving)

    async def write(self, transaction: Session) -> None:
        """Write all that has changed; what is held stays held."""
        for held in (self._before, self._lately):
            changed = held.keys() & self._changed
            await self._write(transaction, held, changed)
            for key in [key for key in changed if held[key] is None]:
                del held[key]
                self._in_table.discard(key)
            self._in_table.update(changed & held.keys())
        self._changed.clear()

    async def _write(
        self, transaction: Session, held: dict[str, Any], keys: Iterable[str]
    ) -> None:
        new: list[str] = []
        changed: list[str] = []
        gone: list[str] = []
        for key in sorted(keys):
            if held[key] is None:
                gone.append(key)
            else:
                (changed if key in self._in_table else new).append(key)
        if new:
            rows = self._rows(held, new)
            await transaction.copy_into("projection_row", _COLUMNS, rows)
        for some in _slices(changed):
            data = [self._row(held[key]) for key in some]
            await transaction.execute(_CHANGE, *self._where, some, data)
        for some in _slices(gone):
            await transaction.execute(_REMOVE, *self._where, some)

    def _rows(self, held: dict[str, Any], keys: Iterable[str]) -> Iterator[tuple[object, ...]]:
        """Made while they are sent: all of them at once would be as large as the entries."""
        for key in keys:
            yield (*self._where, key, self._row(held[key]))

    def _row(self, entry: Any) -> str:
        return self._projection.encode(entry).decode()


def _slices(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), CHANGE_ROWS_MAX):
        yield keys[start : start + CHANGE_ROWS_MAX]
