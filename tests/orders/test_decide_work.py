"""Orders, the rules for what is due: holding, accepting, posting, writing back; standing."""

from datetime import timedelta

import pytest

from kcjl.money import Money
from kcjl.orders.decide import (
    POSTING_ATTEMPTS_MAX,
    decide_hold,
    decide_missing,
    decide_posted,
    live_lines,
    may_post_at,
    posting_amounts,
    posting_lines,
    standing,
    wants_acceptance,
    wants_lookup,
    wants_posting,
    wants_work,
    wants_write_back,
)
from kcjl.orders.events import (
    AcceptanceConfirmed,
    AcceptanceIntended,
    AcceptanceRefused,
    AcceptanceUnknown,
    CancelledAfterPosting,
    OrderHeld,
    OrderPassedOver,
    OrderReleased,
    PostedLine,
    ReferenceWriteFailed,
    ReferenceWriteIntended,
    ReferenceWritten,
    SalesOrderPosted,
    SkuSuggestion,
    TotalsCompared,
)
from kcjl.orders.state import ORDERS, Acceptance, Catalogued, OrderEntry, WriteBack
from kcjl.vocabulary import Event
from tests.trade import (
    SHIPPING,
    WAITING,
    at,
    changed,
    gbp,
    intended,
    made_of,
    missing,
    ordered,
    posted,
    received,
    refused,
    sealed,
    stands,
    unknown,
)

KNOWN: dict[str, Catalogued | None] = {
    "a-1": Catalogued(stock_code="A-1"),
    "b-2": Catalogued(stock_code="B-2"),
}
UNKNOWN: dict[str, Catalogued | None] = {"a-1": Catalogued(nearest=("A-11",))}
DISCONTINUED: dict[str, Catalogued | None] = {
    "a-1": Catalogued(stock_code="A-1", discontinued=True)
}
UNASKED: dict[str, Catalogued | None] = {"a-1": None}

ACCEPTING = AcceptanceIntended(order_id="O1", lines=("O1-1",), occurred_at=at(1))
ACCEPTED = AcceptanceConfirmed(order_id="O1", occurred_at=at(2))
PASSED = OrderPassedOver(order_id="O1", reason="too old", skus=("A-1",), occurred_at=at(0))
TOTALS = TotalsCompared(order_id="O1", ours=gbp(2_000), erp=gbp(2_000), occurred_at=at(10))
WRITING = ReferenceWriteIntended(order_id="O1", erp_order_code="SO-O1", occurred_at=at(9))
WRITTEN = ReferenceWritten(order_id="O1", erp_order_code="SO-O1", occurred_at=at(9))
UNWRITTEN = ReferenceWriteFailed(order_id="O1", message="busy", occurred_at=at(9))


def order(*then: Event, state: str = SHIPPING) -> OrderEntry:
    return made_of(ORDERS, "O1", received(state=state), *then)


def acceptance_refused(*, retry: bool) -> AcceptanceRefused:
    return AcceptanceRefused(order_id="O1", message="no", retry=retry, occurred_at=at(2))


def hold(known: dict[str, Catalogued | None], state: str = SHIPPING) -> Event:
    (event,) = decide_hold(order(state=state), known, at(3))
    return event


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


# ── accepting ───────────────────────────────────────────────────────────────────────────────


def test_acceptance_of_a_waiting_order_with_known_codes_is_wanted() -> None:
    """Every code known: the order is accepted."""
    assert wants_acceptance(order(state=WAITING), KNOWN)


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
def test_acceptance_is_not_wanted_otherwise(
    entry: OrderEntry, known: dict[str, Catalogued | None]
) -> None:
    """Nothing is accepted twice, nor while a code is unknown."""
    assert not wants_acceptance(entry, known)


def test_acceptance_that_never_arrived_is_wanted_again() -> None:
    """An acceptance that the marketplace never had is sent again."""
    again = order(
        ACCEPTING,
        AcceptanceUnknown(order_id="O1", message="no answer", occurred_at=at(2)),
        acceptance_refused(retry=True),
        state=WAITING,
    )

    assert Acceptance.NONE == again.acceptance
    assert wants_acceptance(again, KNOWN)


# ── posting ─────────────────────────────────────────────────────────────────────────────────


def ready(*then: Event) -> OrderEntry:
    return order(sealed(), *then)


def test_posting_of_a_ready_order_is_wanted() -> None:
    """SHIPPING, address sealed, codes known: the order is posted."""
    assert wants_posting(ready(), KNOWN, at(7))


@pytest.mark.parametrize(
    "entry",
    [
        order(),
        order(sealed(), state=WAITING),
        ready(PASSED),
        ready(changed(received(), "CANCELED")),
        ready(intended(received())),
        ready(intended(received()), unknown(received())),
        ready(intended(received()), posted(received())),
        ready(hold(UNKNOWN)),
    ],
    ids=[
        "no address",
        "not accepted",
        "passed over",
        "cancelled",
        "open",
        "unknown",
        "posted",
        "held",
    ],
)
def test_posting_is_not_wanted_otherwise(entry: OrderEntry) -> None:
    """Never two postings: nothing is posted while an outcome is open, or after it."""
    assert not wants_posting(entry, KNOWN, at(100_000))


def test_posting_with_an_unknown_code_is_not_wanted() -> None:
    """No code, no sales order."""
    assert not wants_posting(ready(), UNKNOWN, at(7))


def test_posting_without_a_live_line_is_not_wanted() -> None:
    """An order of which nothing is left is no order for the warehouse."""
    entry = ready(changed(received(), SHIPPING, stands(ordered(), "CANCELED")))

    assert not wants_posting(entry, KNOWN, at(7))


def test_lookup_is_wanted_from_the_intention_until_an_outcome() -> None:
    """An open outcome is asked for, a known one is not."""
    first = received()

    assert not wants_lookup(ready())
    assert wants_lookup(ready(intended(first)))
    assert wants_lookup(ready(intended(first), unknown(first)))
    assert not wants_lookup(ready(intended(first), missing(first)))
    assert not wants_lookup(ready(intended(first), refused(first)))


def test_posting_first_try_may_be_at_once() -> None:
    """The first posting waits for nothing."""
    assert at(0) == may_post_at(ready())


@pytest.mark.parametrize("attempt", range(1, POSTING_ATTEMPTS_MAX))
def test_posting_after_a_refusal_waits_twice_as_long_each_time(attempt: int) -> None:
    """Ten minutes, twenty, forty, …: endless sending is harmful."""
    entry = ready(intended(received(), attempt), refused(received(), attempt, minutes=8))

    assert at(8) + timedelta(minutes=10) * 2 ** (attempt - 1) == may_post_at(entry)


def test_posting_that_never_arrived_waits_a_minute() -> None:
    """What the ERP does not have is sent again soon."""
    entry = ready(intended(received(), 3), missing(received(), 3, minutes=8))

    assert at(9) == may_post_at(entry)
    assert not wants_posting(entry, KNOWN, at(8.5))
    assert wants_posting(entry, KNOWN, at(9))


def test_posting_after_the_last_attempt_waits_for_a_person() -> None:
    """After six refusals nothing is sent by itself any more."""
    last = POSTING_ATTEMPTS_MAX
    entry = ready(intended(received(), last), refused(received(), last))

    assert may_post_at(entry) is None
    assert not wants_posting(entry, KNOWN, at(100_000))


def test_missing_after_an_unknown_outcome_says_that_it_is_missing() -> None:
    """Looked up and not there: it may be sent again."""
    entry = ready(intended(received()), unknown(received()))

    assert (missing(received(), minutes=9),) == decide_missing(entry, refused="", now=at(9))


def test_missing_with_a_refusal_says_what_the_erp_said() -> None:
    """A no is recorded with the money and the codes that wait for it."""
    entry = ready(intended(received()))

    (event,) = decide_missing(entry, refused="no such stock code", now=at(8))

    assert refused(received()) == event


def test_missing_after_the_last_attempt_is_a_refusal() -> None:
    """An order that never arrives is not dropped in silence: a person is told."""
    last = POSTING_ATTEMPTS_MAX
    entry = ready(intended(received(), last), unknown(received(), last))

    (event,) = decide_missing(entry, refused="", now=at(9))

    assert type(refused(received())) is type(event)


def test_posted_is_said_with_what_was_intended() -> None:
    """The sales order holds the lines and the total that were meant to be sent."""
    assert (posted(received(), 8),) == decide_posted(
        ready(intended(received())), "SO-O1", found=False, now=at(8)
    )


def test_posted_although_cancelled_meanwhile_is_said_too() -> None:
    """Found in the ERP after the customer had cancelled: somebody must cancel it there."""
    entry = ready(intended(received()), changed(received(), "CANCELED"))

    events = decide_posted(entry, "SO-O1", found=True, now=at(8))

    assert [SalesOrderPosted, CancelledAfterPosting] == [type(event) for event in events]


def test_posting_lines_are_the_live_ones_under_the_erps_spelling() -> None:
    """Cancelled lines are not posted; the others under the code as the ERP writes it."""
    one, other = ordered("O1-1", "a-1", 3, 500), ordered("O1-2", "b-2")
    first = received("O1", one, other, state=SHIPPING)
    entry = made_of(
        ORDERS, "O1", first, changed(first, SHIPPING, stands(one), stands(other, "CANCELED"))
    )

    assert (one,) == live_lines(entry)
    assert (
        PostedLine(
            line_id="O1-1", sku="a-1", stock_code="A-1", quantity=3, unit_gross=gbp(500)
        ),
    ) == posting_lines(entry, KNOWN)


def test_posting_lines_without_an_answer_keep_the_marketplaces_code() -> None:
    """Where the ERP has not spoken, the code goes as it came."""
    assert ("A-1",) == tuple(line.stock_code for line in posting_lines(order(), UNASKED))


def test_posting_amounts_are_goods_and_delivery_of_the_live_lines() -> None:
    """The sales order's total is what the customer pays for what is still to be supplied."""
    with_delivery = ordered()
    with_delivery = type(with_delivery)(
        **{name: getattr(with_delivery, name) for name in with_delivery.__struct_fields__}
        | {"shipping_price": gbp(350)}
    )
    entry = made_of(ORDERS, "O1", received("O1", with_delivery))

    assert (gbp(350), gbp(2_350)) == posting_amounts(entry)


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
def test_work_is_wanted_until_nothing_is_due(entry: OrderEntry, due: bool) -> None:  # noqa: FBT001
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
