"""Deliberate bugs, each as text that is put in the place of other text in kcjl.

Promises: each is a bug that somebody could write, small, and it compiles; the laws named are
those that it may break first. A text that is not in kcjl exactly once is refused, so that the
list keeps up with the code. The bugs themselves are in mutants.toml.
Applied one at a time to a copy, by `mutations.py`; nothing here touches kcjl itself.
"""

from pathlib import Path

import msgspec

__all__ = ["MUTANTS", "Change", "Mutant", "Stale", "applied"]


class Stale(Exception):
    """Raised when the text that a bug replaces is not in kcjl once: bring it up to date."""


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One text for another, in one module."""

    module: str
    """Below kcjl/."""
    before: str
    after: str


class Mutant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    laws: tuple[int, ...]
    """One of these is broken first; 0: liveness."""
    change: tuple[Change, ...]


class _List(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    mutant: tuple[Mutant, ...]


MUTANTS: tuple[Mutant, ...] = msgspec.toml.decode(
    Path(__file__).with_suffix(".toml").read_bytes(), type=_List
).mutant


def applied(mutant: Mutant, source: Path) -> dict[str, str]:
    """By module below kcjl/, its text with the bug in it."""
    texts: dict[str, str] = {}
    for change in mutant.change:
        before = texts.get(change.module) or (source / change.module).read_text("utf-8")
        if (times := before.count(change.before)) != 1:
            raise Stale(f"{mutant.name}: {times} times in {change.module}: {change.before!r}")
        texts[change.module] = before.replace(change.before, change.after)
    return texts
