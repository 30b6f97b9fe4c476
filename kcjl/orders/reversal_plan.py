"""A reversal before it is said yes to: what would be given back, line by line.

Promises: pure; amounts are checked against what was paid less what went back already, taxes are
in proportion to the penny, the commission that comes back is told as far as it can be. It sends
nothing. Invariant: a plan that exists can be sent as it stands.
Called by `reversing.py`. Source: contract johnlewis b.3, e.5.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from kcjl.errors import Refused
from kcjl.johnlewis.order_port import Order, OrderLine, OrderState, TaxAmount
from kcjl.johnlewis.reversal_lookup import cancelation_of, refund_of
from kcjl.johnlewis.reversal_port import CancelationRequest, RefundRequest
from kcjl.money import Money, half_up
from kcjl.orders.reversal_events import ReversalItem, TaxPart
from kcjl.orders.reversals import plan_id
from kcjl.tenant.events import TenantRead

__all__ = [
    "CANCELATION",
    "ORDER_CANCELATION",
    "REFUND",
    "Asked",
    "PlannedLine",
    "ReversalPlan",
    "amounts_left",
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


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to give back. Nothing named: all that is left."""

    line_ids: tuple[str, ...] = ()
    """Empty: every line with something left."""
    units: int | None = None
    """Of one line."""
    amount: Decimal | None = None
    """Of one line, goods."""
    shipping: Decimal | None = None
    """Of one line."""
    reason_code: str = ""
    not_to_ship: bool = False


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
        _planned(order, line, *_refund_amounts(line, asked), asked, REFUND)
        for line in _lines(order, asked, REFUND)
    )
    return _plan(order, REFUND, asked, label, lines, said)


def plan_cancelation(
    order: Order, asked: Asked, tenant: TenantRead | None, *, said: int
) -> ReversalPlan:
    """All of the order in one call (OR29) where no line is named; else line by line (OR30)."""
    whole = not asked.line_ids
    if (whole and order.can_cancel is False) or order.debited_at is not None:
        raise Refused(
            f"order {order.order_id} stands at {order.state_raw} and can't be cancelled by the "
            "shop: once the customer has paid, give the money back: "
            f"kcjl orders refund {order.order_id}"
        )
    label = _reason(asked.reason_code, "CANCELATION", tenant) if not whole else ""
    lines = tuple(
        _planned(order, line, *_cancel_amounts(line, asked), asked, CANCELATION)
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


def amounts_left(line: OrderLine) -> tuple[Money, Money]:
    """(goods, shipping) that was paid for the line and has not gone back."""
    goods = sum((refund.amount for refund in line.refunds), Money(0, line.price.currency))
    shipping = sum(
        (refund.shipping_amount for refund in line.refunds),
        Money(0, line.shipping_price.currency),
    )
    return line.price - goods, line.shipping_price - shipping


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


def _refund_amounts(line: OrderLine, asked: Asked) -> tuple[Money, Money, int]:
    goods, shipping = amounts_left(line)
    units = line.quantity if asked.units is None else asked.units
    if not 0 <= units <= line.quantity:
        raise Refused(f"line {line.line_id} has {line.quantity} units, not {units}")
    currency = line.price.currency
    whole = asked.units is None and asked.amount is None and asked.shipping is None
    if asked.amount is not None:
        amount = Money.parse(asked.amount, currency)
    elif asked.units is not None:
        share = Decimal(line.price.amount_minor * units) / (line.quantity or 1)
        amount = min(Money(half_up(share), currency), goods)
    else:
        amount = goods if whole else Money(0, currency)
    zero = shipping if whole else Money(0, currency)
    back = zero if asked.shipping is None else Money.parse(asked.shipping, currency)
    if asked.units is None and asked.amount is not None:
        units = 0
    _within(line, amount, back, goods, shipping)
    return amount, back, units


def _cancel_amounts(line: OrderLine, asked: Asked) -> tuple[Money, Money, int]:
    """Former cancelations have lowered the price already."""
    gone = sum(each.quantity or 0 for each in line.cancelations)
    units = line.quantity - gone if asked.units is None else asked.units
    if not 1 <= units <= line.quantity - gone:
        raise Refused(
            f"line {line.line_id} has {line.quantity - gone} units left to cancel, not {units}"
        )
    currency, all_units = line.price.currency, units == line.quantity - gone
    if asked.amount is not None:
        amount = Money.parse(asked.amount, currency)
    elif all_units:
        amount = line.price
    else:
        share = Decimal(line.price.amount_minor * units) / (line.quantity - gone)
        amount = Money(half_up(share), currency)
    back = line.shipping_price if all_units else Money(0, currency)
    if asked.shipping is not None:
        back = Money.parse(asked.shipping, currency)
    _within(line, amount, back, line.price, line.shipping_price)
    return amount, back, units


def _within(
    line: OrderLine, amount: Money, shipping: Money, goods_left: Money, shipping_left: Money
) -> None:
    if min(amount.amount_minor, shipping.amount_minor) < 0:
        raise Refused(f"line {line.line_id}: an amount below 0 can't be given back")
    if amount > goods_left or shipping > shipping_left:
        raise Refused(
            f"line {line.line_id}: {amount} and {shipping} of shipping are more than what was "
            f"paid less what went back already, {goods_left} and {shipping_left} of shipping"
        )
    if not amount and not shipping:
        raise Refused(f"line {line.line_id}: nothing is left of it to give back")


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
        commission_back=_commission_back(line, amount + shipping),
    )


def _commission_back(line: OrderLine, back: Money) -> Money:
    """Fee in proportion, half up, and its tax on the rounded fee (contract e.5)."""
    paid = (line.price + line.shipping_price).amount_minor
    if not paid:
        return Money(0, line.price.currency)
    fee = half_up(Decimal(line.commission.amount_minor * back.amount_minor) / paid)
    rate = Decimal(line.commission_tax.amount_minor) / (line.commission.amount_minor or 1)
    return Money(fee + half_up(fee * rate), line.price.currency)


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
        _within(line, item.amount, item.shipping_amount, *left)
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
    raise Refused(
        f"{code!r} is no reason that the shop may give for this: "
        + (listed or "the tenant's list has none; it is read once a day, look at it there")
    )
