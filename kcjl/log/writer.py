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
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime

import anyio
import anyio.lowlevel

from kcjl.clock import Clock
from kcjl.errors import CorruptLog, Fenced, KcjlError, OutcomeUnknown, Unavailable
from kcjl.log.drafting import Prepared, objection, record, recording_time
from kcjl.log.pen import NOTICE_S, Batch, Pen, RefusedByDatabase, RevisionTaken
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
        self._mailbox: deque[_Append] = deque()
        self._places = anyio.Semaphore(MAILBOX_APPENDS_MAX, fast_acquire=True)
        self._arrived = anyio.Event()
        self._shut = False

    async def append(
        self, prepared: Sequence[Prepared], expected: Mapping[str, int]
    ) -> Sequence[Recorded]:
        """Wait for a place, then for the commit."""
        try:
            self._places.acquire_nowait()
        except anyio.WouldBlock:
            await self._places.acquire()
        if self._shut:
            self._places.release()  # the next one at the door is to learn it too
            raise copy.copy(self.stopped or self._closed())
        waiting = _Append(prepared, expected)
        self._mailbox.append(waiting)
        if len(self._mailbox) == 1:
            self._arrived.set()
        try:
            await waiting.answered.wait()
        finally:
            waiting.left = True
        if waiting.error is not None:
            raise waiting.error
        return waiting.events

    def close(self) -> None:
        """Take no more; what was taken is still committed."""
        self._shut = True
        self._arrived.set()

    async def run(self) -> None:
        """Commit group after group, until closed, fenced or cancelled."""
        try:
            while self.stopped is None:
                # Who has just been answered may have more: let them come along.
                await anyio.lowlevel.checkpoint()
                if self._mailbox:
                    await self._turn(self._gather())
                elif self._shut:
                    break
                else:
                    await self._arrival()
        finally:
            self._shut = True
            self._refuse_the_rest()
            self._tail.end(self.stopped)
            self._pen.close()
            self.finished.set()

    async def _arrival(self) -> None:
        """Wait for an append; meanwhile send the notice that a busy writer kept back."""
        self._arrived = anyio.Event()
        if self._pen.owes_notice:
            with anyio.move_on_after(NOTICE_S):
                await self._arrived.wait()
                return
            await self._pen.give_notice()
        if not self._mailbox and not self._shut:
            await self._arrived.wait()

    def _refuse_the_rest(self) -> None:
        for waiting in self._under_way:
            if not waiting.answered.is_set():
                waiting.refuse(
                    OutcomeUnknown(
                        f"the log of {self._merchant} was closed during a commit: look before "
                        "appending again"
                    )
                )
        while self._mailbox:
            self._take().refuse(self.stopped or self._closed())

    def _gather(self) -> list[_Append]:
        """What has arrived by now, up to the bounds of a group."""
        group: list[_Append] = []
        events = size = 0
        while self._mailbox and events < GROUP_EVENTS_MAX and size < GROUP_BYTES_MAX:
            waiting = self._take()
            if not waiting.left:
                group.append(waiting)
                events += len(waiting.prepared)
                size += sum([len(each.data) for each in waiting.prepared])
        return group

    def _take(self) -> _Append:
        self._places.release()
        return self._mailbox.popleft()

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
        recorded_at = recording_time(self._clock.now(), self._latest)
        known, unknown = self._known(group)
        assumed = _said_to_be_new(group, unknown)
        try:
            revisions = known | await self._looked_up(unknown - assumed)
            revisions.update(dict.fromkeys(assumed, 0))
            batch = self._draw_up(group, revisions, recorded_at)
            # Where a stream gets no event, nothing would find out that it is not new.
            proven = all(revisions[stream] for stream in assumed)
            if proven:
                await self._write(batch)
        except RevisionTaken:
            if not assumed:
                raise
            proven = False
        if not proven:
            revisions = known | await self._looked_up(unknown)
            batch = self._draw_up(group, revisions, recorded_at)
            await self._write(batch)
        for stream, revision in revisions.items():
            self._remember(stream, revision)
        # Refusals too wait for the commit: they may rest on what a neighbour has just written.
        for waiting in group:
            waiting.answered.set()

    def _draw_up(
        self, group: Sequence[_Append], revisions: dict[str, int], recorded_at: datetime
    ) -> Batch:
        """Refuse what can't follow; number and chain the rest. `revisions` goes along."""
        head = self.head
        events: list[Recorded] = []
        for waiting in group:
            waiting.events = ()
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
                events.extend(waiting.events)
        return Batch(before=self.head, after=head, recorded_at=recorded_at, events=events)

    async def _write(self, batch: Batch) -> None:
        if not batch.events:
            return
        await self._pen.write(batch)
        self.head, self._latest = batch.after, batch.recorded_at
        self._tail.extend(batch.events)

    def _known(self, group: Sequence[_Append]) -> tuple[dict[str, int], set[str]]:
        """Revisions that we remember of the group's streams, and the streams that we don't."""
        known: dict[str, int] = {}
        unknown: set[str] = set()
        for waiting in group:
            for stream in (*waiting.expected, *[each.stream for each in waiting.prepared]):
                revision = self._revisions.get(stream)
                if revision is None:
                    unknown.add(stream)
                else:
                    known[stream] = revision
        return known, unknown

    async def _looked_up(self, streams: set[str]) -> dict[str, int]:
        return dict(await self._pen.revisions(streams)) if streams else {}

    def _remember(self, stream: str, revision: int) -> None:
        self._revisions[stream] = revision
        self._revisions.move_to_end(stream)
        if len(self._revisions) > STREAMS_REMEMBERED_MAX:
            self._revisions.popitem(last=False)

    def _closed(self) -> Unavailable:
        return Unavailable(f"the log of {self._merchant} is closed: nothing was written")


def _said_to_be_new(group: Sequence[_Append], unknown: set[str]) -> set[str]:
    """Streams that a caller takes for new: most are, and the database tells when one is not."""
    return {
        stream
        for waiting in group
        for stream, revision in waiting.expected.items()
        if revision == 0 and stream in unknown
    }
