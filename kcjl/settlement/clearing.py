"""What a payout does to the clearing account, row by row, for the ERP's bank import.

Promises: pure; the summary is the entries of the journals that stand, seen from the clearing
account: its rows add up to the account's change there, to the penny. The detail is the payout's
lines and its transfer: they add up to nothing, since what the sales brought has left.
Called by `kcjl payouts bankfile`. Source: contract khaos f, routes 3 and 4.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time

from kcjl.errors import Refused
from kcjl.ledger.bank_file import ClearingRow
from kcjl.money import Money
from kcjl.settlement.events import (
    PAYMENT,
    ROLE_OF_KIND,
    JournalIntended,
    SettlementLineSeen,
)
from kcjl.settlement.intake import LONDON
from kcjl.settlement.state import Cycle, Line

__all__ = ["clearing_account", "detailed", "summed"]

CLEARING, BANK, LATE = "clearing", "payout", "late lines"
FEE_ROLES = frozenset({"commission", "commission_vat", "fees", "fees_vat"})


def summed(cycle: Cycle) -> tuple[ClearingRow, ...]:
    """One row an entry of the journals that stand, but for those of the clearing account."""
    account = clearing_account(cycle)
    return tuple(
        row
        for standing in cycle.in_force
        for row in _entries(cycle, standing.intended, account)
    )


def clearing_account(cycle: Cycle) -> str:
    """The account that the journals clear. Raises Refused where there is no journal yet."""
    standing = [each.intended for each in cycle.in_force]
    if not standing:
        raise Refused(
            f"the clearing account's file of payout {cycle.cycle_id}: it is "
            f"{cycle.state.value}, and has no journal yet; `kcjl payouts show "
            f"{cycle.cycle_id}` says what keeps it open"
        )
    named = (
        entry.account
        for journal in standing
        for entry in journal.lines
        if CLEARING in entry.memo.split(", ")
    )
    return next(named, "")


def _entries(cycle: Cycle, journal: JournalIntended, account: str) -> Iterator[ClearingRow]:
    for entry in journal.lines:
        if entry.account == account:
            continue
        what = BANK if "bank" in entry.memo.split(", ") else entry.memo
        yield ClearingRow(
            moved_at=datetime.combine(journal.posting_date, time(12), UTC),
            amount=entry.credit - entry.debit,
            what=what,
            memo=f"{_memo(cycle, what)} {journal.reference}",
        )


def _memo(cycle: Cycle, what: str) -> str:
    """The role's words first, for the matching setup; then the payout that it is of."""
    return f"JOHN LEWIS {what.upper()} {cycle.seen.payout_reference or cycle.cycle_id}"


def detailed(cycle: Cycle, lines: Sequence[Line], *, by: str) -> tuple[ClearingRow, ...]:
    """One row a transaction line, then the named amounts and the transfer: together nothing.

    `by`: whether an order is called by its `customer_order_number` or its `order_id`. A line
    that came late, and that no journal has, is set against a row of its own.
    """
    clearing_account(cycle)  # a payout that is still open has no file
    seen = sorted(
        (
            each.seen
            for each in lines
            if each.seen.kind != PAYMENT and each.seen.amount.currency == cycle.seen.currency
        ),
        key=lambda each: (each.created_at or each.occurred_at, each.line_id),
    )
    rows = [_line(cycle, each, by) for each in seen if each.amount]
    stated = cycle.seen.amount_to_seller
    moved_at = cycle.seen.paid_at or cycle.created_at
    named = cycle.reconciled.named if cycle.reconciled is not None else ()
    rows += [
        _other(cycle, moved_at, each.amount, each.kind.replace("_", " ")) for each in named
    ]
    paid = stated if stated.amount_minor > 0 else Money(0, stated.currency)
    total = sum((each.amount for each in rows), Money(0, stated.currency))
    if late := total - stated:
        rows.append(_other(cycle, moved_at, -late, LATE))
    if due := stated - paid:
        rows.append(_other(cycle, moved_at, -due, "due"))
    if paid:
        rows.append(
            ClearingRow(
                moved_at=moved_at,
                amount=-paid,
                what=BANK,
                memo=_memo(cycle, BANK),
                shape=("Transfer", "Transfer"),
            )
        )
    return tuple(rows)


def _line(cycle: Cycle, seen: SettlementLineSeen, by: str) -> ClearingRow:
    role = ROLE_OF_KIND.get(seen.kind, "other")
    order = seen.order_id or ""
    if by == "customer_order_number":
        order = seen.customer_order_number or order
    return ClearingRow(
        moved_at=(seen.created_at or seen.occurred_at).astimezone(LONDON),
        amount=seen.amount,
        what=role.replace("_", " "),
        memo=_memo(cycle, role.replace("_", " ")),
        order=order,
        shape=_shape(seen, role),
    )


def _shape(seen: SettlementLineSeen, role: str) -> tuple[str, str]:
    kind = "other-transaction"
    if seen.order_id is not None:
        kind = "Refund" if seen.refund_id is not None or role == "refunds" else "Order"
    if role in (CLEARING, "refunds"):
        return kind, "ItemPrice"
    if role in FEE_ROLES:
        return kind, "ItemFees"
    return kind, role.replace("_", " ")


def _other(cycle: Cycle, moved_at: datetime, amount: Money, what: str) -> ClearingRow:
    return ClearingRow(
        moved_at=moved_at,
        amount=amount,
        what=what,
        memo=_memo(cycle, what),
        shape=("other-transaction", what),
    )
