"""Settlement, the rules of journals: balanced, split at the month's end, undone and made anew.

Promises: pure; debits equal credits; one line per account and tax code; the reference is
derived from the payout and the policy version, so that a repeat is no second journal. What is
posted is never changed: it is undone by a reversal and made anew, and both say why (law 6).
Invariant: the journal clears the clearing account, it does not sell again (contract khaos f).
Called by `actor.py` and `account.py`. Source: design 9; contract khaos f.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from kcjl.errors import Misuse, Refused
from kcjl.money import Money
from kcjl.settlement.accounts import HOUSE_ACCOUNTS
from kcjl.settlement.events import (
    PAYMENT,
    ROLE_OF_KIND,
    JournalAcknowledged,
    JournalIntended,
    JournalLine,
    JournalReversalAsked,
)
from kcjl.settlement.intake import LONDON
from kcjl.settlement.standing import JournalStanding
from kcjl.settlement.state import Accounts, Cycle, CycleState, Line
from kcjl.vocabulary import Event

__all__ = [
    "booked",
    "decide_acknowledged",
    "decide_correction",
    "decide_journals",
    "journal_reference",
    "month_of",
    "previewed",
    "role_of",
]

Sums = Mapping[str, Money]
"""By role. A sum above nothing is owed to us: it is a credit."""


def role_of(kind: str, accounts: Accounts) -> str:
    """What a type of line is booked to; a type that has no role may have its own account."""
    return ROLE_OF_KIND.get(kind) or (kind if accounts.named(kind) else "other")


def month_of(day: date) -> date:
    """The month of a day, as its first day."""
    return day.replace(day=1)


def decide_journals(
    cycle: Cycle,
    lines: Sequence[Line],
    accounts: Accounts,
    now: datetime,
    *,
    cycle_days: float,
    open_from: date = date.min,
) -> tuple[Event, ...]:
    """The summary journal of a closed payout; two or more where its cycle spans a month's end.

    What belongs to a month before is booked on that month's last day against `due`, and `due`
    is cleared by the payout's own journal. Nothing is dated before `open_from`: what belongs
    to a closed month is booked in the first open one.
    """
    if cycle.state != CycleState.CLOSED or cycle.closed is None:
        return ()
    currency = cycle.seen.currency
    paid_on = _paid_on(cycle)
    posting_date = max(paid_on, open_from)
    narrative = _narrative(cycle)
    if posting_date != paid_on:
        narrative += f"; {paid_on:%B %Y} is closed"
    begins = (cycle.created_at - timedelta(days=cycle_days)).astimezone(LONDON).date()
    first = month_of(max(begins, open_from))
    by_month = _by_month(lines, accounts, first, month_of(posting_date))
    own = defaultdict(lambda: Money(0, currency), by_month.pop(month_of(posting_date), {}))
    reference = journal_reference(cycle.cycle_id, accounts.version)
    journals = []
    for month, sums in sorted(by_month.items()):
        owed = sum(sums.values(), Money(0, currency))
        own["due"] += owed
        balanced = {**sums, "due": -owed}
        entries = _journal_lines(balanced, accounts, currency)
        if entries:
            journals.append(
                JournalIntended(
                    cycle_id=cycle.cycle_id,
                    reference=f"{reference}-{month:%Y%m}",
                    posting_date=_last_day(month),
                    narrative=f"{narrative}: of {month:%B %Y}",
                    lines=entries,
                    policy_version=accounts.version,
                    kind="month_end",
                    occurred_at=now,
                )
            )
    _add_transfer(own, cycle)
    journals.append(
        JournalIntended(
            cycle_id=cycle.cycle_id,
            reference=reference,
            posting_date=posting_date,
            narrative=narrative,
            lines=_journal_lines(own, accounts, currency),
            policy_version=accounts.version,
            occurred_at=now,
        )
    )
    for journal in journals:
        _assert_balanced(journal, currency)
    return tuple(journals)


def journal_reference(cycle_id: str, policy_version: int, correction: int = 0) -> str:
    """Derived from the payout and the policy version, so that a repeat is no second journal."""
    named = f"{cycle_id}\x00{policy_version}" + (f"\x00{correction}" if correction else "")
    digest = hashlib.sha256(named.encode()).hexdigest()
    return f"JL-{digest[:12].upper()}"


def _by_month(
    lines: Iterable[Line], accounts: Accounts, first: date, last: date
) -> dict[date, dict[str, Money]]:
    """Role sums by month: no earlier than the first, no later than the last."""
    sums: dict[date, dict[str, Money]] = {}
    for line in lines:
        if line.seen.kind == PAYMENT:
            continue
        moved_at = line.seen.created_at
        month = last if moved_at is None else month_of(moved_at.astimezone(LONDON).date())
        month = min(max(month, first), last)
        role, roles = role_of(line.seen.kind, accounts), sums.setdefault(month, {})
        known = roles.get(role)
        roles[role] = line.seen.amount if known is None else known + line.seen.amount
    return sums


def _add_transfer(sums: dict[str, Money], cycle: Cycle) -> None:
    """The bank's side, and the residue under its name. Below nothing nothing is paid."""
    stated = cycle.seen.amount_to_seller
    sums["bank" if stated.amount_minor > 0 else "due"] -= stated
    for each in cycle.reconciled.named if cycle.reconciled is not None else ():
        sums["due" if each.kind == "balance_carried" else "other"] += each.amount


def _paid_on(cycle: Cycle) -> date:
    return (cycle.seen.paid_at or cycle.created_at).astimezone(LONDON).date()


def _narrative(cycle: Cycle) -> str:
    bank = cycle.seen.payout_reference or "no bank reference yet"
    return f"John Lewis payout of {_paid_on(cycle):%d/%m/%Y}, {bank}"


def _last_day(month: date) -> date:
    return month_of(month + timedelta(days=31)) - timedelta(days=1)


def _journal_lines(sums: Sums, accounts: Accounts, currency: str) -> tuple[JournalLine, ...]:
    """One line per account and tax code, in the order of the roles; named types last."""
    nothing = Money(0, currency)
    by_account: dict[tuple[str, str], Money] = defaultdict(lambda: nothing)
    memos: dict[tuple[str, str], list[str]] = defaultdict(list)
    for role in dict.fromkeys((*HOUSE_ACCOUNTS, *sorted(sums))):
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


def _assert_balanced(journal: JournalIntended, currency: str) -> None:
    nothing = Money(0, currency)
    debited = sum((line.debit for line in journal.lines), nothing)
    credited = sum((line.credit for line in journal.lines), nothing)
    if debited != credited:
        raise Misuse(
            f"the journal of payout {journal.cycle_id} does not balance: "
            f"debits {debited}, credits {credited}; please report this"
        )


def previewed(cycle: Cycle, lines: Sequence[Line], accounts: Accounts) -> JournalIntended:
    """What a closed payout's journal would book under another account map, in one piece."""
    currency = cycle.seen.currency
    # One in another currency can't be added, and was raised when it came.
    amounts = [
        (line.seen.kind, line.seen.amount)
        for line in lines
        if line.seen.kind != PAYMENT and line.seen.amount.currency == currency
    ]
    day = _paid_on(cycle)
    journal = JournalIntended(
        cycle_id=cycle.cycle_id,
        reference=journal_reference(cycle.cycle_id, accounts.version),
        posting_date=day,
        narrative=_narrative(cycle),
        lines=_journal_lines(_sums(cycle, amounts, accounts), accounts, currency),
        policy_version=accounts.version,
        occurred_at=cycle.created_at,
    )
    _assert_balanced(journal, currency)
    return journal


# ── undone and made anew ────────────────────────────────────────────────────────────────────


def decide_correction(
    cycle: Cycle | None,
    cycle_id: str,
    accounts: Accounts,
    *,
    reason: str,
    now: datetime,
    open_from: date = date.min,
) -> tuple[Event, ...]:
    """Undo the payout's journals and make one anew, dated today: a closed month stays as it is.

    Should the clock say a day of a closed month, the first open day stands instead.

    Raises Refused where there is nothing to undo yet, or nothing would change.
    """
    if cycle is None or cycle.state != CycleState.DONE:
        stands = "unknown" if cycle is None else cycle.state.value
        raise Refused(
            f"reversing the journal of payout {cycle_id}: it is {stands}; there is nothing to "
            "undo before its journal is prepared"
        )
    standing = [each.intended for each in cycle.in_force]
    today = max(now.astimezone(LONDON).date(), open_from)
    corrected = _corrected(cycle, accounts, standing, reason, now, today)
    # One that was voided in the ledger books nothing, and its reversal will not either.
    books = [each.intended for each in cycle.in_force if not each.is_void]
    if booked(books) == booked((corrected,)):
        raise Refused(
            f"reversing the journal of payout {cycle_id}: the new one would book the same; "
            "name the account that is to change first (kcjl settlement account ROLE NOMINAL)"
        )
    references = tuple(each.reference for each in standing)
    asked = JournalReversalAsked(
        cycle_id=cycle_id, references=references, reason=reason, occurred_at=now
    )
    undone = [_undone(each, today, reason, now) for each in standing]
    return (asked, *undone, corrected)


def _undone(each: JournalIntended, today: date, reason: str, now: datetime) -> JournalIntended:
    return JournalIntended(
        cycle_id=each.cycle_id,
        reference=f"{each.reference}-R",
        posting_date=today,
        narrative=f"Reversal of {each.reference}: {reason}",
        lines=tuple(
            JournalLine(
                account=line.account,
                tax_code=line.tax_code,
                debit=line.credit,
                credit=line.debit,
                memo=line.memo,
            )
            for line in each.lines
        ),
        policy_version=each.policy_version,
        kind="reversal",
        reverses=each.reference,
        reason=reason,
        occurred_at=now,
    )


def _corrected(
    cycle: Cycle,
    accounts: Accounts,
    standing: Sequence[JournalIntended],
    reason: str,
    now: datetime,
    today: date,
) -> JournalIntended:
    """All lines as they stand now, by type: as they were when the payout was closed, and what
    came late; what came late is set against `other` until it is paid.
    """
    currency = cycle.seen.currency
    replaced = tuple(each.reference for each in standing)
    closed = cycle.reconciled.by_kind if cycle.reconciled is not None else ()
    amounts = [*((each.kind, each.amount) for each in closed), *cycle.late_by_kind]
    journal = JournalIntended(
        cycle_id=cycle.cycle_id,
        reference=journal_reference(cycle.cycle_id, accounts.version, len(cycle.journals)),
        posting_date=today,
        narrative=f"{_narrative(cycle)}; instead of {', '.join(replaced)}: {reason}",
        lines=_journal_lines(_sums(cycle, amounts, accounts), accounts, currency),
        policy_version=accounts.version,
        kind="correction",
        corrects=replaced,
        reason=reason,
        occurred_at=now,
    )
    _assert_balanced(journal, currency)
    return journal


def _sums(cycle: Cycle, amounts: Iterable[tuple[str, Money]], accounts: Accounts) -> Sums:
    """Roles, the transfer, and against `other` what came after the payout was closed.

    `amounts`: of lines in the payout's currency, or of all lines of a type.
    """
    currency = cycle.seen.currency
    sums: dict[str, Money] = defaultdict(lambda: Money(0, currency))
    for kind, amount in amounts:
        sums[role_of(kind, accounts)] += amount
    _add_transfer(sums, cycle)
    sums["other"] -= sum(sums.values(), Money(0, currency))
    return sums


def booked(journals: Iterable[JournalIntended]) -> dict[tuple[str, str], int]:
    """What journals come to together: credit less debit in pence, by account and tax code."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for journal in journals:
        for line in journal.lines:
            amount = line.credit.amount_minor - line.debit.amount_minor
            sums[line.account, line.tax_code] += amount
    return {key: amount for key, amount in sums.items() if amount}


# ── the ledger's number ─────────────────────────────────────────────────────────────────────


def decide_acknowledged(
    cycle: Cycle | None, reference: str, ledger_number: str, now: datetime
) -> tuple[Event, ...]:
    """A person has entered the journal. Raises Refused for one that is not there to enter."""
    found = _standing(cycle, reference)
    if cycle is None or found is None or found.prepared is None:
        raise Refused(
            f"acknowledging journal {reference}: there is no such journal that was prepared; "
            "`kcjl payouts list` names payouts, `kcjl payouts journal PAYOUT` their journals"
        )
    if found.ledger_number == ledger_number:
        return ()
    if found.ledger_number:
        raise Refused(
            f"acknowledging journal {reference}: it is {found.ledger_number} in the ledger "
            f"already, and can't be {ledger_number} too: if it was entered twice, undo one"
        )
    return (
        JournalAcknowledged(
            cycle_id=cycle.cycle_id,
            reference=reference,
            ledger_number=ledger_number,
            occurred_at=now,
        ),
    )


def _standing(cycle: Cycle | None, reference: str) -> JournalStanding | None:
    journals = cycle.journals if cycle is not None else ()
    return next((each for each in journals if each.intended.reference == reference), None)
