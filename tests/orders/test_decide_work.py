"""Orders, the rules for what is due: holding, accepting, writing back; and where it stands."""

import pytest

from kcjl.money import Money
from kcjl.orders.decide import decide_hold, left_to_the_marketplace, standing, why_held
from kcjl.orders.decide_posting import wants_work, wants_write_back
from kcjl.orders.events import (
    OrderHeld,
    OrderReleased,
    SkuSuggestion,
)
from kcjl.orders.posting_events import TotalsCompared
from kcjl.orders.state import Catalogued, OrderEntry, WriteBack
from tests.orders.books import (
    ACCEPTED,
    ACCEPTING,
    DISCONTINUED,
    KNOWN,
    PASSED,
    TOTALS,
    UNASKED,
    UNKNOWN,
    UNWRITTEN,
    WRITING,
    WRITTEN,
    acceptance_refused,
    hold,
    order,
)
from tests.tenant.readings import tenant_read
from tests.trade import (
    WAITING,
    at,
    changed,
    gbp,
    intended,
    posted,
    received,
    refused,
)

# ── the tenant ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("automatic", "minutes", "left"),
    [(True, 0, True), (True, 59, True), (True, 60, False), (False, 0, False)],
)
def test_order_is_left_to_a_marketplace_that_accepts_by_itself(
    *,
    automatic: bool,
    minutes: int,
    left: bool,
) -> None:
    """No OR21 where PC01 says automatic; what is left waiting even so is accepted by us."""
    read = tenant_read(acceptance_is_automatic=automatic)

    assert left == left_to_the_marketplace(order(state=WAITING), read, at(minutes))


def test_order_of_a_tenant_that_was_never_read_is_accepted_by_hand() -> None:
    """Cautiously: a time limit runs."""
    assert not left_to_the_marketplace(order(state=WAITING), None, at(0))


# ── holding ─────────────────────────────────────────────────────────────────────────────────


def test_hold_unknown_sku_names_it_and_the_nearest_codes() -> None:
    """An order with a code that the ERP does not know is held, with its money and its clock."""
    assert OrderHeld(
        order_id="O1",
        reason="unknown_sku",
        message="the ERP does not know 'A-1' (nearest: A-11)",
        skus=(SkuSuggestion(sku="A-1", nearest=("A-11",)),),
        money=gbp(2_000),
        accept_by=at(24 * 60),
        ship_by=at(48 * 60),
        occurred_at=at(3),
    ) == hold(UNKNOWN, WAITING)


def test_hold_after_acceptance_has_no_acceptance_clock() -> None:
    """What is accepted has no time limit for accepting any more."""
    event = hold(UNKNOWN)

    assert isinstance(event, OrderHeld)
    assert event.accept_by is None


def test_hold_without_near_codes_says_none() -> None:
    """Where no code is near, the message says so."""
    event = hold({"a-1": Catalogued()})

    assert isinstance(event, OrderHeld)
    assert "the ERP does not know 'A-1' (nearest: none)" == event.message


def test_hold_discontinued_product_says_so() -> None:
    """A discontinued product holds its order."""
    event = hold(DISCONTINUED)

    assert isinstance(event, OrderHeld)
    assert ("discontinued", "discontinued in the ERP: A-1") == (event.reason, event.message)


def test_hold_before_the_erp_was_asked_says_nothing() -> None:
    """A code that nobody has asked about yet holds nothing: the order waits for the answer."""
    assert () == decide_hold(order(), UNASKED, at(3))


def test_hold_again_for_the_same_reason_is_nothing_new() -> None:
    """Held is held: the same words are not said twice."""
    assert () == decide_hold(order(hold(UNKNOWN)), UNKNOWN, at(4))


def test_hold_for_another_reason_is_said() -> None:
    """When the reason changes, the new one is told."""
    (event,) = decide_hold(order(hold(UNKNOWN)), DISCONTINUED, at(4))

    assert isinstance(event, OrderHeld)
    assert "discontinued" == event.reason


def test_hold_ends_when_every_code_is_known() -> None:
    """A mended code lets the order go on by itself."""
    held = order(hold(UNKNOWN))

    assert (OrderReleased(order_id="O1", occurred_at=at(4)),) == decide_hold(held, KNOWN, at(4))


def test_hold_with_known_codes_says_nothing() -> None:
    """An order that is fine is left alone."""
    assert () == decide_hold(order(), KNOWN, at(3))


@pytest.mark.parametrize(
    "entry",
    [
        order(PASSED),
        order(state="CANCELED"),
        order(state="STAGING"),
        order(intended(received())),
        order(intended(received()), posted(received())),
    ],
    ids=["passed over", "cancelled", "staging", "posting", "posted"],
)
def test_hold_of_an_order_past_holding_says_nothing(entry: OrderEntry) -> None:
    """Orders that ended, wait elsewhere, or are on their way into the ERP are not held."""
    assert () == decide_hold(entry, UNKNOWN, at(3))


# ── what is due, and where it stands ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("entry", "due"),
    [
        (order(), True),
        (order(PASSED), False),
        (order(state="CANCELED"), False),
        (order(intended(received()), changed(received(), "CANCELED")), True),
        (order(posted(received())), True),
        (order(posted(received()), TOTALS), True),
        (order(posted(received()), TOTALS, WRITING), True),
        (order(posted(received()), TOTALS, WRITTEN), False),
    ],
    ids=[
        "ready",
        "passed over",
        "cancelled",
        "cancelled with an open outcome",
        "posted",
        "compared",
        "writing",
        "done",
    ],
)
def test_work_is_wanted_until_nothing_is_due(*, entry: OrderEntry, due: bool) -> None:
    """An order is looked at while anything is due; an open outcome always is."""
    assert due == wants_work(entry)


def test_write_back_is_wanted_until_it_is_written() -> None:
    """The ERP's number is written on each posted order, again after a failure."""
    done = posted(received())

    assert not wants_write_back(order())
    assert wants_write_back(order(done))
    assert wants_write_back(order(done, WRITING, UNWRITTEN))
    assert WriteBack.FAILED == order(done, WRITING, UNWRITTEN).write_back
    assert not wants_write_back(order(done, WRITING, WRITTEN))


def test_totals_agree_only_to_the_penny() -> None:
    """A penny is a difference."""
    assert TOTALS.agree
    assert not TotalsCompared(
        order_id="O1", ours=gbp(2_000), erp=Money(1_999), occurred_at=at(10)
    ).agree


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (order(PASSED), "passed_over"),
        (order(state="CANCELED"), "cancelled"),
        (order(state="REFUSED"), "cancelled"),
        (order(posted(received()), state="CLOSED"), "closed"),
        (order(posted(received()), state="RECEIVED"), "closed"),
        (order(posted(received()), state="SHIPPED"), "shipped"),
        (order(posted(received())), "posted"),
        (order(hold(UNKNOWN)), "held"),
        (order(intended(received()), refused(received())), "held"),
        (order(ACCEPTING, acceptance_refused(retry=False), state=WAITING), "held"),
        (order(intended(received())), "posting"),
        (order(), "ready"),
        (order(ACCEPTING, ACCEPTED, state=WAITING), "accepted"),
        (order(state="WAITING_DEBIT_PAYMENT"), "accepted"),
        (order(state=WAITING), "received"),
    ],
)
def test_standing_is_one_word_for_where_the_order_is(entry: OrderEntry, expected: str) -> None:
    """An order is final, waiting, or held: always exactly one of them."""
    assert expected == standing(entry).value


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (order(), ""),
        (order(hold(UNKNOWN)), hold(UNKNOWN).message),
        (order(intended(received()), refused(received())), refused(received()).message),
        (
            order(ACCEPTING, acceptance_refused(retry=False), state=WAITING),
            acceptance_refused(retry=False).message,
        ),
        (order(intended(received()), refused(received()), intended(received())), ""),
    ],
    ids=["ready", "held by a rule", "posting refused", "acceptance refused", "tried again"],
)
def test_an_order_that_is_held_says_why(*, entry: OrderEntry, expected: str) -> None:
    """By a rule, or refused by one of the two sides; the reason goes when it is tried again."""
    assert expected == why_held(entry)
