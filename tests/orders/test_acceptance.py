"""Acceptance, the rules: what passes the policy, what is held, and the time that runs."""

from datetime import timedelta
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.money import Money
from kcjl.orders.acceptance import (
    Circumstances,
    decide_standing,
    decide_time,
    judged,
    next_look_at,
    wants_decision,
)
from kcjl.orders.acceptance_events import (
    AcceptanceDecided,
    AcceptanceTimePassed,
    OrderLetThrough,
)
from kcjl.orders.acceptance_policy import AcceptancePolicy, HoldRule
from kcjl.orders.acceptance_state import WORDS, PolicyInForce, Words
from kcjl.orders.events import AcceptanceUnknown, OrderHeld, OrderReleased
from kcjl.orders.shelf import SHELVES, STOCK_LOOK, Shelves
from kcjl.orders.state import ORDERS, Acceptance, Catalogued, OrderEntry
from kcjl.vocabulary import Event
from tests.orders.books import (
    ACCEPTED,
    ACCEPTING,
    DISCONTINUED,
    KNOWN,
    PASSED,
    UNASKED,
    UNKNOWN,
    acceptance_refused,
    order,
)
from tests.patience import unhurried
from tests.trade import (
    SHIPPING,
    WAITING,
    at,
    changed,
    confirmed,
    folded,
    gbp,
    level,
    made_of,
    ordered,
    received,
    sealed,
    stock_read,
)

KNOWN_ONLY = AcceptancePolicy(accept="known")
DEAR = HoldRule(name="dear", above=gbp(1_999))
DAY = 24 * 60


def shelves(*events: Event) -> Shelves:
    """What there is, after these events."""
    levels = Table(SHELVES, group=lambda shelf: shelf.code_key or None)
    looks, orders = Table(STOCK_LOOK), Table(ORDERS)
    for event in events:
        levels.apply(event)
        looks.apply(event)
        orders.apply(event)
    return Shelves(levels, looks, orders)


STOCKED = (confirmed("A-1"), confirmed("B-2"), level(10, "A-1"), level(10, "B-2"))


def now(
    policy: AcceptancePolicy | None = None,
    *,
    known: dict[str, Catalogued | None] = KNOWN,
    there: tuple[Event, ...] = STOCKED,
    words: Words | None = None,
    automatic: bool = False,
    minutes: float = 3,
) -> Circumstances:
    return Circumstances(
        known=known,
        words=words,
        in_force=PolicyInForce(version=4, policy=policy or AcceptancePolicy()),
        shelves=shelves(*there),
        automatic=automatic,
        now=at(minutes),
    )


def said(*events: Event) -> Words | None:
    return folded(WORDS, "O1", events)


def holding(policy: AcceptancePolicy) -> OrderHeld:
    """What is said when the policy holds it."""
    (event,) = decide_standing(order(state=WAITING), now(policy))
    assert isinstance(event, OrderHeld)
    return event


# ── what passes ─────────────────────────────────────────────────────────────────────────────


def test_order_that_is_known_and_there_is_accepted_under_the_policys_version() -> None:
    """Every line, one answer, and the version of the policy that let it pass."""
    assert AcceptanceDecided(
        order_id="O1",
        accepted=("O1-1",),
        refused=(),
        reason="",
        policy_version=4,
        occurred_at=at(3),
    ) == wants_decision(order(state=WAITING), now())


@pytest.mark.parametrize(
    ("entry", "known"),
    [
        (order(PASSED, state=WAITING), KNOWN),
        (order(state=SHIPPING), KNOWN),
        (order(ACCEPTING, state=WAITING), KNOWN),
        (order(ACCEPTING, acceptance_refused(retry=False), state=WAITING), KNOWN),
        (order(state=WAITING), UNKNOWN),
        (order(state=WAITING), DISCONTINUED),
        (order(state=WAITING), UNASKED),
    ],
    ids=["passed over", "shipping", "open", "refused", "unknown", "discontinued", "unasked"],
)
def test_order_is_not_accepted_otherwise(
    entry: OrderEntry, known: dict[str, Catalogued | None]
) -> None:
    """Nothing is accepted twice, nor while a code is unknown."""
    assert wants_decision(entry, now(known=known)) is None


def test_acceptance_that_never_arrived_is_wanted_again() -> None:
    """An acceptance that the marketplace never had is sent again."""
    again = order(
        ACCEPTING,
        AcceptanceUnknown(order_id="O1", message="no answer", occurred_at=at(2)),
        acceptance_refused(retry=True),
        state=WAITING,
    )

    assert Acceptance.NONE == again.acceptance
    assert wants_decision(again, now()) is not None


# ── what is held ────────────────────────────────────────────────────────────────────────────


def test_order_of_which_too_little_is_there_is_held_with_the_figures() -> None:
    """The level, what is in front of it, the rule and the policy's version are named."""
    older = received("O0", ordered("O0-1", "A-1", 9), minutes=-5)
    (held,) = decide_standing(
        order(state=WAITING), now(there=(*STOCKED, older, received("O1")))
    )

    assert isinstance(held, OrderHeld)
    assert ("not_available", "known_and_available", 4) == (
        held.reason,
        held.rule,
        held.policy_version,
    )
    assert (
        "not in stock: 2 of 'A-1' are wanted, the ERP has 10, 9 of them for older orders "
        "(acceptance policy 4, rule 'known_and_available')"
    ) == held.message
    assert wants_decision(order(state=WAITING), now(there=(confirmed(), level(1)))) is None


def test_order_that_is_held_for_stock_goes_on_when_it_has_come() -> None:
    """Goods in: it is released by itself; while little comes, nothing new is said."""
    (held,) = decide_standing(order(state=WAITING), now(there=(confirmed(), level(0))))
    entry = order(held, state=WAITING)

    assert () == decide_standing(entry, now(there=(confirmed(), level(1))))
    assert (OrderReleased(order_id="O1", occurred_at=at(3)),) == decide_standing(entry, now())


def test_order_whose_stock_is_not_known_yet_waits() -> None:
    """Neither held nor accepted until the ERP has said what it has."""
    unread = now(there=(confirmed(),))

    assert () == decide_standing(order(state=WAITING), unread)
    assert wants_decision(order(state=WAITING), unread) is None


def test_order_of_a_code_without_a_level_is_held_once_levels_were_read() -> None:
    """The ERP was asked, and gives none: that is no reason to wait in silence."""
    (held,) = decide_standing(order(state=WAITING), now(there=(confirmed(), stock_read(2))))

    assert isinstance(held, OrderHeld)
    assert "gives no level" in held.message


def test_policy_that_looks_at_codes_only_accepts_what_is_not_there() -> None:
    """A merchant who makes to order says so."""
    assert wants_decision(order(state=WAITING), now(KNOWN_ONLY, there=())) is not None


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (DEAR, "its total 20.00 GBP is above 19.99 GBP"),
        (HoldRule(name="lamp", skus=("a-1",)), "it has A-1"),
        (HoldRule(name="far", countries=("FRA",)), "it goes to FRA"),
        (HoldRule(name="abroad", countries_other_than=("GBR",)), "it goes to FRA"),
        (
            HoldRule(name="both", above=gbp(100), countries=("FRA",)),
            "its total 20.00 GBP is above 1.00 GBP; it goes to FRA",
        ),
    ],
)
def test_rule_holds_an_order_and_is_named(rule: HoldRule, why: str) -> None:
    """By value, SKU and country: each held order names the rule and the policy's version."""
    entry = msgspec.structs.replace(order(state=WAITING), country="FRA")
    (held,) = decide_standing(entry, now(AcceptancePolicy(holds=(rule,))))

    assert isinstance(held, OrderHeld)
    assert f"{why} (acceptance policy 4, rule {rule.name!r})" == held.message
    assert ("policy", rule.name, 4) == (held.reason, held.rule, held.policy_version)


@pytest.mark.parametrize(
    "rule",
    [
        HoldRule(name="dear", above=gbp(2_000)),
        HoldRule(name="dollars", above=Money(1, "USD")),
        HoldRule(name="other", skus=("B-2",)),
        HoldRule(name="far", countries=("FRA",)),
        HoldRule(name="abroad", countries_other_than=("GBR",)),
        HoldRule(name="both", above=gbp(1), skus=("B-2",)),
    ],
    ids=lambda rule: rule.name,
)
def test_rule_of_which_one_thing_is_not_so_holds_nothing(rule: HoldRule) -> None:
    """All that a rule names has to be so; of a country that is not told, nothing is."""
    policy = AcceptancePolicy(holds=(rule,))

    assert () == decide_standing(order(state=WAITING), now(policy))


def test_manual_policy_holds_every_order() -> None:
    """Nothing is accepted without a person's word."""
    held = holding(AcceptancePolicy(accept="manual"))

    assert ("policy", "manual") == (held.reason, held.rule)


def test_unknown_code_is_named_before_any_rule() -> None:
    """What can't be posted is the first thing to mend."""
    (held,) = decide_standing(
        order(state=WAITING), now(AcceptancePolicy(holds=(DEAR,)), known=UNKNOWN)
    )

    assert isinstance(held, OrderHeld)
    assert ("unknown_sku", 0) == (held.reason, held.policy_version)


def test_new_policy_without_the_rule_releases_what_it_held() -> None:
    """The policy in force counts, not the one of yesterday."""
    entry = order(holding(AcceptancePolicy(holds=(DEAR,))), state=WAITING)

    assert (OrderReleased(order_id="O1", occurred_at=at(3)),) == decide_standing(entry, now())


def test_order_that_a_person_let_through_is_not_held_by_the_policy_again() -> None:
    """A person's word stands above the policy, and not above codes."""
    words = said(
        OrderLetThrough(
            order_id="O1", reason="known", rule="dear", policy_version=4, occurred_at=at(1)
        )
    )
    policy = AcceptancePolicy(holds=(DEAR,))
    entry = order(state=WAITING)

    assert () == decide_standing(entry, now(policy, words=words))
    assert wants_decision(entry, now(policy, words=words)) is not None
    assert wants_decision(entry, now(policy, words=words, known=UNKNOWN)) is None


# ── a marketplace that accepts by itself ────────────────────────────────────────────────────


def test_order_that_was_accepted_by_itself_is_held_before_it_is_posted() -> None:
    """There is nothing to accept; the policy stands before the ERP."""
    (held,) = decide_standing(order(), now(there=(confirmed(), level(1)), automatic=True))

    assert isinstance(held, OrderHeld)
    assert ("not_available", None, at(48 * 60)) == (held.reason, held.accept_by, held.ship_by)


def test_order_that_we_accepted_is_not_judged_again_before_posting() -> None:
    """It was promised: less stock by now is no reason to sit on it."""
    ours = order(ACCEPTING, ACCEPTED)
    empty = now(there=(confirmed(), level(0)), automatic=True)

    assert "passes" == judged(ours, empty).verdict
    assert "passes" == judged(order(), now(there=(confirmed(), level(0)))).verdict


def test_country_that_is_told_after_acceptance_is_judged_before_posting() -> None:
    """A tenant that hides addresses until then: the rule holds the posting."""
    abroad = AcceptancePolicy(holds=(HoldRule(name="abroad", countries_other_than=("GBR",)),))
    first = received(state=WAITING)
    told = msgspec.structs.replace(sealed(), country="FRA")
    entry = made_of(ORDERS, "O1", first, ACCEPTING, ACCEPTED, changed(first), told)

    (held,) = decide_standing(entry, now(abroad))

    assert isinstance(held, OrderHeld)
    assert "abroad" == held.rule


# ── the time that runs ──────────────────────────────────────────────────────────────────────


def steps(
    policy: AcceptancePolicy, entry: OrderEntry, minutes: float, said_before: int = 0
) -> list[Event]:
    words = Words(percent_said=said_before) if said_before else None
    return list(decide_time(entry, now(policy, words=words, minutes=minutes)))


@pytest.mark.parametrize(
    ("share", "before", "told"),
    [
        (0.49, 0, None),
        (0.5, 0, 50),
        (0.79, 50, None),
        (0.8, 50, 80),
        (0.94, 80, None),
        (0.95, 80, 95),
        (2.0, 95, None),
        (0.9, 0, 80),
    ],
)
def test_time_for_accepting_is_said_at_half_at_four_fifths_and_at_the_end(
    share: float, before: int, told: int | None
) -> None:
    """Once each, with the deadline; what was slept through is not said late."""
    events = steps(AcceptancePolicy(), order(state=WAITING), share * DAY, before)
    percents = [each.percent for each in events if isinstance(each, AcceptanceTimePassed)]

    assert ([] if told is None else [told]) == percents


def test_warning_says_what_the_order_waits_for_and_what_happens_at_the_end() -> None:
    """With its deadline and its money."""
    refusing = AcceptancePolicy(at_the_end="refuse", holds=(DEAR,))
    held = holding(refusing)
    (passed,) = steps(refusing, order(held, state=WAITING), 0.5 * DAY)

    assert isinstance(passed, AcceptanceTimePassed)
    assert (at(DAY), gbp(2_000), 4) == (passed.accept_by, passed.money, passed.policy_version)
    assert (
        f"50 % of the time for accepting has gone: {held.message}; at 95 % it is refused"
        == (passed.message)
    )


@pytest.mark.parametrize(
    ("at_the_end", "accepted", "refused"),
    [
        ("accept", ("O1-1",), ("O1-2",)),
        ("refuse", (), ("O1-1", "O1-2")),
    ],
)
def test_policy_answers_at_the_end(
    at_the_end: Literal["accept", "refuse"],
    accepted: tuple[str, ...],
    refused: tuple[str, ...],
) -> None:
    """What is known and there is accepted and the rest refused; or all is refused."""
    two = received("O1", ordered("O1-1", "A-1"), ordered("O1-2", "B-2"))
    entry = made_of(ORDERS, "O1", two)
    policy = AcceptancePolicy(at_the_end=at_the_end)
    there = (confirmed("A-1"), confirmed("B-2"), level(2, "A-1"), level(1, "B-2"))
    _, answer = decide_time(entry, now(policy, there=there, minutes=0.96 * DAY))

    assert isinstance(answer, AcceptanceDecided)
    assert (accepted, refused, True, 4) == (
        answer.accepted,
        answer.refused,
        answer.at_the_end,
        answer.policy_version,
    )


def test_policy_at_the_end_leaves_to_a_person_what_a_person_holds() -> None:
    """Who held it decides it."""
    mine = OrderHeld(
        order_id="O1",
        reason="by_person",
        message="ask the buyer",
        skus=(),
        money=gbp(2_000),
        accept_by=at(DAY),
        occurred_at=at(1),
    )
    events = steps(AcceptancePolicy(at_the_end="refuse"), order(mine, state=WAITING), DAY)

    assert [AcceptanceTimePassed] == [type(each) for each in events]


def test_answer_of_the_end_is_what_is_sent() -> None:
    """Decided is decided, whatever holds it."""
    held = holding(AcceptancePolicy(accept="manual"))
    answer = AcceptanceDecided(
        order_id="O1",
        accepted=(),
        refused=("O1-1",),
        reason="late",
        at_the_end=True,
        policy_version=4,
        occurred_at=at(2),
    )
    entry = order(held, state=WAITING)

    assert answer == wants_decision(
        entry, now(AcceptancePolicy(accept="manual"), words=said(answer))
    )


@given(
    hours=st.floats(0.5, 200),
    end=st.integers(81, 99),
    looked=st.lists(st.floats(0, 1.2), max_size=30).map(sorted),
)
@unhurried
def test_time_is_said_at_most_once_a_step_and_is_never_late(
    hours: float, end: int, looked: list[float]
) -> None:
    """Whenever it is looked at: each step once, in order, and none that has not come."""
    policy = AcceptancePolicy(accept="manual", end_percent=end)
    entry = msgspec.structs.replace(
        order(state=WAITING), accept_by=at() + timedelta(hours=hours)
    )
    words: Words | None = None
    every: list[Event] = []
    told: list[int] = []
    for share in looked:
        moment = now(policy, words=words, minutes=share * hours * 60)
        due = next_look_at(entry, words, policy)
        events = decide_time(entry, moment)
        assert bool(events) == (due is not None and due <= moment.now)
        told += [each.percent for each in events if isinstance(each, AcceptanceTimePassed)]
        every += events
        words = folded(WORDS, "O1", every)

    assert sorted(set(told)) == told
    assert set(told) <= {50, 80, end}
