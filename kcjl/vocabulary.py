"""What an event is, and the list of all events by name: pure, shared by every room.

Promises: an event is a frozen struct with the time at which it was true outside; its name is
its class's name, its stream is its own business. It reads and writes nothing.
Invariant: change is additive; anything else is a new SCHEMA with an upcaster (log/upcast).
Called by every `events.py`; a `Vocabulary` is built once by `kcjl/events.py`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

import msgspec

from kcjl.errors import CorruptLog

__all__ = ["Event", "Vocabulary"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all payloads. `occurred_at`: when it was true outside (the first clock)."""

    SCHEMA: ClassVar[int] = 1

    occurred_at: datetime

    @property
    def stream(self) -> str:
        """The stream that this event belongs to, e.g. order-700123456-A."""
        raise NotImplementedError(type(self).__name__)


class Vocabulary:
    """Every event class by name and schema, and the way between events and JSON bytes."""

    def __init__(self, classes: Iterable[type[Event]]) -> None:
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self._decoders = {
            (cls.__name__, cls.SCHEMA): msgspec.json.Decoder(cls) for cls in classes
        }

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, _ in self._decoders))

    def knows(self, event: Event) -> bool:
        """Can this event be read again once it is written?"""
        return (type(event).__name__, event.SCHEMA) in self._decoders

    def encode(self, event: Event) -> bytes:
        return self._encoder.encode(event)

    def decode(self, name: str, schema: int, data: bytes | str) -> Event:
        """Raises CorruptLog for a name and schema that this version does not know."""
        decoder = self._decoders.get((name, schema))
        if decoder is None:
            raise CorruptLog(
                f"event {name} of schema {schema} is not known to this version: "
                "run the version that wrote it, or a newer one"
            )
        try:
            return decoder.decode(data)
        except msgspec.MsgspecError as error:
            raise CorruptLog(
                f"event {name} of schema {schema} can't be read: {error}"
            ) from None
