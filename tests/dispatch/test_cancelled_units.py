"""Units that were cancelled after the ERP had them, and were packed all the same."""

import pytest

from kcjl.dispatch.events import ConfirmationIntended, ParcelUnmatched
from kcjl.orders.events import LineStanding, OrderReceived
from kcjl.orders.events_changes import LineCancelled, LineWithdrawn
from tests.dispatch.parcels import KEY, dispatch, next_step
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
