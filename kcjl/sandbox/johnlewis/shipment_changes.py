"""What becomes of shipments, over HTTP: ST06, ST26 and ST31 of the John Lewis face.

Promises: answers of the contract (b.4), item by item, 404 where multi-shipment is off. ST06's
failures are in `shipment_errors`, as the schema has it. It holds no rule.
Called by the face's routes.
"""

import msgspec
from aiohttp import web

from kcjl.sandbox.johnlewis.answers import answer
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.johnlewis.shipments import (
    AdditionalInformation,
    ShippingCall,
    answered_items,
    outcomes_of,
)

__all__ = ["ROUTES"]


class DescribedParcel(msgspec.Struct, frozen=True, kw_only=True):
    """Named by `id`, as in the other calls, or by `shipment_id`, as in this one's answer."""

    id: str | None = None
    shipment_id: str | None = None
    shipment_additional_information: list[AdditionalInformation] = []


class DescriptionCall(msgspec.Struct, frozen=True, kw_only=True):
    shipments: list[DescribedParcel]


def delete_shipments(asked: Asked) -> web.Response:
    """ST06."""
    return _named(asked, "delete_shipments")


def ready_shipments(asked: Asked) -> web.Response:
    """ST26."""
    return _named(asked, "ready_shipments")


def _named(asked: Asked, operation: str) -> web.Response:
    asked.marketplace.parcels.require_shipments()
    shipment_ids = [parcel.id for parcel in asked.decoded(ShippingCall).shipments]
    return answered_items(outcomes_of(asked.change(operation, shipment_ids=shipment_ids)))


def describe_shipments(asked: Asked) -> web.Response:
    """ST31."""
    asked.marketplace.parcels.require_shipments()
    items = [
        {
            "id": parcel.id or parcel.shipment_id or "",
            "shipment_additional_information": msgspec.to_builtins(
                parcel.shipment_additional_information
            ),
        }
        for parcel in asked.decoded(DescriptionCall).shipments
    ]
    outcomes = asked.change("describe_shipments", shipments=items)
    if not isinstance(outcomes, list):
        raise TypeError("the gate answered shipments with something else than outcomes")
    body = {
        "shipment_update_success": [
            {"shipment_id": shipment_id} for shipment_id, errors in outcomes if not errors
        ],
        "shipment_update_errors": [
            {"shipment_id": shipment_id, "errors": errors}
            for shipment_id, errors in outcomes
            if errors
        ],
    }
    return answer(body)


ROUTES = (
    ("ST06", "PUT", "/api/shipments/delete", delete_shipments),
    ("ST26", "PUT", "/api/shipments/ready_for_pick_up", ready_shipments),
    ("ST31", "PUT", "/api/shipments/additional_information", describe_shipments),
)
