"""Where journals go, as the rest of kcjl sees it.

Promises: preparing the same journal again is no second journal. Raises Refused when another
journal lies under the same reference, Unavailable when it can't be written now.
Called by the settlement actor; implemented by `pack.py`. Source: contract khaos f.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec

from kcjl.money import Money

__all__ = [
    "Behind",
    "BehindSource",
    "DocumentShelf",
    "Entry",
    "Journal",
    "JournalDocument",
    "LedgerPort",
]


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


class DocumentShelf(Protocol):
    """Where documents of others are filed: the operator's invoices."""

    async def keep(self, name: str, content: bytes) -> JournalDocument:
        """The same again changes nothing; Refused where another one has the name."""
        ...
