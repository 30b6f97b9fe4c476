"""Settlement, the rules of receiving: what the bank got of a payout, by hand or by statement.

Promises: pure; the same line of a statement is booked once, whatever files it comes in; what
is withdrawn is not booked again by the same line; a payout that is paid and not received within
so many working days is said to be overdue, once. It books nothing in the ledger: the journal
has what the marketplace transferred.
Called by `receiving.py`. Source: design 9.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from kcjl.errors import Refused
from kcjl.money import Money
from kcjl.settlement.events import BillingCycleSeen
from kcjl.settlement.intake import LONDON
from kcjl.settlement.received_events import (
    MatchedBy,
    PayoutReceiptOverdue,
    PayoutReceiptWithdrawn,
    PayoutReceived,
)
from kcjl.settlement.state import CYCLES, Cycle
from kcjl.vocabulary import Event

__all__ = [
    "Receipt",
    "decide_receipt_overdue",
    "decide_receipts",
    "decide_withdrawn",
    "due_on",
    "paid_on",
    "receipt_words",
]

DAY = timedelta(days=1)
DAYS_LOOKED_AT_MAX = 366


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came, and of which payout: by a person, or by a line of a statement."""

    cycle_id: str
    amount: Money
    received_on: date
    matched_by: MatchedBy = "person"
    reference: str = ""
    bank_line: str = ""
    source: str = ""


def decide_receipts(
    cycles: Mapping[str, Cycle], told: Sequence[Receipt], now: datetime
) -> tuple[PayoutReceived, ...]:
    """All that was told, or nothing of it. What is known already is nothing new.

    Raises Refused for what can't be: no such payout, another currency, nothing or less.
    """
    known = dict(cycles)
    events: list[PayoutReceived] = []
    for each in told:
        event = _received(known.get(each.cycle_id), each, now)
        if event is not None:
            cycle = CYCLES.evolve(known[each.cycle_id], event, each.cycle_id)
            known[each.cycle_id] = cycle or known[each.cycle_id]
            events.append(event)
    return tuple(events)


def _received(cycle: Cycle | None, told: Receipt, now: datetime) -> PayoutReceived | None:
    wrong = _wrong(cycle, told, now.astimezone(LONDON).date())
    if cycle is None or wrong:
        raise Refused(
            f"receiving {told.amount} of payout {told.cycle_id} on {told.received_on}: {wrong}"
        )
    if told.bank_line and told.bank_line in _lines_of(cycle):
        return None
    if any(_said(each) == _said(told) for each in cycle.receipts):
        return None
    return PayoutReceived(
        cycle_id=cycle.cycle_id,
        receipt=len(cycle.receipts) + len(cycle.withdrawn) + 1,
        amount=told.amount,
        received_on=told.received_on,
        transferred=cycle.seen.amount_to_seller,
        received=cycle.received + told.amount,
        matched_by=told.matched_by,
        reference=told.reference,
        bank_line=told.bank_line,
        source=told.source,
        occurred_at=now,
    )


def _wrong(cycle: Cycle | None, told: Receipt, today: date) -> str:
    if cycle is None:
        return "there is no such payout; `kcjl payouts list` names those there are"
    stated = cycle.seen.amount_to_seller
    if told.amount.currency != stated.currency:
        return f"the payout is in {stated.currency}"
    if told.amount.amount_minor <= 0:
        return "what comes in is above nothing; to take back a receipt: --withdraw"
    if stated.amount_minor <= 0:
        return f"the payout is {stated}: nothing was transferred"
    if told.received_on > today:
        return f"that day is to come, today is {today}"
    if told.received_on < cycle.created_at.astimezone(LONDON).date():
        return f"the cycle was made on {cycle.created_at:%Y-%m-%d}, after that day"
    return ""


def _lines_of(cycle: Cycle) -> set[str]:
    """Lines that were booked to it, also those that a person took back."""
    booked = {each.bank_line for each in cycle.receipts}
    return booked | {each.bank_line for each in cycle.withdrawn}


def _said(each: PayoutReceived | Receipt) -> tuple[object, ...]:
    return each.amount, each.received_on, each.reference, each.bank_line


def decide_withdrawn(
    cycle: Cycle | None, cycle_id: str, receipt: int | None, reason: str, now: datetime
) -> tuple[Event, ...]:
    """Take a receipt back. Raises Refused where it is not plain which, or there is none."""
    stand = cycle.receipts if cycle is not None else ()
    found = [each for each in stand if receipt is None or each.receipt == receipt]
    if cycle is not None and not found and _is_withdrawn(cycle, receipt):
        return ()
    if cycle is None or len(found) != 1:
        named = ", ".join(
            f"{each.receipt} ({each.amount} of {each.received_on})" for each in stand
        )
        raise Refused(
            f"withdrawing a receipt of payout {cycle_id}: there are {named or 'none'}; say "
            "which one with --receipt NUMBER (kcjl payouts show PAYOUT)"
        )
    gone = found[0]
    return (
        PayoutReceiptWithdrawn(
            cycle_id=cycle.cycle_id,
            receipt=gone.receipt,
            amount=gone.amount,
            received_on=gone.received_on,
            bank_line=gone.bank_line,
            transferred=cycle.seen.amount_to_seller,
            received=cycle.received - gone.amount,
            reason=reason,
            occurred_at=now,
        ),
    )


def _is_withdrawn(cycle: Cycle, receipt: int | None) -> bool:
    return receipt is not None and receipt in {each.receipt for each in cycle.withdrawn}


# ── what does not come ──────────────────────────────────────────────────────────────────────


def decide_receipt_overdue(
    cycle: Cycle,
    *,
    within_days: int,
    is_working_day: Callable[[date], bool],
    now: datetime,
) -> tuple[Event, ...]:
    """Say once that a payout is paid and not received. `within_days` 0: nobody waits for it."""
    paid = paid_on(cycle)
    if not within_days or paid is None or cycle.receipts or cycle.receipt_overdue:
        return ()
    due = due_on(paid, within_days, is_working_day)
    if now.astimezone(LONDON).date() <= due:
        return ()
    return (
        PayoutReceiptOverdue(
            cycle_id=cycle.cycle_id,
            transferred=cycle.seen.amount_to_seller,
            paid_on=paid,
            due_on=due,
            occurred_at=now,
        ),
    )


def paid_on(cycle: Cycle) -> date | None:
    """The day on which the marketplace paid; where it does not say, on which it was closed."""
    seen: BillingCycleSeen = cycle.seen
    if seen.amount_to_seller.amount_minor <= 0 or seen.payout_state == "FAILED":
        return None
    if seen.payout_state == "PAID":
        return (seen.paid_at or cycle.created_at).astimezone(LONDON).date()
    return cycle.closed.occurred_at.astimezone(LONDON).date() if cycle.closed else None


def due_on(paid: date, days: int, is_working_day: Callable[[date], bool]) -> date:
    """The working day so many after this one."""
    day = paid
    for _ in range(DAYS_LOOKED_AT_MAX):
        if days <= 0:
            return day
        day += DAY
        days -= is_working_day(day)
    return day


def receipt_words(cycle: Cycle) -> str:
    """What is known of the money in the bank, in words; empty: nothing is."""
    if not cycle.receipts:
        return "not received, and overdue" if cycle.receipt_overdue else ""
    last = max(each.received_on for each in cycle.receipts)
    off = cycle.received - cycle.seen.amount_to_seller
    told = f"{cycle.received} in the bank on {last}"
    return f"{told}, {off} off" if off else told
