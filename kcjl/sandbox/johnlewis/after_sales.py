"""What comes after a sale, over HTTP: OR12, OR30, OR31 and OR64 of the John Lewis face.

Promises: paths, fields, statuses and refusals of the contract (b.3); OR31 answers 200 whether
it was taken or not, and says which. It holds no rule: the marketplace does.
Called by the face's routes.
"""

from decimal import Decimal

import msgspec
from aiohttp import web

from kcjl.sandbox.johnlewis.answers import Json, answer, nothing
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.johnlewis.order_view import OrderView, tax_parts
from kcjl.sandbox.johnlewis.orders import TaxPart
from kcjl.sandbox.marketplace.additional_fields import shown_fields
from kcjl.sandbox.marketplace.records import Cancelation

__all__ = ["ROUTES"]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the bodies; fields that are not known are ignored."""


class CancelationItem(Body, frozen=True, kw_only=True):
    order_line_id: str
    amount: Decimal
    shipping_amount: Decimal
    quantity: int
    reason_code: str
    currency_iso_code: str | None = None
    taxes: list[TaxPart] | None = None
    shipping_taxes: list[TaxPart] | None = None


class CancelationCall(Body, frozen=True, kw_only=True):
    cancelations: list[CancelationItem]
    order_tax_mode: str | None = None


class Resolution(Body, frozen=True, kw_only=True):
    reason_code: str


class OwnField(Body, frozen=True, kw_only=True):
    code: str
    value: str | None = None
    type: str | None = None


class LineFields(Body, frozen=True, kw_only=True):
    order_line_id: str
    order_line_additional_fields: list[OwnField] | None = None


class FieldsCall(Body, frozen=True, kw_only=True):
    order_additional_fields: list[OwnField] | None = None
    order_lines: list[LineFields] | None = None


def read_order(asked: Asked) -> web.Response:
    """OR12 (deprecated): one order, as OR11 shows it."""
    order = asked.marketplace.book.order(asked.path["order_id"])
    modes = asked.among("order_tax_mode", frozenset({"TAX_INCLUDED", "TAX_EXCLUDED"}))
    return answer(OrderView(asked.marketplace, modes[0] if modes else None).order(order))


def cancel_lines(asked: Asked) -> web.Response:
    """OR30."""
    asked.marketplace.cancelations.require_feature()
    body = asked.decoded(CancelationCall)
    items = [
        {key: value for key, value in msgspec.to_builtins(item).items() if value is not None}
        for item in body.cancelations
    ]
    made = asked.change("cancel_lines", cancelations=items, order_tax_mode=body.order_tax_mode)
    if not isinstance(made, list):
        raise TypeError("the gate answered a cancelation with something else than cancelations")
    orders = asked.marketplace.book.order_of_line
    mode = body.order_tax_mode or orders[body.cancelations[0].order_line_id].tax_mode
    shown = [
        _cancelation(each, item, asked.settings.currency)
        for each, item in zip(made, body.cancelations, strict=True)
    ]
    return answer({"order_tax_mode": mode, "cancelations": shown})


def _cancelation(made: Cancelation, item: CancelationItem, currency: str) -> Json:
    """What was asked, with the id that it was given."""
    return {
        "cancelation_id": made.cancelation_id,
        "order_line_id": item.order_line_id,
        "amount": item.amount,
        "shipping_amount": item.shipping_amount,
        "quantity": made.quantity,
        "reason_code": made.reason_code,
        "currency_iso_code": currency,
        "taxes": tax_parts(made.charge.taxes),
        "shipping_taxes": tax_parts(made.charge.shipping_taxes),
        "fees": [],
    }


def resolve_incident(asked: Asked) -> web.Response:
    """OR64."""
    reason_code = asked.decoded(Resolution).reason_code
    asked.change(
        "resolve_incident",
        order_id=asked.path["order_id"],
        order_line_id=asked.path["line"],
        reason_code=reason_code,
    )
    return nothing()


def write_fields(asked: Asked) -> web.Response:
    """OR31."""
    order_id = asked.path["order_id"]
    body = asked.decoded(FieldsCall)
    errors = asked.change(
        "write_additional_fields",
        order_id=order_id,
        order_fields=_written(body.order_additional_fields),
        line_fields={
            line.order_line_id: _written(line.order_line_additional_fields)
            for line in body.order_lines or ()
        },
    )
    if errors:
        said = msgspec.to_builtins(body)
        return answer({"order_update_errors": {"errors": errors, "input": said}})
    order = asked.marketplace.book.order(order_id)
    named = {line.order_line_id for line in body.order_lines or ()}
    result: Json = {
        "order_id": order_id,
        "order_additional_fields": shown_fields(order.additional_fields, asked.settings),
        "order_lines": [
            {
                "order_line_id": line.line_id,
                "order_line_additional_fields": shown_fields(
                    line.additional_fields, asked.settings
                ),
            }
            for line in order.lines
            if line.line_id in named
        ],
    }
    return answer({"order_update_result": result})


def _written(fields: list[OwnField] | None) -> list[dict[str, str | None]]:
    return [{"code": field.code, "value": field.value} for field in fields or ()]


ROUTES = (
    ("OR30", "PUT", "/api/orders/cancel", cancel_lines),
    ("OR12", "GET", "/api/orders/{order_id}", read_order),
    ("OR31", "PUT", "/api/orders/{order_id}/additional_fields", write_fields),
    (
        "OR64",
        "PUT",
        "/api/orders/{order_id}/lines/{line}/resolve_incident",
        resolve_incident,
    ),
)
