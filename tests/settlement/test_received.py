"""The bank's word: booked once, refused, overdue, or taken back."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Refused
from kcjl.money import Money
from kcjl.settlement.received import (
    Receipt,
    decide_receipt_overdue,
    decide_receipts,
    decide_withdrawn,
    due_on,
    receipt_words,
)
from kcjl.settlement.received_events import PayoutReceiptOverdue, PayoutReceived
from kcjl.settlement.state import CYCLES, Cycle
from kcjl.vocabulary import Event
from tests.patience import unhurried
from tests.settlement.payouts import closed_cycle, cycle
from tests.trade import at, cycle_seen, gbp

THURSDAY = date(2026, 10, 1)
"""The day on which the cycle of these tests was made and paid."""
DAY_M = 24 * 60


def told(amount: int = 2_000, line: str = "", **words: object) -> Receipt:
    receipt = Receipt(cycle_id="CY1", amount=gbp(amount), received_on=THURSDAY, bank_line=line)
    return msgspec.structs.replace(receipt, **words)


def receive(entry: Cycle, *receipts: Receipt, days: float = 1) -> tuple[PayoutReceived, ...]:
    return decide_receipts({"CY1": entry}, receipts, at(days * DAY_M))


def after(entry: Cycle, *events: Event) -> Cycle:
    for event in events:
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    return entry


def is_weekday(day: date) -> bool:
    return day.weekday() < 5


# ── what comes ──────────────────────────────────────────────────────────────────────────────


def test_money_that_came_is_booked_with_what_it_should_be() -> None:
    """By hand, to the penny."""
    (came,) = receive(cycle(), told())

    assert (1, gbp(2_000), gbp(2_000)) == (came.receipt, came.transferred, came.received)
    assert "2,000" not in receipt_words(cycle())
    assert "20.00 GBP in the bank on 2026-10-01" == receipt_words(after(cycle(), came))


def test_money_in_two_parts_adds_up() -> None:
    """The first leaves a difference, and the second ends it."""
    first = receive(cycle(), told(1_500, "a"))
    entry = after(cycle(), *first)
    (second,) = receive(entry, told(500, "b"))

    assert "-5.00 GBP off" in receipt_words(entry)
    assert (2, gbp(2_000)) == (second.receipt, second.received)
    assert "off" not in receipt_words(after(entry, second))


receipts = st.lists(
    st.builds(told, st.integers(1, 3_000), st.sampled_from(["", "a", "b", "c"])), max_size=8
)


@unhurried
@given(first=receipts, second=receipts)
def test_line_is_booked_once_however_often_it_comes(
    first: list[Receipt], second: list[Receipt]
) -> None:
    """Files that overlap, commands that are carried out twice: no penny more."""
    entry = after(cycle(), *receive(cycle(), *first))
    entry = after(entry, *receive(entry, *first, *second))
    again = receive(entry, *second, *first)

    assert () == again
    lines = [each.bank_line for each in entry.receipts if each.bank_line]
    assert len(lines) == len(set(lines))
    assert entry.received == sum((each.amount for each in entry.receipts), gbp(0))
    assert [*range(1, len(entry.receipts) + 1)] == [each.receipt for each in entry.receipts]


@pytest.mark.parametrize(
    ("entry", "receipt", "why"),
    [
        (None, told(), "no such payout"),
        (cycle(), told(amount=0), "above nothing"),
        (cycle(), told(amount=-5), "above nothing"),
        (cycle(), told(received_on=THURSDAY + timedelta(2)), "is to come"),
        (cycle(), told(received_on=THURSDAY - timedelta(1)), "after that day"),
        (cycle(), msgspec.structs.replace(told(), amount=Money(5, "EUR")), "is in GBP"),
        (cycle(seen=cycle_seen(-500)), told(), "nothing was transferred"),
    ],
)
def test_what_can_not_be_is_refused_whole(
    entry: Cycle | None, receipt: Receipt, why: str
) -> None:
    """One that is wrong, and nothing of the others is booked."""
    known = {"CY1": entry} if entry is not None else {}

    with pytest.raises(Refused, match=why):
        decide_receipts(known, (receipt,), at(DAY_M))
    with pytest.raises(Refused):
        decide_receipts({"CY1": cycle()}, (told(), told(amount=-1)), at(DAY_M))


# ── what is taken back ──────────────────────────────────────────────────────────────────────


def test_receipt_that_is_withdrawn_is_not_booked_again_by_its_line() -> None:
    """The line is of something else; a person may still say it anew."""
    entry = after(cycle(), *receive(cycle(), told(line="a")))
    (gone,) = decide_withdrawn(entry, "CY1", None, "another's", at(DAY_M))
    entry = after(entry, gone)

    assert (gbp(0), "") == (entry.received, receipt_words(entry))
    assert () == receive(entry, told(line="a"))
    (anew,) = receive(entry, told())
    assert 2 == anew.receipt
    assert () == decide_withdrawn(entry, "CY1", 1, "said twice", at(DAY_M))


def test_withdrawal_that_is_not_plain_names_the_receipts() -> None:
    """None, two, or no such one."""
    entry = after(cycle(), *receive(cycle(), told(1_500, "a"), told(500, "b")))

    with pytest.raises(Refused, match=r"1 \(15.00 GBP of 2026-10-01\), 2 \(5.00 GBP"):
        decide_withdrawn(entry, "CY1", None, "slip", at(DAY_M))
    with pytest.raises(Refused, match="there are none"):
        decide_withdrawn(cycle(), "CY1", None, "slip", at(DAY_M))
    with pytest.raises(Refused, match="--receipt NUMBER"):
        decide_withdrawn(None, "CY9", 3, "slip", at(DAY_M))
    (gone,) = decide_withdrawn(entry, "CY1", 2, "slip", at(DAY_M))
    assert gbp(1_500) == after(entry, gone).received


# ── what does not come ──────────────────────────────────────────────────────────────────────


def overdue(entry: Cycle, days: float, within: int = 5) -> tuple[Event, ...]:
    return decide_receipt_overdue(
        entry, within_days=within, is_working_day=is_weekday, now=at(days * DAY_M)
    )


def test_payout_that_does_not_come_is_raised_once_after_its_working_days() -> None:
    """Paid on a Thursday, due on the Thursday after, raised on the Friday; 0 days: never."""
    (said,) = overdue(cycle(), 8)

    assert () == overdue(cycle(), 7)
    assert isinstance(said, PayoutReceiptOverdue)
    assert (THURSDAY, date(2026, 10, 8)) == (said.paid_on, said.due_on)
    entry = after(cycle(), said)
    assert () == overdue(entry, 30)
    assert "not received, and overdue" == receipt_words(entry)
    assert () == overdue(cycle(), 30, within=0)


def test_payout_that_is_not_paid_or_has_come_is_not_waited_for() -> None:
    """Not paid yet, failed, below nothing, in the bank; one that nobody confirms counts."""
    came = after(cycle(), *receive(cycle(), told(1)))
    not_said = cycle_seen(state="INVOICED")

    assert () == overdue(came, 30)
    assert () == overdue(cycle(seen=not_said), 30)
    assert () == overdue(cycle(seen=cycle_seen(state="FAILED")), 30)
    assert () == overdue(cycle(seen=cycle_seen(-10)), 30)
    closed = msgspec.structs.replace(closed_cycle(), seen=not_said)
    assert 1 == len(overdue(closed, 30))


@unhurried
@given(days=st.integers(0, 40), start=st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_due_day_has_so_many_working_days_before_it(days: int, start: date) -> None:
    """Counted day by day."""
    due = due_on(start, days, is_weekday)
    between = [start + timedelta(each + 1) for each in range((due - start).days)]

    assert days == sum(map(is_weekday, between))
    assert not days or is_weekday(due)
