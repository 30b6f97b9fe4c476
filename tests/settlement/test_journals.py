"""Settlement, the rules of journals: the month's end, corrections, and the ledger's number."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from kcjl.errors import Refused
from kcjl.settlement.events import (
    JournalAcknowledged,
    JournalIntended,
    JournalPrepared,
    JournalReversalAsked,
)
from kcjl.settlement.journal import (
    booked,
    decide_acknowledged,
    decide_correction,
    decide_journals,
    previewed,
)
from kcjl.settlement.state import CYCLES, Accounts, Cycle, CycleState, Line
from tests.settlement.payouts import (
    HOUSE,
    came_late,
    closed_cycle,
    known,
    payout,
    reconciled,
)
from tests.settlement.payouts import cycle as cycle_of
from tests.settlement.sales import ORDER, TERMS_20, e4_lines, settled
from tests.trade import at, cycle_seen, gbp

replace = msgspec.structs.replace
MARCH = datetime(2026, 3, 28, 12, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, 0, 30, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 14, 12, tzinfo=UTC)


def journals(
    cycle: Cycle, lines: list[Line], accounts: Accounts = HOUSE
) -> list[JournalIntended]:
    found = decide_journals(cycle, lines, accounts, at(201), cycle_days=11)
    return [each for each in found if isinstance(each, JournalIntended)]


def sums(journal: JournalIntended) -> dict[str, int]:
    return {account: amount for (account, _), amount in booked((journal,)).items()}


def at_month_end(amount: int = 1_640) -> Cycle:
    """A cycle of 1 April, paid on the third."""
    seen = replace(
        cycle_seen(amount),
        occurred_at=datetime(2026, 4, 1, 1, tzinfo=UTC),
        paid_at=datetime(2026, 4, 3, tzinfo=UTC),
    )
    closed = closed_cycle(amount)
    return replace(closed, seen=seen, created_at=seen.occurred_at)


def done(cycle: Cycle, lines: list[Line]) -> Cycle:
    """The same, closed on these lines, with its journals prepared."""
    cycle = CYCLES.evolve(cycle, reconciled(lines), "CY1") or cycle
    for journal in journals(cycle, lines):
        prepared = JournalPrepared(
            cycle_id="CY1",
            reference=journal.reference,
            total=cycle.seen.amount_to_seller,
            files=(),
            occurred_at=at(202),
        )
        for event in (journal, prepared):
            cycle = CYCLES.evolve(cycle, event, "CY1") or cycle
    assert CycleState.DONE == cycle.state
    return cycle


# ── the month's end ─────────────────────────────────────────────────────────────────────────


def test_payout_over_a_months_end_is_booked_in_both_months() -> None:
    """March's sales and fees are March's, against what is due; April's journal has the bank."""
    lines = [
        settled("ORDER_AMOUNT", 2_000, number=1, created=MARCH),
        settled("COMMISSION_FEE", -300, number=2, created=MARCH),
        settled("COMMISSION_VAT", -60, number=3, created=APRIL),
    ]

    march, april = journals(at_month_end(), lines)

    assert ("month_end", date(2026, 3, 31)) == (march.kind, march.posting_date)
    assert {
        "John Lewis Clearing": 2_000,
        "Marketplace Commission": -300,
        "John Lewis Payout Due": -1_700,
    } == sums(march)
    assert ("payout", date(2026, 4, 3)) == (april.kind, april.posting_date)
    assert {
        "Bank Current": -1_640,
        "VAT Input": -60,
        "John Lewis Payout Due": 1_700,
    } == sums(april)
    assert f"{april.reference}-202603" == march.reference
    assert len(march.reference) <= 30


def test_sale_of_long_ago_is_booked_no_earlier_than_its_cycle_began() -> None:
    """An order of February that is paid out now belongs to the cycle's first month."""
    lines = [settled("ORDER_AMOUNT", 2_000, created=FEBRUARY)]

    march, _ = journals(at_month_end(2_000), lines)

    assert date(2026, 3, 31) == march.posting_date


def test_payout_within_a_month_is_one_journal() -> None:
    """The cycle began in the month in which it is paid, whenever its orders were placed."""
    seen = replace(cycle_seen(2_000), occurred_at=datetime(2026, 4, 21, 1, tzinfo=UTC))
    seen = replace(seen, paid_at=datetime(2026, 4, 23, tzinfo=UTC))
    cycle = replace(closed_cycle(2_000), seen=seen, created_at=seen.occurred_at)

    (only,) = journals(cycle, [settled("ORDER_AMOUNT", 2_000, created=FEBRUARY)])

    assert ("payout", date(2026, 4, 23)) == (only.kind, only.posting_date)


def test_month_whose_lines_come_to_nothing_has_no_journal() -> None:
    """A sale of March that was taken back in March."""
    lines = [
        settled("ORDER_AMOUNT", 500, number=1, created=MARCH),
        settled("ORDER_AMOUNT", -500, number=2, created=MARCH),
        settled("ORDER_AMOUNT", 2_000, number=3, created=APRIL),
    ]

    assert ["payout"] == [each.kind for each in journals(at_month_end(2_000), lines)]


# ── the worked example ──────────────────────────────────────────────────────────────────────


def test_worked_example_is_booked_to_the_penny() -> None:
    """Contract e.4: 21.02 to the bank, the operator's share by account, nothing left over."""
    lines = e4_lines()
    cycle = cycle_of(seen=cycle_seen(2_102))
    for event in payout(cycle, *lines, against=known(ORDER, lines=lines, terms=TERMS_20)):
        cycle = CYCLES.evolve(cycle, event, "CY1") or cycle

    (journal,) = journals(cycle, lines)

    assert {
        "Bank Current": -2_102,
        "John Lewis Clearing": 6_745,
        "John Lewis Refunds": -2_400,
        "Marketplace Commission": -869,
        "Marketplace Subscription": -1_000,
        "VAT Input": -374,
    } == sums(journal)


# ── corrections ─────────────────────────────────────────────────────────────────────────────


def test_correction_undoes_every_journal_and_books_anew_today() -> None:
    """Both months' journals are undone; what stands instead is dated today, and says why."""
    lines = [
        settled("ORDER_AMOUNT", 2_000, number=1, created=MARCH),
        settled("COMMISSION_FEE", -360, number=2, created=APRIL),
    ]
    cycle = done(at_month_end(), lines)
    now = datetime(2026, 6, 9, 12, tzinfo=UTC)
    other = replace(
        HOUSE,
        version=2,
        accounts=tuple(
            replace(each, account="7105") if each.role == "commission" else each
            for each in HOUSE.accounts
        ),
    )

    asked, *made = decide_correction(cycle, "CY1", other, reason="7105", now=now)

    assert isinstance(asked, JournalReversalAsked)
    new = [each for each in made if isinstance(each, JournalIntended)]
    assert ["reversal", "reversal", "correction"] == [each.kind for each in new]
    assert {date(2026, 6, 9)} == {each.posting_date for each in new}
    assert list(asked.references) == [each.reverses for each in new[:2]]
    assert asked.references == new[2].corrects
    assert all("7105" in each.narrative and each.reason == "7105" for each in new)
    assert {} == booked([each.intended for each in cycle.in_force] + new[:2])
    assert {"John Lewis Clearing": 2_000, "7105": -360, "Bank Current": -1_640} == sums(new[2])
    for event in made:
        cycle = CYCLES.evolve(cycle, event, "CY1") or cycle
    assert CycleState.JOURNAL_OPEN == cycle.state
    assert [new[2].reference] == [each.intended.reference for each in cycle.in_force]
    assert 5 == len({each.intended.reference for each in cycle.journals})


def test_late_line_is_booked_by_a_correction_against_suspense() -> None:
    """It was not paid with the payout: it waits where somebody looks."""
    lines = [settled("ORDER_AMOUNT", 2_000, number=1)]
    cycle = done(closed_cycle(2_000), lines)
    cycle = CYCLES.evolve(cycle, came_late(-300, "COMMISSION_FEE"), "CY1") or cycle

    *_, journal = decide_correction(cycle, "CY1", HOUSE, reason="late", now=at(900))

    assert isinstance(journal, JournalIntended)
    assert {
        "Bank Current": -2_000,
        "John Lewis Clearing": 2_000,
        "Marketplace Commission": -300,
        "John Lewis Suspense": 300,
    } == sums(journal)


def test_correction_that_changes_nothing_is_refused() -> None:
    """A reversal and the same again is noise in the ledger."""
    lines = [settled("ORDER_AMOUNT", 2_000)]

    with pytest.raises(Refused, match="would book the same"):
        decide_correction(
            done(closed_cycle(2_000), lines), "CY1", HOUSE, reason="why", now=at(900)
        )


@pytest.mark.parametrize("cycle", [None, cycle_of(), closed_cycle()])
def test_correction_of_what_is_not_booked_is_refused(cycle: Cycle | None) -> None:
    """Nothing to undo before the journal is there."""
    with pytest.raises(Refused, match="nothing to undo"):
        decide_correction(cycle, "CY1", HOUSE, reason="why", now=at(900))


# ── the ledger's number ─────────────────────────────────────────────────────────────────────


def test_journal_is_acknowledged_once_under_one_number() -> None:
    """Said again it is nothing new; another number is refused."""
    cycle = done(closed_cycle(2_000), [settled("ORDER_AMOUNT", 2_000)])
    assert cycle.journal is not None
    reference = cycle.journal.reference

    (event,) = decide_acknowledged(cycle, reference, "4711", at(300))

    assert isinstance(event, JournalAcknowledged)
    after = CYCLES.evolve(cycle, event, "CY1")
    assert after is not None
    assert ("4711", CycleState.DONE) == (after.journals[0].ledger_number, after.state)
    assert () == decide_acknowledged(after, reference, "4711", at(301))
    with pytest.raises(Refused, match="it is 4711 in the ledger already"):
        decide_acknowledged(after, reference, "4712", at(302))


def test_journal_that_is_not_there_is_not_acknowledged() -> None:
    """A slip of the pen is no journal."""
    with pytest.raises(Refused, match="no such journal"):
        decide_acknowledged(None, "JL-NONE", "1", at(300))
    with pytest.raises(Refused, match="no such journal"):
        decide_acknowledged(closed_cycle(), "JL-NONE", "1", at(300))


def test_preview_is_the_journal_under_another_map() -> None:
    """What the last payout would look like; nothing is said."""
    lines = [settled("ORDER_AMOUNT", 2_000)]
    other = replace(
        HOUSE, accounts=tuple(replace(each, account=each.role) for each in HOUSE.accounts)
    )

    assert {"bank": -2_000, "clearing": 2_000} == sums(
        previewed(closed_cycle(2_000), lines, other)
    )
    assert gbp(2_000) == closed_cycle(2_000).seen.amount_to_seller
