"""An order's time: which stage when, and whose it was."""

from datetime import date
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.dispatch.deadline_events import SalesOrderStaged, StageInErp
from kcjl.dispatch.events import (
    ConfirmationGivenUp,
    ConfirmationRetried,
    DispatchClosed,
    ParcelShipped,
    ParcelsUnshipped,
    SalesOrderCancelled,
    TrackingAwaited,
    TrackingLetThrough,
    TrackingMalformed,
    TrackingSent,
)
from kcjl.dispatch.timekeeping import TIMINGS
from kcjl.dispatch.timing import FINAL, WHOSE, Stage, Timing, Whose
from kcjl.orders.events import AcceptanceConfirmed, OrderHeld, OrderPassedOver, OrderReleased
from kcjl.vocabulary import Event
from tests.dispatch.parcels import CLOSED, UNMAPPED, confirmed
from tests.trade import (
    SHIPPING,
    at,
    changed,
    folded,
    forgone,
    found_again,
    gbp,
    intended,
    made_of,
    posted,
    received,
    refused,
    shipped,
    vanished,
)

ORDER = received()
ACCEPTED = AcceptanceConfirmed(order_id="O1", occurred_at=at(2))
PAID = changed(ORDER, SHIPPING, minutes=5)
POSTED = posted(ORDER, minutes=8)
SHIPPED = shipped(minutes=40)
CONFIRMED = confirmed(minutes=41)


def held(minutes: float) -> OrderHeld:
    return OrderHeld(
        order_id="O1",
        reason="by_person",
        message="held",
        skus=(),
        money=gbp(2_000),
        accept_by=None,
        occurred_at=at(minutes),
    )


def released(minutes: float) -> OrderReleased:
    return OrderReleased(order_id="O1", occurred_at=at(minutes))


def staged(stage: StageInErp, minutes: float) -> SalesOrderStaged:
    return SalesOrderStaged(
        order_id="O1", stage=stage, named="12 PICKING", occurred_at=at(minutes)
    )


def malformed(number: str, minutes: float) -> TrackingMalformed:
    return TrackingMalformed(
        order_id="O1",
        parcel_key="INV1/1",
        tracking_number=number,
        carrier="DPD",
        deadline=None,
        occurred_at=at(minutes),
    )


def timing(*events: Event) -> Timing:
    return made_of(TIMINGS, "O1", *events)


def spans(*events: Event) -> list[tuple[str, float]]:
    """(stage, minutes after eight until which it lasted)"""
    return [
        (stage.value, (until - at()).total_seconds() / 60)
        for stage, until in timing(*events).spans
    ]


def test_order_goes_from_stage_to_stage_until_it_is_confirmed() -> None:
    """The whole way, each stage with its end."""
    whole = (ORDER, ACCEPTED, PAID, POSTED, staged("in_warehouse", 20), SHIPPED, CONFIRMED)

    assert [
        ("accepting", 2),
        ("at_marketplace", 5),
        ("posting", 8),
        ("to_pick", 20),
        ("picking", 40),
        ("confirming", 41),
    ] == spans(*whole, CLOSED)
    assert at(41) == timing(*whole, CLOSED).confirmed_at
    assert at(5) == timing(*whole, CLOSED).ready_at


def test_time_that_somebody_holds_an_order_is_a_persons() -> None:
    """Held before the posting, and held in the ERP."""
    events = (ORDER, ACCEPTED, PAID, held(6), released(16), posted(ORDER, 18))
    in_erp = (staged("on_hold", 20), staged("in_warehouse", 50))

    assert ("held", 16) in spans(*events)
    assert ("held_in_erp", 50) in spans(*events, *in_erp)
    assert Whose.PERSON == WHOSE[Stage.HELD] == WHOSE[Stage.HELD_IN_ERP]


def test_time_of_an_order_that_can_not_be_written_to_the_erp_is_a_persons() -> None:
    """Nothing of ours goes on until somebody mends it; what the ERP refused we try again."""
    tried = refused(ORDER, minutes=7)
    unsendable = msgspec.structs.replace(refused(ORDER, minutes=8), unsendable=True)
    by_us = folded(TIMINGS, "O1", (ORDER, ACCEPTED, PAID, tried))
    stuck = folded(TIMINGS, "O1", (ORDER, ACCEPTED, PAID, unsendable))
    mended = folded(TIMINGS, "O1", (ORDER, ACCEPTED, PAID, unsendable, intended(ORDER, 2, 30)))

    assert by_us is not None
    assert stuck is not None
    assert mended is not None
    assert [Stage.POSTING, Stage.HELD, Stage.POSTING] == [
        each.stage for each in (by_us, stuck, mended)
    ]
    assert Whose.PERSON == WHOSE[stuck.stage]


def test_order_seen_after_it_was_paid_was_the_marketplaces_until_then() -> None:
    """Our minutes begin when it could be posted."""
    late_seen = received(state=SHIPPING, updated=30)

    assert [("at_marketplace", 30), ("posting", 45)] == spans(late_seen, posted(late_seen, 45))


def test_part_of_an_order_that_is_shipped_leaves_the_rest_with_the_warehouse() -> None:
    """Confirmed in part is not confirmed."""
    part = msgspec.structs.replace(
        shipped(minutes=30),
        erp_complete=False,
        items=(msgspec.structs.replace(SHIPPED.items[0], quantity=1),),
    )
    rest = msgspec.structs.replace(part, parcel_key="INV2/1", occurred_at=at(90))
    some = timing(ORDER, PAID, POSTED, part, confirmed(minutes=31))
    whole = timing(ORDER, PAID, POSTED, part, confirmed(minutes=31), rest)

    assert Stage.TO_PICK == some.stage
    assert Stage.CONFIRMING == whole.stage


def test_parcel_shipped_on_an_earlier_day_was_ours_since_that_days_end() -> None:
    """The ERP tells a day and no time; what we saw late is not the warehouse's."""
    seen = msgspec.structs.replace(
        shipped(minutes=26 * 60), shipped_on=date(2026, 10, 1), erp_complete=True
    )
    end_of_the_day = 15 * 60  # 23:00 UTC, midnight in London

    assert ("to_pick", end_of_the_day) == spans(ORDER, PAID, POSTED, seen)[-1]


@pytest.mark.parametrize(
    ("trouble", "stage"),
    [
        (UNMAPPED, Stage.UNMAPPED),
        (
            TrackingAwaited(
                order_id="O1",
                parcel_key="INV1/1",
                until=at(41),
                deadline=None,
                occurred_at=at(41),
            ),
            Stage.UNTRACKED,
        ),
        (malformed("TRK1", 41), Stage.UNTRACKED),
        (
            ConfirmationGivenUp(
                order_id="O1",
                parcel_key="INV1/1",
                attempts=9,
                since=at(40),
                message="no",
                deadline=None,
                occurred_at=at(41),
            ),
            Stage.GIVEN_UP,
        ),
        (
            ParcelsUnshipped(order_id="O1", parcel_keys=("INV1/1",), occurred_at=at(41)),
            Stage.TO_PICK,
        ),
        (
            SalesOrderCancelled(
                order_id="O1", reference="R", reason="", deadline=None, occurred_at=at(41)
            ),
            Stage.CONFIRMING,
        ),
    ],
)
def test_shipped_parcel_in_trouble_is_who_can_mend_its(trouble: Event, stage: Stage) -> None:
    """Unmapped is a person's, without a number the warehouse's, unpacked is packed again."""
    assert stage == timing(ORDER, PAID, POSTED, SHIPPED, trouble).stage


def test_parcel_that_is_tried_again_is_ours_again() -> None:
    """Mapped, let through or retried: what held it is over."""
    again = ConfirmationRetried(
        order_id="O1", parcel_key="INV1/1", reason="mended", occurred_at=at(50)
    )

    assert ("unmapped", 50) in spans(ORDER, PAID, POSTED, SHIPPED, UNMAPPED, again, CONFIRMED)


def test_number_that_comes_after_the_confirmation_makes_the_parcel_tracked() -> None:
    """The operator counts it as well."""
    without = shipped(minutes=40, tracking="")
    sent = TrackingSent(
        order_id="O1", parcel_key="INV1/1", tracking_number="TRK1", occurred_at=at(90)
    )
    events = (ORDER, PAID, POSTED, without, CONFIRMED, CLOSED)

    assert not timing(*events).tracked
    assert timing(*events, sent).tracked


def test_number_without_a_form_of_its_carriers_makes_no_tracked_order() -> None:
    """Also where somebody else ships it so; a person's word makes it a number that counts."""
    let_through = TrackingLetThrough(
        order_id="O1",
        parcel_key="INV1/1",
        tracking_number="TRK1",
        reason="",
        occurred_at=at(45),
    )
    there = confirmed(already=True, minutes=50)
    events = (ORDER, PAID, POSTED, SHIPPED, malformed("TRK1", 41))

    assert not timing(*events, there, CLOSED).tracked
    assert timing(*events, let_through, there, CLOSED).tracked


def test_malformed_number_on_a_confirmed_parcel_leaves_the_good_one_that_it_has() -> None:
    """The marketplace keeps it, and the parcel stays confirmed."""
    entry = timing(ORDER, PAID, POSTED, SHIPPED, CONFIRMED, malformed("155", 60))

    assert (True, [Stage.CONFIRMED]) == (entry.tracked, [each.stage for each in entry.parcels])


def test_sales_order_that_the_erp_lost_waits_for_a_person() -> None:
    """Until it is there again, or nobody needs it any more."""
    lost = (ORDER, PAID, POSTED, vanished(ORDER, 30))

    assert Stage.HELD == timing(*lost).stage
    assert Stage.TO_PICK == timing(*lost, found_again(ORDER, 50)).stage
    assert Stage.ENDED == timing(*lost, forgone(ORDER, 50)).stage


@pytest.mark.parametrize(
    ("last", "stage"),
    [
        (changed(ORDER, "CANCELED", minutes=10), Stage.ENDED),
        (changed(ORDER, "REFUSED", minutes=10), Stage.ENDED),
        (changed(ORDER, "SHIPPED", minutes=10), Stage.CONFIRMED),
        (OrderPassedOver(order_id="O1", reason="old", skus=(), occurred_at=at(10)),
         Stage.PASSED_OVER),
        (DispatchClosed(order_id="O1", reason="both", left=("INV1/1",), occurred_at=at(10)),
         Stage.ENDED),
    ],
)  # fmt: skip
def test_order_that_is_over_stays_so(last: Event, stage: Stage) -> None:
    """Nothing that is heard afterwards opens it again."""
    after = (POSTED, SHIPPED, CONFIRMED, held(60), CLOSED)

    assert stage == timing(ORDER, PAID, last).stage == timing(ORDER, PAID, last, *after).stage


MINUTES = st.floats(-600, 6_000)
STEPS = st.sampled_from(
    [ACCEPTED, PAID, held(6), released(9), POSTED, staged("in_warehouse", 20), SHIPPED,
     UNMAPPED, CONFIRMED, vanished(ORDER, 30), found_again(ORDER, 40),
     changed(ORDER, "CANCELED"), CLOSED]
)  # fmt: skip


@given(st.lists(st.tuples(STEPS, MINUTES), max_size=20))
def test_stages_follow_one_another_without_a_gap(told: list[tuple[Event, float]]) -> None:
    """Whatever the clocks of the two sides say: no stage ends before it began."""
    events = [msgspec.structs.replace(event, occurred_at=at(when)) for event, when in told]
    entry = timing(ORDER, *events)
    ends = [entry.ordered_at, *(until for _, until in entry.spans)]

    assert sorted(ends) == ends
    assert all(one != other for one, other in pairwise(_stages(entry)))
    assert not FINAL & {stage for stage, _ in entry.spans}


def _stages(entry: Timing) -> list[Stage]:
    return [*(stage for stage, _ in entry.spans), entry.stage]


def test_event_of_an_order_that_was_never_received_makes_no_entry() -> None:
    """Nothing is known of when it was ordered."""
    assert folded(TIMINGS, "O1", [PAID, ParcelShipped(
        order_id="O1", parcel_key="K", reference="R", erp_complete=True, courier_name="",
        courier_code=None, tracking_number="", shipped_on=None, items=(), deadline=None,
        occurred_at=at(1),
    )]) is None  # fmt: skip
