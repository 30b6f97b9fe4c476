"""The laws of where journals go: on the pack, on Xero over HTTP, on the books of the tests."""

import csv
import io
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec
import pytest

from kcjl.errors import NotFound, Refused
from kcjl.ledger.pack import JournalPack
from kcjl.ledger.port import Behind, Journal, LiveLedger
from kcjl.money import Money
from tests.ledger.journals import JOURNAL, another
from tests.ledger.xero_bench import MORNING, XeroBench
from tests.outside.live_books import LiveBooks

pytestmark = pytest.mark.anyio

BOOKED = {"621": 164_000, "404": 30_001, "820": 6_000, "620": -200_001}


class Sink(Protocol):
    async def take(self, journal: Journal) -> object: ...

    def held(self) -> Counter[str]:
        """Journals by reference."""
        ...

    def booked(self, reference: str) -> dict[str, int]:
        """Pence by account, a debit above nothing."""
        ...


class NothingBehind:
    """Journals whose figures are made of nothing that we know."""

    async def behind(self, reference: str) -> AsyncIterator[Sequence[Behind]]:
        behind: dict[str, Sequence[Behind]] = {}
        if reference in behind:
            yield behind[reference]


class PackSink:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pack = JournalPack(folder, NothingBehind())

    async def take(self, journal: Journal) -> object:
        return await self._pack.prepare(journal)

    def held(self) -> Counter[str]:
        return Counter(each.stem for each in self._folder.glob("*.csv"))

    def booked(self, reference: str) -> dict[str, int]:
        text = (self._folder / f"{reference}.csv").read_text(encoding="utf-8-sig")
        return {
            row["Account"]: int(
                (Decimal(row["Debit"] or 0) - Decimal(row["Credit"] or 0)) * 100
            )
            for row in csv.DictReader(io.StringIO(text))
        }


class XeroSink:
    def __init__(self, bench: XeroBench) -> None:
        self._bench = bench
        self.live: LiveLedger = bench.ledger()

    async def take(self, journal: Journal) -> object:
        return await self.live.enter(journal, 1)

    def held(self) -> Counter[str]:
        journals = self._bench.books.journals.values()
        return Counter(each.narration.partition(":")[0] for each in journals)

    def booked(self, reference: str) -> dict[str, int]:
        (found,) = (
            each
            for each in self._bench.books.journals.values()
            if each.narration.startswith(f"{reference}:")
        )
        return {each.account_code: int(each.line_amount * 100) for each in found.lines}


class LiveSink:
    def __init__(self) -> None:
        self._books = LiveBooks(lambda: MORNING)
        self.live: LiveLedger = self._books

    async def take(self, journal: Journal) -> object:
        return await self.live.enter(journal, 1)

    def held(self) -> Counter[str]:
        return Counter(each.reference for each in self._books.journals.values())

    def booked(self, reference: str) -> dict[str, int]:
        (number,) = self._books.numbers_of(reference)
        lines = self._books.journals[number].lines
        return {each.account: each.amount.amount_minor for each in lines}


@asynccontextmanager
async def pack_sink(folder: Path) -> AsyncIterator[PackSink]:
    yield PackSink(folder)


@asynccontextmanager
async def xero_sink(_: Path) -> AsyncIterator[XeroSink]:
    async with XeroBench.serve() as bench:
        yield XeroSink(bench)


@asynccontextmanager
async def live_sink(_: Path) -> AsyncIterator[LiveSink]:
    yield LiveSink()


Opened: TypeAlias = Callable[[Path], AbstractAsyncContextManager[Sink]]
SINKS: dict[str, Opened] = {"pack": pack_sink, "xero": xero_sink, "live books": live_sink}


OpenedLive: TypeAlias = Callable[[Path], AbstractAsyncContextManager[XeroSink | LiveSink]]
LIVE: dict[str, OpenedLive] = {"xero": xero_sink, "live books": live_sink}
every_sink = pytest.mark.parametrize("opened", SINKS.values(), ids=SINKS)
every_live = pytest.mark.parametrize("opened", LIVE.values(), ids=LIVE)


@every_sink
async def test_journal_is_there_to_the_penny(opened: Opened, tmp_path: Path) -> None:
    """Each account's debit or credit, and nothing else."""
    async with opened(tmp_path) as sink:
        await sink.take(JOURNAL)

        assert BOOKED == sink.booked(JOURNAL.reference)


@every_sink
async def test_same_journal_again_is_no_second_one(opened: Opened, tmp_path: Path) -> None:
    """Law 2: however often it is given, one journal per payout."""
    async with opened(tmp_path) as sink:
        first = await sink.take(JOURNAL)

        assert first == await sink.take(JOURNAL)
        assert Counter({JOURNAL.reference: 1}) == sink.held()


@every_sink
async def test_another_journal_under_the_same_reference_is_refused(
    opened: Opened, tmp_path: Path
) -> None:
    """Law 6: what is there stays as it is."""
    async with opened(tmp_path) as sink:
        await sink.take(JOURNAL)
        with pytest.raises(Refused):
            await sink.take(another())

        assert BOOKED == sink.booked(JOURNAL.reference)


@every_sink
async def test_journals_of_two_references_are_two(opened: Opened, tmp_path: Path) -> None:
    """A month's end beside the payout's own."""
    async with opened(tmp_path) as sink:
        await sink.take(JOURNAL)
        await sink.take(msgspec.structs.replace(JOURNAL, reference="JL-0123456789AB-202609"))

        assert {"JL-0123456789AB", "JL-0123456789AB-202609"} == set(sink.held())


@every_live
async def test_entered_journal_is_found_by_its_reference(
    opened: OpenedLive, tmp_path: Path
) -> None:
    """Whoever does not know the answer looks what has changed, and finds it whole."""
    async with opened(tmp_path) as sink:
        entered = await sink.live.enter(JOURNAL, 1)
        (listed,) = await sink.live.changed(MORNING - timedelta(hours=1))

        assert (JOURNAL.reference, "draft") == (listed.reference, listed.state)
        assert entered == await sink.live.look(listed.ledger_number)
        assert JOURNAL.posting_date == entered.posting_date
        assert BOOKED == {each.account: each.amount.amount_minor for each in entered.lines}
        assert Money(0) == entered.tax_added


@every_live
async def test_nothing_has_changed_after_the_last_change(
    opened: OpenedLive, tmp_path: Path
) -> None:
    """A look sees what is new, and not the whole of the books each time."""
    async with opened(tmp_path) as sink:
        await sink.live.enter(JOURNAL, 1)

        assert [] == list(await sink.live.changed(MORNING + timedelta(seconds=1)))


@every_live
async def test_journal_that_is_not_there_is_not_found(
    opened: OpenedLive, tmp_path: Path
) -> None:
    """A number of nobody's is said to be so."""
    async with opened(tmp_path) as sink:
        with pytest.raises(NotFound):
            await sink.live.look("d312dd5e-a53e-46d1-9d51-c569ef4570b7")
