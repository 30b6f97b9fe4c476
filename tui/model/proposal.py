"""What an operator is about to have done: in words, before it is done.

Promises: it says the effect, each thing that it is done to, and what must still be said (a
reason, an owner); the worst asks for a word to be typed. It sends nothing.
Called by the screens, which make them, and by the confirmation, which shows them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from kcjl.command import Command
from tui.model.asked_time import asked_until
from tui.model.moments import Zone
from tui.model.shapes import DetailView

__all__ = ["LINES_SHOWN", "Field", "Proposal", "shown_lines"]

LINES_SHOWN = 12
"""Of the things that it is done to; the rest is counted."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator has to say: it goes into each command under `name`."""

    name: str
    label: str
    hint: str = ""
    value: str = ""
    """What stands there at first."""
    needed: bool = True
    until: bool = False
    """It is a time to come, and goes as such: 4h, 2026-10-31 09:00."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One or more commands, with their effect in words."""

    title: str
    """What is done, e.g. Retry 3 postings."""
    effect: str
    """What comes of it, e.g. Publishes 0 to 214 SKUs."""
    commands: tuple[Command, ...]
    lines: tuple[str, ...] = ()
    """Each thing that it is done to, and what is sent."""
    fields: tuple[Field, ...] = ()
    word: str = ""
    """To be typed before it is done; empty: enter is enough."""

    def said(
        self, answers: Mapping[str, str], *, now: datetime, zone: Zone
    ) -> tuple[Command, ...]:
        """The commands with what the operator has said; what was left empty is left out.

        Raises Misuse for a time that is none.
        """
        told = {name: text for name, text in answers.items() if text}
        for field in self.fields:
            if field.until and field.name in told:
                until = asked_until(told[field.name], now=now, zone=zone)
                told[field.name] = until.isoformat()
        return tuple(
            msgspec.structs.replace(command, arguments={**command.arguments, **told})
            for command in self.commands
        )

    def follows(
        self, sent: Sequence[Command], answers: Sequence[str]
    ) -> "Proposal | DetailView | None":
        """What comes of the answers, where that is more than a message: the next proposal (of
        what was a preview), or something to be looked at.
        """
        del sent, answers
        return None

    def lacking(self, answers: Mapping[str, str], word: str) -> str:
        """What keeps it from being done, in words; empty when nothing does."""
        for field in self.fields:
            if field.needed and not answers.get(field.name, "").strip():
                return f"{field.label} is needed"
        if self.word and word.strip() != self.word:
            return f"type {self.word} to do it"
        return ""


def shown_lines(proposal: Proposal) -> tuple[str, ...]:
    """The first so many, and how many more there are."""
    lines = proposal.lines
    if len(lines) <= LINES_SHOWN:
        return lines
    return (*lines[:LINES_SHOWN], f"… and {len(lines) - LINES_SHOWN:,} more")
