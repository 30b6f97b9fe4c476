"""Rings when somebody has asked something of a merchant: one ear for all that a process serves.

Promises: a command is heard of at once while there is a connection that listens, and within
LOOK_EVERY_S anyway: a notification is a hint, the queue is the truth. It carries out nothing.
Called by `worker.py`; rung by `commands.issue`.
"""

from typing import TYPE_CHECKING

import anyio
import structlog

from kcjl.clock import real_sleep
from kcjl.database import Database
from kcjl.database_trouble import DRIVER
from kcjl.errors import KcjlError

if TYPE_CHECKING:
    from kcjl.connecting import Connection

__all__ = ["CHANNEL", "Bell", "Bells"]

CHANNEL = "kcjl_command"
"""Its payload is the merchant."""
LOOK_EVERY_S = 5.0
"""A lost notification, or a command that could not be answered yet, costs no more than this."""
_WAITING = "select distinct merchant from command where done_at is null"

_say = structlog.get_logger(__name__)


class Bell:
    """One merchant's."""

    def __init__(self) -> None:
        self._rung = anyio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self) -> None:
        """Until it has rung since the last time."""
        await self._rung.wait()
        self._rung = anyio.Event()


class Bells:
    """Those of all merchants that are served here; `run` rings them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._bells: dict[str, Bell] = {}

    def of(self, merchant: str) -> Bell:
        """A new one, in place of the one that it may have had."""
        bell = self._bells[merchant] = Bell()
        return bell

    async def run(self) -> None:
        """Listen, and look now and then, until cancelled."""
        try:
            while True:
                try:
                    await self._listen()
                    for row in await self._database.fetch(_WAITING):
                        self._ring(row["merchant"])
                except KcjlError as error:
                    self._close()
                    _say.info("commands_not_looked_for", error=error.message)
                await real_sleep(LOOK_EVERY_S)
        finally:
            self._close()

    async def _listen(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            return
        self._close()
        self._connection = await self._database.connect(application="kcjl commands")
        try:
            await self._connection.add_listener(CHANNEL, self._heard)
        except DRIVER:
            self._close()  # it looks all the same, and tries again

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._ring(str(payload))

    def _ring(self, merchant: str) -> None:
        if merchant in self._bells:
            self._bells[merchant].ring()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
