"""Where journals go, as the rest of kcjl sees it.

Promises: preparing the same journal again is no second journal. Raises Refused when another
journal lies under the same reference, Unavailable when it can't be written now. What is entered
in a live ledger's books may be unclear (OutcomeUnknown): it is looked for before it is entered
again.
Called by the settlement actor; implemented by `pack.py` and, live, by `xero.py`.
Source: contract khaos f.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Literal, Protocol

import msgspec

from kcjl.money import Money

__all__ = [
    "Behind",
    "BehindSource",
    "BookedJournal",
    "BookedLine",
    "DocumentShelf",
    "Entry",
    "Journal",
    "JournalDocument",
    "JournalState",
    "LedgerPort",
    "ListedJournal",
    "LiveLedger",
]

JournalState = Literal["draft", "posted", "voided", "deleted"]
"""How a journal stands in the ledger; the last two are for good."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    tax_code: str
    debit: Money
    credit: Money
    memo: str


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    reference: str
    posting_date: date
    narrative: str
    entries: tuple[Entry, ...]


class JournalDocument(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    sha256: str


class LedgerPort(Protocol):
    async def prepare(self, journal: Journal) -> Sequence[JournalDocument]: ...


class Behind(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One amount behind a figure of a journal: a transaction line, the transfer, a balance."""

    account: str
    """Of the entry that it is in; empty: what it belongs to comes to nothing there."""
    tax_code: str
    what: str
    line_id: str
    """Empty: it is no transaction line."""
    order_id: str
    erp_order_code: str
    document: str
    moved_at: datetime | None
    amount: Money
    """Above nothing it is in our favour, and so in the credit."""


class BehindSource(Protocol):
    """What the figures of journals are made of."""

    def behind(self, reference: str) -> AsyncIterator[Sequence[Behind]]:
        """All of one journal, a page at a time. Raises Unavailable while it is not known."""
        ...


class ListedJournal(msgspec.Struct, frozen=True, kw_only=True):
    """A journal in a list of the ledger's: whose it is, and how it stands."""

    ledger_number: str
    reference: str
    """Ours, where its text begins with one; else whatever it begins with."""
    state: JournalState


class BookedLine(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    amount: Money
    """A debit is above nothing, a credit below."""


class BookedJournal(msgspec.Struct, frozen=True, kw_only=True):
    """A journal as it stands in the ledger."""

    ledger_number: str
    reference: str
    state: JournalState
    posting_date: date
    lines: tuple[BookedLine, ...]
    tax_added: Money
    """What the ledger has added to our lines by itself."""


class LiveLedger(Protocol):
    """Books that journals are entered in by a call, and that people work in as well."""

    async def enter(self, journal: Journal, attempt: int) -> BookedJournal:
        """Enter a journal; the same attempt again is no second journal.

        Raises Refused when the ledger says no, OutcomeUnknown when it may have been entered.
        """
        ...

    async def changed(self, since: datetime) -> Sequence[ListedJournal]:
        """All journals, whosesoever, that were entered or changed since then."""
        ...

    async def look(self, ledger_number: str) -> BookedJournal:
        """One journal, whole. Raises NotFound."""
        ...


class DocumentShelf(Protocol):
    """Where documents of others are filed: the operator's invoices."""

    async def keep(self, name: str, content: bytes) -> JournalDocument:
        """The same again changes nothing; Refused where another one has the name."""
        ...
