"""Settlement, the rules: ties, residue, and one balanced journal a payout.

Promises: pure; amounts are added as they come, never re-signed by type; a payout closes only
when the bank amount is the sum of its lines and every line is tied (law 5).
Invariant: the journal clears the clearing account, it does not sell again (contract khaos f).
Called by `actor.py` and `projection.py`. Source: design 9; contract johnlewis e, khaos f.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.settlement.events import (
    PAYMENT,
    ROLE_OF_KIND,
    AccountMapSet,
    AccountNamed,
    BillingCycleSeen,
    JournalIntended,
    JournalLine,
    PayoutClosed,
    PayoutHeld,
    SettlementLineSeen,
    SettlementLineTied,
)
from kcjl.settlement.state import Accounts, Cycle, CycleState, Line, SalesOrder
from kcjl.vocabulary import Event

__all__ = [
    "HOUSE_ACCOUNTS",
    "cycles_due_at",
    "decide_accounts",
    "decide_cycle",
    "decide_journal",
    "decide_line",
    "decide_payout",
    "decide_tie",
]

LONDON = ZoneInfo("Europe/London")
_TYPE = re.compile(r"[A-Z][A-Z0-9_]{2,79}")
SETTLE_MARGIN = timedelta(minutes=5)
"""Lines count as read for a cycle when the read began so long after it."""
UNTIED_SHOWN_MAX = 20
"""So many untied lines are named in the event; `lines` and the residue speak for the rest."""

HOUSE_ACCOUNTS: Mapping[str, tuple[str, str]] = {
    "bank": ("Bank Current", ""),
    "clearing": ("John Lewis Clearing", ""),
    "commission": ("Marketplace Commission", "T1"),
    "commission_vat": ("VAT Input", "T1"),
    "refunds": ("John Lewis Refunds", ""),
    "subscription": ("Marketplace Subscription", "T1"),
    "subscription_vat": ("VAT Input", "T1"),
    "other": ("John Lewis Suspense", ""),
}
"""Role -> (nominal account, tax code): the opening map; changed by events, never in place."""


def decide_line(entry: Line | None, seen: SettlementLineSeen) -> tuple[Event, ...]:
    """A line that came: news when it is new, or not as it was."""
    if entry is None:
        return (seen,)
    if seen.occurred_at < entry.seen.occurred_at:
        return ()
    same = _but_time(seen) == _but_time(entry.seen)
    return () if same else (seen,)


def _but_time(seen: SettlementLineSeen) -> tuple[object, ...]:
    return (
        seen.kind,
        seen.amount,
        seen.payment_state,
        seen.cycle_id,
        seen.voucher,
        seen.document_number,
    )


def decide_tie(line: Line, sales_order: SalesOrder | None, now: datetime) -> tuple[Event, ...]:
    """Tie a line to its order, and through the customer order number to the sales order."""
    if sales_order is None or not line.wants_tie or line.seen.order_id is None:
        return ()
    return (
        SettlementLineTied(
            line_id=line.seen.line_id,
            order_id=line.seen.order_id,
            order_line_id=line.seen.order_line_id,
            reference=sales_order.reference,
            erp_order_code=sales_order.erp_order_code,
            occurred_at=now,
        ),
    )


def decide_cycle(entry: Cycle | None, seen: BillingCycleSeen) -> tuple[Event, ...]:
    return () if entry is not None and entry.seen == seen else (seen,)


def decide_payout(
    cycle: Cycle,
    lines: Sequence[Line],
    *,
    lines_read_at: datetime | None,
    close_on: str,
    now: datetime,
) -> tuple[Event, ...]:
    """Close the payout, or say what keeps it open; () while its lines may still be coming."""
    if cycle.state not in (CycleState.WAITING, CycleState.HELD):
        return ()
    if lines_read_at is None or lines_read_at < cycle.created_at + SETTLE_MARGIN:
        return ()
    counted = [line for line in lines if line.seen.kind != PAYMENT]
    stated = cycle.seen.amount_to_seller
    own = [line for line in counted if line.seen.amount.currency == cycle.seen.currency]
    total = sum((line.seen.amount for line in own), Money(0, cycle.seen.currency))
    residue = stated - total
    untied = sorted(line.seen.line_id for line in counted if line.wants_tie)
    reason = _keeps_open(cycle.seen, residue, len(untied), foreign=len(counted) - len(own))
    if not reason:
        if close_on == "paid" and cycle.seen.payout_state != "PAID":
            return ()
        return (
            PayoutClosed(
                cycle_id=cycle.cycle_id,
                stated=stated,
                lines_total=total,
                residue=residue,
                lines=len(counted),
                occurred_at=now,
            ),
        )
    held = cycle.held
    if held is not None and (held.reason, held.lines_total) == (reason, total):
        return ()
    return (
        PayoutHeld(
            cycle_id=cycle.cycle_id,
            stated=stated,
            lines_total=total,
            residue=residue,
            lines=len(counted),
            untied=tuple(untied[:UNTIED_SHOWN_MAX]),
            reason=reason,
            occurred_at=now,
        ),
    )


def _keeps_open(seen: BillingCycleSeen, residue: Money, untied: int, *, foreign: int) -> str:
    if seen.payout_state == "FAILED":
        return f"the payout failed: {seen.failure_reason or 'no reason given'}"
    if foreign:
        return f"{foreign} lines are not in {seen.currency}, the currency of the payout"
    if residue:
        return f"the stated amount and the lines differ by {residue}"
    if untied:
        return f"{untied} lines belong to orders without a sales order"
    return ""


def decide_accounts(
    known: Accounts | None, named: Mapping[str, str], now: datetime
) -> tuple[Event, ...]:
    """Set nominal accounts by role; roles left out keep what they have, or the house's.

    A transaction type that has no role may be named as one of its own.
    """
    if unknown := {each for each in set(named) - set(HOUSE_ACCOUNTS) if not _is_type(each)}:
        raise Misuse(
            f"no such role in the journal: {', '.join(sorted(unknown))}; "
            f"there are {', '.join(HOUSE_ACCOUNTS)}, and transaction types as NEW_FEE"
        )
    accounts = []
    for role, (house, tax_code) in HOUSE_ACCOUNTS.items():
        before = known.named(role) if known else None
        account = named.get(role) or (before.account if before else house)
        accounts.append(AccountNamed(role=role, account=account, tax_code=tax_code))
    own = {each.role: each.account for each in known.accounts} if known else {}
    accounts.extend(
        AccountNamed(role=role, account=account, tax_code="")
        for role, account in sorted({**own, **named}.items())
        if role not in HOUSE_ACCOUNTS
    )
    if known is not None and known.accounts == tuple(accounts):
        return ()
    version = 1 if known is None else known.version + 1
    return (AccountMapSet(accounts=tuple(accounts), version=version, occurred_at=now),)


def decide_journal(
    cycle: Cycle, lines: Sequence[Line], accounts: Accounts, now: datetime
) -> tuple[Event, ...]:
    """One balanced summary journal for a closed payout: bank, clearing, the rest by role."""
    if cycle.state != CycleState.CLOSED or cycle.closed is None:
        return ()
    currency = cycle.seen.currency
    sums: dict[str, Money] = defaultdict(lambda: Money(0, currency))
    for line in lines:
        if line.seen.kind != PAYMENT:
            sums[_role(line.seen.kind, accounts)] += line.seen.amount
    sums["bank"] -= cycle.seen.amount_to_seller
    posting_date = (cycle.seen.paid_at or cycle.created_at).astimezone(LONDON).date()
    journal = _journal_lines(sums, accounts, currency)
    _assert_balanced(cycle, journal)
    return (
        JournalIntended(
            cycle_id=cycle.cycle_id,
            reference=journal_reference(cycle.cycle_id, accounts.version),
            posting_date=posting_date,
            narrative=_narrative(cycle, posting_date),
            lines=journal,
            policy_version=accounts.version,
            occurred_at=now,
        ),
    )


def _role(kind: str, accounts: Accounts) -> str:
    return ROLE_OF_KIND.get(kind) or (kind if accounts.named(kind) else "other")


def _is_type(role: str) -> bool:
    """It is written as the marketplace writes transaction types, and none that has a role."""
    return bool(_TYPE.fullmatch(role)) and role not in ROLE_OF_KIND


def journal_reference(cycle_id: str, policy_version: int) -> str:
    """Derived from the payout and the policy version, so that a repeat is no second journal."""
    digest = hashlib.sha256(f"{cycle_id}\x00{policy_version}".encode()).hexdigest()
    return f"JL-{digest[:12].upper()}"


def _narrative(cycle: Cycle, posting_date: date) -> str:
    bank = cycle.seen.payout_reference or "no bank reference yet"
    return f"John Lewis payout of {posting_date:%d/%m/%Y}, {bank}"


def _journal_lines(
    sums: Mapping[str, Money], accounts: Accounts, currency: str
) -> tuple[JournalLine, ...]:
    """One line per account and tax code. A positive sum is owed to us: it is a credit."""
    nothing = Money(0, currency)
    by_account: dict[tuple[str, str], Money] = defaultdict(lambda: nothing)
    memos: dict[tuple[str, str], list[str]] = defaultdict(list)
    for role in dict.fromkeys((*HOUSE_ACCOUNTS, *sums)):
        if (amount := sums.get(role, nothing)) and (named := accounts.named(role)):
            by_account[named.account, named.tax_code] += amount
            memos[named.account, named.tax_code].append(role.replace("_", " "))
    return tuple(
        JournalLine(
            account=account,
            tax_code=tax_code,
            debit=-amount if amount < nothing else nothing,
            credit=max(nothing, amount),
            memo=", ".join(memos[account, tax_code]),
        )
        for (account, tax_code), amount in by_account.items()
        if amount
    )


def _assert_balanced(cycle: Cycle, journal: Sequence[JournalLine]) -> None:
    nothing = Money(0, cycle.seen.currency)
    debited = sum((line.debit for line in journal), nothing)
    credited = sum((line.credit for line in journal), nothing)
    if debited != credited:
        raise Misuse(
            f"the journal of payout {cycle.cycle_id} does not balance: "
            f"debits {debited}, credits {credited}; please report this"
        )


def cycles_due_at(last: datetime, times: Sequence[str]) -> datetime:
    """The first of the London times of day that comes after `last`."""
    start = last.astimezone(LONDON)
    candidates = [
        datetime.combine(start.date() + timedelta(days=days), time.fromisoformat(each), LONDON)
        for days in (0, 1)
        for each in times
    ]
    return min(each for each in candidates if each > start)
