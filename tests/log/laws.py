"""The laws of the event log, once, for every keeper of it (test_laws.py names them).

Over 400 lines: it is one suite, and is read as a list.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import anyio
import pytest

from kcjl.errors import Conflict, CorruptLog, Fenced, Misuse
from kcjl.log.drafting import EVENT_BYTES_MAX
from kcjl.log.port import Log, Recorded
from kcjl.log.verify import BrokenChain, verify
from kcjl.vocabulary import Event
from tests.log.keepers import (
    MORNING,
    VOCABULARY,
    Counted,
    Keeper,
    SetClock,
    all_events,
    counted,
    noted,
    units_of,
)

ODD_TEXT = 'naïve “£” 日本語 🧦 עברית e\u0301 \u2028 \u0000 \t\n "quoted" \\ /'


class Unlisted(Event, frozen=True, kw_only=True):
    """An event that no vocabulary knows."""

    @property
    def stream(self) -> str:
        return "unlisted"


class LogLaws:
    """Ask for `keeper` in a subclass."""

    async def test_append_positions_are_one_two_three_in_order(self, keeper: Keeper) -> None:
        """Positions have no gap, and the order of commits is the order of positions."""
        async with keeper.writer() as log:
            first = await log.append([counted("A", 1), counted("B", 2)])
            second = await log.append([counted("A", 3)])

        stored = await all_events(keeper.reader())

        assert [1, 2, 3] == [event.position for event in stored]
        assert [*first, *second] == stored

    async def test_append_revisions_count_each_stream_alone(self, keeper: Keeper) -> None:
        """A revision is an event's number within its stream, over appends and writers."""
        async with keeper.writer() as log:
            await log.append([counted("A", 1), counted("B", 1), counted("A", 2)])
        async with keeper.writer() as log:
            await log.append([counted("B", 2), counted("A", 3)])

        stored = await all_events(keeper.reader())
        stream = await keeper.reader().read_stream("stock-A")

        numbers = [(event.stream, event.revision) for event in stored]
        assert [
            ("stock-A", 1),
            ("stock-B", 1),
            ("stock-A", 2),
            ("stock-B", 2),
            ("stock-A", 3),
        ] == numbers
        assert [1, 3, 5] == [event.position for event in stream]

    async def test_streams_are_read_together_in_order_of_position(self, keeper: Keeper) -> None:
        """What was let go of is read again: all of it, and nothing else."""
        async with keeper.writer() as log:
            await log.append([counted("A", 1), counted("B", 1), counted("C", 1)])
            await log.append([counted("B", 2), counted("A", 2), counted("C", 2)])
            there = await log.read_streams(["stock-A", "stock-NONE", "stock-B"])

        stored = await all_events(keeper.reader())
        assert [stored[at] for at in (0, 1, 3, 4)] == list(there)
        assert there == await keeper.reader().read_streams(["stock-B", "stock-A"])
        assert not await keeper.reader().read_streams([])

    async def test_append_nothing_returns_nothing(self, keeper: Keeper) -> None:
        """An append of no events is no event, but its expectation is still checked."""
        async with keeper.writer() as log:
            assert not await log.append([], expected={"stock-A": 0})
            with pytest.raises(Conflict):
                await log.append([], expected={"stock-A": 1})

        assert 0 == (await keeper.reader().head()).position

    async def test_append_head_is_the_last_event(self, keeper: Keeper) -> None:
        """The head names the last position and its hash, in memory and in the store."""
        async with keeper.writer() as log:
            events = await log.append([counted("A", 1), counted("A", 2)])
            heads = [await log.head(), await keeper.reader().head()]

        assert [(2, events[-1].hash)] * 2 == [(head.position, head.hash) for head in heads]

    async def test_append_stale_expectation_writes_nothing(self, keeper: Keeper) -> None:
        """Whoever decided on an old state is told so, and nothing of theirs is written."""
        async with keeper.writer() as log:
            await log.append([counted("A", 1)], expected={"stock-A": 0})
            with pytest.raises(Conflict) as caught:
                await log.append([counted("B", 1), counted("A", 2)], expected={"stock-A": 0})
            await log.append([counted("A", 2)], expected={"stock-A": 1})

        conflict = caught.value
        assert ("stock-A", 0, 1) == (conflict.stream, conflict.expected, conflict.actual)
        assert ["stock-A", "stock-A"] == [e.stream for e in await all_events(keeper.reader())]

    async def test_append_conflict_in_a_crowd_hurts_nobody_else(self, keeper: Keeper) -> None:
        """Of many that race for one stream one wins; the others' neighbours are not hurt."""
        won: list[int] = []
        lost: list[int] = []

        async def race(log: Log, runner: int) -> None:
            try:
                await log.append([counted("A", runner)], expected={"stock-A": 0})
                won.append(runner)
            except Conflict:
                lost.append(runner)

        async def stroll(log: Log, walker: int) -> None:
            await log.append([counted(f"W{walker}", walker)])

        async with keeper.writer() as log, anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(race, log, number)
                group.start_soon(stroll, log, number)
        stored = await all_events(keeper.reader())

        assert (1, 39) == (len(won), len(lost))
        assert 41 == len(stored)
        assert won == [units_of(event) for event in stored if event.stream == "stock-A"]

    async def test_append_by_many_at_once_loses_and_doubles_nothing(
        self, keeper: Keeper
    ) -> None:
        """200 appenders share commits: each append is there once, whole, and in one piece."""
        answers: list[Sequence[Recorded]] = []

        async def appender(log: Log, number: int) -> None:
            for round_ in range(5):
                drafts = [counted(f"S{number}", round_), counted("SHARED", number)]
                answers.append(await log.append(drafts))

        async with keeper.writer() as log, anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(appender, log, number)
        stored = await all_events(keeper.reader())

        assert list(range(1, 2001)) == [event.position for event in stored]
        assert stored == sorted((e for a in answers for e in a), key=lambda e: e.position)
        assert all(answer[1].position == answer[0].position + 1 for answer in answers)
        assert 2000 == (await verify(keeper.reader())).events

    async def test_append_keeps_two_clocks(self, keeper: Keeper) -> None:
        """When it was true outside, and when we learnt it, to the microsecond, in UTC."""
        clock = SetClock(MORNING)
        async with keeper.writer(clock) as log:
            clock.forward(3600.000001)
            await log.append([counted("A", 1)])

        (event,) = await all_events(keeper.reader())

        assert MORNING == event.occurred_at
        assert clock.at == event.recorded_at
        assert timedelta(0) == event.recorded_at.utcoffset()

    async def test_append_recording_time_never_goes_back(self, keeper: Keeper) -> None:
        """A clock that is set back does not put an event before its forerunner."""
        clock = SetClock(MORNING)
        async with keeper.writer(clock) as log:
            await log.append([counted("A", 1)])
            clock.forward(-60)
            await log.append([counted("A", 2)])
        async with keeper.writer(SetClock(clock.at)) as log:
            await log.append([counted("A", 3)])

        assert [MORNING] * 3 == [e.recorded_at for e in await all_events(keeper.reader())]

    async def test_append_any_text_is_kept_byte_for_byte(self, keeper: Keeper) -> None:
        """What is hashed is what is stored is what is read, in every script."""
        async with keeper.writer() as log:
            (written,) = await log.append([noted(ODD_TEXT.replace("\0", ""), ODD_TEXT)])

        (event,) = await all_events(keeper.reader())

        assert VOCABULARY.encode(written.event) == event.data
        assert written == event
        assert 1 == (await verify(keeper.reader())).events

    async def test_append_text_with_the_log_s_own_separators_is_kept(
        self, keeper: Keeper
    ) -> None:
        """A name may not hold them, a payload may: no event ends early by what it says."""
        texts = ["\x1e", "\x1f", "a\x1eb\x1fc\x1e", "\x1f\x1f\x1e\x1e"]
        async with keeper.writer() as log:
            written = await log.append([noted("x", text) for text in texts])

        stored = await all_events(keeper.reader())

        assert [*written] == stored
        assert texts == [getattr(event.event, "text", "") for event in stored]
        assert 4 == (await verify(keeper.reader())).events

    @pytest.mark.parametrize("year", [1900, 1969, 2000, 2254, 2255, 9998])
    async def test_append_a_time_of_any_year_is_kept_to_the_microsecond(
        self, keeper: Keeper, year: int
    ) -> None:
        """However far away, no time is rounded."""
        at = MORNING.replace(year=year, month=12, day=31, hour=23, microsecond=999_999)
        draft = counted("A", 1)
        event = Counted(occurred_at=at, sku="A", units=1)
        async with keeper.writer() as log:
            await log.append([type(draft)(event=event, by="x", correlation_id="y")])

        (stored,) = await all_events(keeper.reader())

        assert at == stored.occurred_at
        assert 1 == (await verify(keeper.reader())).events

    @pytest.mark.parametrize(
        "draft",
        [
            noted("a\0b", "zero byte in a key"),
            noted("a\x1eb", "the log's own separator"),
            noted("a\x1fb", "the log's own separator"),
            noted("\ud800", "half a character"),
            noted("x", "half a character: \ud800"),
            noted("x" * 501, "key too long"),
            noted("x", "y" * EVENT_BYTES_MAX),
            counted("A", 1, causation=0),
            counted("A", 1, causation=2**63),
        ],
        ids=[
            "zero",
            "end",
            "unit",
            "half-key",
            "half-text",
            "long-key",
            "large",
            "no-cause",
            "far-cause",
        ],
    )
    async def test_append_what_can_not_be_kept_is_refused_alone(
        self, keeper: Keeper, draft: object
    ) -> None:
        """A bad event is its author's trouble, not that of those who share the commit."""
        refused: list[Misuse] = []

        async def careless(log: Log) -> None:
            try:
                await log.append([counted("B", 1), draft])  # type: ignore[list-item]
            except Misuse as error:
                refused.append(error)

        async def careful(log: Log, number: int) -> None:
            await log.append([counted("C", number)])

        async with keeper.writer() as log, anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(careful, log, number)
                group.start_soon(careless, log)
        stored = await all_events(keeper.reader())

        assert 5 == len(refused)
        assert ["stock-C"] * 5 == [event.stream for event in stored]

    async def test_append_an_unlisted_event_is_refused(self, keeper: Keeper) -> None:
        """What could not be read again is not written."""
        async with keeper.writer() as log:
            draft = counted("A", 1)
            with pytest.raises(Misuse, match="no vocabulary"):
                await log.append(
                    [
                        type(draft)(
                            event=Unlisted(occurred_at=MORNING), by="x", correlation_id="y"
                        )
                    ]
                )

    async def test_append_a_time_without_a_zone_is_refused(self, keeper: Keeper) -> None:
        """A time that could mean several moments is not written."""
        draft = counted("A", 1)
        naive = Counted(occurred_at=MORNING.replace(tzinfo=None), sku="A", units=1)
        async with keeper.writer() as log:
            with pytest.raises(Misuse, match="no time zone"):
                await log.append([type(draft)(event=naive, by="x", correlation_id="y")])

    async def test_append_by_a_fenced_writer_fails_whole(self, keeper: Keeper) -> None:
        """Whoever lost the log to another process writes nothing more, and learns it."""
        async with keeper.writer() as old:
            await old.append([counted("A", 1)])
            async with keeper.writer() as new:
                for _ in range(2):
                    with pytest.raises(Fenced):
                        await old.append([counted("A", 2), counted("B", 1)])
                await new.append([counted("A", 3)])

        stored = await all_events(keeper.reader())

        assert [1, 3] == [units_of(event) for event in stored]

    async def test_merchants_do_not_see_each_other(self, keeper: Keeper) -> None:
        """Each merchant has a log, positions, streams and a chain of its own."""
        async with keeper.writer() as ours, keeper.writer(merchant="other") as theirs:
            (mine,) = await ours.append([counted("A", 1)])
            (yours,) = await theirs.append([counted("A", 1)], expected={"stock-A": 0})

        assert (1, 1) == (mine.position, yours.position)
        assert mine.hash != yours.hash
        assert [yours] == await all_events(keeper.reader("other"))

    async def test_read_gives_the_asked_range(self, keeper: Keeper) -> None:
        """After a position, up to a position, and never past the end."""
        async with keeper.writer() as log:
            await log.append([counted("A", number) for number in range(10)])
            for reader in (log, keeper.reader()):
                for after, to, wanted in [(0, 3, 3), (3, 7, 4), (7, 99, 3), (10, None, 0)]:
                    pages = [e async for page in reader.read(after, to=to) for e in page]

                    assert list(range(after + 1, after + wanted + 1)) == [
                        event.position for event in pages
                    ]

    async def test_follow_misses_nothing_while_others_append(self, keeper: Keeper) -> None:
        """Who follows sees each event once and in order: from memory, and from outside."""
        total = 8 * 40

        async def appender(log: Log, number: int) -> None:
            for round_ in range(40):
                await log.append([counted(f"S{number}", round_)])

        with anyio.fail_after(30):
            async with keeper.writer() as log, anyio.create_task_group() as group:
                seen = [_Seen(log.follow(), total), _Seen(keeper.reader().follow(), total)]
                for each in seen:
                    group.start_soon(each.watch)
                for number in range(8):
                    group.start_soon(appender, log, number)

        assert [list(range(1, total + 1))] * 2 == [each.positions for each in seen]

    async def test_follow_from_the_middle_begins_there(self, keeper: Keeper) -> None:
        """A follower that was away goes on where it was."""
        async with keeper.writer() as log:
            await log.append([counted("A", number) for number in range(5)])
            seen = [_Seen(log.follow(3), 2), _Seen(keeper.reader().follow(3), 2)]
            for each in seen:
                await each.watch()

        assert [[4, 5], [4, 5]] == [each.positions for each in seen]

    async def test_verify_a_sound_log_names_its_head(self, keeper: Keeper) -> None:
        """The chain can be computed again from the rows, in whole or in part."""
        async with keeper.writer() as log:
            events = await log.append([counted(f"S{n % 3}", n) for n in range(10)])
        reached: list[int] = []

        whole = await verify(keeper.reader(), progress=reached.append)
        part = await verify(keeper.reader(), after=4, to=7)

        assert (10, events[-1].hash, 10) == (whole.position, whole.hash, whole.events)
        assert (7, events[6].hash, 3) == (part.position, part.hash, part.events)
        assert [10] == reached

    async def test_verify_an_empty_log_is_sound(self, keeper: Keeper) -> None:
        """Nothing was written, and that is proved too."""
        assert 0 == (await verify(keeper.reader())).events

    async def test_verify_finds_an_edited_byte(self, keeper: Keeper) -> None:
        """A figure that was changed afterwards is found, where it is."""
        async with keeper.writer() as log:
            await log.append([counted("A", 100 + number) for number in range(10)])
        await keeper.edit(6, old="105", new="106")

        with pytest.raises(BrokenChain) as caught:
            await verify(keeper.reader())

        assert 6 == caught.value.position

    async def test_verify_finds_a_removed_tail(self, keeper: Keeper) -> None:
        """The last event can't vanish while the head names it."""
        async with keeper.writer() as log:
            await log.append([counted("A", number) for number in range(10)])
        await keeper.remove(10)

        with pytest.raises(BrokenChain) as caught:
            await verify(keeper.reader())

        assert 10 == caught.value.position

    async def test_verify_finds_a_removed_event(self, keeper: Keeper) -> None:
        """An event in the middle can't vanish."""
        async with keeper.writer() as log:
            await log.append([counted("A", number) for number in range(10)])
        await keeper.remove(4)

        with pytest.raises(BrokenChain) as caught:
            await verify(keeper.reader())

        assert 4 == caught.value.position

    async def test_verify_finds_swapped_events(self, keeper: Keeper) -> None:
        """History can't be put in another order."""
        async with keeper.writer() as log:
            await log.append([counted(f"S{number}", number) for number in range(10)])
        await keeper.swap(3, 7)

        with pytest.raises(BrokenChain) as caught:
            await verify(keeper.reader())

        assert 3 == caught.value.position

    async def test_verify_finds_an_event_after_the_head(self, keeper: Keeper) -> None:
        """An event that went round the writer is found."""
        async with keeper.writer() as log:
            await log.append([counted("A", number) for number in range(10)])
        await keeper.duplicate(3, at=11)

        with pytest.raises(BrokenChain) as caught:
            await verify(keeper.reader())

        assert 11 == caught.value.position

    async def test_verify_a_range_outside_the_log_is_refused(self, keeper: Keeper) -> None:
        """A proof of nothing is not given."""
        async with keeper.writer() as log:
            await log.append([counted("A", 1)])

        with pytest.raises(Misuse, match="range"):
            await verify(keeper.reader(), to=2)

    async def test_body_of_an_open_log_raises_its_own_error(self, keeper: Keeper) -> None:
        """What goes wrong around the log is seen as it is, not wrapped."""

        async def stumble() -> None:
            async with keeper.writer() as log:
                await log.append([counted("A", 1)])
                raise CorruptLog("of the caller")

        with pytest.raises(CorruptLog, match="of the caller"):
            await stumble()

        assert 1 == (await keeper.reader().head()).position


class _Seen:
    """A follower, until it has seen so many events."""

    def __init__(self, pages: AsyncIterator[Sequence[Recorded]], enough: int) -> None:
        self.positions: list[int] = []
        self._pages = pages
        self._enough = enough

    async def watch(self) -> None:
        async for page in self._pages:
            self.positions.extend(event.position for event in page)
            if len(self.positions) >= self._enough:
                break
        await self._pages.aclose()  # type: ignore[attr-defined]
