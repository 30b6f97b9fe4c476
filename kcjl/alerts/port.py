"""What a channel for alerts is asked to do.

Promises: a message has an id that is the same when it is sent again. `send` raises Refused or
CredentialsRefused (they said no), Unavailable (it certainly did not go), or OutcomeUnknown (it
went, and the answer was lost); it never sends twice by itself.
Called by `actor.py`; implemented in `email.py` and `webhook.py`.
"""

from datetime import datetime
from typing import Protocol

import msgspec

__all__ = ["AlertChannel", "Delivered", "Message"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What people read. No buyer is in it."""

    message_id: str
    title: str
    text: str
    written_at: datetime


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """What the other side said."""

    addresses: int = 1
    """To how many of the owner's it goes."""
    not_reached: int = 0
    """Of the owner's addresses, how many were refused."""
    answer: str = ""
    """A status, for people; never their words, which may name somebody."""


class AlertChannel(Protocol):
    """One way to people; it knows whose addresses are whose."""

    @property
    def name(self) -> str:
        """As the settings name it: email, webhook."""
        ...

    async def send(self, message: Message, owner: str, /) -> Delivered: ...

    async def look(self) -> str:
        """How it is, in words; nothing is sent. Raises as `send` does, but OutcomeUnknown."""
        ...
