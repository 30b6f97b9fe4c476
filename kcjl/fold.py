"""State as a fold of events, entry by entry.

Promises: an entry changes only by `evolve(entry, event, key)`, a pure function, so the same
events give the same entries. It reads nothing and decides nothing.
Invariant: events are applied in order of position, each once.
Called by rooms (their state) and by projections (their rows).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw

from kcjl.errors import Misuse
from kcjl.vocabulary import Event

__all__ = ["Contents", "Fold", "Table"]

S = TypeVar("S")


class Fold(Generic[S]):
    """Which entries an event touches, and what becomes of each. None means: no such entry.

    `entry_type` is how an entry is read again from its JSON: out of a row, out of a snapshot.
    `hears`: the only events that can touch an entry; of others the payload need not be read.
    """

    def __init__(
        self,
        keys: Callable[[Event], tuple[str, ...]],
        evolve: Callable[[S | None, Event, str], S | None],
        entry_type: type[S],
        *,
        hears: tuple[type[Event], ...] = (Event,),
    ) -> None:
        self.keys = keys
        self.evolve = evolve
        self.entry_type = entry_type
        self.hears = hears


class Contents(msgspec.Struct, Generic[S], kw_only=True):
    """All that a table holds, at one moment; entries as they are, or as their JSON."""

    entries: dict[str, S | msgspec.Raw] = {}
    watched: list[str] = []
    groups: dict[str, list[str]] = {}


class Table(Generic[S]):
    """The entries of one fold, in memory.

    An entry that was put back from a snapshot is decoded when it is first asked for.
    """

    def __init__(
        self,
        fold: Fold[S],
        *,
        watch: Callable[[S], bool] | None = None,
        group: Callable[[S], str | None] | None = None,
        tracked: bool = False,
    ) -> None:
        """`tracked`: remember which entries are touched, for `changed`."""
        self._fold = fold
        self._watch = watch
        self._group = group
        self._groups: dict[str, str | dict[str, None]] = {}
        """The key of the only entry, or the keys: most groups have one, a catalogue 100,000."""
        self._watched: dict[str, None] = {}
        self._entries: dict[str, S | msgspec.Raw] = {}
        self._changed: dict[str, None] | None = {} if tracked else None
        self._decoder = msgspec.json.Decoder(fold.entry_type)

    @property
    def entry_type(self) -> type[S]:
        return self._fold.entry_type

    def apply(self, event: Event) -> tuple[str, ...]:
        """Apply one event; returns the keys that it touched."""
        keys = self._fold.keys(event)
        for key in keys:
            before = self.get(key)
            entry = self._fold.evolve(before, event, key)
            if self._group is not None:
                self._regroup(key, before, entry)
            if entry is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = entry
            if self._watch is not None:
                if entry is not None and self._watch(entry):
                    self._watched[key] = None
                else:
                    self._watched.pop(key, None)
            if self._changed is not None:
                self._changed[key] = None
        return keys

    def drop(self, key: str) -> None:
        """Hold this entry no more: whoever wants it again reads its events."""
        entry = self.get(key)
        if self._group is not None:
            self._regroup(key, entry, None)
        self._entries.pop(key, None)
        self._watched.pop(key, None)
        if self._changed is not None:
            self._changed[key] = None

    def changed(self) -> list[str]:
        """Keys that were touched since this was last asked, gone ones too; oldest first.

        After `put_back` that is every key.
        """
        if self._changed is None:
            raise Misuse("this table does not keep what was changed: make it with tracked=True")
        changed = list(self._changed)
        self._changed.clear()
        return changed

    def _regroup(self, key: str, before: S | None, after: S | None) -> None:
        if self._group is None:
            return
        old = None if before is None else self._group(before)
        new = None if after is None else self._group(after)
        if old != new and old is not None:
            self._leave(old, key)
        if new is not None:
            self._join(new, key)

    def _join(self, group: str, key: str) -> None:
        held = self._groups.setdefault(group, key)
        if isinstance(held, dict):
            held[key] = None
        elif held != key:
            self._groups[group] = {held: None, key: None}

    def _leave(self, group: str, key: str) -> None:
        held = self._groups.get(group)
        if isinstance(held, dict):
            held.pop(key, None)
        if not held or held == key:
            self._groups.pop(group, None)

    def grouped(self, group: str) -> list[S]:
        """The entries of one group, oldest first."""
        return [self[key] for key in _keys_in(self._groups.get(group))]

    def watched(self) -> list[tuple[str, S]]:
        """The entries for which `watch` holds, oldest first: where work may be due."""
        return [(key, self[key]) for key in self._watched]

    def contents(self) -> Contents[S]:
        """A copy that does not change any more; its entries never did."""
        return Contents(
            entries=self._entries.copy(),
            watched=list(self._watched),
            groups={group: list(_keys_in(held)) for group, held in self._groups.items()},
        )

    def put_back(self, contents: Contents[S]) -> None:
        """Hold what another table of the same fold held, instead of whatever is here."""
        self._entries = dict(contents.entries)
        self._watched = dict.fromkeys(contents.watched)
        self._groups = {
            group: keys[0] if len(keys) == 1 else dict.fromkeys(keys)
            for group, keys in contents.groups.items()
        }
        if self._changed is not None:
            self._changed.update(dict.fromkeys(self._entries))

    def get(self, key: str) -> S | None:
        entry = self._entries.get(key)
        return self._decoded(key, entry) if type(entry) is Raw else entry

    def __getitem__(self, key: str) -> S:
        entry = self._entries[key]
        return self._decoded(key, entry) if type(entry) is Raw else entry

    def _decoded(self, key: str, raw: msgspec.Raw) -> S:
        entry = self._entries[key] = self._decoder.decode(raw)
        return entry

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def items(self) -> Iterator[tuple[str, S]]:
        return iter([(key, self[key]) for key in list(self._entries)])

    def values(self) -> Iterator[S]:
        return iter([self[key] for key in list(self._entries)])


def _keys_in(held: str | dict[str, None] | None) -> Iterable[str]:
    """Of a group, as a table holds it."""
    if held is None:
        return ()
    return (held,) if isinstance(held, str) else held
