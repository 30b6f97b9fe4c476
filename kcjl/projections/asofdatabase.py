"""A database as it was: what every reader is handed to answer as of a position of the log.

Promises: read models, desk, lists and the log's own queries say on it what they said when the
log had come to `position`; none of them is changed for it. It is one connection, and writes
nothing but its own temporary tables: a lost connection is made again, at the same position.
What is not in the log (sealed personal data, commands) is as it is now.
Invariant: the rows are what the projections fold of the events up to there, byte for byte.
Called by the CLI's `--at`, by the monitor's `:at` and by the keyframes' keeper.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from kcjl.clock import Clock, WorldClock
from kcjl.database import AUDITOR, Database, Session
from kcjl.errors import Misuse
from kcjl.log.queries import PostgresQueries
from kcjl.projections.overlay import Overlay
from kcjl.projections.projection import Projection
from kcjl.snapshots import program
from kcjl.vocabulary import Vocabulary

if TYPE_CHECKING:
    from kcjl.connecting import Connection
    from kcjl.database import PooledConnection

__all__ = ["AsOfDatabase", "Moment"]

WAIT_S = 120.0
"""For a connection: a jump without a keyframe in a long log takes half a minute."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log had come to, and when."""

    position: int
    recorded_at: datetime | None
    """When the event at that position was recorded; None before the first one."""


class AsOfDatabase(Database):
    """One merchant's past. It begins before the first event; `move` and `at` take it on."""

    def __init__(
        self,
        dsn: str,
        merchant: str,
        vocabulary: Vocabulary,
        projections: Sequence[Projection[Any]],
        *,
        role: str = AUDITOR,
    ) -> None:
        super().__init__(dsn, role=role, connections_max=1, connect_s=WAIT_S)
        self._merchant = merchant
        self._vocabulary = vocabulary
        self._projections = tuple(projections)
        self._overlay: Overlay | None = None
        self._shown: int | None = None
        self.position = 0

    async def move(self, position: int) -> Moment:
        """Show that position from now on. Raises Misuse for one that the log has not reached.

        Readers wait meanwhile; one of several statements may see both positions.
        """
        former, self.position = self.position, await self._known(position)
        try:
            recorded_at = await self.fetchval("select moment from past_at")
        except BaseException:
            self.position = former
            raise
        return Moment(position=position, recorded_at=recorded_at)

    async def at(self, moment: datetime) -> Moment:
        """Show all that had been recorded by then, and nothing later."""
        async with self._present() as session:
            queries = PostgresQueries(session, self._merchant, self._vocabulary)
            position = await queries.position_at(moment)
        return await self.move(position)

    async def clock(self) -> Clock:
        """Now, as of there: when the event at the position was recorded."""
        moment: datetime | None = await self.fetchval("select moment from past_at")
        if moment is None:
            raise Misuse(f"before the first event of {self._merchant} there is no time")
        return WorldClock(moment, 0.0)

    async def _known(self, position: int) -> int:
        async with self._present() as session:
            head = await session.fetchval(
                "select position from log_head where merchant = $1", self._merchant
            )
        if not 0 <= position <= (head or 0):
            raise Misuse(
                f"the log of {self._merchant} has positions up to {head or 0:,}: give one of "
                "them"
            )
        return position

    @asynccontextmanager
    async def _present(self) -> AsyncIterator[Session]:
        """The tables themselves: what is temporary is looked for last."""
        async with self.transaction() as session:
            schema = await session.fetchval("select quote_ident(current_schema())")
            await session.execute(f"set local search_path = {schema}, pg_temp")
            yield session

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator["PooledConnection"]:
        async with super()._acquired() as connection:
            if self._overlay is None or self._shown != self.position:
                await self._bring(connection, self.position)
            yield connection

    async def _bring(self, connection: "PooledConnection", position: int) -> None:
        overlay = self._overlay or Overlay(
            self._merchant, self._vocabulary, self._projections, program()
        )
        self._overlay = self._shown = None
        try:
            async with self._together(connection) as session:
                await session.execute("set transaction read write")
                await overlay.bring(session, position)
                await session.execute("set default_transaction_read_only = on")
        except BaseException:
            connection.terminate()  # half of it may be there: the next one begins anew
            raise
        self._overlay, self._shown = overlay, position

    async def _connect_for_pool(self, *_: object, **__: object) -> "Connection":
        self._overlay = None
        return await super()._connect_for_pool()
