"""What a marketplace works on in its own time, and where that is remembered: the port's words.

Promises: a name says what was asked for; what is kept under it outlives who asked. It asks
nothing. Called by the ports, by the classes of calls, and by the rooms that remember.
"""

from datetime import datetime
from typing import Protocol

import msgspec

__all__ = ["Export", "ExportMemory"]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """An export that was asked for."""

    operation: str
    tracking_id: str
    asked_at: datetime


class ExportMemory(Protocol):
    """Where tracking ids outlive a restart; the name says what was asked for."""

    async def kept(self, name: str) -> Export | None: ...

    async def keep(self, name: str, export: Export) -> None: ...

    async def forget(self, name: str) -> None: ...
