"""The single writer of a merchant's log: many appends, one commit.

Promises: while a commit is under way, what arrives is drawn up for the next one, which is sent
before the callers of the former are answered; so an idle log adds no delay, and our process and
the server work at once. Appends are taken in order of arrival; a stale revision or a bad event
is answered to its caller alone; an answer, a refusal too, is given only when what it rests on
is durable, or certainly not written. How many wait is bounded by who calls (`PostgresLog`).
It reads no clock but its own.
Invariant: revisions, positions and hashes are computed here, in memory, as if the commit under
way succeeds; when it does not, what was drawn up on it is torn up and drawn up anew.
Called by `postgres.py`.
"""

import asyncio
import copy
import math
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

import anyio
import anyio.lowlevel

from kcjl.clock import Clock, real_monotonic
from kcjl.errors import CorruptLog, Fenced, KcjlError, OutcomeUnknown, Unavailable
from kcjl.log.drafting import Prepared, recording_time
from kcjl.log.pen import NOTICE_S, Pen, RefusedByDatabase, RevisionTaken
from kcjl.log.port import Head, Recorded
from kcjl.log.sheet import Append, Sheet
from kcjl.log.tail import Tail

__all__ = ["GroupWriter"]

LOOKED_UP_APPENDS_MAX = 2_000
"""Appends whose streams are looked up by one query."""
INSERT_S = 8e-6
"""What an event adds to a commit, measured (docs/speed.md): the rest is the commit's own."""
REST_S = 0.05
"""After so long without an append the connection is others' to use."""
STREAMS_REMEMBERED_MAX = 100_000
"""Streams whose revision is held in memory; of others it is looked up."""


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
        self._loop = asyncio.get_running_loop()
        self._under_way: Sheet | None = None
        self._next: Sheet | None = None
        self._mailbox: deque[Append] = deque()
        """What can't be drawn up yet: the sheet is full, or a stream is to be looked up."""
        self._durable: Sequence[Append] = ()
        """Committed, and to be answered as soon as the next sheet is sent."""
        self._idle: asyncio.Future[None] | None = None
        self._hurries = False
        """Is the next sheet to be sent before anybody else comes along?"""
        self._return_s = 0.0
        """How long it lately took until one who was answered came back with more."""
        self._shut = False

    async def append(
        self, prepared: Sequence[Prepared], expected: Mapping[str, int]
    ) -> Sequence[Recorded]:
        """Wait for the commit."""
        if self._shut:
            raise copy.copy(self.stopped or self._closed())
        append = Append(prepared, expected, self._loop.create_future())
        if self._mailbox or not self._draw_up(append):
            self._mailbox.append(append)
        if self._idle is not None:
            self._wake()
        await append.answered
        if append.error is not None:
            raise append.error
        return append.events

    def close(self) -> None:
        """Take no more; what was taken is still committed."""
        self._shut = True
        self._wake()

    async def run(self) -> None:
        """Commit sheet after sheet, until closed, fenced or cancelled."""
        try:
            while self.stopped is None:
                if not self._hurries:
                    # Who has just been answered may have more: let them come along.
                    await anyio.lowlevel.checkpoint()
                self._empty_mailbox()
                if self._next is not None:
                    await self._commit(self._next)
                elif self._durable:
                    self._answer_durable()
                elif self._mailbox:
                    await self._look_up()
                elif self._shut:
                    break
                else:
                    await self._arrival()
        finally:
            self._shut = True
            self._answer_durable()
            self._refuse_the_rest()
            self._tail.end(self.stopped)
            self._pen.close()
            self.finished.set()

    async def _arrival(self) -> None:
        """Wait for an append.

        Meanwhile the notice that a busy writer kept back is sent, and after a while the
        connection is given back.
        """
        try:
            if self._pen.owes_notice and not await self._arrives_within(NOTICE_S):
                await self._pen.give_notice()
            if not await self._arrives_within(REST_S):
                await self._pen.rest()
            await self._arrives_within(math.inf)
        finally:
            self._idle = None

    async def _arrives_within(self, seconds: float) -> bool:
        """Is there something to do, now or within so many seconds?"""
        if self._mailbox or self._next is not None or self._shut:
            return True
        idle = self._idle = self._loop.create_future()
        with anyio.move_on_after(seconds):
            await idle
            return True
        return False

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _draw_up(self, append: Append) -> bool:
        """On the next sheet, when it can be done now."""
        sheet = self._next
        if sheet is None:
            former = self._under_way
            sheet = Sheet(
                self._merchant,
                before=self.head if former is None else former.after,
                recorded_at=recording_time(
                    self._clock.now(), self._latest if former is None else former.recorded_at
                ),
                revisions=self._revisions,
            )
        if not sheet.takes(append) or sheet.unknown(append):
            return False
        sheet.draw_up(append)
        self._next = sheet
        return True

    def _empty_mailbox(self) -> None:
        """Draw up what waits, in order, as far as it can be done now."""
        while self._mailbox:
            if self._mailbox[0].answered.done():
                self._mailbox.popleft()  # its caller has left
            elif self._draw_up(self._mailbox[0]):
                self._mailbox.popleft()
            else:
                return

    async def _look_up(self) -> None:
        """Learn the revisions that the first in the mailbox need. No sheet is drawn up."""
        probe = Sheet(
            self._merchant,
            before=self.head,
            recorded_at=self._clock.now(),
            revisions=self._revisions,
        )
        alone = self._mailbox[0].alone
        first = [*islice(self._mailbox, 1 if alone else LOOKED_UP_APPENDS_MAX)]
        unknown = set().union(*[probe.unknown(append) for append in first])
        try:
            self._revisions.update(await self._pen.revisions(unknown))
        except RefusedByDatabase as error:
            if len(first) > 1:
                _keep_apart(first)
            else:
                self._mailbox.popleft().refuse(error)
        except KcjlError as error:
            for _ in first:
                self._mailbox.popleft().refuse(error)

    async def _commit(self, sheet: Sheet) -> None:
        """Write a sheet and answer its callers; put them back when it could not be written."""
        if any(append.answered.done() for append in sheet.appends):
            # Somebody has left: nothing of theirs is written.
            self._put_back(sheet)
            self._empty_mailbox()
            return
        self._under_way, self._next = sheet, None
        self._empty_mailbox()
        if self._durable:
            # After the sheet is on its way: the callers then work while the server does.
            self._loop.call_soon(self._answer_durable)
        began = real_monotonic()
        try:
            if sheet.rows:
                await self._pen.write(sheet.batch())
        except KcjlError as error:
            self._not_written(sheet, error)
            return
        self._under_way = None
        self.head = sheet.after
        if sheet.rows:
            self._latest = sheet.recorded_at
            self._tail.extend(sheet.events)
            while len(self._revisions) > STREAMS_REMEMBERED_MAX:
                self._revisions.popitem(last=False)
        self._committed(sheet, real_monotonic() - began)

    def _committed(self, sheet: Sheet, took_s: float) -> None:
        """Answer now those for whom it pays to wait, the others once the next sheet is sent.

        The pen rests while callers who were answered come back with more. Where that takes
        longer than what every commit costs, however small, they are kept in two halves, of
        which one comes back while the other is written. Otherwise (a slow disk, few callers)
        all of them share each flush.
        """
        self._answer_durable()
        appends = sheet.appends
        ahead = len(self._next.appends) if self._next is not None else 0
        flush_s = took_s - len(sheet.rows) * INSERT_S
        alternate = (len(appends) + ahead) * self._return_s > flush_s
        self._hurries = alternate and 2 * ahead >= len(appends)
        if self._hurries:
            now = 0
        elif alternate:
            now = (len(appends) - ahead + 1) // 2
        else:
            now = len(appends)
        self._durable = appends[now:]
        self._answer(appends[:now])

    def _answer_durable(self) -> None:
        durable, self._durable = self._durable, ()
        self._answer(durable)

    def _answer(self, appends: Sequence[Append]) -> None:
        if appends:
            for append in appends:
                append.answer()
            # Called when all of them have had their turn.
            self._loop.call_soon(self._came_back, real_monotonic(), len(appends))

    def _came_back(self, answered_at: float, appends: int) -> None:
        self._return_s = (real_monotonic() - answered_at) / appends

    def _not_written(self, sheet: Sheet, error: KcjlError) -> None:
        """Nothing of it is in the log, nor will be. Who rests on it is drawn up anew."""
        after = self._next
        self._under_way = None
        if after is not None:
            self._put_back(after)
        if isinstance(error, RevisionTaken) and sheet.assumed:
            for append in sheet.appends:
                append.doubted = True
            self._put_back(sheet)
        elif isinstance(error, RefusedByDatabase) and len(sheet.appends) > 1:
            # Somebody's events can't be stored: find out whose, and hurt nobody else.
            _keep_apart(sheet.appends)
            self._put_back(sheet)
        else:
            sheet.tear_up()
            if isinstance(error, Fenced | CorruptLog):
                self.stopped = error
            for append in sheet.appends:
                append.refuse(error)

    def _put_back(self, sheet: Sheet) -> None:
        sheet.tear_up()
        self._next = None
        self._mailbox.extendleft(reversed(sheet.appends))

    def _refuse_the_rest(self) -> None:
        if self._under_way is not None:
            for append in self._under_way.appends:
                append.refuse(
                    OutcomeUnknown(
                        f"the log of {self._merchant} was closed during a commit: look before "
                        "appending again"
                    )
                )
        if self._next is not None:
            self._put_back(self._next)
        while self._mailbox:
            self._mailbox.popleft().refuse(self.stopped or self._closed())

    def _closed(self) -> Unavailable:
        return Unavailable(f"the log of {self._merchant} is closed: nothing was written")


def _keep_apart(appends: Sequence[Append]) -> None:
    for append in appends:
        append.alone = True
