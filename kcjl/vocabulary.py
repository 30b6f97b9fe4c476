"""What an event is, and the list of all events by name: pure, shared by every room.

Promises: an event is a frozen struct with the time at which it was true outside; its name is
its class's name, its stream is its own business. It reads and writes nothing.
Invariant: change is additive; anything else is a new SCHEMA with an upcaster (log/upcast).
Called by every `events.py`; a `Vocabulary` is built once by `kcjl/events.py`.
"""

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar, NoReturn, cast

import msgspec

from kcjl.errors import CorruptLog
from kcjl.log.upcast import Key, Reading, Upcaster, readings

__all__ = ["Event", "Vocabulary", "held_once"]


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


def held_once(text: str) -> str:
    """The same text as one object: a code that stands in many tables takes its room once."""
    return sys.intern(text)


class Vocabulary:
    """Every event class by name and schema, and the way between events and JSON bytes."""

    def __init__(
        self, classes: Iterable[type[Event]], upcasters: Iterable[Upcaster] = ()
    ) -> None:
        """Raises Misuse when an old schema of one of the classes has no way up."""
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self._today = {(cls.__name__, cls.SCHEMA): cls for cls in classes}
        self._readings = _Readings(
            {key: msgspec.json.Decoder(cls).decode for key, cls in self._today.items()}
        )
        self._readings.update(
            cast("dict[Key, Reading[Event]]", readings(upcasters, self._today))
        )

    @property
    def readings(self) -> Mapping[Key, "Reading[Event]"]:
        """How each type and schema is read, for readers of many: `decode`, but for its errors.

        One that is not known raises CorruptLog; what can't be read, msgspec's error.
        """
        return self._readings

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
        try:
            return self._readings[name, schema](data)
        except msgspec.MsgspecError as error:
            raise _unreadable((name, schema), error) from None

    def unreadable(
        self, merchant: str, position: int, key: Key, error: CorruptLog | msgspec.MsgspecError
    ) -> CorruptLog:
        """What to raise for the event there, when one of the readings has raised this."""
        if not isinstance(error, CorruptLog):
            error = _unreadable(key, error)
        return CorruptLog(f"the log of {merchant}, position {position}: {error.message}")


class _Readings(dict[Key, "Reading[Event]"]):
    """By type and schema."""

    def __missing__(self, key: Key) -> NoReturn:
        name, schema = key
        known = sorted(number for each, number in self if each == name)
        which = f", which knows its schema {', '.join(map(str, known))}" if known else ""
        raise CorruptLog(
            f"event {name} of schema {schema} is not known to this version{which}: "
            "run the version that wrote it, or a newer one"
        )


def _unreadable(key: Key, error: msgspec.MsgspecError) -> CorruptLog:
    name, schema = key
    return CorruptLog(
        f"event {name} of schema {schema} can't be read ({error}): verify the log"
    )
