"""The order operations of the John Lewis face: OR11, OR21, OR23, OR24, OR28, OR29, OR04, RE01.

Promises: paths, fields, statuses and refusals of the contract (b.3, c.3); start_update_date is
moved a little into the past, so that repeats happen by design. It holds no rule: the
marketplace does. Called by the face's routes.
"""

from datetime import timedelta
from decimal import Decimal

import msgspec
from aiohttp import web

from kcjl.sandbox.johnlewis.answers import Json, answer, nothing, page_of
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.johnlewis.order_view import OrderView, tax_parts
from kcjl.sandbox.marketplace import ApiError, Refund
from kcjl.sandbox.marketplace.search import OrderSearch, find_orders

__all__ = [
    "accept_order",
    "cancel_order",
    "list_orders",
    "list_reasons",
    "refund_lines",
    "ship_order",
    "track_order",
    "write_references",
]

STATES = frozenset(
    {
        "STAGING",
        "WAITING_ACCEPTANCE",
        "WAITING_DEBIT",
        "WAITING_DEBIT_PAYMENT",
        "SHIPPING",
        "SHIPPED",
        "TO_COLLECT",
        "RECEIVED",
        "CLOSED",
        "REFUSED",
        "CANCELED",
    }
)
WORKFLOWS = frozenset(
    {
        "PAY_ON_ACCEPTANCE",
        "PAY_ON_DELIVERY",
        "PAY_ON_DUE_DATE",
        "PAY_ON_SHIPMENT",
        "NO_CUSTOMER_PAYMENT_CONFIRMATION",
    }
)
TAX_MODES = frozenset({"TAX_INCLUDED", "TAX_EXCLUDED"})


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the bodies; fields that are not known are ignored."""


class Decision(Body, frozen=True, kw_only=True):
    id: str
    accepted: bool | None = None


class Acceptance(Body, frozen=True, kw_only=True):
    order_lines: list[Decision | None]


class OrderTracking(Body, frozen=True, kw_only=True):
    carrier_code: str | None = None
    carrier_standard_code: str | None = None
    carrier_name: str | None = None
    carrier_url: str | None = None
    tracking_number: str | None = None


class TaxPart(Body, frozen=True, kw_only=True):
    code: str
    amount: Decimal


class RefundItem(Body, frozen=True, kw_only=True):
    order_line_id: str
    amount: Decimal
    shipping_amount: Decimal
    reason_code: str
    quantity: int | None = None
    currency_iso_code: str | None = None
    excluded_from_shipment: bool | None = None
    taxes: list[TaxPart] | None = None
    shipping_taxes: list[TaxPart] | None = None


class RefundCall(Body, frozen=True, kw_only=True):
    refunds: list[RefundItem]
    order_tax_mode: str | None = None


class References(Body, frozen=True, kw_only=True):
    order_reference_for_seller: str | None = None


class OrderReference(Body, frozen=True, kw_only=True):
    order_id: str
    references: References | None = None


class ReferenceCall(Body, frozen=True, kw_only=True):
    orders: list[OrderReference]


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def list_orders(asked: Asked) -> web.Response:
    """OR11."""
    since = asked.moment("start_update_date")
    if since is not None:
        since -= timedelta(seconds=asked.settings.boundary_overlap_s)
    if asked.text("sort") not in {None, "dateCreated"}:
        raise ApiError.of(400, f"sort: '{asked.text('sort')}' is not possible here")
    workflows = asked.among("payment_workflow", WORKFLOWS)
    search = OrderSearch(
        order_ids=asked.listed("order_ids"),
        customer_references=asked.listed("order_references_for_customer"),
        seller_references=asked.listed("order_references_for_seller"),
        states=asked.among("order_state_codes", STATES),
        created_from=asked.moment("start_date"),
        created_to=asked.moment("end_date"),
        updated_from=since,
        updated_to=asked.moment("end_update_date"),
        customer_debited=asked.flag("customer_debited"),
        payment_workflow=workflows[0] if workflows else None,
        has_incident=asked.flag("has_incident"),
    )
    tax_modes = asked.among("order_tax_mode", TAX_MODES)
    orders = find_orders(asked.marketplace.book, search) if _may_match(asked) else []
    if asked.is_descending:
        orders.reverse()
    page, headers = page_of(asked, orders)
    view = OrderView(asked.marketplace, tax_modes[0] if tax_modes else None)
    body = {"orders": [view.order(order) for order in page], "total_count": len(orders)}
    return answer(body, headers=headers)


def _may_match(asked: Asked) -> bool:
    """Filters that all orders of this tenant answer alike: one channel, one centre."""
    channels = asked.listed("channel_codes")
    centers = asked.listed("fulfillment_center_code")
    return (
        (not channels or asked.settings.channel_code in channels)
        and not asked.flag("only_null_channel")
        and (not centers or "DEFAULT" in centers)
    )


def list_reasons(asked: Asked) -> web.Response:
    """RE01."""
    reasons = [
        {
            "code": reason.code,
            "label": reason.label,
            "type": reason.type,
            "is_shop_right": reason.is_shop_right,
        }
        for reason in asked.settings.reasons
    ]
    return answer({"reasons": reasons})


# ── writing ─────────────────────────────────────────────────────────────────────────────────


def accept_order(asked: Asked) -> web.Response:
    """OR21."""
    try:
        body = asked.decoded(Acceptance)
    except ApiError as invalid:
        raise ApiError.of(400, invalid.message, code="VALIDATION_ERROR") from None
    decisions = msgspec.to_builtins(body.order_lines)
    asked.change("accept", order_id=asked.path["order_id"], decisions=decisions)
    return nothing()


def track_order(asked: Asked) -> web.Response:
    """OR23."""
    tracking = msgspec.to_builtins(asked.decoded(OrderTracking))
    asked.change("set_tracking", order_id=asked.path["order_id"], tracking=tracking)
    return nothing()


def ship_order(asked: Asked) -> web.Response:
    """OR24."""
    asked.change("ship", order_id=asked.path["order_id"])
    return nothing()


def cancel_order(asked: Asked) -> web.Response:
    """OR29."""
    asked.change("cancel", order_id=asked.path["order_id"])
    return nothing()


def refund_lines(asked: Asked) -> web.Response:
    """OR28."""
    body = asked.decoded(RefundCall)
    refunds = [
        {key: value for key, value in msgspec.to_builtins(item).items() if value is not None}
        for item in body.refunds
    ]
    made = asked.change("refund", refunds=refunds, order_tax_mode=body.order_tax_mode)
    if not isinstance(made, list):
        raise TypeError("the gate answered a refund with something else than refunds")
    orders = asked.marketplace.book.order_of_line
    mode = body.order_tax_mode or orders[body.refunds[0].order_line_id].tax_mode
    shown = [
        _refund(refund, item, asked.settings.currency)
        for refund, item in zip(made, body.refunds, strict=True)
    ]
    return answer({"order_tax_mode": mode, "refunds": shown})


def _refund(refund: Refund, item: RefundItem, currency: str) -> Json:
    """What was asked, with the ids that it was given."""
    return {
        "refund_id": refund.refund_id,
        "order_refund_id": refund.order_refund_id,
        "order_line_id": refund.order_line_id,
        "amount": item.amount,
        "shipping_amount": item.shipping_amount,
        "quantity": refund.quantity,
        "reason_code": refund.reason_code,
        "currency_iso_code": currency,
        "excluded_from_shipment": refund.excluded_from_shipment,
        "taxes": tax_parts(refund.charge.taxes),
        "shipping_taxes": tax_parts(refund.charge.shipping_taxes),
        "fees": [],
    }


def write_references(asked: Asked) -> web.Response:
    """OR04."""
    body = asked.decoded(ReferenceCall)
    items = [
        {
            "order_id": item.order_id,
            "order_reference_for_seller": (
                item.references.order_reference_for_seller if item.references else None
            ),
        }
        for item in body.orders
    ]
    outcomes = asked.change("write_references", references=items)
    if not isinstance(outcomes, list):
        raise TypeError("the gate answered references with something else than outcomes")
    shown: list[Json] = []
    for (order_id, refused), item in zip(outcomes, items, strict=True):
        written = {
            "references": {"order_reference_for_seller": item["order_reference_for_seller"]}
        }
        errors = refused.body["errors"] if refused is not None else []
        shown.append(
            {
                "order_id": order_id,
                "errors": errors,
                "updated": None if refused is not None else written,
            }
        )
    return answer({"updated_orders": shown})
