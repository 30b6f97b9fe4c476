"""Returns over HTTP: RT01, RT04, RT11, RT12, RT21, RT25, RT26, RT27 and RT29.

Promises: fields, filters and answers of the contract (b.5): 200 with `return_success` and
`return_errors`, 404 where the tenant has no returns module. It holds no rule.
Called by the face's routes.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec
from aiohttp import web

from kcjl.sandbox.johnlewis.answers import Json, answer, second
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.marketplace import Order, OrderLine
from kcjl.sandbox.marketplace.recency import seek
from kcjl.sandbox.marketplace.return_records import (
    Compliance,
    Return,
    ReturnOutcome,
    ReturnTracking,
)
from kcjl.sandbox.marketplace.return_requests import (
    AcceptanceRequest,
    ComplianceRequest,
    ReturnRequest,
    UpdateRequest,
)
from kcjl.sandbox.marketplace.returns import BY_MAIL, RETURNABLE_STATES
from kcjl.sandbox.marketplace.settings import MarketplaceSettings

__all__ = ["ROUTES"]

T = TypeVar("T", bound=msgspec.Struct)
LIMIT_MAX = 100
LINES_MAX = 10_000
"""More than an order can have: lines are numbered within their order's place."""
STATES = frozenset(
    {
        "WAITING_ACCEPTANCE",
        "IN_PROGRESS",
        "REFUSED",
        "RECEIVED",
        "NO_RECEPTION",
        "CLOSED",
        "CANCELED",
    }
)


TEXTS: Mapping[str, Callable[[Return], str]] = {
    "return_id": lambda each: each.return_id,
    "order_commercial_id": lambda each: each.commercial_id,
    "return_rma": lambda each: each.rma,
    "customer_id": lambda each: each.customer_id,
}
"""RT11's filters by a text of the return's own."""


class NamedReturn(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class CreationCall(msgspec.Struct, frozen=True, kw_only=True):
    returns: list[ReturnRequest]


class AcceptanceCall(msgspec.Struct, frozen=True, kw_only=True):
    returns: list[AcceptanceRequest]


class ComplianceCall(msgspec.Struct, frozen=True, kw_only=True):
    returns: list[ComplianceRequest]


class UpdateCall(msgspec.Struct, frozen=True, kw_only=True):
    returns: list[UpdateRequest]


class NamingCall(msgspec.Struct, frozen=True, kw_only=True):
    returns: list[NamedReturn]


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def list_returns(asked: Asked) -> web.Response:
    """RT11."""
    returns = asked.marketplace.returns
    returns.require_module()
    page = asked.seek_page(("date_created",), most=LIMIT_MAX, default="date_created,ASC")
    wanted = {name: asked.listed(name) for name in TEXTS}
    line_ids = asked.listed("order_line_id")
    states = asked.among("return_state", STATES)
    created = asked.moment("return_creation_date_from"), asked.moment("return_creation_date_to")
    updated = (
        asked.moment("return_last_updated_from"),
        asked.moment("return_last_updated_to"),
    )

    def fits(each: Return) -> bool:
        return (
            (not states or each.state in states)
            and all(not wanted[name] or of(each) in wanted[name] for name, of in TEXTS.items())
            and (not line_ids or any(line.order_line_id in line_ids for line in each.lines))
            and (created[0] is None or created[0] <= each.created_at)
            and (created[1] is None or each.created_at <= created[1])
            and (updated[0] is None or updated[0] <= each.updated_at)
            and (updated[1] is None or each.updated_at <= updated[1])
        )

    index = returns.by_creation
    span = index.between(created[0], created[1])
    places: Iterable[int] = reversed(span) if page.descending else span
    if page.after is not None:
        after, descending = page.after, page.descending
        places = (place for place in places if (place < after if descending else place > after))
    rows, last = seek(
        places, lambda place: returns.by_id[index.key_at(place)], fits, page.limit
    )
    return _page([_view(each, asked.settings) for each in rows], page.token(last))


def items_to_return(asked: Asked) -> web.Response:
    """RT12."""
    returns, book = asked.marketplace.returns, asked.marketplace.book
    returns.require_module()
    page = asked.seek_page(("date_created",), most=LIMIT_MAX, default="date_created,ASC")
    commercial_ids = asked.listed("order_commercial_id")
    line_ids = asked.listed("order_line_id")
    found: dict[int, tuple[Order, OrderLine]] = {}
    delivered = [key for state in RETURNABLE_STATES for key in book.by_state.get(state, ())]
    for order in book.in_creation_order(delivered):
        if commercial_ids and order.commercial_id not in commercial_ids:
            continue
        for line in order.lines:
            if not line_ids or line.line_id in line_ids:
                place = book.creation_place(order.order_id) * LINES_MAX + line.index
                found[place] = (order, line)
    places = [
        place
        for place in sorted(found, reverse=page.descending)
        if page.after is None or (place < page.after if page.descending else place > page.after)
    ]
    rows, last = seek(
        places, found.__getitem__, lambda each: returns.returnable(*each) > 0, page.limit
    )
    settings = asked.settings
    reasons = [reason.code for reason in settings.reasons if reason.type == "RETURN"]
    shown: list[Json] = [
        {
            "order_commercial_id": order.commercial_id,
            "order_id": order.order_id,
            "order_line_id": line.line_id,
            "returnable_quantity": returns.returnable(order, line),
            "available_return_reasons": reasons,
            "available_return_methods": [BY_MAIL],
            "return_window": settings.return_window_days,
        }
        for order, line in rows
    ]
    return _page(shown, page.token(last))


def _page(rows: list[Json], token: str | None) -> web.Response:
    return answer({"data": rows, "next_page_token": token, "previous_page_token": None})


# ── writing ─────────────────────────────────────────────────────────────────────────────────


def create_returns(asked: Asked) -> web.Response:
    """RT01."""
    asked.marketplace.returns.require_module()
    items = msgspec.to_builtins(asked.decoded(CreationCall).returns)
    outcomes = _outcomes(asked.change("create_returns", returns=items))
    body = {
        "return_success": [
            _view(outcome.made, asked.settings)
            for outcome in outcomes
            if outcome.made is not None
        ],
        "return_errors": [
            {"order_commercial_id": outcome.key, "message": outcome.message}
            for outcome in outcomes
            if outcome.made is None
        ],
    }
    return answer(body)


def accept_returns(asked: Asked) -> web.Response:
    """RT21."""
    return _items(asked, "decide_returns", AcceptanceCall)


def judge_returns(asked: Asked) -> web.Response:
    """RT26."""
    return _items(asked, "judge_returns", ComplianceCall)


def update_returns(asked: Asked) -> web.Response:
    """RT04."""
    return _items(asked, "update_returns", UpdateCall)


def receive_returns(asked: Asked) -> web.Response:
    """RT25."""
    return _named(asked, "receive_returns")


def close_returns(asked: Asked) -> web.Response:
    """RT27."""
    return _named(asked, "close_returns")


def cancel_returns(asked: Asked) -> web.Response:
    """RT29."""
    return _named(asked, "cancel_returns")


def _items(
    asked: Asked,
    operation: str,
    kind: type[AcceptanceCall] | type[ComplianceCall] | type[UpdateCall],
) -> web.Response:
    asked.marketplace.returns.require_module()
    items = msgspec.to_builtins(asked.decoded(kind).returns)
    return _answered(_outcomes(asked.change(operation, returns=items)))


def _named(asked: Asked, operation: str) -> web.Response:
    asked.marketplace.returns.require_module()
    return_ids = [each.id for each in asked.decoded(NamingCall).returns]
    return _answered(_outcomes(asked.change(operation, return_ids=return_ids)))


def _answered(outcomes: list[ReturnOutcome]) -> web.Response:
    body = {
        "return_success": [
            {"id": outcome.key} for outcome in outcomes if outcome.made is not None
        ],
        "return_errors": [
            {"id": outcome.key, "message": outcome.message}
            for outcome in outcomes
            if outcome.made is None
        ],
    }
    return answer(body)


def _outcomes(answered: object) -> list[ReturnOutcome]:
    if not isinstance(answered, list):
        raise TypeError("the gate answered returns with something else than outcomes")
    return answered


# ── views ───────────────────────────────────────────────────────────────────────────────────


def _view(each: Return, settings: MarketplaceSettings) -> Json:
    place = settings.shop_address
    return {
        "id": each.return_id,
        "state": each.state,
        "order_id": each.order_id,
        "order_commercial_id": each.commercial_id,
        "date_created": second(each.created_at),
        "last_updated": second(each.updated_at),
        "reason_code": each.reason_code,
        "method_code": each.method_code,
        "rma": each.rma,
        "label_url": each.label_url,
        "description": each.description,
        "rejection_reason_code": each.rejection_reason_code,
        "tracking": _tracking(each.tracking),
        "return_address": {
            "company": place.company,
            "street1": place.street_1,
            "street2": place.street_2,
            "city": place.city,
            "zip_code": place.postcode,
            "country_iso_code": place.country_code,
        },
        "documents": [],
        "return_lines": [
            {
                "order_line_id": line.order_line_id,
                "quantity": line.quantity,
                "reason_code": line.reason_code,
                "compliance": _compliance(line.compliance),
            }
            for line in each.lines
        ],
    }


def _tracking(tracking: ReturnTracking | None) -> Json | None:
    if tracking is None:
        return None
    return {
        "carrier_code": tracking.carrier_code,
        "carrier_name": tracking.carrier_name,
        "carrier_standard_code": tracking.carrier_standard_code,
        "tracking_number": tracking.tracking_number,
        "tracking_url": tracking.tracking_url,
    }


def _compliance(compliance: Compliance | None) -> list[Json] | None:
    """Null, or a list of one, as the samples have it."""
    if compliance is None:
        return None
    return [
        {
            "compliant": compliance.is_compliant,
            "non_compliance_reason_code": compliance.reason_code,
            "non_compliance_additional_info": compliance.additional_info,
        }
    ]


ROUTES = (
    ("RT11", "GET", "/api/returns", list_returns),
    ("RT12", "GET", "/api/returns/items_to_return", items_to_return),
    ("RT01", "POST", "/api/returns", create_returns),
    ("RT04", "PUT", "/api/returns", update_returns),
    ("RT21", "PUT", "/api/returns/accept", accept_returns),
    ("RT25", "PUT", "/api/returns/receive", receive_returns),
    ("RT26", "PUT", "/api/returns/compliance", judge_returns),
    ("RT27", "PUT", "/api/returns/close", close_returns),
    ("RT29", "PUT", "/api/returns/cancel", cancel_returns),
)
