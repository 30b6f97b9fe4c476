"""Answers of two twins, compared and taken apart.

Promises: `parting` is '' for answers that are the same down to how a figure is written; else it
names the first place where they part. It changes nothing. Called by the tests that compare the
simulation's outside with the real adapters.
"""

from collections.abc import Iterator

import msgspec

__all__ = ["parting", "records_in"]


def parting(there: object, here: object, where: str = "") -> str:
    """Where two answers part, also where only a figure is written otherwise."""
    if repr(there) == repr(here):
        return ""
    if isinstance(there, msgspec.Struct) and type(there) is type(here):
        rows = ((f".{n}", getattr(there, n), getattr(here, n)) for n in there.__struct_fields__)
    elif isinstance(there, dict) and isinstance(here, dict) and list(there) == list(here):
        rows = ((f"[{key}]", there[key], here[key]) for key in there)
    elif isinstance(there, list | tuple) and isinstance(here, list | tuple):
        if len(there) != len(here):
            return f"{where}: {there!r} over HTTP, {here!r} simulated"
        rows = ((f"[{n}]", a, b) for n, (a, b) in enumerate(zip(there, here, strict=True)))
    else:
        return f"{where}: {there!r} over HTTP, {here!r} simulated"
    return next(found for n, a, b in rows if (found := parting(a, b, where + n)))


def records_in(told: object) -> Iterator[msgspec.Struct]:
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list | tuple):
        for each in told:
            yield from records_in(each)
    if isinstance(told, msgspec.Struct):
        yield told
        for field in told.__struct_fields__:
            yield from records_in(getattr(told, field))
