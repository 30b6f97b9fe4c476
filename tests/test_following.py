"""One reader of the log's end for several rooms: what each hears, and who fails alone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest

from kcjl.errors import Unavailable
from kcjl.following import Following
from kcjl.log.memory import MemoryLog
from kcjl.log.port import Draft, Recorded
from tests.test_actors import Bench, Place, buffer, held_back

pytestmark = pytest.mark.anyio


class Brittle(Bench):
    """A room that fails at a position, as often as it meets it while it is told to."""

    fails_at = 0

    def _apply(self, page: Sequence[Recorded]) -> None:
        if any(each.position == self.fails_at for each in page):
            raise ZeroDivisionError(f"position {self.fails_at}")
        super()._apply(page)


@asynccontextmanager
async def following(log: MemoryLog, *rooms: Bench) -> AsyncIterator[Following]:
    """One reader, and these rooms listening to it."""
    one = Following(log, 0)
    async with anyio.create_task_group() as group:
        group.start_soon(one.run)
        for room in rooms:
            group.start_soon(one.listen, room)
        yield one
        group.cancel_scope.cancel()


async def say(place: Place, *units: int) -> None:
    """Append, by nobody's room."""
    await place.log().append(
        [Draft(event=buffer(each), by="t", correlation_id="c") for each in units]
    )
    await place.clock.settle()


async def test_rooms_that_listen_hear_what_comes() -> None:
    """Each page reaches every room, in order."""
    place = Place()
    rooms = [place.bench(), place.bench()]
    async with following(place.log(), *rooms):
        await say(place, 1)
        await say(place, 2, 3)

        assert [3, 3] == [room.applied for room in rooms]
        assert [3, 3] == [held_back(room.policy["policy"]) for room in rooms]


async def test_room_that_begins_to_listen_late_has_missed_nothing() -> None:
    """What was said before it listened it reads from the log."""
    place = Place()
    late = place.bench()
    async with following(place.log(), place.bench()) as one:
        await say(place, 1)
        async with anyio.create_task_group() as group:
            group.start_soon(one.listen, late)
            await say(place, 2)

            assert 2 == late.applied
            group.cancel_scope.cancel()


async def test_page_beyond_what_a_room_has_folded_is_read_from_the_log() -> None:
    """A room never skips a position, whatever page it is told first."""
    place = Place()
    room = place.bench()
    await say(place, 1)
    await say(place, 2)
    pages = [page async for page in place.log().read(1)]

    await room.fold(pages[0])

    assert 2 == room.applied
    assert 2 == held_back(room.policy["policy"])


async def test_room_that_fails_is_told_so_and_the_others_go_on() -> None:
    """Its own failure comes to it alone; when it listens again it hears again."""
    place = Place()
    brittle, sound = Brittle(place.log(), place.clock), place.bench()
    brittle.fails_at = 2
    async with following(place.log(), sound) as one:

        async def listening() -> None:
            with pytest.raises(ZeroDivisionError, match="position 2"):
                await one.listen(brittle)
            brittle.fails_at = 0
            await one.listen(brittle)

        async with anyio.create_task_group() as group:
            group.start_soon(listening)
            await say(place, 1)
            await say(place, 2)
            await say(place, 3)

            assert [3, 3] == [sound.applied, brittle.applied]
            group.cancel_scope.cancel()


async def test_log_that_is_closed_is_unavailable_to_who_follows() -> None:
    """The end of the log's reading is no silence: whoever supervises it begins anew."""

    class Closed(MemoryLog):
        """Nothing more comes."""

        async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Recorded]]:
            async for page in self.read(after):
                yield page

    place = Place()
    await say(place, 1)
    log = Closed(place.store, "acme", place.log()._vocabulary, place.clock, 0)

    with pytest.raises(Unavailable, match="closed"):
        await Following(log, 0).run()
