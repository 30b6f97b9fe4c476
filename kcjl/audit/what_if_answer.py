"""What is asked of a what-if, and what it answers.

Promises: figures only; no rule. Called by `what_if.py`, the picture and the CLI.
"""

from datetime import date

import msgspec

from kcjl.audit.what_if_shelf import Oversold, Sums
from kcjl.stock.policy import PolicyDocument

__all__ = ["Answer", "Asked", "Day", "NotAsRecorded"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be otherwise; the default: nothing."""

    policy: PolicyDocument | None = None
    """In force from the first event on, in place of all that were."""
    read_every_s: float = 0.0
    """Levels are read no more often; 0: as they were."""
    push_every_s: float = 0.0
    """Figures are sent no more often; 0: as they were."""

    @property
    def is_as_it_was(self) -> bool:
        return self.policy is None and not self.read_every_s and not self.push_every_s


class NotAsRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of the other world that is not the recorded one."""

    position: int
    sku: str
    recorded: int | None
    """None: no figure of it was sent then."""
    other: int | None


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One London day, in both worlds."""

    day: date
    happened: Sums
    other: Sums


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Both worlds, side by side."""

    events: int
    to: int
    """The last position that was looked at."""
    imports: int
    imports_other: int
    imports_of_its_own: int
    """Of these, where none was recorded."""
    figures: int
    """Recorded ones."""
    figures_other: int
    not_as_recorded: int
    """Figures that differ; as it was, none may."""
    first_differences: tuple[NotAsRecorded, ...]
    happened: Sums
    other: Sums
    days: tuple[Day, ...]
    oversold: tuple[Oversold, ...]
    orders_undecided: int
    """Seen too late for a read to say what was there."""
