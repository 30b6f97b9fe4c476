"""Settlement, the rules: what is news, what is tied, and what keeps a payout open."""

from datetime import UTC, datetime

import msgspec
import pytest

from kcjl.money import Money
from kcjl.settlement.decide import UNTIED_SHOWN_MAX
from kcjl.settlement.events import (
    PayoutClosed,
    PayoutHeld,
)
from kcjl.settlement.gap_events import KindTotal, PayoutReconciled
from kcjl.settlement.intake import cycles_due_at, decide_cycle, decide_line
from kcjl.settlement.matching import decide_tie
from kcjl.settlement.sold import SOLD
from kcjl.settlement.state import LINES, Line
from tests.settlement.payouts import (
    SALES_ORDER,
    TIED,
    closed_cycle,
    closing,
    cycle,
    line,
    payout,
    tied,
)
from tests.trade import (
    at,
    cycle_seen,
    folded,
    gbp,
    money_line,
    posted,
    received,
)

# ── lines ───────────────────────────────────────────────────────────────────────────────────


def test_line_is_news_once() -> None:
    """A line that comes again as it was is nothing new, whatever its update time."""
    assert (money_line(),) == decide_line(None, money_line())
    assert () == decide_line(line(money_line()), money_line(minutes=90))


@pytest.mark.parametrize(
    "difference",
    [
        {"payment_state": "PAID"},
        {"cycle_id": "CY2"},
        {"voucher": "V1"},
        {"document_number": "D1"},
        {"amount": gbp(1)},
        {"kind": "NEW_FEE"},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_line_that_came_back_changed_is_news(difference: dict[str, object]) -> None:
    """A line that moves on to a cycle, a voucher or another state is told."""
    again = msgspec.structs.replace(money_line(minutes=90), **difference)

    assert (again,) == decide_line(line(money_line()), again)


def test_line_from_an_older_page_is_nothing_new() -> None:
    """What was updated earlier undoes nothing."""
    old = msgspec.structs.replace(money_line(minutes=59), payment_state="PENDING")

    assert () == decide_line(line(money_line(minutes=60)), old)


def test_line_is_tied_to_its_sales_order() -> None:
    """By its order, and through the customer order number, to the ERP's sales order."""
    assert (TIED,) == decide_tie(line(money_line()), SALES_ORDER, at(200))


def test_line_is_tied_once_and_only_where_there_is_something_to_tie_to() -> None:
    """Tied is tied; a line of no order is tied to nothing; no sales order, no tie."""
    assert () == decide_tie(line(money_line(), TIED), SALES_ORDER, at(201))
    assert () == decide_tie(line(money_line(order_id=None)), SALES_ORDER, at(201))
    assert () == decide_tie(line(money_line()), None, at(201))


def test_line_that_changes_stays_tied() -> None:
    """A new state of a line does not untie it."""
    assert "SO-O1" == line(money_line(), TIED, money_line(minutes=300)).tied_to


def test_tie_of_an_unknown_line_makes_no_entry() -> None:
    """A line exists from its first sight on."""
    assert folded(LINES, "L1", [TIED]) is None


def test_sales_order_is_known_from_its_posting() -> None:
    """What lines are tied to is what was posted."""
    assert SALES_ORDER == folded(SOLD, "O1", [posted(received())])


def test_cycle_is_news_when_it_differs() -> None:
    """A billing cycle is told when it comes, and when it changes."""
    assert (cycle_seen(),) == decide_cycle(None, cycle_seen())
    assert () == decide_cycle(cycle(), cycle_seen())
    assert (cycle_seen(state="FAILED"),) == decide_cycle(cycle(), cycle_seen(state="FAILED"))


# ── payouts ─────────────────────────────────────────────────────────────────────────────────


def test_payout_closes_when_its_lines_add_up_and_all_are_tied() -> None:
    """Sum of the lines = amount transferred, every line tied: closed with residue 0."""
    assert (
        PayoutReconciled(
            cycle_id="CY1",
            lines_total=gbp(2_000),
            named=(),
            gaps=(),
            orders=1,
            terms_version=0,
            by_kind=(
                KindTotal(kind="COMMISSION_FEE", lines=1, amount=gbp(-300)),
                KindTotal(kind="ORDER_AMOUNT", lines=1, amount=gbp(2_300)),
            ),
            occurred_at=at(200),
        ),
        PayoutClosed(
            cycle_id="CY1",
            stated=gbp(2_000),
            lines_total=gbp(2_000),
            residue=gbp(0),
            lines=2,
            occurred_at=at(200),
        ),
    ) == payout(cycle(), tied(2_300), tied(-300, "COMMISSION_FEE", "L2"))


def test_payout_does_not_count_its_own_payment_line() -> None:
    """The line that equals the payout is never added to it."""
    event = closing(payout(cycle(), tied(2_000), tied(-2_000, "PAYMENT", "L2")))

    assert isinstance(event, PayoutClosed)
    assert 1 == event.lines


def test_payout_counts_cycle_lines_that_no_order_has() -> None:
    """A subscription fee belongs to no order, and needs no tie."""
    fee = Line(seen=money_line("L2", -500, "SUBSCRIPTION_FEE", order_id=None))

    event = closing(payout(cycle(), tied(2_500), fee))

    assert isinstance(event, PayoutClosed)


@pytest.mark.parametrize("read", [None, 119, 124.9])
def test_payout_waits_for_lines_that_may_still_come(read: float | None) -> None:
    """Nothing is said before the lines have been read, some minutes after the cycle."""
    assert () == payout(cycle(), tied(2_000), read=read)


def test_payout_that_is_not_paid_yet_waits_by_policy() -> None:
    """It closes when it is shown as paid; or at the cycle, where payments are not confirmed."""
    unpaid = cycle(seen=cycle_seen(state="TO_PAY"))

    assert () == payout(unpaid, tied(2_000))
    event = closing(payout(unpaid, tied(2_000), close_on="cycle"))
    assert isinstance(event, PayoutClosed)


def test_payout_with_a_residue_is_held_with_its_pence() -> None:
    """A penny too little keeps it open, and the penny is named."""
    (event,) = payout(cycle(), tied(1_999))

    assert isinstance(event, PayoutHeld)
    assert gbp(1) == event.residue
    assert "the stated amount and the lines differ by 0.01 GBP" == event.reason


def test_payout_with_a_line_in_another_currency_is_held_and_says_so() -> None:
    """Two currencies are never added: such a line keeps the payout open by name."""
    euros = msgspec.structs.replace(money_line("L7", 0), amount=Money(500, "EUR"))
    (event,) = payout(cycle(), tied(2_000), Line(seen=euros, tied_to="SO-O1"))

    assert isinstance(event, PayoutHeld)
    assert "1 lines are not in GBP, the currency of the payout" == event.reason


def test_payout_with_untied_lines_is_held_and_names_them() -> None:
    """A line without its sales order keeps it open; the first of them are named."""
    many = [Line(seen=money_line(f"L{number:02}", 0)) for number in range(UNTIED_SHOWN_MAX + 5)]
    (event,) = payout(cycle(), tied(2_000, line_id="L99"), *many)

    assert isinstance(event, PayoutHeld)
    assert "25 lines belong to orders without a sales order" == event.reason
    assert tuple(each.seen.line_id for each in many[:UNTIED_SHOWN_MAX]) == event.untied


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ("IBAN closed", "the payout failed: IBAN closed"),
        (None, "the payout failed: no reason given"),
    ],
)
def test_payout_that_failed_is_held_with_the_reason(why: str | None, reason: str) -> None:
    """A transfer that failed is never a closed payout."""
    seen = msgspec.structs.replace(cycle_seen(state="FAILED"), failure_reason=why)
    (event,) = payout(cycle(seen=seen), tied(2_000))

    assert isinstance(event, PayoutHeld)
    assert reason == event.reason


def test_payout_held_is_said_again_only_when_something_is_new() -> None:
    """The same words are not said twice; another total is."""
    (held,) = payout(cycle(), tied(1_999))

    assert () == payout(cycle(held), tied(1_999))
    (again,) = payout(cycle(held), tied(1_998))
    assert isinstance(again, PayoutHeld)
    closed = closing(payout(cycle(held), tied(2_000)))
    assert isinstance(closed, PayoutClosed)


def test_payout_that_is_closed_says_no_more() -> None:
    """Closed is closed: later reads change nothing of it."""
    assert () == payout(closed_cycle(), tied(1))


# ── when cycles are read ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (datetime(2026, 7, 1, 5, 29, tzinfo=UTC), datetime(2026, 7, 1, 5, 30, tzinfo=UTC)),
        (datetime(2026, 7, 1, 5, 30, tzinfo=UTC), datetime(2026, 7, 1, 17, 0, tzinfo=UTC)),
        (datetime(2026, 7, 1, 18, 0, tzinfo=UTC), datetime(2026, 7, 2, 5, 30, tzinfo=UTC)),
        (datetime(2026, 12, 1, 18, 30, tzinfo=UTC), datetime(2026, 12, 2, 6, 30, tzinfo=UTC)),
        (datetime(2026, 10, 24, 18, 0, tzinfo=UTC), datetime(2026, 10, 25, 6, 30, tzinfo=UTC)),
    ],
    ids=["before", "at", "after the last", "winter", "the night the clocks go back"],
)
def test_cycles_are_read_at_londons_hours(last: datetime, expected: datetime) -> None:
    """The hours are London's, summer and winter."""
    assert expected == cycles_due_at(last, ("06:30", "18:00"))
