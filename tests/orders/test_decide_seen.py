"""Orders, the rules for what a read brings: new, changed, or nothing new."""

import msgspec
import pytest

from kcjl.orders.decide import decide_seen
from kcjl.orders.events import (
    AcceptanceConfirmed,
    AcceptanceIntended,
    AcceptanceRefused,
    AcceptanceUnknown,
    CancelledAfterPosting,
    OrderChanged,
    OrderHeld,
    OrderPassedOver,
    OrderReceived,
    OrderReleased,
)
from kcjl.orders.state import ORDERS, Acceptance, OrderEntry
from kcjl.vocabulary import Event
from tests.trade import (
    SHIPPING,
    WAITING,
    at,
    changed,
    folded,
    gbp,
    intended,
    made_of,
    ordered,
    posted,
    received,
    stands,
)


def seen(
    entry: OrderEntry | None, order: OrderReceived, change: OrderChanged, *, start: float = -60
) -> tuple[Event, ...]:
    return decide_seen(entry, received=order, changed=change, start_at=at(start))


def accept_refused(*, retry: bool) -> AcceptanceRefused:
    return AcceptanceRefused(order_id="O1", message="too late", retry=retry, occurred_at=at(2))


ACCEPTING = AcceptanceIntended(order_id="O1", lines=("O1-1",), occurred_at=at(1))


def held() -> OrderHeld:
    return OrderHeld(
        order_id="O1",
        reason="unknown_sku",
        message="the ERP does not know 'A-1'",
        skus=(),
        money=gbp(2_000),
        accept_by=None,
        occurred_at=at(2),
    )


def test_seen_first_time_is_received() -> None:
    """An order that nobody knows is received, and nothing else is said of it."""
    order = received()

    assert (order,) == seen(None, order, changed(order, WAITING))


def test_seen_first_time_with_a_line_elsewhere_is_received_and_changed() -> None:
    """Lines that stand elsewhere than their order are told at first sight."""
    one, other = ordered("O1-1"), ordered("O1-2", "B-2")
    order = received("O1", one, other, state=SHIPPING)
    change = changed(order, SHIPPING, stands(one), stands(other, "CANCELED"))

    assert (order, change) == seen(None, order, change)


def test_seen_first_time_with_a_refund_is_received_and_changed() -> None:
    """Money that has already gone back is told at first sight."""
    line = ordered()
    order = received("O1", line, state=SHIPPING)
    change = changed(order, SHIPPING, stands(line, refunded=500))

    assert (order, change) == seen(None, order, change)


@pytest.mark.parametrize("state", ["SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"])
def test_seen_first_time_already_shipped_is_passed_over(state: str) -> None:
    """What others have shipped before we came is recorded, and never posted."""
    order = received(state=state)

    events = seen(None, order, changed(order, state))

    assert [OrderReceived, OrderPassedOver] == [type(event) for event in events]


def test_seen_first_time_older_than_the_start_is_passed_over() -> None:
    """Orders older than the start date are recorded, and never posted."""
    order = received()

    _, passed = seen(None, order, changed(order, WAITING), start=1)

    assert (
        OrderPassedOver(
            order_id="O1",
            reason="it is older than the start date",
            skus=("A-1",),
            occurred_at=at(5),
        )
        == passed
    )


def test_seen_first_time_shipped_by_a_fulfilment_centre_is_passed_over() -> None:
    """Orders that another warehouse ships are not ours to post."""
    order = received(fulfilled_by_us=False)

    _, passed = seen(None, order, changed(order, WAITING))

    assert isinstance(passed, OrderPassedOver)
    assert "another fulfilment centre ships it" == passed.reason


def test_seen_first_time_without_a_start_date_is_received() -> None:
    """Without a start date no order is too old."""
    order = received(minutes=-100_000)

    events = decide_seen(None, received=order, changed=changed(order, WAITING), start_at=None)

    assert (order,) == events


def test_seen_again_unchanged_is_nothing_new() -> None:
    """Reading the same order twice adds nothing to the log."""
    order = received()
    entry = made_of(ORDERS, "O1", order)

    assert () == seen(entry, order, changed(order, WAITING, minutes=50))


def test_seen_again_without_a_ship_date_is_nothing_new() -> None:
    """A page that leaves the ship date out takes none away, however often it comes."""
    order = received()
    entry = made_of(ORDERS, "O1", order)
    without = msgspec.structs.replace(changed(order, WAITING), ship_by=None)

    assert () == seen(entry, order, without)


@pytest.mark.parametrize(
    "difference",
    [
        {"state": SHIPPING},
        {"total_price": gbp(1)},
        {"ship_by": at(1)},
        {"lines": (stands(ordered(), "WAITING_ACCEPTANCE", refunded=100),)},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_seen_again_with_a_difference_is_changed(difference: dict[str, object]) -> None:
    """State, total, ship date and the lines' standing: each of them is news."""
    order = received()
    entry = made_of(ORDERS, "O1", order)
    change = msgspec.structs.replace(changed(order, WAITING), **difference)

    assert (change,) == seen(entry, order, change)


def test_seen_on_an_older_page_is_nothing_new() -> None:
    """A page from before the last update undoes nothing."""
    order = received()
    entry = made_of(ORDERS, "O1", order, changed(order, SHIPPING, minutes=10))

    assert () == seen(entry, order, changed(order, WAITING, minutes=9))


def test_seen_on_a_page_older_than_first_sight_is_nothing_new() -> None:
    """What was first seen as updated at ten is not undone by a page of nine o'clock."""
    order = received(state=SHIPPING, updated=10)
    entry = made_of(ORDERS, "O1", order)

    assert () == seen(entry, order, changed(order, WAITING, minutes=9))


def test_seen_moved_on_while_acceptance_is_open_confirms_it() -> None:
    """An order that has moved on has our acceptance, whatever became of the answer."""
    order = received()
    entry = made_of(ORDERS, "O1", order, ACCEPTING)
    change = changed(order, SHIPPING)

    accepted = AcceptanceConfirmed(order_id="O1", occurred_at=at(5))

    assert (change, accepted) == seen(entry, order, change)


def test_seen_moved_on_after_a_refusal_confirms_it() -> None:
    """Where a person has accepted what we were refused, the refusal is over."""
    order = received()
    entry = made_of(ORDERS, "O1", order, ACCEPTING, accept_refused(retry=False))
    change = changed(order, SHIPPING)

    assert AcceptanceConfirmed(order_id="O1", occurred_at=at(5)) in seen(entry, order, change)


def test_seen_cancelled_after_a_refusal_is_no_acceptance() -> None:
    """An order that ended unsold was accepted by nobody."""
    order = received()
    entry = made_of(ORDERS, "O1", order, ACCEPTING, accept_refused(retry=False))
    change = changed(order, "CANCELED")

    assert (change,) == seen(entry, order, change)


def test_seen_still_waiting_while_acceptance_is_open_says_nothing_of_it() -> None:
    """While the order still waits for acceptance, ours stays open."""
    order = received()
    entry = made_of(ORDERS, "O1", order, ACCEPTING)
    change = changed(order, WAITING, stands(order.lines[0], WAITING, refunded=1))

    assert (change,) == seen(entry, order, change)


def test_seen_cancelled_while_held_releases_it() -> None:
    """Nothing is waited for in an order that was cancelled."""
    order = received()
    entry = made_of(ORDERS, "O1", order, held())
    change = changed(order, "CANCELED")

    released = OrderReleased(order_id="O1", occurred_at=at(5))

    assert (change, released) == seen(entry, order, change)


def test_seen_cancelled_after_posting_is_said_once() -> None:
    """No call undoes it in the ERP: a person is told, once, what to cancel there."""
    order = received(state=SHIPPING)
    entry = made_of(ORDERS, "O1", order, intended(order), posted(order))
    change = changed(order, "CANCELED", minutes=9)

    too_late = CancelledAfterPosting(
        order_id="O1",
        reference="REF-O1",
        erp_order_code="SO-O1",
        money=gbp(2_000),
        occurred_at=at(9),
    )

    assert (change, too_late) == seen(entry, order, change)
    after = made_of(ORDERS, "O1", order, intended(order), posted(order), change)
    later = changed(order, "CANCELED", stands(order.lines[0], "CANCELED", 500), minutes=12)
    assert (later,) == seen(after, order, later)


def test_seen_shipping_while_held_stays_held() -> None:
    """Being accepted by others does not make a code known."""
    order = received()
    entry = made_of(ORDERS, "O1", order, held())
    change = changed(order, SHIPPING)

    assert (change,) == seen(entry, order, change)


def test_changed_without_a_ship_date_keeps_the_one_known() -> None:
    """A ship date that was told once is kept."""
    order = received()
    change = msgspec.structs.replace(changed(order), ship_by=None)

    assert order.ship_by == made_of(ORDERS, "O1", order, change).ship_by


def test_event_of_an_unknown_order_makes_no_entry() -> None:
    """An order exists from its first sight on."""
    order = received()

    assert folded(ORDERS, "O1", [changed(order)]) is None


def test_received_without_update_time_counts_from_its_placing() -> None:
    """Orders recorded before update times were: their placing is what is known."""
    assert at(3) == made_of(ORDERS, "O1", received(minutes=3)).updated_at
    assert at(9) == made_of(ORDERS, "O1", received(minutes=3, updated=9)).updated_at


def test_answer_that_is_lost_after_the_order_was_seen_accepted_opens_nothing() -> None:
    """The read that showed it accepted came before the call was given up (seed 87)."""
    order = received()
    confirmed = AcceptanceConfirmed(order_id="O1", occurred_at=at(2))
    lost = AcceptanceUnknown(order_id="O1", message="no answer", occurred_at=at(3))
    entry = made_of(ORDERS, "O1", order, ACCEPTING, changed(order), confirmed, lost)

    assert Acceptance.CONFIRMED == entry.acceptance
