"""The arguments of one call, typed, with what a missing one means.

Promises: a part that was left out, is nil or is empty has its default; lists are
comma-separated and name each thing once. It checks no meaning. Invariant: reading an argument
never fails.
Called by the operations of the SOAP face of the sandbox's ERP.
"""

from collections.abc import Mapping
from datetime import datetime

from kcjl.sandbox.khaos.soap import Argument

__all__ = ["Arguments"]


class Arguments:
    """What was given, by part name."""

    def __init__(self, arguments: Mapping[str, Argument]) -> None:
        self._arguments = arguments

    def text(self, name: str) -> str:
        value = self._arguments.get(name)
        return value if isinstance(value, str) else ""

    def names(self, name: str) -> list[str]:
        """A comma-separated list, each name once."""
        rows = (row.strip() for row in self.text(name).split(","))
        return list(dict.fromkeys(row for row in rows if row))

    def whole(self, name: str, default: int) -> int:
        value = self._arguments.get(name)
        return value if isinstance(value, int) else default

    def flag(self, name: str) -> bool:
        return self._arguments.get(name) is True

    def wall(self, name: str) -> datetime | None:
        """A time as it stands on a clock, without a zone."""
        value = self._arguments.get(name)
        return value if isinstance(value, datetime) else None
