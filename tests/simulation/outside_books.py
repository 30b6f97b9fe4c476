"""A live ledger of a run: its books, a process's way to them, and the law of both.

Promises: an entry can be lost before or after it was done, come late, or outlive its caller, as
with the other outside systems; what has changed can be shown late. What stands in the books
stays whatever happens to a process. A repeat of an attempt is no second journal.
Called by `outside.py` and `run.py`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from kcjl.clock import Clock
from kcjl.ledger.port import BookedJournal, Journal, ListedJournal
from kcjl.sandbox.world import World
from kcjl.settlement.bookkeeping import seen_journal
from kcjl.settlement.entering import differences, is_idle
from kcjl.settlement.state import CYCLES
from tests.outside.live_books import LiveBooks
from tests.simulation.laws.evidence import Broken, Evidence
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_door import Door

__all__ = ["SimulatedBooks", "broken_books"]


class SimulatedBooks:
    """A process's own way to the books."""

    def __init__(self, books: LiveBooks, world: World, mishaps: Mishaps, clock: Clock) -> None:
        self._books = books
        self._door = Door("xero", world, mishaps, clock)

    async def enter(self, journal: Journal, attempt: int) -> BookedJournal:
        return await self._door.write(
            "enter_journal", lambda: self._books.take(journal, attempt)
        )

    async def changed(self, since: datetime) -> Sequence[ListedJournal]:
        return await self._door.read("changed_journals", lambda: self._books.listed(since))

    async def look(self, ledger_number: str) -> BookedJournal:
        return await self._door.read("journal", lambda: self._books.one(ledger_number))


def broken_books(books: LiveBooks, evidence: Evidence) -> Iterator[Broken]:
    """Law 2 and 5 there: one journal a reference, as intended, and at rest none missing."""

    def broken(message: str) -> Broken:
        return Broken(law=2, checker="live ledger", message=message)

    known = set()
    for cycle in evidence.folded(CYCLES).values():
        for standing in cycle.journals:
            reference = standing.intended.reference
            known.add(reference)
            numbers = books.numbers_of(reference)
            if len(numbers) > 1:
                yield broken(f"journal {reference} stands there {len(numbers)} times")
            for number in numbers:
                seen = seen_journal(books.one(number))
                for each in differences(standing.intended, seen):
                    yield broken(f"journal {reference}: {each}")
            waits = not is_idle(cycle, standing) and standing.prepared is not None
            if evidence.at_rest and waits and standing.ledger_number not in numbers:
                yield broken(f"journal {reference} is not there, or we do not know it")
    held = Counter(each.reference for each in books.journals.values())
    for reference in held.keys() - known:
        yield broken(f"journal {reference} is of nobody")
