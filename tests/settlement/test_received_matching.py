"""Whose money a line is: by reference, by amount and day, or a person's to say."""

from datetime import date, timedelta

import msgspec
import pytest

from kcjl.ledger.bank_lines import BankLine, StatementLine, identified
from kcjl.money import Money
from kcjl.settlement.received import decide_receipts, decide_withdrawn
from kcjl.settlement.received_matching import Judged, match_lines, receipts_of
from kcjl.settlement.state import CYCLES, Cycle
from tests.settlement.payouts import cycle
from tests.trade import at, cycle_seen, gbp, made_of

PAID = date(2026, 10, 1)
DAY_M = 24 * 60


def lines(*told: tuple[int, str], days: int = 1, currency: str = "GBP") -> tuple[BankLine, ...]:
    return identified(
        StatementLine(
            account="1",
            booked_on=PAID + timedelta(days),
            amount=Money(pence, currency),
            text=text,
            where=f"line {number}",
        )
        for number, (pence, text) in enumerate(told, 2)
    )


def other(amount: int, reference: str | None, name: str = "CY2") -> Cycle:
    seen = cycle_seen(amount, cycle=name)
    return made_of(CYCLES, name, msgspec.structs.replace(seen, payout_reference=reference))


def judge(found: tuple[BankLine, ...], *cycles: Cycle) -> list[Judged]:
    return list(match_lines(found, cycles, file="march.csv", within_days=10))


def verdicts(found: tuple[BankLine, ...], *cycles: Cycle) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.verdict, each.payouts) for each in judge(found, *cycles)]


def book(entry: Cycle, found: tuple[BankLine, ...]) -> Cycle:
    told = receipts_of(judge(found, entry))
    for event in decide_receipts({entry.cycle_id: entry}, told, at(20 * DAY_M)):
        entry = CYCLES.evolve(entry, event, entry.cycle_id) or entry
    return entry


@pytest.mark.parametrize(
    "text", ["BACS 1", "JOHN LEWIS BACS-1 FP", "bacs1", "x BACS / 1, y", "(BACS\t1)"]
)
def test_line_is_matched_by_the_bank_reference_however_it_is_written(text: str) -> None:
    """Blanks, dashes and case are the bank's; the pence that differ are told."""
    (exact,) = judge(lines((2_000, text)), cycle())
    (less,) = judge(lines((1_990, text)), cycle())

    assert ("matched", None) == (exact.verdict, exact.off)
    assert exact.receipt is not None
    assert ("reference", "BACS 1", "march.csv, line 2") == (
        exact.receipt.matched_by,
        exact.receipt.reference,
        exact.receipt.source,
    )
    assert ("matched", gbp(-10)) == (less.verdict, less.off)


@pytest.mark.parametrize("text", ["BACS 11", "ABACS 1", "BACS 1A", "", "BACS"])
def test_line_with_a_part_of_a_reference_is_not_matched_by_it(text: str) -> None:
    """BACS 1 is not BACS 11."""
    assert [("other", ())] == verdicts(lines((1_990, text)), cycle())


def test_line_without_a_reference_is_matched_by_amount_and_day_alone() -> None:
    """One line, one payout, in its days; money that goes out is nobody's."""
    (found,) = judge(lines((2_000, "?"), (-2_000, "?")), cycle())

    assert ("matched", "amount") == (found.verdict, found.receipt and found.receipt.matched_by)
    assert [("other", ())] == verdicts(lines((2_000, "?"), days=11), cycle())
    assert [("other", ())] == verdicts(lines((2_000, "?"), days=-1), cycle())
    assert [("other", ())] == verdicts(lines((2_000, "?"), currency="EUR"), cycle())


def test_line_that_could_be_two_things_is_left_to_a_person() -> None:
    """Two lines of one amount, two payouts of one, two payouts of one reference."""
    two_lines = verdicts(lines((2_000, "a"), (2_000, "b")), cycle())
    two_payouts = verdicts(lines((2_000, "a")), cycle(), other(2_000, "BACS 2"))
    one_name = verdicts(lines((1_000, "BACS 1")), cycle(), other(500, "BACS 1"))

    assert [("unclear", ("CY1",))] * 2 == two_lines
    assert [("unclear", ("CY1", "CY2"))] == two_payouts
    assert [("unclear", ("CY1", "CY2"))] == one_name


def test_amount_tells_two_payouts_of_one_reference_apart() -> None:
    """The one of which just this is missing."""
    found = lines((500, "BACS 1"), (2_000, "BACS 1"))

    assert [("matched", ("CY2",)), ("matched", ("CY1",))] == verdicts(
        found, cycle(), other(500, "BACS 1")
    )


def test_statement_that_is_read_again_is_known() -> None:
    """By the line; a second of the same name is no more money without a person's word."""
    found = lines((2_000, "BACS 1"))
    entry = book(cycle(), found)

    assert [("known", ("CY1",))] == verdicts(found, entry)
    assert [("unclear", ("CY1",))] == verdicts(lines((2_000, "BACS-1 AGAIN")), entry)
    assert [("other", ())] == verdicts(lines((2_000, "?")), entry)


def test_line_of_what_a_person_has_said_is_known() -> None:
    """Said by hand on Friday, in the statement on Monday."""
    event, *_ = decide_receipts(
        {"CY1": cycle()},
        [
            msgspec.structs.replace(
                receipts_of(judge(lines((1_990, "BACS 1")), cycle()))[0],
                bank_line="",
                matched_by="person",
            )
        ],
        at(5 * DAY_M),
    )
    entry = CYCLES.evolve(cycle(), event, "CY1") or cycle()

    assert [("known", ("CY1",))] == verdicts(lines((1_990, "BACS 1"), days=4), entry)
    assert [("matched", ("CY1",))] == verdicts(lines((10, "BACS 1"), days=4), entry)


def test_line_that_was_taken_back_is_not_matched_again() -> None:
    """A person's word stands against the file."""
    found = lines((2_000, "BACS 1"))
    entry = book(cycle(), found)
    (gone,) = decide_withdrawn(entry, "CY1", 1, "another's", at(20 * DAY_M))
    entry = CYCLES.evolve(entry, gone, "CY1") or entry

    assert [("withdrawn", ("CY1",))] == verdicts(found, entry)


def test_line_that_names_a_payout_and_can_not_be_its_money_is_left_to_a_person() -> None:
    """Another currency; a day before there was a payout."""
    euros = judge(lines((2_000, "BACS 1"), currency="EUR"), cycle())
    early = judge(lines((2_000, "BACS 1"), days=-3), cycle())

    assert [("unclear", "the payout is in GBP")] == [(e.verdict, e.said) for e in euros]
    assert ["unclear"] == [each.verdict for each in early]
    assert () == receipts_of((*euros, *early))
