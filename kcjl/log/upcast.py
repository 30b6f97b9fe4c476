"""Old events in new clothes: one pure step from a schema of a payload to the next one.

Promises: an event that was written under schema 1 is read as today's class, whatever came in
between; the stored bytes and their hash stay as they are. A chain with a hole, a step that is
there twice or one that leads nowhere is refused when the vocabulary is built, not at the event
that would have needed it. No step changes when it occurred. It reads and writes nothing.
Invariant: every step has a stored old sample (tests/log/samples), and what becomes of it.
Called by `kcjl/vocabulary.py`; steps are registered in `kcjl/events.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import msgspec

from kcjl.errors import CorruptLog, Misuse

__all__ = ["Key", "Reading", "Upcaster", "readings"]

Key: TypeAlias = tuple[str, int]
"""Type and schema of an event, as the log holds them."""
E = TypeVar("E", bound=msgspec.Struct)
Reading: TypeAlias = Callable[[bytes | str], E]
"""From the stored JSON to today's struct."""


class Upcaster(msgspec.Struct, frozen=True, kw_only=True):
    """One step: from `(type, schema)` to the same type under `schema + 1`."""

    name: str
    """The event's type."""
    schema: int
    old: type[msgspec.Struct]
    """The payload as it was then: a frozen struct, not an Event (it is never written again)."""
    lift: Callable[[Any], msgspec.Struct]
    """Pure: an `old` in, the next step's `old` out, or an event of today after the last."""
    becomes: str = ""
    """The type's name from here on, when it was renamed; the schemas are counted on."""

    @property
    def key(self) -> Key:
        return self.name, self.schema

    @property
    def target(self) -> Key:
        return self.becomes or self.name, self.schema + 1


def readings(
    upcasters: Iterable[Upcaster], today: Mapping[Key, type[msgspec.Struct]]
) -> dict[Key, Reading[msgspec.Struct]]:
    """How each old type and schema is read. Raises Misuse for steps that don't make a chain."""
    steps: dict[Key, Upcaster] = {}
    for step in upcasters:
        if "occurred_at" not in step.old.__struct_fields__:
            raise Misuse(f"event {_named(step.key)} is read without its time: add occurred_at")
        if step.key in steps or step.key in today:
            raise Misuse(f"event {_named(step.key)} has more than one reading: keep one")
        steps[step.key] = step
    reached: dict[Key, set[int]] = {key: set() for key in today}
    found: dict[Key, Reading[msgspec.Struct]] = {}
    for key in steps:
        chain = _chain(key, steps, today)
        reached[chain[-1].target].add(key[1])
        found[key] = _reading(chain, steps, today)
    for (name, schema), schemas in reached.items():
        missing = set(range(1, schema)) - schemas
        if missing:
            raise Misuse(
                f"event {name} is at schema {schema}, and nothing reads its schema "
                f"{min(missing)}: register an upcaster in kcjl/events.py"
            )
    return found


def _chain(
    key: Key, steps: Mapping[Key, Upcaster], today: Mapping[Key, type[msgspec.Struct]]
) -> tuple[Upcaster, ...]:
    """The steps from an old schema to today's; it ends, because schemas only go up."""
    chain = [steps[key]]
    while (target := chain[-1].target) not in today:
        if target not in steps:
            raise Misuse(
                f"event {_named(key)} is lifted to {_named(target)}, which nothing reads: "
                "register the next upcaster in kcjl/events.py"
            )
        chain.append(steps[target])
    return tuple(chain)


def _reading(
    chain: tuple[Upcaster, ...],
    steps: Mapping[Key, Upcaster],
    today: Mapping[Key, type[msgspec.Struct]],
) -> Reading[msgspec.Struct]:
    decoder = msgspec.json.Decoder(chain[0].old)
    wanted = [
        today[step.target] if step.target in today else steps[step.target].old for step in chain
    ]

    def read(stored: bytes | str) -> msgspec.Struct:
        payload: msgspec.Struct = decoder.decode(stored)
        occurred_at = _occurred_at(payload)
        for step, kind in zip(chain, wanted, strict=True):
            payload = _lifted(step, payload)
            if type(payload) is not kind:
                raise Misuse(
                    f"the upcaster of {_named(step.key)} gives a {type(payload).__name__}, "
                    f"where a {kind.__name__} is wanted: mend it"
                )
        if _occurred_at(payload) != occurred_at:
            raise Misuse(
                f"the upcaster of {_named(chain[0].key)} makes {_occurred_at(payload)} of the "
                f"time {occurred_at} at which it occurred: leave that as it is"
            )
        return payload

    return read


def _occurred_at(payload: msgspec.Struct) -> datetime:
    occurred_at: datetime = getattr(payload, "occurred_at")  # noqa: B009 - of any struct
    return occurred_at


def _lifted(step: Upcaster, payload: msgspec.Struct) -> msgspec.Struct:
    try:
        return step.lift(payload)
    except Exception as error:
        # Whatever a step stumbles over, the reader has to stop there and say where.
        raise CorruptLog(
            f"event {_named(step.key)} can't be lifted to schema {step.target[1]} "
            f"({type(error).__name__}: {error}): mend its upcaster, or verify the log"
        ) from error


def _named(key: Key) -> str:
    return f"{key[0]} of schema {key[1]}"
