"""What a projection is: a fold whose entries are kept as rows.

Promises: a row is `{"state": …, "row": entry}` in canonical JSON, so a rebuilt row is the same
byte for byte (law 1). Reads nothing. Called by each room's `projection.py` and by the runner.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from kcjl.fold import Fold
from kcjl.vocabulary import Event

__all__ = ["Projection"]

S = TypeVar("S")


class Projection(Generic[S]):
    """A read model by name: which events touch which rows, and what a row says."""

    def __init__(
        self, name: str, fold: Fold[S], entry_type: type[S], state_of: Callable[[S], str]
    ) -> None:
        self.name = name
        self._fold = fold
        self._state_of = state_of
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self._decoder = msgspec.json.Decoder(entry_type)

    def keys(self, event: Event) -> tuple[str, ...]:
        return self._fold.keys(event)

    def evolve(self, row: bytes | None, event: Event, key: str) -> bytes | None:
        """The row after the event; None: the row is gone."""
        entry = self._fold.evolve(None if row is None else self.entry(row), event, key)
        return None if entry is None else self.encode(entry)

    def encode(self, entry: S) -> bytes:
        state = self._encoder.encode(self._state_of(entry))
        return b'{"state":' + state + b',"row":' + self._encoder.encode(entry) + b"}"

    def entry(self, row: bytes | str) -> S:
        """What a stored row holds."""
        raw = msgspec.json.decode(row, type=_Stored).row
        return self._decoder.decode(raw)


class _Stored(msgspec.Struct):
    row: msgspec.Raw
