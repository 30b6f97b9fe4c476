"""Rooms and jobs: folding, committing, conflicts, back-off, and one bad job among good ones."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest

from kcjl.actors import BACK_OFF_FIRST_S, BACK_OFF_MAX_S, COMMIT_EVENTS_MAX, Job, Room
from kcjl.clock import SeededIds
from kcjl.errors import (
    Conflict,
    CredentialsRefused,
    Fenced,
    KcjlError,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from kcjl.events import vocabulary
from kcjl.exceptions.events import JobInterrupted, JobResumed, Trouble
from kcjl.fold import Fold
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.log.port import Draft, Recorded
from kcjl.stock.events import BufferSet
from kcjl.stock.policy_book import POLICY_BOOK, PolicyBook
from kcjl.vocabulary import Event
from tests.clockwork import Clockwork
from tests.trade import at, listed

pytestmark = pytest.mark.anyio

EVERY_S = 100.0


def held_back(book: PolicyBook) -> int:
    """By the policy that was approved last."""
    return book.approved[-1].document.rules[0].buffer or 0


class Bench(Room):
    """A room with a job that fails as planned, and one that never does."""

    name = "stock"  # its events are stock's: the room keeps their revisions

    def __init__(self, log: MemoryLog, clock: Clockwork, *plan: Exception | None) -> None:
        super().__init__(log, clock, SeededIds(7))
        self.policy = self.table(POLICY_BOOK)
        self.plan = list(plan)
        self.due_s: float | None = None
        self.shaky_at: list[float] = []
        self.steady_at: list[float] = []
        every = timedelta(seconds=EVERY_S)
        self.jobs = (
            Job("shaky", self._shaky, every=every, wakes_on=(BufferSet,)),
            Job("steady", self._steady, every=every),
        )

    def _seconds(self) -> float:
        return (self.clock.now() - at()).total_seconds()

    async def _shaky(self) -> float | None:
        self.shaky_at.append(self._seconds())
        error = self.plan.pop(0) if self.plan else None
        if error is not None:
            raise error
        return self.due_s

    async def _steady(self) -> None:
        self.steady_at.append(self._seconds())


class Place:
    """A log, a clock, and rooms on them."""

    def __init__(self) -> None:
        self.clock = Clockwork()
        self.store = MemoryStore()

    def log(self) -> MemoryLog:
        epoch = self.store.shelf("acme").head.epoch
        return MemoryLog(self.store, "acme", vocabulary(), self.clock, epoch)

    def bench(self, *plan: Exception | None) -> Bench:
        return Bench(self.log(), self.clock, *plan)

    async def said(self, *kinds: type[Event]) -> list[Event]:
        pages = [page async for page in self.log().read()]
        events = [recorded.event for page in pages for recorded in page]
        return [event for event in events if isinstance(event, kinds)]


@asynccontextmanager
async def running(room: Room) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(room.run)
        yield
        group.cancel_scope.cancel()


def buffer(units: int, version: int = 1) -> BufferSet:
    return BufferSet(units=units, version=version, occurred_at=at())


# ── committing ──────────────────────────────────────────────────────────────────────────────


async def test_commit_is_durable_and_folded_when_it_returns() -> None:
    """What was decided is in the log and in the state, at once."""
    place = Place()
    room = place.bench()

    recorded = await room.commit((buffer(3),), by="jo", causation=None)

    assert [("jo", 1)] == [(each.by, each.position) for each in recorded]
    assert 3 == held_back(room.policy["policy"])
    assert 1 == room.applied


async def test_commit_of_nothing_writes_nothing() -> None:
    """No decision, no event."""
    place = Place()

    assert () == await place.bench().commit(())
    assert [] == await place.said(Event)


async def test_commit_of_many_is_done_in_bounded_appends() -> None:
    """More than one append holds goes in several, in order."""
    place = Place()
    room = place.bench()
    many = [listed(f"S{number}") for number in range(COMMIT_EVENTS_MAX + 1)]

    recorded = await room.commit(many)

    assert many == [each.event for each in recorded] == await place.said(Event)
    assert 1 == len({each.correlation_id for each in recorded})


async def test_commit_on_a_stream_that_has_moved_is_a_conflict() -> None:
    """Another has decided meanwhile: nothing is written, and it is decided again."""
    place = Place()
    room, other = place.bench(), place.bench()
    await other.commit((buffer(1),))

    with pytest.raises(Conflict):
        await room.commit((buffer(2),))
    await room.catch_up()
    await room.commit((buffer(2, 2),))

    assert [buffer(1), buffer(2, 2)] == await place.said(BufferSet)


async def test_commit_retrying_decides_again_on_what_came() -> None:
    """The second decision is made on the state that the first had not seen."""
    place = Place()
    room, other = place.bench(), place.bench()
    await other.commit((buffer(1),))
    seen: list[int | None] = []

    def decide() -> Sequence[Event]:
        policy = room.policy.get("policy")
        seen.append(None if policy is None else policy.version)
        return (buffer(2, 1 if policy is None else policy.version + 1),)

    await room.commit_retrying(decide)

    assert [None, 1] == seen
    assert [buffer(1), buffer(2, 2)] == await place.said(BufferSet)


async def test_record_writes_a_fact_whatever_came_meanwhile() -> None:
    """What has happened outside has happened, also when the stream has moved."""
    place = Place()
    room, other = place.bench(), place.bench()
    await other.commit((buffer(1),))

    await room.record(buffer(2, 2))

    assert [buffer(1), buffer(2, 2)] == await place.said(BufferSet)
    assert 2 == held_back(room.policy["policy"])


async def test_events_are_applied_once_in_order_of_position() -> None:
    """A page that comes twice is folded once."""
    place = Place()
    room = place.bench()
    heard = room.table(
        Fold(lambda event: (event.stream,), lambda count, *_: (count or 0) + 1, int)
    )
    await room.commit((buffer(1),))
    await room.commit((buffer(2, 2),))
    pages: list[Sequence[Recorded]] = [page async for page in room.log.read()]

    room._apply(pages[0])

    assert (2, 2) == (room.applied, heard["stock-policy"])


# ── jobs ────────────────────────────────────────────────────────────────────────────────────


async def test_job_runs_at_once_and_then_at_its_pace() -> None:
    """Again and again, with its pause in between."""
    place = Place()
    room = place.bench()
    async with running(room):
        await place.clock.forward(250)

    assert [0, 100, 200] == room.shaky_at == room.steady_at


async def test_job_that_says_when_it_is_due_is_run_then() -> None:
    """A job may know better than its pace."""
    place = Place()
    room = place.bench()
    room.due_s = 40.0
    async with running(room):
        await place.clock.forward(99)

    assert [0, 40, 80] == room.shaky_at


async def test_job_is_woken_by_what_it_waits_for() -> None:
    """An event of its kind wakes it early, whoever wrote it; another kind does not."""
    place = Place()
    room, other = place.bench(), place.bench()
    async with running(room):
        await place.clock.forward(10)
        await other.commit((listed(),))
        await place.clock.forward(10)
        await other.commit((buffer(1),))
        await place.clock.forward(10)

    assert [0, 20] == room.shaky_at
    assert [0] == room.steady_at


async def test_job_that_meets_something_else_says_that_too_and_both_when_it_works() -> None:
    """First the side is away, then it refuses our key: whose trouble it is has changed."""
    refused = CredentialsRefused("no such key")
    refused.side = "johnlewis"
    place = Place()
    room = place.bench(Unavailable("away"), refused, refused, None)
    async with running(room):
        await place.clock.forward(60)

    said = await place.said(JobInterrupted, JobResumed)
    assert ["KCJL-3001", "KCJL-2005"] == [
        each.code for each in said if isinstance(each, JobInterrupted)
    ]
    (resumed,) = (each for each in said if isinstance(each, JobResumed))
    assert [("KCJL-3001", ""), ("KCJL-2005", "johnlewis")] == [
        (each.code, each.side) for each in resumed.met
    ]


async def test_job_that_fails_is_said_once_and_again_when_it_works() -> None:
    """Interrupted once, resumed once, however often it failed in between."""
    place = Place()
    room = place.bench(Unavailable("ERP away"), Unavailable("still away"), None)
    async with running(room):
        await place.clock.forward(60)

    interrupted, resumed = await place.said(JobInterrupted, JobResumed)
    assert isinstance(interrupted, JobInterrupted)
    assert ("stock", "shaky", "Unavailable: ERP away", "KCJL-3001") == (
        interrupted.room,
        interrupted.job,
        interrupted.message,
        interrupted.code,
    )
    met = (Trouble(code="KCJL-3001", side=""),)
    assert JobResumed(room="stock", job="shaky", met=met, occurred_at=at(15 / 60)) == resumed


async def test_job_that_fails_is_tried_again_with_growing_pauses() -> None:
    """Five seconds, ten, twenty, … five minutes at most."""
    place = Place()
    room = place.bench(*(Unavailable() for _ in range(10)))
    async with running(room):
        await place.clock.forward(1_500)

    pauses = [b - a for a, b in zip(room.shaky_at, room.shaky_at[1:], strict=False)]
    assert [5, 10, 20, 40, 80, 160, 300, 300, 300] == pauses[:9]
    assert (BACK_OFF_FIRST_S, BACK_OFF_MAX_S) == (pauses[0], max(pauses))


async def test_job_that_works_again_starts_with_the_short_pause() -> None:
    """Old trouble is forgotten: the next failure is tried again soon."""
    place = Place()
    room = place.bench(Unavailable(), Unavailable(), None, Unavailable())
    async with running(room):
        await place.clock.forward(130)

    assert [0, 5, 15, 115, 120] == room.shaky_at


async def test_job_that_fails_leaves_the_others_alone() -> None:
    """One job's trouble stops no other, whatever kind of error it is."""
    place = Place()
    room = place.bench(*(ValueError("a slip of ours") for _ in range(50)))
    async with running(room):
        await place.clock.forward(450)

    assert [0, 100, 200, 300, 400] == room.steady_at
    (interrupted,) = await place.said(JobInterrupted)
    assert isinstance(interrupted, JobInterrupted)
    assert "KCJL-9000" == interrupted.code


async def test_job_waits_as_long_as_the_other_side_asks() -> None:
    """Asked to come back in ten minutes, it comes back in ten minutes."""
    place = Place()
    room = place.bench(RateLimited("slow down", retry_after_s=600))
    async with running(room):
        await place.clock.forward(650)

    assert [0, 600] == room.shaky_at


async def test_job_with_a_conflict_is_run_again_at_once() -> None:
    """A conflict is no failure: it is decided again, and nothing is said."""
    place = Place()
    room = place.bench(Conflict("stock-policy", 0, 1), None)
    async with running(room):
        await place.clock.forward(1)

    assert [0, 0] == room.shaky_at
    assert [] == await place.said(JobInterrupted)


async def test_job_interrupted_before_a_restart_is_resumed_after_it() -> None:
    """The log remembers the interruption: the next process says that it is over."""
    place = Place()
    async with running(place.bench(*(Unavailable() for _ in range(9)))):
        await place.clock.forward(5)
    async with running(place.bench()):
        await place.clock.forward(1)

    assert [JobInterrupted, JobResumed] == [
        type(event) for event in await place.said(JobInterrupted, JobResumed)
    ]


async def test_writer_that_was_fenced_stops_altogether() -> None:
    """Another process has the log: this one does no more work."""
    place = Place()
    room = place.bench(Unavailable())
    place.store.take_over("acme")

    with pytest.raises(ExceptionGroup) as ended:
        async with running(room):
            await place.clock.forward(1)

    assert ended.group_contains(Fenced)


class Deaf(MemoryLog):
    """A log that can't be reached for a while."""

    errors: list[KcjlError]

    async def append(
        self,
        drafts: Sequence[Draft],
        *,
        expected: dict[str, int] | None = None,  # type: ignore[override]
    ) -> Sequence[Recorded]:
        if self.errors:
            raise self.errors.pop(0)
        return await super().append(drafts, expected=expected)


@pytest.mark.parametrize("error", [Unavailable("database away"), OutcomeUnknown("no answer")])
async def test_interruption_that_can_not_be_recorded_stops_nothing(error: KcjlError) -> None:
    """While the log itself is away the job goes on trying; it is said when it can be."""
    place = Place()
    epoch = place.store.shelf("acme").head.epoch
    log = Deaf(place.store, "acme", vocabulary(), place.clock, epoch)
    log.errors = [error]
    room = Bench(log, place.clock, Unavailable("first"), Unavailable("second"))
    async with running(room):
        await place.clock.forward(5)

    (interrupted,) = await place.said(JobInterrupted)
    assert isinstance(interrupted, JobInterrupted)
    assert "Unavailable: second" == interrupted.message


async def test_room_folds_the_whole_log_before_its_jobs_run() -> None:
    """A job never works on half a state."""
    place = Place()
    await place.bench().commit((buffer(7),))
    known: list[int] = []

    class Curious(Bench):
        async def _steady(self) -> None:
            known.append(held_back(self.policy["policy"]))

    async with running(Curious(place.log(), place.clock)):
        await place.clock.forward(1)

    assert [7] == known
