"""Words for the tests of dispatch: one order, its parcels, and what became of them."""

from datetime import timedelta

from kcjl.dispatch.carriers_state import CARRIERS, Carriers
from kcjl.dispatch.decide import (
    decide_confirmation,
)
from kcjl.dispatch.events import (
    CarrierMapped,
    CarriersRead,
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmationUnknown,
    ConfirmedLine,
    CourierUnmapped,
    DispatchClosed,
    ParcelConfirmed,
)
from kcjl.dispatch.parcel import Parcel
from kcjl.dispatch.state import DISPATCHES, Dispatch
from kcjl.dispatch.terms import Terms
from kcjl.orders.events import OrderReceived
from kcjl.vocabulary import Event
from tests.trade import (
    SHIPPING,
    at,
    made_of,
    posted,
    received,
)

ORDER = received(state=SHIPPING)
KEY = "INV1/1"
LINES = (ConfirmedLine(line_id="O1-1", quantity=2),)
READ = CarriersRead(
    carriers=(("dpd", "DPD UK"), ("evri", "Evri")), multi_shipment=True, occurred_at=at(0)
)
CARRIERS_KNOWN = made_of(CARRIERS, "carriers", READ)
WAIT = timedelta(hours=4)
TERMS = Terms(tracking_wait=WAIT)


def dispatch(*then: Event, order: OrderReceived = ORDER) -> Dispatch:
    return made_of(DISPATCHES, "O1", order, posted(order), *then)


def the_parcel(entry: Dispatch, key: str = KEY) -> Parcel:
    parcel = entry.parcel(key)
    assert parcel is not None
    return parcel


def next_step(
    entry: Dispatch,
    key: str = KEY,
    *,
    carriers: Carriers = CARRIERS_KNOWN,
    terms: Terms = TERMS,
    minutes: float = 40,
) -> tuple[Event, ...]:
    return decide_confirmation(entry, the_parcel(entry, key), carriers, terms, at(minutes))


def intended(
    key: str = KEY,
    *lines: ConfirmedLine,
    attempt: int = 1,
    by_shipment: bool = True,
    minutes: float = 40,
) -> ConfirmationIntended:
    return ConfirmationIntended(
        order_id="O1",
        parcel_key=key,
        attempt=attempt,
        lines=lines or LINES,
        courier_name="DPD Next Day",
        carrier_code="dpd",
        tracking_number="15500000000001",
        by_shipment=by_shipment,
        occurred_at=at(minutes),
    )


def confirmed(
    key: str = KEY,
    *lines: ConfirmedLine,
    shipment: str = "S1",
    already: bool = False,
    minutes: float = 41,
) -> ParcelConfirmed:
    return ParcelConfirmed(
        order_id="O1",
        parcel_key=key,
        lines=lines or LINES,
        shipment_id=shipment,
        already=already,
        occurred_at=at(minutes),
    )


def refused(key: str = KEY, attempt: int = 1, minutes: float = 41) -> ConfirmationRefused:
    return ConfirmationRefused(
        order_id="O1",
        parcel_key=key,
        message="no",
        attempt=attempt,
        deadline=ORDER.ship_by,
        occurred_at=at(minutes),
    )


UNKNOWN = ConfirmationUnknown(
    order_id="O1",
    parcel_key=KEY,
    message="no answer",
    attempt=1,
    deadline=None,
    occurred_at=at(41),
)
UNMAPPED = CourierUnmapped(
    order_id="O1",
    parcel_key=KEY,
    courier_name="Bike",
    courier_code=None,
    deadline=ORDER.ship_by,
    occurred_at=at(40),
)
CLOSED = DispatchClosed(order_id="O1", reason="done", occurred_at=at(50))


def mapped(courier: str, carrier_code: str) -> CarrierMapped:
    return CarrierMapped(
        courier=courier, carrier_code=carrier_code, version=1, occurred_at=at(0)
    )
