"""What people say of an order, the rules: an event, once, or refused with the next step."""

import msgspec
import pytest

from kcjl.errors import Misuse, Refused
from kcjl.orders.acceptance_events import (
    AcceptanceDecided,
    AcceptanceRetried,
    OrderLetThrough,
    PostingRetried,
)
from kcjl.orders.acceptance_state import WORDS, Words
from kcjl.orders.events import OrderHeld, OrderReleased
from kcjl.orders.state import ORDERS, OrderEntry, Posting
from kcjl.orders.words import (
    decide_let_through,
    decide_person_hold,
    decide_retry,
    decide_word,
)
from kcjl.vocabulary import Event
from tests.orders.books import (
    ACCEPTED,
    ACCEPTING,
    PASSED,
    UNKNOWN,
    acceptance_refused,
    hold,
    order,
)
from tests.trade import (
    WAITING,
    at,
    changed,
    folded,
    intended,
    made_of,
    missing,
    ordered,
    posted,
    received,
    refused,
    vanished,
)

FIRST = received()
TWO_LINES = received("O1", ordered("O1-1", "A-1"), ordered("O1-2", "B-2"))


def held_by_policy(entry: OrderEntry) -> OrderEntry:
    held = OrderHeld(
        order_id="O1",
        reason="policy",
        message="dear",
        skus=(),
        money=entry.total_price,
        accept_by=entry.accept_by,
        rule="dear",
        policy_version=4,
        occurred_at=at(2),
    )
    return msgspec.structs.replace(entry, held=held)


def after(entry: OrderEntry, *events: Event) -> OrderEntry:
    for event in events:
        evolved = ORDERS.evolve(entry, event, "O1") if ORDERS.keys(event) else entry
        assert evolved is not None
        entry = evolved
    return entry


def word(
    entry: OrderEntry, *lines: str, refuse: bool = False, before: Words | None = None
) -> tuple[Event, ...]:
    return decide_word(
        entry, before, lines=lines, refuse=refuse, reason="no cartons", now=at(3)
    )


# ── hold and release ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("entry", [order(state=WAITING), order()], ids=["waiting", "ready"])
def test_hold_is_said_once_with_its_reason(entry: OrderEntry) -> None:
    """Carried out twice it is one event."""
    said = decide_person_hold(entry, reason="ask the buyer", now=at(3))
    (held,) = said

    assert isinstance(held, OrderHeld)
    assert ("by_person", "ask the buyer") == (held.reason, held.message)
    assert () == decide_person_hold(after(entry, *said), reason="ask the buyer", now=at(4))


@pytest.mark.parametrize(
    ("entry", "next_step"),
    [
        (order(intended(FIRST)), "stop it in Khaos Control"),
        (order(intended(FIRST), posted(FIRST)), "Stop it there"),
        (order(state="CANCELED"), "nothing of it waits for us"),
        (order(PASSED), "passed over"),
        (order(ACCEPTING, state=WAITING), "Hold it in a minute"),
    ],
)
def test_hold_that_comes_too_late_is_refused_with_the_next_step(
    entry: OrderEntry, next_step: str
) -> None:
    """What is on its way can't be held back by us."""
    with pytest.raises(Refused, match=next_step):
        decide_person_hold(entry, reason="ask", now=at(3))


def test_hold_without_a_reason_is_misuse() -> None:
    """Whoever asks later wants to know why."""
    with pytest.raises(Misuse, match="reason"):
        decide_person_hold(order(), reason=" ", now=at(3))


def test_release_of_a_persons_hold_lets_the_policy_look_again() -> None:
    """What a person held, a person frees; nothing is overruled."""
    held = after(order(), *decide_person_hold(order(), reason="ask", now=at(2)))

    assert (OrderReleased(order_id="O1", occurred_at=at(3)),) == decide_let_through(
        held, reason="", now=at(3)
    )


def test_release_of_what_the_policy_holds_overrules_it_and_says_which_rule() -> None:
    """The rule and the version that were overruled stand in the log."""
    held = held_by_policy(order(state=WAITING))
    through, released = decide_let_through(held, reason="known buyer", now=at(3))

    assert (
        OrderLetThrough(
            order_id="O1",
            reason="known buyer",
            rule="dear",
            policy_version=4,
            occurred_at=at(3),
        )
        == through
    )
    assert isinstance(released, OrderReleased)
    assert () == decide_let_through(after(held, released), reason="", now=at(4))


def test_release_of_an_unknown_code_is_refused_and_says_how_to_mend_it() -> None:
    """No word of a person makes a stock code."""
    with pytest.raises(Refused, match="kcjl stock alias"):
        decide_let_through(order(hold(UNKNOWN)), reason="", now=at(3))


def test_release_of_an_order_that_is_over_is_refused() -> None:
    """There is nothing to release."""
    with pytest.raises(Refused, match="not held"):
        decide_let_through(order(state="CANCELED"), reason="", now=at(3))


# ── retry ───────────────────────────────────────────────────────────────────────────────────


def test_retry_of_a_refused_posting_looks_it_up_before_it_is_sent() -> None:
    """After six refusals it starts again, with an outcome that is open: law 2."""
    given_up = order(intended(FIRST, attempt=6), refused(FIRST, attempt=6))
    said = decide_retry(given_up, reason="mended", now=at(30))
    entry = after(given_up, *said)

    assert [PostingRetried] == [type(each) for each in said]
    assert (Posting.OPEN, 0) == (entry.posting, entry.posting_attempts)
    assert () == decide_retry(entry, reason="mended", now=at(31))
    assert () == decide_retry(after(entry, missing(FIRST)), reason="mended", now=at(32))


def test_retry_of_a_refused_acceptance_sends_it_again() -> None:
    """The operator has mended something: our answer goes out once more."""
    entry = order(ACCEPTING, acceptance_refused(retry=False), state=WAITING)

    assert (
        AcceptanceRetried(order_id="O1", reason="mended", occurred_at=at(3)),
    ) == decide_retry(entry, reason="mended", now=at(3))


@pytest.mark.parametrize(
    ("entry", "next_step"),
    [
        (order(), "nothing of order O1 was refused"),
        (order(intended(FIRST), posted(FIRST)), "nothing of order O1 was refused"),
        (order(intended(FIRST), posted(FIRST), vanished(FIRST)), "kcjl orders post-again O1"),
    ],
)
def test_retry_of_what_was_not_refused_says_what_to_do(
    entry: OrderEntry, next_step: str
) -> None:
    """A clear no, with the present state."""
    with pytest.raises(Refused, match=next_step):
        decide_retry(entry, reason="", now=at(60))


# ── accept and refuse ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lines", "refuse", "accepted", "turned_down"),
    [
        ((), False, ("O1-1", "O1-2"), ()),
        ((), True, (), ("O1-1", "O1-2")),
        (("O1-1",), False, ("O1-1",), ("O1-2",)),
        (("O1-1",), True, ("O1-2",), ("O1-1",)),
    ],
)
def test_every_line_is_decided_in_one_answer(
    lines: tuple[str, ...],
    *,
    refuse: bool,
    accepted: tuple[str, ...],
    turned_down: tuple[str, ...],
) -> None:
    """The marketplace wants a decision on each line, at once."""
    (decided,) = word(made_of(ORDERS, "O1", TWO_LINES), *lines, refuse=refuse)

    assert isinstance(decided, AcceptanceDecided)
    assert (accepted, turned_down) == (decided.accepted, decided.refused)


def test_answer_that_is_the_same_again_is_nothing_new() -> None:
    """Carried out twice, one decision; another answer before it is sent takes its place."""
    entry = order(state=WAITING)
    said = word(entry)
    before = folded(WORDS, "O1", said)

    assert () == word(entry, before=before)
    assert 1 == len(word(entry, refuse=True, before=before))


def test_answer_frees_what_the_policy_or_a_person_held() -> None:
    """A person has decided: nothing holds it any more, but for its codes."""
    held = held_by_policy(order(state=WAITING))

    assert [AcceptanceDecided, OrderReleased] == [type(each) for each in word(held)]
    assert [AcceptanceDecided] == [
        type(each) for each in word(order(hold(UNKNOWN, WAITING), state=WAITING))
    ]


def test_another_answer_after_a_refused_one_is_sent() -> None:
    """The shop may not accept in part: the person says otherwise, and it goes out."""
    entry = order(ACCEPTING, acceptance_refused(retry=False), state=WAITING)

    assert [AcceptanceDecided, AcceptanceRetried] == [type(each) for each in word(entry)]


@pytest.mark.parametrize(
    ("entry", "refuse", "next_step"),
    [
        (order(), True, "has to be refunded"),
        (order(), False, "shows it as SHIPPING"),
        (order(ACCEPTING, state=WAITING), False, "Look in a minute"),
        (order(ACCEPTING, ACCEPTED, state=WAITING), True, "takes one only"),
        (order(PASSED, state=WAITING), False, "passed over"),
        (order(changed(FIRST, "REFUSED"), state=WAITING), True, "shows it as REFUSED"),
    ],
)
def test_answer_that_is_too_late_is_refused_with_the_next_step(
    entry: OrderEntry,
    *,
    refuse: bool,
    next_step: str,
) -> None:
    """One answer an order; after it only money goes back."""
    with pytest.raises(Refused, match=next_step):
        word(entry, refuse=refuse)


def test_answer_about_a_line_that_is_none_names_those_there_are() -> None:
    """A slip of the pen decides nothing."""
    with pytest.raises(Misuse, match="O1-1, O1-2"):
        word(made_of(ORDERS, "O1", TWO_LINES), "O9-1", refuse=True)


def test_refusal_without_a_reason_is_misuse() -> None:
    """It costs a customer: why stands in the log."""
    with pytest.raises(Misuse, match="reason"):
        decide_word(order(state=WAITING), None, lines=(), refuse=True, reason="", now=at(3))
