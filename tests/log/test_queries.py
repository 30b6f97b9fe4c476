"""Parts of a log, by stream, position, type and time, both ways: on both keepers alike."""

import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest

from kcjl.clock import Clock
from kcjl.database import Database
from kcjl.errors import CorruptLog, Misuse
from kcjl.log import queries
from kcjl.log.chain import Entry
from kcjl.log.port import PAGE_EVENTS_MAX, Log, LogQueries, Recorded, Selection
from kcjl.log.queries import MemoryQueries, PostgresQueries
from kcjl.vocabulary import Vocabulary
from tests.log.keepers import (
    MERCHANT,
    MORNING,
    VOCABULARY,
    Admin,
    Counted,
    MemoryKeeper,
    PostgresKeeper,
    SetClock,
    counted,
    noted,
)

pytestmark = pytest.mark.anyio


def minutes(number: float) -> datetime:
    return MORNING + timedelta(minutes=number)


class Asked(Protocol):
    """A keeper whose log can be asked."""

    def writer(self, clock: Clock | None = None) -> AbstractAsyncContextManager[Log]: ...

    def queries(self, vocabulary: Vocabulary = VOCABULARY) -> LogQueries: ...

    async def remove(self, position: int) -> None: ...


class AskedMemory(MemoryKeeper):
    def queries(self, vocabulary: Vocabulary = VOCABULARY) -> LogQueries:
        return MemoryQueries(self.store, MERCHANT, vocabulary)


class AskedPostgres(PostgresKeeper):
    def queries(self, vocabulary: Vocabulary = VOCABULARY) -> LogQueries:
        return PostgresQueries(self.database, MERCHANT, vocabulary)


async def flat(pages: AsyncIterator[Sequence[Recorded]]) -> list[Recorded]:
    return [recorded async for page in pages for recorded in page]


async def written(asked: Asked) -> list[Recorded]:
    """40 events of two types on four streams, some of them recorded at one moment."""
    events: list[Recorded] = []
    clock = SetClock()
    async with asked.writer(clock) as log:
        for number in range(20):
            clock.forward(0 if number % 3 == 0 else 60)
            drafts = [counted("AB"[number % 2], number), counted("C", number)]
            if number % 4 == 0:
                drafts[0] = noted("day", str(number))
            events.extend(await log.append(drafts))
    return events


def expected(selection: Selection, events: Sequence[Recorded]) -> list[Recorded]:
    """By the definition, one condition after another."""
    found = [event for event in events if event.position > selection.after]
    if selection.to is not None:
        found = [event for event in found if event.position <= selection.to]
    if selection.stream is not None:
        found = [event for event in found if event.stream == selection.stream]
    if selection.types:
        found = [event for event in found if event.type in selection.types]
    if selection.since is not None:
        found = [event for event in found if event.recorded_at >= selection.since]
    if selection.until is not None:
        found = [event for event in found if event.recorded_at < selection.until]
    return found[::-1] if selection.backward else found


class QueryLaws:
    """Ask for `asked` in a subclass."""

    async def test_select_gives_what_matches_in_order(
        self, asked: Asked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every combination of what can be asked, against the definition."""
        monkeypatch.setattr(queries, "SCAN_EVENTS_MAX", 7)
        events = await written(asked)
        wrong: list[Selection] = []

        for stream, types, (after, to), (since, until), backward, page in itertools.product(
            (None, "stock-C", "note-day", "stock-NONE"),
            ((), ("Noted",), ("Counted", "Noted"), ("Sunk",)),
            ((0, None), (11, 30), (39, 99), (40, None), (20, 10)),
            (
                (None, None),
                (minutes(3), None),
                (None, minutes(3)),
                (minutes(2.5), minutes(9)),
                (minutes(-5), minutes(99)),
                (minutes(9), minutes(2)),
            ),
            (False, True),
            (3, PAGE_EVENTS_MAX),
        ):
            selection = Selection(
                stream=stream,
                types=types,
                after=after,
                to=to,
                since=since,
                until=until,
                backward=backward,
                page=page,
            )
            if expected(selection, events) != await flat(asked.queries().select(selection)):
                wrong.append(selection)

        assert 40 == len(events)
        assert [] == wrong

    @pytest.mark.parametrize("backward", [False, True])
    async def test_select_pages_are_bounded_and_never_empty(
        self, asked: Asked, monkeypatch: pytest.MonkeyPatch, *, backward: bool
    ) -> None:
        """A page has at most as many events as were asked for, and at least one."""
        monkeypatch.setattr(queries, "SCAN_EVENTS_MAX", 7)
        await written(asked)
        for types in ((), ("Noted",), ("Counted",)):
            selection = Selection(types=types, backward=backward, page=4)
            sizes = [len(page) async for page in asked.queries().select(selection)]

            assert all(1 <= size <= 4 for size in sizes)
            assert len(sizes) > 1

    async def test_select_ends_at_the_head_where_it_began(self, asked: Asked) -> None:
        """What is appended meanwhile is not in it: it ends, however busy the log is."""
        async with asked.writer() as log:
            await log.append([counted("A", number) for number in range(10)])
            seen: list[int] = []
            async for page in asked.queries().select(Selection(page=2)):
                seen.extend(event.position for event in page)
                await log.append([counted("A", 99)])

        assert list(range(1, 11)) == seen

    async def test_select_of_an_empty_log_is_empty(self, asked: Asked) -> None:
        """Nothing was recorded, at no time."""
        for selection in (Selection(), Selection(since=MORNING), Selection(stream="x")):
            assert [] == await flat(asked.queries().select(selection))

    async def test_select_stops_at_an_event_that_is_not_known(self, asked: Asked) -> None:
        """It is never left out: position, type and schema are named, and the next step."""
        await written(asked)
        counts_only = asked.queries(Vocabulary([Counted]))

        with pytest.raises(CorruptLog, match=r"acme, position 1: event Noted of schema 1 is"):
            await flat(counts_only.select(Selection()))
        with pytest.raises(CorruptLog, match=r"position 33: event Noted of schema 1 is not"):
            await flat(counts_only.select(Selection(backward=True, page=1)))

        assert 35 == len(await flat(counts_only.select(Selection(types=("Counted",)))))

    async def test_entries_show_what_is_not_known(self, asked: Asked) -> None:
        """As they are stored: an older version can still show them."""
        events = await written(asked)
        entries: list[Entry] = []
        async for page in asked.queries(Vocabulary([])).entries(Selection()):
            entries.extend(page)

        assert [(event.hash, event.data) for event in events] == [
            (entry.hash, entry.data) for entry in entries
        ]

    @pytest.mark.parametrize("backward", [False, True])
    async def test_select_a_missing_event_is_never_skipped(
        self, asked: Asked, *, backward: bool
    ) -> None:
        """By position and by stream, a gap stops the reader, and is named."""
        async with asked.writer() as log:
            await log.append([counted("A", number) for number in range(9)])
        await asked.remove(5)

        with pytest.raises(CorruptLog, match=r"no event at position 5"):
            await flat(asked.queries().select(Selection(backward=backward)))
        with pytest.raises(CorruptLog, match=r"(no event at revision 5|lacks an event)"):
            await flat(asked.queries().select(Selection(stream="stock-A", backward=backward)))

    async def test_position_at_is_the_head_of_that_moment(self, asked: Asked) -> None:
        """What did we know then: everything that was recorded at or before it."""
        assert 0 == await asked.queries().position_at(MORNING)
        events = await written(asked)
        moments = [minutes(number / 4) for number in range(-4, 80)]
        moments += [event.recorded_at for event in events]

        for moment in moments:
            known = [event.position for event in events if event.recorded_at <= moment]

            assert max(known, default=0) == await asked.queries().position_at(moment)
        with pytest.raises(Misuse, match="no time zone"):
            await asked.queries().position_at(MORNING.replace(tzinfo=None))

    @pytest.mark.parametrize(
        "selection",
        [
            Selection(page=0),
            Selection(page=PAGE_EVENTS_MAX + 1),
            Selection(after=-1),
            Selection(since=MORNING.replace(tzinfo=None)),
            Selection(until=MORNING.replace(tzinfo=None)),
        ],
    )
    async def test_select_nonsense_is_refused(self, asked: Asked, selection: Selection) -> None:
        """A page has a bound, and a time a zone."""
        with pytest.raises(Misuse):
            await flat(asked.queries().select(selection))


class TestMemory(QueryLaws):
    """The twin."""

    @pytest.fixture
    def asked(self) -> AskedMemory:
        return AskedMemory()


class TestPostgres(QueryLaws):
    """The real one."""

    @pytest.fixture
    def asked(self, database_dsn: str, database: Database) -> AskedPostgres:
        return AskedPostgres(database_dsn, database)


@pytest.mark.parametrize("statistics", ["select 1", "analyze event"])
async def test_select_looks_at_no_more_than_a_scan(
    database_dsn: str,
    database: Database,
    admin: Admin,
    monkeypatch: pytest.MonkeyPatch,
    statistics: str,
) -> None:
    """A part of a long log costs a part, also before the table's first "analyze"."""
    monkeypatch.setattr(queries, "SCAN_EVENTS_MAX", 1_000)
    asked = AskedPostgres(database_dsn, database)
    clock = SetClock()
    async with asked.writer(clock) as log:
        for number in range(6_000 // 500):
            clock.forward(60)
            await log.append(
                [counted("A", each) for each in range(499)] + [noted("day", str(number))]
            )
    await admin.execute(statistics)
    statements: list[tuple[str, tuple[object, ...]]] = []

    class Overheard(Database):
        async def fetch(self, query: str, *arguments: object) -> Any:
            statements.append((query, arguments))
            return await database.fetch(query, *arguments)

        async def fetchval(self, query: str, *arguments: object) -> Any:
            statements.append((query, arguments))
            return await database.fetchval(query, *arguments)

    asking = PostgresQueries(Overheard(database_dsn, role=None), MERCHANT, VOCABULARY)
    found = [
        len(await flat(asking.select(selection)))
        for selection in (
            Selection(since=minutes(6), until=minutes(7), page=500),
            Selection(stream="stock-A", after=3_000, to=3_500, page=500),
            Selection(types=("Noted",), backward=True),
            Selection(stream="note-day", since=minutes(6), backward=True),
        )
    ]

    assert [500, 499, 12, 7] == found
    for query, arguments in statements:
        plan = json.loads(
            await admin.fetchval(f"explain (analyze, format json) {query}", *arguments)
        )

        assert max(_rows(plan[0]["Plan"])) <= 1_000, query


def _rows(node: dict[str, Any]) -> list[float]:
    """Looked at by a plan's node, and by all below it."""
    below = [rows for child in node.get("Plans", []) for rows in _rows(child)]
    dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    return [node["Actual Rows"] + dropped, *below]
