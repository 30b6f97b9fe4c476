"""What an event is, and the list of all events by name: pure, shared by every room.

Promises: an event is a frozen struct with the time at which it was true outside; its name is
its class's name, its stream is its own business. It reads and writes nothing.
Invariant: change is additive; anything else is a new SCHEMA with an upcaster (log/upcast).
Called by every `events.py`; a `Vocabulary` is built once by `kcjl/events.py`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, cast

import msgspec

from kcjl.errors import CorruptLog
from kcjl.log.upcast import Key, Reading, Upcaster, readings

__all__ = ["Event", "Vocabulary"]


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all payloads. `occurred_at`: when it was true outside (the first clock).

    gc=False: events are trees and never cycles, so the collector need not look at them.
    """

    SCHEMA: ClassVar[int] = 1

    occurred_at: datetime

    @property
    def stream(self) -> str:
        """The stream that this event belongs to, e.g. order-700123456-A."""
        raise NotImplementedError(type(self).__name__)


class Vocabulary:
    """Every event class by name and schema, and the way between events and JSON bytes."""

    def __init__(
        self, classes: Iterable[type[Event]], upcasters: Iterable[Upcaster] = ()
    ) -> None:
        """Raises Misuse when an old schema of one of the classes has no way up."""
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self._today = {(cls.__name__, cls.SCHEMA): cls for cls in classes}
        self._readings: dict[Key, Reading] = {
            key: msgspec.json.Decoder(cls).decode for key, cls in self._today.items()
        }
        self._readings.update(readings(upcasters, self._today))

    def names(self) -> tuple[str, ...]:
        """The names under which events are in the log, former ones too."""
        return tuple(sorted({name for name, _ in self._readings}))

    def knows(self, event: Event) -> bool:
        """Is it an event of today, that can be read again once it is written?"""
        return self._today.get((type(event).__name__, event.SCHEMA)) is type(event)

    def encode(self, event: Event) -> bytes:
        return self._encoder.encode(event)

    def decode(self, name: str, schema: int, data: bytes | str) -> Event:
        """The event as today's class, lifted when it was written under an older schema.

        Raises CorruptLog for a name and schema that this version does not know.
        """
        reading = self._readings.get((name, schema))
        if reading is None:
            raise self._unknown(name, schema)
        try:
            event = reading(data)
        except msgspec.MsgspecError as error:
            raise CorruptLog(
                f"event {name} of schema {schema} can't be read ({error}): verify the log"
            ) from None
        return cast("Event", event)

    def _unknown(self, name: str, schema: int) -> CorruptLog:
        known = sorted(number for each, number in self._readings if each == name)
        which = f", which knows its schema {', '.join(map(str, known))}" if known else ""
        return CorruptLog(
            f"event {name} of schema {schema} is not known to this version{which}: "
            "run the version that wrote it, or a newer one"
        )
