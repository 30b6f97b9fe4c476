"""Each rule about money given back finds its own breach: beside test_laws_rules.py."""

import copy
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from kcjl.money import Money
from kcjl.orders.reversal_events import ReversalIntended, ReversalRefused, ReversalTaken
from tests.simulation.forging import copied, left_out, said_at_last, true_evidence
from tests.simulation.laws import CHECKERS, Evidence
from tests.simulation.laws.exercised import exercised
from tests.simulation.test_laws import SCENARIO
from tests.simulation.witness import GivenBack, Outcome

PENNY = Money(1, "GBP")


@pytest.fixture(scope="module")
def true() -> Evidence:
    """A calm day, on which a unit and a whole order are refunded."""
    return true_evidence(SCENARIO)


def _refunded_without_intention(e: Evidence) -> None:
    left_out(e, ReversalIntended)


def _refunded_again_without_a_look(e: Evidence) -> None:
    call = copy.copy(next(e.witness.of("refund")))
    call.outcome = Outcome.UNKNOWN
    e.witness.calls = [call, *e.witness.of("refund")]


def _refunded_a_penny_more(e: Evidence) -> None:
    first, *others = e.witness.given_back
    assert first.amount is not None
    more = GivenBack(first.kind, first.subject, first.amount + PENNY, first.shipping_amount)
    e.witness.given_back = [more, *others]


def _refunded_to_us_and_not_there(e: Evidence) -> None:
    e.witness.given_back = e.witness.given_back[1:]


def _refused_to_us_and_done_there(e: Evidence) -> None:
    taken = next(each.event for each in e.log if isinstance(each.event, ReversalTaken))
    left_out(e, ReversalTaken)
    refused = ReversalRefused(
        order_id=taken.order_id,
        reversal_id=taken.reversal_id,
        line_id=taken.line_id,
        message="no",
        money=taken.amount,
        occurred_at=e.log[-1].recorded_at,
    )
    said_at_last(e, refused)


def _refund_ordered_by_nobody(e: Evidence) -> None:
    e.log = [replace(x, by="orders") if x.type == "ReversalOrdered" else x for x in e.log]


def _refund_without_an_outcome(e: Evidence) -> None:
    left_out(e, ReversalTaken)


RULES: dict[tuple[int, str, str], Callable[[Evidence], None]] = {
    (2, "intentions", "never"): _refunded_without_intention,
    (2, "look-ups", "again"): _refunded_again_without_a_look,
    (2, "money back", "a penny more"): _refunded_a_penny_more,
    (2, "money back", "not there"): _refunded_to_us_and_not_there,
    (2, "money back", "refused to us"): _refused_to_us_and_done_there,
    (2, "money back", "by nobody"): _refund_ordered_by_nobody,
    (0, "intentions", "no outcome"): _refund_without_an_outcome,
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"law {rule[0]}, {rule[1]}: {rule[2]}")
def test_rule_about_money_given_back_finds_its_own_breach(
    true: Evidence, rule: tuple[int, str, str]
) -> None:
    """A refund that nobody asked for, that came twice, or that is not what we say it is."""
    forged = copied(true)
    RULES[rule](forged)
    (checker,) = (each for each in CHECKERS if (each.law, each.name) == rule[:2])

    assert checker.check(forged)
    assert [] == checker.check(true)


def test_money_is_given_back_on_the_calm_day(true: Evidence) -> None:
    """Both refunds stand in the log, though one yes was said twice."""
    counted = exercised(true)

    assert 2 == counted["reversals ordered"]
    assert 2 <= counted["law 2, money back"]
