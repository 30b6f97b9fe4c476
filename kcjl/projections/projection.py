"""What a projection is: a fold whose entries are kept as rows.

Promises: a row is `{"state": …, "row": entry}` in canonical JSON, so a rebuilt row is the same
byte for byte (law 1). Events are folded into entries; a row is decoded before the first event
that touches it and encoded after the last, not once an event. Reads nothing.
Called by each room's `projection.py`, by the runner, by rebuild and by as-of.
"""

from collections.abc import Callable, Iterable, MutableMapping
from typing import Generic, TypeVar

import msgspec

from kcjl.fold import Fold
from kcjl.vocabulary import Event

__all__ = ["Projection"]

S = TypeVar("S")


class Projection(Generic[S]):
    """A read model by name: which events touch which rows, and what a row says."""

    def __init__(self, name: str, fold: Fold[S], state_of: Callable[[S], str]) -> None:
        self.name = name
        self._fold = fold
        self._state_of = state_of
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self._decoder = msgspec.json.Decoder(fold.entry_type)
        self._stored = msgspec.json.Decoder(_Stored)
        self._heard = _Heard(fold.hears)

    @property
    def hears(self) -> tuple[type[Event], ...]:
        """The only events that can touch a row."""
        return self._fold.hears

    def keys(self, event: Event) -> tuple[str, ...]:
        return self._fold.keys(event)

    def touches(self, events: Iterable[Event]) -> list[tuple[str, Event]]:
        """(key, event) for each row that an event touches, in order of the events."""
        keys, heard = self._fold.keys, self._heard
        return [(key, event) for event in events if heard[type(event)] for key in keys(event)]

    def fold(
        self, touches: Iterable[tuple[str, Event]], entries: MutableMapping[str, S | None]
    ) -> None:
        """Fold into `entries` (changed in place); a key that is not there is a new entry."""
        evolve = self._fold.evolve
        get = entries.get
        for key, event in touches:
            entries[key] = evolve(get(key), event, key)

    def evolve(self, row: bytes | None, event: Event, key: str) -> bytes | None:
        """The row after the event; None: the row is gone."""
        entry = self._fold.evolve(None if row is None else self.entry(row), event, key)
        return None if entry is None else self.encode(entry)

    def encode(self, entry: S) -> bytes:
        state = self._encoder.encode(self._state_of(entry))
        return b'{"state":' + state + b',"row":' + self._encoder.encode(entry) + b"}"

    def state_of(self, entry: S) -> str:
        """The one word by which lists are filtered."""
        return self._state_of(entry)

    def entry(self, row: bytes | str) -> S:
        """What a stored row holds."""
        return self._decoder.decode(self._stored.decode(row).row)


class _Stored(msgspec.Struct):
    row: msgspec.Raw


class _Heard(dict[type[Event], bool]):
    """Whether events of a class can touch a row: asked once a class, not once an event."""

    def __init__(self, hears: tuple[type[Event], ...]) -> None:
        super().__init__()
        self._hears = hears

    def __missing__(self, kind: type[Event]) -> bool:
        return self.setdefault(kind, issubclass(kind, self._hears))
