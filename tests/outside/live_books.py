"""A live ledger, small and in memory: journals by number, and the people who work in it.

It keeps the laws that Xero's adapter keeps on the sandbox (tests/ledger/test_laws.py). No time
passes in it by itself.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

from kcjl.errors import NotFound, Refused
from kcjl.ledger.port import BookedJournal, BookedLine, Journal, JournalState, ListedJournal
from kcjl.money import Money
from tests.outside.mishaps import Mishaps

__all__ = ["LiveBooks"]


class LiveBooks:
    """Journals, each under a number of its own."""

    def __init__(
        self, now: Callable[[], datetime], *, enters_as: Literal["draft", "posted"] = "draft"
    ) -> None:
        self.mishaps = Mishaps()
        self.journals: dict[str, BookedJournal] = {}
        """By number: the truth for checks."""
        self._now = now
        self._enters_as: JournalState = enters_as
        self._changed_at: dict[str, datetime] = {}
        self._keys: dict[tuple[str, int], tuple[Journal, str]] = {}

    # ── the port ──

    async def enter(self, journal: Journal, attempt: int) -> BookedJournal:
        with self.mishaps.at("enter"):
            return self.take(journal, attempt)

    async def changed(self, since: datetime) -> Sequence[ListedJournal]:
        with self.mishaps.at("changed"):
            return self.listed(since)

    async def look(self, ledger_number: str) -> BookedJournal:
        with self.mishaps.at("look"):
            return self.one(ledger_number)

    # ── the same, at once ──

    def take(self, journal: Journal, attempt: int) -> BookedJournal:
        known = self._keys.get((journal.reference, attempt))
        if known is not None:
            if known[0] != journal:
                raise Refused(f"another journal lies under {journal.reference}")
            return self.journals[known[1]]
        number = f"N{len(self.journals) + 1}"
        booked = BookedJournal(
            ledger_number=number,
            reference=journal.reference,
            state=self._enters_as,
            posting_date=journal.posting_date,
            lines=tuple(
                BookedLine(account=entry.account, amount=entry.debit - entry.credit)
                for entry in journal.entries
            ),
            tax_added=Money(0),
        )
        self._keys[journal.reference, attempt] = journal, number
        self._put(booked)
        return booked

    def listed(self, since: datetime) -> list[ListedJournal]:
        return [
            ListedJournal(
                ledger_number=each.ledger_number, reference=each.reference, state=each.state
            )
            for each in self.journals.values()
            if self._changed_at[each.ledger_number] >= since
        ]

    def one(self, ledger_number: str) -> BookedJournal:
        found = self.journals.get(ledger_number)
        if found is None:
            raise NotFound(f"there is no journal {ledger_number}")
        return found

    # ── people ──

    def numbers_of(self, reference: str) -> list[str]:
        """The journals in force under a reference."""
        return [
            each.ledger_number
            for each in self.journals.values()
            if each.reference == reference and each.state in ("draft", "posted")
        ]

    def mark(self, ledger_number: str, state: JournalState) -> None:
        """Post, void or delete."""
        self._put(msgspec.structs.replace(self.journals[ledger_number], state=state))

    def redate(self, ledger_number: str, day: date) -> None:
        self._put(msgspec.structs.replace(self.journals[ledger_number], posting_date=day))

    def copy(self, ledger_number: str) -> str:
        number = f"N{len(self.journals) + 1}"
        copied = msgspec.structs.replace(self.journals[ledger_number], ledger_number=number)
        self._put(copied)
        return number

    def _put(self, booked: BookedJournal) -> None:
        self.journals[booked.ledger_number] = booked
        self._changed_at[booked.ledger_number] = self._now()
