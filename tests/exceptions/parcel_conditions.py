"""What dispatch's events raise and clear, for the table of all conditions."""

from kcjl.dispatch import events as dispatch
from kcjl.dispatch import policy_events as policy
from kcjl.dispatch.unwanted_events import UnwantedUnits, UnwantedUnitsSent
from kcjl.orders.events_changes import ReturnReceived
from kcjl.vocabulary import Event
from tests import trade
from tests.tenant.readings import tenant_read
from tests.trade import at

MALFORMED = dispatch.TrackingMalformed(
    order_id="O1",
    parcel_key="INV1/1",
    tracking_number="TRK1",
    carrier="DPD",
    deadline=at(99),
    occurred_at=at(1),
)
LET_THROUGH = dispatch.TrackingLetThrough(
    order_id="O1", parcel_key="INV1/1", tracking_number="TRK1", reason="", occurred_at=at(2)
)
NO_COURIER = dispatch.CourierUnmapped(
    order_id="O1",
    parcel_key="INV1/1",
    courier_name="",
    courier_code=None,
    deadline=at(99),
    occurred_at=at(1),
)
NAMED = dispatch.CourierUnmapped(
    order_id="O1",
    parcel_key="INV1/1",
    courier_name="Bike",
    courier_code=None,
    deadline=at(99),
    nearest=("BIKES",),
    occurred_at=at(2),
)
SEEN = dispatch.UnmappedCouriersSeen(
    order_id="O1",
    couriers=(dispatch.CourierSeen(courier_name="Bike", courier_code="B1"),),
    deadline=at(99),
    occurred_at=at(1),
)
GONE = policy.MappedCarrierGone(
    courier="bike", carrier_code="dpd", nearest=("evri",), occurred_at=at(1)
)
WITHDRAWN = policy.CarrierMapWithdrawn(
    courier="Bike", carrier_code="dpd", version=2, occurred_at=at(2)
)
MAPPED = dispatch.CarrierMapped(
    courier="Bike", carrier_code="evri", version=2, occurred_at=at(2)
)
STOPPED = dispatch.ConfirmationsStopped(
    since=at(0), waiting=40, message="503", told=True, occurred_at=at(15)
)
NOT_TAKEN = dispatch.TrackingRefused(
    order_id="O1",
    parcel_key="INV1/1",
    tracking_number="1",
    message="no",
    attempt=1,
    answered=True,
    occurred_at=at(1),
)
LASTING = dispatch.ConfirmationUnknown(
    order_id="O1",
    parcel_key="INV1/1",
    message="503",
    attempt=1,
    deadline=None,
    lasting=True,
    occurred_at=at(1),
)
PARCEL_GIVEN_UP = dispatch.ConfirmationGivenUp(
    order_id="O1",
    parcel_key="INV1/1",
    attempts=9,
    since=at(0),
    message="no",
    deadline=None,
    occurred_at=at(1),
)
SENT = dispatch.TrackingSent(
    order_id="O1", parcel_key="INV1/1", tracking_number="1", occurred_at=at(2)
)
CONFIRMED = dispatch.ParcelConfirmed(
    order_id="O1",
    parcel_key="INV1/1",
    lines=(),
    shipment_id="S1",
    already=False,
    occurred_at=at(2),
)

UNWANTED = UnwantedUnitsSent(
    order_id="O1",
    parcel_key="INV1/1",
    units=(UnwantedUnits(line_id="O1-1", stock_code="A-1", quantity=1),),
    reference="REF-O1",
    occurred_at=at(1),
)
UNSHIPPED = dispatch.ParcelsUnshipped(order_id="O1", parcel_keys=("INV1/1",), occurred_at=at(2))
BACK = ReturnReceived(order_id="O1", return_id="R1", occurred_at=at(2))
SUSPENDED = tenant_read(shop_state="SUSPENDED", suspension="MANUAL")
OPEN_AGAIN = tenant_read(occurred_at=at(1_440))

RAISED_OF_PARCELS: list[tuple[Event, str, str]] = [
    (MALFORMED, "tracking_malformed", "O1/INV1/1"),
    (NO_COURIER, "courier_unmapped", "O1/INV1/1"),
    (SEEN, "courier_unmapped", "bike"),
    (GONE, "carrier_gone", "bike"),
    (STOPPED, "confirmations_stopped", "marketplace"),
    (NOT_TAKEN, "tracking_not_sent", "O1/INV1/1"),
    (UNWANTED, "unwanted_units_sent", "O1"),
    (SUSPENDED, "shop_closed", "shop"),
    (LASTING, "confirmation_refused", "O1/INV1/1"),
    (PARCEL_GIVEN_UP, "confirmation_refused", "O1/INV1/1"),
]

CLEARED_OF_PARCELS: list[tuple[Event, Event]] = [
    (MALFORMED, LET_THROUGH),
    (MALFORMED, trade.shipped()),
    (MALFORMED, CONFIRMED),
    (NO_COURIER, CONFIRMED),
    (SEEN, MAPPED),
    (GONE, MAPPED),
    (GONE, WITHDRAWN),
    (GONE, policy.MappedCarrierBack(courier="bike", carrier_code="dpd", occurred_at=at(2))),
    (STOPPED, dispatch.ConfirmationsResumed(since=at(0), occurred_at=at(20))),
    (NOT_TAKEN, SENT),
    (UNWANTED, UNSHIPPED),
    (UNWANTED, BACK),
    (SUSPENDED, OPEN_AGAIN),
    (LASTING, CONFIRMED),
    (PARCEL_GIVEN_UP, CONFIRMED),
]
