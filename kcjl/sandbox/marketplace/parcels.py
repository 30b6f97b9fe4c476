"""Parcels: how an order is tracked, shipped whole, or shipped in several shipments.

Promises: OR23 and OR24 are done or refused; of the shipment calls each item is done or has its
message (contract b.3, b.4); units are counted per line, so no unit leaves twice; an order is
SHIPPED when nothing of it is left to ship. A repeat of ST01 makes a second parcel while units
are left, as on the platform (d.5). Called by the marketplace's door.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

import msgspec

from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.inputs import Tracking
from kcjl.sandbox.marketplace.moments import milliseconds, seconds
from kcjl.sandbox.marketplace.records import (
    Order,
    OrderLine,
    Shipment,
    ShipmentField,
    ShipmentLine,
    ShipmentOutcome,
)
from kcjl.sandbox.marketplace.settings import CarrierSetting

__all__ = ["Parcels"]

SHIPMENTS_MAX = 1000
TRACKABLE = frozenset({"SHIPPING", "READY_FOR_PICK_UP", "SHIPPED"})
INVOICE_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,255}")


class TrackingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """How a parcel is said to be followed (OR23, ST01, ST23)."""

    carrier_code: str | None = None
    carrier_standard_code: str | None = None
    carrier_name: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    carrier_url: str | None = None
    """OR23's word for the URL."""


class ShipmentLineRequest(msgspec.Struct, frozen=True, kw_only=True):
    quantity: int
    order_line_id: str | None = None
    offer_sku: str | None = None
    package_reference: str | None = None


class ShipmentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One shipment of an ST01 call."""

    order_id: str
    shipment_lines: list[ShipmentLineRequest] = []
    tracking: TrackingRequest | None = None
    shipped: bool = False
    invoice_reference: str | None = None
    warehouse: str | None = None
    additional: list[ShipmentField] = []


class Parcels:
    """Tracking and shipping."""

    def __init__(self, book: Book) -> None:
        self._book = book

    # ── whole orders ───────────────────────────────────────────────────────────────────────

    def set_tracking(self, order_id: str, tracking: Mapping[str, str | None]) -> None:
        """OR23."""
        order = self._book.order(order_id)
        if order.state not in {"SHIPPING", "SHIPPED"}:
            raise ApiError.of(
                400, f"Order {order_id} is in state {order.state}: no tracking now"
            )
        order.tracking = self._tracking(msgspec.convert(tracking, TrackingRequest))
        self._book.touch(order, order.live_lines)

    def ship(self, order_id: str) -> None:
        """OR24: all that is left of the order leaves."""
        book = self._book
        order = book.order(order_id)
        if order.state != "SHIPPING":
            raise ApiError.of(
                400, f"Order {order_id} is in state {order.state}, not in the expected SHIPPING"
            )
        if book.settings.multi_shipment and (
            not book.settings.whole_order_shipping or book.shipments_of[order_id]
        ):
            raise ApiError.of(400, f"Order {order_id} is shipped by shipments")
        if book.settings.mandatory_tracking and not (order.tracking and order.tracking.number):
            raise ApiError.of(400, f"Order {order_id} has no tracking, which is mandatory")
        units: list[tuple[OrderLine, int, str | None]] = [
            (line, line.to_ship, None) for line in order.lines if line.to_ship
        ]
        if not units:
            raise ApiError.of(400, f"Order {order_id} has nothing left to ship")
        if book.settings.multi_shipment:
            self._add_shipment(order, units, tracking=order.tracking, shipped=True)
        else:
            self._leave(order, [(line, quantity) for line, quantity, _ in units])

    # ── shipments ──────────────────────────────────────────────────────────────────────────

    def require_shipments(self) -> None:
        """Without multi-shipment the shipment operations are not there."""
        if not self._book.settings.multi_shipment:
            raise ApiError.of(404, "Not Found")

    def check_count(self, items: Sequence[object]) -> None:
        if not 1 <= len(items) <= SHIPMENTS_MAX:
            _refuse(f"shipments: 1 to {SHIPMENTS_MAX} are allowed in one call")

    def create_shipments(
        self, shipments: Sequence[Mapping[str, object]]
    ) -> list[ShipmentOutcome]:
        """ST01."""
        self.require_shipments()
        self.check_count(shipments)
        try:
            requests = msgspec.convert(shipments, list[ShipmentRequest])
        except msgspec.ValidationError as invalid:
            raise ApiError.of(400, f"shipments: {invalid}") from None
        return [self._create(request) for request in requests]

    def _create(self, request: ShipmentRequest) -> ShipmentOutcome:
        outcome = ShipmentOutcome(key=request.order_id)
        try:
            order = self._book.order(request.order_id)
            units = self._units(order, request)
            tracking = self._tracking(request.tracking) if request.tracking else None
            self._check_shipment(request, tracking)
        except ApiError as refusal:
            outcome.message = refusal.message
            return outcome
        shipment = self._add_shipment(
            order,
            units,
            tracking=tracking,
            shipped=request.shipped,
            invoice_reference=request.invoice_reference,
        )
        shipment.warehouse = request.warehouse
        shipment.additional = list(request.additional)
        outcome.shipment = shipment
        return outcome

    def _units(
        self, order: Order, request: ShipmentRequest
    ) -> list[tuple[OrderLine, int, str | None]]:
        if order.state != "SHIPPING":
            _refuse(f"Order {order.order_id} is in state {order.state} and cannot be shipped")
        if not request.shipment_lines:
            _refuse(f"Order {order.order_id}: a shipment needs at least one line")
        units: list[tuple[OrderLine, int, str | None]] = []
        for wanted in request.shipment_lines:
            line = _line_meant(order, wanted)
            if wanted.quantity < 1:
                _refuse(f"Order line {line.line_id}: the quantity must be at least 1")
            taken = sum(quantity for other, quantity, _ in units if other is line)
            if taken + wanted.quantity > line.to_ship:
                _refuse(
                    f"Order line {line.line_id}: {taken + wanted.quantity} units are more than "
                    f"the {line.to_ship} left to ship"
                )
            units.append((line, wanted.quantity, wanted.package_reference))
        return units

    def _check_shipment(self, request: ShipmentRequest, tracking: Tracking | None) -> None:
        reference = request.invoice_reference
        if reference is not None and not INVOICE_REFERENCE.fullmatch(reference):
            _refuse("invoice_reference: 1 to 255 letters, digits, _ and - are allowed")
        if request.shipped:
            self._require_tracking(tracking)

    def _require_tracking(self, tracking: Tracking | None) -> None:
        if self._book.settings.mandatory_tracking and not (tracking and tracking.number):
            _refuse("Tracking is mandatory for this shipping type")

    def _add_shipment(
        self,
        order: Order,
        units: list[tuple[OrderLine, int, str | None]],
        *,
        tracking: Tracking | None,
        shipped: bool,
        invoice_reference: str | None = None,
    ) -> Shipment:
        book = self._book
        now = milliseconds(book.agenda.now)
        shipment = Shipment(
            shipment_id=book.agenda.new_id(),
            order_id=order.order_id,
            status="SHIPPING",
            created_at=now,
            updated_at=now,
            invoice_reference=invoice_reference,
            tracking=tracking,
            lines=[
                ShipmentLine(
                    order_line_id=line.line_id,
                    sku=line.sku,
                    quantity=quantity,
                    package_reference=package,
                )
                for line, quantity, package in units
            ],
        )
        book.shipments[shipment.shipment_id] = shipment
        book.shipments_of[order.order_id].append(shipment)
        book.shipments_by_creation.touch(shipment.shipment_id, now)
        for line, quantity, _ in units:
            line.parcelled += quantity
        if shipped:
            self._send(order, shipment)
        else:
            book.touch_shipment(shipment)
            book.touch(order, [line for line, *_ in units])
        return shipment

    def _send(self, order: Order, shipment: Shipment) -> None:
        """A shipment leaves."""
        shipment.status = "SHIPPED"
        shipment.shipped_at = milliseconds(self._book.agenda.now)
        self._book.touch_shipment(shipment)
        units = []
        for part in shipment.lines:
            line = order.line(part.order_line_id)
            if line is not None:
                line.parcelled -= part.quantity
                units.append((line, part.quantity))
        self._leave(order, units)

    def _leave(self, order: Order, units: list[tuple[OrderLine, int]]) -> None:
        for line, quantity in units:
            line.shipped += quantity
            line.shipped_at = seconds(self._book.agenda.now)
        self._book.touch(order, [line for line, _ in units])
        self._book.settle(order)

    def track_shipments(
        self, shipments: Sequence[Mapping[str, object]]
    ) -> list[ShipmentOutcome]:
        """ST23."""
        self.require_shipments()
        self.check_count(shipments)
        return [self._track(item) for item in shipments]

    def _track(self, item: Mapping[str, object]) -> ShipmentOutcome:
        outcome = ShipmentOutcome(key=str(item.get("id")))
        try:
            shipment, order = self.shipment(outcome.key, TRACKABLE)
            tracking = item.get("tracking")
            if not isinstance(tracking, Mapping):
                _refuse("tracking: must not be null")
            shipment.tracking = self._tracking(msgspec.convert(tracking, TrackingRequest))
        except ApiError as refusal:
            outcome.message = refusal.message
            return outcome
        self._book.touch_shipment(shipment)
        self._book.touch(order, ())
        outcome.shipment = shipment
        return outcome

    def ship_shipments(self, shipment_ids: Sequence[str]) -> list[ShipmentOutcome]:
        """ST24."""
        self.require_shipments()
        self.check_count(shipment_ids)
        return [self._ship_one(shipment_id) for shipment_id in shipment_ids]

    def _ship_one(self, shipment_id: str) -> ShipmentOutcome:
        outcome = ShipmentOutcome(key=shipment_id)
        try:
            shipment, order = self.shipment(shipment_id, {"SHIPPING", "READY_FOR_PICK_UP"})
            self._require_tracking(shipment.tracking)
        except ApiError as refusal:
            outcome.message = refusal.message
            return outcome
        self._send(order, shipment)
        outcome.shipment = shipment
        return outcome

    def shipment(self, shipment_id: str, states: Collection[str]) -> tuple[Shipment, Order]:
        """A shipment in one of these states, and its order."""
        shipment = self._book.shipments.get(shipment_id)
        if shipment is None or shipment.is_deleted:
            _refuse(f"Shipment {shipment_id} not found")
        if shipment.status not in states:
            _refuse(f"Shipment {shipment_id} is in state {shipment.status}")
        return shipment, self._book.orders[shipment.order_id]

    # ── tracking ───────────────────────────────────────────────────────────────────────────

    def _tracking(self, request: TrackingRequest) -> Tracking:
        """A registered carrier by its code, or another by name where the tenant allows it."""
        carrier = self._carrier(request)
        number = request.tracking_number or None
        if carrier is None:
            if self._book.settings.listed_carriers_only:
                _refuse("carrier_code: a registered carrier is needed")
            if not request.carrier_name:
                _refuse("carrier_name: must not be blank where there is no carrier_code")
            url = request.tracking_url or request.carrier_url
            return Tracking(carrier_name=request.carrier_name, number=number, url=url)
        if carrier.number_is_mandatory and number is None:
            _refuse(f"tracking_number: carrier {carrier.code} needs one")
        return Tracking(
            carrier_code=carrier.code,
            carrier_standard_code=carrier.standard_code,
            carrier_name=carrier.label,
            number=number,
            url=carrier.url_for(number),
        )

    def _carrier(self, request: TrackingRequest) -> CarrierSetting | None:
        carriers = self._book.settings.carriers
        if request.carrier_code:
            for carrier in carriers:
                if carrier.code == request.carrier_code:
                    return carrier
            _refuse(f"carrier_code: {request.carrier_code} is not a registered carrier")
        if request.carrier_standard_code:
            for carrier in carriers:
                if carrier.standard_code == request.carrier_standard_code:
                    return carrier
        return None


def _line_meant(order: Order, wanted: ShipmentLineRequest) -> OrderLine:
    if wanted.order_line_id is not None:
        line = order.line(wanted.order_line_id)
        if line is None:
            _refuse(f"Order line {wanted.order_line_id} is not of order {order.order_id}")
        return line
    lines = [line for line in order.lines if line.sku == wanted.offer_sku]
    if len(lines) != 1:
        _refuse(
            f"Order {order.order_id}: offer_sku {wanted.offer_sku} is on {len(lines)} lines"
        )
    return lines[0]


def _refuse(message: str) -> NoReturn:
    raise ApiError.of(400, message)
