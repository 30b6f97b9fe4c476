"""A command from a person, and what came of it: as whoever asks and whoever does it see them.

Called by `commands.py`, which carries them, and by the monitor, which knows no database.
"""

import msgspec

__all__ = ["Command", "Outcome"]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A verb and its arguments."""

    verb: str
    arguments: dict[str, str]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    ok: bool
    message: str
