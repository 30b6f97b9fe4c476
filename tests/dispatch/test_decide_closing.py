"""Dispatch, the rules: an outcome that is open, and when nothing more is to be done."""

import pytest

from kcjl.dispatch.closing import decide_shipped_there, done_there
from kcjl.dispatch.events import (
    ConfirmedLine,
    DispatchClosed,
    ParcelConfirmed,
    SalesOrderCancelled,
)
from kcjl.dispatch.matching import is_open, settle_open
from kcjl.dispatch.state import DISPATCHES, Dispatch
from tests.dispatch.parcels import (
    CLOSED,
    KEY,
    ORDER,
    UNKNOWN,
    confirmed,
    dispatch,
    intended,
    refused,
    the_parcel,
)
from tests.trade import (
    at,
    changed,
    folded,
    made_of,
    shipped,
)

# ── an outcome that is open ─────────────────────────────────────────────────────────────────


def test_open_confirmation_found_there_is_confirmed() -> None:
    """Same number, same lines: that shipment is our parcel."""
    entry = dispatch(shipped(tracking="Ab1"), intended(), UNKNOWN)

    found = settle_open(entry, the_parcel(entry), [("S9", "aB1", (("O1-1", 2),))], now=at(42))

    assert confirmed(shipment="S9", already=True, minutes=42) == found


@pytest.mark.parametrize(
    "there",
    [
        [],
        [("S9", "15500000000009", (("O1-1", 2),))],
        [("S9", "15500000000001", (("O1-1", 1),))],
        [("S9", "15500000000001", (("O1-1", 2), ("O1-2", 1)))],
    ],
    ids=["none", "another number", "other units", "more lines"],
)
def test_open_confirmation_not_found_there_may_be_sent_again(
    there: list[tuple[str, str, tuple[tuple[str, int], ...]]],
) -> None:
    """Another parcel's shipment is not ours."""
    entry = dispatch(shipped(), intended(), UNKNOWN)

    assert settle_open(entry, the_parcel(entry), there, now=at(42)) is None


def test_open_confirmation_is_not_found_in_its_twins_shipment() -> None:
    """Two boxes under one number, one unit each: the first box's shipment is not the second."""
    one = ConfirmedLine(line_id="O1-1", quantity=1)
    other = "INV1/2"
    entry = dispatch(
        shipped("O1", KEY, ("A-1", 1)),
        shipped("O1", other, ("A-1", 1)),
        intended(KEY, one),
        confirmed(KEY, one, shipment="S1"),
        intended(other, one),
    )
    there = [("S1", "15500000000001", (("O1-1", 1),))]

    assert settle_open(entry, the_parcel(entry, other), there, now=at(42)) is None


# ── closing ─────────────────────────────────────────────────────────────────────────────────


def test_closed_when_every_unit_is_confirmed() -> None:
    """Everything ordered has been confirmed: done."""
    (event,) = decide_shipped_there(dispatch(shipped(), confirmed()), at(50))

    assert isinstance(event, DispatchClosed)
    assert "every parcel is confirmed" == event.reason


@pytest.mark.parametrize(
    "entry",
    [
        dispatch(),
        dispatch(shipped()),
        dispatch(
            shipped("O1", KEY, ("A-1", 1)),
            confirmed(KEY, ConfirmedLine(line_id="O1-1", quantity=1)),
        ),
        dispatch(shipped(), confirmed(), CLOSED),
        dispatch(shipped(), intended(), changed(ORDER, "SHIPPED")),
    ],
    ids=["nothing shipped", "not confirmed", "a part", "closed already", "outcome open"],
)
def test_not_closed_while_anything_is_to_come(entry: Dispatch) -> None:
    """Waiting for the warehouse, for a confirmation, or for an answer."""
    assert () == decide_shipped_there(entry, at(50))


def test_not_open_before_it_is_posted() -> None:
    """Without a sales order there is nothing to dispatch."""
    entry = made_of(DISPATCHES, "O1", ORDER)

    assert not is_open(entry)
    assert () == decide_shipped_there(entry, at(50))


def test_shipped_there_by_others_is_done_with_a_note() -> None:
    """Confirmed in the back office: our parcels are confirmed, «already»."""
    entry = dispatch(shipped(), changed(ORDER, "SHIPPED"))

    parcel, closed = decide_shipped_there(entry, at(50))

    assert confirmed(shipment="", already=True, minutes=50) == parcel
    assert isinstance(closed, DispatchClosed)


def test_shipped_there_without_a_parcel_of_ours_is_closed() -> None:
    """Shipped there, and the ERP shows no parcel: nothing is left to confirm."""
    (closed,) = decide_shipped_there(dispatch(changed(ORDER, "RECEIVED")), at(50))

    assert isinstance(closed, DispatchClosed)


def test_shipped_there_counts_no_unit_twice() -> None:
    """Two boxes claim the same units: together they confirm no more than was ordered."""
    entry = dispatch(
        shipped(),
        intended(),
        refused(),
        shipped("O1", "INV1/2"),
        intended("INV1/2"),
        confirmed("INV1/2"),
        changed(ORDER, "SHIPPED"),
    )

    events = done_there(entry, the_parcel(entry), at(50))

    assert [()] == [event.lines for event in events if isinstance(event, ParcelConfirmed)]


def test_parcel_that_we_had_sent_is_looked_up_before_others_have_shipped_it() -> None:
    """Its answer was lost: it may be a shipment there, to which its number has to go."""
    entry = dispatch(shipped(), intended(), refused(), changed(ORDER, "SHIPPED"))

    assert () == decide_shipped_there(entry, at(50))


def test_ended_there_waits_until_it_is_cancelled_in_the_erp() -> None:
    """Cancelled at the marketplace: looked at until the ERP shows it cancelled too."""
    ended = changed(ORDER, "CANCELED")
    cancelled = SalesOrderCancelled(
        order_id="O1",
        reference="REF-O1",
        reason="",
        deadline=None,
        still_wanted=False,
        occurred_at=at(45),
    )

    assert () == decide_shipped_there(dispatch(shipped(), ended), at(50))
    (closed,) = decide_shipped_there(dispatch(shipped(), ended, cancelled), at(50))

    assert isinstance(closed, DispatchClosed)
    assert (KEY,) == closed.left


def test_event_of_an_unknown_order_makes_no_entry() -> None:
    """A dispatch exists from the order's first sight on."""
    assert folded(DISPATCHES, "O1", [shipped()]) is None
