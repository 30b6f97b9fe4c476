"""Notes every call to either side, and keeps the notes in batches, off the calls' way.

Promises: a call is never held up, and never fails, because of its note: notes wait in a
buffer; when that is full the oldest goes, and the next one that is kept says how many are
missing. Notes older than they may be are deleted, some at a time. It is no part of the event
log: its writes are transactions of their own, and a note that is lost breaks nothing.
Invariant: a note is written at most once; one whose fate is unknown is counted as missing.
Called by the adapters (`attempt`) and the service (`run`).
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice

import anyio
import structlog
from msgspec.structs import replace

from kcjl.calls.correlation import correlation_now
from kcjl.calls.port import CallKeeper, CallOutcome, CallRecord, Side, Surprise, outcome_of
from kcjl.calls.surprises import Surprises
from kcjl.clock import Clock, real_monotonic, real_sleep
from kcjl.errors import KcjlError, Unavailable

__all__ = ["Attempt", "SyncLog"]

BUFFER_CALLS_MAX = 10_000
"""Several minutes of a busy shop; about 5 MB."""
BATCH_CALLS_MAX = 1_000
FLUSH_EVERY_S = 1.0
EXPIRE_EVERY_S = 60.0
EXPIRE_ROWS_MAX = 5_000
"""One deletion: short enough to be in nobody's way."""
LAST_FLUSH_S = 2.0
KEEP_DAYS_DEFAULT = 30.0
SUBJECT_CHARACTERS_MAX = 100
_CODE = re.compile(r"[\w.:\- ]{1,60}\Z", re.ASCII)

_say = structlog.get_logger("kcjl.calls")


class Attempt:
    """One call under way; the adapter fills in what it learns."""

    def __init__(self) -> None:
        self.bytes_sent = 0
        self.bytes_received = 0
        self.status: int | None = None
        self.failed = False
        """It brought nothing, and nobody is told so by an error."""


class SyncLog:
    """One merchant's notes; without a keeper they go nowhere."""

    def __init__(
        self,
        keeper: CallKeeper | None,
        clock: Clock,
        *,
        keep_days: float = KEEP_DAYS_DEFAULT,
        buffer_calls_max: int = BUFFER_CALLS_MAX,
        observe: Callable[[CallRecord], None] = lambda _: None,
    ) -> None:
        self._keeper = keeper
        self._observe = observe
        self._clock = clock
        self._keep = timedelta(days=keep_days)
        self._waiting: deque[CallRecord] = deque()
        self._buffer_calls_max = buffer_calls_max
        self._lost = 0
        self._said_away = False
        self.surprises = Surprises(clock)

    @contextmanager
    def attempt(
        self, side: Side, operation: str, *, subject: str = "", page: int = 1, writes: bool
    ) -> Iterator[Attempt]:
        """Note the call that is made in this block, however it ends."""
        attempt = Attempt()
        attempted_at, began = self._clock.now(), real_monotonic()
        outcome, reason_code = CallOutcome.DONE, ""
        try:
            yield attempt
            if attempt.failed:
                outcome = CallOutcome.UNAVAILABLE
        except BaseException as error:
            outcome, reason_code = outcome_of(error, writes=writes)
            raise
        finally:
            self._note(
                CallRecord(
                    side=side,
                    operation=operation,
                    subject=_subject(subject),
                    page=page,
                    attempted_at=attempted_at,
                    took_ms=round((real_monotonic() - began) * 1000),
                    bytes_sent=attempt.bytes_sent,
                    bytes_received=attempt.bytes_received,
                    status=attempt.status,
                    outcome=outcome,
                    reason_code=reason_code if _CODE.match(reason_code) else "",
                    correlation_id=correlation_now(),
                )
            )

    def _note(self, call: CallRecord) -> None:
        self._observe(call)
        if self._keeper is None:
            return
        self._waiting.append(call)
        self._drop_beyond_the_bound()

    def _drop_beyond_the_bound(self) -> None:
        while len(self._waiting) > self._buffer_calls_max:
            self._lost += 1 + self._waiting.popleft().lost_before

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def run(self) -> None:
        """Keep what is noted, and delete what has expired, until cancelled."""
        expired_at = -EXPIRE_EVERY_S
        try:
            while True:
                await self.flush()
                is_due = real_monotonic() - expired_at >= EXPIRE_EVERY_S
                if is_due and await self.expire() < EXPIRE_ROWS_MAX:
                    expired_at = real_monotonic()
                await real_sleep(FLUSH_EVERY_S)
        finally:
            with anyio.move_on_after(LAST_FLUSH_S, shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Keep what is noted now. What can't be kept waits, as far as the buffer goes."""
        if self._keeper is None:
            return
        while True:
            batch = self._next_batch()
            surprises = self.surprises.taken()
            if not batch and not surprises:
                return
            try:
                await self._keeper.keep(batch, surprises)
            except Unavailable as error:
                self._put_back(batch, surprises)
                if not self._said_away:
                    _say.info("calls_wait", waiting=self.waiting, error=error.message)
                self._said_away = True
                return
            except BaseException as error:
                self._lost += len(batch) + sum(call.lost_before for call in batch)
                if not isinstance(error, KcjlError):
                    raise
                _say.warning("calls_lost", calls=len(batch), error=error.message)
                return
            self._said_away = False

    async def expire(self) -> int:
        """Delete what is too old, a bounded number of records; how many that was."""
        if self._keeper is None:
            return 0
        try:
            return await self._keeper.expire(
                self._clock.now() - self._keep, rows_max=EXPIRE_ROWS_MAX
            )
        except KcjlError as error:
            _say.info("calls_not_expired", error=error.message)
            return 0

    def _next_batch(self) -> list[CallRecord]:
        batch = list(islice(self._waiting, BATCH_CALLS_MAX))
        for _ in batch:
            self._waiting.popleft()
        if batch and self._lost:
            first = batch[0]
            batch[0] = replace(first, lost_before=first.lost_before + self._lost)
            _say.warning("calls_missing", calls=self._lost)
            self._lost = 0
        return batch

    def _put_back(self, batch: list[CallRecord], surprises: list[Surprise]) -> None:
        self._waiting.extendleft(reversed(batch))
        self.surprises.put_back(surprises)
        self._drop_beyond_the_bound()


def _subject(told: str) -> str:
    plain = "".join(each if each.isprintable() else " " for each in told.removeprefix("of "))
    return plain[:SUBJECT_CHARACTERS_MAX]
