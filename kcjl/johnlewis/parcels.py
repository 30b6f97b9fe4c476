"""Translates shipments, what is still to ship, and the answers to writes on parcels.

Promises: a 201 that holds an error raises `Refused`; a sparse answer is filled up from what was
asked for; of a write on several, each has its outcome. It decides nothing about a parcel.
Invariant: statuses stay as they came.
Called by `seller_api.py` and `parcel_calls.py` only. Source: contract johnlewis b.4.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from kcjl.errors import ProtocolSurprise, Refused
from kcjl.johnlewis import order_wire, wire
from kcjl.johnlewis.order_records import address, is_ours
from kcjl.johnlewis.parcel_port import (
    ItemToShip,
    OrderToShip,
    ShipmentOutcome,
    ShipmentOutcomeKind,
)
from kcjl.johnlewis.port import Shipment, ShipmentRequest
from kcjl.johnlewis.reading import (
    Page,
    given,
    holds,
    key,
    listed,
    optional,
    plain_text,
    text,
    time,
    whole,
    words_of_refusal,
)

__all__ = ["joined", "orders_to_ship", "outcomes", "shipment_made", "shipments"]


def shipments(body: bytes) -> Page[Shipment]:
    read = wire.decoded(body, wire.WireShipments, "ST11")
    rows = [
        (key(row.id, "ST11: a shipment's id"), _shipment(row, "ST11"))
        for row in listed(read.data, body, "ST11")
    ]
    return Page(rows=rows, next_token=optional(read.next_page_token))


def _shipment(row: wire.WireShipment, operation: str) -> Shipment:
    what = f"{operation}: shipment {row.id}"
    tracking = row.tracking or wire.WireTracking()
    return Shipment(
        shipment_id=text(row.id),
        order_id=text(row.order_id),
        status=text(row.status),
        lines=tuple(
            (text(line.order_line_id), whole(given(line.quantity, f"{what}: units"), what))
            for line in row.shipment_lines or ()
        ),
        tracking_number=optional(tracking.tracking_number),
        carrier_code=optional(tracking.carrier_code),
        tracking_url=optional(tracking.tracking_url),
        validity=text(tracking.validity_status),
        debit_status=text(row.status_customer_debit),
        packages=tuple(
            dict.fromkeys(
                text(line.package_reference)
                for line in row.shipment_lines or ()
                if text(line.package_reference)
            )
        ),
        invoice_reference=optional(row.invoice_reference),
        created_at=time(row.created_date, what),
        updated_at=time(row.last_updated_date, what),
        shipped_at=time(row.shipped_date, what),
    )


# ── what is still to ship ───────────────────────────────────────────────────────────────────


def orders_to_ship(body: bytes) -> Page[OrderToShip]:
    """A row is an order, or a part of one: the key is the order and what the row holds."""
    read = wire.decoded(body, WireRowsToShip, "ST12")
    rows = []
    for row in listed(read.data, body, "ST12"):
        order = _order_to_ship(row)
        items = ",".join(f"{item.line_id}/{item.package_reference}" for item in order.items)
        rows.append((f"{order.order_id}: {items}", order))
    return Page(rows=rows, next_token=optional(read.next_page_token))


def _order_to_ship(row: "WireRowToShip") -> OrderToShip:
    order_id = key(row.order_id, "ST12: an order's id")
    what = f"ST12: order {order_id}"
    references = row.references or wire.WireReferences()
    return OrderToShip(
        order_id=order_id,
        items=tuple(_item(line, what) for line in row.shipment_lines or ()),
        customer_order_number=optional(references.order_reference_for_customer),
        seller_reference=optional(references.order_reference_for_seller),
        delivery_address=address(row.shipping_address, order_wire.WireCustomer()),
        shipping_at=time(row.shipping_date, what),
        ship_by=time(row.shipping_deadline, what),
        shipping_type_code=text(row.shipping_type_code),
        fulfilled_by_us=is_ours(row.fulfillment),
    )


def _item(line: "WireLineToShip", what: str) -> ItemToShip:
    return ItemToShip(
        line_id=key(line.order_line_id, f"{what}: a line's id"),
        sku=text(line.offer_sku),
        quantity=whole(given(line.quantity, f"{what}: units"), what),
        title=text(line.product_title),
        package_reference=optional(line.package_reference),
    )


def joined(rows: Iterable[OrderToShip]) -> tuple[OrderToShip, ...]:
    """One record an order, with the items of all its rows."""
    orders: dict[str, OrderToShip] = {}
    for row in rows:
        before = orders.get(row.order_id)
        items = {(item.line_id, item.package_reference): item for item in row.items}
        if before is not None:
            items = {
                (each.line_id, each.package_reference): each for each in before.items
            } | items
        orders[row.order_id] = msgspec.structs.replace(row, items=tuple(items.values()))
    return tuple(orders.values())


class WireLineToShip(msgspec.Struct, frozen=True, kw_only=True):
    order_line_id: int | str | None = None
    offer_sku: str | int | None = None
    product_title: str | int | None = None
    quantity: Decimal | None = None
    package_reference: str | int | None = None


class WireRowToShip(msgspec.Struct, frozen=True, kw_only=True):
    """ST12."""

    order_id: int | str | None = None
    references: wire.WireReferences | None = None
    shipment_lines: list[WireLineToShip] | None = None
    shipping_address: order_wire.WireAddress | None = None
    shipping_date: str | None = None
    shipping_deadline: str | None = None
    shipping_type_code: str | int | None = None
    fulfillment: order_wire.WireFulfilment | None = None


class WireRowsToShip(msgspec.Struct, frozen=True, kw_only=True):
    data: list[WireRowToShip] | None = None
    next_page_token: str | int | None = None


# ── writes ──────────────────────────────────────────────────────────────────────────────────


class WireOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a list of successes or errors."""

    id: int | str | None = None
    shipment_id: int | str | None = None


def outcomes(body: bytes, ids: Sequence[str], operation: str) -> tuple[ShipmentOutcome, ...]:
    """ST23, ST24: the lists are found by the end of their name, as for ST01.

    An error wins over a success; an error without an id leaves every unnamed parcel UNKNOWN.
    """
    answer = wire.decoded(body, dict[str, msgspec.Raw], operation)
    found: dict[str, ShipmentOutcome] = {}
    for kind, ending in (
        (ShipmentOutcomeKind.DONE, "success"),
        (ShipmentOutcomeKind.REFUSED, "errors"),
    ):
        for name, part in answer.items():
            if not name.endswith(ending) or not (told := holds(part)):
                continue
            for raw in wire.decoded(told, list[msgspec.Raw], operation):
                row = wire.decoded(bytes(raw), WireOutcome, operation)
                shipment_id = text(row.id) or text(row.shipment_id)
                is_refused = kind is ShipmentOutcomeKind.REFUSED
                message, code = words_of_refusal(bytes(raw)) if is_refused else ("", "")
                found[shipment_id] = ShipmentOutcome(
                    shipment_id=shipment_id, kind=kind, message=message, reason_code=code
                )
    unnamed = found[""].message if "" in found else "the answer does not name this parcel"
    return tuple(
        found.get(each)
        or ShipmentOutcome(shipment_id=each, kind=ShipmentOutcomeKind.UNKNOWN, message=unnamed)
        for each in ids
    )


def shipment_made(body: bytes, request: ShipmentRequest) -> Shipment:
    """ST01 with one parcel: the parcel, or `Refused` where the 201 says so (contract b.4).

    The lists are found by the end of their name: schema and samples spell them in two ways.
    """
    answer = wire.decoded(body, dict[str, msgspec.Raw], "ST01")
    for name, part in answer.items():
        if name.endswith("success") and (told := holds(part)):
            for made in wire.decoded(told, list[wire.WireShipment], "ST01"):
                if text(made.order_id) in ("", request.order_id):
                    key(made.id, "ST01: the shipment's id")
                    return _as_asked(_shipment(made, "ST01"), request)
    for name, part in answer.items():
        if name.endswith("errors") and (told := holds(part)):
            message, reason_code = words_of_refusal(told)
            raise Refused(
                plain_text(f"ST01 of order {request.order_id} was refused: {message}"),
                reason_code=reason_code,
                status=201,
            )
    raise ProtocolSurprise("ST01: the answer names neither a shipment nor an error")


def _as_asked(made: Shipment, request: ShipmentRequest) -> Shipment:
    """A short answer is filled up from what was asked for."""
    tracking = request.tracking
    return msgspec.structs.replace(
        made,
        order_id=made.order_id or request.order_id,
        status=made.status or "SHIPPED",
        lines=made.lines or request.lines,
        tracking_number=made.tracking_number or (tracking and tracking.tracking_number) or None,
        carrier_code=made.carrier_code or (tracking and tracking.carrier_code) or None,
    )
