"""A log of two payouts: contract e.4's, closed and booked, and one that is held.

Called by the tests of the verbs that tell of payouts.
"""

from kcjl.settlement.accounts import decide_accounts
from kcjl.settlement.decide import decide_payout
from kcjl.settlement.events import (
    JournalIntended,
    JournalPrepared,
    SettlementLineTied,
)
from kcjl.settlement.expectation import Known
from kcjl.settlement.journal import decide_journals
from kcjl.settlement.state import ACCOUNTS, CYCLES, Line
from tests.audit.handmade import Handmade
from tests.settlement.sales import ORDER, TERMS_20, e4_lines
from tests.settlement.test_intake import KEPT, SEEN
from tests.trade import (
    SHIPPING,
    at,
    cycle_seen,
    made_of,
    money_line,
    ordered,
    posted,
    received,
    shipped,
)

__all__ = ["SOLD", "booked_payout", "tied"]

SOLD = received("O1", ordered("O1-1"), ordered("O1-2", "B-2"), state=SHIPPING)


def tied(line: Line) -> SettlementLineTied:
    return SettlementLineTied(
        line_id=line.seen.line_id,
        order_id="O1",
        order_line_id=line.seen.order_line_id,
        reference="REF-O1",
        erp_order_code="SO-O1",
        occurred_at=at(190),
    )


async def booked_payout(made: Handmade) -> None:
    """CY1 is closed and booked; CY2 is held; line L9 is of no payout yet."""
    lines = e4_lines()
    of_order = [each for each in lines if each.seen.order_id]
    (accounts,) = decide_accounts(None, {}, at(0))
    cycle = made_of(CYCLES, "CY1", cycle_seen(2_102))
    known = Known(
        sold={"O1": ORDER}, lines={"O1": of_order}, terms=TERMS_20, returns_are_told=True
    )
    closing = decide_payout(
        cycle,
        lines,
        known,
        lines_read_at=at(130),
        close_on="paid",
        carried=None,
        now=at(200),
    )
    for event in closing:
        cycle = CYCLES.evolve(cycle, event, "CY1") or cycle
    house = made_of(ACCOUNTS, "accounts", accounts)
    (journal,) = decide_journals(cycle, lines, house, at(201), cycle_days=11)
    assert isinstance(journal, JournalIntended)
    prepared = JournalPrepared(
        cycle_id="CY1",
        reference=journal.reference,
        total=cycle.seen.amount_to_seller,
        files=(),
        occurred_at=at(202),
    )
    held = made_of(CYCLES, "CY2", cycle_seen(500, cycle="CY2"))
    (holding,) = decide_payout(
        held,
        [],
        Known(sold={}, lines={}, terms=None, returns_are_told=True),
        lines_read_at=at(130),
        close_on="paid",
        carried=None,
        now=at(200),
    )
    await made.append(SOLD, posted(SOLD), shipped())
    await made.append(accounts, *(each.seen for each in lines), *map(tied, of_order))
    await made.append(cycle.seen, *closing, journal, prepared, SEEN, KEPT)
    await made.append(held.seen, holding, money_line("L9", 700, cycle=None))
