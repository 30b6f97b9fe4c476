"""The shipment operations of the John Lewis face: ST01, ST11, ST12, ST23, ST24.

Promises: 404 where the tenant has no multi-shipment; else 2xx with success and errors per item,
errors of ST01 tied to the order id alone (contract b.4). It holds no rule: the marketplace
does. Called by the face's routes.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from aiohttp import web

from kcjl.sandbox.johnlewis.answers import Json, answer, instant, second
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.johnlewis.order_view import address, references
from kcjl.sandbox.marketplace import Order, OrderLine, Shipment
from kcjl.sandbox.marketplace.inputs import Tracking
from kcjl.sandbox.marketplace.recency import seek
from kcjl.sandbox.marketplace.records import ShipmentOutcome

__all__ = [
    "AdditionalInformation",
    "ShippingCall",
    "answered_items",
    "create_shipments",
    "items_to_ship",
    "list_shipments",
    "outcomes_of",
    "ship_shipments",
    "track_shipments",
]

LIMIT_MAX = 100
STATES = frozenset(
    {
        "SHIPPING",
        "READY_FOR_PICK_UP",
        "SHIPMENT_PREPARED",
        "SHIPPED",
        "TO_COLLECT",
        "RECEIVED",
        "CLOSED",
        "CANCELED",
    }
)
DEBIT_STATE = "NO_DEBIT"
"""Of every shipment: orders are debited as a whole."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the bodies; fields that are not known are ignored."""


class ParcelTracking(Body, frozen=True, kw_only=True):
    carrier_code: str | None = None
    carrier_standard_code: str | None = None
    carrier_name: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


class ParcelLine(Body, frozen=True, kw_only=True):
    quantity: int
    order_line_id: str | None = None
    offer_sku: str | None = None
    package_reference: str | None = None


class AdditionalInformation(Body, frozen=True, kw_only=True):
    """ST01 and ST31: something more about a parcel."""

    code: str
    value: str | None = None
    type: str = "STRING"


class Warehouse(Body, frozen=True, kw_only=True):
    code: str | None = None


class Origin(Body, frozen=True, kw_only=True):
    warehouse: Warehouse | None = None


class Parcel(Body, frozen=True, kw_only=True):
    order_id: str
    shipment_lines: list[ParcelLine]
    tracking: ParcelTracking | None = None
    shipped: bool | None = None
    invoice_reference: str | None = None
    shipping_from: Origin | None = None
    shipment_additional_information: list[AdditionalInformation] | None = None


class ParcelCall(Body, frozen=True, kw_only=True):
    shipments: list[Parcel]


class TrackedParcel(Body, frozen=True, kw_only=True):
    id: str
    tracking: ParcelTracking | None = None


class TrackingCall(Body, frozen=True, kw_only=True):
    shipments: list[TrackedParcel]


class NamedParcel(Body, frozen=True, kw_only=True):
    id: str


class ShippingCall(Body, frozen=True, kw_only=True):
    shipments: list[NamedParcel]


# ── writing ─────────────────────────────────────────────────────────────────────────────────


def create_shipments(asked: Asked) -> web.Response:
    """ST01."""
    asked.marketplace.parcels.require_shipments()
    shipments = [_written(parcel) for parcel in asked.decoded(ParcelCall).shipments]
    outcomes = outcomes_of(asked.change("create_shipments", shipments=shipments))
    body = {
        "shipment_success": [
            _view(outcome.shipment) for outcome in outcomes if outcome.shipment is not None
        ],
        "shipment_errors": [
            {"order_id": outcome.key, "message": outcome.message}
            for outcome in outcomes
            if outcome.shipment is None
        ],
    }
    return answer(body, status=201)


def _written(parcel: Parcel) -> Json:
    """The parcel in the marketplace's words, without what was not said."""
    said = msgspec.to_builtins(parcel)
    origin = said.pop("shipping_from") or {}
    more = said.pop("shipment_additional_information") or []
    said["warehouse"] = (origin.get("warehouse") or {}).get("code")
    said["additional"] = [each for each in more if each["value"] is not None]
    return {key: value for key, value in said.items() if value is not None}


def track_shipments(asked: Asked) -> web.Response:
    """ST23."""
    asked.marketplace.parcels.require_shipments()
    shipments = msgspec.to_builtins(asked.decoded(TrackingCall).shipments)
    return answered_items(outcomes_of(asked.change("track_shipments", shipments=shipments)))


def ship_shipments(asked: Asked) -> web.Response:
    """ST24."""
    asked.marketplace.parcels.require_shipments()
    shipment_ids = [parcel.id for parcel in asked.decoded(ShippingCall).shipments]
    return answered_items(
        outcomes_of(asked.change("ship_shipments", shipment_ids=shipment_ids))
    )


def answered_items(outcomes: list[ShipmentOutcome]) -> web.Response:
    body = {
        "shipment_success": [
            {"id": outcome.key} for outcome in outcomes if outcome.shipment is not None
        ],
        "shipment_errors": [
            {"id": outcome.key, "message": outcome.message}
            for outcome in outcomes
            if outcome.shipment is None
        ],
    }
    return answer(body)


def outcomes_of(answered: object) -> list[ShipmentOutcome]:
    if not isinstance(answered, list):
        raise TypeError("the gate answered shipments with something else than outcomes")
    return answered


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def list_shipments(asked: Asked) -> web.Response:
    """ST11."""
    asked.marketplace.parcels.require_shipments()
    book = asked.marketplace.book
    page = asked.seek_page(
        ("dateCreated", "lastUpdated"), most=LIMIT_MAX, default="dateCreated,ASC"
    )
    by_update = page.field == "lastUpdated"
    index = book.shipments_by_update if by_update else book.shipments_by_creation
    order_ids = asked.listed("order_id")
    states = asked.among("shipment_state_code", STATES)
    debits = asked.listed("shipment_customer_debit_state_code")
    since, until = asked.moment("last_updated_from"), asked.moment("last_updated_to")

    def fits(shipment: Shipment) -> bool:
        return (
            not shipment.is_deleted
            and (not states or shipment.status in states)
            and (not debits or DEBIT_STATE in debits)
            and (since is None or since <= shipment.updated_at)
            and (until is None or shipment.updated_at <= until)
        )

    places: Iterable[int]
    if order_ids:
        of_orders = (
            shipment
            for order_id in dict.fromkeys(order_ids)
            for shipment in book.shipments_of.get(order_id, ())
        )
        places = sorted(index.place(shipment.shipment_id) for shipment in of_orders)
        places = places[::-1] if page.descending else places
    else:
        span = index.between(since if by_update else None, None)
        places = index.current(reversed(span) if page.descending else span)
    if page.after is not None:
        after, descending = page.after, page.descending
        places = (place for place in places if (place < after if descending else place > after))
    rows, last = seek(
        places, lambda place: book.shipments[index.key_at(place)], fits, page.limit
    )
    return _page([_view(shipment) for shipment in rows], page.token(last))


def items_to_ship(asked: Asked) -> web.Response:
    """ST12."""
    asked.marketplace.parcels.require_shipments()
    book = asked.marketplace.book
    page = asked.seek_page(("dateCreated",), most=LIMIT_MAX, default="dateCreated,ASC")
    order_ids = frozenset(asked.listed("order_id"))
    centers = asked.listed("fulfillment_center_code")
    since, until = asked.moment("shipping_date_from"), asked.moment("shipping_date_to")
    places = [
        book.creation_place(order.order_id)
        for order in book.in_creation_order(book.by_state.get("SHIPPING", ()))
    ]
    if page.after is not None:
        after, descending = page.after, page.descending
        places = [place for place in places if (place < after if descending else place > after)]
    if page.descending:
        places.reverse()

    def fits(order: Order) -> bool:
        return (
            any(line.to_ship for line in order.lines)
            and (not order_ids or order.order_id in order_ids)
            and (not centers or "DEFAULT" in centers)
            and _within(order.shipping_since, since, until)
        )

    rows, last = seek(places, book.order_at, fits, page.limit)
    return _page([_to_ship(order) for order in rows], page.token(last))


def _within(moment: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if moment is None:
        return since is None and until is None
    return (since is None or since <= moment) and (until is None or moment <= until)


def _page(rows: list[Json], token: str | None) -> web.Response:
    return answer({"data": rows, "next_page_token": token, "previous_page_token": None})


# ── views ───────────────────────────────────────────────────────────────────────────────────


def _view(shipment: Shipment) -> Json:
    return {
        "id": shipment.shipment_id,
        "order_id": shipment.order_id,
        "status": shipment.status,
        "status_customer_debit": DEBIT_STATE,
        "created_date": instant(shipment.created_at),
        "last_updated_date": instant(shipment.updated_at),
        "shipped_date": instant(shipment.shipped_at),
        "invoice_reference": shipment.invoice_reference,
        "payment_details": None,
        "shipment_lines": [
            {
                "order_line_id": line.order_line_id,
                "offer_sku": line.sku,
                "quantity": line.quantity,
                "package_reference": line.package_reference,
            }
            for line in shipment.lines
        ],
        "tracking": _tracking(shipment.tracking),
        "shipping_from": (
            {"address": None, "warehouse": {"code": shipment.warehouse}}
            if shipment.warehouse is not None
            else None
        ),
        "shipment_additional_information": [
            {"code": each.code, "type": each.type, "value": each.value}
            for each in shipment.additional
        ],
    }


def _tracking(tracking: Tracking | None) -> Json:
    said = tracking or Tracking()
    return {
        "carrier_code": said.carrier_code,
        "carrier_standard_code": said.carrier_standard_code,
        "carrier_name": said.carrier_name,
        "tracking_number": said.number,
        "tracking_url": said.url,
        "validity_status": "UNVERIFIED" if said.number else "MISSING_TRACKING",
        "milestones": [],
    }


def _to_ship(order: Order) -> Json:
    return {
        "order_id": order.order_id,
        "references": references(order),
        "shipment_lines": [_line_to_ship(line) for line in order.lines if line.to_ship],
        "shipping_address": {
            **address(order.customer.delivery),
            "additional_info": order.customer.delivery.additional,
        },
        "shipping_date": second(order.shipping_since),
        "shipping_deadline": instant(order.shipping_deadline),
        "shipping_type_code": order.shipping_type,
        "fulfillment": {"center": {"code": "DEFAULT"}},
    }


def _line_to_ship(line: OrderLine) -> Json:
    return {
        "order_line_id": line.line_id,
        "offer_sku": line.sku,
        "product_title": line.title,
        "quantity": line.to_ship,
        "package_reference": None,
    }
