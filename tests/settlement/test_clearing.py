"""The clearing account's file: its rows are the account's change, to the penny."""

import csv
import io
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Refused
from kcjl.ledger.bank_file import AMAZON_COLUMNS, ClearingRow, clearing_csv, clearing_tsv
from kcjl.money import Money
from kcjl.settings import BANK_FILE_COLUMNS
from kcjl.settlement.clearing import clearing_account, detailed, summed
from kcjl.settlement.events import ROLE_OF_KIND, JournalIntended
from kcjl.settlement.gap_events import NamedAmount, PayoutReconciled
from kcjl.settlement.journal import booked, decide_correction, decide_journals
from kcjl.settlement.state import CYCLES, Cycle, CycleState, Line
from tests.patience import unhurried
from tests.settlement.payouts import HOUSE, came_late, closed_cycle
from tests.settlement.payouts import reconciled as summed_up
from tests.settlement.sales import e4_lines, settled
from tests.trade import at, gbp

CLEARING = ("John Lewis Clearing", "")


def total(rows: tuple[ClearingRow, ...]) -> Money:
    return sum((each.amount for each in rows), gbp(0))


def journalled(entry: Cycle, lines: list[Line], *, cycle_days: float = 11) -> Cycle:
    for event in decide_journals(entry, lines, HOUSE, at(201), cycle_days=cycle_days):
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    return entry


def e4() -> tuple[Cycle, list[Line]]:
    """Contract e.4's payout of 21.02, with its journal."""
    lines = e4_lines()
    return journalled(closed_cycle(2_102), lines), lines


def test_summary_is_the_clearing_accounts_change_to_the_penny() -> None:
    """67.45 of sales came in; commission, VAT, refund, subscription and payout leave."""
    entry, _ = e4()
    rows = summed(entry)

    assert gbp(-6_745) == total(rows)
    assert -total(rows).amount_minor == booked([e.intended for e in entry.in_force])[CLEARING]
    by_role = {each.what: each.amount for each in rows}
    assert (gbp(-869), gbp(-2_400), gbp(-2_102)) == (
        by_role["commission"],
        by_role["refunds"],
        by_role["payout"],
    )
    assert "JOHN LEWIS COMMISSION BACS 1 JL-" in rows[0].memo + rows[1].memo


def test_detail_is_what_came_and_went_and_comes_to_nothing() -> None:
    """Each line under its order, in Amazon's words; the transfer last."""
    entry, lines = e4()
    rows = detailed(entry, lines, by="customer_order_number")

    assert gbp(0) == total(rows)
    assert ("Transfer", "Transfer") == rows[-1].shape
    assert {"REF-O1", ""} == {each.order for each in rows}
    assert {"O1", ""} == {each.order for each in detailed(entry, lines, by="order_id")}
    assert {
        ("Order", "ItemPrice"),
        ("Order", "ItemFees"),
        ("Refund", "ItemPrice"),
        ("Refund", "ItemFees"),
        ("other-transaction", "subscription"),
        ("other-transaction", "subscription vat"),
    } == {each.shape for each in rows[:-1]}


kinds = st.sampled_from([*sorted(ROLE_OF_KIND), "NEW_FEE"])
some_lines = st.lists(
    st.builds(
        lambda kind, amount, days: settled(kind, amount, created=at() - timedelta(days=days)),
        kinds,
        st.integers(-5_000, 5_000),
        st.integers(0, 20),
    ),
    max_size=12,
)


@unhurried
@given(lines=some_lines, residue=st.integers(-300, 300), late=st.integers(-100, 100))
def test_rows_add_up_whatever_the_payout_was(
    lines: list[Line], residue: int, late: int
) -> None:
    """With a month's end, a residue, below nothing, and a line that came late."""
    stated = sum(each.seen.amount.amount_minor for each in lines) + residue
    entry = msgspec.structs.replace(
        closed_cycle(stated), reconciled=reconciled(stated, residue)
    )
    entry = journalled(entry, lines)
    of_journals = booked([each.intended for each in entry.in_force])
    came_late = [*lines, settled("ORDER_AMOUNT", late)]

    assert -of_journals.get(CLEARING, 0) == total(summed(entry)).amount_minor
    assert gbp(0) == total(detailed(entry, lines, by="order_id"))
    assert gbp(0) == total(detailed(entry, came_late, by="order_id"))


def reconciled(stated: int, residue: int) -> PayoutReconciled:
    named = NamedAmount(kind="accepted_by_person", amount=gbp(residue), said="agreed")
    return PayoutReconciled(
        cycle_id="CY1",
        lines_total=gbp(stated - residue),
        named=(named,) if residue else (),
        gaps=(),
        orders=1,
        terms_version=0,
        occurred_at=at(200),
    )


def test_journal_that_was_corrected_is_the_one_that_counts() -> None:
    """Undone and undoing are not in the file; what stands is."""
    entry, lines = e4()
    entry = msgspec.structs.replace(entry, state=CycleState.DONE)
    for known in (summed_up(lines), came_late(100)):
        entry = CYCLES.evolve(entry, known, "CY1") or entry
    for event in decide_correction(entry, "CY1", HOUSE, reason="late", now=at(300)):
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    stands = [each.intended for each in entry.in_force]

    assert ["correction"] == [each.kind for each in stands]
    assert -booked(stands)[CLEARING] == total(summed(entry)).amount_minor


def test_payout_without_a_journal_has_no_file() -> None:
    """It says what to look at."""
    for ask in (summed, lambda entry: detailed(entry, [], by="order_id"), clearing_account):
        with pytest.raises(Refused, match="kcjl payouts show CY1"):
            ask(closed_cycle())


# ── the bytes ───────────────────────────────────────────────────────────────────────────────


EVIL = ClearingRow(
    moved_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    amount=gbp(-123_456),
    what="@SUM(1)",
    memo='=HYPERLINK("x")',
    order="-1+2",
    shape=("Order", "+1"),
)


def test_csv_has_the_columns_of_the_settings_and_runs_nothing() -> None:
    """Barclays' columns; amounts are numbers, texts are texts; the same rows the same bytes."""
    content = clearing_csv(
        [EVIL], columns=BANK_FILE_COLUMNS, date_form="%d/%m/%Y", account="+44"
    )
    heading, row = csv.reader(io.StringIO(content.decode(), newline=""))

    assert "Number,Date,Account,Amount,Subcategory,Memo" == ",".join(heading)
    assert ["1", "25/10/2026", "'+44", "-1234.56", "'@SUM(1)", '\'=HYPERLINK("x")'] == row
    turned = tuple(reversed(BANK_FILE_COLUMNS))
    other = clearing_csv([EVIL], columns=turned, date_form="%Y", account="+44")
    assert list(reversed(row)) == [
        cell.replace("2026", "25/10/2026") if cell == "2026" else cell
        for cell in list(csv.reader(io.StringIO(other.decode(), newline="")))[1]
    ]


def test_tsv_has_amazons_columns_in_their_order() -> None:
    """transaction-type, order-id, posted-date, amount, amount-type."""
    content = clearing_tsv([EVIL], date_form="%Y-%m-%d").decode()

    assert "\t".join(AMAZON_COLUMNS) + "\r\n" == content.splitlines(keepends=True)[0]
    assert "transaction-type\torder-id\tposted-date\tamount\tamount-type" in content
    assert "Order\t'-1+2\t2026-10-25\t-1234.56\t'+1" == content.splitlines()[1]


def test_journal_of_these_tests_is_one() -> None:
    """The house's accounts, balanced: what the file is held against."""
    entry, _ = e4()
    (standing,) = entry.in_force

    assert isinstance(standing.intended, JournalIntended)
    assert 0 == sum(booked([standing.intended]).values())
    assert "John Lewis Clearing" == clearing_account(entry)
