"""Settlement, the rules of a live ledger: what to enter, and what people did to it there.

Promises: pure; a journal that may be in the ledger is never entered again before it was looked
for; one that was refused is tried again with growing pauses. A reversal of what the ledger has
not, or no longer, is not entered; it would undo what is not there.
Called by `bookkeeping.py`, the CLI and the projections. Source: design 2 (law 2), 9.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from kcjl.money import Money
from kcjl.settlement.events import JournalAcknowledged, JournalIntended
from kcjl.settlement.ledger_events import (
    JournalEntryIntended,
    JournalEntryRefused,
    JournalSeenInLedger,
    LedgerState,
)
from kcjl.settlement.standing import JournalStanding
from kcjl.settlement.state import Cycle
from kcjl.vocabulary import Event

__all__ = [
    "SeenJournal",
    "decide_entered",
    "decide_entry",
    "decide_refused",
    "decide_seen",
    "differences",
    "is_idle",
    "to_enter",
    "undoes_nothing",
]

RETRY_FIRST = timedelta(minutes=15)
"""After a refusal; it doubles with each attempt: somebody has to mend something first."""
RETRY_MAX = timedelta(hours=4)
DOUBLINGS_MAX = 4


class SeenJournal(msgspec.Struct, frozen=True, kw_only=True):
    """A journal as the ledger shows it."""

    ledger_number: str
    state: LedgerState
    posting_date: date
    amounts: tuple[tuple[str, Money], ...]
    """(account, debit above nothing and credit below), line by line."""
    tax_added: Money
    copies: tuple[str, ...] = ()
    """Others that stand there under the same reference."""


def to_enter(
    cycle: Cycle, since: datetime | None, now: datetime
) -> tuple[JournalStanding, ...]:
    """The journals of a payout that are to be entered now, oldest first.

    None that was not made after `since`: a person has keyed it, or is about to.
    """
    if since is None:
        return ()
    return tuple(
        each
        for each in cycle.journals
        if not each.ledger_number
        and each.prepared is not None
        and each.intended.occurred_at > since
        and not is_idle(cycle, each)
        and _is_due(each, now)
    )


def is_idle(cycle: Cycle, standing: JournalStanding) -> bool:
    """Not to be entered: it undoes what is not in the ledger, or is undone and never was."""
    if standing.intended.kind == "reversal":
        undone = _undone_by(cycle, standing)
        return undone is not None and (undone.is_void or _never_entered(undone))
    return bool(standing.reversed_by) and _never_entered(standing)


def _undone_by(cycle: Cycle, reversal: JournalStanding) -> JournalStanding | None:
    reference = reversal.intended.reverses
    found = (each for each in cycle.journals if each.intended.reference == reference)
    return next(found, None)


def undoes_nothing(cycle: Cycle, standing: JournalStanding) -> bool:
    """It is the reversal of a journal that the ledger did not take, or has no longer."""
    undone = _undone_by(cycle, standing)
    return undone is not None and (undone.is_void or undone.refused is not None)


def _never_entered(standing: JournalStanding) -> bool:
    """The ledger does not have it, as far as one can know: it said no, or was never asked."""
    if standing.ledger_number:
        return False
    return standing.attempt == 0 or standing.refused is not None


def _is_due(standing: JournalStanding, now: datetime) -> bool:
    if standing.refused is None:
        return True
    doublings = min(standing.attempt - 1, DOUBLINGS_MAX)
    pause = min(RETRY_FIRST * (1 << doublings), RETRY_MAX)
    return now >= standing.refused.occurred_at + pause


def decide_entry(standing: JournalStanding, now: datetime) -> tuple[Event, ...]:
    """The intention; none where one stands that nobody knows the end of."""
    if standing.attempt and standing.refused is None:
        return ()
    return (
        JournalEntryIntended(
            cycle_id=standing.intended.cycle_id,
            reference=standing.intended.reference,
            attempt=standing.attempt + 1,
            occurred_at=now,
        ),
    )


def decide_refused(
    standing: JournalStanding, attempt: int, message: str, now: datetime
) -> tuple[Event, ...]:
    """The ledger said no."""
    return (
        JournalEntryRefused(
            cycle_id=standing.intended.cycle_id,
            reference=standing.intended.reference,
            attempt=attempt,
            message=message,
            occurred_at=now,
        ),
    )


def decide_entered(
    standing: JournalStanding, seen: SeenJournal, now: datetime
) -> tuple[Event, ...]:
    """It is in the ledger: entered just now, or found there."""
    acknowledged = JournalAcknowledged(
        cycle_id=standing.intended.cycle_id,
        reference=standing.intended.reference,
        ledger_number=seen.ledger_number,
        occurred_at=now,
    )
    return (acknowledged, *decide_seen(standing, seen, now))


def decide_seen(
    standing: JournalStanding, seen: SeenJournal, now: datetime
) -> tuple[Event, ...]:
    """How it stands there, where that is new."""
    intended = standing.intended
    event = JournalSeenInLedger(
        cycle_id=intended.cycle_id,
        reference=intended.reference,
        ledger_number=seen.ledger_number,
        state=seen.state,
        differences=differences(intended, seen),
        occurred_at=now,
    )
    before = standing.seen
    if before is not None and (before.ledger_number, before.state, before.differences) == (
        event.ledger_number,
        event.state,
        event.differences,
    ):
        return ()
    return (event,)


def differences(intended: JournalIntended, seen: SeenJournal) -> tuple[str, ...]:
    """What is other in the ledger than we entered, a person's words each."""
    found = [f"it stands there once more, as {each}" for each in seen.copies]
    if seen.state in ("voided", "deleted"):
        return (f"it was {seen.state} there", *found)
    if seen.posting_date != intended.posting_date:
        found.append(
            f"dated {seen.posting_date:%d/%m/%Y} instead of {intended.posting_date:%d/%m/%Y}"
        )
    ours = _by_account((line.account, line.debit - line.credit) for line in intended.lines)
    theirs = _by_account(seen.amounts)
    for account in sorted(ours.keys() | theirs.keys()):
        there, here = theirs.get(account), ours.get(account)
        if there != here:
            found.append(f"{account}: {_said(there)} instead of {_said(here)}")
    if seen.tax_added:
        found.append(f"the ledger has added tax of {seen.tax_added}")
    return tuple(found)


def _by_account(amounts: Iterable[tuple[str, Money]]) -> Mapping[str, Money]:
    """By account, without those that come to nothing."""
    several: defaultdict[str, list[Money]] = defaultdict(list)
    for account, amount in amounts:
        several[account].append(amount)
    sums = {account: _sum(each) for account, each in several.items()}
    return {account: amount for account, amount in sums.items() if amount}


def _sum(amounts: Sequence[Money]) -> Money:
    return sum(amounts[1:], amounts[0])


def _said(amount: Money | None) -> str:
    if amount is None:
        return "nothing"
    return f"{'debit' if amount.amount_minor > 0 else 'credit'} {abs(amount)}"
