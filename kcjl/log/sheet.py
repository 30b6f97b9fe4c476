"""A sheet: the appends that are drawn up for one commit, numbered and chained.

Promises: an append is drawn up whole or not at all; what can't follow is refused on the sheet,
and nothing else is touched by it; a sheet that was not written can be torn up, and then the
revisions are what they were before it. It writes nothing, waits for nothing, reads no clock.
Invariant: a sheet begins where the one before it ends, written or not.
Called by `writer.py`.
"""

import asyncio
import copy
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime

from kcjl.errors import KcjlError
from kcjl.log.chain import BareRow
from kcjl.log.drafting import Prepared, objection, record
from kcjl.log.pen import Batch
from kcjl.log.port import Head, Recorded

__all__ = ["Append", "Sheet"]

GROUP_EVENTS_MAX = 2_000
GROUP_BYTES_MAX = 1024 * 1024
"""A sheet is full when it reaches either; its last append may go beyond."""


class Append:
    """One caller's append, waiting for its answer."""

    __slots__ = ("alone", "answered", "doubted", "error", "events", "expected", "prepared")

    def __init__(
        self,
        prepared: Sequence[Prepared],
        expected: Mapping[str, int],
        answered: "asyncio.Future[None]",
    ) -> None:
        self.prepared = prepared
        self.expected = expected
        self.events: Sequence[Recorded] = ()
        self.error: KcjlError | None = None
        self.answered = answered
        """Cancelled when the caller was, and waits no more."""
        self.doubted = False
        """A stream that it takes for new may not be: look."""
        self.alone = False
        """It shares no commit: it may be the one whose events the database refused."""

    def answer(self) -> None:
        if not self.answered.done():
            self.answered.set_result(None)

    def refuse(self, error: KcjlError) -> None:
        # A copy each: callers raise it in their own tasks, and tracebacks are written into it.
        self.events, self.error = (), copy.copy(error)
        self.answer()


class Sheet:
    """`revisions` are those of all sheets so far, and go along with this one."""

    def __init__(
        self,
        merchant: str,
        *,
        before: Head,
        recorded_at: datetime,
        revisions: OrderedDict[str, int],
    ) -> None:
        self.before = before
        self.after = before
        self.recorded_at = recorded_at
        self.appends: list[Append] = []
        self.rows: list[BareRow] = []
        self.events: list[Recorded] = []
        self.assumed = False
        """Does it take a stream for new because its caller does?"""
        self._merchant = merchant
        self._revisions = revisions
        self._former: dict[str, int | None] = {}
        self._bytes = 0

    def takes(self, append: Append) -> bool:
        """Is there room for it?"""
        if not self.appends:
            return True
        return (
            len(self.events) < GROUP_EVENTS_MAX
            and self._bytes < GROUP_BYTES_MAX
            and not append.alone
            and not self.appends[0].alone
        )

    def unknown(self, append: Append) -> set[str]:
        """Streams whose revision must be looked up before it can be drawn up.

        One that the caller takes for new need not be, when the append has an event on it: most
        are new, and the database tells when one is not.
        """
        known, expected = self._revisions, append.expected
        written = {each.stream for each in append.prepared}
        missing = {stream for stream in (*written, *expected) if stream not in known}
        if missing and not append.doubted and not (self.appends and self.appends[0].doubted):
            missing = {
                stream
                for stream in missing
                if expected.get(stream) != 0 or stream not in written
            }
        return missing

    def draw_up(self, append: Append) -> None:
        """Number and chain its events, or refuse it. Its streams are known, or believed new."""
        self.appends.append(append)
        prepared, revisions = append.prepared, self._revisions
        append.events = ()
        append.error = objection(
            prepared, append.expected, head=self.after, revisions=revisions
        )
        if append.error is not None:
            return
        for each in prepared:
            if each.stream not in self._former:
                former = self._former[each.stream] = revisions.get(each.stream)
                self.assumed = self.assumed or former is None
                if former is not None:
                    revisions.move_to_end(each.stream)
            self._bytes += len(each.data)
        append.events, self.after = record(
            prepared,
            merchant=self._merchant,
            head=self.after,
            recorded_at=self.recorded_at,
            revisions=revisions,
            rows=self.rows,
        )
        self.events.extend(append.events)

    def tear_up(self) -> None:
        """The revisions are again what they were before this sheet, the newest one."""
        for stream, revision in self._former.items():
            if revision is None:
                self._revisions.pop(stream, None)
            else:
                self._revisions[stream] = revision

    def batch(self) -> Batch:
        return Batch(
            before=self.before,
            after=self.after,
            recorded_at=self.recorded_at,
            rows=self.rows,
        )
