"""What a kind of exception is: how bad, whose, what clears it, and what a person can do.

Promises: a plain record; `commands_of` names the exact commands for one subject. Reads nothing.
Called by the catalogue, by the desk and by whoever shows exceptions.
"""

import shlex
from typing import Literal

import msgspec

__all__ = ["LANES", "SEVERITIES", "Kind", "LaneName", "Retry", "Severity", "commands_of"]

Severity = Literal["critical", "high", "medium", "low"]
LaneName = Literal["Stock", "Orders", "Dispatch", "Money", "Service"]
Retry = Literal["", "order-retry", "look-for-order", "retry-offer", "dispatch-retry"]
"""The command by which a room tries again."""
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
LANES: tuple[LaneName, ...] = ("Stock", "Orders", "Dispatch", "Money", "Service")


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    severity: Severity
    lane: LaneName
    owner: str
    """The role whose it is where no rule says otherwise."""
    clears: str
    """What closes it by itself."""
    next_step: str
    commands: tuple[str, ...] = ()
    """What is typed to mend it; {subject}, {order} and {rest} (ORDER/REST) are filled in, a
    word in capitals is for the person.
    """
    retry: Retry = ""
    """Empty: there is nothing to try again; it is looked at again by itself."""
    stays: str = ""
    """Why it can't be accepted, and what to do instead; empty: it can be."""

    @property
    def page(self) -> str:
        """The name of its page in the manual."""
        return self.name.replace("_", "-")

    @property
    def actions(self) -> tuple[str, ...]:
        """What the desk offers for it: verbs of `kcjl exceptions`."""
        retry = ("retry",) if self.retry else ()
        accept = () if self.stays else ("accept",)
        return ("assign", "note", "park", *retry, *accept)


def commands_of(kind: Kind, subject: str) -> tuple[str, ...]:
    """The commands for one subject, as they are typed.

    >>> kind = Kind(name="x", severity="low", lane="Dispatch", owner="warehouse", clears="-",
    ...     next_step="-", commands=("kcjl dispatch map set {subject} CARRIER",))
    >>> commands_of(kind, "DPD next day")
    ("kcjl dispatch map set 'DPD next day' CARRIER",)
    """
    order, _, rest = subject.partition("/")
    named = {
        "{subject}": shlex.quote(subject),
        "{order}": shlex.quote(order),
        "{rest}": shlex.quote(rest),
    }
    filled = []
    for command in kind.commands:
        words = command.split(" ")
        filled.append(" ".join(named.get(word, _within(word, order)) for word in words))
    return tuple(filled)


def _within(word: str, order: str) -> str:
    return shlex.quote(word.replace("{order}", order)) if "{order}" in word else word
