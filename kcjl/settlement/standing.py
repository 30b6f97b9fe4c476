"""Settlement, the fold of a payout's journals: how far each is on its way into the books.

Promises: pure; oldest first; what is undone stays, and says by what. Called by `state.py`.
"""

import msgspec

from kcjl.settlement.events import JournalAcknowledged, JournalIntended, JournalPrepared
from kcjl.settlement.ledger_events import (
    JournalEntryIntended,
    JournalEntryRefused,
    JournalSeenInLedger,
)

__all__ = ["JournalStanding", "evolve_journals"]

JournalEvent = (
    JournalIntended
    | JournalPrepared
    | JournalAcknowledged
    | JournalEntryIntended
    | JournalEntryRefused
    | JournalSeenInLedger
)


class JournalStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One journal of a payout, and how far it is."""

    intended: JournalIntended
    prepared: JournalPrepared | None = None
    ledger_number: str = ""
    """The ledger's own number, once somebody has said it."""
    reversed_by: str = ""
    """The journal that undoes it."""
    attempt: int = 0
    """How often it was to be entered in a live ledger."""
    refused: JournalEntryRefused | None = None
    """What the ledger said to the last attempt; None: it did not say no."""
    seen: JournalSeenInLedger | None = None
    """How it stands in the ledger."""

    @property
    def is_void(self) -> bool:
        """A person has voided or deleted it in the ledger: it books nothing there."""
        return self.seen is not None and self.seen.state in ("voided", "deleted")


def evolve_journals(
    known: tuple[JournalStanding, ...], event: JournalEvent
) -> tuple[JournalStanding, ...]:
    """The journals of a payout after an event of one of them."""
    replace = msgspec.structs.replace
    found: list[JournalStanding] = []
    for each in known:
        reference = each.intended.reference
        if isinstance(event, JournalIntended):
            undone = event.reverses == reference
            found.append(replace(each, reversed_by=event.reference) if undone else each)
        elif event.reference != reference:
            found.append(each)
        elif isinstance(event, JournalPrepared):
            found.append(replace(each, prepared=event))
        elif isinstance(event, JournalEntryIntended):
            found.append(replace(each, attempt=event.attempt, refused=None))
        elif isinstance(event, JournalEntryRefused):
            found.append(replace(each, refused=event))
        elif isinstance(event, JournalSeenInLedger):
            found.append(replace(each, seen=event))
        else:
            found.append(replace(each, ledger_number=event.ledger_number, refused=None))
    if isinstance(event, JournalIntended):
        found.append(JournalStanding(intended=event))
    return tuple(found)
