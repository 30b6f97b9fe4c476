"""Rooms and their jobs: folding the log, appending decisions, timers, back-off, supervision.

Promises: a room's state is the fold of all committed events in order; what `commit` returned is
durable and already folded; a failing job is tried again with growing pauses, is said to be
interrupted once for each thing that it meets, and never takes the other jobs down. It knows
nothing of the trade.
Invariant: events are applied in order of position, a page in one step that nothing interrupts:
every page begins where what was applied ends, or before, so whoever reads twice does no harm.
Called by the five concerns; run by `service.py`.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import anyio
import anyio.lowlevel
import structlog

from kcjl.clock import Bell, Clock, Ids
from kcjl.errors import (
    Conflict,
    CorruptLog,
    Fenced,
    KcjlError,
    OutcomeUnknown,
    ShopModelNotServed,
    Unavailable,
)
from kcjl.exceptions.events import JobInterrupted, JobResumed, WritesSwitched, job_stream
from kcjl.exceptions.interruptions import JOBS, SWITCH
from kcjl.fold import Contents, Fold, Table
from kcjl.log.port import Draft, Log, Recorded
from kcjl.vocabulary import Event

__all__ = ["WARM", "Folded", "Job", "Room"]

S = TypeVar("S")

BACK_OFF_FIRST_S = 5.0
BACK_OFF_MAX_S = 300.0
WARM = 1_000
"""Ended orders that are kept as they are, in each table that has an entry an order."""
COMMIT_EVENTS_MAX = 1_000
"""Events that one decision may append; more is a programmer's mistake, not a busy day."""


class Job:
    """Something that a room does again and again.

    `run` may answer with the seconds until it is due again; else `every` counts. It is woken
    early by committed events of the types in `wakes_on`, but for those in `sleeps_through`.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[], Awaitable[float | None]],
        *,
        every: timedelta,
        wakes_on: tuple[type[Event], ...] = (),
        sleeps_through: tuple[type[Event], ...] = (),
    ) -> None:
        self.name = name
        self.run = run
        self.every = every
        self.wakes_on = wakes_on
        self.sleeps_through = sleeps_through
        self.woken = False
        """Something has happened since it last began to run."""
        self._bell = Bell()

    def wake(self) -> None:
        """Its pause is over, or the next one is none."""
        self.woken = True
        self._bell.ring()

    async def pause(self, clock: Clock, seconds: float) -> None:
        """Wait so long, or until it is woken."""
        if self.woken:
            await anyio.lowlevel.checkpoint()
        else:
            await clock.pause(seconds, self._bell)


class Folded:
    """All that a room has folded, up to a position: what a snapshot keeps."""

    def __init__(
        self,
        *,
        position: int,
        log_hash: bytes,
        tables: Sequence[Contents[Any]],
        revisions: dict[str, int],
        marks: dict[str, int],
    ) -> None:
        self.position = position
        self.log_hash = log_hash
        """Of the event at this position: it belongs to this log and to no other."""
        self.tables = tables
        self.revisions = revisions
        self.marks = marks


class _Heard(NamedTuple):
    """What events of one class mean to a room."""

    tables: Sequence[Table[Any]]
    own: bool
    """It decides on their streams, so it keeps their revisions."""
    lets_go: bool
    wakes: Sequence[Job]


class Room:
    """Base of a concern's actor: its tables, its jobs, its way to the log."""

    name = "room"
    lets_go_on: tuple[type[Event], ...] = ()
    """After these it is asked to let go of what is at rest."""

    def __init__(self, log: Log, clock: Clock, ids: Ids) -> None:
        self.log = log
        self.clock = clock
        self.ids = ids
        self.applied = 0
        self.marks: dict[str, int] = {}
        """Positions that a room keeps of what it folded, by name."""
        self._applied_hash = b""
        self.jobs: tuple[Job, ...] = ()
        self._tables: list[Table[Any]] = []
        self._folds: list[Fold[Any]] = []
        self._heard: dict[type[Event], _Heard] = {}
        self._interrupted = self.table(JOBS)
        self._switch = self.table(SWITCH)
        self._revisions: dict[str, int] = {}
        self._own = f"kcjl.{self.name}."
        self._say = structlog.get_logger(room=self.name, merchant=log.merchant)

    def table(
        self,
        fold: Fold[S],
        *,
        watch: Callable[[S], bool] | None = None,
        group: Callable[[S], str | None] | None = None,
        tracked: bool = False,
        warm: int | None = None,
    ) -> Table[S]:
        """Register a fold; its entries are kept up to date from now on."""
        table = Table(fold, watch=watch, group=group, tracked=tracked, warm=warm)
        self._tables.append(table)
        self._folds.append(fold)
        return table

    @property
    def writes_allowed(self) -> bool:
        """False while somebody has stopped all writes to the outside; reading goes on."""
        switched = self._switch.get("writes")
        return switched is None or switched.allowed

    @property
    def failing(self) -> Sequence[str]:
        """Its jobs whose last try failed; they are tried again."""
        streams = {job.name: job_stream(self.name, job.name) for job in self.jobs}
        return [job for job, stream in streams.items() if stream in self._interrupted]

    @property
    def tables(self) -> Sequence[Table[Any]]:
        """In the order in which they were registered."""
        return self._tables

    def folded(self) -> Folded:
        """A copy of all that was folded; it does not change any more."""
        return Folded(
            position=self.applied,
            log_hash=self._applied_hash,
            tables=[table.contents() for table in self._tables],
            revisions=self._revisions.copy(),
            marks=self.marks.copy(),
        )

    def put_back(self, folded: Folded) -> None:
        """Be as if the log had been folded up to there; then `catch_up` goes on."""
        for table, contents in zip(self._tables, folded.tables, strict=True):
            table.put_back(contents)
        self._revisions = dict(folded.revisions)
        self.marks = dict(folded.marks)
        self.applied, self._applied_hash = folded.position, folded.log_hash

    # ── the log ─────────────────────────────────────────────────────────────────────────────

    async def catch_up(self) -> None:
        """Fold whatever is committed and not yet folded."""
        async for page in self.log.read(self.applied):
            self._apply(page)

    async def fold(self, page: Sequence[Recorded]) -> None:
        """Fold a page that somebody has read: what of it is not yet folded.

        Where it does not go on from what was folded, the log is read instead.
        """
        if not page or page[-1].position <= self.applied:  # its own commit has folded it
            return
        if page[0].position > self.applied + 1:
            await self.catch_up()
        else:
            self._apply(page)

    def _apply(self, page: Sequence[Recorded]) -> None:
        for recorded in page:
            if recorded.position <= self.applied:
                continue
            event = recorded.event
            heard = self._heard.get(type(event)) or self._hear(type(event))
            for table in heard.tables:
                table.apply(event)
            if heard.own:
                self._revisions[recorded.stream] = recorded.revision
            if heard.lets_go:
                self.let_go(event)
            self.applied, self._applied_hash = recorded.position, recorded.hash
            for job in heard.wakes:
                job.wake()

    def let_go(self, event: Event) -> None:
        """`forget` what is at rest: by tables and event alone, as a replay does it again."""

    def forget(self, stream: str) -> None:
        """Keep its revision no more; whoever reads it again gives it to `commit`."""
        self._revisions.pop(stream, None)

    def _hear(self, kind: type[Event]) -> "_Heard":
        """Asked once a class of events: asking each event took longer than folding it."""
        heard = self._heard[kind] = _Heard(
            tables=[
                table
                for table, fold in zip(self._tables, self._folds, strict=True)
                if issubclass(kind, fold.hears)
            ],
            own=kind.__module__.startswith(self._own)
            or issubclass(kind, JobInterrupted | JobResumed | WritesSwitched),
            lets_go=issubclass(kind, self.lets_go_on),
            wakes=[
                job
                for job in self.jobs
                if issubclass(kind, job.wakes_on) and not issubclass(kind, job.sleeps_through)
            ],
        )
        return heard

    async def commit(
        self,
        events: Sequence[Event],
        *,
        correlation_id: str | None = None,
        causation: int | None = None,
        by: str | None = None,
        read_again: Mapping[str, int] = MappingProxyType({}),
    ) -> Sequence[Recorded]:
        """Append what was decided, durable and folded when this returns.

        Raises Conflict when another job decided on the same stream meanwhile: decide again.
        """
        if not events:
            return ()
        correlation = correlation_id or self.ids.new()
        recorded: list[Recorded] = []
        for start in range(0, len(events), COMMIT_EVENTS_MAX):
            chunk = events[start : start + COMMIT_EVENTS_MAX]
            drafts = [
                Draft(
                    event=event,
                    by=by or self.name,
                    correlation_id=correlation,
                    causation=causation,
                )
                for event in chunk
            ]
            expected = {
                stream: self._revisions.get(stream, read_again.get(stream, 0))
                for stream in dict.fromkeys(event.stream for event in chunk)
            }
            appended = await self.log.append(drafts, expected=expected)
            await self.fold(appended)
            recorded.extend(appended)
        return recorded

    async def record(
        self, *events: Event, correlation_id: str | None = None
    ) -> Sequence[Recorded]:
        """Append what has happened outside: a fact, whatever came into the stream meanwhile."""
        drafts = [
            Draft(event=event, by=self.name, correlation_id=correlation_id or self.ids.new())
            for event in events
        ]
        recorded = await self.log.append(drafts)
        await self.fold(recorded)
        return recorded

    async def commit_retrying(
        self, decide: Callable[[], Sequence[Event]], *, correlation_id: str | None = None
    ) -> Sequence[Recorded]:
        """Decide and commit; on a conflict fold what came and decide again."""
        while True:
            try:
                return await self.commit(decide(), correlation_id=correlation_id)
            except Conflict:
                await self.catch_up()

    # ── the jobs ────────────────────────────────────────────────────────────────────────────

    async def run(
        self, follow: Callable[["Room"], Coroutine[Any, Any, None]] | None = None
    ) -> None:
        """Fold the log, then run every job for ever.

        `follow` has it fold what comes, where somebody reads the log's end for several rooms.
        """
        await self.catch_up()
        async with anyio.create_task_group() as group:
            group.start_soon(follow or Room._follow, self, name=f"{self.name}/follow")
            for job in self.jobs:
                group.start_soon(self._supervise, job, name=f"{self.name}/{job.name}")

    async def _follow(self) -> None:
        async for page in self.log.follow(self.applied):
            await self.fold(page)

    async def _supervise(self, job: Job) -> None:
        failures = 0
        while True:
            job.woken = False
            try:
                due_s = await job.run()
                await self._resumed(job)
                failures = 0
                pause_s = job.every.total_seconds() if due_s is None else due_s
                await job.pause(self.clock, max(pause_s, 0.0))
            except Conflict:
                await self.catch_up()
            except (Fenced, CorruptLog, ShopModelNotServed):
                raise
            except Exception as error:  # noqa: BLE001 - the outermost loop of a job: say, go on
                failures += 1
                await self._failed(job, error, failures)

    async def _failed(self, job: Job, error: Exception, failures: int) -> None:
        pause_s = min(BACK_OFF_FIRST_S * (1 << min(failures - 1, 10)), BACK_OFF_MAX_S)
        if isinstance(error, Unavailable) and error.retry_after_s is not None:
            pause_s = max(pause_s, error.retry_after_s)
        known = isinstance(error, KcjlError)
        self._say.warning(
            "job_interrupted",
            job=job.name,
            error=f"{type(error).__name__}: {error}",
            pause_s=pause_s,
            failures=failures,
            exc_info=not known,
        )
        event = JobInterrupted(
            room=self.name,
            job=job.name,
            message=f"{type(error).__name__}: {error}"[:500],
            code=error.code if isinstance(error, KcjlError) else "KCJL-9000",
            side=error.side if isinstance(error, KcjlError) else "",
            occurred_at=self.clock.now(),
        )
        try:
            before = self._interrupted.get(event.stream)
            if before is None or before.now != event.trouble:
                await self.commit((event,))
        except (Unavailable, OutcomeUnknown) as unsaid:
            self._say.warning("interruption_not_recorded", job=job.name, error=str(unsaid))
        await self.clock.sleep(pause_s)

    async def _resumed(self, job: Job) -> None:
        if not len(self._interrupted):  # nearly always: this is asked after every run
            return
        known = self._interrupted.get(job_stream(self.name, job.name))
        if known is not None:
            now, met = self.clock.now(), known.met
            event = JobResumed(room=self.name, job=job.name, met=met, occurred_at=now)
            await self.commit((event,))
