"""A payout's whole account, and what is not on one yet: for people, packs and month-ends.

Promises: pure; made of entries of the folds and of the payout's gaps, with nothing added and
nothing left out: what was transferred is the lines and the named amounts, in every view. A line
belongs to the month in which its money moved, in London, whenever we learnt of it.
It decides nothing. Called by the CLI, and by whoever writes packs. Source: design 9.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

import msgspec

from kcjl.money import Money
from kcjl.settlement.events import (
    PAYMENT,
    ROLE_OF_KIND,
    JournalIntended,
    JournalLine,
    SettlementLineSeen,
)
from kcjl.settlement.gap_events import GapFound, NamedAmount
from kcjl.settlement.intake import LONDON
from kcjl.settlement.journal import month_of
from kcjl.settlement.matching import Counterpart, counterpart_of
from kcjl.settlement.state import Cycle, JournalStanding, Line

__all__ = [
    "AccountLine",
    "MonthFigures",
    "PayoutAccount",
    "Total",
    "UnpaidOrder",
    "account_of",
    "booked_in",
    "entry_of",
    "month_end_of",
    "month_figures",
    "role_of_line",
    "unpaid_of",
]


class Total(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A sum of lines under a name."""

    name: str
    lines: int
    amount: Money


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction line, what it is the money of, and where it is booked."""

    seen: SettlementLineSeen
    counterpart: Counterpart
    role: str
    erp_order_code: str
    tied: bool
    journal: str
    """The reference of the journal that has it now; empty: none yet."""
    account: str


class PayoutAccount(msgspec.Struct, frozen=True, kw_only=True):
    """All of one payout."""

    cycle: Cycle
    lines_total: Money
    residue: Money
    named: tuple[NamedAmount, ...]
    expected: Money | None
    """What the lines should have come to; None before the payout is closed."""
    by_kind: tuple[Total, ...]
    by_role: tuple[Total, ...]
    gaps: tuple[GapFound, ...]
    untied: tuple[str, ...]
    lines: tuple[AccountLine, ...]
    journals: tuple[JournalStanding, ...]


class UnpaidOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of one order (or of none) that no cycle has yet."""

    order_id: str
    """Empty: fees and credits of no order."""
    payment_state: str
    """PAYABLE when a cycle may take all of it; else the state of what waits."""
    amount: Money
    lines: int
    since: datetime
    age_days: int


class MonthFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a month was, as far as it is known."""

    month: date
    lines: int
    total: Money
    by_kind: tuple[Total, ...]


def account_of(
    cycle: Cycle, lines: Sequence[Line], gaps: Iterable[GapFound] = ()
) -> PayoutAccount:
    """The account of a payout, of its lines as they are known."""
    currency = cycle.seen.currency
    counted = [
        line
        for line in lines
        if line.seen.kind != PAYMENT and line.seen.amount.currency == currency
    ]
    seen = [line.seen for line in counted]
    total = sum((each.amount for each in seen), Money(0, currency))
    reconciled = cycle.reconciled
    return PayoutAccount(
        cycle=cycle,
        lines_total=total,
        residue=cycle.seen.amount_to_seller - total,
        named=reconciled.named if reconciled is not None else (),
        expected=reconciled.expected if reconciled is not None else None,
        by_kind=_totals(seen, lambda each: each.kind),
        by_role=_totals(seen, role_of_line),
        gaps=tuple(sorted(gaps, key=lambda gap: (gap.kind, gap.subject, gap.line_ids))),
        untied=tuple(sorted(line.seen.line_id for line in counted if line.wants_tie)),
        lines=tuple(_account_line(cycle, line) for line in counted),
        journals=cycle.journals,
    )


def _account_line(cycle: Cycle, line: Line) -> AccountLine:
    found = booked_in(cycle, line.seen)
    return AccountLine(
        seen=line.seen,
        counterpart=counterpart_of(line.seen),
        role=role_of_line(line.seen),
        erp_order_code=line.tied_to,
        tied=not line.wants_tie,
        journal=found[0].reference if found is not None else "",
        account=found[1].account if found is not None and found[1] is not None else "",
    )


def booked_in(
    cycle: Cycle, seen: SettlementLineSeen
) -> tuple[JournalIntended, JournalLine | None] | None:
    """The journal that has the line now, and its line there; None before there is one.

    No line of the journal: what the account sums up to is nothing.
    """
    standing = [each.intended for each in cycle.in_force]
    journal = month_end_of([each for each in standing if each.kind == "month_end"], seen)
    journal = journal or next((each for each in standing if each.kind != "month_end"), None)
    if journal is None:
        return None
    return journal, entry_of(journal, seen.kind, role_of_line(seen))


def month_end_of(
    month_ends: Iterable[JournalIntended], seen: SettlementLineSeen
) -> JournalIntended | None:
    """Which of a payout's journals of month's ends has the line; None: its own journal."""
    if seen.created_at is None:
        return None
    moved_on = seen.created_at.astimezone(LONDON).date()
    by_day = sorted(month_ends, key=lambda each: each.posting_date)
    return next((each for each in by_day if moved_on <= each.posting_date), None)


def entry_of(journal: JournalIntended, *names: str) -> JournalLine | None:
    """The entry that books the first of these roles or types; None: it comes to nothing.

    A type with an account of its own stands under its own name, others under their role's.
    """
    for name in names:
        memo = name.replace("_", " ")
        entry = next((each for each in journal.lines if memo in each.memo.split(", ")), None)
        if entry is not None:
            return entry
    return None


def role_of_line(seen: SettlementLineSeen) -> str:
    return ROLE_OF_KIND.get(seen.kind) or (seen.kind if seen.own_account else "other")


def unpaid_of(lines: Iterable[Line], now: datetime) -> tuple[UnpaidOrder, ...]:
    """What is on no cycle yet, by order, the oldest first."""
    by_order: defaultdict[tuple[str, str], list[SettlementLineSeen]] = defaultdict(list)
    for line in lines:
        seen = line.seen
        if seen.cycle_id is None and seen.kind != PAYMENT:
            by_order[seen.order_id or "", seen.amount.currency].append(seen)
    found = []
    for (order_id, currency), each in by_order.items():
        since = min(one.created_at or one.occurred_at for one in each)
        states = sorted({one.payment_state for one in each} - {"PAYABLE"})
        found.append(
            UnpaidOrder(
                order_id=order_id,
                payment_state=", ".join(states) or "PAYABLE",
                amount=sum((one.amount for one in each), Money(0, currency)),
                lines=len(each),
                since=since,
                age_days=max(0, (now - since).days),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.since, one.order_id)))


def month_figures(lines: Iterable[Line], month: date, currency: str) -> MonthFigures:
    """Lines whose money moved in the month: of all that is known, or of what was known then."""
    seen = [
        line.seen
        for line in lines
        if line.seen.kind != PAYMENT
        and line.seen.amount.currency == currency
        and _month(line.seen) == month
    ]
    return MonthFigures(
        month=month,
        lines=len(seen),
        total=sum((each.amount for each in seen), Money(0, currency)),
        by_kind=_totals(seen, lambda each: each.kind),
    )


def _month(seen: SettlementLineSeen) -> date:
    return month_of((seen.created_at or seen.occurred_at).astimezone(LONDON).date())


def _totals(
    seen: Iterable[SettlementLineSeen], name_of: Callable[[SettlementLineSeen], str]
) -> tuple[Total, ...]:
    """In alphabetical order of their names."""
    by_name: defaultdict[str, list[Money]] = defaultdict(list)
    for each in seen:
        by_name[name_of(each)].append(each.amount)
    return tuple(
        Total(name=name, lines=len(amounts), amount=sum(amounts[1:], amounts[0]))
        for name, amounts in sorted(by_name.items())
    )
