"""Settlement, the rules of expectation: what each order should have brought, line by line.

Promises: pure; every difference is a gap with a name and its pence; what can't be known (no
rate, a line that was cancelled in part) is not held against anything. Amounts are those that
came; nothing is booked by what is computed here (contract e.5: book what they report).
Invariant: what was charged less the gaps is what was expected.
Called by `decide.py`. Source: design 9; contract johnlewis e.3, e.5, e.6.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from kcjl.money import Money
from kcjl.settlement.bundles import Bundle, bundles_of
from kcjl.settlement.commission import commission_gaps
from kcjl.settlement.events import PAYMENT, ROLE_OF_KIND
from kcjl.settlement.gap_events import GapFound, GapTotal
from kcjl.settlement.sold import SoldOrder
from kcjl.settlement.state import Line, TermsInForce

__all__ = ["Known", "find_gaps", "gap_totals"]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a payout is held against."""

    sold: Mapping[str, SoldOrder]
    """By order id: of every order that has a line in the payout."""
    lines: Mapping[str, Sequence[Line]]
    """By order id: all lines of these orders, in whatever cycle."""
    terms: TermsInForce | None
    returns_are_told: bool
    """The tenant has the returns module, and we read it."""


def find_gaps(
    cycle_id: str, here: Sequence[Line], known: Known, now: datetime
) -> tuple[GapFound, ...]:
    """The gaps of a payout, in order of their subject."""
    by_order: defaultdict[str, list[Line]] = defaultdict(list)
    found: list[GapFound] = []
    for line in here:
        seen = line.seen
        if seen.kind not in ROLE_OF_KIND and seen.kind != PAYMENT and not seen.own_account:
            found.append(_unknown(cycle_id, line, now))
        elif seen.order_id is not None:
            by_order[seen.order_id].append(line)
    for order_id, lines in by_order.items():
        found.extend(_order_gaps(cycle_id, order_id, lines, known, now))
    return tuple(sorted(found, key=lambda gap: (gap.subject, gap.kind, gap.line_ids)))


def gap_totals(gaps: Sequence[GapFound]) -> tuple[GapTotal, ...]:
    """Gaps by kind, in alphabetical order."""
    by_kind: defaultdict[str, list[GapFound]] = defaultdict(list)
    for gap in gaps:
        by_kind[gap.kind].append(gap)
    return tuple(
        GapTotal(
            kind=each[0].kind,
            gaps=len(each),
            amount=sum((gap.amount for gap in each[1:]), each[0].amount),
        )
        for _, each in sorted(by_kind.items())
    )


def _unknown(cycle_id: str, line: Line, now: datetime) -> GapFound:
    amount = line.seen.amount
    return GapFound(
        cycle_id=cycle_id,
        kind="unknown_type",
        subject=line.seen.line_id,
        expected=Money(0, amount.currency),
        charged=amount,
        order_id=line.seen.order_id,
        order_line_id=line.seen.order_line_id,
        line_ids=(line.seen.line_id,),
        message=f"lines of type {line.seen.kind} are not known: {amount}",
        occurred_at=now,
    )


def _order_gaps(
    cycle_id: str, order_id: str, here: Sequence[Line], known: Known, now: datetime
) -> Iterator[GapFound]:
    sold = known.sold.get(order_id)
    untied = [line for line in here if line.wants_tie]
    if untied:
        yield _not_in_erp(cycle_id, order_id, untied, now)
    if sold is None or len(untied) == len(here):
        return
    if sold.erp_off is not None and any(line.seen.kind == "ORDER_AMOUNT" for line in here):
        yield _total_differs(cycle_id, sold, sold.erp_off, now)
    everywhere = [line.seen for line in known.lines.get(order_id, ())]
    for bundle in bundles_of(cycle_id, everywhere, sold):
        yield from bundle.gaps(now)
        yield from commission_gaps(bundle, known.terms, now)
        yield from _return_gaps(bundle, known, now)


def _not_in_erp(
    cycle_id: str, order_id: str, untied: Sequence[Line], now: datetime
) -> GapFound:
    nothing = Money(0, untied[0].seen.amount.currency)
    charged = sum(
        (line.seen.amount for line in untied if line.seen.amount.currency == nothing.currency),
        nothing,
    )
    return GapFound(
        cycle_id=cycle_id,
        kind="order_not_in_erp",
        subject=order_id,
        expected=nothing,
        charged=charged,
        order_id=order_id,
        order_line_id=None,
        line_ids=tuple(sorted(line.seen.line_id for line in untied)),
        message=f"the ERP has no sales order of {order_id}, and {charged} is settled for it",
        occurred_at=now,
    )


def _total_differs(cycle_id: str, sold: SoldOrder, off: Money, now: datetime) -> GapFound:
    return GapFound(
        cycle_id=cycle_id,
        kind="erp_total_differs",
        subject=sold.order_id,
        expected=off,
        charged=Money(0, off.currency),
        order_id=sold.order_id,
        order_line_id=None,
        line_ids=(),
        message=f"sales order {sold.erp_order_code} is {off} other than the order",
        occurred_at=now,
    )


def _return_gaps(bundle: Bundle, known: Known, now: datetime) -> Iterator[GapFound]:
    """Money went back for goods, and no goods came back."""
    line_id, sold = bundle.order_line_id, bundle.sold
    goods = bundle.here("price")
    if not known.returns_are_told or not bundle.refund_id or not goods:
        return
    if line_id in sold.returned or line_id in sold.withdrawn:
        return
    yield bundle.gap(
        "refund_without_return",
        Money(0, goods.currency),
        goods,
        "price",
        now,
        f"{-goods} went back for goods, and nothing was received",
    )
