"""A reversal before it is said yes to: what would be given back, line by line.

Promises: pure; amounts are checked against what was paid less what went back already, taxes are
in proportion to the penny, the commission that comes back is told as far as it can be. It sends
nothing. Invariant: a plan that exists can be sent as it stands.
Called by `reversing.py`. Source: contract johnlewis b.3, e.5.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from kcjl.errors import Refused
from kcjl.johnlewis.order_port import Order, OrderLine, OrderState, TaxAmount
from kcjl.johnlewis.reversal_lookup import cancelation_of, refund_of
from kcjl.johnlewis.reversal_port import CancelationRequest, RefundRequest
from kcjl.money import Money
from kcjl.orders.reversal_amounts import (
    Asked,
    amounts_left,
    cancel_amounts,
    commission_back,
    refund_amounts,
    within,
)
from kcjl.orders.reversal_events import ReversalItem, ReversalOrdered, TaxPart
from kcjl.orders.reversals import plan_id
from kcjl.tenant.events import TenantRead

__all__ = [
    "CANCELATION",
    "ORDER_CANCELATION",
    "REFUND",
    "PlannedLine",
    "ReversalPlan",
    "ordered",
    "plan_cancelation",
    "plan_refund",
    "request_of",
    "there_on",
    "why_not_now",
]

REFUND, CANCELATION, ORDER_CANCELATION = "refund", "cancelation", "order_cancelation"

REFUNDABLE = frozenset(
    {
        OrderState.SHIPPING,
        OrderState.SHIPPED,
        OrderState.TO_COLLECT,
        OrderState.RECEIVED,
        OrderState.INCIDENT_OPEN,
        OrderState.INCIDENT_CLOSED,
        OrderState.REFUNDED,
    }
)
DEAD = frozenset({OrderState.REFUSED, OrderState.CANCELED})


class PlannedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a plan, with what a person wants to see beside it."""

    item: ReversalItem
    paid: Money
    paid_shipping: Money
    back_already: Money
    """Goods and shipping, refunds of this line before."""
    left_after: Money
    """Goods and shipping that could still go back after this."""
    commission_back: Money
    """Fee and its tax that the operator gives back, in proportion; the bill decides."""


class ReversalPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done, whole."""

    plan_id: str
    order_id: str
    kind: str
    tax_mode: str
    reason_code: str
    reason_label: str
    not_to_ship: bool
    lines: tuple[PlannedLine, ...]
    total: Money
    commission_back: Money
    note: str = ""
    """What the figures leave out."""


def plan_refund(
    order: Order, asked: Asked, tenant: TenantRead | None, *, said: int
) -> ReversalPlan:
    """Raises Refused with the reason and the next step when it can't be right."""
    if order.state not in REFUNDABLE:
        raise Refused(
            f"order {order.order_id} stands at {order.state_raw}: nothing of it can be "
            "refunded (before the customer has paid: kcjl orders cancel; once it is closed: "
            "ask the operator)"
        )
    label = _reason(asked.reason_code, "REFUND", tenant)
    lines = tuple(
        _planned(order, line, *refund_amounts(line, asked), asked, REFUND)
        for line in _lines(order, asked, REFUND)
    )
    return _plan(order, REFUND, asked, label, lines, said)


def plan_cancelation(
    order: Order, asked: Asked, tenant: TenantRead | None, *, said: int
) -> ReversalPlan:
    """All of the order in one call (OR29) where no line is named; else line by line (OR30)."""
    whole = not asked.line_ids
    if (whole and order.can_cancel is False) or order.debited_at is not None:
        unanswered = order.state_raw == "WAITING_ACCEPTANCE"
        instead = (
            f"it has not been accepted yet: kcjl orders refuse {order.order_id} --reason WHY"
            if unanswered
            else f"once the customer has paid, give the money back: kcjl orders refund "
            f"{order.order_id}"
        )
        raise Refused(
            f"order {order.order_id} stands at {order.state_raw} and can't be cancelled by the "
            f"shop: {instead}"
        )
    label = _reason(asked.reason_code, "CANCELATION", tenant) if not whole else ""
    lines = tuple(
        _planned(order, line, *cancel_amounts(line, asked), asked, CANCELATION)
        for line in _lines(order, asked, CANCELATION)
    )
    kind = ORDER_CANCELATION if whole else CANCELATION
    return _plan(order, kind, asked, label, lines, said)


def _plan(
    order: Order,
    kind: str,
    asked: Asked,
    label: str,
    lines: tuple[PlannedLine, ...],
    said: int,
) -> ReversalPlan:
    zero = Money(0, order.currency)
    items = [line.item for line in lines]
    total = sum((each.amount + each.shipping_amount for each in items), zero)
    excluded = order.tax_mode == "TAX_EXCLUDED"
    return ReversalPlan(
        plan_id=plan_id(
            order.order_id,
            f"{kind}|{asked.reason_code}|{asked.not_to_ship}",
            items,
            there=there_on(order),
            said=said,
        ),
        order_id=order.order_id,
        kind=kind,
        tax_mode=order.tax_mode,
        reason_code=asked.reason_code,
        reason_label=label,
        not_to_ship=asked.not_to_ship,
        lines=lines,
        total=total,
        commission_back=sum((line.commission_back for line in lines), zero),
        note="taxes come on top of these amounts" if excluded else "taxes are inside",
    )


# ── what is left, and what is asked of it ───────────────────────────────────────────────────


def there_on(order: Order) -> tuple[str, ...]:
    """Ids of every reversal that the order has."""
    return tuple(
        each
        for line in order.lines
        for each in (
            *(refund.refund_id for refund in line.refunds),
            *(cancelation.cancelation_id for cancelation in line.cancelations),
        )
    )


def _lines(order: Order, asked: Asked, kind: str) -> Sequence[OrderLine]:
    by_id = {line.line_id: line for line in order.lines}
    unknown = [each for each in asked.line_ids if each not in by_id]
    if unknown:
        raise Refused(
            f"order {order.order_id} has no line {', '.join(unknown)}: it has "
            f"{', '.join(by_id)}"
        )
    if len(set(asked.line_ids)) != len(asked.line_ids):
        raise Refused("a line is named twice: name each once")
    partly = (asked.units, asked.amount, asked.shipping) != (None, None, None)
    if partly and len(asked.line_ids) != 1:
        raise Refused(
            "units, an amount or shipping are of one line: name it with --line, and give back "
            "one line after the other"
        )
    if asked.line_ids:
        dead = [each for each in asked.line_ids if by_id[each].state in DEAD]
        if dead:
            raise Refused(f"line {dead[0]} was refused or cancelled: nothing was paid for it")
        return [by_id[each] for each in asked.line_ids]
    found = [line for line in order.lines if line.state not in DEAD and any(amounts_left(line))]
    if not found:
        raise Refused(f"nothing is left of order {order.order_id} for a {kind}")
    return found


def _planned(
    order: Order,
    line: OrderLine,
    amount: Money,
    shipping: Money,
    units: int,
    asked: Asked,
    kind: str,
) -> PlannedLine:
    item = ReversalItem(
        line_id=line.line_id,
        sku=line.sku,
        quantity=units,
        amount=amount,
        shipping_amount=shipping,
        taxes=(),
        shipping_taxes=(),
    )
    request = _request(order, line, item, asked.reason_code or "-", kind)
    item = msgspec.structs.replace(
        item, taxes=_parts(request.taxes), shipping_taxes=_parts(request.shipping_taxes)
    )
    goods_left, shipping_left = amounts_left(line)
    return PlannedLine(
        item=item,
        paid=line.price,
        paid_shipping=line.shipping_price,
        back_already=line.price + line.shipping_price - goods_left - shipping_left,
        left_after=goods_left + shipping_left - amount - shipping,
        commission_back=commission_back(line, amount + shipping),
    )


def _parts(taxes: Sequence[TaxAmount]) -> tuple[TaxPart, ...]:
    return tuple(TaxPart(code=tax.code, amount=tax.amount) for tax in taxes)


def _request(
    order: Order, line: OrderLine, item: ReversalItem, reason_code: str, kind: str
) -> RefundRequest | CancelationRequest:
    if kind == REFUND:
        return refund_of(
            order,
            line,
            amount=item.amount,
            shipping_amount=item.shipping_amount,
            reason_code=reason_code,
            quantity=item.quantity,
        )
    return cancelation_of(
        order,
        line,
        amount=item.amount,
        shipping_amount=item.shipping_amount,
        reason_code=reason_code,
        quantity=item.quantity,
    )


def request_of(
    item: ReversalItem, *, kind: str, reason_code: str, tax_mode: str, not_to_ship: bool
) -> RefundRequest | CancelationRequest:
    """What is sent of an item: as it was planned, to the penny."""
    taxes = tuple(TaxAmount(code=tax.code, amount=tax.amount) for tax in item.taxes)
    shipping = tuple(TaxAmount(code=tax.code, amount=tax.amount) for tax in item.shipping_taxes)
    if kind == REFUND:
        return RefundRequest(
            line_id=item.line_id,
            amount=item.amount,
            shipping_amount=item.shipping_amount,
            reason_code=reason_code,
            tax_mode=tax_mode,
            quantity=item.quantity,
            taxes=taxes,
            shipping_taxes=shipping,
            excluded_from_shipment=not_to_ship,
        )
    return CancelationRequest(
        line_id=item.line_id,
        amount=item.amount,
        shipping_amount=item.shipping_amount,
        reason_code=reason_code,
        tax_mode=tax_mode,
        quantity=item.quantity,
        taxes=taxes,
        shipping_taxes=shipping,
    )


def why_not_now(order: Order, item: ReversalItem, kind: str) -> str:
    """Why an item of a plan can't be right any more, on the order as it is now; or empty."""
    if kind == ORDER_CANCELATION:
        return ""
    line = next((each for each in order.lines if each.line_id == item.line_id), None)
    if line is None:
        return f"order {order.order_id} shows no line {item.line_id} any more"
    left = amounts_left(line) if kind == REFUND else (line.price, line.shipping_price)
    try:
        within(line, item.amount, item.shipping_amount, *left)
    except Refused as refusal:
        return refusal.message
    return ""


def _reason(code: str, kind: str, tenant: TenantRead | None) -> str:
    """The label of a reason that this shop may give; else Refused, with those there are."""
    known: Mapping[str, str] = {
        each: label for each, of, label in (tenant.reasons if tenant else ()) if of == kind
    }
    if code in known:
        return known[code]
    listed = ", ".join(f"{each} ({label})" for each, label in sorted(known.items()))
    asked = f"{code!r} is no reason that" if code else "name a reason with --code that"
    raise Refused(
        f"{asked} the shop may give for this: "
        + (listed or "the tenant's list has none; it is read once a day, look at it there")
    )


def ordered(plan: ReversalPlan, *, reason: str, now: datetime) -> ReversalOrdered:
    """What is in the log once a person has said yes to it."""
    items = tuple(line.item for line in plan.lines)
    if plan.kind == ORDER_CANCELATION:
        items = (_whole(items),)
    return ReversalOrdered(
        order_id=plan.order_id,
        reversal_id=plan.plan_id,
        kind=plan.kind,
        reason_code=plan.reason_code,
        reason=reason,
        tax_mode=plan.tax_mode,
        not_to_ship=plan.not_to_ship,
        items=items,
        money=plan.total,
        occurred_at=now,
    )


def _whole(items: tuple[ReversalItem, ...]) -> ReversalItem:
    """The whole order as one item: one call takes it all off."""
    first, *others = items
    amount, shipping = first.amount, first.shipping_amount
    for each in others:
        amount, shipping = amount + each.amount, shipping + each.shipping_amount
    return ReversalItem(
        line_id="",
        sku="",
        quantity=sum(each.quantity for each in items),
        amount=amount,
        shipping_amount=shipping,
        taxes=(),
        shipping_taxes=(),
    )
