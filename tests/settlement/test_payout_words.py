"""Settlement, the rules of a payout: balances that are carried, and what a person accepts."""

import msgspec
import pytest

from kcjl.errors import Refused
from kcjl.money import Money
from kcjl.settlement.decide import carried_balance, decide_acceptance
from kcjl.settlement.events import PayoutAccepted, PayoutClosed, PayoutHeld
from kcjl.settlement.gap_events import NamedAmount, PayoutReconciled
from kcjl.settlement.state import CYCLES, Cycle, CycleState, Line
from tests.settlement.payouts import closed_cycle, closing, cycle, payout, tied
from tests.trade import at, cycle_seen, gbp, money_line

replace = msgspec.structs.replace
UNTIED = Line(seen=money_line("L9", 500))


def held(*lines: Line) -> Cycle:
    (event,) = payout(cycle(), *lines)
    return cycle(event)


def accepted(entry: Cycle, *lines: Line) -> Cycle:
    (event,) = decide_acceptance(entry, "CY1", lines, "agreed", at(210))
    assert isinstance(event, PayoutAccepted)
    after = CYCLES.evolve(entry, event, "CY1")
    assert after is not None
    return after


def reconciled(*events: object) -> PayoutReconciled:
    (found,) = (each for each in events if isinstance(each, PayoutReconciled))
    return found


# ── carried balances ────────────────────────────────────────────────────────────────────────


def test_payout_below_nothing_closes_at_its_cycle() -> None:
    """Nobody pays it, so nobody waits for it to be paid (contract e.4)."""
    below = cycle(seen=cycle_seen(-500, state="TO_PAY"))

    event = closing(payout(below, tied(-500, "REFUND_ORDER_AMOUNT")))

    assert isinstance(event, PayoutClosed)


def test_balance_that_is_carried_is_the_named_residue_of_the_next() -> None:
    """The next payout is less by what was owed: the difference has its name."""
    below = closed_cycle(-500)
    carried = carried_balance([below], "GBP")

    events = payout(cycle(), tied(2_500), carried=carried)

    found = reconciled(*events)
    assert (gbp(-500), gbp(2_000)) == (found.residue, found.transferred)
    assert ["balance_carried"] == [each.kind for each in found.named]
    assert isinstance(closing(events), PayoutClosed)
    after = replace(closed_cycle(2_000), reconciled=found)
    assert carried_balance([below, after], "GBP") is None


def test_carried_balance_is_of_closed_cycles_of_its_currency() -> None:
    """What is still open, or in another currency, is taken off nothing."""
    assert carried_balance([cycle(seen=cycle_seen(-500)), closed_cycle(2_000)], "GBP") is None
    assert carried_balance([closed_cycle(-500)], "EUR") is None


def test_difference_that_is_not_the_carried_balance_has_no_name() -> None:
    """A penny beside it keeps the payout open."""
    event = closing(payout(cycle(), tied(2_501), carried=gbp(-500)))

    assert isinstance(event, PayoutHeld)


# ── a person's word ─────────────────────────────────────────────────────────────────────────


def test_payout_that_a_person_accepts_closes_with_its_residue_named() -> None:
    """The residue has a name and a reason, and the untied line is counted as excepted."""
    lines = (tied(1_400), UNTIED)

    events = payout(accepted(held(*lines), *lines), *lines)

    assert (
        NamedAmount(kind="accepted_by_person", amount=gbp(100), said="agreed"),
    ) == reconciled(*events).named
    event = closing(events)
    assert isinstance(event, PayoutClosed)
    assert (1, gbp(100), gbp(2_000)) == (event.excepted, event.residue, event.stated)


def test_word_is_for_what_was_seen() -> None:
    """Another line came since: the word does not hold for that, and has to be said again."""
    lines = (tied(1_400), UNTIED)
    entry = accepted(held(*lines), *lines)

    event = closing(payout(entry, *lines, tied(50, line_id="L3")))

    assert isinstance(event, PayoutHeld)
    after = CYCLES.evolve(entry, event, "CY1")
    assert after is not None
    assert after.accepted is None


def test_word_said_twice_is_nothing_new() -> None:
    """The same figures, the same word."""
    lines = (tied(1_400),)
    entry = accepted(held(*lines), *lines)

    assert () == decide_acceptance(entry, "CY1", lines, "again", at(220))


def test_payout_that_is_not_held_is_not_accepted() -> None:
    """There is nothing to accept of one that is unknown, waits or is closed."""
    for entry in (None, cycle(), closed_cycle()):
        with pytest.raises(Refused, match="and not held"):
            decide_acceptance(entry, "CY1", [], "why", at(210))


def test_payout_that_failed_or_is_of_two_currencies_is_not_accepted() -> None:
    """What the marketplace has to mend is no matter of a word."""
    failed = cycle(seen=cycle_seen(state="FAILED"))
    (event,) = payout(failed, tied(2_000))
    entry = CYCLES.evolve(failed, event, "CY1")
    assert entry is not None
    assert CycleState.HELD == entry.state
    with pytest.raises(Refused, match="mended with the"):
        decide_acceptance(entry, "CY1", [tied(2_000)], "why", at(210))

    euros = Line(seen=replace(money_line("L7"), amount=Money(5, "EUR")), tied_to="SO-O1")
    with pytest.raises(Refused, match="1 lines are not in GBP"):
        decide_acceptance(held(euros), "CY1", [euros], "why", at(210))
