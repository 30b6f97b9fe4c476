"""Law 3: everything is final, waiting, or an open exception; what is none of them is named."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from kcjl.dispatch.events import (
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmedLine,
    CourierUnmapped,
    DispatchClosed,
    ParcelConfirmed,
    ParcelUnmatched,
    TrackingAwaited,
)
from kcjl.orders.events import (
    AcceptanceConfirmed,
    AcceptanceRefused,
    OrderHeld,
    OrderPassedOver,
    OrderReleased,
)
from kcjl.vocabulary import Event
from tests.audit.handmade import Handmade, cleared, handmade, raised
from tests.trade import at, changed, gbp, intended, posted, received, refused, sealed, shipped

pytestmark = pytest.mark.anyio

ORDER = received("O1", updated=0)
DEADLINE: datetime = at(60)


@pytest.fixture
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    async with handmade(database_dsn) as made:
        yield made


def held(order_id: str = "O1") -> OrderHeld:
    return OrderHeld(
        order_id=order_id,
        reason="unknown_sku",
        message="the ERP does not know 'A-1'",
        skus=(),
        money=gbp(2_000),
        accept_by=None,
        occurred_at=at(3),
    )


# ── orders ──────────────────────────────────────────────────────────────────────────────────


async def test_held_order_that_nobody_was_told_of_is_missing(made: Handmade) -> None:
    """Held without an open exception is neither waiting nor an exception."""
    await made.says(ORDER, held())
    silent = await made.completeness()
    await made.says(raised("order_held", "O1"))
    told = await made.completeness()
    await made.says(cleared("order_held", "O1"))
    forgotten = await made.completeness()

    assert ("order O1 is held, and nobody told",) == silent.missing == forgotten.missing
    assert () == told.missing
    assert {"held": 1} == silent.orders == told.orders
    assert () == told.waiting


async def test_exception_of_another_order_does_not_count(made: Handmade) -> None:
    """Somebody was told, but of something else."""
    await made.says(ORDER, held(), raised("order_held", "O11"))

    assert 1 == len((await made.completeness()).missing)


@pytest.mark.parametrize(
    "stuck",
    [
        (changed(ORDER), sealed(), intended(ORDER), refused(ORDER)),
        (AcceptanceRefused(order_id="O1", message="no", retry=False, occurred_at=at(4)),),
    ],
)
async def test_order_that_a_system_refused_needs_somebody_who_was_told(
    made: Handmade, stuck: tuple[Event, ...]
) -> None:
    """A refusal of the ERP or of the marketplace is held, and so an exception."""
    await made.says(ORDER, *stuck)
    silent = await made.completeness()
    await made.says(raised("posting_refused", "O1"))

    assert ("order O1 is held, and nobody told",) == silent.missing
    assert () == (await made.completeness()).missing


async def test_orders_are_counted_by_where_they_are(made: Handmade) -> None:
    """Posted, cancelled, passed over and on their way: each order once."""
    cancelled, old, gone = received("O2"), received("O3"), received("O4", updated=0)
    await made.says(ORDER, changed(ORDER), sealed(), intended(ORDER), posted(ORDER))
    await made.says(
        cancelled,
        changed(cancelled, "CANCELED"),
        old,
        OrderPassedOver(order_id="O3", reason="too old", skus=(), occurred_at=at(1)),
        gone,
        changed(gone),
        sealed("O4"),
        intended(gone),
        received("O5"),
    )
    found = await made.completeness()

    assert {"cancelled": 1, "passed_over": 1, "posted": 1, "waiting": 2} == found.orders
    assert ("O4", "O5") == found.waiting
    assert () == found.missing


async def test_order_that_was_released_waits_again(made: Handmade) -> None:
    """Mended: it is on its way, and no exception is asked for."""
    released = OrderReleased(order_id="O1", occurred_at=at(5))
    await made.says(ORDER, held(), raised("order_held", "O1"), released, cleared())
    found = await made.completeness()

    assert ({"waiting": 1}, ()) == (found.orders, found.missing)


async def test_order_that_others_shipped_without_us_is_missing(made: Handmade) -> None:
    """Shipped at the marketplace and never posted: it waits for nothing that will come."""
    accepted = AcceptanceConfirmed(order_id="O1", occurred_at=at(4))
    await made.says(ORDER, accepted, changed(ORDER, "SHIPPED"))
    found = await made.completeness()

    assert (
        "order O1 is SHIPPED at the marketplace, was never posted, and nobody told",
    ) == found.missing


# ── parcels ─────────────────────────────────────────────────────────────────────────────────

UNMAPPED = CourierUnmapped(
    order_id="O1",
    parcel_key="INV1/1",
    courier_name="Van of Ours",
    courier_code=None,
    deadline=DEADLINE,
    occurred_at=at(31),
)
NO_NUMBER = TrackingAwaited(
    order_id="O1", parcel_key="INV1/1", until=at(90), deadline=DEADLINE, occurred_at=at(31)
)
UNMATCHED = ParcelUnmatched(
    order_id="O1",
    parcel_key="INV1/1",
    message="it holds what nobody ordered",
    deadline=DEADLINE,
    occurred_at=at(31),
)
INTENDED = ConfirmationIntended(
    order_id="O1",
    parcel_key="INV1/1",
    attempt=1,
    lines=(ConfirmedLine(line_id="O1-1", quantity=2),),
    courier_name="Van of Ours",
    carrier_code="DHL",
    tracking_number="TRK1",
    by_shipment=True,
    occurred_at=at(31),
)
REFUSED = ConfirmationRefused(
    order_id="O1",
    parcel_key="INV1/1",
    message="no",
    attempt=1,
    deadline=DEADLINE,
    occurred_at=at(32),
)
CONFIRMED = ParcelConfirmed(
    order_id="O1",
    parcel_key="INV1/1",
    lines=(ConfirmedLine(line_id="O1-1", quantity=2),),
    shipment_id="S1",
    already=False,
    occurred_at=at(33),
)


async def _posted_and_shipped(made: Handmade) -> None:
    await made.says(
        ORDER,
        changed(ORDER),
        sealed(),
        intended(ORDER),
        posted(ORDER),
        shipped(courier="Van of Ours", code=None),
    )


@pytest.mark.parametrize(
    ("stuck", "state", "kind", "subject"),
    [
        ((UNMAPPED,), "unmapped", "courier_unmapped", "van of ours"),
        ((NO_NUMBER,), "no_tracking", "tracking_missing", "O1/INV1/1"),
        ((UNMATCHED,), "unmatched", "parcel_unmatched", "O1/INV1/1"),
        ((INTENDED, REFUSED), "refused", "confirmation_refused", "O1/INV1/1"),
    ],
)
async def test_parcel_that_is_stuck_and_nobody_was_told_of_is_missing(
    made: Handmade, stuck: tuple[Event, ...], state: str, kind: str, subject: str
) -> None:
    """Unconfirmed, and nothing will happen by itself: somebody must have been told."""
    await _posted_and_shipped(made)
    await made.says(*stuck)
    silent = await made.completeness()
    await made.says(raised(kind, subject))
    told = await made.completeness()

    assert (f"parcel INV1/1 of order O1 is {state}, and nobody told",) == silent.missing
    assert 0 == silent.parcels_excepted
    assert (1, ()) == (told.parcels_excepted, told.missing)


@pytest.mark.parametrize("on_its_way", [(), (INTENDED,)])
async def test_parcel_that_is_being_confirmed_waits(
    made: Handmade, on_its_way: tuple[Event, ...]
) -> None:
    """Seen, or sent and not yet answered: it goes on by itself."""
    await _posted_and_shipped(made)
    if on_its_way:
        await made.says(*on_its_way)
    found = await made.completeness()

    assert (1, ()) == (found.parcels_waiting, found.missing)


async def test_parcel_that_was_confirmed_is_final(made: Handmade) -> None:
    """Told of once, done for good."""
    await _posted_and_shipped(made)
    await made.says(INTENDED, CONFIRMED)
    found = await made.completeness()

    assert (1, 0, ()) == (found.parcels_confirmed, found.parcels_waiting, found.missing)


async def test_parcel_of_an_order_that_both_sides_ended_is_left_and_not_missing(
    made: Handmade,
) -> None:
    """Its exception was cleared with the order: nothing is to be confirmed any more."""
    await _posted_and_shipped(made)
    await made.says(
        UNMATCHED,
        raised("parcel_unmatched", "O1/INV1/1"),
        DispatchClosed(
            order_id="O1", reason="ended on both sides", left=("INV1/1",), occurred_at=at(50)
        ),
        cleared("parcel_unmatched", "O1/INV1/1", minutes=50),
    )
    found = await made.completeness()

    assert (1, 0, ()) == (found.parcels_left, found.parcels_excepted, found.missing)
