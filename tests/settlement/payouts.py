"""Words for the tests of settlement: lines, a billing cycle, and what became of it."""

from collections.abc import Sequence

from kcjl.money import Money
from kcjl.settlement.accounts import HOUSE_ACCOUNTS
from kcjl.settlement.decide import decide_payout
from kcjl.settlement.events import (
    PAYMENT,
    AccountNamed,
    BillingCycleSeen,
    LateLineFound,
    PayoutClosed,
    PayoutHeld,
    SettlementLineTied,
)
from kcjl.settlement.expectation import Known
from kcjl.settlement.gap_events import KindTotal, PayoutReconciled
from kcjl.settlement.sold import SoldOrder
from kcjl.settlement.state import (
    CYCLES,
    LINES,
    Accounts,
    Cycle,
    Line,
    TermsInForce,
)
from kcjl.vocabulary import Event
from tests.trade import (
    at,
    cycle_seen,
    gbp,
    made_of,
    money_line,
)

SALES_ORDER = SoldOrder(order_id="O1", reference="REF-O1", erp_order_code="SO-O1")
TIED = SettlementLineTied(
    line_id="L1",
    order_id="O1",
    order_line_id="O1-1",
    reference="REF-O1",
    erp_order_code="SO-O1",
    occurred_at=at(200),
)
HOUSE = Accounts(
    accounts=tuple(
        AccountNamed(role=role, account=account, tax_code=tax_code)
        for role, (account, tax_code) in HOUSE_ACCOUNTS.items()
    ),
    version=1,
)


def line(*events: Event) -> Line:
    return made_of(LINES, "L1", *events)


def tied(amount: int, kind: str = "ORDER_AMOUNT", line_id: str = "L1") -> Line:
    return Line(seen=money_line(line_id, amount, kind), tied_to="SO-O1")


def cycle(*then: Event, seen: BillingCycleSeen | None = None) -> Cycle:
    return made_of(CYCLES, "CY1", seen or cycle_seen(), *then)


def known(
    *sold: SoldOrder, lines: Sequence[Line] = (), terms: TermsInForce | None = None
) -> Known:
    """What a payout is held against: these orders, and these lines."""
    by_order: dict[str, list[Line]] = {}
    for each in lines:
        by_order.setdefault(each.seen.order_id or "", []).append(each)
    return Known(
        sold={each.order_id: each for each in sold},
        lines=by_order,
        terms=terms,
        returns_are_told=False,
    )


def payout(
    entry: Cycle,
    *lines: Line,
    read: float | None = 130,
    close_on: str = "paid",
    carried: Money | None = None,
    against: Known | None = None,
) -> tuple[Event, ...]:
    return decide_payout(
        entry,
        lines,
        against or known(lines=lines),
        lines_read_at=None if read is None else at(read),
        close_on=close_on,
        carried=carried,
        now=at(200),
    )


def closing(events: tuple[Event, ...]) -> PayoutClosed | PayoutHeld:
    """What is said last: the payout is closed, or held."""
    last = events[-1]
    assert isinstance(last, PayoutClosed | PayoutHeld)
    return last


def reconciled(lines: Sequence[Line]) -> PayoutReconciled:
    """What a payout says of these lines when it is closed, without gaps."""
    kinds: dict[str, list[Money]] = {}
    for each in lines:
        if each.seen.kind != PAYMENT:
            kinds.setdefault(each.seen.kind, []).append(each.seen.amount)
    return PayoutReconciled(
        cycle_id="CY1",
        lines_total=sum((sum(each, gbp(0)) for each in kinds.values()), gbp(0)),
        named=(),
        gaps=(),
        orders=1,
        terms_version=0,
        by_kind=tuple(
            KindTotal(kind=kind, lines=len(each), amount=sum(each, gbp(0)))
            for kind, each in kinds.items()
        ),
        occurred_at=at(199),
    )


def came_late(amount: int, kind: str = "ORDER_AMOUNT") -> LateLineFound:
    return LateLineFound(
        cycle_id="CY1", line_id="L9", kind=kind, amount=gbp(amount), occurred_at=at(210)
    )


def closed_cycle(amount: int = 2_000) -> Cycle:
    seen = cycle_seen(amount)
    closed = PayoutClosed(
        cycle_id="CY1",
        stated=gbp(amount),
        lines_total=gbp(amount),
        residue=gbp(0),
        lines=1,
        occurred_at=at(200),
    )
    return cycle(closed, seen=seen)
