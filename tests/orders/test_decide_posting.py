"""Orders, the rules for posting: when, what, and when not any more."""

from datetime import timedelta

import msgspec
import pytest

from kcjl.orders.amounts import posting_amounts, posting_lines
from kcjl.orders.decide import live_lines
from kcjl.orders.decide_posting import (
    POSTING_ATTEMPTS_MAX,
    UNDER_WAY,
    decide_missing,
    decide_posted,
    is_last_look_due,
    may_post_at,
    wants_lookup,
    wants_posting,
    wants_work,
)
from kcjl.orders.events import (
    CancelledAfterPosting,
    PostedLine,
    SalesOrderMissing,
    SalesOrderPosted,
)
from kcjl.orders.state import ORDERS, OrderEntry
from kcjl.vocabulary import Event
from tests.orders.books import (
    KNOWN,
    PASSED,
    UNASKED,
    UNKNOWN,
    hold,
    order,
)
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


def test_order_cancelled_after_a_lost_answer_is_looked_for_once_more() -> None:
    """It was not found, but may have been under way: nobody would know that the ERP has it."""
    first = received()
    sent = intended(first)
    gone = ready(sent, unknown(first), missing(first), changed(first, "CANCELED", minutes=12))
    later = sent.occurred_at + UNDER_WAY

    assert wants_work(gone)
    assert not is_last_look_due(gone, later - timedelta(seconds=1))
    assert is_last_look_due(gone, later)
    looked = msgspec.structs.replace(missing(first), occurred_at=later)
    assert not is_last_look_due(ORDERS.evolve(gone, looked, "O1") or gone, later)
    (said,) = decide_missing(gone, refused="", now=later)
    assert isinstance(said, SalesOrderMissing)


def test_order_that_was_never_sent_is_not_looked_for_when_it_is_cancelled() -> None:
    """Nothing of it can be on its way."""
    assert not is_last_look_due(ready(changed(received(), "CANCELED")), at(100_000))


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
    said = msgspec.structs.replace(posted(received(), 8), placed_at=at(0))

    assert (said,) == decide_posted(
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
