"""The clocks themselves: the machine's, and a world's that is faster than life."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from kcjl.clock import Bell, RandomIds, RealClock, SeededIds, WorldClock, chance
from tests.clockwork import MORNING

pytestmark = pytest.mark.anyio

HANGS_S = 30.0


def test_world_clock_at_speed_0_stands_still() -> None:
    """However often it is asked, it is the same moment."""
    clock = WorldClock(MORNING, 0)

    assert [MORNING] * 3 == [clock.now() for _ in range(3)]


def test_world_clock_never_shows_a_time_before_its_anchor() -> None:
    """It runs forward from where the world said that it was, in aware UTC."""
    clock = WorldClock(MORNING, 3_600)
    seen = [clock.now() for _ in range(50)]

    assert seen == sorted(seen)
    assert MORNING <= seen[0]
    assert {timedelta(0)} == {each.utcoffset() for each in seen}


def test_world_clock_that_is_anchored_anew_is_there_at_once() -> None:
    """The world says where it is: ahead, behind, or standing."""
    clock = WorldClock(MORNING, 600)
    for moved in (timedelta(days=2), timedelta(days=-2)):
        clock.anchor(MORNING + moved, 0)

        assert MORNING + moved == clock.now()
        assert 0 == clock.speed


async def test_sleep_in_a_world_that_stands_still_ends_when_it_runs() -> None:
    """A schedule waits for world time, not for real time."""
    clock = WorldClock(MORNING, 0)
    woken: list[datetime] = []

    async def sleeper() -> None:
        await clock.sleep(3_600)
        woken.append(clock.now())

    with anyio.fail_after(HANGS_S):
        async with anyio.create_task_group() as group:
            group.start_soon(sleeper)
            await anyio.wait_all_tasks_blocked()
            clock.anchor(MORNING + timedelta(seconds=3_599), 0)
            await anyio.wait_all_tasks_blocked()
            asleep = not woken
            clock.anchor(MORNING + timedelta(seconds=3_599), 1_000)

    assert asleep
    assert MORNING + timedelta(hours=1) <= woken[0]


async def test_sleep_ends_when_the_world_leaps_over_its_end() -> None:
    """A leap while somebody sleeps: he is woken, and it is later than he asked for."""
    clock = WorldClock(MORNING, 1)
    with anyio.fail_after(HANGS_S):
        async with anyio.create_task_group() as group:
            group.start_soon(clock.sleep, 86_400)
            await anyio.wait_all_tasks_blocked()
            clock.anchor(MORNING + timedelta(days=2), 0)

    assert MORNING + timedelta(days=2) == clock.now()


async def test_sleep_of_nothing_ends_in_a_world_that_stands_still() -> None:
    """What is due now is not put off until the world runs."""
    with anyio.fail_after(HANGS_S):
        await WorldClock(MORNING, 0).sleep(0)
        await WorldClock(MORNING, 0).sleep(-5)
        await RealClock().sleep(0)


@pytest.mark.parametrize("clock", [RealClock(), WorldClock(MORNING, 0)])
async def test_deadline_is_of_real_time_also_where_the_world_stands_still(
    clock: RealClock,
) -> None:
    """A call that hangs is ended, whatever time it is in the world."""
    with pytest.raises(TimeoutError), clock.deadline(0.01):
        await anyio.sleep_forever()


def test_real_clock_shows_aware_utc() -> None:
    """No wall time of any place."""
    assert UTC == RealClock().now().tzinfo


def test_ids_from_a_seed_are_the_same_again_and_never_twice() -> None:
    """A run can be repeated; two seeds do not meet; ids are 32 hexadecimal digits."""
    first, again, other = SeededIds(7), SeededIds(7), SeededIds(8)
    ids = [first.new() for _ in range(200)]

    assert [again.new() for _ in range(200)] == ids
    assert 400 == len({*ids, *(other.new() for _ in range(200))})
    for each in (*ids, RandomIds().new()):
        assert 32 == len(each)
        assert 0 <= int(each, 16)


def test_chance_of_a_seed_is_shared_with_nobody() -> None:
    """Two who ask the same seed do not disturb each other."""
    one, two = chance("a world"), chance("a world")
    drawn = [one.random() for _ in range(5)]

    assert drawn == [two.random() for _ in range(5)]
    assert drawn != [chance("another").random() for _ in range(5)]


@pytest.mark.parametrize("clock", [RealClock(), WorldClock(MORNING, 0)], ids=["real", "world"])
async def test_pause_ends_when_its_bell_rings(clock: RealClock) -> None:
    """Of an hour, or for ever where the world stands still: what has happened ends it."""
    bell = Bell()
    bell.ring()  # nobody waits yet: nobody has heard it
    with anyio.fail_after(HANGS_S):
        async with anyio.create_task_group() as group:
            group.start_soon(clock.pause, 3_600, bell)
            await anyio.wait_all_tasks_blocked()
            bell.ring()
            bell.ring()


async def test_bell_that_nobody_rings_is_not_heard() -> None:
    """The pause is over all the same; the next one can be rung for."""
    bell = Bell()
    heard = [await bell.heard_within(0)]
    async with anyio.create_task_group() as group:

        async def listen() -> None:
            heard.append(await bell.heard_within(HANGS_S))

        group.start_soon(listen)
        await anyio.wait_all_tasks_blocked()
        bell.ring()

    assert [False, True] == heard


async def test_bell_whose_waiter_was_cancelled_rings_for_the_next() -> None:
    """A process that ends leaves nobody waiting, and no timer for another."""
    bell = Bell()
    with anyio.move_on_after(0):
        await bell.heard_within(HANGS_S)
    bell.ring()

    assert not await bell.heard_within(0)
