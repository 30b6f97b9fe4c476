"""Fetching ahead: order, trouble in its turn, and one portion at most."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
import pytest

from kcjl.errors import CorruptLog, Unavailable
from kcjl.log.ahead import Ahead

pytestmark = pytest.mark.anyio


class _Source:
    """Portions 1, 2, 3; it can break before one of them, or stand still."""

    def __init__(self, *, breaks_before: int = 0, stands_before: int = 0) -> None:
        self.fetched: list[int] = []
        self._breaks_before = breaks_before
        self._stands_before = stands_before

    async def portions(self) -> AsyncGenerator[int, None]:
        for number in (1, 2, 3):
            if number == self._breaks_before:
                raise Unavailable("the server is gone")
            if number == self._stands_before:
                await anyio.sleep_forever()
            self.fetched.append(number)
            yield number


async def test_ahead_works_on_each_portion_in_order_one_ahead() -> None:
    """While a portion is worked on the next one has been fetched, and no other."""
    source = _Source()
    seen: list[tuple[int, list[int]]] = []
    async with aclosing(source.portions()) as portions:
        ahead = Ahead(portions)
        while await ahead.more():
            seen.append(await ahead.work(lambda number: (number, source.fetched.copy())))

    assert [(1, [1, 2]), (2, [1, 2, 3]), (3, [1, 2, 3])] == seen


@pytest.mark.parametrize("breaks_before", [1, 2, 3])
async def test_ahead_raises_trouble_after_the_portions_before_it(breaks_before: int) -> None:
    """What was fetched in time is worked on first; then the trouble, and not as a group."""
    seen: list[int] = []
    async with aclosing(_Source(breaks_before=breaks_before).portions()) as portions:
        with pytest.raises(Unavailable, match="the server is gone"):
            await _work_through(Ahead(portions), seen)

    assert [*range(1, breaks_before)] == seen


async def _work_through(ahead: Ahead[int], seen: list[int]) -> None:
    while await ahead.more():
        seen.append(await ahead.work(lambda number: number))


async def test_ahead_work_that_fails_waits_for_nothing() -> None:
    """A reader that must stop does so, though the next portion never comes."""

    def stumble(number: int) -> int:
        raise CorruptLog(f"portion {number} can't be read")

    async with aclosing(_Source(stands_before=2).portions()) as portions:
        ahead = Ahead(portions)
        assert await ahead.more()
        with pytest.raises(CorruptLog, match="portion 1"):
            await ahead.work(stumble)
