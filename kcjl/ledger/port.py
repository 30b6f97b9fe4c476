"""Where journals go, as the rest of kcjl sees it.

Promises: preparing the same journal again is no second journal. Raises Refused when another
journal lies under the same reference, Unavailable when it can't be written now.
Called by the settlement actor; implemented by `pack.py`. Source: contract khaos f.
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import msgspec

from kcjl.money import Money

__all__ = ["DocumentShelf", "Entry", "Journal", "JournalDocument", "LedgerPort"]


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


class DocumentShelf(Protocol):
    """Where documents of others are filed: the operator's invoices."""

    async def keep(self, name: str, content: bytes) -> JournalDocument:
        """The same again changes nothing; Refused where another one has the name."""
        ...
