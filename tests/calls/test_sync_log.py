"""The sync log in front of its keeper: no call waits for it, none fails because of it."""

from collections.abc import Sequence
from datetime import datetime

import anyio
import anyio.lowlevel
import pytest

from kcjl.calls import sync_log as module
from kcjl.calls.correlation import correlated
from kcjl.calls.memory import MemoryCalls
from kcjl.calls.port import CallOutcome, CallRecord, Side, Surprise
from kcjl.calls.surprises import BEYOND, DIFFERENT_MAX, NAMELESS
from kcjl.calls.sync_log import BATCH_CALLS_MAX, SyncLog
from kcjl.errors import (
    OutcomeUnknown,
    ProtocolSurprise,
    RateLimited,
    Refused,
    Unavailable,
)
from tests.calls.laws import ALL, operations
from tests.clockwork import MORNING, Clockwork

pytestmark = pytest.mark.anyio


class MoodyKeeper(MemoryCalls):
    """Keeps nothing while it has a mood."""

    def __init__(self) -> None:
        super().__init__()
        self.mood: Exception | None = None
        self.batches: list[int] = []

    async def keep(self, calls: Sequence[CallRecord], surprises: Sequence[Surprise]) -> None:
        self.batches.append(len(calls))
        if self.mood is not None:
            raise self.mood
        await super().keep(calls, surprises)

    async def expire(self, before: datetime, *, rows_max: int) -> int:
        if self.mood is not None:
            raise self.mood
        return await super().expire(before, rows_max=rows_max)


@pytest.fixture
def keeper() -> MoodyKeeper:
    return MoodyKeeper()


@pytest.fixture
def clock() -> Clockwork:
    return Clockwork()


@pytest.fixture
def notes(keeper: MoodyKeeper, clock: Clockwork) -> SyncLog:
    return SyncLog(keeper, clock, buffer_calls_max=3)


def _make(notes: SyncLog, *operations: str) -> None:
    for operation in operations:
        with notes.attempt(Side.KHAOS, operation, writes=False):
            pass


async def _kept(keeper: MemoryCalls) -> list[str]:
    return operations(await keeper.newest(ALL, 10_000))


async def test_call_is_noted_with_what_the_adapter_learnt(
    notes: SyncLog, keeper: MoodyKeeper, clock: Clockwork
) -> None:
    """What, when, how much, for which unit of work; the subject without its preposition."""
    with (
        correlated("publish-1"),
        notes.attempt(
            Side.JOHNLEWIS, "OR11", subject="of order 7\n00", page=2, writes=False
        ) as attempt,
    ):
        attempt.bytes_sent, attempt.bytes_received, attempt.status = 5, 900, 200
        clock.tick(60)
    await notes.flush()

    (kept,) = await keeper.newest(ALL, 10)
    noted = kept.call
    assert ("OR11", "order 7 00", 2, MORNING) == (
        noted.operation,
        noted.subject,
        noted.page,
        noted.attempted_at,
    )
    assert (5, 900, 200, CallOutcome.DONE, "publish-1") == (
        noted.bytes_sent,
        noted.bytes_received,
        noted.status,
        noted.outcome,
        noted.correlation_id,
    )
    assert noted.took_ms >= 0


@pytest.mark.parametrize(
    ("error", "writes", "outcome", "reason_code"),
    [
        (Refused("no", reason_code="SHIPPED"), True, "refused", "SHIPPED"),
        (Refused("no", reason_code="Ada Lovelace, 17"), True, "refused", ""),
        (Refused("no"), True, "refused", "KCJL-2001"),
        (RateLimited("later"), True, "rate_limited", "KCJL-3002"),
        (Unavailable("away"), False, "unavailable", "KCJL-3001"),
        (ProtocolSurprise("what"), False, "unavailable", "KCJL-3003"),
        (OutcomeUnknown("who knows"), True, "unknown", "KCJL-4001"),
        (ZeroDivisionError(), True, "unknown", "CUT_OFF"),
        (ZeroDivisionError(), False, "unavailable", "CUT_OFF"),
    ],
)
async def test_call_that_fails_is_noted_by_how_it_ended(
    notes: SyncLog,
    keeper: MoodyKeeper,
    error: Exception,
    *,
    writes: bool,
    outcome: str,
    reason_code: str,
) -> None:
    """The error goes its way; the note says what it meant, and repeats no text of theirs."""
    with pytest.raises(type(error)), notes.attempt(Side.KHAOS, "ImportOrders", writes=writes):
        raise error
    await notes.flush()

    (kept,) = await keeper.newest(ALL, 10)
    assert (outcome, reason_code) == (kept.call.outcome, kept.call.reason_code)


async def test_call_that_is_cancelled_is_noted(notes: SyncLog, keeper: MoodyKeeper) -> None:
    """A write that was cut off in the middle may have been done."""
    with anyio.CancelScope() as scope:
        with notes.attempt(Side.KHAOS, "ImportOrders", writes=True):
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    await notes.flush()

    (kept,) = await keeper.newest(ALL, 10)
    assert CallOutcome.UNKNOWN == kept.call.outcome


async def test_full_buffer_drops_the_oldest_and_says_how_many(
    notes: SyncLog, keeper: MoodyKeeper
) -> None:
    """No call waits for its note: what is lost is counted on the next that is kept."""
    _make(notes, "A", "B", "C", "D", "E")
    await notes.flush()

    first, *rest = await keeper.newest(ALL, 10)
    assert ("C", 2) == (first.call.operation, first.call.lost_before)
    assert [0, 0] == [each.call.lost_before for each in rest]
    _make(notes, "F")
    await notes.flush()
    assert [0] == [each.call.lost_before for each in await keeper.newest(ALL, 1)]


async def test_notes_wait_while_the_database_is_away(
    notes: SyncLog, keeper: MoodyKeeper
) -> None:
    """They are kept later, in order and once; what the buffer can't hold is counted."""
    keeper.mood = Unavailable("the database is away")
    _make(notes, "A", "B")
    notes.surprises.field("OR11", "colour")
    await notes.flush()
    _make(notes, "C", "D")
    await notes.flush()
    keeper.mood = None
    await notes.flush()

    assert ["B", "C", "D"] == await _kept(keeper)
    assert 1 == sum([each.call.lost_before for each in await keeper.newest(ALL, 10)])
    assert [("colour", 1)] == [(each.field, each.count) for each in await keeper.surprises()]
    assert 0 == notes.waiting


async def test_batch_whose_fate_is_unknown_is_not_written_again(
    notes: SyncLog, keeper: MoodyKeeper
) -> None:
    """A note is never there twice; those that may be missing are counted as such."""
    keeper.mood = OutcomeUnknown("lost during the commit")
    _make(notes, "A", "B")
    await notes.flush()
    keeper.mood = None
    _make(notes, "C")
    await notes.flush()

    (kept,) = await keeper.newest(ALL, 10)
    assert ("C", 2) == (kept.call.operation, kept.call.lost_before)


async def test_batch_that_can_never_be_kept_blocks_no_other(
    notes: SyncLog, keeper: MoodyKeeper
) -> None:
    """A fault of our own is told to the supervisor, and the batch is given up."""
    keeper.mood = ZeroDivisionError()
    _make(notes, "A")
    with pytest.raises(ZeroDivisionError):
        await notes.flush()
    keeper.mood = None
    _make(notes, "B")
    await notes.flush()

    assert ["B"] == await _kept(keeper)


async def test_many_notes_are_kept_in_batches(keeper: MoodyKeeper, clock: Clockwork) -> None:
    """One insert never grows without bound."""
    notes = SyncLog(keeper, clock)
    _make(notes, *["A"] * (BATCH_CALLS_MAX + 5))
    await notes.flush()

    assert [BATCH_CALLS_MAX, 5] == keeper.batches


async def test_keeper_that_hangs_holds_up_no_call(
    notes: SyncLog, keeper: MoodyKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls go on while the database takes its time, and memory stays bounded."""
    hanging = anyio.Event()

    async def hang(*_: object) -> None:
        hanging.set()
        await anyio.sleep_forever()

    monkeypatch.setattr(keeper, "keep", hang)
    async with anyio.create_task_group() as group:
        _make(notes, "A")
        group.start_soon(notes.flush)
        await hanging.wait()
        _make(notes, *"BCDEFG")
        waiting = notes.waiting
        group.cancel_scope.cancel()

    assert 3 == waiting


async def test_notes_expire_after_their_days(keeper: MoodyKeeper, clock: Clockwork) -> None:
    """Older ones are deleted; trouble on the way is no trouble of a call."""
    notes = SyncLog(keeper, clock, keep_days=2)
    _make(notes, "A")
    clock.tick(86_400)
    _make(notes, "B")
    await notes.flush()
    clock.tick(86_401)

    assert 1 == await notes.expire()
    assert ["B"] == await _kept(keeper)
    keeper.mood = Unavailable("away")
    assert 0 == await notes.expire()


async def test_run_keeps_what_waits_also_at_its_end(
    notes: SyncLog, keeper: MoodyKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last notes before an orderly stop are not lost."""
    async with anyio.create_task_group() as group:

        async def pause(_: float) -> None:
            _make(notes, "late")
            group.cancel_scope.cancel()
            await anyio.lowlevel.checkpoint()

        monkeypatch.setattr(module, "real_sleep", pause)
        _make(notes, "early")
        await notes.run()

    assert ["early", "late"] == await _kept(keeper)


async def test_without_a_keeper_nothing_piles_up(clock: Clockwork) -> None:
    """An adapter alone, as in a test or a probe, notes nothing."""
    notes = SyncLog(None, clock)
    _make(notes, "A")
    await notes.flush()

    assert (0, 0) == (notes.waiting, await notes.expire())


# ── surprises ───────────────────────────────────────────────────────────────────────────────


async def test_surprise_is_said_once_and_counted_on(
    notes: SyncLog, clock: Clockwork, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log line names the field; then the count goes up in silence."""
    for _ in range(3):
        notes.surprises.field("OR11", "orders[].colour")
        clock.tick(60)

    (told,) = notes.surprises.taken()
    assert (3, 120) == (told.count, (told.last_seen_at - told.first_seen_at).total_seconds())
    assert 1 == capsys.readouterr().out.count("orders[].colour")
    assert [] == notes.surprises.taken()


async def test_surprises_are_bounded_and_have_the_form_of_names(notes: SyncLog) -> None:
    """A flood of odd names fills no memory; a name that is no name is not repeated."""
    for number in range(DIFFERENT_MAX + 100):
        notes.surprises.field("OR11", f"field_{number}")
    notes.surprises.word("OR11", "ada@example.org")

    told = notes.surprises.taken()
    assert DIFFERENT_MAX + 2 >= len(told)
    assert 100 == next(
        each.count for each in told if each.field == BEYOND and each.kind == "field"
    )
    assert "ada@example.org" not in {each.field for each in told}
    notes.surprises.field("OR11", "Ada Lovelace")
    assert {NAMELESS, BEYOND} >= {each.field for each in notes.surprises.taken()}
