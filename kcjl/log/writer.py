"""The single writer of a merchant's log: many appends, one commit.

Promises: while a commit is under way, what arrives waits and goes with the next, so an idle log
adds no delay and a busy one shares its fsyncs; appends are taken in order of arrival; a stale
revision or a bad event is answered to its caller alone; an answer is given only when it is
durable, or certainly not written. Full mailbox: callers wait. It reads no clock but its own.
Invariant: revisions, positions and hashes are computed here, in memory, from the last committed
head; they are kept only when the database has taken them.
Called by `postgres.py`.
"""

import copy
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime

import anyio

from kcjl.clock import Clock
from kcjl.errors import CorruptLog, Fenced, KcjlError, OutcomeUnknown, Unavailable
from kcjl.log.drafting import Prepared, objection, record, recording_time
from kcjl.log.pen import Batch, Pen, RefusedByDatabase
from kcjl.log.port import Head, Recorded
from kcjl.log.tail import Tail

__all__ = ["GroupWriter"]

MAILBOX_APPENDS_MAX = 4_096
"""Appends that wait; more callers are held back at the door."""
GROUP_EVENTS_MAX = 2_000
GROUP_BYTES_MAX = 1024 * 1024
"""A group is closed when it reaches either; its last append may go beyond."""
STREAMS_REMEMBERED_MAX = 100_000
"""Streams whose revision is held in memory; of others it is looked up."""


class _Append:
    """One caller's append, waiting for its answer."""

    __slots__ = ("answered", "error", "events", "expected", "left", "prepared")

    def __init__(self, prepared: Sequence[Prepared], expected: Mapping[str, int]) -> None:
        self.prepared = prepared
        self.expected = expected
        self.events: Sequence[Recorded] = ()
        self.error: KcjlError | None = None
        self.answered = anyio.Event()
        self.left = False
        """The caller was cancelled, and waits no more."""

    def refuse(self, error: KcjlError) -> None:
        # A copy each: callers raise it in their own tasks, and tracebacks are written into it.
        self.events, self.error = (), copy.copy(error)
        self.answered.set()


class GroupWriter:
    """Group commit for one merchant, in one epoch."""

    def __init__(
        self,
        pen: Pen,
        merchant: str,
        clock: Clock,
        *,
        head: Head,
        latest: datetime | None,
        tail: Tail,
    ) -> None:
        self.head = head
        self.stopped: KcjlError | None = None
        """Why nothing can be appended any more."""
        self.finished = anyio.Event()
        self._pen = pen
        self._merchant = merchant
        self._clock = clock
        self._latest = latest
        self._tail = tail
        self._revisions: OrderedDict[str, int] = OrderedDict()
        self._under_way: Sequence[_Append] = ()
        self._door, self._mailbox = anyio.create_memory_object_stream[_Append](
            MAILBOX_APPENDS_MAX
        )

    async def append(
        self, prepared: Sequence[Prepared], expected: Mapping[str, int]
    ) -> Sequence[Recorded]:
        """Wait for a place, then for the commit."""
        waiting = _Append(prepared, expected)
        try:
            await self._door.send(waiting)
            await waiting.answered.wait()
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            raise copy.copy(self.stopped or self._closed()) from None
        finally:
            waiting.left = True
        if waiting.error is not None:
            raise waiting.error
        return waiting.events

    def close(self) -> None:
        """Take no more; what was taken is still committed."""
        self._door.close()

    async def run(self) -> None:
        """Commit group after group, until closed, fenced or cancelled."""
        try:
            while self.stopped is None:
                try:
                    first = await self._mailbox.receive()
                except anyio.EndOfStream:
                    break
                await self._turn(self._gather(first))
        finally:
            self._refuse_the_rest()
            self._door.close()
            self._mailbox.close()
            self._tail.end(self.stopped)
            self._pen.close()
            self.finished.set()

    def _refuse_the_rest(self) -> None:
        for waiting in self._under_way:
            if not waiting.answered.is_set():
                waiting.refuse(
                    OutcomeUnknown(
                        f"the log of {self._merchant} was closed during a commit: look before "
                        "appending again"
                    )
                )
        while (waiting_still := self._next_waiting()) is not None:
            waiting_still.refuse(self.stopped or self._closed())

    def _gather(self, first: _Append) -> list[_Append]:
        """What has arrived by now, up to the bounds of a group."""
        group: list[_Append] = []
        events = size = 0
        following: _Append | None = first
        while following is not None:
            if not following.left:
                group.append(following)
                events += len(following.prepared)
                size += sum(len(each.data) for each in following.prepared)
            following = None
            if events < GROUP_EVENTS_MAX and size < GROUP_BYTES_MAX:
                following = self._next_waiting()
        return group

    def _next_waiting(self) -> _Append | None:
        try:
            return self._mailbox.receive_nowait()
        except (anyio.WouldBlock, anyio.EndOfStream):
            return None

    async def _turn(self, group: Sequence[_Append]) -> None:
        """Commit a group and answer each of its callers."""
        self._under_way = group
        try:
            await self._commit(group)
        except RefusedByDatabase as error:
            if len(group) == 1:
                group[0].refuse(error)
                return
            # Somebody's events can't be stored: find out whose, and hurt nobody else.
            for alone in group:
                await self._turn([alone])
        except KcjlError as error:
            if isinstance(error, Fenced | CorruptLog):
                self.stopped = error
            for waiting in group:
                waiting.refuse(error)
        finally:
            self._under_way = group
        self._under_way = ()

    async def _commit(self, group: Sequence[_Append]) -> None:
        if self.stopped is not None:
            raise self.stopped
        revisions = await self._revisions_of(group)
        head = self.head
        recorded_at = recording_time(self._clock.now(), self._latest)
        batch: list[Recorded] = []
        for waiting in group:
            waiting.error = objection(
                waiting.prepared, waiting.expected, head=head, revisions=revisions
            )
            if waiting.error is None:
                waiting.events, head = record(
                    waiting.prepared,
                    merchant=self._merchant,
                    head=head,
                    recorded_at=recorded_at,
                    revisions=revisions,
                )
                batch.extend(waiting.events)
        if batch:
            await self._pen.write(
                Batch(before=self.head, after=head, recorded_at=recorded_at, events=batch)
            )
            self.head, self._latest = head, recorded_at
            for stream, revision in revisions.items():
                self._remember(stream, revision)
            self._tail.extend(batch)
        # Refusals too wait for the commit: they may rest on what a neighbour has just written.
        for waiting in group:
            waiting.answered.set()

    async def _revisions_of(self, group: Sequence[_Append]) -> dict[str, int]:
        streams = {each.stream for waiting in group for each in waiting.prepared}
        for waiting in group:
            streams.update(waiting.expected)
        known = {
            stream: self._revisions[stream] for stream in streams if stream in self._revisions
        }
        if len(known) < len(streams):
            known.update(await self._pen.revisions(streams - known.keys()))
        return known

    def _remember(self, stream: str, revision: int) -> None:
        self._revisions[stream] = revision
        self._revisions.move_to_end(stream)
        if len(self._revisions) > STREAMS_REMEMBERED_MAX:
            self._revisions.popitem(last=False)

    def _closed(self) -> Unavailable:
        return Unavailable(f"the log of {self._merchant} is closed: nothing was written")
