"""Events as they were once stored, kept in tests/log/samples: what must be readable for ever.

A line of the file is one payload under its type and schema, and what it reads as today. Lines
are added, and never taken away: `python -m tests.log.stored_samples` adds one for each event
that has none. When an event gets a new schema its old line becomes the sample of its upcaster,
and its `today` is written by hand.
"""

import sys
import types
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from kcjl.errors import KcjlError
from kcjl.events import EVENT_CLASSES, UPCASTERS, vocabulary
from kcjl.log.upcast import Upcaster
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["STORED", "Sample", "faults", "stored"]

STORED = Path(__file__).parent / "samples" / "events.jsonl"
MOMENT = datetime(2026, 10, 1, 8, 0, 0, 123456, tzinfo=UTC)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One stored payload."""

    type: str
    schema: int
    data: msgspec.Raw
    today: msgspec.Raw
    """What it must be read as, in the fields of the day when this was written down."""


def stored(path: Path = STORED) -> list[Sample]:
    return [msgspec.json.decode(line, type=Sample) for line in path.read_bytes().splitlines()]


def faults(
    samples: Sequence[Sample],
    words: Vocabulary,
    classes: Iterable[type[Event]],
    upcasters: Iterable[Upcaster],
) -> list[str]:
    """What has no sample, and which sample is not read as it should be."""
    wanted = {(cls.__name__, cls.SCHEMA) for cls in classes} | {s.key for s in upcasters}
    have = {(sample.type, sample.schema) for sample in samples}
    found = [f"{name} of schema {schema} has no sample" for name, schema in wanted - have]
    for sample in samples:
        named = f"{sample.type} of schema {sample.schema}"
        try:
            event = words.decode(sample.type, sample.schema, bytes(sample.data))
        except KcjlError as error:
            found.append(f"{named}: {error.message}")
            continue
        read = msgspec.json.decode(words.encode(event))
        for field, value in msgspec.json.decode(sample.today).items():
            if field not in read or not _says(read[field], value):
                found.append(f"{named}: {field} is read as {read.get(field)!r}, not {value!r}")
    return sorted(found)


def _says(read: object, today: object) -> bool:
    """It says what was written down; a part of it may have a field more by now."""
    if isinstance(read, dict) and isinstance(today, dict):
        return all(key in read and _says(read[key], today[key]) for key in today)
    if isinstance(read, list) and isinstance(today, list):
        return len(read) == len(today) and all(map(_says, read, today))
    return read == today


def made_up(kind: object, name: str = "") -> object:
    """A value of a field's type, the same each time."""
    plain = {
        str: name or "word",
        int: 3,
        bool: True,
        Decimal: Decimal("2.5"),
        datetime: MOMENT,
        date: MOMENT.date(),
    }
    if isinstance(kind, type) and kind in plain:
        return plain[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind)
        values = {field: made_up(hints[field], field) for field in kind.__struct_fields__}
        if "currency" in values:
            values["currency"] = "GBP"
        return kind(**values)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        return made_up(next(each for each in arguments if each is not type(None)), name)
    if origin is Literal:
        return arguments[0]
    if origin is tuple and arguments[-1] is Ellipsis:
        return (made_up(arguments[0], name),)
    if origin is tuple:
        return tuple(made_up(each, name) for each in arguments)
    raise TypeError(f"no way to make any {kind} for field {name}")


def add_missing(path: Path = STORED) -> int:
    """A line for each event of today that has none; returns how many were written."""
    words = vocabulary()
    have = {(sample.type, sample.schema) for sample in stored(path)} if path.exists() else set()
    fresh = [cls for cls in EVENT_CLASSES if (cls.__name__, cls.SCHEMA) not in have]
    with path.open("ab") as file:
        for cls in fresh:
            event = made_up(cls)
            assert isinstance(event, Event)
            raw = msgspec.Raw(words.encode(event))
            sample = Sample(type=cls.__name__, schema=cls.SCHEMA, data=raw, today=raw)
            file.write(msgspec.json.encode(sample) + b"\n")
    return len(fresh)


if __name__ == "__main__":
    sys.stdout.write(f"{add_missing()} samples written\n")
    for fault in faults(stored(), vocabulary(), EVENT_CLASSES, UPCASTERS):
        sys.stdout.write(f"{fault}\n")
