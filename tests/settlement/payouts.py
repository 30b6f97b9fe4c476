"""Words for the tests of settlement: lines, a billing cycle, and what became of it."""

from kcjl.settlement.decide import (
    HOUSE_ACCOUNTS,
    decide_payout,
)
from kcjl.settlement.events import (
    AccountNamed,
    BillingCycleSeen,
    PayoutClosed,
    SettlementLineTied,
)
from kcjl.settlement.state import (
    CYCLES,
    LINES,
    Accounts,
    Cycle,
    Line,
    SalesOrder,
)
from kcjl.vocabulary import Event
from tests.trade import (
    at,
    cycle_seen,
    gbp,
    made_of,
    money_line,
)

SALES_ORDER = SalesOrder(order_id="O1", reference="REF-O1", erp_order_code="SO-O1")
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


def payout(
    entry: Cycle, *lines: Line, read: float | None = 130, close_on: str = "paid"
) -> tuple[Event, ...]:
    return decide_payout(
        entry,
        lines,
        lines_read_at=None if read is None else at(read),
        close_on=close_on,
        now=at(200),
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
