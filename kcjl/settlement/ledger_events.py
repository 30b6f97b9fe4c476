"""What can happen to a journal in a live ledger: entered, refused, changed there by people.

Stream: payout-<cycle id>; reads of the ledger: settlement-ledger. That a journal is in the
ledger, and under which number, is `JournalAcknowledged`, whoever entered it.
"""

from datetime import datetime
from typing import Literal

from kcjl.settlement.events import PayoutEvent
from kcjl.vocabulary import Event

__all__ = [
    "JournalEntryIntended",
    "JournalEntryRefused",
    "JournalSeenInLedger",
    "LedgerRead",
    "LedgerState",
]

LedgerState = Literal["draft", "posted", "voided", "deleted"]


class JournalEntryIntended(PayoutEvent, frozen=True, kw_only=True):
    """We are about to enter the journal in the ledger. Until it is acknowledged or refused
    nobody knows whether it is there: it is looked for before it is entered again.
    """

    reference: str
    attempt: int
    """A new one only when the one before was refused."""


class JournalEntryRefused(PayoutEvent, frozen=True, kw_only=True):
    """The ledger said no, in these words; it is not there."""

    reference: str
    attempt: int
    message: str


class JournalSeenInLedger(PayoutEvent, frozen=True, kw_only=True):
    """How the journal stands in the ledger, when that is new."""

    reference: str
    ledger_number: str
    state: LedgerState
    differences: tuple[str, ...] = ()
    """What is other there than it was entered; nothing where it is the same."""


class LedgerRead(Event, frozen=True, kw_only=True):
    """A look at what has changed in the ledger ended. Occurred when it began."""

    changed: int
    """Journals, whosesoever, that have changed since the look before."""
    cursor: datetime

    @property
    def stream(self) -> str:
        return "settlement-ledger"
