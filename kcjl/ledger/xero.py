"""The live ledger: journals as Xero's manual journals, over its accounting API.

Promises: a journal is entered to the penny, one line an account and tax code, debits above
nothing and credits below, its text beginning with its reference; the key that makes a repeat no
second journal is derived from the reference and the attempt. It changes and voids nothing.
It does not decide when to enter or what a difference means.
Called through `port.py`; built by `service.py`. Source: Xero's accounting API, ManualJournals.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp

from kcjl.calls.sync_log import SyncLog
from kcjl.clock import Clock
from kcjl.errors import OutcomeUnknown, ProtocolSurprise, Unavailable
from kcjl.ledger.port import BookedJournal, Journal, ListedJournal
from kcjl.ledger.xero_access import XeroAccess
from kcjl.ledger.xero_http import XeroHttp
from kcjl.ledger.xero_wire import booked_journal, listed_journals, written

__all__ = ["XeroLedger"]

PAGE_JOURNALS = 100
"""Xero's own page."""
PAGES_MAX = 50
"""Of one list: 5,000 changed journals since a look; a minute has 60 calls."""


class XeroLedger:
    """The manual journals of one organisation."""

    def __init__(
        self,
        access: XeroAccess,
        *,
        clock: Clock,
        session: aiohttp.ClientSession,
        sync_log: SyncLog | None = None,
    ) -> None:
        self._access = access
        self._http = XeroHttp(access, clock=clock, session=session, sync_log=sync_log)

    async def enter(self, journal: Journal, attempt: int) -> BookedJournal:
        body = written(journal, self._access)
        what = f"entering journal {journal.reference} in Xero"
        answer = await self._http.post(
            "ManualJournals",
            body,
            subject=f"of journal {journal.reference}",
            key=f"kcjl-{journal.reference}-{attempt}",
        )
        try:
            return booked_journal(answer, self._access.currency, what)
        except ProtocolSurprise as error:
            raise OutcomeUnknown(error.message) from None

    async def changed(self, since: datetime) -> Sequence[ListedJournal]:
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        found: dict[str, ListedJournal] = {}
        for page in range(1, PAGES_MAX + 1):
            answer = await self._http.get(
                "ManualJournals",
                subject=f"changed since {moment}",
                query={"page": str(page)},
                headers={"If-Modified-Since": moment},
                page=page,
            )
            rows = listed_journals(answer, f"reading Xero's journals since {moment}")
            found.update((each.ledger_number, each) for each in rows)
            if len(rows) < PAGE_JOURNALS:
                return tuple(found.values())
        raise Unavailable(
            f"reading Xero's journals since {moment}: more than {PAGES_MAX * PAGE_JOURNALS:,} "
            "have changed; nothing was concluded from a part of them"
        )

    async def look(self, ledger_number: str) -> BookedJournal:
        answer = await self._http.get(
            f"ManualJournals/{ledger_number}", subject=f"of {ledger_number}"
        )
        what = f"reading Xero's journal {ledger_number}"
        return booked_journal(answer, self._access.currency, what)
