"""Units that were cancelled after the ERP had them, and were packed all the same."""

import pytest

from kcjl.dispatch.closing import decide_shipped_there
from kcjl.dispatch.decide import decide_parcels
from kcjl.dispatch.events import ConfirmationIntended, ParcelConfirmed, ParcelUnmatched
from kcjl.dispatch.unwanted_events import UnwantedUnitsSent
from kcjl.orders.events import LineStanding, OrderReceived
from kcjl.orders.events_changes import LineCancelled, LineWithdrawn
from kcjl.orders.reversal_events import ReversalItem, ReversalOrdered, ReversalTaken
from kcjl.vocabulary import Event
from tests.dispatch.parcels import CLOSED, KEY, confirmed, dispatch, intended, next_step
from tests.trade import SHIPPING, at, changed, gbp, ordered, received, shipped, stands

TWO_LINES = received("O1", ordered("O1-1"), ordered("O1-2", "B-2"), state=SHIPPING)


def cancelled(units: int | None, line_id: str = "O1-1") -> LineCancelled:
    return LineCancelled(
        order_id="O1",
        line_id=line_id,
        sku="A-1",
        cancelation_id="C1",
        units=units,
        amount=gbp(1_000),
        shipping_amount=gbp(0),
        reason_code="34",
        occurred_at=at(20),
    )


def withdrawn(units: int, line_id: str = "O1-1") -> LineWithdrawn:
    return LineWithdrawn(
        order_id="O1",
        line_id=line_id,
        sku="A-1",
        units=units,
        amount=gbp(1_000),
        shipping_amount=gbp(0),
        occurred_at=at(20),
    )


def standing(order: OrderReceived, *states: str) -> tuple[LineStanding, ...]:
    return tuple(stands(line, state) for line, state in zip(order.lines, states, strict=True))


def test_cancelled_unit_in_a_parcel_is_left_out_and_the_rest_is_confirmed() -> None:
    """One of two was cancelled, both went: the marketplace takes one, and refuses two."""
    (step,) = next_step(dispatch(cancelled(1), shipped("O1", KEY, ("A-1", 2))))

    assert isinstance(step, ConfirmationIntended)
    assert [("O1-1", 1)] == [(line.line_id, line.quantity) for line in step.lines]


@pytest.mark.parametrize("state", ["CANCELED", "REFUNDED"])
def test_line_that_is_over_does_not_keep_the_other_lines_back(state: str) -> None:
    """The customer of the second line waits for a number that tracks."""
    over = changed(TWO_LINES, SHIPPING, *standing(TWO_LINES, state, SHIPPING))
    both = shipped("O1", KEY, ("A-1", 2), ("B-2", 2))
    (step,) = next_step(dispatch(over, both, order=TWO_LINES))

    assert isinstance(step, ConfirmationIntended)
    assert [("O1-2", 2)] == [(line.line_id, line.quantity) for line in step.lines]


def test_parcel_of_cancelled_units_alone_is_told_of() -> None:
    """It went to a customer who does not want it: a person has to know."""
    (step,) = next_step(dispatch(cancelled(2), shipped("O1", KEY, ("A-1", 2))))

    assert isinstance(step, ParcelUnmatched)


def test_more_than_was_ever_ordered_is_not_excused_by_a_cancelation() -> None:
    """Two ordered, one cancelled, three packed: one of them nobody ever asked for."""
    (step,) = next_step(dispatch(cancelled(1), shipped("O1", KEY, ("A-1", 3))))

    assert isinstance(step, ParcelUnmatched)


@pytest.mark.parametrize("units", [None, 1], ids=["an amount only", "withdrawn before posting"])
def test_what_the_erp_was_never_posted_is_not_taken_off_again(units: int | None) -> None:
    """Units cancelled before the posting are not among those that the ERP has."""
    taken_off = (withdrawn(units),) if units else ()
    entry = dispatch(cancelled(units), *taken_off, shipped("O1", KEY, ("A-1", 2)))
    (step,) = next_step(entry)

    assert isinstance(step, ConfirmationIntended)
    assert [("O1-1", 2)] == [(line.line_id, line.quantity) for line in step.lines]


def kept_back(units: int, *, not_to_ship: bool = True) -> tuple[Event, ...]:
    """We refund units that are to stay, and the marketplace has taken it."""
    item = ReversalItem(
        line_id="O1-1",
        sku="A-1",
        quantity=units,
        amount=gbp(1_000),
        shipping_amount=gbp(0),
        taxes=(),
        shipping_taxes=(),
    )
    ordered_ = ReversalOrdered(
        order_id="O1",
        reversal_id="V1",
        kind="refund",
        reason_code="15",
        reason="damaged on the shelf",
        tax_mode="TAX_INCLUDED",
        not_to_ship=not_to_ship,
        items=(item,),
        money=gbp(1_000),
        occurred_at=at(18),
    )
    taken = ReversalTaken(
        order_id="O1",
        reversal_id="V1",
        line_id="O1-1",
        marketplace_id="55012",
        amount=gbp(1_000),
        shipping_amount=gbp(0),
        found_by_lookup=False,
        as_asked=True,
        occurred_at=at(19),
    )
    return ordered_, taken


def test_unit_that_was_refunded_to_stay_and_went_is_told_and_the_rest_is_confirmed() -> None:
    """Known from our own refund, before the marketplace shows the line as anything."""
    entry = dispatch(*kept_back(1), shipped("O1", KEY, ("A-1", 2)))
    told, step = next_step(entry)

    assert isinstance(told, UnwantedUnitsSent)
    assert [("O1-1", 1)] == [(each.line_id, each.quantity) for each in told.units]
    assert isinstance(step, ConfirmationIntended)
    assert [("O1-1", 1)] == [(line.line_id, line.quantity) for line in step.lines]
    again = dispatch(*kept_back(1), shipped("O1", KEY, ("A-1", 2)), told)
    assert [ConfirmationIntended] == [type(each) for each in next_step(again)]


@pytest.mark.parametrize("then", ["only ordered", "goods go all the same"])
def test_refund_that_is_not_taken_or_lets_the_goods_go_holds_nothing_back(then: str) -> None:
    """What the marketplace has not taken can still be refused."""
    events = kept_back(1)[:1] if then == "only ordered" else kept_back(1, not_to_ship=False)
    (step,) = next_step(dispatch(*events, shipped("O1", KEY, ("A-1", 2))))

    assert isinstance(step, ConfirmationIntended)
    assert [("O1-1", 2)] == [(line.line_id, line.quantity) for line in step.lines]


def test_unit_that_stays_in_the_house_is_nobodys_trouble() -> None:
    """One of two was refunded, one went: that is what was wanted."""
    (step,) = next_step(dispatch(*kept_back(1), shipped("O1", KEY, ("A-1", 1))))

    assert isinstance(step, ConfirmationIntended)


def test_box_that_goes_after_its_order_was_done_is_told_too() -> None:
    """The other unit was confirmed and all was closed; then the warehouse sends the second."""
    first = (shipped("O1", KEY, ("A-1", 1)), intended(), confirmed())
    entry = dispatch(*kept_back(1), *first, CLOSED)
    seen = (shipped("O1", KEY, ("A-1", 1)), shipped("O1", "INV1/2", ("A-1", 1), minutes=90))
    _, told = decide_parcels(entry, seen, cancelled=None, now=at(90))

    assert isinstance(told, UnwantedUnitsSent)
    assert ("INV1/2", 1) == (told.parcel_key, told.units[0].quantity)
    known = dispatch(*kept_back(1), *first, CLOSED, seen[1], told)
    assert () == decide_parcels(known, seen, cancelled=None, now=at(95))


def test_unwanted_unit_is_told_where_somebody_else_has_shipped_the_order() -> None:
    """Done there, with a note; and with a word of what went too much."""
    order = received(state=SHIPPING)
    box = shipped("O1", KEY, ("A-1", 2))
    entry = dispatch(*kept_back(1), box, changed(order, "SHIPPED"), order=order)
    told, done, _closed = decide_shipped_there(entry, at(60))

    assert isinstance(told, UnwantedUnitsSent)
    assert isinstance(done, ParcelConfirmed)
