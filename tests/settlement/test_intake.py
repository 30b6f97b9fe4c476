"""Settlement, the rules of intake: sweeps, invoices, late lines and cycles that don't come."""

from datetime import timedelta

import msgspec

from kcjl.settlement.events import CyclesRead, LateLineFound, TransactionsRead
from kcjl.settlement.intake import (
    cycles_since,
    decide_document,
    decide_invoice,
    decide_late,
    decide_overdue,
    lines_plan,
)
from kcjl.settlement.intake_events import (
    BillingCycleCame,
    BillingCycleOverdue,
    InvoiceDocumentKept,
    InvoiceDocumentMissing,
    InvoiceSeen,
    InvoicesRead,
)
from kcjl.settlement.state import INVOICES, READS, Line
from tests.settlement.payouts import closed_cycle, cycle
from tests.trade import at, gbp, made_of, money_line

replace = msgspec.structs.replace
BACK = timedelta(days=10)
DAY = 24 * 60
SEEN = InvoiceSeen(
    invoice_id=981,
    kind="AUTO_INVOICE",
    state="COMPLETE",
    document_id="5f0a",
    cycle_id="CY1",
    voucher="000117",
    total_excluding_tax=gbp(1_000),
    total_including_tax=gbp(1_200),
    amount_transferred=gbp(2_000),
    occurred_at=at(120),
)
KEPT = InvoiceDocumentKept(
    invoice_id=981, name="invoice-981.pdf", sha256="0" * 64, size_bytes=9, occurred_at=at(121)
)
MISSING = InvoiceDocumentMissing(invoice_id=981, message="404", occurred_at=at(121))


def read(minutes: float, *, swept: bool = False) -> TransactionsRead:
    return TransactionsRead(cursor=at(minutes), read=0, swept=swept, occurred_at=at(minutes))


# ── from when on ────────────────────────────────────────────────────────────────────────────


def test_first_read_goes_ninety_days_back_and_is_a_sweep() -> None:
    """A new log knows nothing."""
    plan = lines_plan(None, at(0), sweep_back=BACK)

    assert (at(-90 * DAY), True) == (plan.since, plan.swept)


def test_read_goes_an_hour_before_the_last_and_once_a_day_further() -> None:
    """The overlap catches what a page skipped; the sweep what a slip of theirs hid."""
    reads = made_of(READS, "reads", read(0, swept=True), read(60))

    hourly = lines_plan(reads, at(120), sweep_back=BACK)
    daily = lines_plan(reads, at(DAY), sweep_back=BACK)

    assert (at(0), False) == (hourly.since, hourly.swept)
    assert (at(DAY) - BACK, True) == (daily.since, daily.swept)


def test_read_after_a_long_silence_leaves_nothing_out() -> None:
    """A month without a read: the sweep begins where the last read ended."""
    reads = made_of(READS, "reads", read(0, swept=True))

    assert at(-60) == lines_plan(reads, at(40 * DAY), sweep_back=BACK).since


def test_cycles_are_read_back_to_the_oldest_that_is_open() -> None:
    """A payout that is not paid for months never falls out of what is read."""
    now = at(200 * DAY)

    assert at(140 * DAY) == cycles_since([], now)
    assert at(120) == cycles_since([cycle()], now)


def test_reads_are_remembered_each_by_itself() -> None:
    """Lines, cycles and invoices each have their hour."""
    reads = made_of(
        READS,
        "reads",
        CyclesRead(read=1, occurred_at=at(1)),
        InvoicesRead(read=1, occurred_at=at(2)),
    )

    assert (None, at(1), at(2)) == (
        reads.transactions_cursor,
        reads.cycles_at,
        reads.invoices_at,
    )


# ── invoices ────────────────────────────────────────────────────────────────────────────────


def test_invoice_is_news_when_it_differs_and_its_document_once() -> None:
    """Seen, missing, kept: each is said once."""
    assert (SEEN,) == decide_invoice(None, SEEN)
    entry = made_of(INVOICES, "981", SEEN)
    assert () == decide_invoice(entry, SEEN)
    assert 1 == len(decide_invoice(entry, replace(SEEN, state="CANCELED")))
    assert (MISSING,) == decide_document(entry, MISSING)
    missing = made_of(INVOICES, "981", SEEN, MISSING)
    assert () == decide_document(missing, MISSING)
    assert (KEPT,) == decide_document(missing, KEPT)
    kept = made_of(INVOICES, "981", SEEN, MISSING, KEPT)
    assert () == decide_document(kept, KEPT)
    assert (KEPT, False) == (kept.document, kept.missing)


# ── late lines ──────────────────────────────────────────────────────────────────────────────


def late(before: Line | None, **to: object) -> list[tuple[str, int]]:
    seen = replace(money_line("L1", 500), **to)
    found = decide_late(before, seen, {"CY1": closed_cycle(), "CY2": cycle()})
    return [
        (each.cycle_id, each.amount.amount_minor)
        for each in found
        if isinstance(each, LateLineFound)
    ]


def test_line_that_comes_to_a_closed_payout_is_late() -> None:
    """It was not among the lines that it was closed on."""
    assert [("CY1", 500)] == late(None)
    assert [("CY1", 500)] == late(Line(seen=money_line("L1", 500, cycle=None)))


def test_line_that_leaves_or_changes_a_closed_payout_is_late_by_the_difference() -> None:
    """Amounts with their sign: gone is minus, more is plus."""
    before = Line(seen=money_line("L1", 500))

    assert [("CY1", -500)] == late(before, cycle_id="CY2")
    assert [("CY1", 20)] == late(before, amount=gbp(520))
    assert [] == late(before, payment_state="PAID")


def test_line_of_an_open_payout_or_of_nothing_is_not_late() -> None:
    """What is open is not closed on yet; nothing changes nothing; a payment is no line."""
    assert [] == late(None, cycle_id="CY2")
    assert [] == late(None, amount=gbp(0))
    assert [] == late(None, kind="PAYMENT")
    assert [] == late(None, cycle_id=None)


# ── a cycle that does not come ──────────────────────────────────────────────────────────────

PAYABLE = Line(seen=money_line("L1", 500, cycle=None))


def overdue(*lines: Line, days: float, said: bool = False) -> list[str]:
    events = decide_overdue(lines, [cycle()], said=said, cycle_days=11, now=at(days * DAY))
    return [type(each).__name__ for each in events]


def test_cycle_that_should_have_come_is_raised_once() -> None:
    """Money is payable for longer than a cycle lasts, with two days of grace."""
    assert [] == overdue(PAYABLE, days=13)
    assert [BillingCycleOverdue.__name__] == overdue(PAYABLE, days=14)
    assert [] == overdue(PAYABLE, days=15, said=True)


def test_cycle_that_is_due_for_nothing_is_not_missed() -> None:
    """Nothing or less is payable: the balance is carried over, and no cycle comes."""
    refund = Line(seen=money_line("L2", -500, "REFUND_ORDER_AMOUNT", cycle=None))
    pending = Line(seen=replace(PAYABLE.seen, payment_state="PENDING"))

    assert [] == overdue(days=40)
    assert [] == overdue(PAYABLE, refund, days=40)
    assert [] == overdue(pending, days=40)


def test_cycle_that_came_after_all_ends_it() -> None:
    """Its lines are on it, so nothing is payable any more."""
    assert [BillingCycleCame.__name__] == overdue(days=40, said=True)
