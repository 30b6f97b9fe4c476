"""Hearing that a merchant's log has grown, so that a reader looks at once.

Promises: hears NOTIFY while there is a connection for it, and wakes its reader every second
anyway: a notification is a hint, the page is the truth. It reads no events.
Called by `postgres.py`.
"""

from typing import TYPE_CHECKING

import anyio
import asyncpg

from kcjl.database import Database
from kcjl.errors import Unavailable

if TYPE_CHECKING:
    from kcjl.connecting import Connection

__all__ = ["Ear"]

POLL_S = 1.0
"""A lost notification costs no more than this."""
CHANNEL = "kcjl_log"


class Ear:
    """Hears that a merchant's log has grown; deaf without its connection: then it polls."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._prefix = f"{merchant}:"
        self._connection: Connection | None = None
        self._heard = anyio.Event()

    async def listen(self) -> None:
        """Call before reading: what is committed from here on will be heard."""
        self._heard = anyio.Event()
        if self._connection is not None and not self._connection.is_closed():
            return
        self.close()
        try:
            connection = await self._database.connect(application="kcjl follow")
        except Unavailable:
            return  # reading says so, if it is serious
        self._connection = connection
        try:
            await connection.add_listener(CHANNEL, self._hear)
        except (
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            OSError,
        ):
            self.close()

    async def wait(self) -> None:
        with anyio.move_on_after(POLL_S):
            await self._heard.wait()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if str(payload).startswith(self._prefix):
            self._heard.set()
