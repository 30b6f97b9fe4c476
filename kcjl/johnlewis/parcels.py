"""Translates shipments, and the answer to the making of one.

Promises: a 201 that holds an error raises `Refused`; a sparse answer is filled up from what was
asked for. It decides nothing about a parcel. Invariant: statuses stay as they came.
Called by `seller_api.py` only. Source: contract johnlewis b.4.
"""

import msgspec

from kcjl.errors import ProtocolSurprise, Refused
from kcjl.johnlewis import wire
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
    whole,
    words_of_refusal,
)

__all__ = ["shipment_made", "shipments"]


def shipments(body: bytes) -> Page[Shipment]:
    read = wire.decoded(body, wire.WireShipments, "ST11")
    rows = [
        (key(row.id, "ST11: a shipment's id"), _shipment(row))
        for row in listed(read.data, body, "ST11")
    ]
    return Page(rows=rows, next_token=optional(read.next_page_token))


def _shipment(row: wire.WireShipment) -> Shipment:
    what = f"shipment {row.id}"
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
                    return _as_asked(_shipment(made), request)
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
    return Shipment(
        shipment_id=made.shipment_id,
        order_id=made.order_id or request.order_id,
        status=made.status or "SHIPPED",
        lines=made.lines or request.lines,
        tracking_number=made.tracking_number or (tracking and tracking.tracking_number) or None,
        carrier_code=made.carrier_code or (tracking and tracking.carrier_code) or None,
    )
