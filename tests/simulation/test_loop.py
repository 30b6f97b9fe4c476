"""The loop under the simulation: virtual time, chance out of the seed, nothing real."""

import asyncio
import os
import random
import socket
import threading
import time
import uuid
from contextlib import suppress

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import kcjl.clock
from kcjl.clock import RandomIds, RealClock, real_monotonic, real_now
from tests.simulation.loop import Stuck, Touched, VirtualLoop, guard, run


async def _order() -> list[int]:
    """Twelve tasks that are ready together, again and again."""
    turns: list[int] = []

    async def turn(number: int) -> None:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
            turns.append(number)

    async with anyio.create_task_group() as group:
        for number in range(12):
            group.start_soon(turn, number)
    return turns


def test_time_goes_on_only_when_nothing_is_ready() -> None:
    """A year of waiting takes as long as the work in it: none."""

    async def main() -> tuple[float, float]:
        began = real_monotonic()
        await RealClock().sleep(365 * 86_400)
        return real_monotonic() - began, asyncio.get_running_loop().time()

    assert (365 * 86_400, 365 * 86_400) == run(main, seed=1)


def test_deadline_is_counted_in_virtual_time() -> None:
    """What the service calls a deadline ends a wait that is longer than it."""

    async def main() -> float:
        with pytest.raises(TimeoutError), RealClock().deadline(30):
            await RealClock().sleep(60)
        return real_monotonic()

    assert 30 == run(main, seed=1)


def test_the_same_seed_gives_the_same_order() -> None:
    """Who goes first is the seed's."""
    assert run(_order, seed=7) == run(_order, seed=7)


def test_other_seeds_give_other_orders() -> None:
    """Otherwise a thousand seeds would try one order a thousand times."""
    assert 10 == len({tuple(run(_order, seed=seed)) for seed in range(10)})


def test_without_a_seed_the_order_is_asyncios() -> None:
    """So that a failure can be told from one that only an odd order shows."""
    assert [*range(12)] * 3 == run(_order, seed=None)


def test_calls_that_are_no_steps_of_tasks_keep_their_order() -> None:
    """Asyncio promises that what is called soon is called in order."""

    async def main() -> list[int]:
        called: list[int] = []
        for number in range(50):
            asyncio.get_running_loop().call_soon(called.append, number)
        await anyio.lowlevel.checkpoint()
        return called

    assert [*range(50)] == run(main, seed=3)


def test_cancelling_a_group_is_the_same_each_time() -> None:
    """Anyio keeps tasks in a set: its order is one of addresses, and is not ours."""

    async def main() -> list[int]:
        ended: list[int] = []

        async def wait(number: int) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ended.append(number)

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(wait, number)
            await anyio.sleep(1)
            group.cancel_scope.cancel()
        return ended

    first = run(main, seed=5)

    assert [*range(20)] != first
    assert all(first == run(main, seed=5) for _ in range(5))


def test_work_for_a_thread_runs_in_its_turn() -> None:
    """There is one thread, and what would be given to another one is still done."""

    async def main() -> tuple[int, int]:
        return await anyio.to_thread.run_sync(threading.get_ident), threading.get_ident()

    there, here = run(main, seed=1)

    assert here == there


@pytest.mark.parametrize(
    ("owner", "name", "arguments"),
    [
        (kcjl.clock, "real_now", ()),
        (RandomIds(), "new", ()),
        (time, "time", ()),
        (time, "sleep", (1,)),
        (uuid, "uuid4", ()),
        (random, "random", ()),
        (random, "choice", ([1, 2],)),
        (os, "urandom", (8,)),
        (socket, "socket", ()),
        (threading.Thread(), "start", ()),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_whoever_touches_something_real_fails_the_run(
    owner: object, name: str, arguments: tuple[object, ...]
) -> None:
    """Also when the refusal is swallowed, as a room's outermost loop would."""

    async def main() -> None:
        with suppress(Exception):
            getattr(owner, name)(*arguments)

    with pytest.raises(Touched):
        run(main, seed=1)


def test_after_a_run_everything_real_is_back() -> None:
    """A run hides the machine for as long as it lasts, and no longer."""
    before = (time.time, time.monotonic, random.random, os.urandom)
    loop = VirtualLoop(1)
    with pytest.raises(Stuck), guard(loop):
        raise Stuck
    loop.close()

    assert before == (time.time, time.monotonic, random.random, os.urandom)
    assert real_now().year >= 2026


def test_waiting_for_what_never_comes_ends_the_run() -> None:
    """Where the real loop would hang for ever."""
    with pytest.raises(Stuck, match="nothing is planned"):
        run(anyio.sleep_forever, seed=1)


def test_a_loop_without_waiting_ends_the_run() -> None:
    """A job that is due again at once, for ever, would burn a processor: it is found."""

    async def main() -> None:
        while True:
            await anyio.lowlevel.checkpoint()

    with pytest.raises(Stuck, match="turns at"):
        run(main, seed=1)


def test_an_alarm_comes_between_two_steps() -> None:
    """Deaths are put at any await: after so many steps, wherever they are."""

    async def main() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.after_steps(3, lambda: seen.append("alarm"))
        for _ in range(3):
            seen.append("step")
            await asyncio.sleep(0)
        return seen

    assert ["step", "step", "step", "alarm"] == run(main, seed=1)
