"""What can happen when people are told of exceptions: it is meant, and what came of it.

Stream: alerts-<channel>-<owner>. Addresses are in no event: who is reached under an owner's
name stands in the settings.
"""

from datetime import date, datetime
from typing import Literal

import msgspec

from kcjl.money import Money
from kcjl.vocabulary import Event

__all__ = [
    "AlertFailed",
    "AlertIntended",
    "AlertSent",
    "AlertUnknown",
    "KindCount",
    "Named",
    "Purpose",
    "Scope",
    "Told",
]

Purpose = Literal["alert", "digest"]
Scope = Literal["channel", "owner"]
"""What does not work: the channel as a whole, or the way to this owner's addresses."""


class Told(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That an exception was told of, in which of its lives, and how near its deadline was."""

    exception_id: str
    """A storm's is storm:<kind>."""
    opened_at: datetime
    step: int
    """0: for the first time; 1 and above: so many of the times for escalation had passed."""


class Named(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An exception that the message names."""

    kind: str
    subject: str
    """Empty: a storm."""
    severity: str
    owner: str
    step: int
    exceptions: int = 1
    """Above 1: a storm, and how many are open."""
    money_at_risk: tuple[Money, ...] = ()
    """By currency."""
    deadline: datetime | None = None


class KindCount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Exceptions that the message counts and does not name."""

    kind: str
    exceptions: int


class AlertEvent(Event, frozen=True, kw_only=True):
    channel: str
    """email or webhook."""
    owner: str
    """As the settings name them; * is whoever has no name there."""
    alert_id: str

    @property
    def stream(self) -> str:
        return f"alerts-{self.channel}-{self.owner}"


class AlertIntended(AlertEvent, frozen=True, kw_only=True):
    """A message is about to be sent; all that it says is here, so a repeat says the same."""

    purpose: Purpose
    attempt: int = 1
    """2: the answer to the first was lost, and it goes once more under the same id."""
    written_at: datetime
    """When its first attempt was meant."""
    named: tuple[Named, ...]
    others: tuple[KindCount, ...] = ()
    told: tuple[Told, ...] = ()
    """Of an alert: all that it is about."""
    day: date | None = None
    """Of a digest: London's day that it is for; none: a person has asked for it."""


class AlertSent(AlertEvent, frozen=True, kw_only=True):
    """The channel has taken it."""

    purpose: Purpose
    certain: bool = True
    """False: two answers were lost; it is taken for sent, and not sent a third time."""
    not_reached: int = 0
    """Of the owner's addresses, how many were refused."""
    told: tuple[Told, ...] = ()
    day: date | None = None


class AlertFailed(AlertEvent, frozen=True, kw_only=True):
    """It certainly did not go: what it was about waits, and goes with what comes meanwhile."""

    scope: Scope
    code: str
    message: str
    retry_after_s: int = 0
    """They asked for so long a rest; 0: they did not say."""


class AlertUnknown(AlertEvent, frozen=True, kw_only=True):
    """It went, and the answer was lost: it may have arrived."""

    code: str
    message: str
