"""A payout's whole account: contract e.4's, what is unpaid, and months by both clocks."""

from datetime import UTC, date, datetime

import msgspec

from kcjl.settlement.account import (
    AccountLine,
    PayoutAccount,
    account_of,
    month_figures,
    unpaid_of,
)
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.journal import decide_journals
from kcjl.settlement.state import CYCLES, Cycle, Line
from tests.settlement.payouts import HOUSE, cycle, known, payout
from tests.settlement.sales import ORDER, TERMS_20, e4_lines, settled
from tests.trade import at, cycle_seen, gbp

replace = msgspec.structs.replace


def closed(lines: list[Line], amount: int = 2_102) -> tuple[Cycle, list[GapFound]]:
    """The payout when its journal is intended, and its gaps."""
    entry = cycle(seen=cycle_seen(amount))
    events = list(payout(entry, *lines, against=known(ORDER, lines=lines, terms=TERMS_20)))
    for event in events:
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    for event in decide_journals(entry, lines, HOUSE, at(201), cycle_days=11):
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    return entry, [each for each in events if isinstance(each, GapFound)]


def worked_example() -> PayoutAccount:
    entry, gaps = closed(e4_lines())
    return account_of(entry, e4_lines(), gaps)


def test_account_of_the_worked_example_adds_up_in_every_view() -> None:
    """21.02: by line, by type, by role, and expected."""
    account = worked_example()

    assert gbp(2_102) == account.lines_total == account.expected
    assert gbp(0) == account.residue
    assert ((), (), ()) == (account.gaps, account.untied, account.named)
    assert 14 == len(account.lines)
    for totals in (account.by_kind, account.by_role):
        assert gbp(2_102) == sum((each.amount for each in totals), gbp(0))
    assert 2_102 == sum(each.seen.amount.amount_minor for each in account.lines)


def test_account_line_says_what_it_is_of_and_where_it_is_booked() -> None:
    """The commission of order line 1: its sales order, the journal and the account."""
    account = worked_example()
    (line,) = (each for each in account.lines if each.seen.line_id == "T03")

    assert isinstance(line, AccountLine)
    assert ("order_line", "O1-1") == (line.counterpart.kind, line.counterpart.name)
    assert ("SO-O1", True, "commission") == (line.erp_order_code, line.tied, line.role)
    (journal,) = account.journals
    assert (journal.intended.reference, "Marketplace Commission") == (
        line.journal,
        line.account,
    )


def test_account_of_an_open_payout_has_no_journal_and_names_what_is_untied() -> None:
    """What is not explained is not booked."""
    lines = [replace(e4_lines()[0], tied_to=""), *e4_lines()[1:]]

    account = account_of(cycle(seen=cycle_seen(2_102)), lines)

    assert (("T01",), None) == (account.untied, account.expected)
    assert {
        "",
    } == {each.journal for each in account.lines}


def test_account_of_a_line_of_another_currency_leaves_it_out() -> None:
    """It keeps the payout open, and is said there; two currencies are never added."""
    lines = [*e4_lines(), settled("ORDER_AMOUNT", 5, number=50, currency="EUR")]

    assert gbp(2_102) == account_of(cycle(seen=cycle_seen(2_102)), lines).lines_total


def test_line_of_the_month_before_is_found_in_its_own_journal() -> None:
    """A payout over a month's end has two: each line is in one of them."""
    march, april = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 4, 1, 0, 30, tzinfo=UTC)
    lines = [
        settled("ORDER_AMOUNT", 2_000, number=1, created=march),
        settled("SUBSCRIPTION_FEE", -100, number=2, line=None, created=april),
    ]
    seen = replace(
        cycle_seen(1_900),
        occurred_at=datetime(2026, 4, 1, 1, tzinfo=UTC),
        paid_at=datetime(2026, 4, 3, tzinfo=UTC),
    )
    entry = cycle(seen=seen)
    late = at(60 * 24 * 400)
    for event in payout(entry, *lines, read=60 * 24 * 400):
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    for event in decide_journals(entry, lines, HOUSE, late, cycle_days=11):
        entry = CYCLES.evolve(entry, event, "CY1") or entry

    account = account_of(entry, lines)

    assert ["month_end", "payout"] == [each.intended.kind for each in account.journals]
    assert [each.intended.reference for each in account.journals] == [
        each.journal for each in account.lines
    ]


def test_unpaid_is_by_order_with_its_age_oldest_first() -> None:
    """What no cycle has yet: the order that waits, and fees of no order."""
    waiting = settled("ORDER_AMOUNT", 2_000, number=1, cycle=None)
    lines = [
        settled("SUBSCRIPTION_FEE", -100, number=90, line=None, cycle=None),
        waiting,
        replace(waiting, seen=replace(waiting.seen, line_id="T02", payment_state="PENDING")),
        settled("ORDER_AMOUNT", 700, number=3),
        settled("PAYMENT", -700, number=4, line=None, cycle=None),
    ]

    found = unpaid_of(lines, at(60 * 24 * 3))

    assert [("O1", "PAID, PENDING", gbp(4_000), 2, 2), ("", "PAID", gbp(-100), 1, 2)] == [
        (each.order_id, each.payment_state, each.amount, each.lines, each.age_days)
        for each in found
    ]


def test_month_is_what_moved_in_it_in_london() -> None:
    """Half past eleven at night in UTC's June is July in London."""
    june = settled("ORDER_AMOUNT", 100, created=datetime(2026, 6, 30, 22, tzinfo=UTC))
    july = settled("ORDER_AMOUNT", 20, created=datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
    euros = settled("ORDER_AMOUNT", 5, currency="EUR", created=june.seen.created_at)
    payment = settled("PAYMENT", -100, line=None, created=june.seen.created_at)
    lines = [june, july, euros, payment]

    assert gbp(100) == month_figures(lines, date(2026, 6, 1), "GBP").total
    assert gbp(20) == month_figures(lines, date(2026, 7, 1), "GBP").total


def test_late_line_changes_what_a_month_was_and_not_what_was_known() -> None:
    """Two clocks: March with the late line, and March as it was reported."""
    march = datetime(2026, 3, 10, tzinfo=UTC)
    reported = [settled("ORDER_AMOUNT", 2_000, number=1, created=march)]
    known_now = [*reported, settled("COMMISSION_FEE", -300, number=2, created=march)]

    then = month_figures(reported, date(2026, 3, 1), "GBP")
    now = month_figures(known_now, date(2026, 3, 1), "GBP")

    assert (gbp(2_000), gbp(1_700)) == (then.total, now.total)
    assert ["COMMISSION_FEE", "ORDER_AMOUNT"] == [each.name for each in now.by_kind]
