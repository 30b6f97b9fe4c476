"""What writes a merchant's log, on one connection at a time, and the truth about what it wrote.

Promises: `write` returns when the batch is durable, exactly once, whatever became of the
connection meanwhile; an error from it means that nothing was written. While the fate of a batch
is unknown it waits, for as long as the database is away: `trouble` says why.
It numbers and chains nothing, and keeps no cache.
Invariant: a batch is sent again only after the head was seen, unlocked, where it was before;
the head moves by compare-and-swap, so a late copy of the same batch can't be written twice.
Called by `writer.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from kcjl.clock import real_monotonic, real_sleep
from kcjl.database import Database, end, is_over
from kcjl.database_trouble import is_passing
from kcjl.errors import CorruptLog, Fenced, KcjlError, Misuse, Unavailable
from kcjl.log.chain import BareRow, genesis
from kcjl.log.port import Head

if TYPE_CHECKING:
    from kcjl.database import PooledConnection

__all__ = ["NOTICE_S", "Batch", "Pen", "RefusedByDatabase", "RevisionTaken"]

BACK_OFF_S_MIN = 0.05
BACK_OFF_S_MAX = 1.0
NOTICE_S = 0.005
"""A busy writer notifies readers elsewhere so often: in each commit it would cost a quarter."""
NOTICES_SAVED_MAX = 10
"""One that was not busy has so many notices in hand: then each commit gives one at once."""

_NOT_AT_HEAD = "KJ001"
_DYING = ("08", "57P")
"""The server went away under us: the same batch can be sent again to the next one."""

_APPEND = "select append_events($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_NOTIFY = "select pg_notify('kcjl_log', $1 || ':' || $2::bigint)"
_REVISION_KEY = "event_revision"
_LATEST = "select hash, recorded_at from event where merchant = $1 and position = $2"
_HEAD = "select position, hash, epoch from log_head where merchant = $1"
_REVISIONS = """
select wanted.stream, coalesce(latest.revision, 0) as revision
from unnest($2::text[]) as wanted (stream)
left join lateral (
    select event.revision from event
    where event.merchant = $1 and event.stream = wanted.stream
    order by event.revision desc
    limit 1
) as latest on true
"""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction appends: at least one event, numbered and chained."""

    before: Head
    after: Head
    recorded_at: datetime
    rows: Sequence[BareRow]


class RefusedByDatabase(KcjlError):
    """Raised when the database will never take this batch; nothing was written."""

    code = "KCJL-5003"


class RevisionTaken(CorruptLog):
    """Raised when a stream already has a revision that was to be written; nothing was."""

    def __init__(self, message: str = "a stream is not as new as it was taken for") -> None:
        super().__init__(message)


class Pen:
    """Writes batches of one merchant in one epoch."""

    def __init__(self, database: Database, merchant: str, epoch: int) -> None:
        self.trouble: str | None = None
        """Why the fate of the batch under way is not known yet; None when all is well."""
        self._database = database
        self._merchant = merchant
        self._epoch = epoch
        self._connection: PooledConnection | None = None
        self._notices_spent_to = float("-inf")
        self._unnoticed = 0

    @property
    def owes_notice(self) -> bool:
        """Was something committed of which readers elsewhere were not notified?"""
        return self._unnoticed > 0

    async def give_notice(self) -> None:
        """Notify them. Failing is no trouble: they look for themselves as well."""
        position, self._unnoticed = self._unnoticed, 0
        self._spend_notice(real_monotonic())
        if self._connection is None or is_over(self._connection):
            return
        try:
            await self._connection.execute(_NOTIFY, self._merchant, position)
        except Exception:  # noqa: BLE001 - as in _send; the next append says what is wrong
            self.close()

    async def start(self) -> tuple[Head, datetime | None]:
        """The head to write after, and when the last event was recorded.

        Raises Fenced when the log is in another epoch, CorruptLog when the head is not the
        last event's.
        """
        connection = await self._connected()
        try:
            head = self._head_of(await connection.fetchrow(_HEAD, self._merchant))
            self._refuse_other_epoch(head)
            latest = await connection.fetchrow(_LATEST, self._merchant, head.position)
        except asyncpg.UndefinedTableError:
            raise Misuse("the database has no tables of kcjl: migrate it first") from None
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            raise Unavailable(
                f"the database was lost while opening the log: {error}"
            ) from error
        expected = latest["hash"] if latest else genesis(self._merchant)
        if (latest is None) != (head.position == 0) or expected != head.hash:
            raise CorruptLog(
                f"the log of {self._merchant}: the head at position {head.position} is not the "
                "last event's; verify the log before writing"
            )
        return head, latest["recorded_at"] if latest else None

    async def revisions(self, streams: Iterable[str]) -> Mapping[str, int]:
        """The present revision of each stream, 0 for one that is not there."""
        names = list(streams)
        for last_try in (False, True):
            connection = await self._connected()
            try:
                rows = await connection.fetch(_REVISIONS, self._merchant, names)
            except Exception as error:  # asyncpg gives many kinds after a killed backend
                self.close()
                if isinstance(error, asyncpg.PostgresError) and not is_passing(error):
                    raise RefusedByDatabase(
                        f"the database refused to say where streams of {self._merchant} are "
                        f"({error}); nothing was written"
                    ) from error
                if last_try:
                    raise Unavailable(
                        f"the database was lost before an append was sent: {error}"
                    ) from error
            else:
                return {row["stream"]: row["revision"] for row in rows}
        raise AssertionError  # the second try returned or raised

    async def write(self, batch: Batch) -> None:
        """Make it durable.

        Raises Fenced, CorruptLog, RefusedByDatabase, or Unavailable; after each of them nothing
        of the batch is in the log, nor will be.
        """
        await self._connected()
        while True:
            now = real_monotonic()
            notify = self._notices_spent_to <= now + (NOTICES_SAVED_MAX - 1) * NOTICE_S
            failure = await self._send(batch, notify=notify)
            if failure is None:
                self._unnoticed = 0 if notify else batch.after.position
                if notify:
                    self._spend_notice(now)
                return
            self._unnoticed = batch.after.position
            self.trouble = f"a commit got no answer ({_said(failure)})"
            if await self._is_written(batch):
                return
            if isinstance(failure, asyncpg.PostgresError) and not _goes_on_elsewhere(failure):
                raise Unavailable(
                    f"the database could not take an append of {len(batch.rows)} events, "
                    f"nothing was written ({failure}): try again later"
                )

    async def rest(self) -> None:
        """Give the connection back until there is something to write again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._database.give_back(connection)

    def close(self) -> None:
        """Drop the connection; what it was doing is then in doubt."""
        connection, self._connection = self._connection, None
        if connection is not None:
            end(connection)

    def _spend_notice(self, now: float) -> None:
        """Each takes NOTICE_S of a time that may run ahead of now, by what may be saved."""
        self._notices_spent_to = max(self._notices_spent_to, now) + NOTICE_S

    async def _send(self, batch: Batch, *, notify: bool) -> Exception | None:
        """None when it is durable; otherwise the failure, after which its fate is unknown."""
        connection = self._connection
        if connection is None:
            return ConnectionError("the connection was dropped")
        try:
            await connection.execute(
                _APPEND,
                self._merchant,
                self._epoch,
                batch.before.position,
                batch.before.hash,
                batch.after.hash,
                batch.recorded_at,
                _as_text(batch.rows),
                b"".join([row[-1] for row in batch.rows]),
                notify,
            )
        except asyncpg.PostgresError as error:
            if error.sqlstate != _NOT_AT_HEAD and not is_passing(error):
                raise _refusal(self._merchant, batch, error) from error
            return error
        except Exception as error:
            # asyncpg gives many kinds after a killed backend; all mean: dead, and fate unknown.
            # Only what it could not even encode is another matter.
            if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
                raise _refusal(self._merchant, batch, error) from error
            return error
        return None

    async def _is_written(self, batch: Batch) -> bool:
        """Wait until it is known. Raises Fenced when it is not, and never can be."""
        delay_s = BACK_OFF_S_MIN
        while True:
            try:
                written = await self._look(batch)
            except (Fenced, CorruptLog):
                raise
            except Exception as error:  # noqa: BLE001 - as in _send; ends when it is back
                self.trouble = f"a commit is in doubt, the database is away ({_said(error)})"
                self.close()
            else:
                self.trouble = None
                return written
            await real_sleep(delay_s)
            delay_s = min(2 * delay_s, BACK_OFF_S_MAX)

    async def _look(self, batch: Batch) -> bool:
        # Another connection: the former one may still have an answer of its own on the way.
        self.close()
        connection = await self._connected()
        # "for update" waits until a transaction of ours that the server still runs has ended;
        # the event is read by a second statement, which sees what that one committed.
        row = await connection.fetchrow(f"{_HEAD} for update", self._merchant)
        head = self._head_of(row)
        last = batch.after.position
        there = await connection.fetchval(
            "select hash from event where merchant = $1 and position = $2", self._merchant, last
        )
        if there == batch.after.hash:
            return True
        self._refuse_other_epoch(head)
        if (head.position, head.hash) != (batch.before.position, batch.before.hash):
            raise CorruptLog(
                f"the log of {self._merchant}: somebody else moved its head to position "
                f"{head.position} in our own epoch {self._epoch}; verify the log before writing"
            )
        return False

    async def _connected(self) -> "PooledConnection":
        if self._connection is None or is_over(self._connection):
            self.close()
            self._connection = await self._database.borrow()
        return self._connection

    def _head_of(self, row: asyncpg.Record | None) -> Head:
        if row is None:
            raise Fenced(f"the log of {self._merchant} has no head: take its lease first")
        return Head(position=row["position"], hash=row["hash"], epoch=row["epoch"])

    def _refuse_other_epoch(self, head: Head) -> None:
        if head.epoch != self._epoch:
            raise Fenced(
                f"the log of {self._merchant} is in epoch {head.epoch}, this writer in "
                f"{self._epoch}: another process has taken it over"
            )


def _goes_on_elsewhere(error: asyncpg.PostgresError) -> bool:
    """May the same batch be sent again at once?"""
    return str(error.sqlstate).startswith((*_DYING, _NOT_AT_HEAD))


def _as_text(rows: Sequence[BareRow]) -> str:
    """As `append_events` takes them: it has the positions and the time of recording already."""
    events = [
        f"{stream}\x1f{revision}\x1f{name}\x1f{schema}\x1f{occurred}\x1f{correlation_id}\x1f"
        f"{'' if causation is None else causation}\x1f{by}\x1f{data.decode()}"
        for (
            _position,
            stream,
            revision,
            name,
            schema,
            occurred,
            _recorded,
            correlation_id,
            causation,
            by,
            data,
            _hash,
        ) in rows
    ]
    return "\x1e".join(events)


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _refusal(merchant: str, batch: Batch, error: Exception) -> KcjlError:
    if isinstance(error, asyncpg.UniqueViolationError):
        if error.constraint_name == _REVISION_KEY:
            return RevisionTaken(
                f"the log of {merchant}: a stream is further than its head says ({error}); "
                "verify the log before writing"
            )
        return CorruptLog(
            f"the log of {merchant} holds events after its head at {batch.before.position} "
            f"({error}); verify the log before writing"
        )
    return RefusedByDatabase(
        f"the database refused an append of {len(batch.rows)} events to the log of "
        f"{merchant} ({_said(error)}); nothing was written"
    )
