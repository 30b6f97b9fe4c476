"""What an event says about conditions: one holds, or some are gone.

Promises: pure records. Called by `decide.py` and the tables of conditions beside it.
"""

from datetime import datetime

import msgspec

from kcjl.money import Money

__all__ = ["Clear", "Condition", "Raise", "clear"]


class Raise(msgspec.Struct, frozen=True, kw_only=True):
    """A condition holds."""

    kind: str
    subject: str
    message: str
    money: Money | None = None
    deadline: datetime | None = None
    skus: tuple[str, ...] = ()
    """That it is about; where it is an order's, the order's own are known besides."""


class Clear(msgspec.Struct, frozen=True, kw_only=True):
    """A condition is gone; without kinds, every condition of the subject is."""

    subject: str
    kinds: tuple[str, ...] = ()
    reason: str


Condition = Raise | Clear


def clear(subject: str, kind: str, reason: str) -> Clear:
    """One kind of condition of a subject is gone."""
    return Clear(subject=subject, kinds=(kind,), reason=reason)
