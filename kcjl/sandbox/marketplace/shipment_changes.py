"""What becomes of a shipment beside leaving: deleted, ready for pick-up, described.

Promises: each item of a call is done or has its message (contract b.4); a shipment that was
deleted gives its units back to what is to ship, and is shown no more. It ships nothing.
Invariant: only a shipment that has not left can be deleted. Called by the marketplace's door.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.parcels import Parcels
from kcjl.sandbox.marketplace.records import ShipmentField, ShipmentOutcome

__all__ = ["ShipmentChanges", "fields_wrong"]

DESCRIBED_MAX = 100
FIELD_TYPES = frozenset({"STRING", "DATE"})


class FieldRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Something more about a parcel, as a call writes it."""

    code: str
    value: str | None = None
    type: str = "STRING"


class DescriptionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One shipment of an ST31 call."""

    id: str
    shipment_additional_information: list[FieldRequest] = []


class ShipmentChanges:
    """ST06, ST26, ST31."""

    def __init__(self, book: Book, parcels: Parcels) -> None:
        self._book = book
        self._parcels = parcels

    def delete(self, shipment_ids: Sequence[str]) -> list[ShipmentOutcome]:
        """ST06."""
        self._parcels.require_shipments()
        self._parcels.check_count(shipment_ids)
        return [self._delete(shipment_id) for shipment_id in shipment_ids]

    def _delete(self, shipment_id: str) -> ShipmentOutcome:
        outcome = ShipmentOutcome(key=shipment_id)
        try:
            shipment, order = self._parcels.shipment(shipment_id, {"SHIPPING"})
        except ApiError as refusal:
            outcome.message = refusal.message
            return outcome
        for part in shipment.lines:
            line = order.line(part.order_line_id)
            if line is not None:
                line.parcelled -= part.quantity
        shipment.status = "CANCELED"
        shipment.is_deleted = True
        self._book.touch_shipment(shipment)
        self._book.touch(order, ())
        outcome.shipment = shipment
        return outcome

    def ready_for_pick_up(self, shipment_ids: Sequence[str]) -> list[ShipmentOutcome]:
        """ST26."""
        self._parcels.require_shipments()
        self._parcels.check_count(shipment_ids)
        return [self._ready(shipment_id) for shipment_id in shipment_ids]

    def _ready(self, shipment_id: str) -> ShipmentOutcome:
        outcome = ShipmentOutcome(key=shipment_id)
        try:
            shipment, order = self._parcels.shipment(shipment_id, {"SHIPPING"})
        except ApiError as refusal:
            outcome.message = refusal.message
            return outcome
        shipment.status = "READY_FOR_PICK_UP"
        self._book.touch_shipment(shipment)
        self._book.touch(order, ())
        outcome.shipment = shipment
        return outcome

    def describe(
        self, shipments: Sequence[Mapping[str, object]]
    ) -> list[tuple[str, list[dict[str, str]]]]:
        """ST31: (shipment id, what was wrong) for each item."""
        self._parcels.require_shipments()
        if not 1 <= len(shipments) <= DESCRIBED_MAX:
            raise ApiError.of(400, f"shipments: 1 to {DESCRIBED_MAX} are allowed in one call")
        try:
            requests = msgspec.convert(shipments, list[DescriptionRequest])
        except msgspec.ValidationError as invalid:
            raise ApiError.of(400, f"shipments: {invalid}") from None
        return [(request.id, self._describe(request)) for request in requests]

    def _describe(self, request: DescriptionRequest) -> list[dict[str, str]]:
        shipment = self._book.shipments.get(request.id)
        if shipment is None or shipment.is_deleted:
            message = f"Shipment {request.id} not found"
            return [{"code": "NOT_FOUND", "field": "id", "message": message}]
        errors = fields_wrong(request.shipment_additional_information)
        if errors:
            return errors
        kept = {each.code: each for each in shipment.additional}
        for written in request.shipment_additional_information:
            if written.value is None:
                kept.pop(written.code, None)
            else:
                kept[written.code] = ShipmentField(
                    code=written.code, value=written.value, type=written.type
                )
        shipment.additional = list(kept.values())
        self._book.touch_shipment(shipment)
        return []


def fields_wrong(fields: Sequence[FieldRequest]) -> list[dict[str, str]]:
    """{code, field, message} of each field that can't be kept."""
    errors = []
    for written in fields:
        if written.type not in FIELD_TYPES:
            message = f"'{written.type}' is neither STRING nor DATE"
            errors.append({"code": "INVALID_TYPE", "field": written.code, "message": message})
        elif written.type == "DATE" and not _is_date(written.value):
            message = f"'{written.value}' is no ISO 8601 date"
            errors.append({"code": "INVALID_VALUE", "field": written.code, "message": message})
    return errors


def _is_date(value: str | None) -> bool:
    try:
        return value is None or bool(datetime.fromisoformat(value))
    except ValueError:
        return False
