"""A short run of the chaos test; and its judge, tried on faults that are made up."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from kcjl.clock import chance
from tests.chaos.judging import Found, judge
from tests.chaos.marks import Marked, Told
from tests.chaos.rounds import KINDS, _kinds, chaos

MORNING = datetime(2026, 10, 1, 8, tzinfo=UTC)


@pytest.mark.anyio
@pytest.mark.timeout(240)
async def test_two_kills_under_load_lose_and_double_nothing() -> None:
    """The writer and the server are killed while 64 appenders write (20 rounds: --rounds)."""
    outcome = await chaos(
        rounds=2, seed=7, say=lambda _: None, kinds=("writer", "postgres"), batches_max=300
    )

    assert () == outcome.faults
    assert {"writer", "postgres"} == set(outcome.kills)
    assert outcome.found >= outcome.acknowledged > 0


def test_kinds_of_a_seed_are_the_same_and_each_has_its_turn() -> None:
    """A seed that found a fault kills the same things again."""
    assert _kinds(chance(5), 20, KINDS) == _kinds(chance(5), 20, KINDS)
    assert set(KINDS) == set(_kinds(chance(5), 4, KINDS))


# ── the judge ───────────────────────────────────────────────────────────────────────────────


def _log() -> list[Found]:
    """Three batches of two appenders: of two events, of one, of two."""
    found: list[Found] = []
    for mark, appender, parts in ((1, 0, 2), (2, 1, 1), (3, 0, 2)):
        for part in range(parts):
            event = Marked(
                occurred_at=MORNING,
                writer=1,
                appender=appender,
                mark=mark,
                part=part,
                parts=parts,
            )
            found.append(Found(position=len(found) + 1, event=event))
    return found


TOLD = Told(
    tried=frozenset({1, 2, 3, 4, 5}), kept={1: (1, 2), 3: (4, 5)}, refused=frozenset({4})
)


def _numbered(events: Sequence[Marked]) -> list[Found]:
    return [Found(position=number, event=event) for number, event in enumerate(events, 1)]


def _drop(batch: int) -> Callable[[list[Found]], list[Found]]:
    def without(log: list[Found]) -> list[Found]:
        return _numbered([found.event for found in log if found.event.mark != batch])

    return without


def _double(log: list[Found]) -> list[Found]:
    return _numbered([*(found.event for found in log), log[2].event])


def _tear(log: list[Found]) -> list[Found]:
    events = [found.event for found in log]
    return _numbered([events[0], events[2], events[1], *events[3:]])


def _halve(log: list[Found]) -> list[Found]:
    return log[:-1]


def _swap(log: list[Found]) -> list[Found]:
    events = [found.event for found in log]
    return _numbered([*events[3:], events[2], *events[:2]])


def _gap(log: list[Found]) -> list[Found]:
    return [msgspec.structs.replace(f, position=f.position + 1) for f in log]


def _as(log: list[Found], mark: int) -> list[Found]:
    """The single event under another mark."""
    other = msgspec.structs.replace(log[2].event, mark=mark)
    return [*log[:2], Found(position=3, event=other), *log[3:]]


def _older(log: list[Found]) -> list[Found]:
    other = msgspec.structs.replace(log[4].event, writer=0)
    return [*log[:4], Found(position=5, event=other)]


def test_judge_of_a_sound_log_finds_nothing() -> None:
    """Unanswered batches may be there (2) or not (5); refused ones are not (4)."""
    assert [] == judge(_log(), TOLD, [1, 2, 3, 4, 5])
    assert [] == judge([], Told(tried=frozenset(), kept={}, refused=frozenset()), [])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_drop(1), "batch 1: acknowledged at (1, 2), and lost"),
        (_drop(2), "batch 3: acknowledged at (4, 5), and found at (3, 4)"),
        (_double, "batch 2: parts [0, 0] of 1"),
        (_tear, "batch 1: torn over [1, 3]"),
        (_halve, "batch 3: parts [0] of 2"),
        (_swap, "batch 1 is out of order"),
        (_gap, "position 1: 2 stands there"),
        (lambda log: _as(log, 4), "batch 4: refused, and found at [3]"),
        (lambda log: _as(log, 6), "batch 6: found at [3], and nobody tried it"),
        (_older, "position 5: of writer 0, after 1"),
    ],
    ids=[
        "lost",
        "moved",
        "doubled",
        "torn",
        "halved",
        "swapped",
        "gap",
        "refused",
        "untried",
        "older",
    ],
)
def test_judge_finds_each_fault(harm: Callable[[list[Found]], list[Found]], said: str) -> None:
    """A judge that can't convict proves nothing."""
    log = harm(_log())
    faults = judge(log, TOLD, [found.position for found in log])

    assert [fault for fault in faults if said in fault], faults


@pytest.mark.parametrize("followed", [[1, 2, 3, 4], [1, 2, 2, 3, 4, 5], [1, 3, 2, 4, 5]])
def test_judge_finds_a_follower_that_missed_or_saw_twice(followed: list[int]) -> None:
    """Who follows through all the kills sees each event once, in order."""
    (fault,) = judge(_log(), TOLD, followed)

    assert f"a follower saw {len(followed)} events of 5" in fault
