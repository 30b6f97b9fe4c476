"""State as a fold of events, entry by entry.

Promises: an entry changes only by `evolve(entry, event, key)`, a pure function, so the same
events give the same entries. It reads nothing and decides nothing.
Invariant: events are applied in order of position, each once.
Called by rooms (their state) and by projections (their rows).
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Raw

from kcjl.errors import Misuse
from kcjl.packed import Packed, Packer
from kcjl.vocabulary import Event

__all__ = ["Contents", "Fold", "Table"]

S = TypeVar("S")
_Closed: TypeAlias = Raw | Packed


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
    """All that a table holds, at one moment; entries as they are, as their JSON, or packed."""

    entries: dict[str, S | _Closed] = {}
    watched: list[str] = []
    groups: dict[str, list[str]] = {}


class Table(Generic[S]):
    """The entries of one fold, in memory.

    An entry that was put back from a snapshot is decoded when it is first asked for. With
    `warm`, what was not asked for in a while is packed: a shop's ended orders are many, and
    seldom asked for.
    """

    def __init__(
        self,
        fold: Fold[S],
        *,
        watch: Callable[[S], bool] | None = None,
        group: Callable[[S], str | None] | None = None,
        tracked: bool = False,
        warm: int | None = None,
    ) -> None:
        """`tracked`: remember which entries are touched, for `changed`. `warm`: so many of the
        entries that are not watched are kept as they are; None: all of them.
        """
        self._fold = fold
        self._watch = watch
        self._group = group
        self._groups: dict[str, str | dict[str, None]] = {}
        """The key of the only entry, or the keys: most groups have one, a catalogue 100,000."""
        self._watched: dict[str, None] = {}
        self._entries: dict[str, S | _Closed] = {}
        self._changed: dict[str, None] | None = {} if tracked else None
        self._decoder = msgspec.json.Decoder(fold.entry_type)
        self._warm = None if warm is None else _Warm(warm)

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
            if self._warm is not None:
                self._touch(key, self._warm)
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
        return [(key, self._held(key, self._entries[key])) for key in self._watched]

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
        if self._warm is not None:
            self._warm.to_pack = [key for key, each in self._entries.items() if _is_raw(each)]
        self._watched = dict.fromkeys(contents.watched)
        self._groups = {
            group: keys[0] if len(keys) == 1 else dict.fromkeys(keys)
            for group, keys in contents.groups.items()
        }
        if self._changed is not None:
            self._changed.update(dict.fromkeys(self._entries))

    def get(self, key: str) -> S | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self._warm is not None:
            self._touch(key, self._warm)
        return self._held(key, entry)

    def __getitem__(self, key: str) -> S:
        entry = self._entries[key]
        if self._warm is not None:
            self._touch(key, self._warm)
        return self._held(key, entry)

    def _held(self, key: str, entry: S | _Closed) -> S:
        """As it is kept from now on."""
        if type(entry) is Raw:
            entry = self._entries[key] = self._decoder.decode(entry)
        elif type(entry) is Packed:
            entry = self._entries[key] = self._decoder.decode(entry.json())
        return entry

    def _opened(self, closed: _Closed) -> S:
        return self._decoder.decode(closed if isinstance(closed, Raw) else closed.json())

    def _passing(self, key: str) -> S:
        """For somebody who goes through all of them: what is packed stays so."""
        entry = self._entries[key]
        if self._warm is None:
            return self._held(key, entry)
        return self._opened(entry) if isinstance(entry, _Closed) else entry

    def _touch(self, key: str, warm: "_Warm") -> None:
        """It was asked for last, so it is packed last; now it is the turn of another."""
        for other in warm.after(key):
            entry = self._entries.get(other)
            if entry is None or isinstance(entry, Packed) or other in self._watched:
                continue
            json = bytes(entry) if isinstance(entry, Raw) else msgspec.json.encode(entry)
            self._entries[other] = warm.packer.pack(json)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def items(self) -> Iterator[tuple[str, S]]:
        return iter([(key, self._passing(key)) for key in list(self._entries)])

    def values(self) -> Iterator[S]:
        return iter([self._passing(key) for key in list(self._entries)])


class _Warm:
    """Which entries of a table were asked for last."""

    def __init__(self, most: int) -> None:
        self.packer = Packer()
        self.to_pack: list[str] = []
        """Put back from a snapshot, as JSON that is larger than what it says."""
        self._most = most
        self._keys: OrderedDict[str, None] = OrderedDict()

    def after(self, key: str) -> Iterator[str]:
        """Whose turn it is when this one was asked for: two at most, so that nobody waits."""
        self._keys[key] = None
        self._keys.move_to_end(key)
        if len(self._keys) > self._most:
            yield self._keys.popitem(last=False)[0]
        if self.to_pack:
            other = self.to_pack.pop()
            if other not in self._keys:
                yield other


def _is_raw(entry: object) -> bool:
    return isinstance(entry, Raw)


def _keys_in(held: str | dict[str, None] | None) -> Iterable[str]:
    """Of a group, as a table holds it."""
    if held is None:
        return ()
    return (held,) if isinstance(held, str) else held
